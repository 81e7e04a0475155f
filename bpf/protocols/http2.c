// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http2.c: HTTP/2 (RFC 9113), frame by frame. The BPF programs send all frames, but
 * without the contents of DATA, of which only the length is needed. Stream ids are the
 * exchange numbers.
 *
 * A connection may have been open before ottop: then the BPF programs tell where a frame
 * begins, and the earlier contents of the header compression tables are unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/grpc.h"
#include "bpf/protocols/hpack.h"
#include "bpf/protocols/http2_frame.h"
#include "bpf/protocols/http2_streams.h"

#define FAULTS 8	/* so many in a row: another protocol */

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum state { UNKNOWN, PREFACE, HEAD, PAYLOAD };

/* A header block being read, from one or more frames. */
struct block {
	struct hpack_block hpack;
	struct http2_message message;
	u32 stream;
	bool promise;		/* a pushed stream, which is ignored */
	bool bad;		/* part of it is missing */
};

struct direction {
	struct hpack table;
	struct block *block;
	struct h2_head frame;
	u32 left;		/* payload bytes to come */
	u32 before, padding;	/* payload bytes before and after the block */
	u8 state, n_head;
	u8 head[H2_HEAD];
};

struct http2 {
	struct direction dir[N_ROLES];
	struct http2_streams streams;
	u32 faults;
	bool sure;		/* surely HTTP/2: faults are then taken for losses */
	bool over;
};

/* ---- recognising ---- */

static enum h2_looks looks_like(const u8 *p, u64 n)
{
	u8 first[16] = {};

	memcpy(first, p, (size_t)min(n, (u64)sizeof(first)));
	return h2_looks_like(first, (u32)min(n, (u64)sizeof(first)));
}

static enum verdict recognise(const u8 *p, u64 n, enum role *ret_role)
{
	enum h2_looks looks = looks_like(p, n);

	*ret_role = ASKS;
	if (n >= 4 && !memcmp(p, preface, (size_t)min(n, (u64)H2_PREFACE_BYTES)))
		return VERDICT_YES;
	for (u32 i = 0, hop; i < H2_HOPS && looks == H2_FRAME && (hop = h2_hop(p)) && hop < n; i++) {
		p += hop;
		n -= hop;
		looks = looks_like(p, n);
	}
	if (looks == H2_ANSWER)
		*ret_role = ANSWERS;
	return looks == H2_REQUEST || looks == H2_ANSWER ? VERDICT_YES : VERDICT_NO;
}

/* ---- losses ---- */

static void forget_block(struct direction *d)
{
	free(d->block);
	d->block = NULL;
}

/* Out of sync: frame boundaries and table contents are unknown. */
static void lose(struct http2 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == UNKNOWN)
		return;
	d->state = UNKNOWN;
	forget_block(d);
	hpack_forget(&d->table);
	streams_lose(&h->streams, role, out);
}

/* The bytes violate the protocol. */
static void fault(struct http2 *h, enum role role, const struct sink *out)
{
	h->over |= !h->sure || ++h->faults >= FAULTS;
	lose(h, role, out);
}

/* ---- header blocks ---- */

static void copy(char *buf, size_t cap, const char *value)
{
	size_t n = strnlen(value, cap - 1);

	memcpy(buf, value, n);
	buf[n] = '\0';
}

/* :status is three digits. */
static u32 http_status(const char *value)
{
	if (strspn(value, "0123456789") != 3 || value[3])
		return STATUS_UNKNOWN;
	return (u32)(value[0] - '0') * 100 + (u32)(value[1] - '0') * 10 + (u32)(value[2] - '0');
}

static void take_field(void *arg, enum hpack_name name, const char *value)
{
	struct http2_message *m = arg;

	m->unknown |= name == HPACK_UNKNOWN || (name != HPACK_OTHER && !value);
	m->asks |= name == HPACK_METHOD || name == HPACK_PATH || name == HPACK_SCHEME;
	if (name == HPACK_STATUS)
		m->status = value ? http_status(value) : STATUS_UNKNOWN;
	else if (name == HPACK_GRPC_STATUS)
		m->grpc_status = value ? grpc_status(value) : STATUS_UNKNOWN;
	if (!value)
		return;
	if (name == HPACK_METHOD)
		copy(m->method, sizeof(m->method), value);
	else if (name == HPACK_PATH)
		copy(m->path, sizeof(m->path), value);
	else if (name == HPACK_CONTENT_TYPE)
		m->grpc |= grpc_is_type(value);
	else if (name == HPACK_TRACEPARENT)
		trace_parse(&m->trace, value);
}

