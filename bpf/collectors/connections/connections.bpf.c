// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * connections.bpf.c: the life of TCP connections. Their state is in connections_kept.bpf.h, the
 * iterators that read the open ones are in connections_open.bpf.h.
 *
 * Nothing runs when data moves. A connection has an entry from SYN to end, keyed by
 * cookie, in `young` or in `conns`; its end is sent to user space with the socket's
 * final counters, so that a connection of 2 ms has them too.
 */
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/collectors/connections/connections_kept.bpf.h"
#include "bpf/collectors/connections/connections_open.bpf.h"
#include "bpf/collectors/connections/connections_short.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

u64 lost_ring;
u64 n_ends;

RING(ends, CONN_RING_BYTES);

/* ---- life ---- */

/* connect(), in its caller's context. used_before: a reused socket already has its cookie. */
static __always_inline int begin(struct sock *sk, u64 cookie, bool used_before)
{
	struct conn_state s = { .begun_ns = bpf_ktime_get_boot_ns(), .flags = WS_OPENED };

	if (used_before) {
		s.generation = next_generation(sk);
		forget(cookie);		/* a counted one (WS_COUNTED) stays until its socket is destroyed */
	}
	fill_current(&s.owner);
	return remember(sk, cookie, &s);
}

static __always_inline bool is_open(u64 cookie)
{
	struct conn_state *s = find(cookie);

	return s && s->open_ns;
}

static __always_inline int established(struct sock *sk, u64 cookie, int old)
{
	struct conn_state fresh = {}, *s = NULL;

	fresh.open_ns = bpf_ktime_get_boot_ns();
	if (old == TCPS_SYN_SENT)
		s = find(cookie);
	if (s) {
		s->open_ns = fresh.open_ns;
		s = moved(cookie, s);
		if (s)
			s->open_ns = fresh.open_ns;
		return 0;
	}
	fresh.flags = old == TCPS_SYN_SENT ? WS_OPENED : WS_ACCEPTED;
	fresh.generation = generation_of(sk);
	if (old != TCPS_SYN_SENT)
		fresh.begun_ns = fresh.open_ns;
	return remember(sk, cookie, &fresh);
}

/* Our own pass over files may hold the last reference: the socket then closes in its context. */
static __always_inline bool only_looked(void)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return !(t->flags & (PF_KTHREAD | PF_EXITING)) && in_read(t);
}

/* close() or shutdown(): the caller uses the socket, and may be the first known user. */
static __always_inline int closing(struct sock *sk, u64 cookie)
{
	struct conn_state *s = find(cookie), fresh = { .flags = WS_CLOSES };

	if (s)
		mark(s, WS_CLOSES);
	if ((s && s->owner.tgid == bpf_get_current_task_btf()->tgid) || only_looked())
		return 0;
	if (!s) {
		fresh.generation = generation_of(sk);
		fill_current(&fresh.owner);
		return remember(sk, cookie, &fresh);
	}
	fill_current(&s->owner);
	s = moved(cookie, s);
	if (s) {
		mark(s, WS_CLOSES);
		fill_current(&s->owner);
	}
	return 0;
}

/* Wakes the reader once, when a quarter is full; it looks every 100 ms anyway. */
static __always_inline u64 ring_flags(void)
{
	u64 full = bpf_ringbuf_query(&ends, BPF_RB_AVAIL_DATA) - CONN_RING_BYTES / 4;

	return full < 2 * sizeof(struct wire_end) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* True for a close() that sends a reset: everything else that resets sets an error. */
static __always_inline bool is_abort(int old, int err)
{
	return !err && (old == TCPS_ESTABLISHED || old == TCPS_CLOSE_WAIT || old == TCPS_SYN_SENT);
}

/* Emits the end. True: the owner is unknown now, but will be reported: see emit_owner(). */
static __always_inline bool end(struct sock *sk, u64 cookie, int old, struct conn_state *s)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	bool later;
	struct wire_end *e;

	if (!tp)
		return false;
	e = ring_zeroed(&ends, sizeof(*e), &lost_ring);
	if (!e)
		return false;
	e->time_ns = bpf_ktime_get_boot_ns();
	e->err = sk->sk_err;
	e->sock.cookie = cookie;
	e->sock.proto = IPPROTO_TCP;
	e->sock.state = old;
	if (fill_ends_tcp(&e->sock.ends, sk, tp))
		e->sock.flags |= WS_V6;
	/* if its last state changes were missed, a FIN may have been sent nevertheless */
	fill_tcp(&e->sock, sk, tp, old == TCPS_CLOSE && s && s->flags & WS_CLOSES ? TCPS_LAST_ACK : old);
	if (s) {
		fill_state(&e->sock, s);
		e->sock.owner = s->owner;
	} else {
		e->sock.generation = generation_of(sk);
	}
	if (!e->sock.owner.tgid && is_abort(old, e->err) && !only_looked())
		fill_current(&e->sock.owner);
	later = s && s->flags & WS_ACCEPTED && old != TCPS_CLOSE && !e->sock.owner.tgid;
	if (later)
		e->sock.flags |= WS_OWNER_LATER;
	bpf_ringbuf_submit(e, ring_flags());
	__sync_fetch_and_add(&n_ends, 1);
	return later;
}

