/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_tls_probes.bpf.h: the programs at the entry and return of a TLS library's functions. */
#pragma once

/*
 * From 6.13 on a program may get a private stack per CPU, which two preempted tasks would share.
 * Programs with a tail call do not get one; this call always fails.
 */
#define NO_PROGRAMS(name)				\
	struct {					\
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);	\
		__uint(max_entries, 1);			\
		__uint(key_size, sizeof(u32));		\
		__uint(value_size, sizeof(u32));	\
	} name SEC(".maps")

NO_PROGRAMS(no_programs);
NO_PROGRAMS(no_session_programs);	/* one map for each type of program */

#define OWN_STACK(ctx) bpf_tail_call(ctx, &no_programs, 0)

/* POPPED: the stack pointer after the return minus that at the entry. */
#if defined(__TARGET_ARCH_x86)
#define POPPED 8
#define ARG1(r) ((r)->di)
#define ARG2(r) ((r)->si)
#define ARG3(r) ((r)->dx)
#define ARG4(r) ((r)->cx)
#define STACK(r) ((r)->sp)
#define RESULT(r) ((r)->ax)
#elif defined(__TARGET_ARCH_arm64)
#define POPPED 0
#define ARG1(r) ((r)->user_regs.regs[0])
#define ARG2(r) ((r)->user_regs.regs[1])
#define ARG3(r) ((r)->user_regs.regs[2])
#define ARG4(r) ((r)->user_regs.regs[3])
#define STACK(r) ((r)->user_regs.sp)
#define RESULT(r) ((r)->user_regs.regs[0])
#endif

/* Library functions call one another, also to carry the records of another session (TLS in TLS). */
static __always_inline bool is_within_call(struct moved *m, struct tls_thread *th, u64 ssl, u64 sp)
{
	if (!th->kind)
		return false;
	if (has_open_calls && th->open && (sp >= th->sp || ssl == th->ssl || open_call_is_over(th))) {
		open_call_ends(m, th, 0);
		return false;
	}
	return sp < th->sp;
}

/* NULL: within another call. */
static __always_inline struct tls_thread *call_begins(struct moved *m, struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 ssl = ARG1(ctx), sp = STACK(ctx);

	if (!th)
		return NULL;
	if (!tls_on)
		tls_on = true;
	if (is_within_call(m, th, ssl, sp))
		return NULL;
	th->kind = bpf_get_attach_cookie(ctx);
	th->ssl = ssl;
	th->buf = ARG2(ctx);
	th->done_at = ARG4(ctx);
	th->size = ARG3(ctx);
	th->sp = sp;
	th->sent = th->got = th->moved = 0;
	th->open = th->refused = th->matched = 0;
	th->nested = false;
	if (!th->n_fed)		/* else it belongs to records read before, outside of a call */
		th->unread_us = HTTP_UNKNOWN_US;
	th->begin_ns = th->kind == TLS_WRITE || th->kind == TLS_WRITE_EX ? bpf_ktime_get_boot_ns() : 0;
	return th;
}

SEC("?uprobe/tls_call")
int on_tls_call(struct pt_regs *ctx)
{
	struct moved m;

	call_begins(&m, ctx);
	OWN_STACK(ctx);
	return 0;
}

/* Bytes of text that a finished call moved. */
static __always_inline u32 bytes_moved(const struct tls_thread *th, u32 kind, int ret)
{
	u64 n = 0;

	if (ret <= 0 || kind == TLS_HANDSHAKE)
		return 0;
	if (kind == TLS_READ || kind == TLS_WRITE)
		return ret;
	if (bpf_probe_read_user(&n, sizeof(n), (void *)th->done_at) || n >> 31)
		return 0;
	return n;
}

/* Finds or creates the session, and its socket if possible. Not inlined, to free its stack. */
__noinline int find_session(struct tls_thread *th, u32 n, u32 tx)
{
	struct tls_session *x;

	if (!th)
		return 0;
	x = session_of(th);
	if (!x || !n)
		return 0;
	find_socket(x, th, n, tx);
	return 1;
}

/* The socket of the session is known, and is the one that the call used, if any. */
static __always_inline bool has_socket(const struct tls_session *x, const struct tls_thread *th)
{
	return x->socket && (!th->nested || x->socket == th->socket);
}

static __always_inline bool is_joined(const struct tls_thread *th)
{
	return th->joined_ssl == th->ssl && th->joined_socket == th->socket;
}

static __always_inline int call_returns(struct moved *m, struct tls_thread *th, struct pt_regs *ctx)
{
	struct http_socket *s;
	struct tls_session *x;
	struct tls_key key;
	u32 kind = th->kind, n;
	bool tx = kind == TLS_WRITE || kind == TLS_WRITE_EX;

	th->kind = TLS_NONE;
	if (kind == TLS_HANDSHAKE)
		note_caller(TLS_CALLS);
	th->moved = n = bytes_moved(th, kind, (int)RESULT(ctx));
	if (has_open_calls && !n && th->matched)
		note_followed(th);
	if (!n && (!th->nested || is_joined(th)))
		return 0;
	key = (struct tls_key){ .ssl = th->ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };
	x = bpf_map_lookup_elem(&tls_sessions, &key);
	s = stream_of(x);
	if (!s || !has_socket(x, th)) {
		if (!find_session(th, n, tx))
			return 0;
		x = bpf_map_lookup_elem(&tls_sessions, &key);
		s = stream_of(x);
	}
	if (!s)
		return 0;
	th->joined_ssl = x->socket ? th->ssl : 0;
	th->joined_socket = x->socket;
	if (has_open_calls && n && tx)
		note_written(x, th, n);
	else if (has_open_calls && n)
		note_read(x, th, n);
	if (n)
		tls_moved(m, th, x, s, n, tx);
	return 0;
}

static __always_inline bool is_return(const struct tls_thread *th, struct pt_regs *ctx)
{
	return th && th->kind && !(has_open_calls && th->open) && th->sp + POPPED == STACK(ctx);
}

SEC("?uretprobe/tls_call")
int on_tls_return(struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct moved m;

	if (is_return(th, ctx))
		call_returns(&m, th, ctx);
	OWN_STACK(ctx);
	return 0;
}

/* At the entry; returns 1 to skip the return probe, else it runs again at the return. */
SEC("?uprobe/tls_both")
int on_tls_both(struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct next_call next = { .ssl = ARG1(ctx), .buf = ARG2(ctx), .sp = STACK(ctx), .size = ARG3(ctx) };
	struct moved m;

	if (is_return(th, ctx)) {
		call_returns(&m, th, ctx);
		return 0;
	}
	if (th)
		look_back(&m, th, &next);
	th = call_begins(&m, ctx);
	if (!th)
		return 1;
	bpf_tail_call(ctx, &no_session_programs, 0);
	return opens(th, &next);
}

static __always_inline int session_closes(u64 address)
{
	struct tls_key key = { .ssl = address, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *x = bpf_map_lookup_elem(&tls_sessions, &key);

	if (!x)
		return 0;
	tls_stream_closes(x->number);
	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}

SEC("?uprobe/tls_free")
int on_tls_free(struct pt_regs *ctx)
{
	session_closes(ARG1(ctx));
	OWN_STACK(ctx);
	return 0;
}
