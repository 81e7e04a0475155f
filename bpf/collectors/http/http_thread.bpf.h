/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_thread.bpf.h: how long threads that move HTTP were off the CPU. The reader
 * subtracts what is told with a request from what is told with its answer.
 */
#ifndef OTTOP_HTTP_THREAD_BPF_H
#define OTTOP_HTTP_THREAD_BPF_H

struct http_thread {
	u64 off_ns;		/* not on a CPU, since it moved HTTP for the first time */
	u64 since_ns;		/* CLOCK_BOOTTIME: it left the CPU then; 0: it is on one */
	u64 came_ns;		/* CLOCK_BOOTTIME: it came back then, as was seen */
	s64 clock_ns;		/* what CLOCK_BOOTTIME is ahead of the scheduler's clock; 0: not known */
	u64 is_noted;		/* others know that it moves HTTP */
	u64 sending;		/* the cookie of the socket that its call sends on, and since when; 0: it does not */
	u64 send_ns;
	u64 run_delay_ns, runq_ns;	/* of the last time: as the scheduler has it, and what of it was one */
};

TASK_STORAGE(http_threads, struct http_thread);
bool threads_on;		/* there was such a thread: till then no switch looks for one */

const volatile u64 tick_ns;	/* of the kernel's jiffies */

/*
 * Of some switches the kernel does not tell (6.18: several in 10,000). The scheduler has noted when
 * the thread came back, by a clock of its own: what that is here is known from switches that were told.
 */
static __always_inline void came_back_untold(struct http_thread *th, u64 arrived_ns, u64 now_ns)
{
	u64 came_ns = arrived_ns + th->clock_ns;

	if (th->clock_ns && came_ns > th->since_ns && came_ns <= now_ns)
		th->off_ns += came_ns - th->since_ns;
	th->since_ns = th->came_ns = 0;
}

/* For the profiler, which tells by what those threads are blocked. */
static __always_inline void note_thread(struct http_thread *th, struct task_struct *t)
{
	struct task_state *s = task_state(t);

	if (!s)
		return;
	s->for_http = MOVES_HTTP;
	th->is_noted = 1;
}

/* The task is asked for twice: kept over the look-up it would take room on a stack that has none. */
static __always_inline u64 own_run_delay_ns(void)
{
	struct task_state *s = NULL;

	if (bpf_core_field_exists(((struct task_struct *)0)->se.sched_delayed))
		s = task_state(bpf_get_current_task_btf());
	return run_delay_ns(bpf_get_current_task_btf(), s, 0);
}

/* What is wrong of it changes only with it. */
static __always_inline u64 own_runq_ns(struct http_thread *th, struct task_struct *t)
{
	u64 ns = t->sched_info.run_delay;

	if (ns != th->run_delay_ns) {
		th->runq_ns = own_run_delay_ns();
		th->run_delay_ns = ns;
	}
	return th->runq_ns;
}

/* What the current thread was until now. NULL: nobody knows. */
static __always_inline struct http_thread *thread_until_now(u64 *ret_off_ns, u64 *ret_runq_ns)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct http_thread *th;

	if (!threads_on)
		threads_on = true;
	th = bpf_task_storage_get(&http_threads, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!th)
		return NULL;
	if (!th->is_noted)
		note_thread(th, t);
	if (th->since_ns)
		came_back_untold(th, t->sched_info.last_arrival, bpf_ktime_get_boot_ns());
	*ret_off_ns = th->off_ns;
	*ret_runq_ns = own_runq_ns(th, t);
	return th;
}

/*
 * Where the kernel tells when it takes what a call sends (6.16): since then, which may be long before
 * the call returns. 0: not known, as of the first call of a thread.
 */
static __always_inline u64 sent_since(struct http_thread *th, u64 key)
{
	if (!th || !key || th->sending != key)
		return 0;
	th->sending = 0;
	return th->send_ns;
}

static __always_inline void forget_sending(u64 key)
{
	if (sends_told)
		sent_since(bpf_task_storage_get(&http_threads, bpf_get_current_task_btf(), 0, 0), key);
}

static __always_inline void thread_leaves(struct http_thread *th, u64 arrived_ns, u64 now_ns)
{
	if (th->since_ns)
		came_back_untold(th, arrived_ns, now_ns);
	else if (th->came_ns)
		th->clock_ns = th->came_ns - arrived_ns;
	th->since_ns = now_ns;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct http_thread *th;
	u64 now = 0;

	if (!threads_on)
		return 0;
	th = prev->pid ? bpf_task_storage_get(&http_threads, prev, 0, 0) : NULL;
	if (th) {
		now = bpf_ktime_get_boot_ns();
		thread_leaves(th, prev->sched_info.last_arrival, now);
	}
	th = next->pid ? bpf_task_storage_get(&http_threads, next, 0, 0) : NULL;
	if (!th || !th->since_ns)
		return 0;
	th->came_ns = now ?: bpf_ktime_get_boot_ns();
	th->off_ns += th->came_ns - th->since_ns;
	th->since_ns = 0;
	return 0;
}

u64 clocks_at_ns, clocks_apart_ns;	/* when both were read last, and what CLOCK_BOOTTIME was ahead then */

/* Reading a clock costs more than what is done with it: once a second. Never late, but after a suspend of less. */
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

/* Times in us, but `data`, which is in jiffies. */
static __always_inline u32 waited_us(u64 packet, u64 now, u32 data)
{
	u32 jiffies = (u32)bpf_jiffies64() - data;
	u64 us = packet && packet < now ? now - packet : 0, whole = jiffies > 1 ? (jiffies - 1) * tick_ns / 1000 : 0;
	u64 most = ((u64)jiffies + 1) * tick_ns / 1000;

	if (jiffies >> 31)
		return HTTP_UNKNOWN_US;
	us = us > most ? most : us > whole ? us : whole;
	return us < HTTP_UNKNOWN_US ? us : HTTP_UNKNOWN_US;
}

/*
 * For how long what is read now was in the socket, at least, in us: since the last packet, or the
 * last one with data, of which only the jiffy is known (include/net/tcp.h: tcp_mstamp, tcp_jiffies32).
 */
static __always_inline u32 unread_us(struct sock *sk, u64 boot_ns, bool traced)
{
	struct tcp_sock *tcp = traced ? bpf_skc_to_tcp_sock(sk) : NULL;
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

#endif
