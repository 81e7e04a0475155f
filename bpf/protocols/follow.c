// SPDX-License-Identifier: GPL-2.0-or-later
/* follow.c: see follow.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/protocols/follow.h"
#include "bpf/protocols/sent.h"

#define MAX_CONNS 65536
#define MAX_OPEN 256		/* requests of a connection that wait for an answer */
#define IDLE_NS (600 * NSEC_PER_SEC)
#define OVER_NS (10 * NSEC_PER_SEC)	/* by then the kernel has been told that it is none of ours */

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
	u16 remote_port;
	u8 remote[16];
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

static struct conn *find_conn(const struct follower *f, u64 cookie)
{
	return hash_find(&f->conns, hash_of(cookie), struct conn, c, c->cookie == cookie);
}

/* ---- exchanges ---- */

static void exchange_free(struct exchange *x)
{
	free(x->path);
	free(x);
}

static void unlink_exchange(struct follower *f, struct conn *c, struct exchange *x)
{
	struct exchange **at = &c->first, *before = NULL;

	while (*at != x) {
		before = *at;
		at = &(*at)->next;
	}
	*at = x->next;
	if (c->last == x)
		c->last = before;
	c->n_open--;
	f->counts.open_requests--;
}

static void drop_exchange(struct follower *f, struct conn *c, struct exchange *x)
{
	unlink_exchange(f, c, x);
	f->counts.lost_requests += x->asked;
	exchange_free(x);
}

static void drop_all(struct follower *f, struct conn *c)
{
	while (c->first)
		drop_exchange(f, c, c->first);
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
	if (c->last)
		c->last->next = x;
	else
		c->first = x;
	c->last = x;
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
	unlink_exchange(f, c, x);
	memcpy(x->remote, c->remote, sizeof(x->remote));
	x->remote_port = c->remote_port;
	x->v6 = c->v6;
	x->has_peer = c->has_peer;
	x->cookie = c->socket;
	if (x->asked && x->path)
		f->sink.done(f->sink.arg, x);
	else if (x->asked)
		f->counts.lost_requests++;
	exchange_free(x);
}

static void finish_if_done(struct follower *f, struct conn *c, struct exchange *x)
{
	if (x->answered_done && x->asked_done)
		finish(f, c, x);
}

/* ---- parts of messages ---- */

/* What a process reads it has once the call returns; what it writes, when the call begins. */
static u64 first_byte_ns(const struct follower *f)
{
	return f->direction == HTTP_RX ? f->record->end_ns : f->record->begin_ns;
}


static struct thread_mark mark_of(const struct http_record *r)
{
	struct thread_mark m = { .at_ns = r->end_ns, .off_ns = r->off_ns, .runq_ns = r->runq_ns };

	m.tid = r->flags & HTTP_THREAD ? r->tid : 0;
	return m;
}

/* Who answers reads the request, who asks the answer: what is read may have lain in the socket. */
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
		/* the end of a stream is told later than its last byte moved */
		x->to = f->ending || p->earlier ? f->conn->moved[f->direction] : mark_of(f->record);
		x->end_ns = x->to.at_ns;
		x->end_tid = x->to.tid;
		x->aborted |= p->kind == PART_BROKEN;
		x->uncertain = p->uncertain;
		finish_if_done(f, f->conn, x);
	}
}

static void take_part(void *arg, const struct part *p)
{
	struct follower *f = arg;

	if (p->kind == PART_BROKEN && !p->number)
		drop_all(f, f->conn);
	else if (p->role == ASKS)
		request_part(f, p);
	else
		answer_part(f, p);
}

/* ---- connections ---- */

static void state_close(struct conn *c)
{
	if (protocols[c->protocol]->close)
		protocols[c->protocol]->close(c->state);
}

static void conn_free(struct follower *f, struct conn *c)
{
	drop_all(f, c);
	state_close(c);
	sent_forget(&c->sent);
	hash_remove(&f->conns, &c->node);
	free(c->state);
	free(c);
	f->counts.connections--;
}

