/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_missed.bpf.h: ends of waits whose switch event is missing. 6.18 omits some switches from an
 * idle CPU (4 in 1,000 on a busy host), for every tracer. The thread is then found running with an open
 * wait: if it is still in the same call its user stack is unchanged, and the scheduler has noted when it
 * got the CPU, by its own clock, whose offset is measured at switches that were reported.
 */
#pragma once

#define CLOCK_AGE_NS 100000000ull	/* measured again after that; the clocks drift by up to 50 us meanwhile */
#define CLOCK_SLACK_NS 1000000		/* two measurements must agree to within this */

struct {
	s64 ahead_ns;		/* CLOCK_MONOTONIC minus the scheduler's clock */
	s64 seen_ns;		/* last measurement of that */
	u64 at_ns;		/* when; CLOCK_MONOTONIC */
	u64 came_ns;		/* current measurement: when thread `tid` got its CPU */
	u32 tid;		/* 0: none */
	bool known;		/* two measurements agreed */
} sched_clock;
u64 lost_ends;

/* t is switched in. */
static __always_inline void clock_begin(struct task_struct *t, u64 now)
{
	if (now - sched_clock.at_ns < CLOCK_AGE_NS)
		return;
	if (sched_clock.tid != t->pid && __sync_val_compare_and_swap(&sched_clock.tid, 0, t->pid))
		return;
	sched_clock.came_ns = now;
}

/* t is switched out; last_arrival is when it was switched in. */
static __always_inline void clock_end(struct task_struct *t, u64 now)
{
	s64 ahead, differs;

	if (sched_clock.tid != t->pid)
		return;
	ahead = sched_clock.came_ns - t->sched_info.last_arrival;
	differs = ahead - sched_clock.seen_ns;
	sched_clock.seen_ns = ahead;
	if (differs < CLOCK_SLACK_NS && differs > -CLOCK_SLACK_NS) {
		sched_clock.ahead_ns = ahead;
		sched_clock.known = true;
	}
	sched_clock.at_ns = now;
	sched_clock.tid = 0;
}

/* When the current thread was switched in; 0: unknown. */
static __always_inline u64 came_ns(struct task_struct *t, u64 now)
{
	u64 ns = t->sched_info.last_arrival + sched_clock.ahead_ns;

	if (!sched_clock.known || (s64)(ns - now) > CLOCK_SLACK_NS)
		return 0;
	return ns < now ? ns : now;
}
