/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire.h: ring records of http's BPF programs, one for each buffer of a call. ns, CLOCK_BOOTTIME.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#define HTTP_RING_BYTES (4 << 20)
#define HTTP_SMALL 64
#define HTTP_LARGE 4096		/* bytes of one piece that are captured at most */
#define HTTP_TAIL 8

enum http_record_kind { HTTP_RX, HTTP_TX, HTTP_RX_END, HTTP_TX_END, HTTP_CLOSED };

enum http_record_flags {
	HTTP_BEGINS = 1,	/* the first piece of its call; HTTP/2: it begins at a frame boundary */
	HTTP_HAS_ENDS = 2,
	HTTP_V6 = 4,
	HTTP_TAILED = 8,	/* tail is valid */
	HTTP_EXACT = 16,	/* begin_ns is the entry of the call, not an estimate */
	HTTP_TLS = 32,		/* plain text passed to or returned by a TLS library */
	HTTP_THREAD = 64,	/* off_ns and runq_ns are valid */
	HTTP_SUMS = 128,	/* end of a stream: position and sent are valid */
};

#define HTTP_UNKNOWN_US 0xffffffffu

struct http_record {
	__u64 cookie;		/* of the socket, or of the TLS session (HTTP_SESSION) */
	__u64 begin_ns, end_ns;	/* of the call */
	__u64 position;		/* stream offset of the first byte; a gap means lost records. End of a stream: bytes received */
	__u64 start_ns;		/* of the process */
	__u64 socket;		/* its cookie; 0: unknown, and then there are no addresses either */
	__u32 tgid, tid;
	__u32 len;		/* bytes of the piece */
	__u16 n;		/* how many of them, from the first, are in data */
	__u8 kind, flags;
	__u8 before[HTTP_TAIL];	/* n_before bytes of earlier calls, kept because they were too few to classify */
	__u8 tail[HTTP_TAIL];	/* the last bytes of the piece */
	__u32 n_before;
	__u32 netns;
	__u8 local[16], remote[16];
	__u16 lport, rport;
	__u32 unread_us;	/* RX: how long the data was in the socket before it was read, at least */
	union {
		__u64 off_ns;	/* of the thread: off CPU, cumulative */
		__u64 sent;	/* end of a stream: bytes sent */
	};
	__u64 runq_ns;		/* the part of off_ns in which it was runnable */
	__u8 data[];
};

/* A short form for pieces of a body, recognised by the size of the record. */
#define HTTP_BODY_BYTES 24

struct http_body {
	__u64 cookie;
	__u64 end_ns;
	__u64 position;
	__u32 len;
	__u16 n;
	__u8 kind, flags;
	__u8 tail[HTTP_TAIL];
	__u32 tid, pad;
	__u64 off_ns, runq_ns;
	__u8 data[HTTP_BODY_BYTES];
};

/*
 * A read of bytes that were emitted by socket `peer`, ending at its position `peer_end` (low 32
 * bits). Recognised by the size of the record.
 */
struct http_same {
	__u64 cookie;
	__u64 end_ns;
	__u64 position;
	__u64 start_ns;		/* of the process */
	__u64 peer;
	__u32 peer_end;
	__u32 len;
	__u32 tgid, tid;
	__u32 unread_us;
	__u8 kind, flags;
	__u16 pad;
	__u64 off_ns, runq_ns;
};

#define HTTP_TLS_SPEAKERS 256

/* Processes that may speak HTTP in a way that we cannot observe. */
#define HTTP_UNSEEN_PROCESSES 256
enum http_unseen { UNSEEN_TLS, UNSEEN_SOME_TLS /* noted by user space */, UNSEEN_RING, UNSEEN_QUIC, N_UNSEEN };
struct http_unseen_key { __u32 tgid, how; };

/* Numbers of TLS sessions are above those of sockets. */
#define HTTP_SESSION (1ull << 63)

/* State of a TCP socket (by cookie) or of a TLS session (by our number). */
enum http_class { HTTP_UNKNOWN, HTTP_YES, HTTP_NO, HTTP_IN_TLS /* a socket: first[0] is its session */, HTTP_2 };

/* Parser state of one direction of HTTP/2. */
struct http_frames {
	__u64 head;		/* n_head bytes of a frame header that calls have split */
	__u32 left;		/* payload bytes to come */
	__u8 n_head;
	__u8 skip;		/* the payload is not captured */
	__u8 known;		/* the frame boundaries are known */
	__u8 pad;
};

struct http_socket {
	__u64 key;		/* cookie or session number; 0: a free place */
	__u64 position[2];	/* bytes so far, by direction: HTTP_RX, HTTP_TX */
	__u64 first[2];		/* the first bytes, while too few to classify */
	__u32 room[2];		/* bytes of the current head that may still be captured */
	__u8 n_first[2];
	__u8 class, tries;
	__u8 last;		/* 1 + direction of the last transfer; 0: none yet */
	__u8 tries_peer;	/* see http_same.bpf.h */
	__u8 contested;		/* collisions since its last use: see http_sockets.bpf.h */
	__u8 asks;		/* 1 + direction of requests; 0: unknown */
	union {
		__u64 peer;	/* socket: cookie of the other end, if that is on this host; 0: unknown */
		__u64 ssl;	/* session: its address, in the process tgid */
	};
	__u32 sent_known;	/* how many of the last sent bytes the last call emitted */
	__u32 tgid;
	__u64 sent;		/* where the emitted bytes end: position << 32 | TCP sequence number */
	struct http_frames frames[2];
	__u32 drained;		/* TLS: the last read found it empty, with no partial record left */
	__u32 last_asked;	/* HTTP/2: the highest stream with a request */
	__u64 pad_line;		/* to whole cache lines: no false sharing */
};

#define HTTP_SOCKETS_MAX 32768	/* a power of two; the map is sized at start, by the sockets there are */
#define HTTP_SOCKETS_ASIDE 65536	/* those that collide: allocated on demand */

/* Index of a socket's place; sessions are placed from the other end, as both count up from 1. */
static inline __u32 place_by_number(__u64 key, __u32 mask)
{
	return (__u32)(key & HTTP_SESSION ? ~key : key) & mask;
}