/*
 * The first bytes of a connection that is new to us: of which protocol is it, and who asks? Where they
 * are the very first ones, they may be too few to be sure: the kernel has seen that they may be HTTP.
 */
static bool recognise(const u8 *data, u64 n, bool first, u32 *ret_protocol, enum role *ret_role)
{
	for (enum verdict least = VERDICT_YES; least >= (first ? VERDICT_MORE : VERDICT_YES); least--)
		for (u32 i = 0; i < ARRAY_SIZE(protocols); i++)
			if (protocols[i]->recognise(data, n, ret_role) >= least) {
				*ret_protocol = i;
				return true;
			}
	return false;
}

static struct conn *conn_new(struct follower *f, const struct http_record *r, u32 direction)
{
	u8 head[HTTP_TAIL + HTTP_LARGE];
	u64 n = min((u64)r->n, (u64)HTTP_LARGE);
	enum role role;
	struct conn *c;
	u32 protocol;

	memcpy(head, r->before, r->n_before);
	memcpy(head + r->n_before, r->data, n);
	if (!(r->flags & HTTP_BEGINS) ||
	    !recognise(head, n + r->n_before, r->position <= r->n_before, &protocol, &role))
		return NULL;
	if (f->counts.connections == MAX_CONNS) {
		f->counts.refused++;
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->cookie = r->cookie;
	c->protocol = (u8)protocol;
	c->state = xcalloc(1, protocols[protocol]->state_bytes);
	c->tls = r->flags & HTTP_TLS;
	c->asks = (u8)(role == ASKS ? direction : HTTP_RX + HTTP_TX - direction);
	hash_add(&f->conns, &c->node, hash_of(r->cookie));
	f->counts.connections++;
	return c;
}

static void note_ends(struct conn *c, const struct http_record *r)
{
	if (!(r->flags & HTTP_HAS_ENDS))
		return;
	c->tgid = r->tgid;
	c->tid = r->tid;
	c->process_start_ns = r->start_ns;
	if (!r->socket)
		return;
	c->socket = r->socket;
	c->own = !memcmp(r->local, r->remote, sizeof(r->local)) || (r->local[0] == 127 && r->remote[0] == 127);
	memcpy(c->remote, r->remote, sizeof(c->remote));
	c->remote_port = r->rport;
	c->v6 = r->flags & HTTP_V6;
	c->has_peer = true;
}

/* ---- bytes ---- */

static void count_lost(struct follower *f, struct conn *c)
{
	u64 lost = protocols[c->protocol]->messages_lost(c->state);

	f->counts.lost_messages += lost - c->lost;
	c->lost = lost;
}

/* Only one exchange goes on in another protocol, where it is the first. */
static void keep_exchange(struct follower *f, struct conn *c, u64 number)
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

/* How many bytes of the piece are of the protocol that the connection has become with it. */
static u64 change_protocol(struct follower *f, struct conn *c)
{
	const struct protocol *old = protocols[c->protocol];
	u64 rest = 0, number = 0;
	enum protocol_id next = old->becomes ? old->becomes(c->state, &rest, &number) : N_PROTOCOLS;

	if (next == N_PROTOCOLS)
		return 0;
	count_lost(f, c);
	state_close(c);
	free(c->state);
	c->protocol = (u8)next;
	c->state = xcalloc(1, protocols[next]->state_bytes);
	c->lost = 0;
	protocols[next]->take_over(c->state);
	keep_exchange(f, c, number);
	return rest;
}

static void give(struct follower *f, const struct piece *p)
{
	struct conn *c = f->conn;
	const struct sink sink = { take_part, f };
	u64 rest;

	protocols[c->protocol]->read(c->state, f->direction == c->asks ? ASKS : ANSWERS, p, &sink);
	rest = p->kind == PIECE_DATA ? change_protocol(f, c) : 0;
	if (rest)
		give(f, &(struct piece){ .kind = PIECE_DATA, .begins = true, .n = rest,
					 .data = p->data + p->n - rest });
}

/* False: these bytes, or later ones, were given before. */
static bool fill_gap(struct follower *f, const struct http_record *r)
{
	u64 from = r->position - r->n_before, *at = &f->conn->position[f->direction];
	bool begun = f->conn->started[f->direction];

	f->conn->started[f->direction] = true;
	if (begun && from != *at)
		f->counts.lost_records++;
	if (begun && from < *at)
		return false;
	if (begun && from > *at)
		give(f, &(struct piece){ .kind = PIECE_GAP, .n = from - *at });
	*at = r->position + r->len;
	return true;
}

static void give_bytes(struct follower *f, const struct http_record *r)
{
	bool begins = r->flags & HTTP_BEGINS;

	if (!fill_gap(f, r))
		return;
	if (r->n_before)
		give(f, &(struct piece){ .kind = PIECE_DATA, .begins = begins, .n = r->n_before,
					 .data = r->before });
	if (r->n)
		give(f, &(struct piece){ .kind = PIECE_DATA, .begins = begins && !r->n_before, .n = r->n,
					 .data = r->data });
	if (r->len > r->n)
		give(f, &(struct piece){ .kind = PIECE_GAP, .n = r->len - r->n,
					 .tail = r->flags & HTTP_TAILED ? r->tail : NULL });
	f->conn->moved[f->direction] = mark_of(r);
}

/* The position of which low is the lower half. */
static u64 position_near(u64 position, u32 low)
{
	return position + (u64)(s32)(low - (u32)position);
}

static void end_direction(struct follower *f, u32 direction)
{
	f->direction = direction;
	f->ending = true;
	give(f, &(struct piece){ .kind = PIECE_END });
	f->ending = false;
}

/* Requests that nobody will answer now count as well: they failed. */
static void abort_open(struct follower *f, struct conn *c)
{
	while (c->first) {
		struct exchange *x = c->first;

		x->aborted |= !x->answered_done;
		x->end_ns = x->answered_done ? x->end_ns : f->record->end_ns;
		finish(f, c, x);
	}
}

static void close_conn(struct follower *f)
{
	end_direction(f, f->conn->asks);
	end_direction(f, HTTP_RX + HTTP_TX - f->conn->asks);
	abort_open(f, f->conn);
	conn_free(f, f->conn);
}

static void end_if_over(struct follower *f)
{
	struct conn *c = f->conn;
	bool (*is_over)(const void *) = protocols[c->protocol]->is_over;

	count_lost(f, c);
	if (!is_over || !is_over(c->state))
		return;
	f->sink.over(f->sink.arg, c->cookie);
	while (c->first) {	/* they were none */
		c->first->asked = false;
		drop_exchange(f, c, c->first);
	}
	state_close(c);
	memset(c->state, 0, protocols[c->protocol]->state_bytes);
	c->over = true;
}

static bool is_sane(const struct http_record *r, size_t size)
{
	return size >= sizeof(*r) && r->n <= size - sizeof(*r) && r->n <= r->len &&
	       r->n_before <= HTTP_TAIL && r->kind <= HTTP_CLOSED;
}

static void read_record(struct follower *f, const struct http_record *r)
{
	bool data;

	data = r->kind == HTTP_RX || r->kind == HTTP_TX;
	f->record = r;
	f->conn = find_conn(f, r->cookie);
	if (!f->conn && data)
		f->conn = conn_new(f, r, r->kind);
	if (!f->conn)
		return;
	f->conn->last_ns = r->end_ns;
	if (f->conn->over) {
		if (r->kind == HTTP_CLOSED)
			conn_free(f, f->conn);
		return;
	}
	note_ends(f->conn, r);
	if (r->kind == HTTP_CLOSED) {
		close_conn(f);
		return;
	}
	f->direction = r->kind;
	if (r->kind == HTTP_TX && f->conn->own && f->conn->protocol != PROTOCOL_http2)
		sent_add(&f->conn->sent, r);
	if (data)
		give_bytes(f, r);
	else
		end_direction(f, r->kind == HTTP_RX_END ? HTTP_RX : HTTP_TX);
	end_if_over(f);
}

static void read_body(struct follower *f, const struct http_body *b)
{
	u64 buf[(sizeof(struct http_record) + HTTP_BODY_BYTES) / sizeof(u64)] = {};
	struct http_record *r = (void *)buf;

	r->cookie = b->cookie;
	r->begin_ns = r->end_ns = b->end_ns;
	r->position = b->position;
	r->len = b->len;
	r->n = b->n;
	r->kind = b->kind;
	r->flags = b->flags & ~HTTP_HAS_ENDS;
	r->tid = b->tid;
	r->off_ns = b->off_ns;
	r->runq_ns = b->runq_ns;
	r->unread_us = HTTP_UNKNOWN_US;
	memcpy(r->tail, b->tail, sizeof(r->tail));
	memcpy(r->data, b->data, sizeof(b->data));
	if (is_sane(r, sizeof(buf)))
		read_record(f, r);
}

static void fill_same(struct http_record *r, const struct http_same *b)
{
	memset(r, 0, sizeof(*r));
	r->cookie = b->cookie;
	r->begin_ns = r->end_ns = b->end_ns;
	r->kind = HTTP_RX;
	r->tgid = b->tgid;
	r->tid = b->tid;
	r->start_ns = b->start_ns;
	r->off_ns = b->off_ns;
	r->runq_ns = b->runq_ns;
	r->unread_us = b->unread_us;
	r->position = b->position;
	r->flags = HTTP_BEGINS | HTTP_HAS_ENDS | (b->flags & HTTP_THREAD);	/* ends: but for the addresses */
}

/* The bytes are those that the other end sent; where they are not known any more, only how many. */
static void read_same(struct follower *f, const struct http_same *b)
{
	static u64 buf[(sizeof(struct http_record) + HTTP_LARGE) / sizeof(u64)];
	struct http_record *r = (void *)buf;
	struct conn *peer = find_conn(f, b->peer);
	u64 at, end;

	fill_same(r, b);
	end = peer ? position_near(peer->position[HTTP_TX], b->peer_end) : b->len;
	for (at = end - b->len; at != end; at += r->len) {
		r->len = (u32)(end - at);
		if (peer)
			sent_read(&peer->sent, at, end, r);
		read_record(f, r);
		r->position += r->len;
		r->flags &= (u8)~HTTP_BEGINS;
	}
	if (peer)
		sent_drop(&peer->sent, end);
}

void follower_read(struct follower *f, const void *record, size_t size)
{
	f->counts.records++;
	if (size == sizeof(struct http_body))
		read_body(f, record);
	else if (size == sizeof(struct http_same))
		read_same(f, record);
	else if (is_sane(record, size))
		read_record(f, record);
}

/* ---- the follower ---- */

struct follower *follower_new(const struct follow_sink *sink)
{
	struct follower *f = xcalloc(1, sizeof(*f));

	f->sink = *sink;
	return f;
}

void follower_each_open(const struct follower *f, void (*fn)(void *arg, const struct exchange *x), void *arg)
{
	hash_each(&f->conns, const struct conn, c)
		for (struct exchange *x = c->first; x; x = x->next)
			if (x->asked && x->path)
				fn(arg, x);
}

void follower_sweep(struct follower *f, u64 now_ns)
{
	hash_each(&f->conns, struct conn, c) {
		if (!c->sent.n_pieces && c->last_ns + OVER_NS < now_ns)
			sent_forget(&c->sent);
		if (!c->first && c->last_ns + (c->over ? OVER_NS : IDLE_NS) < now_ns)
			conn_free(f, c);
	}
}

struct follow_counts follower_counts(const struct follower *f)
{
	return f->counts;
}

void follower_free(struct follower *f)
{
	hash_each(&f->conns, struct conn, c)
		conn_free(f, c);
	hash_free(&f->conns, NULL);
	free(f);
}
