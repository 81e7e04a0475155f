/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* processes_task.bpf.h: reads a task: memory, state, current system call, its process. */
#pragma once

#include "bpf/kernel/calls.bpf.h"
#include "bpf/kernel/counted.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/collectors/processes/processes.h"
#include "bpf/collectors/processes/processes_state.bpf.h"

u32 call_generation;		/* of the current latency measurement; 0: off */

#define MAX_SUM_CPUS 16
/*
 * Kernel address of __per_cpu_offset[]; 0: not known (yet). Not a __ksym: libbpf would read all of
 * kallsyms before the first screen.
 */
u64 per_cpu_offsets;
const volatile u32 sum_cpus;	/* CPUs to sum; 0: too many */
bool rss_is_exact;		/* else user space may read the exact value from /proc */

/* Since 6.2 per-CPU, with a common part up to 32 pages a CPU behind (lib/percpu_counter.c). */
static __always_inline s64 percpu_rest(s32 *counters)
{
	s64 sum = 0;
	u64 offset;
	s32 part;

	if (!per_cpu_offsets || !sum_cpus)
		return 0;
	rss_is_exact = true;
	for (u32 cpu = 0; cpu < MAX_SUM_CPUS && cpu < sum_cpus; cpu++) {
		if (bpf_probe_read_kernel(&offset, sizeof(offset),
					  (void *)(per_cpu_offsets + cpu * sizeof(offset))))
			break;
		if (!bpf_probe_read_kernel(&part, sizeof(part), (char *)counters + offset))
			sum += part;
	}
	return sum;
}

/* A macro because CO-RE wants a constant index. */
#define EXACT_COUNT(mm, i) (BPF_CORE_READ(mm, rss_stat[i].count) + \
			    percpu_rest(BPF_CORE_READ(mm, rss_stat[i].counters)))

static __always_inline u64 rss_pages(struct mm_struct *mm)
{
	s64 sum = 0;

	if (!mm)
		return 0;
	/* a field, not the type: the search for a missing type needs CAP_SYS_ADMIN */
	struct mm_struct___old *old = (void *)mm;

	if (bpf_core_field_exists(old->rss_stat.count)) {
		rss_is_exact = true;
		sum = BPF_CORE_READ(old, rss_stat.count[MM_FILEPAGES].counter) +
		      BPF_CORE_READ(old, rss_stat.count[MM_ANONPAGES].counter) +
		      BPF_CORE_READ(old, rss_stat.count[MM_SHMEMPAGES].counter);
	} else {
		sum = EXACT_COUNT(mm, MM_FILEPAGES) + EXACT_COUNT(mm, MM_ANONPAGES) +
		      EXACT_COUNT(mm, MM_SHMEMPAGES);
	}
	return sum > 0 ? sum : 0;
}

static __always_inline u32 task_cpu(struct task_struct *t)
{
	if (bpf_core_field_exists(t->thread_info.cpu))
		return t->thread_info.cpu;
	return BPF_CORE_READ((struct task_struct___cpu *)t, cpu);
}

static __always_inline void fill_call(struct wire_thread *w, struct task_struct *t,
				      struct task_state *s)
{
	struct task_struct *me = bpf_get_current_task_btf();
	u64 arrived = t->sched_info.last_arrival, entered = 0;

	w->call = CALL_NONE;
	/* read once: if the call returned meanwhile the age would become the uptime */
	if (s)
		entered = *(volatile u64 *)&s->enter_ns;
	if (s && entered && call_generation && s->generation == call_generation) {
		w->call = s->call;
		w->call_age_ns = bpf_ktime_get_ns() - entered;
		w->call_exact = 1;
		return;
	}
	if (!t->mm || w->state == 'R' || w->state == 'Z' || w->state == 'X')
		return;
	w->call = call_from_regs(t);	/* calls older than ottop too */
	/* a lower bound: since it last got a CPU; both times are on the scheduler's clock */
	if (me->sched_info.last_arrival > arrived)
		w->call_age_ns = me->sched_info.last_arrival - arrived;
}

#define MAX_ENDED_THREADS 16	/* to skip; they leave the list by themselves */

/*
 * The first living thread: if the main thread has ended, it has the memory, cgroup and /proc data.
 */
static __always_inline struct task_struct *living_thread(struct task_struct *leader)
{
	struct list_head *at = &leader->signal->thread_head, *head = at;

	for (int i = 0; i < MAX_ENDED_THREADS && !(leader->flags & PF_KTHREAD); i++) {
		struct task_struct *t;

		at = BPF_CORE_READ(at, next);
		if (at == head)
			break;
		t = (void *)at - bpf_core_field_offset(struct task_struct, thread_node);
		if (BPF_CORE_READ(t, mm))
			return t;
	}
	return leader;
}

static __always_inline void fill_memory(struct wire_process *p, struct task_struct *leader)
{
	struct task_struct *t = leader->mm ? leader : living_thread(leader);

	p->rss_pages = rss_pages(BPF_CORE_READ(t, mm));
	p->css_set = (u64)BPF_CORE_READ(t, cgroups);
	p->living = BPF_CORE_READ(t, pid);
}

static __always_inline void fill_process(struct wire_process *p, struct task_struct *t,
					 struct task_state *s)
{
	struct signal_struct *sig = t->signal;
	/* read as a number: the verifier of 6.1 forbids arithmetic on a pointer of known type */
	u64 pid_at = (u64)BPF_CORE_READ(t, thread_pid);
	struct pid *pid = (void *)pid_at;
	struct upid own = {};
	u32 level;

	p->dead_runtime_ns = sig->sum_sched_runtime;
	p->dead_utime_ns = sig->utime;
	p->dead_stime_ns = sig->stime;
	p->dead_read_bytes = sig->ioac.read_bytes;
	p->dead_write_bytes = sig->ioac.write_bytes;
	if (s) {
		p->dead_runq_ns = s->dead_runq_ns;
		p->dead_blocked_ns = s->dead_blocked_ns;
		p->dead_calls = s->dead_calls;
	}
	fill_memory(p, t);
	p->ppid = t->real_parent->tgid;
	p->uid = t->cred->euid.val;
	p->threads = sig->nr_threads;
	p->exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : t->exit_code;
	level = BPF_CORE_READ(pid, level) & 31;	/* MAX_PID_NS_LEVEL is 32 */
	/* a variable index would use the size of our abridged struct upid, not the kernel's */
	bpf_core_read(&own.nr, sizeof(own.nr), (void *)(pid_at + bpf_core_field_offset(pid->numbers) +
		      level * bpf_core_type_size(struct upid)));
	p->ns_pid = own.nr;
}

/*
 * The current wait of a thread for a CPU, which the kernel accounts only when it is over.
 * Both times are on the scheduler's clock; "now" is when this pass got its CPU. Only for
 * runnable threads: since 6.12 a task that fell asleep may stay in its runqueue for a while
 * (delayed dequeue), and if it is migrated meanwhile last_queued stays set.
 */
static __always_inline u64 still_queued_ns(struct task_struct *t)
{
	u64 queued = t->sched_info.last_queued;
	u64 now = bpf_get_current_task_btf()->sched_info.last_arrival;

	/* the kernel clears last_queued when the task gets its CPU */
	return queued && now > queued ? now - queued : 0;
}
