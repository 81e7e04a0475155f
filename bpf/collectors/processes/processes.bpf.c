// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * processes.bpf.c: a task iterator that is run once a tick, the life of
 * processes (fork, exec, exit, OOM kill) as events, and time in
 * uninterruptible sleep from sched_switch.
 */
#include "bpf/kernel/calls.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/collectors/processes/processes.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

u64 lost_ring, lost_dead, lost_storage;	/* events lost, by cause */
u32 call_generation;		/* of the latency measurement that is on; 0: off */

RING(events, 1 << 19);

struct scratch {
	struct wire_event e;
	char args[ARGS_MAX];
};

PERCPU_ARRAY(scratches, 1, struct scratch);

/* ---- the task iterator ---- */

#define MAX_SUM_CPUS 16
/*
 * Kernel address of __per_cpu_offset[]: where each CPU's copy of a per-CPU variable
 * is. 0: not known (yet). Not a __ksym: for those libbpf reads all of kallsyms
 * before the first frame.
 */
u64 per_cpu_offsets;
const volatile u32 sum_cpus;	/* CPUs to add up; 0: too many */
bool rss_is_exact;		/* or may user space ask /proc for the rest? */

/*
 * Since 6.2 the counters are per-CPU with a common part that lags behind by up
 * to 32 pages a CPU (lib/percpu_counter.c), which matters for small processes.
 */
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
	/* a field, not the type: looking for a type that is nowhere needs CAP_SYS_ADMIN */
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

/*
 * The letter of /proc/PID/stat: fs/proc/array.c, task_state_array, and the index of
 * include/linux/sched.h, __task_state_index(): the highest of the reported bits. A task
 * that a freezer has stopped is D there since 6.6 (R before, which it is not).
 */
static __always_inline char state_letter(struct task_struct *t)
{
	u32 state = t->__state, exit_state = t->exit_state;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return 'D';
	state |= exit_state;
	if (state & TASK_PARKED)
		return 'P';
	if (state & EXIT_ZOMBIE)
		return 'Z';
	if (state & EXIT_DEAD)
		return 'X';
	if (state & TASK_TRACED_BIT)
		return 't';
	if (state & TASK_STOPPED_BIT)
		return 'T';
	if (state & TASK_UNINTERRUPTIBLE)
		return 'D';
	return state & TASK_INTERRUPTIBLE ? 'S' : 'R';
}

static __always_inline bool is_blocked_state(u32 state)
{
	return (state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) == TASK_UNINTERRUPTIBLE;
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
	/* once: the call may return meanwhile, and its age would be that of the machine */
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
	/* it has been off the CPU at least since it last got one; both on the scheduler's clock */
	if (me->sched_info.last_arrival > arrived)
		w->call_age_ns = me->sched_info.last_arrival - arrived;
}

#define MAX_ENDED_THREADS 16	/* that are passed over: they leave the list by themselves */

/*
 * Of a process whose first thread has ended (pthread_exit() in main) memory, cgroup and what
 * /proc has are those of its other threads: the first of them that lives.
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
	/* read as a number: 6.1's verifier allows no arithmetic with what it knows to be a pointer */
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
	/* a variable index would step by the size of our short declaration, not the kernel's */
	bpf_core_read(&own.nr, sizeof(own.nr), (void *)(pid_at + bpf_core_field_offset(pid->numbers) +
		      level * bpf_core_type_size(struct upid)));
	p->ns_pid = own.nr;
}

/*
 * A thread that waits for a CPU right now: the kernel adds a wait up when it is
 * over. Both times are the scheduler's; ours is when this pass got its CPU. Only of
 * one that can run: since 6.12 a task that fell asleep may stay in its queue for a while
 * (delayed dequeue), and when it is moved to another CPU meanwhile last_queued stays set.
 */
static __always_inline u64 still_queued_ns(struct task_struct *t)
{
	u64 queued = t->sched_info.last_queued;
	u64 now = bpf_get_current_task_btf()->sched_info.last_arrival;

	/* the kernel clears last_queued when the task gets its CPU */
	return queued && now > queued ? now - queued : 0;
}

SEC("iter/task")
int tasks_iter(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct wire_process p = {};
	struct wire_thread w = {};
	struct task_state *s;
	u64 since;

	if (!t)
		return 0;
	s = task_state_make(t);
	w.tid = t->pid;
	w.tgid = t->tgid;
	w.start_ns = t->start_boottime;
	w.process_start_ns = t->group_leader->start_boottime;
	w.runtime_ns = t->se.sum_exec_runtime;
	w.utime_ns = t->utime;
	w.stime_ns = t->stime;
	w.read_bytes = t->ioac.read_bytes;
	w.write_bytes = t->ioac.write_bytes;
	w.arrived_ns = t->sched_info.last_arrival;
	w.cpu = task_cpu(t);
	w.state = state_letter(t);
	w.runq_ns = run_delay_ns(t, s, w.state == 'R' ? still_queued_ns(t) : 0);
	w.kthread = !!(t->flags & PF_KTHREAD);
	w.frozen = !!(t->__state & TASK_FROZEN);
	w.leader = w.tid == w.tgid;
	bpf_core_read_str(w.comm, sizeof(w.comm), &t->comm);
	if (s) {
		w.calls = s->calls;
		w.blocked_ns = s->blocked_ns;
		/* a wake-up that overtook its switch leaves a mark behind; what a freezer stopped is D, too */
		since = s->blocked_since_ns;
		if (since && is_blocked_state(t->__state))
			w.blocked_ns += bpf_ktime_get_ns() - since;
	}
	fill_call(&w, t, s);
	bpf_seq_write(seq, &w, sizeof(w));
	if (w.leader) {
		fill_process(&p, t, s);
		bpf_seq_write(seq, &p, sizeof(p));
	}
	return 0;
}

