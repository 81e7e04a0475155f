/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_moved.bpf.h: one transfer: the user buffers of the current thread's call, and its times. */
#pragma once

struct moved {
	u64 key;		/* of the socket, or of the TLS session */
	u64 socket;
	u64 base, iov;		/* the buffer, or an iovec array; both 0: unknown */
	u64 begin_ns, end_ns;	/* begin_ns of a send with in_call is TCP's last send until note_thread_now() */
	u64 off_ns, runq_ns;	/* of the thread, where it has_thread: see http_record */
	u32 total, n_iov;
	u32 unread_us;
	u32 fd;
	u8 compat, tx, v6, has_thread;
	u8 in_call;		/* a system call moved it, whose descriptor is fd */
	struct wire_ends ends;
};

/* The thread's off-CPU times, read once for all that the call moved. Not inlined, to free its stack. */
__noinline int note_thread_now(struct moved *m)
{
	struct http_thread *th;

	if (!m)
		return 0;
	th = thread_until_now(&m->off_ns, &m->runq_ns);
	m->has_thread = th != NULL;
	if (m->tx && m->in_call)
		m->begin_ns = th ? sent_since(th, m->fd, m->begin_ns, m->end_ns) : m->end_ns;
	if (th)
		th->reported_ns = m->end_ns;
	return 0;
}

struct user_iovec { u64 base, len; };
struct two_iovecs { struct user_iovec v[2]; };

static __always_inline bool get_iovec(struct user_iovec *v, u64 iov, u32 i, bool compat)
{
	u32 old[2];

	if (!compat)
		return !bpf_probe_read_user(v, sizeof(*v), (void *)(iov + i * sizeof(*v)));
	if (bpf_probe_read_user(old, sizeof(old), (void *)(iov + i * sizeof(old))))
		return false;
	v->base = old[0];
	v->len = old[1];
	return true;
}

/* include/linux/socket.h: struct user_msghdr */
static __always_inline void iovecs_of_msg(struct moved *m, u64 msg)
{
	u64 v[2] = {};
	u32 old[2] = {};

	if (!m->compat && !bpf_probe_read_user(v, sizeof(v), (void *)(msg + 16))) {
		m->iov = v[0];
		m->n_iov = v[1];
	} else if (m->compat && !bpf_probe_read_user(old, sizeof(old), (void *)(msg + 8))) {
		m->iov = old[0];
		m->n_iov = old[1];
	}
}

__noinline int find_bytes(struct moved *m)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	struct call_args args = {};

	if (!m || t->flags & (PF_KTHREAD | PF_IO_WORKER) || !get_args(&args, t, regs))
		return 0;
	m->compat = args.compat;
	m->fd = args.fd;
	switch (call_of(t, regs)) {
	case READ:
	case WRITE:
	case SENDTO:
	case RECVFROM:
		m->base = args.msg;
		break;
	case READV:
	case WRITEV:
		m->iov = args.msg;
		m->n_iov = args.flags3;
		break;
	case SENDMSG:
	case RECVMSG:
		iovecs_of_msg(m, args.msg);
		break;
	case SENDMMSG:		/* several messages, and it is not known which one this is */
	case RECVMMSG:
		break;
	default:
		break;
	}
	return 0;
}

/* The first bytes of a call, which may be spread over several pieces, and the first piece. */
struct first {
	u64 word, addr, len;
	u32 n;			/* bytes of word */
};

static __always_inline bool add_first(struct first *f, u64 base, u64 len)
{
	u32 n = len < 8 - f->n ? len : 8 - f->n;
	u64 word = 0;

	if (!n)
		return true;
	if (!base || !read_first(&word, base, n))
		return false;
	if (!f->n) {
		f->addr = base;
		f->len = len;
	}
	f->word |= word << 8 * (f->n & 7);
	f->n += n;
	return true;
}

/* Not inlined, so that it is verified only once. */
__noinline int find_first(const struct moved *m, struct first *f)
{
	struct user_iovec v = {};
	u64 left;

	if (!m || !f)
		return 0;
	left = m->total;
	if (!m->iov)
		return add_first(f, m->base, left) && f->n;
	for (u32 i = 0; i < 4 && i < m->n_iov && left && f->n < 8; i++) {
		if (!get_iovec(&v, m->iov, i, m->compat))
			return 0;
		if (v.len > left)
			v.len = left;
		if (!add_first(f, v.base, v.len))
			return 0;
		left -= v.len;
	}
	return f->n;
}
