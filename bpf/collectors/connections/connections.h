/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections.h: structures shared by connections.bpf.c, connections_calls.bpf.c and
 * user space. Times in ns, CLOCK_BOOTTIME; counters as in the kernel: payload bytes are
 * derived from them in connections_tcp.c.
 *
 * The life of a TCP connection. `young` and `conns` are the programs' tables, `table` is user
 * space's (connections_table.c); a key is (cookie, generation).
 *
 *   state     what the tables have                event that leads to it              file
 *   none      nothing
 *   opening   young: owner, begun_ns              state SYN_SENT, in connect()        connections.bpf.c: begin()
 *   failed    nothing; the table until the tick   connect() refused before a SYN      connections_calls.bpf.c
 *   open      young: open_ns                      state ESTABLISHED                   connections.bpf.c: established()
 *   old       conns instead of young              a second has passed                 connections_young.c
 *   shown     the table too                       a pass over all files saw it        connections_pass.c
 *                                                 or passes are slow: read by itself  connections_fresh.c
 *   owned     the row has a process               by connect() or close()             connections.bpf.c
 *                                                 by holding a descriptor, last use   connections_holders.c
 *                                                 by listening: not accepted yet      connections_pass.c
 *   closing   young or conns: WS_CLOSES           close(), shutdown()                 connections.bpf.c: closing()
 *   waiting   young or conns; its end is kept     state CLOSE, accepted, no owner yet connections_late.c
 *   ended     nothing; the table until the tick   state CLOSE: struct wire_end        connections.bpf.c: end(),
 *                                                 what that missed: tcp_destroy_sock  connections.c: take_end()
 *   counted   young or conns: WS_COUNTED           state CLOSE of one of very many    connections_short.h
 *                                                 passes no longer see it: lost       connections_pass.c
 *
 * connect() by a socket that was used before begins again at `opening`, as the next generation.
 *
 * What always holds:
 * - From SYN to end find() finds the entry, also while it is moved: it is in `conns` before it leaves its
 *   place in `young`.
 * - The end comes from on_state or, where that was missed, from on_destroy: at least once. Both may report it if
 *   it ends while it is moved. User space takes the first (conn_note_end()); whatever comes of that (cookie,
 *   generation) afterwards neither ends it again nor opens a row (conn_ended()).
 * - Records of one socket are taken in the order in which they were made: a pass reads no further while the ring
 *   is drained, and leaves none behind in its buffer.
 * - Who closes it is its owner, unless the last reference was held by somebody who only looked: only_looked().
 *
 * UDP has no events: a flow is there from its first datagram (connections_flows.bpf.h, taken by
 * connections_udp.c) until its socket is gone, or after a minute's rest where it has other peers.
 */
#pragma once

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
	WS_CLOSES = 128,	/* of conn_state: our side has begun to close */
	WS_OWNER_LATER = 256,	/* ended before its process used it: its owner follows at close() */
	WS_LATE_OWNER = 512,	/* not an end, but the owner of an earlier one */
	WS_CONNECTED = 2048,	/* begun before ottop, with a port that connect() has chosen */
	WS_SHOWN = 4096,	/* of conn_state: user space has a row for it */
	WS_COUNTED = 8192,	/* of conn_state: it has ended, counted with others: connections_short.h */
	WS_MPTCP = 1024,	/* a subflow of MPTCP */
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
	__u64 begun_ns;		/* SYN sent, or accepted by the kernel; 0: before ottop */
	__u64 open_ns;		/* established; 0: before ottop, or never */
	__u64 bytes_received, bytes_acked, bytes_sent, bytes_retrans;
	__u32 segs_in, segs_out, retransmits;
	__u32 srtt_8us;		/* in eighths of a microsecond */
	__u32 rtt_min_us, cwnd;
	__u32 generation;	/* see struct conn_state */
	__u32 pad;
};

/* The end of a TCP connection, or a connect() that failed. */
struct wire_end {
	struct wire_sock sock;	/* state: the last one before the end */
	__u64 time_ns;
	__s32 err;		/* errno of the socket; 0: none */
	__u32 pad;
};

/* ---- state of a connection in connections.bpf.c, from its SYN to its end ---- */

struct conn_state {
	__u64 begun_ns, open_ns;
	struct wire_owner owner;
	__u32 flags;		/* WS_OPENED, WS_ACCEPTED, WS_CLOSES, WS_SHOWN, WS_COUNTED: set by mark() */
	__u32 writes;		/* see moved() in connections_kept.bpf.h */
	__u32 generation;	/* of a socket that connects again: 1 and up */
	__u32 pad;
};

/*
 * State of young connections is in an array indexed by the cookie. Cookies count up, so
 * that recent ones are neighbours and in the cache, unlike the buckets of a large hash
 * table: that was half of the cost of a short connection. Older connections, and those
 * whose place was taken, are in the map `conns`: see connections_young.h.
 */
struct conn_slot {
	__u64 cookie;		/* 0: free */
	struct conn_state state;
};

#define YOUNG_SLOTS 4096
#define YOUNG_MOVED (~0ull)	/* as cookie: moved to `conns`, but a program may still use this place */

/* Address of a socket; the cookie tells whether it is still the same one. */
struct sock_ref {
	__u64 cookie, sk;
};

#define CROWDED_MAX 2048
#define ASKED_MAX 32

/* Sockets of other protocols that a pass sees: none of their traffic is counted. */
enum unobserved { UNOBSERVED_SCTP, UNOBSERVED_SMC, UNOBSERVED_DCCP, N_UNOBSERVED };

/* ---- UDP ---- */

struct flow_key {
	__u64 socket;		/* cookie; with bit 63: number of its inode (kernels before 6.3) */
	__u8 remote[16];
	__u16 rport;
	__u16 v6;
	__u32 pad;
};

#define FLOW_BY_INODE (1ull << 63)

enum { FLOW_RX_UNCLEAR = 1, FLOW_TX_UNCLEAR = 2 };

struct flow {
	__u64 rx_bytes, tx_bytes;
	__u32 rx_packets, tx_packets;
	__u64 begun_ns;
	__u64 last_ns;		/* of the last datagram, up to one jiffy (1 to 10 ms) too early */
	__u8 local[16];
	__u16 lport;
	__u16 proto;		/* UDP or UDP-Lite */
	__u32 netns;
	__u32 unclear;		/* FLOW_*: the packet count is too low */
	__u32 last_jiffies;	/* jiffies (low 32 bits) when last_ns was read */
	struct wire_owner owner;	/* its last user */
};

/* Flows that take_flows() took out of a map. */
struct taken_flow {
	struct flow_key key;
	struct flow value;
};

/* A flow uses one of SLOT_PROBES slots from its key's hash on; if all are taken, the map. */
enum { SLOT_FREE, SLOT_CLAIMED, SLOT_READY };

struct flow_slot {
	__u32 state, pad;
	struct taken_flow flow;
};

#define SLOTS_MAX 512		/* in each of the two sets */
#define SLOT_PROBES 4

#define TAKEN_MAX 256
