// SPDX-License-Identifier: GPL-2.0-or-later
/* span.c: see span.h. */
#include "bpf/protocols/span.h"

static bool is_known(const struct thread_mark *m)
{
	return m->at_ns && m->tid;
}

/* Counters of one thread, ignored unless they fit into the span. */
static void split(struct span *s, const struct thread_mark *from, const struct thread_mark *to)
{
	u64 all = to->at_ns - from->at_ns, off = to->off_ns - from->off_ns, runq = to->runq_ns - from->runq_ns;

	if (to->at_ns < from->at_ns || to->off_ns < from->off_ns || to->runq_ns < from->runq_ns)
		return;
	off = min(off, all);		/* the clocks of the two are read one after the other */
	s->runq_ns = min(runq, off);
	s->blocked_ns = off - s->runq_ns;
	s->cpu_ns = all - off;
}

struct span span_of(const struct exchange *x)
{
	struct span s = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };

	if (x->unread_us != HTTP_UNKNOWN_US)
		s.unread_ns = (u64)x->unread_us * 1000;
	if (!x->answered_done)
		return s;
	if (x->server && x->answered && x->end_ns >= x->first_ns)
		s.write_ns = x->end_ns - x->first_ns;
	if (!x->server && is_known(&x->from) && x->from.at_ns >= x->start_ns)
		s.write_ns = x->from.at_ns - x->start_ns;
	if (is_known(&x->from) && is_known(&x->to) && x->from.tid == x->to.tid)
		split(&s, &x->from, &x->to);
	return s;
}
