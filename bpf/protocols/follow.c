// SPDX-License-Identifier: GPL-2.0-or-later
/* follow.c: see follow.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/exchanges.h"

#define MAX_CONNS 65536
#define IDLE_S 600ull
#define OVER_S 10ull	/* seconds after which the BPF programs have been told to ignore a connection */

static struct conn *find_conn(const struct follower *f, u64 cookie)
{
	return hash_find(&f->conns, hash_of(cookie), struct conn, c, c->cookie == cookie);
}

/* ---- connections ---- */

/* Frees what the state points to; the caller zeroes or frees the state itself. */
static void state_close(struct conn *c)
{
	if (protocols[c->protocol]->close)
		protocols[c->protocol]->close(c->state);
}

static void state_free(struct conn *c)
{
	state_close(c);
	if (c->state != c->first_state)
		free(c->state);
}

static void conn_free(struct follower *f, struct conn *c)
{
	if (!exchange_is_certain(c))
		exchanges_were_none(f, c);
	exchanges_drop(f, c);
	state_free(c);
	sent_forget(&c->sent);
	hash_remove(&f->conns, &c->node);
	free(c);
	f->counts.connections--;
}

/* Protocol and role by a connection's first bytes, which programs found likely to be HTTP. */
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
	c = xcalloc(1, sizeof(*c) + protocols[protocol]->state_bytes);
	c->cookie = r->cookie;
	c->protocol = (u8)protocol;
	c->state = c->first_state;
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
	memcpy(c->local, r->local, sizeof(c->local));
	memcpy(c->remote, r->remote, sizeof(c->remote));
	c->local_port = r->lport;
	c->remote_port = r->rport;
	c->v6 = r->flags & HTTP_V6;
	c->has_peer = true;
}

/* ---- bytes ---- */

static void count_lost(struct follower *f, struct conn *c)
{
	u64 lost = protocols[c->protocol]->messages_lost(c->state);

	if (!exchange_is_certain(c))
		return;
	f->counts.lost_messages += (u32)lost - c->lost;
	c->lost = (u32)lost;
}

/* Handles an upgrade; returns how many bytes of the piece belong to the new protocol. */
static u64 change_protocol(struct follower *f, struct conn *c)
{
	const struct protocol *old = protocols[c->protocol];
	u64 rest = 0, number = 0;
	enum protocol_id next = old->becomes ? old->becomes(c->state, &rest, &number) : N_PROTOCOLS;

	if (next == N_PROTOCOLS)
		return 0;
	count_lost(f, c);
	state_free(c);
	c->protocol = (u8)next;
	c->state = xcalloc(1, protocols[next]->state_bytes);
	c->lost = 0;
	protocols[next]->take_over(c->state);
	exchanges_keep_one(f, c, number);
	return rest;
}

static void give(struct follower *f, const struct piece *p)
{
	struct conn *c = f->conn;
	const struct sink sink = { exchanges_take_part, f };
	u64 rest;

	protocols[c->protocol]->read(c->state, f->direction == c->asks ? ASKS : ANSWERS, p, &sink);
	rest = p->kind == PIECE_DATA ? change_protocol(f, c) : 0;
	if (rest)
		give(f, &(struct piece){ .kind = PIECE_DATA, .begins = true, .n = rest,
					 .data = p->data + p->n - rest });
}

/* Reports missing bytes before a record. False: its bytes, or later ones, were already processed. */
static bool fill_gap(struct follower *f, const struct http_record *r)
{
	u64 from = r->position - r->n_before, *at = &f->conn->position[f->direction];
	bool begun = f->conn->started >> f->direction & 1;

	f->conn->started |= (u8)(1 << f->direction);
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
	exchanges_note_moved(f);
}

/* The full position with the low 32 bits `low`, closest to `position`. */
static u64 position_near(u64 position, u32 low)
{
	return position + (u64)(s32)(low - (u32)position);
}

/* At the end of a stream: if its last records were lost, open requests may have been answered. */
static void note_sum(struct follower *f, u64 sum)
{
	u64 *at = &f->conn->position[f->direction];

	if (!(f->record->flags & HTTP_SUMS) || sum == *at)
		return;
	*at = sum;
	f->counts.lost_records++;
	give(f, &(struct piece){ .kind = PIECE_LOST });
}

static void end_direction(struct follower *f, u32 direction)
{
	f->direction = direction;
	note_sum(f, direction == HTTP_RX ? f->record->position : f->record->sent);
	f->ending = true;
	give(f, &(struct piece){ .kind = PIECE_END });
	f->ending = false;
}

static void close_conn(struct follower *f)
{
	end_direction(f, f->conn->asks);
	end_direction(f, HTTP_RX + HTTP_TX - f->conn->asks);
	exchanges_abort(f, f->conn);
	conn_free(f, f->conn);
}

static void end_if_over(struct follower *f)
{
	struct conn *c = f->conn;
	bool (*is_over)(const void *) = protocols[c->protocol]->is_over;

	exchanges_release(f);
	count_lost(f, c);
	if (!is_over || !is_over(c->state))
		return;
	f->sink.over(f->sink.arg, c->cookie);
	exchanges_were_none(f, c);
	state_close(c);
	memset(c->state, 0, protocols[c->protocol]->state_bytes);
	c->over = true;
}

static bool is_sane(const struct http_record *r, size_t size)
{
	return size >= sizeof(*r) && r->n <= size - sizeof(*r) && r->n <= r->len &&
	       r->n_before <= HTTP_TAIL && r->kind <= HTTP_CLOSED;
}

/*
 * Must these bytes be kept for a read at the other end? Not a connection's first: the peer is
 * unknown and emits its own, and idle connections would keep them.
 */
static bool may_be_same(const struct conn *c, const struct http_record *r)
{
	return r->kind == HTTP_TX && r->position && c->own && c->protocol != PROTOCOL_http2;
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
	f->conn->last_s = (u32)(r->end_ns / NSEC_PER_SEC);
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
	if (may_be_same(f->conn, r))
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

/* Processes a read with the bytes that the other end sent; if they are no longer kept, as a gap. */
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
			sent_read(peer->sent, at, end, r);
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
		for (struct exchange *x = exchange_is_certain(c) ? c->first : NULL; x; x = x->next)
			if (x->asked && x->path)
				fn(arg, x);
}

void follower_sweep(struct follower *f, u64 now_ns)
{
	hash_each(&f->conns, struct conn, c)
		if ((!c->first || !exchange_is_certain(c)) && (c->last_s + (c->over ? OVER_S : IDLE_S)) * NSEC_PER_SEC < now_ns)
			conn_free(f, c);
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
