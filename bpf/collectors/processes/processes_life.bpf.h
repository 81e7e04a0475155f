/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* processes_life.bpf.h: the life of processes as events: fork, exec, exit, OOM kill. */
#pragma once

#include "bpf/collectors/processes/processes_task.bpf.h"
#include "bpf/collectors/processes/processes_switch.bpf.h"

u64 lost_ring, lost_storage;	/* events lost, by cause */

struct scratch {
	struct wire_event e;
	char args[ARGS_MAX];
};

PERCPU_ARRAY(scratches, 1, struct scratch);

static __always_inline void fill_event(struct wire_event *e, u32 kind, struct task_struct *t)
{
	e->kind = kind;
	e->pid = t->tgid;
	e->ppid = t->real_parent->tgid;
	e->uid = t->cred->euid.val;
	e->time_ns = bpf_ktime_get_boot_ns();
	e->start_ns = t->group_leader->start_boottime;
	bpf_core_read_str(e->comm, sizeof(e->comm), &t->comm);
}

static __always_inline int forked(struct task_struct *parent, struct task_struct *child, bool again)
{
	struct task_state *s = task_state_make(child);
	struct wire_event *e;

	if (!again)
		counted_leave(child->pid, NULL);	/* stale: an earlier task of this pid whose end was missed */
	if (!s && !again)
		__sync_fetch_and_add(&lost_storage, 1);
	if (child->pid != child->tgid || (s ? s->fork_reported : again))
		return 0;
	if (s)
		s->fork_reported = 1;
	e = ring_zeroed(&events, sizeof(*e), &lost_ring);
	if (!e)
		return 0;
	fill_event(e, WIRE_FORK, child);
	e->ppid = parent->tgid;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	return forked(parent, child, false);
}

/*
 * For kernels that skip preempted programs (probes_preemptible()); the classic tracepoint lacks the
 * child. A fork is lost only if both programs are skipped.
 */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(on_fork_again, struct task_struct *parent, struct task_struct *child)
{
	return forked(parent, child, true);
}

/*
 * execve by another thread than the leader: de_thread() (fs/exec.c) gives it the leader's pid and
 * frees the leader's storage, whose counters are kept here until the exec event.
 */
HASH_PREALLOCATED(handovers, 64, u32, struct task_state);

static __always_inline bool exec_ends_leader(struct task_struct *leader)
{
	struct signal_struct___old *old = (void *)leader->signal;

	if (bpf_core_field_exists(leader->signal->group_exec_task))
		return leader->signal->group_exec_task != NULL;
	return BPF_CORE_READ(old, group_exit_task) != NULL;
}

static __always_inline void add_sums(struct task_state *to, const struct task_state *from)
{
	__sync_fetch_and_add(&to->dead_calls, from->dead_calls);
	__sync_fetch_and_add(&to->dead_runq_ns, from->dead_runq_ns);
	__sync_fetch_and_add(&to->dead_blocked_ns, from->dead_blocked_ns);
	__sync_fetch_and_add(&to->dead_runtime_ns, from->dead_runtime_ns);
	__sync_fetch_and_add(&to->dead_utime_ns, from->dead_utime_ns);
	__sync_fetch_and_add(&to->dead_stime_ns, from->dead_stime_ns);
	__sync_fetch_and_add(&to->dead_read_bytes, from->dead_read_bytes);
	__sync_fetch_and_add(&to->dead_write_bytes, from->dead_write_bytes);
}

static __always_inline void take_handover(struct task_struct *t)
{
	u32 tgid = t->tgid;
	struct task_state *left = bpf_map_lookup_elem(&handovers, &tgid), *s;

	s = left ? task_state(t) : NULL;
	if (s)
		add_sums(s, left);
	if (left)
		bpf_map_delete_elem(&handovers, &tgid);
}

