// SPDX-License-Identifier: GPL-2.0-or-later
/* snapshot_stacks.c: frames of stacks; see snapshot.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot.h"

#define MAX_DEPTH 8192		/* including inlined; recordings are untrusted */

bool frame_lines_pending(const struct frames_row *r)
{
	return r && r->lines && (!strcmp(r->lines, LINES_NOT_ASKED_TEXT) || !strcmp(r->lines, LINES_ASKED_TEXT));
}

bool frame_is_code(const struct frames_row *r)
{
	return !r->name || (strncmp(r->name, FRAME_WAKER_TEXT, strlen(FRAME_WAKER_TEXT)) &&
			    strncmp(r->name, FRAME_THING_TEXT, strlen(FRAME_THING_TEXT)));
}

bool count_next(const char **at, char *name, u64 *n)
{
	unsigned long long count;
	int used = 0;

	if (sscanf(*at, " %31s %llu%n", name, &count, &used) < 2 || !used)
		return false;
	*n = count;
	*at += used;
	*at += **at == ',';
	return true;
}

bool blocked_next(const char **at, struct blocked *b)
{
	unsigned long long ns;
	int used = 0;

	if (sscanf(*at, "%llu %u %u %u%n", &ns, &b->n, &b->waker, &b->waker_pid, &used) < 4 || !used)
		return false;
	b->ns = ns;
	b->frames = *at + used + (at[0][used] == ' ');
	b->n_frames = min(strcspn(b->frames, ";"), (size_t)BLOCKED_FRAMES_MAX - 1);
	*at = b->frames + strcspn(b->frames, ";");
	*at += **at == ';';
	return true;
}

u64 blocked_unattributed_ns(const struct requests_row *q)
{
	const char *at = q->blocked_in;
	u64 reported_ns = 0, unattributed_ns;
	struct blocked b;

	if (!at || !u64_known(q->blocked_ns))
		return 0;
	while (blocked_next(&at, &b))
		reported_ns += b.ns;
	unattributed_ns = q->blocked_ns - min(reported_ns, q->blocked_ns);
	return unattributed_ns >= max(q->blocked_ns / 10, (u64)NSEC_PER_MSEC) ? unattributed_ns : 0;
}

struct stack_frames stack_frames_of(const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_frames];
	struct stack_frames x = {};

	for (u32 i = 0; i < t->n; i++) {
		const struct frames_row *f = frames_row(t->rows[i]);

		if (f->id < FRAME_IDS)
			x.n = max(x.n, (u32)f->id + 1);
	}
	x.by_id = xcalloc(x.n + 1, sizeof(*x.by_id));
	for (u32 i = 0; i < t->n; i++) {
		const struct frames_row *f = frames_row(t->rows[i]);

		if (f->id < x.n)
			x.by_id[f->id] = f;
	}
	return x;
}

void stack_frames_close(struct stack_frames *x)
{
	free(x->by_id);
	*x = (struct stack_frames){};
}

static const struct frames_row *frame(const struct stack_frames *x, u32 id)
{
	return id < x->n ? x->by_id[id] : NULL;
}

void stack_frames_each(const struct stack_frames *x, const char *ids,
		       void (*fn)(const struct frames_row *f, void *arg), void *arg)
{
	u32 n = 0, id, inlined;

	while (ids && n < MAX_DEPTH && frame_id_next(&ids, &id)) {
		const struct frames_row *f = frame(x, id);
		const char *more = f ? f->inlines : NULL;

		for (; more && n < MAX_DEPTH && frame_id_next(&more, &inlined); n++)
			fn(frame(x, inlined), arg);
		fn(f, arg);
		n++;
	}
}

static bool is_known(const char *s)
{
	return s && *s;
}

/* "[kernel]", "/usr/lib/libc.so.6" -> "kernel", "libc.so.6" */
static const char *short_module(const char *module, int *ret_len)
{
	const char *slash = strrchr(module, '/'), *s = slash ? slash + 1 : module;

	*ret_len = (int)strlen(s);
	if (*s == '[' && *ret_len > 2 && s[*ret_len - 1] == ']') {
		s++;
		*ret_len -= 2;
	}
	return s;
}

void frame_text(char *buf, size_t cap, const struct frames_row *f)
{
	char raw[512];
	int len;

	if (f && is_known(f->name)) {
		text_clean(buf, cap, f->name, TEXT_SCREEN);
		return;
	}
	if (!f || !u64_known(f->addr)) {
		snprintf(buf, cap, "[unknown]");
		return;
	}
	if (is_known(f->module)) {
		const char *module = short_module(f->module, &len);

		snprintf(raw, sizeof(raw), "[%.*s+0x%" PRIx64 "]", min(len, 400), module, f->addr);
	} else {
		snprintf(raw, sizeof(raw), "[0x%" PRIx64 "]", f->addr);
	}
	text_clean(buf, cap, raw, TEXT_SCREEN);
}