/* Keeps the entry of an ended connection until emit_owner(), or until user space drops it. */
static __always_inline void keep_ended(u64 cookie, struct conn_state *s)
{
	mark(s, WS_OWNER_LATER);
	s = moved(cookie, s);
	if (s)
		mark(s, WS_OWNER_LATER);
}

/*
 * A connection that the peer reset before it had an owner is closed now: by its process, if
 * the socket lock is held for a task; else by the kernel, as it was never accepted.
 */
static __always_inline void emit_owner(struct sock *sk, u64 cookie)
{
	struct wire_end *e = ring_zeroed(&ends, sizeof(*e), &lost_ring);

	if (!e)	/* user space times out: only the owner is lost */
		return;
	e->sock.cookie = cookie;
	e->sock.flags = WS_LATE_OWNER;
	if (sk->sk_lock.owned && !only_looked())
		fill_current(&e->sock.owner);
	bpf_ringbuf_submit(e, ring_flags());
}

#define OBSERVED_STATES (1 << TCPS_SYN_SENT | 1 << TCPS_ESTABLISHED | 1 << TCPS_FIN_WAIT1 | \
			  1 << TCPS_LAST_ACK | 1 << TCPS_CLOSE)

/* Called before the state changes. again: the second program, which may find all done. */
static __always_inline int state_changes(struct sock *sk, int old, int new, bool again)
{
	struct conn_state *s;
	u64 cookie;
	bool used_before;

	if (!(1 << new & OBSERVED_STATES) || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new == TCPS_CLOSE && (old == TCPS_LISTEN || old == TCPS_CLOSE))
		return 0;
	cookie = sk->__sk_common.skc_cookie.counter;
	used_before = cookie != 0;
	cookie = cookie ?: bpf_get_socket_cookie(sk);
	if (new == TCPS_SYN_SENT)
		return again && find(cookie) ? 0 : begin(sk, cookie, used_before);
	if (new == TCPS_ESTABLISHED)
		return again && is_open(cookie) ? 0 : established(sk, cookie, old);
	if (new != TCPS_CLOSE)
		return closing(sk, cookie);
	s = find(cookie);
	if (again && (!s || s->flags & (WS_OWNER_LATER | WS_COUNTED)))
		return 0;
	if (s && count_short(sk, old, s))
		return 0;
	if (end(sk, cookie, old, s))
		keep_ended(cookie, s);
	else if (s)
		forget(cookie);
	return 0;
}

/* include/net/inet_sock.h */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
	return state_changes(sk, old, new, false);
}

/* For kernels that preempt programs and then miss events on that CPU: probes_preemptible(). */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state_again, struct sock *sk, int old, int new)
{
	return state_changes(sk, old, new, true);
}

/* Handles ends that on_state missed by recursion, and reports owners that it could not know. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	u64 cookie = sk->__sk_common.skc_cookie.counter;
	struct conn_state *s;

	if (!cookie)
		return 0;
	s = find(cookie);
	if (!s)
		return 0;
	if (s->flags & WS_OWNER_LATER)
		emit_owner(sk, cookie);
	else if (!(s->flags & WS_COUNTED))
		end(sk, cookie, TCPS_CLOSE, s);
	forget(cookie);
	return 0;
}
