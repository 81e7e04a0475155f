// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * connections_calls.bpf.c: counts UDP datagrams by socket and peer, and reports
 * connect() calls that fail before anything is sent.
 *
 * From 6.3 on two tracepoints give the socket and the length. The peer of an
 * unconnected socket is in the caller's memory: for a send at once, for a receive
 * when the call returns. Before 6.3 everything is read at the return, and the
 * socket is found by its descriptor.
 */
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/collectors/connections/connections_datagrams.bpf.h"
#include "bpf/kernel/map_ops.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile bool by_descriptor;	/* before 6.3 */
const volatile bool compat_only;	/* 64-bit returns are handled by the programs of single calls */
u64 lost_ring, lost_numbers, lost_messages;

/* Shared with connections.bpf.c. */
RING(ends, CONN_RING_BYTES);

/* What a call has moved, until its return gives the peer; packets 0: nothing. */
struct pending {
	struct amount a;
	struct call_args args;
	u32 coalesces, call;
};

/*
 * A thread's pending call, by the low bits of its tid; on a collision in task storage. Once taken,
 * a place is only written by its thread.
 */
struct held {
	u32 tid;		/* 0: free */
	u32 crowded;		/* some thread had to use task storage */
	struct pending p;
};

#define HELD_MAX 256

static struct held held[HELD_MAX] __attribute__((aligned(64)));

TASK_STORAGE(pendings, struct pending);

static __always_inline struct held *held_place(struct task_struct *t)
{
	return &held[t->pid & (HELD_MAX - 1)];
}

static __always_inline struct pending *pending_make(struct task_struct *t)
{
	struct held *h = held_place(t);
	u32 tid = t->pid;

	if (h->tid == tid || !__sync_val_compare_and_swap(&h->tid, 0, tid))
		return &h->p;
	h->crowded = 1;
	return bpf_task_storage_get(&pendings, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* The thread's pending call, or NULL. To be released with pending_end(). */
static __always_inline struct pending *pending_of(struct task_struct *t)
{
	struct held *h = held_place(t);
	struct pending *p = h->tid == (u32)t->pid ? &h->p :
			    h->crowded ? bpf_task_storage_get(&pendings, t, 0, 0) : NULL;

	return p && p->a.packets ? p : NULL;
}

static __always_inline void pending_end(struct task_struct *t, struct pending *p)
{
	struct held *h = held_place(t);

	p->a.packets = 0;
	if (h->tid == (u32)t->pid)
		__sync_lock_test_and_set(&h->tid, 0);
}

/* ---- from 6.3 on: the socket and the length from a tracepoint ---- */

static __always_inline void amount_of(struct amount *a, struct sock *sk, int len, bool tx,
				      bool *ret_coalesces)
{
	a->socket = sk->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk);
	a->bytes = len;
	a->packets = 1;
	a->tx = tx;
	a->proto = sk->sk_protocol;
	a->v6 = fill_ends_num(&a->ends, sk);
	ask_known_socket(a, sk, ret_coalesces);
}

/* Counts datagrams whose peer can no longer be read. */
static __always_inline void count_unfinished(const struct pending *p)
{
	struct amount a = p->a;

	a.unclear = a.segment || p->coalesces;
	count(&a);
}

/* Keeps the datagram until the call returns, which gives the peer. */
static __always_inline bool defer(struct task_struct *t, struct pt_regs *regs, enum call call,
				  const struct amount *a, bool coalesces)
{
	struct pending *p = pending_make(t);
	u64 bytes;
	u32 packets;

	if (!p)
		return false;
	packets = p->a.packets;
	bytes = p->a.bytes;
	if (packets && (p->a.socket != a->socket || p->a.tx != a->tx)) {
		count_unfinished(p);	/* left over from a call whose return was missed */
		packets = 0;
	}
	if (!packets && !get_args(&p->args, t, regs)) {
		pending_end(t, p);
		return false;
	}
	p->a = *a;
	p->a.packets = packets + 1;
	p->a.bytes += packets ? bytes : 0;
	p->coalesces = coalesces;
	p->call = call;
	return true;
}

/* TCP sockets held by several processes, and the last user of each; user space selects them. */
u32 n_shared;

HASH(shared, SHARED_MAX, u64, struct wire_owner);

MAP_OPS(serve_shared, shared, u64, struct wire_owner)

static __always_inline int note_user(u16 protocol, struct sock *sk)
{
	struct wire_owner *o;
	u64 cookie;

	if (!n_shared || protocol != IPPROTO_TCP)
		return 0;
	cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	o = bpf_map_lookup_elem(&shared, &cookie);
	if (o && o->tgid != bpf_get_current_task_btf()->tgid)
		fill_current(o);
	return 0;
}

/*
 * Returns of 32-bit programs are traced once compat_seen is set; until then the peers are unknown.
 */
bool compat_seen, compat_traced;

static __always_inline bool will_return(struct task_struct *t)
{
	if (!is_compat(t) || compat_traced)
		return true;
	compat_seen = true;
	return false;
}

/* The task's own system call; none for kernel workers, which act for other tasks. */
static __always_inline enum call own_call(struct task_struct *t, struct pt_regs *regs)
{
	return t->flags & (PF_KTHREAD | PF_IO_WORKER) ? OTHER_CALL : call_of(t, regs);
}

static __always_inline int sent(struct amount *a)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	enum call call = own_call(t, regs);
	struct call_args args = {};

	if (call == SENDMMSG && will_return(t) && defer(t, regs, call, a, false))
		return 0;
	if ((call == SENDTO || call == SENDMSG) && get_args(&args, t, regs)) {
		if (call == SENDTO) {
			peer_from_user(&a->ends, &a->v6, args.addr, args.len);
		} else {
			peer_of_msg(&a->ends, &a->v6, args.msg, args.compat);
			split_msg(a, args.msg, args.compat, false);
			return count(a);
		}
	}
	split(a);
	return count(a);
}

