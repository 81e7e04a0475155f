/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_waits.bpf.h: waits that have not ended, which are of interest when a program
 * hangs. A pass over all threads reports the part of each wait that was not reported
 * yet; the end of the wait reports the rest. Whoever exchanges off_reported_ns reports
 * that part, so each nanosecond counts once.
 */
#pragma once

struct wire_look look;
u64 off_began_ns;	/* CLOCK_MONOTONIC: start of observation; older beginnings are stale */
bool only_http;		/* only the waits of threads that move HTTP, or woke one that does */

/* Only one pass runs at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_new_wait);
} wait_scratch SEC(".maps");

#define ONCE(x) (*(volatile typeof(x) *)&(x))	/* one access, in program order */

static __always_inline bool is_watched(const struct task_state *s)
{
	return !only_http || s->for_http;
}

/* Store order: a reader that sees off_reported_ns also sees the off_since_ns that goes with it. */
static __always_inline void wait_begins(struct task_state *s, u64 now, s32 nr, u32 owner)
{
	s->waker = 0;
	s->off_nr = nr;
	s->owner = owner;
	ONCE(s->off_since_ns) = now;
	ONCE(s->off_reported_ns) = now;
}

/* Takes the part that was not reported yet; the caller must report it. 0: none. */
static __always_inline u64 wait_ends(struct task_state *s, u64 now)
{
	/* in this order: after the exchange a pass may write a new beginning, see adopt() */
	u64 began = ONCE(s->off_since_ns), reported = __sync_lock_test_and_set(&s->off_reported_ns, 0);

	/* left over from an earlier run of the collector, or a pass is about to revert its adopt() */
	if (began < off_began_ns || reported < began || reported >= now)
		return 0;
	return now - reported;
}

/*
 * The thread is asleep: it left the CPU voluntarily. queued_too: or it was woken and has not run since; its wait
 * ends when it gets a CPU, which takes seconds on a busy machine. Also of that kind: it sleeps, and the scheduler
 * keeps it in its runqueue for a while (since 6.12).
 * ONCE: read after the caller's earlier reads. Not inlined: clang would share loads between two copies, and their
 * sizes could not be adjusted to those of 7.3.
 */
static __noinline int is_off_cpu(struct task_struct *t, int queued_too)
{
	u32 state = ONCE(t->__state);

	if (state & TASK_DEAD || t->exit_state)
		return 0;
	if (t->on_rq) {
		if (!queued_too || !bpf_core_field_exists(t->on_cpu))
			return 0;
	} else if (!state) {
		return 0;
	}
	return !bpf_core_field_exists(t->on_cpu) || !t->on_cpu;
}

/* Kernel threads that wait for work do not hang. */
static __always_inline bool is_idle(struct task_struct *t)
{
	return !t->mm && (t->__state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) != TASK_UNINTERRUPTIBLE;
}

/* Starts a wait with an unseen beginning; `reported`: the old value, so that a new wait wins. */
static __always_inline void adopt(struct task_struct *t, struct task_state *s, u64 reported, u64 since)
{
	if (!is_off_cpu(t, false) || __sync_val_compare_and_swap(&s->off_reported_ns, reported, since) != reported)
		return;
	ONCE(s->off_since_ns) = since;
	s->waker = 0;
	s->owner = outside_now(t);
	s->off_nr = -1;
	/* it may have woken before this was visible: then its end was not seen */
	if (!is_off_cpu(t, false))
		__sync_val_compare_and_swap(&s->off_reported_ns, since, 0);
}

/*
 * The cgroup v1 freezer freezes threads in some sleeps in place, and lets them sleep on when thawed, without a
 * wake-up (kernel/freezer.c, __set_task_frozen()). What the thread waits for changes then.
 */
static __always_inline bool froze_or_thawed(struct task_struct *t, const struct task_state *s)
{
	return (outside_now(t) == OWNER_FREEZER) != (s->owner == OWNER_FREEZER);
}

static __always_inline void emit_part(struct seq_file *seq, struct task_state *s, struct wire_wait *w,
				 u64 reported)
{
	u64 now = bpf_ktime_get_ns();

	if (now <= reported || __sync_val_compare_and_swap(&s->off_reported_ns, reported, now) != reported)
		return;
	w->ns = now - reported;
	/* if the buffer is full the iterator will visit this thread again */
	if (bpf_seq_write(seq, w, sizeof(*w)))
		__sync_val_compare_and_swap(&s->off_reported_ns, now, reported);
}

static __always_inline void describe(struct seq_file *seq, struct task_struct *t,
				     const struct task_state *s, const struct wire_wait *w)
{
	u32 zero = 0;
	struct wire_new_wait *n = bpf_map_lookup_elem(&wait_scratch, &zero);
	long bytes;

	if (!n)
		return;
	n->wait = *w;
	n->start_ns = t->group_leader->start_boottime;
	n->exec_id = t->self_exec_id;
	bpf_core_read_str(n->comm, sizeof(n->comm), &t->comm);
	read_call(&n->in, t);
	n->in.owner = s->owner;
	n->in.since_ns = w->since_ns;
	n->in.end_ns = 0;
	bytes = bpf_get_task_stack(t, n->kernel, sizeof(n->kernel), 0);
	n->n_kernel = bytes > 0 ? bytes / sizeof(u64) : 0;
	n->end = !t->mm ? WALK_NONE : walk_registers(&n->regs, t) ? WALK_WHOLE : WALK_32BIT;
	bpf_seq_write(seq, n, sizeof(*n));
}

SEC("iter/task")
int waits_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct wire_wait w = {};
	struct task_state *s;
	u64 reported;

	if (!t || !t->pid || t->exit_state || !in_scope(t->tgid) || is_idle(t))
		return 0;
	s = task_state_make(t);
	if (!s || !is_watched(s))
		return 0;
	reported = ONCE(s->off_reported_ns);
	if (!reported || ONCE(s->off_since_ns) < off_began_ns)
		adopt(t, s, reported, look.adopt_ns);
	else if (!is_off_cpu(t, true))
		return 0;	/* its end is found when it enters or leaves the kernel, even if the switch was missed */
	else if (!look.report_described && froze_or_thawed(t, s))
		adopt(t, s, reported, reported + 1);	/* a new wait since the last report */
	reported = ONCE(s->off_reported_ns);
	w.since_ns = ONCE(s->off_since_ns);
	if (!reported || w.since_ns < off_began_ns || w.since_ns >= look.until_ns)
		return 0;
	w.tgid = t->tgid;
	w.tid = t->pid;
	if ((reported == w.since_ns) == !!look.report_described)
		emit_part(ctx->meta->seq, s, &w, reported);
	else if (!look.report_described)
		describe(ctx->meta->seq, t, s, &w);
	return 0;
}
