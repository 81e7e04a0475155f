// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * connections_calls.bpf.c: counts UDP datagrams by socket and peer, and tells of
 * connect() calls that fail before anything is sent.
 *
 * From 6.3 on two tracepoints tell the socket and the length. The peer of a
 * socket that is not connected is in the memory of the caller: for a send at
 * once, for a receive when the call returns. Before 6.3 all of it is taken at
 * the return, the socket by its descriptor.
 *
 * Two maps take turns: user space swaps them and drains the one at rest.
 */
#include "bpf/net.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile bool by_descriptor;	/* before 6.3 */
u32 current_set;		/* 0 or 1 */
u32 used[2];			/* flows in each map */
u64 lost_flows, lost_ring, lost_returns;

struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FLOWS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key);
	__type(value, struct flow);
};
struct flow_map flows0 SEC(".maps");
struct flow_map flows1 SEC(".maps");

/* Shared with connections.bpf.c. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CONN_RING_BYTES);
} ends SEC(".maps");

/* A socket that a receive was made on, until the call returns and tells the peer. */
struct pending {
	u64 socket;
	struct wire_ends ends;
	u32 v6;
	u32 packets;
	u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pending);
} pendings SEC(".maps");

/* include/linux/socket.h */
#define MSG_PEEK 2
#define MAX_MESSAGES 64

struct call_args {
	u64 fd, msg, flags3, flags4, addr, len;
};

static __always_inline void get_args(struct call_args *a, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	a->fd = regs->di;
	a->msg = regs->si;
	a->flags3 = regs->dx;
	a->flags4 = regs->r10;
	a->addr = regs->r8;
	a->len = regs->r9;
#elif defined(__TARGET_ARCH_arm64)
	a->fd = regs->orig_x0;
	a->msg = regs->user_regs.regs[1];
	a->flags3 = regs->user_regs.regs[2];
	a->flags4 = regs->user_regs.regs[3];
	a->addr = regs->user_regs.regs[4];
	a->len = regs->user_regs.regs[5];
#endif
}

/* ---- peers ---- */

/* struct sockaddr_in6, of which sockaddr_in is the beginning: family, port, address. */
struct sockaddr_any {
	u16 family;
	__be16 port;
	__be32 v4;
	u32 v6[4];
};

/* Reads the address at `addr`. False where there is none. */
static __always_inline bool peer_from_user(struct wire_ends *e, u32 *v6, u64 addr, u32 len)
{
	struct sockaddr_any sa = {};
	u32 *r = (u32 *)e->remote;

	if (!addr || len < 8)
		return false;
	if (bpf_probe_read_user(&sa, len >= sizeof(sa) ? sizeof(sa) : 8, (void *)addr))
		return false;
	r[0] = r[1] = r[2] = r[3] = 0;
	e->rport = bpf_ntohs(sa.port);
	if (sa.family == AF_INET6 && !is_mapped(sa.v6)) {
		r[0] = sa.v6[0];
		r[1] = sa.v6[1];
		r[2] = sa.v6[2];
		r[3] = sa.v6[3];
		*v6 = 1;
	} else {
		r[0] = sa.family == AF_INET6 ? sa.v6[3] : sa.v4;
		*v6 = 0;
	}
	return true;
}

/* include/linux/socket.h: struct user_msghdr */
struct user_msghdr { u64 name; u32 namelen, pad; u64 rest[5]; };
struct user_mmsghdr { struct user_msghdr hdr; u32 len, pad; };

static __always_inline bool peer_of_msg(struct wire_ends *e, u32 *v6, u64 msg)
{
	struct { u64 name; u32 namelen; } h;

	if (!msg || bpf_probe_read_user(&h, sizeof(h), (void *)msg))
		return false;
	return peer_from_user(e, v6, h.name, h.namelen);
}

/* ---- counting ---- */

struct amount {
	u64 socket, bytes;
	u32 packets, tx;
	u32 v6, pad;
	struct wire_ends ends;
};

static __always_inline struct flow *flow_lookup(u32 set, const struct flow_key *k)
{
	return set ? bpf_map_lookup_elem(&flows1, k) : bpf_map_lookup_elem(&flows0, k);
}

static __always_inline long flow_insert(u32 set, const struct flow_key *k, const struct flow *f)
{
	return set ? bpf_map_update_elem(&flows1, k, f, BPF_NOEXIST) :
		     bpf_map_update_elem(&flows0, k, f, BPF_NOEXIST);
}

static __always_inline struct flow *flow_make(u32 set, const struct flow_key *k,
					      const struct amount *a)
{
	struct flow *f = flow_lookup(set, k), fresh = {};

	if (f)
		return f;
	fresh.begun_ns = bpf_ktime_get_boot_ns();
	__builtin_memcpy(fresh.local, a->ends.local, sizeof(fresh.local));
	fresh.lport = a->ends.lport;
	fresh.netns = a->ends.netns;
	if (flow_insert(set, k, &fresh) == 0)
		__sync_fetch_and_add(&used[set], 1);
	return flow_lookup(set, k);
}

