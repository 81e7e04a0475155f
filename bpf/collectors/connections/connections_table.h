/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_table.h: known connections and flows, by socket cookie and peer, with their rows. A
 * row that a snapshot references is copied by row_own() before a change. Sampler thread only.
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/model/hash.h"
#include "bpf/model/rate.h"
#include "bpf/collectors/connections/connections_tcp.h"

#define CONNS_KEPT 60000	/* rows in a snapshot */
#define CONNS_TRIM_TICKS 20	/* after many have ended: by then no snapshot references them */
#define CONNS_MAX (1u << 17)	/* about 500 bytes each; bounded, as any user can create flows fast */

struct conn {
	struct hash_node node;
	u64 cookie;
	u64 socket;			/* UDP: socket in the key of its flows */
	u32 generation;			/* numbers the successive connections of one socket */
	u8 remote[16], local[16];
	struct connections_row *row;	/* as of now; one reference */
	struct counter rx, tx, segs, retransmits, connections;
	u64 begun_ns;			/* 0: before ottop */
	u64 read_ns, rated_ns;		/* when counters were last read, and rates last computed */
	u32 pass, owner_pass, shared_pass;	/* last pass that saw it, its owner, other holders */
	u16 rport;
	u8 proto, state, direction;
	u8 direction_by;		/* enum conn_evidence */
	u8 counted;			/* direction by its counters, at their last reading */
	bool weighed;			/* a pass is over that could have found its listener */
	bool changed;			/* the row, since the last snapshot */
	bool closed;
	bool updated;			/* its counters were read since the last tick */
	bool used;			/* its owner was seen using it, not only holding it */
	bool guessed;			/* not accepted yet: its owner is the listening process */
	bool announced;			/* the event of its opening was emitted */
	bool many;			/* stands for many short connections */
	bool shared;			/* the last pass saw several holders */
};

/* Or NULL. UDP flows of a socket differ by peer, TCP connections of a socket by generation. */
struct conn *conn_find(u64 cookie, u32 generation, const struct wire_ends *peer);
/* The same for a UDP flow, of any generation. */
struct conn *conn_find_flow(u64 cookie, const struct wire_ends *peer);
/* The programs have reported its end. Needs no entry in the table. */
void conn_note_end(const struct wire_sock *w, u64 time_ns);
/*
 * True for a record of a TCP connection whose end was noted: a (cookie, generation) ends once and is not used
 * again, so nothing may open a row of it, or end it, any more. Remembers the last ends, not all.
 */
bool conn_ended(const struct wire_sock *w);
/* The connection; created, with the addresses in its row, if it is new. NULL: the table is full. */
struct conn *conn_get(u64 cookie, u32 generation, u8 proto, u16 flags, const struct wire_ends *ends,
		      u64 now_ns, bool *ret_new);
/* "tcp", "mptcp" (a subflow), "udp", "udplite". */
const char *conn_proto_name(u8 proto, u16 flags);
/* The row, for writing. */
struct connections_row *conn_row(struct conn *c);
/* Sets the direction, unless the known one has better evidence. */
void conn_set_direction(struct conn *c, struct conn_verdict v);
/* Sets the owner. `used`: it was seen using the connection, which overrides mere holders. */
void conn_set_owner(struct conn *c, const struct wire_owner *o, bool used);
/* It ended: this tick's row is the last. `failed`: it was never established. */
void conn_close(struct conn *c, enum conn_reason reason, bool failed, u64 time_ns);
void conn_each(void (*fn)(struct conn *c, void *arg), void *arg);
/* Number of connections in the table. */
u32 conn_count(void);
/* How often the table was full. */
u64 conn_refused(void);
/* Length of the longest hash chain; for tests. */
u32 conn_longest(void);
/* Ended connections whose last row did not fit into a snapshot. */
u64 conn_rows_dropped(void);
/* Adds the rows of this tick, removes closed connections. How many rows did not fit. */
u32 conn_rows(const struct tick *t);
void conn_clear(void);
