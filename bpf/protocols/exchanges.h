/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exchanges.h: a connection's open exchanges, built from parts of messages. For follow.c. */
#pragma once

#include "bpf/model/hash.h"
#include "bpf/protocols/follow.h"
#include "bpf/protocols/sent.h"

/* Kept small, as there may be tens of thousands: what an open request needs is in the exchange. */
struct conn {
	struct hash_node node;	/* by cookie */
	u64 cookie;
	u64 socket;		/* the cookie of its socket; 0: not known */
	u64 position[2];	/* of the next byte, by direction: HTTP_RX, HTTP_TX */
	u64 process_start_ns;
	struct exchange *first;	/* open ones, oldest first */
	struct sent *sent;	/* what the other end, on this host, has not read yet */
	void *state;		/* of the protocol: at first_state, unless the connection was upgraded */
	u32 last_s;		/* last activity: CLOCK_BOOTTIME, in seconds */
	u32 lost;		/* messages, as the protocol counts them */
	u32 held_lost;		/* requests that count as lost once the protocol is certain */
	u32 tgid, tid;		/* its last user, as of the last record */
	u16 n_open;
	u16 local_port, remote_port;
	u8 protocol;
	u8 asks : 1;		/* the direction in which requests go */
	u8 started : 2;		/* bits of directions that records have come for */
	bool v6 : 1, has_peer : 1, tls : 1;
	bool over : 1;		/* no longer a known protocol: further records are ignored */
	bool own : 1;		/* the other end may be on this host */
	bool holds : 1;		/* has finished or lost requests that are held back until the protocol is certain */
	u8 local[16], remote[16];
	u64 first_state[];
};

struct follower {
	struct hash_table conns;
	struct follow_counts counts;
	struct follow_sink sink;
	/* the record that is being processed */
	struct conn *conn;
	const struct http_record *record;
	u32 direction;
	bool ending;
};

/* See is_certain of struct protocol. */
bool exchange_is_certain(const struct conn *c);
/* Reports what was held back, if the protocol of f->record's connection is certain by now. */
void exchanges_release(struct follower *f);
/* The bytes of f->record have been read. */
void exchanges_note_moved(struct follower *f);
/* Callback for the protocol of f->conn; arg is the follower. Finished exchanges go to its sink. */
void exchanges_take_part(void *arg, const struct part *p);
/* The connection was upgraded: this exchange continues as the first of the new protocol, the others are lost. */
void exchanges_keep_one(struct follower *f, struct conn *c, u64 number);
/* The connection ended: reports all open exchanges as failed. Reports nothing while the protocol is not certain. */
void exchanges_abort(struct follower *f, struct conn *c);
/* All open exchanges count as lost, except those that have ended and are held back. */
void exchanges_drop(struct follower *f, struct conn *c);
/* It was not that protocol after all: forgets all exchanges without counting them. */
void exchanges_were_none(struct follower *f, struct conn *c);
