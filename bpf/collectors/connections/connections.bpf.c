// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * connections.bpf.c: the life of TCP connections, and the iterators that read
 * what the open ones have counted.
 *
 * Nothing runs when data moves. A connection has an entry from its SYN to its
 * end, found by its cookie, in `young` or in `conns`; the end goes to user space
 * with the socket's own final counters, so that what lived 2 ms has them too.
 */
#include "bpf/kernel/net.bpf.h"
#include "bpf/collectors/connections/connections.h"
#include "bpf/kernel/served.bpf.h"
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/collectors/connections/connections_short.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

u64 lost_ring, lost_conns;
u64 n_ends;

struct conn_slot young[YOUNG_SLOTS] __attribute__((aligned(64)));
u32 spilled[YOUNG_SLOTS];	/* how many whose place it would be are in `conns` */
u64 young_sk[YOUNG_SLOTS];	/* the sockets, for read_asked() */
struct sock_ref crowded[CROWDED_MAX];	/* the last ones that went to `conns` at once */
u32 n_crowded;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct conn_state);
} conns SEC(".maps");

SERVE_MAP(serve_conns, conns, u64, struct conn_state)

/* How often a socket connected that had been used before; most sockets do so once, and have none. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} generations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CONN_RING_BYTES);
} ends SEC(".maps");

/* ---- counters ---- */

/* WS_FIN_*; state: of the socket now. include/net/tcp.h: SYN and FIN take one number each. */
static __always_inline u32 fin_flags(int state, u32 una, u32 nxt, u32 end)
{
	if (state != TCPS_FIN_WAIT1 && state != TCPS_FIN_WAIT2 && state != TCPS_CLOSING &&
	    state != TCPS_LAST_ACK)
		return 0;
	return WS_FIN_SENT | (una == end ? WS_FIN_ACKED : nxt == end ? WS_FIN_IN_FLIGHT : 0);
}

static __always_inline void fill_tcp(struct wire_sock *w, struct sock *sk, int state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	u32 una, nxt;

	if (!tp)
		return;
	una = tp->snd_una;
	nxt = tp->snd_nxt;
	w->in_flight = nxt - una;
	w->flags |= fin_flags(state, una, nxt, tp->write_seq);
	if (sk->__sk_common.skc_flags >> SOCK_DONE & 1)
		w->flags |= WS_FIN_RECEIVED;
	w->bytes_received = tp->bytes_received;
	w->bytes_acked = tp->bytes_acked;
	w->bytes_sent = tp->bytes_sent;
	w->bytes_retrans = tp->bytes_retrans;
	w->segs_in = tp->segs_in;
	w->segs_out = tp->segs_out;
	w->retransmits = tp->total_retrans;
	w->srtt_8us = tp->srtt_us;
	w->rtt_min_us = tp->rtt_min.s[0].v;
	w->cwnd = tp->snd_cwnd;
	if (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		w->flags |= WS_MPTCP;
}

/* As fill_tcp(), of an address where the socket may not be any more. */
static __always_inline void read_tcp(struct wire_sock *w, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	u32 una = BPF_CORE_READ(tp, snd_una), nxt = BPF_CORE_READ(tp, snd_nxt);

	w->in_flight = nxt - una;
	w->flags |= fin_flags(w->state, una, nxt, BPF_CORE_READ(tp, write_seq));
	if (BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1)
		w->flags |= WS_FIN_RECEIVED;
	w->bytes_received = BPF_CORE_READ(tp, bytes_received);
	w->bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	w->bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	w->bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	w->segs_in = BPF_CORE_READ(tp, segs_in);
	w->segs_out = BPF_CORE_READ(tp, segs_out);
	w->retransmits = BPF_CORE_READ(tp, total_retrans);
	w->srtt_8us = BPF_CORE_READ(tp, srtt_us);
	w->rtt_min_us = BPF_CORE_READ(tp, rtt_min.s[0].v);
	w->cwnd = BPF_CORE_READ(tp, snd_cwnd);
	if (bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp))
		w->flags |= WS_MPTCP;
}

static __always_inline void fill_state(struct wire_sock *w, const struct conn_state *s)
{
	w->begun_ns = s->begun_ns;
	w->open_ns = s->open_ns;
	w->generation = s->generation;
	w->flags |= s->flags;
}

/* ---- what is kept of a connection ---- */

