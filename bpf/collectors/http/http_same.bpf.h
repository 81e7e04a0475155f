/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_same.bpf.h: connections with both ends on this host: the writer emits the bytes once, and
 * TCP sequence numbers, the same at both ends, match the two.
 */
#pragma once

#define TRIES_PEER 8		/* reads after which the search for the other end is given up */

/* Cookies of sockets by their own view of the address pair. */
LRU_HASH(peers, 4096, struct wire_ends, u64);

static __always_inline bool is_own_address(const struct wire_ends *e, bool v6)
{
	const u64 *l = (const u64 *)e->local, *r = (const u64 *)e->remote;

	return (l[0] == r[0] && l[1] == r[1]) || (!v6 && e->local[0] == 127 && e->remote[0] == 127);
}

/* Not inlined: its stack is free again for deeper calls. */
__noinline int find_peer(const struct moved *m, struct http_socket *s)
{
	struct wire_ends e = {};
	u64 key, *peer;

	if (!m || !s)
		return 0;
	key = m->key;
	if (!s->tries_peer)
		bpf_map_update_elem(&peers, &m->ends, &key, BPF_ANY);
	__builtin_memcpy(e.local, m->ends.remote, sizeof(e.local));
	__builtin_memcpy(e.remote, m->ends.local, sizeof(e.remote));
	e.lport = m->ends.rport;
	e.rport = m->ends.lport;
	e.netns = m->ends.netns;
	peer = bpf_map_lookup_elem(&peers, &e);
	if (peer)
		s->peer = *peer;
	s->tries_peer++;
	return 0;
}

/* Were all bytes seen? Not with sendfile(), nor with more than MAX_PIECES: then the reading end emits them. */
static __always_inline bool bytes_are_exact(const struct moved *m)
{
	return m->base || (m->iov && m->n_iov <= MAX_PIECES);
}

/* Finds the other end; after a send also notes the emitted bytes, for the reading end. */
static __always_inline void note_peer(const struct moved *m, struct http_socket *s, struct tcp_sock *tcp)
{
	if (s->class != HTTP_YES || !is_own_address(&m->ends, m->v6))
		return;
	if (!s->peer && s->tries_peer < TRIES_PEER)
		find_peer(m, s);
	if (!m->tx)
		return;
	s->sent_known = bytes_are_exact(m) ? m->total : 0;
	s->sent = s->position[HTTP_TX] << 32 | tcp->write_seq;
}

static __always_inline void fill_same(struct http_same *r, struct sock *sk, struct tcp_sock *tcp, u64 key,
				       struct http_socket *s, u32 len)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct http_thread *th;

	r->cookie = key;
	r->end_ns = bpf_ktime_get_boot_ns();
	r->position = __sync_fetch_and_add(&s->position[HTTP_RX], len);
	r->start_ns = t->group_leader->start_boottime;
	r->peer = s->peer;
	r->len = len;
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->unread_us = unread_us(sk, tcp, r->end_ns);
	r->kind = HTTP_RX;
	r->flags = HTTP_BEGINS;
	r->pad = 0;
	r->off_ns = r->runq_ns = 0;
	th = thread_until_now(&r->off_ns, &r->runq_ns);
	if (!th)
		return;
	th->reported_ns = r->end_ns;
	r->flags |= HTTP_THREAD;
}

/*
 * This read takes exactly what the other end emitted: a reference is enough. False: emit the bytes.
 */
static __always_inline bool emit_same(struct sock *sk, u64 key, struct http_socket *s, u32 len)
{
	struct tcp_sock *tcp;
	struct http_socket *p;
	struct http_same *r;
	u64 peer = s->peer, sent;

	p = peer ? socket_find(peer) : NULL;
	if (!p || p->class != HTTP_YES)
		return false;
	sent = p->sent;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!sent || !tcp || (u32)sent != tcp->copied_seq || p->sent_known < len)
		return false;
	if ((u32)(sent >> 32) == p->sent_known)	/* the first bytes sent, which the reader does not keep: see follow.c */
		return false;
	r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	if (!r) {
		if (s->last != HTTP_RX + 1 && p->asks == 1 + HTTP_TX)	/* the first bytes of a request */
			__sync_fetch_and_add(&lost_requests[HTTP_RX], 1);
		s->last = HTTP_RX + 1;
		lose_record(s, HTTP_RX, len);
		return true;
	}
	fill_same(r, sk, tcp, key, s, len);
	r->peer_end = sent >> 32;
	s->last = HTTP_RX + 1;
	s->room[HTTP_RX] = p->room[HTTP_TX];
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return true;
}