static __always_inline int exec(struct task_struct *t, int old_pid)
{
	u64 start, end, len;
	struct scratch *sc;
	u32 zero = 0;

	if (old_pid != t->pid) {
		counted_leave(old_pid, task_state(t));
		take_handover(t);
	}
	sc = bpf_map_lookup_elem(&scratches, &zero);
	if (!sc)
		return 0;
	__builtin_memset(&sc->e, 0, sizeof(sc->e));
	fill_event(&sc->e, WIRE_EXEC, t);
	start = BPF_CORE_READ(t, mm, arg_start);
	end = BPF_CORE_READ(t, mm, arg_end);
	len = end > start ? end - start : 0;
	if (len > ARGS_MAX)
		len = ARGS_MAX;
	if (bpf_probe_read_user(sc->args, len, (void *)start))
		len = 0;
	sc->e.args_len = len;
	if (bpf_ringbuf_output(&events, sc, sizeof(sc->e) + len, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&lost_ring, 1);
	return 0;
}

/* Two attach types for the same: see probes_prefer_classic() in bpf/kernel/probes.h. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
	return exec(t, old_pid);
}

/* include/trace/events/sched.h: common header, filename (__data_loc), pid, old_pid */
struct exec_args {
	u64 common;
	u32 filename, pid, old_pid;
};

SEC("?tp/sched/sched_process_exec")
int on_exec_tp(struct exec_args *ctx)
{
	return exec(bpf_get_current_task_btf(), ctx->old_pid);
}

/* An exiting thread adds its counters to its leader's entry; the leader keeps its own. */
static __always_inline void add_dead_thread(struct task_struct *t, struct task_state *s,
					    struct task_state *ls)
{
	if (s) {
		__sync_fetch_and_add(&ls->dead_calls, s->calls);
		__sync_fetch_and_add(&ls->dead_blocked_ns, s->blocked_ns);
	}
	__sync_fetch_and_add(&ls->dead_runq_ns, run_delay_ns(t, s, 0));
	__sync_fetch_and_add(&ls->dead_runtime_ns, t->se.sum_exec_runtime);
	__sync_fetch_and_add(&ls->dead_utime_ns, t->utime);
	__sync_fetch_and_add(&ls->dead_stime_ns, t->stime);
	__sync_fetch_and_add(&ls->dead_read_bytes, t->ioac.read_bytes);
	__sync_fetch_and_add(&ls->dead_write_bytes, t->ioac.write_bytes);
}

static __always_inline u64 more(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* The larger sum: signal_struct has threads released before ottop, our entry those just exiting. */
static __always_inline void fill_exit(struct wire_event *e, struct task_struct *t,
				      struct task_struct *leader, struct task_state *ls)
{
	struct signal_struct *sig = t->signal;
	u64 peak = sig->maxrss;	/* pages; set when the last thread drops its mm */

	e->main_runtime_ns = leader->se.sum_exec_runtime;
	e->runtime_ns = more(sig->sum_sched_runtime, ls ? ls->dead_runtime_ns : 0) +
			leader->se.sum_exec_runtime;
	e->utime_ns = more(sig->utime, ls ? ls->dead_utime_ns : 0) + leader->utime;
	e->stime_ns = more(sig->stime, ls ? ls->dead_stime_ns : 0) + leader->stime;
	e->read_bytes = more(sig->ioac.read_bytes, ls ? ls->dead_read_bytes : 0) +
			leader->ioac.read_bytes;
	e->write_bytes = more(sig->ioac.write_bytes, ls ? ls->dead_write_bytes : 0) +
			 leader->ioac.write_bytes;
	e->runq_ns = run_delay_ns(leader, ls, 0);
	if (ls) {
		e->calls = calls_of(leader->pid, ls) + ls->dead_calls;
		e->runq_ns += ls->dead_runq_ns;
		e->blocked_ns = ls->blocked_ns + ls->dead_blocked_ns;
	}
	if (t->mm)
		peak = more(peak, more(rss_pages(t->mm), BPF_CORE_READ(t, mm, hiwater_rss)));
	e->rss_peak_pages = peak;
	e->exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : t->exit_code;
}

static __always_inline int thread_exit(struct task_struct *t)
{
	struct task_struct *leader = t->group_leader;
	struct task_state *s = task_state(t), *ls = task_state(leader);
	struct wire_event *e;

	counted_leave(t->pid, s);
	if (t->pid != t->tgid && ls) {
		add_dead_thread(t, s, ls);
	} else if (ls && exec_ends_leader(t)) {
		u32 tgid = t->tgid;

		add_dead_thread(t, s, ls);
		bpf_map_update_elem(&handovers, &tgid, ls, 0);
		/* a pass may still see the leader, and adds its own counters to those of exited threads */
		__sync_fetch_and_sub(&ls->dead_calls, ls->calls);
		__sync_fetch_and_sub(&ls->dead_blocked_ns, ls->blocked_ns);
		__sync_fetch_and_sub(&ls->dead_runq_ns, run_delay_ns(t, ls, 0));
		return 0;
	}
	/* The last thread reports. If two leave at once both may: user space takes the maxima. */
	if (t->signal->live.counter)
		return 0;
	e = ring_zeroed(&events, sizeof(*e), &lost_ring);
	if (!e)
		return 0;
	fill_event(e, WIRE_EXIT, t);
	bpf_core_read_str(e->comm, sizeof(e->comm), &leader->comm);
	fill_exit(e, t, leader, ls);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *t)
{
	return thread_exit(t);
}

SEC("?tp/sched/sched_process_exit")
int on_exit_tp(void *ctx)
{
	return thread_exit(bpf_get_current_task_btf());
}

/* include/trace/events/oom.h: a pid (below 2^22, PID_MAX_LIMIT), since 6.10 the task's address. */
SEC("raw_tp/mark_victim")
int on_oom(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];
	struct wire_event *e = ring_zeroed(&events, sizeof(*e), &lost_ring);

	if (!e)
		return 0;
	e->kind = WIRE_OOM;
	e->pid = ctx->args[0] > 1 << 22 ? (u32)BPF_CORE_READ(t, tgid) : (u32)ctx->args[0];
	e->time_ns = bpf_ktime_get_boot_ns();
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}