static __always_inline u32 slot_of(u64 cookie)
{
	return cookie & (YOUNG_SLOTS - 1);
}

static __always_inline struct conn_state *find(u64 cookie)
{
	u32 at = slot_of(cookie);

	if (young[at].cookie == cookie)
		return &young[at].state;
	return spilled[at] ? bpf_map_lookup_elem(&conns, &cookie) : NULL;
}

static __always_inline void note_crowded(u64 cookie, struct sock *sk)
{
	u32 at = __sync_fetch_and_add(&n_crowded, 1) & (CROWDED_MAX - 1);

	crowded[at].cookie = cookie;
	crowded[at].sk = (u64)sk;
}

static __always_inline int remember(struct sock *sk, u64 cookie, const struct conn_state *s)
{
	u32 at = slot_of(cookie);
	bool is_new;

	if (young[at].cookie == cookie || !__sync_val_compare_and_swap(&young[at].cookie, 0, cookie)) {
		young[at].state = *s;
		young_sk[at] = (u64)sk;
		return 0;
	}
	is_new = !bpf_map_lookup_elem(&conns, &cookie);
	if (bpf_map_update_elem(&conns, &cookie, s, BPF_ANY))
		__sync_fetch_and_add(&lost_conns, 1);
	else if (is_new)
		__sync_fetch_and_add(&spilled[at], 1);
	note_crowded(cookie, sk);
	return 0;
}

static __always_inline void forget(u64 cookie)
{
	u32 at = slot_of(cookie);

	if (young[at].cookie == cookie) {
		young[at].state.begun_ns = 0;	/* nobody takes the next one for as old as this */
		if (__sync_val_compare_and_swap(&young[at].cookie, cookie, 0) == cookie)
			return;
	}
	if (spilled[at] && !bpf_map_delete_elem(&conns, &cookie))
		__sync_fetch_and_add(&spilled[at], -1);
}

/*
 * After a change: where the entry moved meanwhile, the change has to be made in
 * `conns` too, and this is the entry there; else NULL. The addition is a barrier: who
 * moves it either sees the change, or we see that it moved.
 */
static __always_inline struct conn_state *moved(u64 cookie, struct conn_state *s)
{
	u64 now_at;

	__sync_fetch_and_add(&s->writes, 1);
	now_at = young[slot_of(cookie)].cookie;
	return now_at == YOUNG_MOVED ? bpf_map_lookup_elem(&conns, &cookie) : NULL;
}

/* Others may set another flag meanwhile. Returns what they were before. */
static __always_inline u32 mark(struct conn_state *s, u32 flag)
{
	return __sync_fetch_and_or(&s->flags, flag);
}

/* ---- life ---- */

static __always_inline u32 generation_of(struct sock *sk)
{
	u32 *n = bpf_sk_storage_get(&generations, sk, 0, 0);

	return n ? *n : 0;
}

