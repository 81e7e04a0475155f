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

struct conn {
	struct hash_node node;	/* by cookie */
	u64 cookie, last_ns;
	u64 socket;		/* the cookie of its socket; 0: not known */
	u64 position[2];	/* of the next byte, by direction: HTTP_RX, HTTP_TX */
	struct thread_mark moved[2];	/* when and by whom bytes were moved last */
	struct exchange *first, *last;	/* open ones, oldest first */
	void *state;		/* of the protocol */
	u64 lost;		/* messages, as the protocol counts them */
	u32 n_open;
	u32 tgid, tid;		/* who used it last, as far as it was told */
	u64 process_start_ns;
	u8 asks;		/* the direction in which requests go */
	u8 protocol;
	bool started[2], v6, has_peer, tls;
	bool over;		/* it is something else by now: what still comes of it is not looked at */
	bool own;		/* the other end may be on this host */
	struct sent sent;	/* what that has not read yet */
	u16 local_port, remote_port;
	u8 local[16], remote[16];
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

/* What the thread of a record had been until then. */
struct thread_mark exchanges_mark(const struct http_record *r);
/* What the protocol of f->conn found in f->record; arg is the follower. Finished exchanges go to its sink. */
void exchanges_take_part(void *arg, const struct part *p);
/* The connection goes on in another protocol: with this one, as its first; the others count as lost. */
void exchanges_keep_one(struct follower *f, struct conn *c, u64 number);
/* Tells the sink of all: nobody will answer them now, they failed. */
void exchanges_abort(struct follower *f, struct conn *c);
/* They count as lost. */
void exchanges_drop(struct follower *f, struct conn *c);
/* What looked like requests was something else: nothing is counted. */
void exchanges_were_none(struct follower *f, struct conn *c);

#endif