/* A global function: it is called from several places, and verified once. */
__noinline int count(struct amount *a)
{
	u32 set = current_set & 1;
	struct task_struct *t = bpf_get_current_task_btf();
	struct flow_key k = {};
	struct flow *f;

	if (!a)
		return 0;
	k.socket = a->socket;
	k.rport = a->ends.rport;
	k.v6 = a->v6;
	__builtin_memcpy(k.remote, a->ends.remote, sizeof(k.remote));
	f = flow_make(set, &k, a);
	if (!f) {
		__sync_fetch_and_add(&lost_flows, a->packets);
		return 0;
	}
	if (a->tx) {
		__sync_fetch_and_add(&f->tx_bytes, a->bytes);
		__sync_fetch_and_add(&f->tx_packets, a->packets);
	} else {
		__sync_fetch_and_add(&f->rx_bytes, a->bytes);
		__sync_fetch_and_add(&f->rx_packets, a->packets);
	}
	f->last_ns = bpf_ktime_get_boot_ns();
	if (f->owner.tgid != t->tgid)
		fill_current(&f->owner);
	return 0;
}

/* ---- from 6.3 on: the socket and the length from a tracepoint ---- */

static __always_inline void amount_of(struct amount *a, struct sock *sk, int len, bool tx)
{
	a->socket = bpf_get_socket_cookie(sk);
	a->bytes = len;
	a->packets = 1;
	a->tx = tx;
	a->v6 = fill_ends(&a->ends, sk);
}

/* Leaves the peer to the return of the call. */
static __always_inline bool defer(struct task_struct *t, const struct amount *a)
{
	struct pending *p = bpf_task_storage_get(&pendings, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!p)
		return false;
	if (p->socket != a->socket) {
		if (p->packets)	/* its call returned, and we were not told */
			__sync_fetch_and_add(&lost_returns, p->packets);
		p->packets = p->bytes = 0;
	}
	p->socket = a->socket;
	p->ends = a->ends;
	p->v6 = a->v6;
	p->packets++;
	p->bytes += a->bytes;
	return true;
}

/* TCP sockets that several processes hold, and who used each last; user space says which. */
u32 n_shared;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHARED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct wire_owner);
} shared SEC(".maps");

static __always_inline int note_user(struct sock *sk)
{
	u64 cookie = sk->__sk_common.skc_cookie.counter;
	struct wire_owner *o;

	if (!n_shared || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	o = bpf_map_lookup_elem(&shared, &cookie);
	if (o && o->tgid != bpf_get_current_task_btf()->tgid)
		fill_current(o);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int ret, int flags)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct call_args args;
	struct amount a = {};
	struct pt_regs *regs;
	u64 nr;

	if (sk->sk_protocol != IPPROTO_UDP)
		return note_user(sk);
	if (ret < 0 || !is_inet(sk))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(t);
	nr = t->flags & PF_KTHREAD ? ~0ull : call_nr(t, regs);
	amount_of(&a, sk, ret, true);
	get_args(&args, regs);
	if (nr == SENDMMSG && defer(t, &a))
		return 0;
	if (nr == SENDTO)
		peer_from_user(&a.ends, &a.v6, args.addr, args.len);
	else if (nr == SENDMSG)
		peer_of_msg(&a.ends, &a.v6, args.msg);
	count(&a);
	return 0;
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int ret, int flags)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct amount a = {};
	u64 nr;

	if (sk->sk_protocol != IPPROTO_UDP)
		return note_user(sk);
	if (ret < 0 || flags & MSG_PEEK || !is_inet(sk))
		return 0;
	nr = t->flags & PF_KTHREAD ? ~0ull :
		call_nr(t, (struct pt_regs *)bpf_task_pt_regs(t));
	amount_of(&a, sk, ret, false);
	if (!a.ends.rport && (nr == RECVFROM || nr == RECVMSG || nr == RECVMMSG) && defer(t, &a))
		return 0;
	count(&a);
	return 0;
}

/* ---- when the call returns ---- */

static __always_inline int each_message(struct amount *a, u64 vec, u32 n)
{
	struct wire_ends own = a->ends;
	u32 own_v6 = a->v6;

	for (u32 i = 0; i < MAX_MESSAGES && i < n; i++) {
		struct user_mmsghdr m;

		if (bpf_probe_read_user(&m, sizeof(m), (void *)(vec + i * sizeof(m))))
			break;
		a->ends = own;
		a->v6 = own_v6;
		peer_from_user(&a->ends, &a->v6, m.hdr.name, m.hdr.namelen);
		a->bytes = m.len;
		a->packets = 1;
		count(a);
	}
	return 0;
}

static __always_inline bool is_deferred(u64 nr)
{
	return nr == RECVFROM || nr == RECVMSG || nr == RECVMMSG || nr == SENDMMSG;
}