/* Its connection is another one than the last of this socket. */
static __always_inline u32 next_generation(struct sock *sk)
{
	u32 *n = bpf_sk_storage_get(&generations, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return n ? ++*n : 0;
}

/*
 * connect(): in the context of the process that calls it. It may do so again after it failed,
 * or after connect() to AF_UNSPEC: then the socket has its number (used_before) already.
 */
static __always_inline int begin(struct sock *sk, u64 cookie, bool used_before)
{
	struct conn_state s = { .begun_ns = bpf_ktime_get_boot_ns(), .flags = WS_OPENED };

	if (used_before) {
		s.generation = next_generation(sk);
		forget(cookie);		/* one that was counted is there until its socket is destroyed */
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

/*
 * Who goes through the files of others, as our own pass does, holds each of them for a
 * moment: if it is closed just then it ends here, in a read() of somebody who never used it.
 */
static __always_inline bool only_looked(void)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return !(t->flags & (PF_KTHREAD | PF_EXITING)) && in_read(t);
}

/* close() or shutdown(): by a process that uses it, and maybe the first that we hear of. */
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

/* True for a close that sends a reset: by close() itself, since nobody else sets no error. */
static __always_inline bool is_abort(int old, int err)
{
	return !err && (old == TCPS_ESTABLISHED || old == TCPS_CLOSE_WAIT || old == TCPS_SYN_SENT);
}

/* True when its owner is not known, but will be: see tell_owner(). */
static __always_inline bool end(struct sock *sk, u64 cookie, int old, struct conn_state *s)
{
	bool later;
	struct wire_end *e;

	e = bpf_ringbuf_reserve(&ends, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost_ring, 1);
		return false;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = bpf_ktime_get_boot_ns();
	e->err = sk->sk_err;
	e->sock.cookie = cookie;
	e->sock.proto = IPPROTO_TCP;
	e->sock.state = old;
	if (fill_ends(&e->sock.ends, sk))
		e->sock.flags |= WS_V6;
	/* where its last steps were missed: a FIN may have been sent all the same */
	fill_tcp(&e->sock, sk, old == TCPS_CLOSE && s && s->flags & WS_CLOSES ? TCPS_LAST_ACK : old);
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

/* The entry of one that has ended stays until tell_owner(), or until user space gives it up. */
static __always_inline void keep_ended(u64 cookie, struct conn_state *s)
{
	mark(s, WS_OWNER_LATER);
	s = moved(cookie, s);
	if (s)
		mark(s, WS_OWNER_LATER);
}

/*
 * Reset from outside, it had no owner to tell; now it is closed. By its process, if the
 * lock is held for a task; else by the kernel, because nobody accepted it.
 */
static __always_inline void tell_owner(struct sock *sk, u64 cookie)
{
	struct wire_end *e = bpf_ringbuf_reserve(&ends, sizeof(*e), 0);

	if (!e) {	/* user space gives up waiting: nothing but the owner is lost */
		__sync_fetch_and_add(&lost_ring, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->sock.cookie = cookie;
	e->sock.flags = WS_OWNER_TOLD;
	if (sk->sk_lock.owned && !only_looked())
		fill_current(&e->sock.owner);
	bpf_ringbuf_submit(e, ring_flags());
}

static __always_inline void short_key_of(struct short_key *k, const struct wire_ends *e,
					 const struct conn_state *s, bool v6)
{
	k->accepted = !(s->flags & WS_OPENED);
	k->v6 = v6;
	k->port = k->accepted ? e->lport : e->rport;
	k->netns = e->netns;
	k->tgid = s->owner.tgid;
	k->start_ns = s->owner.start_ns;
	__builtin_memcpy(k->remote, e->remote, sizeof(k->remote));
}

static __always_inline void add_short(struct short_count *c, struct tcp_sock *tp, int old, u64 now_ns)
{
	u32 flags = fin_flags(old, tp->snd_una, tp->snd_nxt, tp->write_seq);
	u64 acked;

	if (((struct sock *)tp)->__sk_common.skc_flags >> SOCK_DONE & 1)
		flags |= WS_FIN_RECEIVED;
	acked = payload_acked(tp->bytes_acked, flags);
	__sync_fetch_and_add(&c->n, 1);
	__sync_fetch_and_add(&c->rx_bytes, payload_received(tp->bytes_received, flags));
	__sync_fetch_and_add(&c->tx_bytes, payload_less_syn(acked, !c->key.accepted));
	__sync_fetch_and_add(&c->rx_packets, tp->segs_in);
	__sync_fetch_and_add(&c->tx_packets, tp->segs_out);
	c->srtt_8us = tp->srtt_us;
	c->last_ns = now_ns;
}

/*
 * True when it was counted with others: its entry stays, marked, until the socket is destroyed, so
 * that no iterator takes it for an open one. Who marks it second leaves it to the other. It is too
 * young to be on the way from `young` to `conns`.
 */
static __always_inline bool count_short(struct sock *sk, int old, struct conn_state *s)
{
	u64 now_ns = bpf_ktime_get_boot_ns(), hash;
	struct short_key k = {};
	struct wire_ends e = {};
	struct short_count *c;
	struct tcp_sock *tp;

	if (!is_ordinary(sk, old, s, now_ns))
		return false;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || tp->total_retrans || (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp))
		return false;
	short_key_of(&k, &e, s, fill_ends(&e, sk));
	hash = short_hash(&k);
	if (is_due(hash, now_ns))
		return false;
	c = short_place(&k, hash, e.local, s->owner.comm, s->begun_ns);
	if (!c || mark(s, WS_COUNTED) & WS_SHOWN)
		return false;
	add_short(c, tp, old, now_ns);
	return true;
}

/* Called before the state changes. again: perhaps it was all done a moment ago. */
static __always_inline int state_changes(struct sock *sk, int old, int new, bool again)
{
	struct conn_state *s;
	u64 cookie;
	bool used_before;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new != TCPS_SYN_SENT && new != TCPS_ESTABLISHED && new != TCPS_FIN_WAIT1 &&
	    new != TCPS_LAST_ACK && new != TCPS_CLOSE)
		return 0;
	if (new == TCPS_CLOSE && (old == TCPS_LISTEN || old == TCPS_CLOSE))
		return 0;
	used_before = sk->__sk_common.skc_cookie.counter != 0;
	cookie = bpf_get_socket_cookie(sk);
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

/* Where programs are preempted, and what others do on that CPU meanwhile is missed: probes_preemptible(). */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state_again, struct sock *sk, int old, int new)
{
	return state_changes(sk, old, new, true);
}

/*
 * A program that interrupts itself on its CPU is not run again (recursion
 * miss): what on_state missed of an end is made up for here. And what it could
 * not know: whose it was.
 */
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
		tell_owner(sk, cookie);
	else if (!(s->flags & WS_COUNTED))
		end(sk, cookie, TCPS_CLOSE, s);
	forget(cookie);
	return 0;
}

/* ---- the open ones ---- */

u32 unobserved[N_UNOBSERVED];

/* True for a protocol whose connections are not in the table: they are counted at least. */
static __always_inline bool note_unobserved(struct sock *sk)
{
	u32 which;

	if (sk->__sk_common.skc_family == AF_SMC || sk->sk_protocol == IPPROTO_SMC)
		which = UNOBSERVED_SMC;
	else if (sk->sk_protocol == IPPROTO_SCTP)
		which = UNOBSERVED_SCTP;
	else if (sk->sk_protocol == IPPROTO_DCCP)
		which = UNOBSERVED_DCCP;
	else
		return false;
	__sync_fetch_and_add(&unobserved[which], 1);
	return true;
}

#define SOCK_BINDPORT_LOCK 8	/* include/net/sock.h */
#define PORT_OF_CONNECT (-1)	/* net/ipv4/inet_hashtables.c: fastreuse of a port that connect() chose */

/*
 * Of one whose SYN was not seen: a socket that accept() made has the listener's port, which was
 * bound, and the lock that bind() puts on the listener itself is not inherited.
 */
static __always_inline void port_flags(struct wire_sock *w, struct sock *sk)
{
	struct inet_bind_bucket *port = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_bind_hash);

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ||
	    (port && BPF_CORE_READ(port, fastreuse) == PORT_OF_CONNECT))
		w->flags |= WS_CONNECTED;
}

