/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire.h: what the programs of the collector http put into their ring: one
 * record for each piece of memory that a call on an HTTP connection moved. Times
 * in ns, CLOCK_BOOTTIME.
 */
#ifndef OTTOP_PROTOCOLS_WIRE_H
#define OTTOP_PROTOCOLS_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define HTTP_RING_BYTES (4 << 20)
#define HTTP_SMALL 64
#define HTTP_LARGE 4096		/* bytes of one piece that are captured at most */
#define HTTP_TAIL 8

enum http_record_kind { HTTP_RX, HTTP_TX, HTTP_RX_END, HTTP_TX_END, HTTP_CLOSED };

enum http_record_flags {
	HTTP_BEGINS = 1,	/* the first piece of its call; of HTTP/2: it begins with a frame */
	HTTP_HAS_ENDS = 2,
	HTTP_V6 = 4,
	HTTP_TAILED = 8,	/* tail is valid */
	HTTP_EXACT = 16,	/* begin_ns is when the call was entered */
	HTTP_TLS = 32,		/* what a TLS library was given, or gave */
	HTTP_THREAD = 64,	/* off_ns and runq_ns are valid */
	HTTP_SUMS = 128,	/* of an end: position and sent are valid */
};

#define HTTP_UNKNOWN_US 0xffffffffu

struct http_record {
	__u64 cookie;		/* of the socket, or of the TLS session (HTTP_SESSION) */
	__u64 begin_ns, end_ns;	/* of the call */
	__u64 position;		/* of the first byte in its direction; where these jump, records are lost. Of an end: bytes received */
	__u64 start_ns;		/* of the process */
	__u64 socket;		/* its cookie; 0: not known (then there are no ends either) */
	__u32 tgid, tid;
	__u32 len;		/* bytes of the piece */
	__u16 n;		/* of them captured: at data, the first ones */
	__u8 kind, flags;
	__u8 before[HTTP_TAIL];	/* n_before bytes that came in calls before, too few to recognise */
	__u8 tail[HTTP_TAIL];	/* the last ones */
	__u32 n_before;
	__u32 netns;
	__u8 local[16], remote[16];
	__u16 lport, rport;
	__u32 unread_us;	/* what was read was in the socket for so long, at least */
	union {
		__u64 off_ns;	/* of the thread, so far: not on a CPU */
		__u64 sent;	/* of an end: bytes sent */
	};
	__u64 runq_ns;		/* of off_ns: runnable */
	__u8 data[];
};

/*
 * A piece of a body, of which there are many: begins as http_record does. A record
 * of this size is one; no http_record is that small but the ends, which have no bytes.
 */
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
 * A read of what a process of this host wrote, whose bytes came with that: on the socket `peer`, up to the
 * position `peer_end` there (its lower half). A record of this size is one.
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

/* Processes of which is known that they may speak HTTP, and that it cannot be seen. */
#define HTTP_UNSEEN_PROCESSES 256
enum http_unseen { UNSEEN_TLS, UNSEEN_SOME_TLS /* noted by user space */, UNSEEN_RING, UNSEEN_QUIC, N_UNSEEN };
struct http_unseen_key { __u32 tgid, how; };

/* Numbers of TLS sessions are above those of sockets. */
#define HTTP_SESSION (1ull << 63)

/* What is kept of a TCP socket, by its cookie; of a TLS session, by its number. */
enum http_class { HTTP_UNKNOWN, HTTP_YES, HTTP_NO, HTTP_IN_TLS /* a socket: first[0] is its session */, HTTP_2 };

/* Where in the frames of HTTP/2 a direction is. */
struct http_frames {
	__u64 head;		/* n_head bytes of a frame's head */
	__u32 left;		/* bytes of its payload */
	__u8 n_head;
	__u8 skip;		/* the payload is not captured */
	__u8 known;		/* where frames begin */
	__u8 pad;
};

struct http_socket {
	__u64 key;		/* its number; 0: nobody's place */
	__u64 position[2];	/* bytes so far, by direction: HTTP_RX, HTTP_TX */
	__u64 first[2];		/* the first bytes, while they are too few to tell */
	__u32 room[2];		/* bytes of this head that may still be captured */
	__u8 n_first[2];
	__u8 class, tries;
	__u8 last;		/* where bytes went last: 1 and their direction; 0: nowhere yet */
	__u8 tries_peer;	/* see http_same.bpf.h */
	__u8 contested;		/* others wanted its place since it was used: see http_sockets.bpf.h */
	__u8 asks;		/* 1 and the direction of requests; 0: not known */
	union {
		__u64 peer;	/* of a socket: the one at the other end, where that is on this host; 0: not known */
		__u64 ssl;	/* of a session: its address, in the process tgid */
	};
	__u32 sent_known;	/* so many bytes of it at the end were told by the last call */
	__u32 tgid;
	__u64 sent;		/* up to where what it sent is told: position << 32 | TCP's number */
	struct http_frames frames[2];
	__u32 drained;		/* of TLS: it had nothing when it was read last, and no part of a record was there */
	__u32 last_asked;	/* of HTTP/2: the highest stream on which a request has begun */
	__u64 pad_line;		/* a cache line is not shared by two of them */
};

#define HTTP_SOCKETS_MAX 32768	/* a power of two; maps are as large as there are sockets at the beginning */
#define HTTP_SOCKETS_ASIDE 65536	/* more of them: allocated when they come */

/* Where a socket is kept; sessions from the other end, as both are numbered from 1 on. */
static inline __u32 place_by_number(__u64 key, __u32 mask)
{
	return (__u32)(key & HTTP_SESSION ? ~key : key) & mask;
}

#endif
