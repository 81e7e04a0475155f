/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_table.h: the connections and flows that are known, by socket
 * cookie and peer, each with the row that is shown of it. Sampler thread only.
 *
 * A row that a snapshot has is never changed: row_own() makes a copy of it
 * first. What only the row needs to say is kept nowhere else.
 */
#ifndef OTTOP_CONNECTIONS_TABLE_H
#define OTTOP_CONNECTIONS_TABLE_H

#include "bpf/collectors/collector.h"
#include "bpf/model/hash.h"
#include "bpf/model/rate.h"
#include "bpf/collectors/connections/connections_tcp.h"

#define CONNS_KEPT 60000	/* rows in a snapshot */
#define CONNS_TRIM_TICKS 20	/* after many have ended: then nobody shows them any more */
#define CONNS_MAX (1u << 17)	/* in the table, about 500 bytes each: anybody can make flows, fast */

struct conn {
	struct hash_node node;
	u64 cookie;
	u64 socket;			/* UDP: what its datagrams are counted under */
	u32 generation;			/* of those that its socket had, one after the other */
	u8 remote[16], local[16];
	struct connections_row *row;	/* as of now; one reference */
	struct counter rx, tx, segs, retransmits, connections;
	u64 begun_ns;			/* 0: before we looked */
	u64 read_ns, rated_ns;		/* counters were last read, and last made into rates */
	u32 pass, owner_pass, shared_pass;	/* the last one that met it, its owner, others */
	u16 rport;
	u8 proto, state, direction;
	u8 direction_by;		/* enum conn_evidence */
	u8 counted;			/* direction by the counters, when they were last read */
	bool weighed;			/* a pass ended that could have found a listener for it */
	bool changed;			/* the row, since a snapshot got it */
	bool closed;
	bool updated;			/* its counters were read since the last tick */
	bool used;			/* its owner was seen to use it, not only to hold it */
	bool guessed;			/* its owner is who listens there: nobody has accepted it yet */
	bool announced;			/* the event of its opening was made */
	bool many;			/* not one, but short ones that are counted together */
	bool shared;			/* the last pass met several that hold it */
};

/*
 * The connection, or NULL. UDP flows of one socket differ by peer; a TCP socket has one at a
 * time, and the next one is of the next generation.
 */
struct conn *conn_find(u64 cookie, u32 generation, const struct wire_ends *peer);
/* The same for a flow that is known to be one of its socket's: of any generation. */
struct conn *conn_find_flow(u64 cookie, const struct wire_ends *peer);
/* True when it has ended since the last tick. */
bool conn_ended(u64 cookie, u32 generation, const struct wire_ends *peer);
/* The connection; made when it is new. The row has its ends then. NULL: the table is full. */
struct conn *conn_get(u64 cookie, u32 generation, u8 proto, u16 flags, const struct wire_ends *ends,
		      u64 now_ns, bool *ret_new);
/* "tcp", "mptcp" for one of the connections of MPTCP, "udp", "udplite". */
const char *conn_proto_name(u8 proto, u16 flags);
/* The row, for writing. */
struct connections_row *conn_row(struct conn *c);
/* Says who opened it, unless what is known has better evidence. */
void conn_set_direction(struct conn *c, struct conn_verdict v);
/* Says who uses it. `used`: it was seen to do so, which beats who only holds it. */
void conn_set_owner(struct conn *c, const struct wire_owner *o, bool used);
/* It ended: this tick's row is the last. `failed`: it was never a connection. */
void conn_close(struct conn *c, enum conn_reason reason, bool failed, u64 time_ns);
void conn_each(void (*fn)(struct conn *c, void *arg), void *arg);
/* All that the table has. */
u32 conn_count(void);
/* How often there was no room for a new one. */
u64 conn_refused(void);
/* How many the longest chain has; for tests. */
u32 conn_longest(void);
/* Ended ones whose last row did not fit: nothing will be known of them. */
u64 conn_rows_dropped(void);
/* Adds the rows of this tick, forgets the closed ones. How many did not fit. */
u32 conn_rows(const struct tick *t);
void conn_clear(void);

#endif
