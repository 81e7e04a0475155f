// SPDX-License-Identifier: GPL-2.0-or-later
/* http1_messages.c: see http1_messages.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/http1_messages.h"

/* The bit of a request; sets that bit to `is`. */
#define BIT_OF(number) (1ull << (number) % DEPTH)
#define SET_BIT(bits, number, is) ((bits) = ((bits) & ~BIT_OF(number)) | ((is) ? BIT_OF(number) : 0))

static u64 number_of(const struct http1 *h, enum role role)
{
	return role == ASKS ? h->asked : h->answered;
}

static void emit(struct http1 *h, enum role role, enum part_kind kind, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct http1_head *x = d->head;
	struct part p = { .kind = kind, .role = role, .number = number_of(h, role), .bytes = d->bytes,
			  .uncertain = d->state == UNFRAMED, .earlier = d->anew };

	if (d->orphan)
		return;
	if (kind == PART_HEAD) {
		p.method = x->method;
		p.path = role == ASKS ? x->path : NULL;
		p.status = x->status;
		p.trace_id = x->trace.trace_id[0] ? x->trace.trace_id : NULL;
		p.span_id = x->trace.span_id[0] ? x->trace.span_id : NULL;
	}
	out->part(out->arg, &p);
}

/* A free one for reuse: most are released before the next one is needed. */
static struct http1_head *spare;

static struct http1_head *head_new(void)
{
	struct http1_head *x = spare;

	if (!x)
		return xcalloc(1, sizeof(*x));
	spare = NULL;
	memset(x, 0, sizeof(*x));
	return x;
}

void http1_forget_head(struct direction *d)
{
	if (d->head && !spare)
		spare = d->head;
	else
		free(d->head);
	d->head = NULL;
}

/* From here on only answers to later requests count. */
static void forget_asked(struct http1 *h)
{
	h->asked = h->answered = max(h->asked, h->answered);
	h->since = h->asked + 1;
}

void http1_lose(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == UNKNOWN)
		return;
	h->lost++;
	http1_forget_head(d);
	d->orphan = false;
	d->interim = 0;
	d->state = UNKNOWN;
	forget_asked(h);
	out->part(out->arg, &(struct part){ .kind = PART_BROKEN, .role = role, .number = 0 });
}

void http1_mix_up(struct http1 *h, enum role role, const struct sink *out)
{
	http1_lose(h, role, out);
	http1_forget_head(&h->dir[!role]);
	h->dir[!role].state = UNKNOWN;
	h->mixed_up = true;
}

/* The end of the last request was guessed, so it may contain another request. */
static bool hides_one(const struct http1 *h)
{
	return h->unsure || h->dir[ASKS].state == UNFRAMED;
}

void http1_begin(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (role == ANSWERS && hides_one(h) && h->asked >= h->since && h->answered == h->asked) {
		http1_mix_up(h, role, out);
		return;
	}
	d->head = head_new();
	d->bytes = d->interim;
	d->interim = 0;
	d->last = 0;
	d->orphan = false;
	d->state = FIRST_LINE;
	if (role == ASKS) {
		h->asked++;
		SET_BIT(h->heads, h->asked, false);
		SET_BIT(h->connects, h->asked, false);
	} else if (h->asked < h->since) {
		d->orphan = true;	/* its request was not seen */
	} else {
		h->answered++;		/* its record may precede the request's: threads */
	}
	emit(h, role, PART_BEGIN, out);
}

void http1_end(struct http1 *h, enum role role, const struct sink *out)
{
	if (role == ASKS)
		h->unsure = h->dir[role].state == UNFRAMED;
	emit(h, role, PART_DONE, out);
	http1_forget_head(&h->dir[role]);
	h->dir[role].state = AT_START;
}

void http1_closed(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == UNFRAMED && role == ANSWERS && http1_waiting(h) > !h->pipelines)
		http1_mix_up(h, role, out);
	else if (d->state == UNTIL_CLOSE || d->state == UNFRAMED)
		http1_end(h, role, out);
	else if (d->state != AT_START && d->state != UNKNOWN)
		emit(h, role, PART_BROKEN, out);
	http1_forget_head(d);
	d->state = UNKNOWN;
}

/* ---- what follows the head ---- */

/* Is the current answer one to a request in `bits`? No if its request is not known yet. */
static bool answers_one(const struct http1 *h, u64 bits)
{
	return h->answered <= h->asked && bits & BIT_OF(h->answered);
}

static bool has_no_body(const struct http1 *h, const struct http1_head *x)
{
	return x->status == 204 || x->status == 304 || answers_one(h, h->heads);
}

static enum state body_of(const struct http1 *h, enum role role, struct direction *d)
{
	const struct http1_head *x = d->head;

	if (d->orphan)
		return UNFRAMED;	/* it may answer HEAD */
	if (role == ANSWERS && has_no_body(h, x))
		return AT_START;
	if (x->flags & DOUBTFUL || (x->flags & (CHUNKED | OLD)) == (CHUNKED | OLD))
		return UNFRAMED;
	if (x->flags & CHUNKED)
		return CHUNK_SIZE;
	if (x->flags & CODED)
		return role == ASKS ? UNFRAMED : UNTIL_CLOSE;
	if (x->flags & HAS_LENGTH) {
		d->left = x->length;
		return d->left ? BODY : AT_START;
	}
	return role == ASKS ? AT_START : UNTIL_CLOSE;
}

/* 101, or 2xx to CONNECT: another protocol follows. */
static bool is_switch(const struct http1 *h, const struct http1_head *x)
{
	return x->status == 101 || (x->status / 100 == 2 && answers_one(h, h->connects));
}

static void note_asked(struct http1 *h, const struct http1_head *x)
{
	SET_BIT(h->heads, h->asked, !strcmp(x->method, "HEAD"));
	SET_BIT(h->connects, h->asked, !strcmp(x->method, "CONNECT"));
}

void http1_head_done(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct http1_head *x = d->head;
	bool switches = role == ANSWERS && !d->orphan && is_switch(h, x);

	if (role == ANSWERS && x->status / 100 == 1 && x->status != 101) {
		if (!d->orphan)
			h->answered--;	/* the answer is yet to come */
		http1_forget_head(d);
		d->interim = (u32)d->bytes;
		d->state = AT_START;
		return;
	}
	if (switches && x->status == 101 && x->flags & TO_HTTP2) {
		h->is_http2 = true;	/* where the answer is yet to come */
		http1_forget_head(d);
		return;
	}
	if (role == ASKS)
		note_asked(h, x);
	emit(h, role, PART_HEAD, out);
	d->digits = 0;
	d->state = switches ? AT_START : body_of(h, role, d);
	http1_forget_head(d);
	if (d->state == AT_START)
		http1_end(h, role, out);
	h->over |= switches;
}

void http1_head_cut(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	bool named = d->state == NAME || d->state == VALUE;

	if (!named) {
		http1_lose(h, role, out);
		return;
	}
	d->head->flags |= DOUBTFUL;
	if (role == ANSWERS && d->head->status / 100 == 1)
		http1_lose(h, role, out);
	else
		http1_head_done(h, role, out);
}
