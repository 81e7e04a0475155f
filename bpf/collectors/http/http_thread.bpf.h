/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_thread.bpf.h: cumulative off-CPU times of threads that move HTTP; the reader subtracts. */
#pragma once

struct http_thread {
	u64 off_ns;		/* time off CPU since it first moved HTTP */
	u64 since_ns;		/* CLOCK_BOOTTIME when it left the CPU; 0: it is running */
	u64 came_ns;		/* CLOCK_BOOTTIME when it was last seen coming back */
	s64 clock_ns;		/* CLOCK_BOOTTIME minus the scheduler's clock; 0: unknown */
	u64 is_noted;		/* note_thread() was called */
	u64 left_ns;		/* when it first left the CPU within a sending call; 0: it did not */
	u32 left_fd;		/* the descriptor of that call */
	u32 is_counted;		/* in may_move */
	u64 reported_ns;	/* end of the last emitted call */
	u64 run_delay_ns, runq_ns;	/* cache: the scheduler's run_delay, and its corrected value */
};

TASK_STORAGE(http_threads, struct http_thread);

/*
 * A filter: the number of threads that move HTTP, by the low bits of their tids. Most switches have no such thread,
 * which this shows for a tenth of the cost of a storage lookup. Counts saturate at 255. Not atomic: two threads that
 * begin or end at the same instant may count as one; a thread that is missed is counted again with its next transfer.
 */
#define THREAD_BYTES (1 << 15)
#define MANY_THREADS 255
u8 may_move[THREAD_BYTES];

static __always_inline void thread_moves(struct http_thread *th, struct task_struct *t)
{
	u8 *n = &may_move[t->pid & (THREAD_BYTES - 1)];

	if (th->is_counted && *n)
		return;
	if (*n < MANY_THREADS)
		++*n;
	th->is_counted = 1;
}

/* At its last switch. */
static __always_inline void thread_ends(struct http_thread *th, struct task_struct *t)
{
	u8 *n = &may_move[t->pid & (THREAD_BYTES - 1)];

	if (th->is_counted && *n && *n < MANY_THREADS)
		--*n;
	th->is_counted = 0;
}

const volatile u64 jiffy_ns;

/*
 * Some switches are not reported (6.18: several in 10,000): the scheduler's clock, with its offset
 * measured at reported switches, says when the thread came back.
 */
static __always_inline void came_back_missed(struct http_thread *th, u64 arrived_ns, u64 now_ns)
{
	u64 came_ns = arrived_ns + th->clock_ns;

	if (th->clock_ns && came_ns > th->since_ns && came_ns <= now_ns)
		th->off_ns += came_ns - th->since_ns;
	th->since_ns = th->came_ns = 0;
}

/* Marks the thread for the profiler, which reports what such threads wait for. */
static __always_inline void note_thread(struct http_thread *th, struct task_struct *t)
{
	struct task_state *s = task_state(t);

	if (!s)
		return;
	s->for_http = MOVES_HTTP;
	th->is_noted = 1;
}

/* The current task is fetched twice: keeping it across the lookup would overflow the stack. */
static __always_inline u64 own_run_delay_ns(void)
{
	struct task_state *s = NULL;

	if (bpf_core_field_exists(((struct task_struct *)0)->se.sched_delayed))
		s = task_state(bpf_get_current_task_btf());
	return run_delay_ns(bpf_get_current_task_btf(), s, 0);
}

/* The correction only changes with run_delay, so the result is cached. */
static __always_inline u64 own_runq_ns(struct http_thread *th, struct task_struct *t)
{
	u64 ns = t->sched_info.run_delay;

	if (ns != th->run_delay_ns) {
		th->runq_ns = own_run_delay_ns();
		th->run_delay_ns = ns;
	}
	return th->runq_ns;
}

/* The current thread, with its off-CPU times until now. NULL: no storage. */
static __always_inline struct http_thread *thread_until_now(u64 *ret_off_ns, u64 *ret_runq_ns)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct http_thread *th;

	th = bpf_task_storage_get(&http_threads, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!th)
		return NULL;
	thread_moves(th, t);
	if (!th->is_noted)
		note_thread(th, t);
	if (th->since_ns)
		came_back_missed(th, t->sched_info.last_arrival, bpf_ktime_get_boot_ns());
	*ret_off_ns = th->off_ns;
	*ret_runq_ns = own_runq_ns(th, t);
	return th;
}

#define SAME_CALL_NS 2000	/* a switch so soon after the emission belongs to the end of the same call */

/*
 * Estimates when the call that sent until end_ns began; a program at its entry would cost more than all the rest.
 * It is when the thread left the CPU within that call, if it did; else when TCP sent the data (sent_ns), a few us
 * after the entry, unless that was in an earlier call, as when TCP waits for more data.
 */
