/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections.h: what connections.bpf.c and connections_calls.bpf.c tell user
 * space. Times in ns, CLOCK_BOOTTIME; counters as the kernel has them: what is
 * payload of them is worked out in connections_tcp.c.
 */
#ifndef OTTOP_CONNECTIONS_H
#define OTTOP_CONNECTIONS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "bpf/kernel/net.h"

#define CONN_RING_BYTES (1 << 20)
#define FLOWS_MAX 16384
#define SHARED_MAX 4096

/* include/net/tcp_states.h */
enum tcp_state {
	TCPS_ESTABLISHED = 1, TCPS_SYN_SENT, TCPS_SYN_RECV, TCPS_FIN_WAIT1, TCPS_FIN_WAIT2, TCPS_TIME_WAIT,
	TCPS_CLOSE, TCPS_CLOSE_WAIT, TCPS_LAST_ACK, TCPS_LISTEN, TCPS_CLOSING, TCPS_NEW_SYN_RECV
};

enum wire_sock_flags {
	WS_OPENED = 1,		/* by connect(): seen, not guessed */
	WS_ACCEPTED = 2,
	WS_FIN_SENT = 4,
	WS_FIN_ACKED = 8,
	WS_FIN_RECEIVED = 16,
	WS_V6 = 32,		/* addresses have 16 bytes; else 4 */
	WS_FIN_IN_FLIGHT = 64,
	WS_CLOSES = 128,	/* of conn_state: it has begun to end on our side */
	WS_OWNER_LATER = 256,	/* ended before its process used it: who that is comes with its close() */
	WS_OWNER_TOLD = 512,	/* no end, but the owner of one that came before */
};

/* One socket: from the iterators, and in struct wire_end. */
struct wire_sock {
	__u64 cookie;
	__u64 ino;		/* of its file; 0: none, or not asked */
	struct wire_ends ends;
	struct wire_owner owner;
	__u8 proto, state;
	__u16 flags;
	__u32 in_flight;	/* bytes from snd_una to snd_nxt: data, FIN */
	__u64 begun_ns;		/* SYN sent, or accepted by the kernel; 0: before we looked */
	__u64 open_ns;		/* established; 0: before we looked, or never */
	__u64 bytes_received, bytes_acked, bytes_sent, bytes_retrans;
	__u32 segs_in, segs_out, retransmits;
	__u32 srtt_8us;		/* in eighths of a microsecond */
	__u32 rtt_min_us, cwnd;
};

/* The end of a TCP connection, or a connect() that failed. */
struct wire_end {
	struct wire_sock sock;	/* state: the last one before the end */
	__u64 time_ns;
	__s32 err;		/* errno of the socket; 0: none */
	__u32 pad;
};

/* ---- what connections.bpf.c keeps of a connection, from its SYN to its end ---- */

struct conn_state {
	__u64 begun_ns, open_ns;
	struct wire_owner owner;
	__u32 flags;		/* WS_OPENED, WS_ACCEPTED, WS_CLOSES */
	__u32 writes;		/* see moved() in connections.bpf.c */
};

/*
 * A young connection's is in the place that its cookie says. Cookies count up, so
 * that these places are neighbours and warm, which the buckets of a large hash table
 * never are: that was half of what a short connection cost. What has grown older, or
 * found its place taken, is in the map `conns`: see connections_young.h.
 */
struct conn_slot {
	__u64 cookie;		/* 0: free */
	struct conn_state state;
};

#define YOUNG_SLOTS 4096
#define YOUNG_MOVED (~0ull)	/* as cookie: is in `conns` now, but somebody may still look here */

/* Where a socket was; whether it is still that one, its cookie tells. */
struct sock_ref {
	__u64 cookie, sk;
};

#define CROWDED_MAX 2048
#define ASKED_MAX 32

/* ---- UDP ---- */

struct flow_key {
	__u64 socket;		/* cookie; with bit 63: number of its inode (kernels before 6.3) */
	__u8 remote[16];
	__u16 rport;
	__u16 v6;
	__u32 pad;
};

#define FLOW_BY_INODE (1ull << 63)

struct flow {
	__u64 rx_bytes, tx_bytes;
	__u32 rx_packets, tx_packets;
	__u64 begun_ns, last_ns;
	__u8 local[16];
	__u16 lport;
	__u16 local_v6;
	__u32 netns;
	struct wire_owner owner;	/* who used it last */
};

/* Flows that take_flows() took out of a map. */
struct taken_flow {
	struct flow_key key;
	struct flow value;
};

#define TAKEN_MAX 256

#endif