/* What the programs know of it, but for who uses it where `t`, who holds it, is told. */
static __always_inline void write_known(struct seq_file *seq, struct wire_sock *w, struct sock *sk,
					struct task_struct *t)
{
	struct conn_state *s = find(w->cookie);

	if (s) {
		if (mark(s, WS_SHOWN) & WS_COUNTED)
			return;
		fill_state(w, s);
		if (!t)
			w->owner = s->owner;
	} else if (w->proto == IPPROTO_TCP && w->state != TCPS_LISTEN) {
		port_flags(w, sk);
	}
	if (t)
		fill_owner(&w->owner, t);
	bpf_seq_write(seq, w, sizeof(*w));
}

static __always_inline int write_sock(struct seq_file *seq, struct sock *sk, struct task_struct *t,
				      u64 ino)
{
	struct wire_sock w = {};
	u16 proto = sk->sk_protocol;

	w.state = sk->__sk_common.skc_state;
	if (proto == IPPROTO_TCP ? w.state == TCPS_CLOSE || w.state == TCPS_TIME_WAIT :
				   !is_datagram(proto))
		return 0;
	w.proto = proto;
	w.cookie = bpf_get_socket_cookie(sk);
	w.ino = ino;
	if (fill_ends(&w.ends, sk))
		w.flags |= WS_V6;
	if (proto == IPPROTO_TCP && w.state != TCPS_LISTEN) {
		fill_tcp(&w, sk, w.state);
		w.generation = generation_of(sk);
	}
	write_known(seq, &w, sk, t);
	return 0;
}

/* ---- MPTCP: what a process holds is no TCP socket, but those it is made of (subflows) are ---- */

#define SUBFLOWS_MAX 8		/* include/net/mptcp.h: MPTCP_SUBFLOWS_MAX */

