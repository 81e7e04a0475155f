// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names.c: the table names: results of requested address lookups; a row has the name, the reason
 * why there is none, or neither yet.
 */
#include <errno.h>
#include <stdio.h>

#include "bpf/collectors/collector.h"
#include "bpf/helpers/resolver.h"

static int names_open(char *reason, size_t cap)
{
	if (resolver_runs())
		return 0;
	snprintf(reason, cap, "the process that asks for names (ottop-names) does not run");
	return -ESRCH;
}

static void names_drain(void)
{
	resolver_step(boottime_ns());
}

static u32 names_fds(int *fds)
{
	fds[0] = resolver_fd();
	return fds[0] >= 0;
}

static void add_row(void *arg, const char *addr, const char *name, const char *reason)
{
	struct builder *b = arg;
	struct names_row *r = builder_row(b, TABLE_names);

	r->addr = str_new(addr);
	r->name = name ? str_new(name) : NULL;
	r->reason = reason ? str_new(reason) : NULL;
}

static int names_read(const struct tick *t)
{
	resolver_step(t->now_ns);
	resolver_each(add_row, t->b);
	if (resolver_runs())
		builder_status(t->b, TABLE_names, TS_OK, NULL, t->interval_ns);
	else
		builder_status(t->b, TABLE_names, TS_PARTIAL,
			       "the process that asks for names has ended: no new ones", t->interval_ns);
	return 0;
}

const struct collector names_collector = {
	.name = "names",
	.rows_from = "asked for by a process of its own (r in tab 5, users)",
	.tables = TABLE_BIT(TABLE_names),
	.open = names_open,
	.drain = names_drain,
	.fds = names_fds,
	.read = names_read,
};
