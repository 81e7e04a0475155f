/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow.h: follows connections through ring records: orders the bytes, has the protocol read them,
 * and pairs requests with answers.
 */
#pragma once

#include "bpf/protocols/protocol.h"
#include "bpf/protocols/wire.h"

/* Off-CPU counters of a thread at the time of a record. */
struct thread_mark {
	u64 at_ns;		/* 0: unknown */
	u64 off_ns, runq_ns;	/* off CPU; of that runnable */
	u32 tid;
};

/* One request and its answer. Times are CLOCK_BOOTTIME; texts live as long as it does. */
struct exchange {
	struct exchange *next;
	u64 number;
	u64 start_ns;		/* first byte of the request, as the process saw it */
	u64 first_ns;		/* first byte of the answer */
	u64 end_ns;		/* last byte of the answer */
	u64 process_start_ns;
	u64 cookie;		/* of the socket; 0: not known */
	u32 tgid, tid;
	u32 end_tid;		/* thread that moved the last byte; 0: unknown */
	u32 unread_us;		/* how long its first bytes were in the socket; HTTP_UNKNOWN_US */
	struct thread_mark from, to;	/* at its first and last byte */
	struct thread_mark moved[2];	/* only in the oldest open one: last transfer of the connection, by direction */
	u32 status;		/* 0: none */
	u64 asked_bytes, answered_bytes;
	char *path;		/* NULL: not known yet */
	char method[METHOD_MAX];
	char trace_id[TRACE_ID_LEN + 1], span_id[SPAN_ID_LEN + 1];
	u8 local[16], remote[16];
	u16 local_port, remote_port;
	enum protocol_id protocol;
	bool server, v6, has_peer, tls;
	bool asked, asked_done, answered, answered_done;
	bool aborted;		/* the connection ended before the answer did */
	bool uncertain;		/* its end was found by a heuristic, not by counting bytes */
	bool held;		/* it has ended, and is held back until the protocol is certain */
};

struct follow_counts {
	u64 records;
	u64 lost_records;	/* gaps in the positions of a direction */
	u64 lost_requests;	/* whose answer can no longer be identified */
	u64 lost_messages;	/* never seen whole */
	u64 refused;		/* connections beyond the limit */
	u32 connections, open_requests;
};

struct follow_sink {
	/* A request was answered, or has failed. */
	void (*done)(void *arg, const struct exchange *x);
	/* The connection is no known protocol. */
	void (*over)(void *arg, u64 cookie);
	void *arg;
};

struct follower;

struct follower *follower_new(const struct follow_sink *sink);
/* One record from the ring; its contents are not trusted. */
void follower_read(struct follower *f, const void *record, size_t size);
/* Calls fn for each request that is not answered yet. */
void follower_each_open(const struct follower *f, void (*fn)(void *arg, const struct exchange *x), void *arg);
/* Forgets connections on which nothing has happened for a while. */
void follower_sweep(struct follower *f, u64 now_ns);
struct follow_counts follower_counts(const struct follower *f);
void follower_free(struct follower *f);
