/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_datagrams.bpf.h: number, length and peer of a call's datagrams, from user memory. */
#pragma once

#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/collectors/connections/connections_flows.bpf.h"

/* include/linux/socket.h */
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000	/* reads the error queue: our own datagrams that failed */
#define MSG_CTRUNC 8
#define MSG_MORE 0x8000
#define MAX_MESSAGES 64

/* include/uapi/linux/udp.h, include/linux/udp.h */
#define UDP_SEGMENT 103
#define UDP_GRO 104
#define UDP_FLAGS_GRO_ENABLED 3

/* Bytes of struct sockaddr_in, sockaddr_in6: the address lengths that the kernel returns. */
#define SOCKADDR_V4 16
#define SOCKADDR_V6 28

/* ---- how many datagrams ---- */

#define CMSGS_MAX 4

struct cmsg32 { u32 len, level, type; };
struct cmsg64 { u64 len; u32 level, type; };

/*
 * Segment size by control data (UDP_SEGMENT, UDP_GRO); 0: none; -1: unknown. Global: verified once.
 */
__noinline int segment_of_msg(u64 msg, u32 compat, u32 type)
{
	u64 at = 0, left = 0, size = compat ? sizeof(struct cmsg32) : sizeof(struct cmsg64);
	u32 flags = 0;

	/* struct user_msghdr: control data, its length, flags */
	bpf_probe_read_user(&at, compat ? 4 : 8, (void *)(msg + (compat ? 16 : 32)));
	bpf_probe_read_user(&left, compat ? 4 : 8, (void *)(msg + (compat ? 20 : 40)));
	bpf_probe_read_user(&flags, sizeof(flags), (void *)(msg + (compat ? 24 : 48)));
	if (type == UDP_GRO && flags & MSG_CTRUNC)
		return -1;
	for (u32 i = 0; i < CMSGS_MAX && left >= size; i++) {
		struct cmsg64 c = {};
		u32 value = 0;
		u64 step;

		if (compat ? bpf_probe_read_user(&value, sizeof(value), (void *)at) :
			     bpf_probe_read_user(&c.len, sizeof(c.len), (void *)at))
			return -1;
		if (compat)
			c.len = value;
		if (bpf_probe_read_user(&c.level, 8, (void *)(at + size - 8)) || c.len < size)
			return -1;
		if (c.level == IPPROTO_UDP && c.type == type) {
			value = 0;	/* 16 bits when sending, 32 when receiving */
			bpf_probe_read_user(&value, type == UDP_SEGMENT ? 2 : 4, (void *)(at + size));
			return value & 0xffff;
		}
		step = compat ? (c.len + 3) & ~3ull : (c.len + 7) & ~7ull;
		left = step < left ? left - step : 0;
		at += step;
	}
	return left >= size ? -1 : 0;	/* more than CMSGS_MAX */
}

/* UDP_GRO is on: one receive may return several datagrams as one. */
static __always_inline bool coalesces(struct udp_sock *up)
{
	if (bpf_core_field_exists(up->udp_flags))
		return BPF_CORE_READ(up, udp_flags) >> UDP_FLAGS_GRO_ENABLED & 1;
	if (bpf_core_field_exists(up->gro_enabled))
		return BPF_CORE_READ_BITFIELD_PROBED(up, gro_enabled);
	return false;
}

#define UDP_OFFSET(member)	__builtin_preserve_field_info(((struct udp_sock *)0)->member, BPF_FIELD_BYTE_OFFSET)
#define NEAR 32

/* How the socket splits what is sent into datagrams. Both members are close together: one read where possible. */
static __always_inline void ask_sender(struct udp_sock *up, u32 *pending, u16 *segment)
{
	u32 far = UDP_OFFSET(gso_size) - UDP_OFFSET(pending);
	u8 near[NEAR] = {};

	if (far > NEAR - sizeof(*segment)) {
		*segment = BPF_CORE_READ(up, gso_size);
		*pending = BPF_CORE_READ(up, pending);
	} else if (!bpf_probe_read_kernel(near, sizeof(near), (void *)up + UDP_OFFSET(pending))) {
		*pending = *(u32 *)near;
		*segment = *(u16 *)(near + far);
	}
}

/* Since 6.2: casts `obj` to that type; it is then read without a helper call. */
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

struct sending { u32 pending; u16 segment; };

/* The socket's state after the call: its default segment size, and whether it is corked. */
static __always_inline void take_sending(struct amount *a, const struct sending *s)
{
	a->segment = s->segment;
	if (s->pending)		/* corked: counted with the datagram that is sent at last */
		a->packets = 0;
}

static __always_inline void ask_socket(struct amount *a, struct sock *sk, bool *ret_coalesces)
{
	struct udp_sock *up = (struct udp_sock *)sk;
	struct sending s = {};

	a->sockaddr = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6 ? SOCKADDR_V6 : SOCKADDR_V4;
	*ret_coalesces = !a->tx && coalesces(up);
	if (!a->tx)
		return;
	ask_sender(up, &s.pending, &s.segment);
	take_sending(a, &s);
}

/* The same for a socket that the verifier knows (6.3 and later): no helper calls. */
static __always_inline void ask_known_socket(struct amount *a, struct sock *sk, bool *ret_coalesces)
{
	struct udp_sock *up = bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct udp_sock));
	struct sending s = {};

	a->sockaddr = sk->__sk_common.skc_family == AF_INET6 ? SOCKADDR_V6 : SOCKADDR_V4;
	*ret_coalesces = false;
	if (!a->tx) {
		if (bpf_core_field_exists(up->udp_flags))
			*ret_coalesces = up->udp_flags >> UDP_FLAGS_GRO_ENABLED & 1;
		else if (bpf_core_field_exists(up->gro_enabled))
			*ret_coalesces = BPF_CORE_READ_BITFIELD(up, gro_enabled);
		return;
	}
	s.pending = up->pending;
	s.segment = up->gso_size;
	take_sending(a, &s);
}

static __always_inline void split(struct amount *a)
{
	if (a->segment && a->packets == 1 && a->bytes > a->segment)
		a->packets = ((u32)a->bytes + a->segment - 1) / a->segment;
}

/* For one message: its control data override the socket's segment size. */
static __always_inline void split_msg(struct amount *a, u64 msg, bool compat, bool coalesces)
{
	int value = 0;

	if (a->tx || coalesces)
		value = segment_of_msg(msg, compat, a->tx ? UDP_SEGMENT : UDP_GRO);
	if (value > 0)
		a->segment = value;
	else if (value < 0)
		a->unclear = 1;
	split(a);
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

static __always_inline bool peer_of_msg(struct wire_ends *e, u32 *v6, u64 msg, bool compat)
{
	struct user_name n = {};

	return name_of_msg(&n, msg, compat) && peer_from_user(e, v6, n.name, n.namelen);
}