static __always_inline int received(struct amount *a, bool coalesces)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	enum call call = own_call(t, regs);

	if ((!a->ends.rport || coalesces) && (call == RECVFROM || call == RECVMSG || call == RECVMMSG) &&
	    will_return(t) && defer(t, regs, call, a, coalesces))
		return 0;
	a->unclear = coalesces;
	return count(a);
}

/* Nothing moved: the call failed, or only peeked. */
static __always_inline bool is_nothing(int ret, int flags, bool tx)
{
	return ret < 0 || (!tx && flags & (MSG_PEEK | MSG_ERRQUEUE));
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int ret, int flags)
{
	struct amount a = {};
	bool coalesced;

	if (!is_datagram(sk->sk_protocol))
		return note_user(sk->sk_protocol, sk);
	if (is_nothing(ret, flags, true) || !is_inet(sk))
		return 0;
	amount_of(&a, sk, ret, true, &coalesced);
	return sent(&a);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int ret, int flags)
{
	struct amount a = {};
	bool coalesced;

	if (!is_datagram(sk->sk_protocol))
		return note_user(sk->sk_protocol, sk);
	if (is_nothing(ret, flags, false) || !is_inet(sk))
		return 0;
	amount_of(&a, sk, ret, false, &coalesced);
	return received(&a, coalesced);
}

/* ---- when the call returns ---- */

/*
 * Counts one message (length -1: unknown). own: socket and direction. Global: verified only once.
 */
__noinline int count_message(const struct amount *own, u64 msg, u32 compat, u32 coalesces)
{
	struct amount a = {};
	u32 len;

	if (!own || bpf_probe_read_user(&len, sizeof(len), (void *)(msg + MMSGHDR_LEN(compat))))
		return -1;
	a = *own;
	peer_of_msg(&a.ends, &a.v6, msg, compat);
	a.bytes = len;
	a.packets = 1;
	split_msg(&a, msg, compat, coalesces);
	count(&a);
	return len & 0x7fffffff;
}