/*
 * A function of its own: once in the program, not for each turn of the loop. A subflow from before
 * we looked has no number until ownerless_iter has met it. The next one, or NULL.
 */
static __noinline u64 write_subflow(struct bpf_iter__task_file *ctx, u64 node, u64 ino)
{
	struct mptcp_subflow_context *c =
		(void *)node - bpf_core_field_offset(struct mptcp_subflow_context, node);
	struct task_struct *t = ctx->task;
	struct wire_sock w = { .proto = IPPROTO_TCP, .ino = ino };
	struct sock *sk = BPF_CORE_READ(c, tcp_sock);

	if (!t || !sk)
		return 0;
	w.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	w.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP && w.state != TCPS_CLOSE &&
	    w.state != TCPS_TIME_WAIT && (w.cookie || w.state == TCPS_LISTEN)) {
		if (read_ends(&w.ends, sk))
			w.flags |= WS_V6;
		if (w.state != TCPS_LISTEN)
			read_tcp(&w, sk);
		write_known(ctx->meta->seq, &w, sk, t);
	}
	return (u64)BPF_CORE_READ(c, node.next);
}

static __always_inline int write_subflows(struct bpf_iter__task_file *ctx, struct sock *sk, u64 ino)
{
	struct mptcp_sock *m = (struct mptcp_sock *)sk;
	u64 head = (u64)m + bpf_core_field_offset(m->conn_list);
	u64 at = (u64)BPF_CORE_READ(m, conn_list.next);

	for (u32 i = 0; i < SUBFLOWS_MAX && at && at != head; i++)
		at = write_subflow(ctx, at, ino);
	return 0;
}

static __always_inline int socket_of_task(struct bpf_iter__task_file *ctx, bool with_subflows)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!t || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || note_unobserved(sk) || !is_inet(sk))
		return 0;
	if (with_subflows && sk->sk_protocol == IPPROTO_MPTCP)
		return write_subflows(ctx, sk, file->f_inode->i_ino);
	return write_sock(ctx->meta->seq, sk, t, file->f_inode->i_ino);
}

SEC("iter/task_file")
int sockets_iter(struct bpf_iter__task_file *ctx)
{
	return socket_of_task(ctx, false);
}

/* Where the kernel has MPTCP, and its types. */
SEC("?iter/task_file")
int sockets_iter_mptcp(struct bpf_iter__task_file *ctx)
{
	return socket_of_task(ctx, true);
}

/*
 * Of one network namespace: sockets that no file stands for (not accepted yet,
 * closed by their process, the kernel's own), which sockets_iter does not meet; and
 * subflows of MPTCP, whose file is another socket's: they get their number here.
 */
SEC("iter/tcp")
int ownerless_iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	if (BPF_CORE_READ(sk, sk_socket, file) && BPF_CORE_READ(sk, sk_socket, sk) == sk)
		return 0;
	return write_sock(ctx->meta->seq, sk, NULL, 0);
}

/* ---- young ones that no iterator has come to yet ---- */

struct sock_ref asked[ASKED_MAX];
struct wire_sock answers[ASKED_MAX];	/* cookie 0: it is there no more */
u32 n_asked;

/* A global function: it is verified once, not for each turn of the loop. */
__noinline int answer(u32 i)
{
	const struct sock_ref *ref = &asked[i & (ASKED_MAX - 1)];
	struct wire_sock *w = &answers[i & (ASKED_MAX - 1)];
	struct sock *sk = (struct sock *)ref->sk;
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);
	struct conn_state *s;

	w->proto = IPPROTO_TCP;
	w->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (read_ends(&w->ends, sk))
		w->flags |= WS_V6;
	if (file)
		w->ino = BPF_CORE_READ(file, f_inode, i_ino);
	read_tcp(w, sk);
	s = find(ref->cookie);
	if (!s || w->state == TCPS_CLOSE || mark(s, WS_SHOWN) & WS_COUNTED)
		return 0;
	fill_state(w, s);
	w->owner = s->owner;
	if (BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == ref->cookie)
		w->cookie = ref->cookie;
	return 0;
}

/* Run by user space, which has cleared the answers. */
SEC("?syscall")
int read_asked(void *ctx)
{
	for (u32 i = 0; i < ASKED_MAX && i < n_asked; i++)
		answer(i);
	return 0;
}