/* Whose peer is in the memory of the caller, now that the call has returned. */
static __always_inline int count_call(struct amount *a, const struct call_args *args, u64 nr,
				      long ret)
{
	u32 len = 0;

	if (nr == RECVMMSG || nr == SENDMMSG)
		return ret > 0 ? each_message(a, args->msg, ret) : 0;
	if (nr == RECVMSG || nr == SENDMSG)
		peer_of_msg(&a->ends, &a->v6, args->msg);
	else if (nr == SENDTO)
		peer_from_user(&a->ends, &a->v6, args->addr, args->len);
	else if (nr == RECVFROM && args->addr &&
		 !bpf_probe_read_user(&len, sizeof(len), (void *)args->len))
		peer_from_user(&a->ends, &a->v6, args->addr, len);
	return count(a);
}

static __always_inline int finish(struct task_struct *t, u64 nr, const struct call_args *args,
				  long ret)
{
	struct pending *p = bpf_task_storage_get(&pendings, t, 0, 0);
	struct amount a = {};

	if (!p || !p->socket)
		return 0;
	a.socket = p->socket;
	a.ends = p->ends;
	a.v6 = p->v6;
	a.bytes = p->bytes;
	a.packets = p->packets;
	a.tx = nr == SENDMMSG;
	p->socket = p->bytes = p->packets = 0;
	return count_call(&a, args, nr, ret);
}

/* ---- the socket of a descriptor ---- */

/* The inet socket of a descriptor, or NULL. */
static __always_inline struct sock *socket_of(struct task_struct *t, u64 fd, u64 *ino)
{
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = NULL;
	struct socket *socket;
	struct sock *sk;
	u16 family;

	if (fd >= BPF_CORE_READ(fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	*ino = BPF_CORE_READ(file, f_inode, i_ino);
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

static __always_inline bool is_peek(u64 nr, const struct call_args *args)
{
	return ((nr == RECVFROM || nr == RECVMMSG) && args->flags4 & MSG_PEEK) ||
	       (nr == RECVMSG && args->flags3 & MSG_PEEK);
}

/* Before 6.3: every call that moves data, by its descriptor. */
static __always_inline int count_by_descriptor(struct task_struct *t, u64 nr,
					       const struct call_args *args, long ret)
{
	struct amount a = {};
	struct sock *sk;
	u64 ino = 0;

	sk = socket_of(t, args->fd, &ino);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_UDP || is_peek(nr, args))
		return 0;
	a.socket = FLOW_BY_INODE | ino;
	a.bytes = ret;
	a.packets = 1;
	a.tx = nr == WRITE || nr == WRITEV || nr == SENDTO || nr == SENDMSG || nr == SENDMMSG;
	a.v6 = read_ends(&a.ends, sk);
	return count_call(&a, args, nr, ret);
}

static __always_inline bool moves_data(u64 nr)
{
	return is_deferred(nr) || nr == READ || nr == WRITE || nr == READV || nr == WRITEV ||
	       nr == SENDTO || nr == SENDMSG;
}

/* ---- connect() that failed at once ---- */

/*
 * No route, or forbidden: the socket never left CLOSE, so on_state saw nothing.
 * Nor has it a cookie then, which it gets with its SYN at the latest.
 */
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
	e = bpf_ringbuf_reserve(&ends, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost_ring, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
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

/* Since 6.3; `nr` is one that is deferred, or connect(). */
static __always_inline int leave_traced(struct task_struct *t, struct pt_regs *regs, u64 nr, long ret)
{
	struct call_args args;

	get_args(&args, regs);
	if (nr == CONNECT)
		return is_refusal(ret) ? failed_connect(t, &args, ret) : 0;
	return finish(t, nr, &args, ret);
}

static __always_inline int leave(struct task_struct *t, struct pt_regs *regs, long ret)
{
	u64 nr = call_nr(t, regs);
	struct call_args args;

	if (!by_descriptor)
		return nr == CONNECT || is_deferred(nr) ? leave_traced(t, regs, nr, ret) : 0;
	get_args(&args, regs);
	if (nr == CONNECT)
		return is_refusal(ret) ? failed_connect(t, &args, ret) : 0;
	return moves_data(nr) && ret >= 0 ? count_by_descriptor(t, nr, &args, ret) : 0;
}

/*
 * Where the kernel has an event for each call (CONFIG_FTRACE_SYSCALLS) the returns of
 * all others cost next to nothing. They are told of 64-bit callers only.
 */
struct syscall_args {
	u64 common;
	long id, ret;
};

#define RETURN_OF(call, nr)							\
SEC("?tp/syscalls/sys_exit_" #call)						\
int on_##call(struct syscall_args *ctx)						\
{										\
	struct task_struct *t = bpf_get_current_task_btf();			\
										\
	return leave_traced(t, (struct pt_regs *)bpf_task_pt_regs(t), nr, ctx->ret);	\
}

RETURN_OF(recvfrom, RECVFROM)
RETURN_OF(recvmsg, RECVMSG)
RETURN_OF(recvmmsg, RECVMMSG)
RETURN_OF(sendmmsg, SENDMMSG)
RETURN_OF(connect, CONNECT)

/* Elsewhere every return; two ways to the same place: see probes_prefer_classic(). */
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