/*
 * Counts each message with its peer. Messages beyond MAX_MESSAGES have none and are counted by the
 * rest of the totals in `a` (6.3 and later).
 */
static __always_inline int each_message(struct amount *a, u64 vec, u32 n, bool compat, bool coalesces)
{
	for (u32 i = 0; i < MAX_MESSAGES && i < n; i++, vec += MMSGHDR_SIZE(compat)) {
		int len = count_message(a, vec, compat, coalesces);

		if (len < 0)
			break;
		a->packets -= a->packets != 0;
		a->bytes -= len;
	}
	if (!a->packets)
		return 0;
	a->unclear = a->segment || coalesces;
	if (by_descriptor)
		__sync_fetch_and_add(&lost_messages, a->packets);
	else
		count(a);
	return 0;
}

static __always_inline bool is_deferred(enum call call)
{
	return call == RECVFROM || call == RECVMSG || call == RECVMMSG || call == SENDMMSG;
}

/* Counts a call whose peer is in the caller's memory, now that it has returned. */
static __always_inline int count_call(struct amount *a, const struct call_args *args, enum call call,
				      long ret, bool coalesces)
{
	if (call == SENDMMSG && args->flags4 & MSG_MORE)
		a->unclear = 1;
	if (call == RECVMMSG || call == SENDMMSG)
		return each_message(a, args->msg, ret > 0 ? ret : 0, args->compat, coalesces);
	if (call == RECVMSG || call == SENDMSG) {
		peer_of_msg(&a->ends, &a->v6, args->msg, args->compat);
		split_msg(a, args->msg, args->compat, coalesces);
		return count(a);
	}
	a->unclear |= coalesces;
	if (call == SENDTO)
		peer_from_user(&a->ends, &a->v6, args->addr, args->len);
	else if (call == RECVFROM)	/* the address may be cut if the caller's buffer is too short */
		peer_from_user(&a->ends, &a->v6, args->addr, a->sockaddr);
	split(a);
	return count(a);
}

static __always_inline int finish(struct task_struct *t, struct pending *p, enum call call, long ret)
{
	struct amount a = p->a;

	if (p->call != call)
		count_unfinished(p);
	else
		count_call(&a, &p->args, call, ret, p->coalesces);
	pending_end(t, p);
	return 0;
}

/* ---- the socket of a descriptor ---- */

/*
 * The same for kernels that preempt programs (probes_preemptible()): classic tracepoints are not
 * preempted there. They cannot assign a socket its cookie; two other programs do that before.
 */
static __always_inline bool amount_of_event(struct amount *a, struct trace_event_raw_sock_msg_length *ctx,
					bool tx, bool *ret_coalesces)
{
	struct sock *sk = ctx->sk;

	if (!is_datagram(ctx->protocol)) {
		note_user(ctx->protocol, sk);
		return false;
	}
	if (is_nothing(ctx->ret, ctx->flags, tx) || (ctx->family != AF_INET && ctx->family != AF_INET6))
		return false;
	a->socket = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	a->bytes = ctx->ret;
	a->packets = 1;
	a->tx = tx;
	a->proto = ctx->protocol;
	a->v6 = read_ends(&a->ends, sk);
	ask_socket(a, sk, ret_coalesces);
	if (!a->socket)
		__sync_fetch_and_add(&lost_numbers, 1);
	return a->socket;
}

SEC("?tp/sock/sock_send_length")
int on_send_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	struct amount a = {};
	bool coalesced;

	return amount_of_event(&a, ctx, true, &coalesced) ? sent(&a) : 0;
}

SEC("?tp/sock/sock_recv_length")
int on_receive_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	struct amount a = {};
	bool coalesced;

	return amount_of_event(&a, ctx, false, &coalesced) ? received(&a, coalesced) : 0;
}

#define gets_number(protocol) is_datagram(protocol)
#include "bpf/kernel/number.bpf.h"

