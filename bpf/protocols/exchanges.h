/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exchanges.h: the requests of a connection that wait for their answer, made
 * and filled from the parts of messages that its protocol finds. For follow.c.
 */
#ifndef OTTOP_EXCHANGES_H
#define OTTOP_EXCHANGES_H

#include "bpf/model/hash.h"
#include "bpf/protocols/follow.h"
#include "bpf/protocols/sent.h"

/*
 * There may be tens of thousands, most of them idle: what is needed only while a request is under way
 * is in the exchange.
 */
struct conn {
	struct hash_node node;	/* by cookie */
	u64 cookie;
	u64 socket;		/* the cookie of its socket; 0: not known */
	u64 position[2];	/* of the next byte, by direction: HTTP_RX, HTTP_TX */
	u64 process_start_ns;
	struct exchange *first;	/* open ones, oldest first */
	struct sent *sent;	/* what the other end, on this host, has not read yet */
	void *state;		/* of the protocol: at first_state, unless it has become another one */
	u32 last_s;		/* CLOCK_BOOTTIME, in seconds: something happened */
	u32 lost;		/* messages, as the protocol counts them */
	u32 held_lost;		/* requests that count as lost once it is certain */
	u32 tgid, tid;		/* who used it last, as far as it was told */
	u16 n_open;
	u16 local_port, remote_port;
	u8 protocol;
	u8 asks : 1;		/* the direction in which requests go */
	u8 started : 2;		/* bits of directions of which something was told */
	bool v6 : 1, has_peer : 1, tls : 1;
	bool over : 1;		/* it is something else by now: what still comes of it is not looked at */
	bool own : 1;		/* the other end may be on this host */
	bool holds : 1;		/* requests that have ended, or were lost, until it is certain */
	u8 local[16], remote[16];
	u64 first_state[];
};

struct follower {
	struct hash_table conns;
	struct follow_counts counts;
	struct follow_sink sink;
	/* what is read at the moment */
	struct conn *conn;
	const struct http_record *record;
	u32 direction;
	bool ending;
};

/* See is_certain of struct protocol. */
bool exchange_is_certain(const struct conn *c);
/* What was held back is told, if the connection of f->record is certain by now. */
void exchanges_release(struct follower *f);
/* The bytes of f->record have been read. */
void exchanges_note_moved(struct follower *f);
/* What the protocol of f->conn found in f->record; arg is the follower. Finished exchanges go to its sink. */
void exchanges_take_part(void *arg, const struct part *p);
/* The connection goes on in another protocol: with this one, as its first; the others count as lost. */
void exchanges_keep_one(struct follower *f, struct conn *c, u64 number);
/* Tells the sink of all: nobody will answer them now, they failed. Of a connection that is not certain nothing is told. */
void exchanges_abort(struct follower *f, struct conn *c);
/* They count as lost, but those that have ended and are held back. */
void exchanges_drop(struct follower *f, struct conn *c);
/* What looked like requests was something else: nothing is counted. */
void exchanges_were_none(struct follower *f, struct conn *c);

#endif
