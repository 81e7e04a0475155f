/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h: what the protocol reader hands to the sampler each tick: counters of each
 * endpoint since the last report, and some of its requests. A message carries the head,
 * a sealed memfd the arrays in the order of this file. The reader is not trusted:
 * protocols_receive() validates everything.
 */
#pragma once

#include "bpf/helpers/launch.h"
#include "bpf/protocols/protocol.h"

#define REPORT_ENDPOINTS 2048	/* in one tick; the rest goes to the `other` row of its process */
#define REPORT_REQUESTS 256	/* listed in one tick: each endpoint's errors and slowest */
#define REPORT_MORE_BYTES (8u << 20)	/* for the others, when all are asked for */
#define REPORT_REQUESTS_ALL (REPORT_REQUESTS + REPORT_MORE_BYTES / (u32)sizeof(struct report_request))
#define REPORT_OVER 1024
#define REPORT_DURATIONS 4096	/* in one tick */
#define DURATION_BUCKETS 15	/* the last one has no upper bound */

/* Key, then numbers. Texts in the key are padded with NULs, so keys compare as bytes. */
struct report_endpoint {
	u64 process_start_ns;
	u32 tgid;
	u8 server, protocol, other, tls;
	char method[METHOD_MAX], path[PATH_MAX_KEPT];
	u64 count, unlisted;	/* unlisted: how many of them are not among the requests */
	u64 errors, sum_ns, min_ns, max_ns;	/* times: of those that were answered */
	u64 asked_bytes, answered_bytes;
	u64 in_flight, in_flight_max_ns;
};

#define ENDPOINT_KEY offsetof(struct report_endpoint, count)

struct report_status { u32 endpoint, status; u64 n; };	/* status 0: never answered */
struct report_bucket { u32 endpoint; s32 bucket; u64 n; };	/* as in hist.h; -1: zero */

/* Answered requests (durations.h). HTTP has call "", servers have no peer. */
struct report_duration {
	u64 process_start_ns;
	u32 tgid, status;
	u8 server, protocol, tls, has_peer, v6, pad;
	u16 remote_port;
	u8 remote[16];
	char method[METHOD_MAX], call[PATH_MAX_KEPT];
	u64 sum_ns, n[DURATION_BUCKETS];
};

#define DURATION_KEY offsetof(struct report_duration, sum_ns)

struct report_request {
	u64 start_ns, duration_ns, first_byte_ns;	/* the latter two: U64_MAX where there is none */
	u64 process_start_ns;
	u64 cookie;		/* of the socket; 0: not known */
	u64 asked_bytes, answered_bytes;
	u64 cpu_ns, runq_ns, blocked_ns, unread_ns, write_ns;	/* as of struct span */
	u32 tgid, tid, status, end_tid;
	u8 server, protocol, v6, has_peer;
	u16 local_port, remote_port;
	u8 tls, pad[3];
	u8 local[16], remote[16];
	char method[METHOD_MAX], path[PATH_MAX_KEPT], name[PATH_MAX_KEPT];	/* name: path, folded */
	char trace_id[TRACE_ID_LEN + 1], span_id[SPAN_ID_LEN + 1];
};

struct report_head {
	u32 seq;		/* of the question */
	u32 died;		/* how often the reader died since the last report; then the rest is empty */
	u32 n_endpoints, n_statuses, n_buckets, n_requests, n_durations, n_over;
	u32 n_listed;		/* how many of the requests, from the first, are listed */
	u32 connections, open_requests;
	/* since the reader was started */
	u64 records, lost_records, lost_requests, lost_messages, refused;
	u64 left_out;		/* requests of this tick that are counted, but not among these */
	u64 lost_durations;	/* of this tick: requests whose duration had no room */
};

/* The payload: these arrays, in this order. */
struct report {
	struct report_head head;
	const struct report_endpoint *endpoints;
	const struct report_status *statuses;
	const struct report_bucket *buckets;
	const struct report_request *requests;
	const struct report_duration *durations;
	const u64 *over;	/* cookies of connections that are no known protocol */
	void *map;
	size_t map_size;
};

/* Bytes of all arrays; SIZE_MAX: over the limit. */
size_t report_size(const struct report_head *h);
/*
 * Points a report's arrays (head filled in) into a payload of report_size() bytes (NULL: 0) and
 * validates them. False: must not be used.
 */
bool report_is_sane(struct report *r, const void *payload);

/* ---- the sampler's side (client.c) ---- */

/* Starts the reader, before threads exist and privileges are dropped. 0 or -errno. */
int protocols_start(void);
extern const struct helper_spec protocols_spec;
void protocols_stop(void);
int protocols_fd(void);		/* -1: it does not run */
/*
 * Asks for a report; the ring (a BPF ring buffer of HTTP_RING_BYTES) is read from
 * the first question until protocols_rest(). all: from now on unlisted requests are
 * reported too, as far as there is room. 0 or -errno.
 */
int protocols_ask(int ring_fd, bool all);
/* Pauses: the reader drops the ring and all its state. 0 or -errno. */
int protocols_rest(void);
/* The answer, waiting for it at most wait_ms. 0: give r back with protocols_done(); else -EAGAIN or -errno. */
int protocols_receive(struct report *r, int wait_ms);
void protocols_done(struct report *r);

/* ---- the process (server.c) ---- */

#define PROTOCOLS_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct protocols_question {
	u32 seq;
	u32 rest;
	u32 all;
};

/* Serves questions until the socket closes. */
void protocols_main(const void *arg);
