/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections_payload.h: payload from the kernel's counters of a TCP socket, which count SYN and
 * FIN as a byte each (net/ipv4/tcp_input.c).
 */
#pragma once

#include "bpf/collectors/connections/connections.h"

/* bytes_received counts the peer's FIN. flags: WS_*. */
static inline __u64 payload_received(__u64 bytes_received, __u32 flags)
{
	return bytes_received - (flags & WS_FIN_RECEIVED && bytes_received ? 1 : 0);
}

/* bytes_acked counts our FIN, and the SYN if we opened the connection. */
static inline __u64 payload_acked(__u64 bytes_acked, __u32 flags)
{
	return bytes_acked - (flags & WS_FIN_ACKED && bytes_acked ? 1 : 0);
}

static inline __u64 payload_less_syn(__u64 acked, int opened)
{
	return opened && acked ? acked - 1 : acked;
}
