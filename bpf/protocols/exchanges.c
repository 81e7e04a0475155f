// SPDX-License-Identifier: GPL-2.0-or-later
/* exchanges.c: see exchanges.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/exchanges.h"

#define MAX_OPEN 256		/* open requests of a connection */

static void exchange_free(struct exchange *x)
{
	free(x->path);
	free(x);
}

/* The link that points to x in the list; x NULL: the end. */
static struct exchange **place_in_list(struct conn *c, const struct exchange *x)
{
	struct exchange **at = &c->first;

	while (*at != x)
		at = &(*at)->next;
	return at;
}

static void unlink_exchange(struct follower *f, struct conn *c, struct exchange *x)
{
	if (c->first == x && x->next)
		memcpy(x->next->moved, x->moved, sizeof(x->moved));
	*place_in_list(c, x) = x->next;
	c->n_open--;
	f->counts.open_requests--;
}

bool exchange_is_certain(const struct conn *c)
{
	bool (*is_certain)(const void *) = protocols[c->protocol]->is_certain;

	return !is_certain || is_certain(c->state);
}

static void count_lost(struct follower *f, struct conn *c)
{
	if (exchange_is_certain(c)) {
		f->counts.lost_requests++;
		return;
	}
	c->held_lost++;
	c->holds = true;
}

static void drop_exchange(struct follower *f, struct conn *c, struct exchange *x)
{
	unlink_exchange(f, c, x);
	if (x->asked)
		count_lost(f, c);
	exchange_free(x);
}

void exchanges_drop(struct follower *f, struct conn *c)
{
	for (struct exchange *x = c->first, *next; x; x = next) {
		next = x->next;
		if (!x->held)
			drop_exchange(f, c, x);
	}
}

static struct exchange *find_exchange(struct conn *c, u64 number)
{
	struct exchange *x = c->first;

	while (x && x->number != number)
		x = x->next;
	return x;
}

static struct exchange *make_exchange(struct follower *f, struct conn *c, u64 number)
{
	struct exchange *x;

	if (c->n_open == MAX_OPEN)
		drop_exchange(f, c, c->first);
	x = xcalloc(1, sizeof(*x));
	x->number = number;
	x->protocol = c->protocol;
	x->server = c->asks == HTTP_RX;
	x->tls = c->tls;
	x->unread_us = HTTP_UNKNOWN_US;
	*place_in_list(c, NULL) = x;
	c->n_open++;
	f->counts.open_requests++;
	return x;
}

static struct exchange *get_exchange(struct follower *f, struct conn *c, u64 number)
{
	return find_exchange(c, number) ?: make_exchange(f, c, number);
}

static void finish(struct follower *f, struct conn *c, struct exchange *x)
{
	if (!exchange_is_certain(c)) {
		x->held = c->holds = true;
		return;
	}
	unlink_exchange(f, c, x);
	memcpy(x->local, c->local, sizeof(x->local));
	memcpy(x->remote, c->remote, sizeof(x->remote));
	x->local_port = c->local_port;
	x->remote_port = c->remote_port;
	x->v6 = c->v6;
	x->has_peer = c->has_peer;
	x->cookie = c->socket;
	if (x->asked && x->path)
		f->sink.done(f->sink.arg, x);
	else if (x->asked)
		count_lost(f, c);
	exchange_free(x);
}

void exchanges_release(struct follower *f)
{
	struct conn *c = f->conn;

	if (!c->holds || !exchange_is_certain(c))
		return;
	c->holds = false;
	f->counts.lost_requests += c->held_lost;
	c->held_lost = 0;
	for (struct exchange *x = c->first, *next; x; x = next) {
		next = x->next;
		if (x->held)
			finish(f, c, x);
	}
}

static void finish_if_done(struct follower *f, struct conn *c, struct exchange *x)
{
	if (x->answered_done && x->asked_done)
		finish(f, c, x);
}

void exchanges_keep_one(struct follower *f, struct conn *c, u64 number)
{
	for (struct exchange *x = c->first, *next; x; x = next) {
		next = x->next;
		if (x->number != number) {
			drop_exchange(f, c, x);
			continue;
		}
		x->number = 1;
		x->protocol = c->protocol;
		x->asked_done = true;
	}
}

void exchanges_abort(struct follower *f, struct conn *c)
{
	if (!exchange_is_certain(c))
		exchanges_were_none(f, c);
	while (c->first) {
		struct exchange *x = c->first;

		x->aborted |= !x->answered_done;
		x->end_ns = x->answered_done ? x->end_ns : f->record->end_ns;
		finish(f, c, x);
	}
}