static bool is_convincing(const struct block *b, enum role role)
{
	return !b->bad && hpack_may_end(&b->hpack) &&
	       (role == ASKS ? b->message.asks : b->message.status && b->message.status != STATUS_UNKNOWN);
}

/* Finishes a block. True: END_STREAM. */
static bool block_ends(struct http2 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct block *b = d->block;
	bool ends;

	if (!b)
		return false;
	if (!b->bad && !hpack_may_end(&b->hpack)) {
		fault(h, role, out);
		return false;
	}
	if (is_convincing(b, role)) {
		h->sure = true;
		h->faults = 0;
	}
	if (b->bad)
		b->message.unknown = true;
	if (!b->promise)
		streams_head(&h->streams, role, b->stream, &b->message, out);
	ends = b->message.ends;
	forget_block(d);
	return ends;
}

/* Part of the block is missing: its insertions would shift all table indexes. */
static void block_breaks(struct direction *d)
{
	if (d->block)
		d->block->bad = true;
	hpack_forget(&d->table);
}

static void block_bytes(struct http2 *h, enum role role, const u8 *data, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (!d->block || d->block->bad || !n)
		return;
	if (!hpack_read(&d->table, &d->block->hpack, data, n, take_field, &d->block->message))
		fault(h, role, out);
}

/* ---- frames ---- */

static void headers_begin(struct http2 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	bool promise = d->frame.type == H2_PUSH_PROMISE;

	forget_block(d);
	d->block = xcalloc(1, sizeof(*d->block));
	d->block->stream = d->frame.stream;
	d->block->message.ends = !promise && d->frame.flags & H2_END_STREAM;
	d->block->promise = promise;
	d->before = (promise ? 4 : d->frame.flags & H2_HAS_PRIORITY ? 5 : 0) + (d->frame.flags & H2_PADDED ? 1 : 0);
	d->padding = 0;
	if (!promise)
		streams_begin(&h->streams, role, d->frame.stream, out);
}

/* False: such a frame is not allowed here. */
static bool frame_begins(struct http2 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	h2_parse(&d->frame, d->head);
	d->left = d->frame.length;
	d->n_head = 0;
	d->state = PAYLOAD;
	d->before = d->padding = 0;
	if (!h2_plausible(&d->frame))
		return false;
	/* nothing may come between the frames of a block */
	if (d->block && (d->frame.type != H2_CONTINUATION || d->frame.stream != d->block->stream))
		return false;
	if (d->frame.type == H2_HEADERS || (d->frame.type == H2_PUSH_PROMISE && role == ANSWERS))
		headers_begin(h, role, out);
	return true;
}

static void frame_ends(struct http2 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct h2_head *f = &d->frame;
	bool ends = f->type == H2_DATA && f->flags & H2_END_STREAM;

	d->state = HEAD;
	if (f->type == H2_RST_STREAM)
		streams_reset(&h->streams, f->stream, out);
	else if (h2_is_block(f->type) && f->flags & H2_END_HEADERS)
		ends = block_ends(h, role, out);
	if (f->type == H2_DATA || h2_is_block(f->type))
		streams_add_bytes(&h->streams, role, f->stream, f->length + H2_HEAD);
	if (ends)
		streams_end(&h->streams, role, f->stream, out);
}

/* n bytes of the payload of a frame with a header block; data NULL: they were not captured. */
static void block_payload(struct http2 *h, enum role role, const u8 *data, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	bool first = d->left == d->frame.length;
	u64 skip = min(n, (u64)d->before), rest = d->left - n, block;

	if (!data) {
		block_breaks(d);
		return;
	}
	if (first && d->frame.flags & H2_PADDED && d->frame.type != H2_CONTINUATION)
		d->padding = data[0];
	d->before -= (u32)skip;
	block = n - skip;
	if (rest < d->padding)
		block -= min(block, d->padding - rest);
	block_bytes(h, role, data + skip, block, out);
}

