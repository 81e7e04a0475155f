/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_missed.bpf.h: ends of waits that the kernel does not tell. 6.18 leaves out some switches
 * from an idle CPU (4 in 1,000 on a busy host), for every tracer. The thread is met later with a wait
 * that is not over: in the same call its stack is still there, and when it came the scheduler has noted,
 * by a clock of its own. What that is here is learned from switches that were told.
 */
#ifndef OTTOP_PROFILER_MISSED_BPF_H
#define OTTOP_PROFILER_MISSED_BPF_H

#define CLOCK_AGE_NS 100000000ull	/* the two drift by up to 50 us meanwhile */
#define CLOCK_SLACK_NS 1000000		/* what disagrees by more is not believed */

struct {
	s64 ahead_ns;		/* of CLOCK_MONOTONIC to the scheduler's clock */
	s64 seen_ns;		/* what the last probe said */
	u64 at_ns;		/* when that was; CLOCK_MONOTONIC */
	u64 came_ns;		/* the probe under way: a thread that came then */
	u32 tid;		/* 0: none */
	bool known;		/* two probes agreed */
} sched_clock;
u64 lost_ends;

/* t comes to this CPU now. */
static __always_inline void clock_begin(struct task_struct *t, u64 now)
{
	if (now - sched_clock.at_ns < CLOCK_AGE_NS)
		return;
	if (sched_clock.tid != t->pid && __sync_val_compare_and_swap(&sched_clock.tid, 0, t->pid))
		return;
	sched_clock.came_ns = now;
}

/* t leaves; its times are of when it came. */
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

/* When the current thread got its CPU; 0: not known. */
static __always_inline u64 came_ns(struct task_struct *t, u64 now)
{
	u64 ns = t->sched_info.last_arrival + sched_clock.ahead_ns;

	if (!sched_clock.known || (s64)(ns - now) > CLOCK_SLACK_NS)
		return 0;
	return ns < now ? ns : now;
}

#endif
