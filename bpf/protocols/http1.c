// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http1.c: HTTP/1.0 and 1.1 (RFC 9112): parses the pieces of a connection into messages. Of a body only the
 * length is needed. If chunk headers are in bytes that were not captured, the end is recognized by the form
 * of the last chunk, or by the next message. When out of sync, the next message is searched for at the
 * beginnings of socket calls.
 */
#include "bpf/protocols/http1_known.h"
#include "bpf/protocols/http1_lines.h"
#include "bpf/protocols/http1_messages.h"

#define MAX_DIGITS 15		/* of a hexadecimal length */

/* ---- one byte ---- */

static void read_first_line(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (c != '\n') {
		if (c != '\r')
			http1_head_first_byte(d->head, role, c);
	} else if (http1_head_first_done(d->head, role)) {
		d->state = NAME;
	} else if (h->asked + h->answered <= 1) {
		h->over = true;	/* the first message is not HTTP/1: it is another protocol */
	} else {
		http1_lose(h, role, out);
	}
}

static void read_name(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (c == '\n') {
		if (http1_head_line_done(d->head))
			http1_head_done(h, role, out);
	} else if (c == ':') {
		http1_head_name_done(d->head);
		d->state = VALUE;
	} else if (c != '\r') {
		http1_head_name_byte(d->head, c);
	}
}

static void read_value(struct direction *d, u8 c)
{
	if (c == '\n') {
		http1_head_value_done(d->head);
		d->state = NAME;
	} else {
		http1_head_value_byte(d->head, c);
	}
}

static void unframe(struct direction *d)
{
	d->state = UNFRAMED;
	d->last = 0;
}

static void read_chunk_size(struct direction *d, u8 c)
{
	int digit = hex_digit((char)c);

	if (digit >= 0 && d->state == CHUNK_SIZE && d->digits < MAX_DIGITS) {
		d->left = (d->digits++ ? d->left : 0) << 4 | (u64)digit;
	} else if (c == '\n' && d->digits) {
		d->state = d->left ? CHUNK : TRAILER;
		d->digits = 0;
	} else if ((c == ';' || c == ' ' || c == '\t' || c == '\r') && d->digits) {
		d->state = CHUNK_EXTENSION;
	} else if (d->state == CHUNK_SIZE) {
		unframe(d);
	}
}

static void read_trailer(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (c == '\n' && !d->left)
		http1_end(h, role, out);
	else if (c == '\n')
		d->left = 0;
	else if (c != '\r')
		d->left++;
}

static void read_chunk_end(struct direction *d, u8 c)
{
	if (c == '\n') {
		d->state = CHUNK_SIZE;
		d->digits = 0;
	} else if (c != '\r') {
		unframe(d);
	}
}

static void read_byte(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == AT_START) {
		if (c == '\r' || c == '\n')	/* some clients send an extra empty line */
			return;
		http1_begin(h, role, out);
	}
	d->bytes++;
	switch ((enum state)d->state) {
	case FIRST_LINE:
		read_first_line(h, role, c, out);
		break;
	case NAME:
		read_name(h, role, c, out);
		break;
	case VALUE:
		read_value(d, c);
		break;
	case CHUNK_SIZE:
	case CHUNK_EXTENSION:
		read_chunk_size(d, c);
		break;
	case CHUNK_END:
		read_chunk_end(d, c);
		break;
	case TRAILER:
		read_trailer(h, role, c, out);
		break;
	default:
		break;
	}
	if (d->head && ++d->head->bytes > HEAD_MAX)
		http1_head_cut(h, role, out);
}

/* ---- bodies ---- */

/* n bytes, in a body of known length; returns how many belong to it. */
static u64 pass_counted(struct http1 *h, enum role role, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	n = min(n, d->left);
	d->left -= n;
	d->bytes += n;
	if (d->left)
		return n;
	if (d->state == CHUNK)
		d->state = CHUNK_END;
	else
		http1_end(h, role, out);
	return n;
}

#define LAST_CHUNK 0x0d0a300d0a0d0aull	/* "\r\n0\r\n\r\n", 7 bytes */

static void pass_unframed(struct http1 *h, enum role role, const struct piece *p, u64 from,
			  const struct sink *out)
{
	struct direction *d = &h->dir[role];
	const u8 *bytes = p->kind == PIECE_DATA ? p->data + from : p->tail;
	u64 n = p->n - from, have = p->kind == PIECE_DATA ? min(n, (u64)8) : p->tail ? 8 : 0;

	d->bytes += n;
	if (p->kind == PIECE_DATA)
		bytes += n - have;
	else if (!p->tail)
		d->last = 0;
	for (u64 i = 0; i < have; i++)
		d->last = d->last << 8 | bytes[i];
	if ((d->last & 0xffffffffffffffull) != LAST_CHUNK)
		return;
	if (role == ANSWERS && h->pipelines && http1_waiting(h))
		http1_mix_up(h, role, out);	/* it may be the end of another answer */
	else
		http1_end(h, role, out);
}

static bool is_message(enum role role, const struct piece *p)
{
	enum role which;

	return p->begins && p->kind == PIECE_DATA && http1_recognise(p->data, p->n, &which) == VERDICT_YES && which == role;
}

/* In a body of unknown length, or out of sync: does the next message begin here? */
static bool starts_anew(const struct http1 *h, enum role role, const struct piece *p)
{
	const struct direction *d = &h->dir[role];

	if (d->state == UNFRAMED && role == ANSWERS && !d->orphan && !http1_waiting(h))
		return false;	/* no request is open: it only looks like a response */
	return (d->state == UNFRAMED || d->state == UNKNOWN) && is_message(role, p);
}