void exchanges_were_none(struct follower *f, struct conn *c)
{
	while (c->first) {
		c->first->asked = false;
		drop_exchange(f, c, c->first);
	}
}

/* ---- parts of messages ---- */

/* Time of the first byte: of a read, when the call returns; of a write, when it begins. */
static u64 first_byte_ns(const struct follower *f)
{
	return f->direction == HTTP_RX ? f->record->end_ns : f->record->begin_ns;
}

/* The off-CPU counters of a record's thread. */
static struct thread_mark mark_of(const struct http_record *r)
{
	struct thread_mark m = { .at_ns = r->end_ns, .off_ns = r->off_ns, .runq_ns = r->runq_ns };

	m.tid = r->flags & HTTP_THREAD ? r->tid : 0;
	return m;
}

void exchanges_note_moved(struct follower *f)
{
	if (f->conn->first)
		f->conn->first->moved[f->direction] = mark_of(f->record);
}

/* The mark at a message's last byte: usually that of this record; at the end of a stream, that of the last transfer. */
static struct thread_mark last_mark(const struct follower *f, const struct part *p)
{
	const struct thread_mark *before = &f->conn->first->moved[f->direction];

	return (f->ending || p->earlier) && before->at_ns ? *before : mark_of(f->record);
}

/* Notes how long received data was in the socket: of the request on a server, of the answer on a client. */
static void note_unread(const struct follower *f, struct exchange *x)
{
	if (f->direction == HTTP_RX && f->record->kind == HTTP_RX)
		x->unread_us = f->record->unread_us;
}

static void note_inner(struct exchange *x, const struct protocol *inner)
{
	for (u32 i = 0; inner && i < ARRAY_SIZE(protocols); i++)
		if (protocols[i] == inner)
			x->protocol = (enum protocol_id)i;
}

static void request_part(struct follower *f, const struct part *p)
{
	struct exchange *x = p->kind == PART_BEGIN ? get_exchange(f, f->conn, p->number) :
						     find_exchange(f->conn, p->number);

	if (!x)
		return;
	if (p->kind == PART_BEGIN) {
		x->asked = true;
		x->start_ns = first_byte_ns(f);
		x->tgid = f->conn->tgid;
		x->tid = f->conn->tid;
		x->process_start_ns = f->conn->process_start_ns;
		x->from = mark_of(f->record);
		note_unread(f, x);
	} else if (p->kind == PART_HEAD) {
		free(x->path);
		x->path = xstrdup(p->path ?: "");
		strncpy(x->method, p->method ?: "", sizeof(x->method) - 1);
		strncpy(x->trace_id, p->trace_id ?: "", sizeof(x->trace_id) - 1);
		strncpy(x->span_id, p->span_id ?: "", sizeof(x->span_id) - 1);
		note_inner(x, p->inner);
	} else {
		x->asked_done = true;
		x->asked_bytes = p->bytes;
		x->aborted |= p->kind == PART_BROKEN;
		finish_if_done(f, f->conn, x);
	}
}

static void answer_part(struct follower *f, const struct part *p)
{
	struct exchange *x = p->kind == PART_BEGIN ? get_exchange(f, f->conn, p->number) :
						     find_exchange(f->conn, p->number);

	if (!x)
		return;
	if (p->kind == PART_BEGIN) {
		x->answered = true;
		x->first_ns = first_byte_ns(f);
		note_unread(f, x);
	} else if (p->kind == PART_HEAD) {
		x->status = p->status;
		note_inner(x, p->inner);
	} else if (p->kind == PART_BROKEN && !x->answered) {
		x->aborted = true;
		finish(f, f->conn, x);
	} else {
		x->answered_done = true;
		x->answered_bytes = p->bytes;
		x->to = last_mark(f, p);
		x->end_ns = x->to.at_ns;
		x->end_tid = x->to.tid;
		x->aborted |= p->kind == PART_BROKEN;
		x->uncertain = p->uncertain;
		finish_if_done(f, f->conn, x);
	}
}

static void lose_exchange(struct follower *f, struct exchange *x)
{
	if (x)
		drop_exchange(f, f->conn, x);
}

void exchanges_take_part(void *arg, const struct part *p)
{
	struct follower *f = arg;

	if (p->kind == PART_BROKEN && !p->number)
		exchanges_drop(f, f->conn);
	else if (p->kind == PART_LOST)
		lose_exchange(f, find_exchange(f->conn, p->number));
	else if (p->role == ASKS)
		request_part(f, p);
	else
		answer_part(f, p);
}