static void pass_payload(struct http2 *h, enum role role, const u8 *data, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (n && h2_is_block(d->frame.type))
		block_payload(h, role, data, n, out);
	if (d->state != PAYLOAD)
		return;		/* a fault was found */
	d->left -= (u32)n;
	if (!d->left)
		frame_ends(h, role, out);
}

/* ---- pieces ---- */

/* Consumes up to n bytes of a frame header. Returns how many. */
static u64 read_head(struct http2 *h, enum role role, const u8 *data, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	n = min(n, (u64)H2_HEAD - d->n_head);
	memcpy(d->head + d->n_head, data, n);
	d->n_head += (u8)n;
	if (d->n_head < H2_HEAD)
		return n;
	if (!frame_begins(h, role, out))
		fault(h, role, out);
	else if (!d->left)
		pass_payload(h, role, NULL, 0, out);
	return n;
}

static void read_preface(struct http2 *h, enum role role, u8 c)
{
	struct direction *d = &h->dir[role];

	if (c != (u8)preface[d->left])
		h->over = true;
	if (++d->left < H2_PREFACE_BYTES)
		return;
	d->state = HEAD;
	h->sure = h->streams.whole = true;
	h->streams.evidence = ENOUGH_EVIDENCE;
}

/* A frame begins here: synchronizes at the start and after a loss. */
static void join(struct direction *d, enum role role, u8 c)
{
	d->state = role == ASKS && c == (u8)preface[0] ? PREFACE : HEAD;
	d->left = d->n_head = 0;
}

static void read_data(struct http2 *h, enum role role, const struct piece *p, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	u64 i = 0, n;

	if (d->state == UNKNOWN && p->begins && p->n)
		join(d, role, p->data[0]);
	while (i < p->n && d->state != UNKNOWN && !h->over) {
		if (d->state == PAYLOAD) {
			n = min((u64)d->left, p->n - i);
			pass_payload(h, role, p->data + i, n, out);
			i += n;
		} else if (d->state == PREFACE) {
			read_preface(h, role, p->data[i++]);
		} else {
			i += read_head(h, role, p->data + i, p->n - i, out);
		}
	}
}

static void read_gap(struct http2 *h, enum role role, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == PAYLOAD && n <= d->left)
		pass_payload(h, role, NULL, n, out);
	else if (n)
		lose(h, role, out);
}

/* Streams that are open stay so until the connection is closed. */
static void read_end(struct direction *d)
{
	forget_block(d);
	d->state = UNKNOWN;
}

/* ---- the protocol ---- */

static void read_piece(void *state, enum role role, const struct piece *p, const struct sink *out)
{
	struct http2 *h = state;

	if (h->over)
		return;
	switch (p->kind) {
	case PIECE_DATA:
		read_data(h, role, p, out);
		break;
	case PIECE_GAP:
		read_gap(h, role, p->n, out);
		break;
	case PIECE_LOST:
		lose(h, role, out);
		break;
	case PIECE_END:
		read_end(&h->dir[role]);
		break;
	}
}

static bool is_over(const void *state)
{
	return ((const struct http2 *)state)->over;
}

static bool is_certain(const void *state)
{
	return ((const struct http2 *)state)->streams.evidence == ENOUGH_EVIDENCE;
}

static void take_over(void *state)
{
	struct http2 *h = state;

	h->dir[ASKS].state = PREFACE;
	h->dir[ANSWERS].state = HEAD;
	h->sure = true;
	streams_take_over(&h->streams);
}

static u64 messages_lost(const void *state)
{
	return ((const struct http2 *)state)->streams.lost;
}

static void close_state(void *state)
{
	struct http2 *h = state;

	for (u32 i = 0; i < N_ROLES; i++) {
		forget_block(&h->dir[i]);
		hpack_forget(&h->dir[i].table);
	}
	streams_free(&h->streams);
}

const struct protocol http2_protocol = {
	.name = "h2",
	.recognise = recognise,
	.state_bytes = sizeof(struct http2),
	.read = read_piece,
	.is_over = is_over,
	.is_certain = is_certain,
	.take_over = take_over,
	.messages_lost = messages_lost,
	.close = close_state,
	.is_error = protocol_http_error,
};