/* Attached twice, since the first may be missed on kernels that preempt programs. */
NUMBER_PROGRAMS(_again)

#include "bpf/collectors/connections/connections_descriptor.bpf.h"

/* ---- connect() that failed at once ---- */

/* No route, or forbidden: the socket never left CLOSE, so on_state misses it; it has no cookie. */
static __always_inline int failed_connect(struct task_struct *t, const struct call_args *args,
					  long ret)
{
	struct wire_end *e;
	struct sock *sk;
	u64 ino = 0;
	u32 v6 = 0;

	sk = socket_of(t, args->fd, &ino);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    BPF_CORE_READ(sk, __sk_common.skc_cookie.counter))
		return 0;
	e = ring_zeroed(&ends, sizeof(*e), &lost_ring);
	if (!e)
		return 0;
	e->time_ns = bpf_ktime_get_boot_ns();
	e->err = -ret;
	e->sock.cookie = FLOW_BY_INODE | ino;
	e->sock.begun_ns = e->time_ns;
	e->sock.proto = IPPROTO_TCP;
	e->sock.state = TCPS_SYN_SENT;
	e->sock.flags = WS_OPENED;
	read_ends(&e->sock.ends, sk);
	if (peer_from_user(&e->sock.ends, &v6, args->msg, args->flags3) && v6)
		e->sock.flags |= WS_V6;
	fill_current(&e->sock.owner);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

/* errno.h: EPERM EACCES ENETUNREACH EHOSTUNREACH */
static __always_inline bool is_refusal(long ret)
{
	return ret == -1 || ret == -13 || ret == -101 || ret == -113;
}

/* Since 6.3; `call` is one that is deferred, or connect(). */
static __always_inline int leave_traced(struct task_struct *t, enum call call, long ret)
{
	struct call_args args = {};
	struct pending *p;

	if (call != CONNECT) {
		p = pending_of(t);
		return p ? finish(t, p, call, ret) : 0;
	}
	if (!is_refusal(ret) || !get_args(&args, t, (struct pt_regs *)bpf_task_pt_regs(t)))
		return 0;
	return failed_connect(t, &args, ret);
}

static __always_inline int leave(struct task_struct *t, struct pt_regs *regs, long ret)
{
	struct call_args args = {};
	enum call call;

	if (compat_only && !is_compat(t))
		return 0;
	call = call_of(t, regs);
	if (!by_descriptor)
		return call == CONNECT || is_deferred(call) ? leave_traced(t, call, ret) : 0;
	if (call == OTHER_CALL || (ret < 0 && call != CONNECT) || !get_args(&args, t, regs))
		return 0;
	if (call == CONNECT)
		return is_refusal(ret) ? failed_connect(t, &args, ret) : 0;
	return count_by_descriptor(t, call, &args, ret);
}

/* With an event for each call (CONFIG_FTRACE_SYSCALLS, 64-bit callers) other calls cost nothing. */
struct syscall_args {
	u64 common;
	long id, ret;
};

#define RETURN_OF(name, call)							\
SEC("?tp/syscalls/sys_exit_" #name)						\
int on_##name(struct syscall_args *ctx)						\
{										\
	struct task_struct *t = bpf_get_current_task_btf();			\
										\
	return leave_traced(t, call, ctx->ret);					\
}

RETURN_OF(recvfrom, RECVFROM)
RETURN_OF(recvmsg, RECVMSG)
RETURN_OF(recvmmsg, RECVMMSG)
RETURN_OF(sendmmsg, SENDMMSG)
RETURN_OF(connect, CONNECT)

/* Without them: every return. Two attach types for the same: see probes_prefer_classic(). */
SEC("?tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return leave(t, regs, ret);
}

SEC("?tp/raw_syscalls/sys_exit")
int on_return_tp(struct syscall_args *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return leave(t, (struct pt_regs *)bpf_task_pt_regs(t), ctx->ret);
}