/* ---- blocked time ---- */

/* The last switch of a main thread: only now is all its CPU time added up. */
static __always_inline void report_dead(struct task_struct *t)
{
	struct wire_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&lost_dead, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->kind = WIRE_DEAD;
	e->pid = t->tgid;
	e->start_ns = t->start_boottime;
	e->runtime_ns = t->se.sum_exec_runtime;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_state *s;

	if ((prev->__state & TASK_DEAD) && prev->pid == prev->tgid)
		report_dead(prev);
	if (preempt || !is_blocked_state(prev->__state))
		return 0;
	s = task_state(prev);
	if (s)
		s->blocked_since_ns = bpf_ktime_get_ns();
	return 0;
}

/* What t slept since it was moved: the scheduler takes it for a wait. */
static __always_inline void count_false_runq(struct task_state *s, struct task_struct *t)
{
	/* where it ran since, its wake-up was not seen */
	if (s->moved_ns && s->moved_arrived_ns == t->sched_info.last_arrival)
		s->false_runq_ns += bpf_ktime_get_ns() - s->moved_ns;
	s->moved_ns = 0;
}

/* See run_delay_ns(). Of those that are asleep in a queue only: of others the wait is one. */
SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct *t, int cpu)
{
	struct task_state *s;

	if (!bpf_core_field_exists(t->se.sched_delayed) || !t->se.sched_delayed)
		return 0;
	s = task_state(t);
	if (!s)
		return 0;
	count_false_runq(s, t);	/* moved for the second time */
	s->moved_ns = bpf_ktime_get_ns();
	s->moved_arrived_ns = t->sched_info.last_arrival;
	return 0;
}

/*
 * The end is the wake-up, not the next switch: from then on it waits for a CPU. Who sleeps and
 * is in no queue has no last_queued, but where it was moved while it was in one.
 */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *t)
{
	bool blocked = is_blocked_state(t->__state), queued = t->sched_info.last_queued;
	struct task_state *s = blocked || queued ? task_state(t) : NULL;

	if (!s)
		return 0;
	if (queued)
		count_false_runq(s, t);
	if (blocked && s->blocked_since_ns) {
		s->blocked_ns += bpf_ktime_get_ns() - s->blocked_since_ns;
		s->blocked_since_ns = 0;
	}
	return 0;
}

/* ---- life ---- */

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

	if (!s && !again)
		__sync_fetch_and_add(&lost_storage, 1);
	if (child->pid != child->tgid || (s ? s->fork_told : again))
		return 0;
	if (s)
		s->fork_told = 1;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost_ring, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
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
 * The same once more, where a program that is preempted is skipped for others on
 * its CPU (probes_preemptible()): the classic tracepoint does not have the child.
 * A fork is lost only where both are held.
 */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(on_fork_again, struct task_struct *parent, struct task_struct *child)
{
	return forked(parent, child, true);
}

/*
 * When a thread that is not the leader calls execve, the kernel ends the old
 * leader and gives its pid to that thread (fs/exec.c, de_thread()); the old
 * leader's storage goes with it. What it had counted waits here for the exec.
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

	if (old_pid != t->pid)
		take_handover(t);
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

/* Two ways to the same place: see probes_prefer_classic() in bpf/kernel/probes.h. */
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

/* A thread that leaves adds itself up in its leader's entry; the leader keeps its own. */
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

/*
 * The larger of two sums: signal_struct has the threads that were released,
 * also before ottop came; our entry has those that are just leaving too.
 */
static __always_inline void fill_exit(struct wire_event *e, struct task_struct *t,
				      struct task_struct *leader, struct task_state *ls)
{
	struct signal_struct *sig = t->signal;
	u64 peak = sig->maxrss;	/* pages; set when the last thread gives up its memory */

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
		e->calls = ls->calls + ls->dead_calls;
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

	if (t->pid != t->tgid && ls) {
		add_dead_thread(t, s, ls);
	} else if (ls && exec_ends_leader(t)) {
		u32 tgid = t->tgid;

		add_dead_thread(t, s, ls);
		bpf_map_update_elem(&handovers, &tgid, ls, 0);
		/* it can still be met: a pass adds its own numbers to those of the dead */
		__sync_fetch_and_sub(&ls->dead_calls, ls->calls);
		__sync_fetch_and_sub(&ls->dead_blocked_ns, ls->blocked_ns);
		__sync_fetch_and_sub(&ls->dead_runq_ns, run_delay_ns(t, ls, 0));
		return 0;
	}
	/*
	 * The last thread reports. Two that leave at once may both see 0: then
	 * one of the two reports has everything, and user space takes the maxima.
	 */
	if (t->signal->live.counter)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost_ring, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
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

/*
 * include/trace/events/oom.h: the argument is a pid, or since 6.10 the task. No
 * pid reaches 2^22 (PID_MAX_LIMIT), no kernel address is below it.
 */
SEC("raw_tp/mark_victim")
int on_oom(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];
	struct wire_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&lost_ring, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->kind = WIRE_OOM;
	e->pid = ctx->args[0] > 1 << 22 ? (u32)BPF_CORE_READ(t, tgid) : (u32)ctx->args[0];
	e->time_ns = bpf_ktime_get_boot_ns();
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}
