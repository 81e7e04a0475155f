/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_go.bpf.h: HTTP inside Go's crypto/tls. Go moves its stacks, so return probes, which replace a
 * return address, are impossible: entry probes on Write give what is written, probes at the copy
 * within Read give what was read. A goroutine may move to another thread, so calls are keyed by the
 * goroutine's address, which is always in a register, also within a system call. The socket of a
 * session is the one on which its goroutine moves TLS records next.
 */
#pragma once

#define GO_CALLS 16384

/* Go's internal ABI (cmd/compile/abi-internal.md): arguments in registers since 1.17, and the goroutine. */
#if defined(__TARGET_ARCH_x86)
#define GO_ARG1(r) ((r)->ax)
#define GO_ARG2(r) ((r)->bx)
#define GO_ARG3(r) ((r)->cx)
#define GO_ROUTINE(r) ((r)->r14)
#define GO_GROWS(r) ((r)->flags & 0x41)	/* below or equal: CF, ZF; see placement_go() */
#elif defined(__TARGET_ARCH_arm64)
#define GO_ARG1(r) ((r)->user_regs.regs[0])
#define GO_ARG2(r) ((r)->user_regs.regs[1])
#define GO_ARG3(r) ((r)->user_regs.regs[2])
#define GO_ROUTINE(r) ((r)->user_regs.regs[28])
#define GO_GROWS(r) 0
#endif

struct go_routine { u64 g; u32 tgid, pad; };

/* The last call of a goroutine. */
struct go_call {
	u64 session;
	u64 joins;		/* it has moved no record since */
};

LRU_HASH(go_calls, GO_CALLS, struct go_routine, struct go_call);

bool go_on;			/* a probe was hit */

/* The number of a session; a new one if the old one is no longer followed. */
__noinline int go_session(u64 address)
{
	struct tls_key key = { .ssl = address, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *x = bpf_map_lookup_elem(&tls_sessions, &key);
	u64 number = x ? x->number : 0;

	if (x && !socket_find(number))
		x = NULL;
	return (x ? x : session_new(&key)) != NULL;
}

/* TLS records were moved: joins the socket with the session of the goroutine's current call. */
static __always_inline void go_joins(struct sock *sk, u64 key, struct http_socket *s, bool traced)
{
	struct pt_regs *regs;
	struct go_routine r = {};
	struct tls_key k = {};
	struct tls_session *x;
	struct go_call *c;

	if (!go_on || s->first[0])
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	r.tgid = bpf_get_current_pid_tgid() >> 32;
	r.g = GO_ROUTINE(regs);
	c = bpf_map_lookup_elem(&go_calls, &r);
	if (!c || !c->joins)
		return;
	c->joins = false;
	k.ssl = c->session;
	k.tgid = r.tgid;
	if (!go_session(k.ssl))
		return;
	x = bpf_map_lookup_elem(&tls_sessions, &k);
	if (!x || x->socket)
		return;
	s->first[0] = x->number;
	x->v6 = traced ? fill_ends_num(&x->ends, sk) : read_ends(&x->ends, sk);
	x->socket = key;
}

static __always_inline void go_moved(u64 address, u64 base, u32 n, bool tx)
{
	struct tls_key key = { .ssl = address, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct moved m = { .base = base, .total = n, .tx = tx, .unread_us = HTTP_UNKNOWN_US };
	struct tls_session *x = bpf_map_lookup_elem(&tls_sessions, &key);
	struct http_socket *s;
	u64 number = x ? x->number : 0;

	s = x ? socket_find(number) : NULL;
	if (!s || s->class == HTTP_NO)
		return;
	m.key = number;
	m.socket = x->socket;
	m.ends = x->ends;
	m.v6 = x->v6;
	m.begin_ns = m.end_ns = bpf_ktime_get_boot_ns();
	emit_moved(&m, s, HTTP_TLS);
}

SEC("?uprobe/go_call")
int on_go_call(struct pt_regs *ctx)
{
	struct go_routine r = { .g = GO_ROUTINE(ctx), .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct go_call call = { .session = GO_ARG1(ctx), .joins = true }, *c;
	u64 kind = bpf_get_attach_cookie(ctx), n = GO_ARG3(ctx);

	if (kind == GO_COPY) {
		c = bpf_map_lookup_elem(&go_calls, &r);
		if (!c)
			return 0;
		c->joins = false;
		call.session = c->session;
	} else if (GO_GROWS(ctx)) {
		return 0;
	} else if (kind == GO_CLOSE) {
		return session_closes(call.session);
	} else {
		go_on = true;
		bpf_map_update_elem(&go_calls, &r, &call, BPF_ANY);
	}
	if ((kind == GO_COPY || kind == GO_WRITE) && n && !(n >> 31) && go_session(call.session))
		go_moved(call.session, GO_ARG2(ctx), n, kind == GO_WRITE);
	OWN_STACK(ctx);
	return 0;
}