static __always_inline u64 sent_since(struct http_thread *th, u32 fd, u64 sent_ns, u64 end_ns)
{
	u64 left_ns = th->left_ns;

	th->left_ns = 0;
	if (left_ns && th->left_fd == fd && left_ns > th->reported_ns + SAME_CALL_NS)
		return left_ns;
	return sent_ns > th->reported_ns && sent_ns > th->came_ns && sent_ns < end_ns ? sent_ns : end_ns;
}

/* Is it within a system call, not on the way out? The result of the call replaces the entry value of a register. */
static __always_inline bool is_within(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (s64)regs->ax == -38;	/* -ENOSYS: arch/x86/entry/entry_64.S */
#elif defined(__TARGET_ARCH_arm64)
	return regs->user_regs.regs[0] == regs->orig_x0;
#endif
}

static __always_inline void note_left(struct http_thread *th, struct task_struct *t, u64 now_ns)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	enum call call;

	if (!is_within(regs))
		return;
	call = call_of(t, regs);
	if (call != WRITE && call != WRITEV && call != SENDTO && call != SENDMSG && call != SENDMMSG)
		return;
	th->left_ns = now_ns;
	th->left_fd = fd_of(t, regs);
}

static __always_inline void thread_leaves(struct http_thread *th, u64 arrived_ns, u64 now_ns)
{
	if (th->since_ns)
		came_back_missed(th, arrived_ns, now_ns);
	else if (th->came_ns)
		th->clock_ns = th->came_ns - arrived_ns;
	th->since_ns = now_ns;
}

/* NULL: it has moved no HTTP. Idle threads (tid 0) never do. */
static __always_inline struct http_thread *thread_switched(struct task_struct *t)
{
	return may_move[t->pid & (THREAD_BYTES - 1)] ? bpf_task_storage_get(&http_threads, t, 0, 0) : NULL;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct http_thread *th;
	u64 now = 0;

	th = thread_switched(prev);
	if (th) {
		now = bpf_ktime_get_boot_ns();
		thread_leaves(th, prev->sched_info.last_arrival, now);
		if (!th->left_ns)
			note_left(th, prev, now);
		if (prev->__state & TASK_DEAD)
			thread_ends(th, prev);
	}
	th = thread_switched(next);
	if (!th || !th->since_ns)
		return 0;
	th->came_ns = now ?: bpf_ktime_get_boot_ns();
	th->off_ns += th->came_ns - th->since_ns;
	th->since_ns = 0;
	return 0;
}

u64 clocks_at_ns, clocks_apart_ns;	/* last reading of both clocks; CLOCK_BOOTTIME minus CLOCK_MONOTONIC */

/* The offset is read once a second, as clock reads are expensive. Stale only after a suspend of under a second. */
static __always_inline u64 monotonic_of(u64 boot_ns)
{
	u64 mono;

	if (boot_ns - clocks_at_ns > 1000000000) {
		mono = bpf_ktime_get_ns();
		clocks_apart_ns = bpf_ktime_get_boot_ns() - mono;
		clocks_at_ns = boot_ns;
	}
	return boot_ns - clocks_apart_ns;
}

/* Times in us, except `data`, which is in jiffies. */
static __always_inline u32 waited_us(u64 packet, u64 now, u32 data)
{
	u32 jiffies = (u32)bpf_jiffies64() - data;
	u64 us = packet && packet < now ? now - packet : 0, whole = jiffies > 1 ? (jiffies - 1) * jiffy_ns / 1000 : 0;
	u64 most = ((u64)jiffies + 1) * jiffy_ns / 1000;

	if (jiffies >> 31)
		return HTTP_UNKNOWN_US;
	us = us > most ? most : us > whole ? us : whole;
	return us < HTTP_UNKNOWN_US ? us : HTTP_UNKNOWN_US;
}

/*
 * How long the data that is read now was in the socket, at least, in us: since the last packet, or the
 * last one with data, of which only the jiffy is known (include/net/tcp.h: tcp_mstamp, tcp_jiffies32).
 * tcp: sk with a type that the verifier knows, or NULL.
 */
static __always_inline u32 unread_us(struct sock *sk, struct tcp_sock *tcp, u64 boot_ns)
{
	u64 packet, now = monotonic_of(boot_ns) / 1000;
	u32 data;

	if (tcp) {
		packet = tcp->tcp_mstamp;
		data = ((struct inet_connection_sock *)tcp)->icsk_ack.lrcvtime;
	} else {
		packet = BPF_CORE_READ((struct tcp_sock *)sk, tcp_mstamp);
		data = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ack.lrcvtime);
	}
	return waited_us(packet, now, data);
}

/* CLOCK_BOOTTIME of TCP's last transmission (net/ipv4/tcp_output.c). */
static __always_inline u64 sent_at_ns(struct sock *sk, const struct tcp_sock *tcp, u64 now_ns)
{
	u64 mono = tcp ? tcp->tcp_wstamp_ns : BPF_CORE_READ((struct tcp_sock *)sk, tcp_wstamp_ns);

	return mono + (now_ns - monotonic_of(now_ns));
}
