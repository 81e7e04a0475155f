// SPDX-License-Identifier: GPL-2.0-or-later
/* heat_sources.c: the sources of heat maps: system calls and HTTP requests. */
#include <stdio.h>

#include "tui/engines/heat.h"

/* Hashes the text, not its address: ids outlive the rows. */
static u64 add_text(u64 h, const char *text)
{
	for (const char *p = text ? text : "?"; *p; p++)
		h = (h ^ (u8)*p) * 0x100000001b3ull;
	return h * 0x9e3779b97f4a7c15ull;
}

static const struct field *member(const struct heat_source *src, const char *name)
{
	const struct field *f = name ? schema_field(src->table, name) : NULL;

	if (name && !f)
		die(xasprintf("heat map of %s: its table has no member %s", src->view, name));
	return f;
}

struct heat_members heat_members_of(const struct heat_source *src)
{
	struct heat_members m = {
		.pid = member(src, "pid"), .start = member(src, "start_time_ns"), .comm = member(src, "comm"),
		.hist = member(src, src->hist),
	};

	for (u32 i = 0; i < HEAT_WHAT; i++)
		m.what[i] = member(src, src->what[i]);
	return m;
}

bool heat_what(const struct heat_source *src, const struct row *r, u64 *ret)
{
	struct heat_members m = heat_members_of(src);

	return heat_what_of(&m, r, ret);
}

bool heat_what_of(const struct heat_members *m, const struct row *r, u64 *ret)
{
	bool known = true;
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < HEAT_WHAT && m->what[i]; i++) {
		const struct field *f = m->what[i];
		u64 v = f->type == FT_STR ? 0 : row_u64(r, f);

		known &= f->type == FT_STR || u64_known(v);
		h = f->type == FT_STR ? add_text(h, row_str(r, f)) : (h ^ v) * 0x9e3779b97f4a7c15ull ^ h >> 31;
	}
	*ret = h;
	return known;
}

static void syscall_name(const struct row *r, char *buf, size_t cap)
{
	const char *name = syscalls_row(r)->syscall;

	snprintf(buf, cap, "%s", name ? name : "?");
}

static bool syscall_waits(const struct row *r)
{
	return syscalls_row(r)->waits == 1;
}

const struct heat_source heat_of_syscalls = {
	.table = TABLE_syscalls, .hist = "hist", .what = { "nr", "abi" }, .name = syscall_name,
	.waits = syscall_waits, .noun = "call", .title = "SYSCALL", .view = "heatmap",
};

static void endpoint_name(const struct row *row, char *buf, size_t cap)
{
	const struct http_row *r = http_row(row);

	snprintf(buf, cap, "%s%s%s", r->method ? r->method : "", r->method && *r->method ? " " : "",
		 r->path ? r->path : "?");
}

const struct heat_source heat_of_http = {
	.table = TABLE_http, .hist = "hist", .what = { "method", "path", "side" }, .name = endpoint_name,
	.noun = "request", .title = "ENDPOINT", .view = "latencies",
};
