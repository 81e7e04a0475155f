// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_span.c: where a thread was blocked during one request, instead of a window of ticks. */
#include <stdio.h>

#include "tui/engines/flame.h"

static void add_wait(struct flame *f, const struct snapshot *s, const struct blocked *b)
{
	const struct requests_row *q = f->span;
	char ids[BLOCKED_FRAMES_MAX];
	struct stacks_row r = {
		.pid = q->pid, .start_time_ns = u64_known(q->process_start_ns) ? q->process_start_ns : 0,
		.tid = q->tid, .kind = f->scope.kind, .frames = ids, .comm = q->comm,
	};
	u32 stack;

	snprintf(ids, sizeof(ids), "%.*s", (int)b->n_frames, b->frames);
	stack = flame_stack_of(f, s, &r);
	if (stack != FLAME_NONE)
		flame_apply(f, stack, (double)b->ns, (double)b->n);
}

void flame_set_span(struct flame *f, const struct requests_row *q)
{
	if (f->span == q || (f->span && q && f->span->seq == q->seq))
		return;
	ROW_KEEP(f->span, q);
	f->span_seq = 0;
	flame_zero(f);
	f->version++;
}

void flame_follow_span(struct flame *f, const struct snapshot *shown)
{
	const struct requests_row *q = f->span;
	const char *at = q->blocked_in;
	struct blocked b;

	if (f->span_seq != shown->seq && flame_names_update(&f->names, shown))
		flame_rebuild_living(f);
	f->span_seq = shown->seq;
	if (f->n_ticks)
		return;
	while (at && blocked_next(&at, &b))
		add_wait(f, shown, &b);
	f->ticks = grow(f->ticks, 0, &f->cap_ticks, sizeof(*f->ticks));
	f->ticks[f->n_ticks++] = (struct flame_tick){
		.seq = shown->seq, .time_ns = q->start_time_ns + q->duration_ns, .interval_ns = q->duration_ns,
		.covered_ns = q->duration_ns,
	};
	f->covered_ns = (double)q->duration_ns;
	f->version++;
}
