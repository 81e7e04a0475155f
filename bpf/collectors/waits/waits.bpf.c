// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * waits.bpf.c: finds who has the other end of a pipe or socket, or a locked file, open: an iterator
 * over all open files, for the inodes and addresses in two maps.
 */
#include "bpf/kernel/net.bpf.h"
#include "bpf/collectors/waits/waits_wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENDS_MAX);
	__type(key, u64);	/* number of an inode */
	__type(value, u32);
} inodes SEC(".maps");

HASH_PREALLOCATED(tuples, ENDS_MAX, struct wire_ends, u32);
u32 n_tuples;	/* in it */

static __always_inline bool is_asked(u64 ino)
{
	return ino && bpf_map_lookup_elem(&inodes, &ino);
}

/* The inode of a socket's file; 0: not accepted yet, or closed. */
static __always_inline u64 inode_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
}

static __always_inline bool read_path(struct wire_end *e, struct sock *sk)
{
	struct unix_address *addr = BPF_CORE_READ((struct unix_sock *)sk, addr);
	int len;

	if (!addr)
		return false;
	len = BPF_CORE_READ(addr, len) - (int)sizeof(u16);
	if (len <= 0)
		return false;
	if (len > END_PATH_MAX)
		len = END_PATH_MAX;
	e->path_len = len;
	/* always the full size; bytes behind the address are ignored later */
	return !bpf_probe_read_kernel(e->path, sizeof(e->path), (char *)addr +
				      bpf_core_type_size(struct unix_address) + sizeof(u16));
}

/* Process of a unix socket's peer at the time it connected; pid in the initial namespace. */
static __always_inline u32 peer_pid(struct sock *sk)
{
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);

	return pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

static __always_inline void fill_unix(struct wire_end *e, struct sock *sk, struct sock *peer)
{
	e->peer_pid = peer_pid(sk);
	if (!read_path(e, sk) && peer)
		read_path(e, peer);
}

/* Most files are not searched for: returns early for those. */
static __always_inline void visit_unix(struct seq_file *seq, struct sock *sk, struct wire_end *e)
{
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	u64 own = e->ino, of_peer = peer ? inode_of(peer) : 0;
	bool asked = is_asked(own), asked_peer = is_asked(of_peer);

	if (!asked && !asked_peer)
		return;
	fill_unix(e, sk, peer);
	if (asked_peer) {
		e->kind = WIRE_UNIX_PEER;
		e->ino = of_peer;
		bpf_seq_write(seq, e, sizeof(*e));
	}
	e->kind = WIRE_SOCKET;
	e->ino = own;
	if (asked)
		bpf_seq_write(seq, e, sizeof(*e));
}

static __always_inline void visit_socket(struct seq_file *seq, struct file *file, struct wire_end *e)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk = socket ? socket->sk : NULL;

	if (!sk)
		return;
	e->family = sk->__sk_common.skc_family;
	e->state = sk->__sk_common.skc_state;
	e->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (e->family == AF_UNIX) {
		visit_unix(seq, sk, e);
		return;
	}
	e->kind = is_asked(e->ino) ? WIRE_SOCKET : 0;
	if (!e->kind && !n_tuples)
		return;
	if (e->family == AF_INET || e->family == AF_INET6)
		e->v6 = fill_ends(&e->ends, sk);
	if (!e->kind && e->ends.lport && bpf_map_lookup_elem(&tuples, &e->ends))
		e->kind = WIRE_TUPLE;
	if (e->kind)
		bpf_seq_write(seq, e, sizeof(*e));
}

SEC("iter/task_file")
int ends_iter(struct bpf_iter__task_file *ctx)
{
	struct wire_end e = {};
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	u32 type;

	if (!t || !file)
		return 0;
	e.pid = t->tgid;
	e.fd = ctx->fd;
	e.ino = file->f_inode->i_ino;
	type = file->f_inode->i_mode & S_IFMT;
	if (type == S_IFSOCK) {
		visit_socket(ctx->meta->seq, file, &e);
		return 0;
	}
	if ((type != S_IFIFO && type != S_IFREG) || !is_asked(e.ino))
		return 0;
	e.kind = type == S_IFREG ? WIRE_FILE : WIRE_FIFO;
	e.dev = file->f_inode->i_sb->s_dev;
	e.mode = file->f_mode & 3;
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}