/* The next message begins, so the last one ends here, unless others are in between. */
static void start_anew(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	u64 most = role == ASKS ? 0 : 1;

	if (d->state == UNFRAMED && !d->orphan && http1_waiting(h) > most) {
		http1_mix_up(h, role, out);
		return;
	}
	d->anew = true;
	if (d->state == UNFRAMED)
		http1_end(h, role, out);
	d->anew = false;
	d->state = AT_START;
}

/* ---- pieces ---- */

static u32 pass_first_line(struct direction *d, enum role role, const u8 *p, u64 n)
{
	u32 end = http1_head_first_line(d->head, role, p, n);

	d->bytes += end;
	return end;
}

/* Takes a head from the cache (http1_known.h). Returns its length; 0: not cached, to be parsed. */
static u32 pass_known(struct http1 *h, enum role role, const u8 *p, u64 n, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	const struct http1_head *x;
	u32 len;

	x = http1_known_find(role, p, n, &len);
	if (!x)
		return 0;
	http1_begin(h, role, out);
	if (d->state != FIRST_LINE)
		return len;
	*d->head = *x;
	d->bytes += len;
	http1_head_done(h, role, out);
	return len;
}

/* Byte i ends a head: caches it if it is entirely in this piece. */
static void keep_head(const struct http1_head *x, enum role role, const struct piece *p, u64 i)
{
	u64 from = i - x->bytes;

	if (!x->n_name && x->bytes <= i)
		http1_known_keep(role, p->data + from, p->n - from, x->bytes + 1, x);
}

static void read_data(struct http1 *h, enum role role, const struct piece *p, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	u64 i = 0, run;

	while (i < p->n && !h->over && !h->is_http2) {
		switch ((enum state)d->state) {
		case BODY:
		case CHUNK:
			i += pass_counted(h, role, p->n - i, out);
			break;
		case UNTIL_CLOSE:
			d->bytes += p->n - i;
			return;
		case UNFRAMED:
			pass_unframed(h, role, p, i, out);
			return;
		case UNKNOWN:
			return;
		case NAME:
		case VALUE:
			run = http1_head_pass(d->head, d->state == VALUE, p->data + i, p->n - i);
			d->bytes += run;
			i += run;
			if (run)
				break;
			/* fall through */
		default:
			h->pipelines |= role == ASKS && d->state == AT_START && i && http1_waiting(h);
			if (d->state == AT_START && p->data[i] > '\r') {
				run = pass_known(h, role, p->data + i, p->n - i, out);
				i += run;
				if (run)
					break;
				http1_begin(h, role, out);
			}
			if (d->state == FIRST_LINE && !d->head->bytes)
				i += pass_first_line(d, role, p->data + i, p->n - i);
			if (i < p->n && d->state == NAME && p->data[i] == '\n')
				keep_head(d->head, role, p, i);
			if (i < p->n && d->state != UNKNOWN)
				read_byte(h, role, p->data[i++], out);
		}
	}
	if (h->is_http2)
		h->rest = p->n - i;
}

static void read_gap(struct http1 *h, enum role role, const struct piece *p, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	u64 n = p->n;

	if (d->state == BODY || (d->state == CHUNK && n <= d->left))
		n -= pass_counted(h, role, n, out);
	if (!n)
		return;
	switch ((enum state)d->state) {
	case FIRST_LINE:
	case NAME:
	case VALUE:
		d->bytes += n;
		http1_head_cut(h, role, out);
		break;
	case CHUNK:
	case CHUNK_SIZE:
	case CHUNK_EXTENSION:
	case CHUNK_END:
	case TRAILER:
		unframe(d);
		/* fall through */
	case UNFRAMED:
		pass_unframed(h, role, &(struct piece){ .kind = PIECE_GAP, .n = n, .tail = p->tail }, 0, out);
		break;
	case UNTIL_CLOSE:
		d->bytes += n;
		break;
	default:	/* the gap contains whole messages */
		http1_lose(h, role, out);
	}
}

/* A connection that was open before: nothing is known until a message begins. */
static void read_piece(void *state, enum role role, const struct piece *p, const struct sink *out)
{
	struct http1 *h = state;

	if (h->mixed_up)
		h->lost += role == ASKS && is_message(role, p);
	if (h->over || h->mixed_up)
		return;
	if (!h->since)
		h->since = 1;
	if (starts_anew(h, role, p))
		start_anew(h, role, out);
	switch (p->kind) {
	case PIECE_DATA:
		read_data(h, role, p, out);
		break;
	case PIECE_GAP:
		if (p->n)
			read_gap(h, role, p, out);
		break;
	case PIECE_LOST:
		http1_lose(h, role, out);
		break;
	case PIECE_END:
		http1_closed(h, role, out);
		break;
	}
}

/* ---- the protocol ---- */

static bool is_over(const void *state)
{
	return ((const struct http1 *)state)->over;
}

static enum protocol_id becomes(const void *state, u64 *ret_rest, u64 *ret_number)
{
	const struct http1 *h = state;

	if (!h->is_http2)
		return N_PROTOCOLS;
	*ret_rest = h->rest;
	*ret_number = h->answered;
	return PROTOCOL_http2;
}

static u64 messages_lost(const void *state)
{
	return ((const struct http1 *)state)->lost;
}

static void close_state(void *state)
{
	struct http1 *h = state;

	for (u32 i = 0; i < N_ROLES; i++)
		http1_forget_head(&h->dir[i]);
}

const struct protocol http1_protocol = {
	.name = "http/1.1",
	.recognise = http1_recognise,
	.state_bytes = sizeof(struct http1),
	.read = read_piece,
	.is_over = is_over,
	.becomes = becomes,
	.messages_lost = messages_lost,
	.close = close_state,
	.is_error = protocol_http_error,
};
