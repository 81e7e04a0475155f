// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http1.c: HTTP/1.0 and 1.1 (RFC 9112). Kept of a head: method,
 * path without query, status, framing, traceparent. Of a body only lengths are
 * needed; where the heads of chunks lie in bytes that were not captured, the end
 * is recognised by what the last chunk looks like, or by the next message.
 *
 * Framing is what an attacker lies about: where two readings are possible
 * (lengths that differ, a blank before the colon, unknown codings) none is
 * believed, and the next message is looked for where a socket call begins.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bpf/protocols/http1_lines.h"
#include "bpf/protocols/protocol.h"
#include "bpf/protocols/trace.h"

#define NAME_MAX_KEPT 24	/* of a header; longer ones are none of ours */
#define VALUE_MAX_KEPT 64
#define HEAD_MAX (1u << 20)	/* a head that goes on longer is not waited for */
#define DEPTH 64		/* requests that wait for answers; a power of two */
#define MAX_DIGITS 15		/* of a length, decimal or hexadecimal */

enum state {
	AT_START,	/* between messages */
	FIRST_LINE,
	NAME, VALUE,	/* of a header */
	BODY,		/* `left` bytes */
	CHUNK_SIZE, CHUNK_EXTENSION, CHUNK, CHUNK_END,
	TRAILER,	/* after the last chunk; `left`: bytes of the line so far */
	UNTIL_CLOSE,
	UNFRAMED,	/* in a body whose end cannot be counted */
	UNKNOWN		/* not even that: before the first message, or after a loss */
};

enum framing_flags { HAS_LENGTH = 1, CHUNKED = 2, CODED = 4, DOUBTFUL = 8, OLD = 16, UPGRADES = 32, TO_HTTP2 = 64 };

/* A head that is being read. */
struct head {
	u32 bytes, n_first, n_name, n_value;
	u32 status;
	u64 length;
	u8 flags, word;		/* word: of the first line, from 0 */
	bool in_query, bad;
	bool known;		/* the value is of a header that is looked at */
	char method[METHOD_MAX], path[PATH_MAX_KEPT], version[12];
	char name[NAME_MAX_KEPT], value[VALUE_MAX_KEPT];
	struct trace trace;
};

struct direction {
	struct head *head;
	u64 left;
	u64 bytes;		/* of the message so far */
	u64 last;		/* its last 8 bytes, for UNFRAMED */
	u64 interim;		/* bytes of 100 Continue and the like before it: sent for the same request */
	u32 digits;
	u8 state;
	bool orphan;		/* an answer to what was asked before we looked */
	bool anew;		/* it ended before the piece that is read */
};

enum asked_flags { ASKED_HEAD = 1, ASKED_CONNECT = 2 };

struct http1 {
	struct direction dir[N_ROLES];
	u64 asked, answered;	/* messages of each role that have begun */
	u64 since;		/* the first request that may be answered: those before are lost */
	u64 lost;
	u8 kind[DEPTH];		/* of the requests that are not answered */
	bool over;
	bool pipelines;		/* requests have been sent before what was asked earlier was answered */
	bool unsure;		/* the end of the last request was recognised, not counted: others may be in it */
	bool mixed_up;		/* which answer belongs to which request is not known any more */
	bool is_http2;		/* from here on: 101 with `Upgrade: h2c` (RFC 7540, 3.2) */
	u64 rest;		/* bytes of the last piece that are HTTP/2 */
};

/* ---- recognising ---- */

static enum verdict is_answer(const u8 *p, u64 n)
{
	static const char begin[] = "HTTP/1.";
	u64 len = sizeof(begin) - 1;

	if (memcmp(p, begin, (size_t)min(n, len)))
		return VERDICT_NO;
	return n < len ? VERDICT_MORE : VERDICT_YES;
}

static enum verdict is_request(const u8 *p, u64 n)
{
	u64 i = 0;

	while (i < n && i < METHOD_MAX && http1_is_token(p[i]))
		i++;
	if (i == n)
		return VERDICT_MORE;
	return i >= 3 && i < METHOD_MAX && p[i] == ' ' ? VERDICT_YES : VERDICT_NO;
}

static enum verdict recognise(const u8 *p, u64 n, enum role *ret_role)
{
	enum verdict v = is_answer(p, n);

	*ret_role = v == VERDICT_NO ? ASKS : ANSWERS;
	return v == VERDICT_NO ? is_request(p, n) : v;
}

/* ---- parts ---- */

static u64 number_of(const struct http1 *h, enum role role)
{
	return role == ASKS ? h->asked : h->answered;
}

static void tell(struct http1 *h, enum role role, enum part_kind kind, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct head *x = d->head;
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

static void forget_head(struct direction *d)
{
	free(d->head);
	d->head = NULL;
}

/* From here on answers are believed only to what is asked from here on. */
static void forget_asked(struct http1 *h)
{
	h->asked = h->answered = max(h->asked, h->answered);
	h->since = h->asked + 1;
}

/* Nothing is known any more of this direction: what was under way is lost. */
static void lose(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == UNKNOWN)
		return;
	h->lost++;
	forget_head(d);
	d->orphan = false;
	d->interim = 0;
	d->state = UNKNOWN;
	forget_asked(h);
	out->part(out->arg, &(struct part){ .kind = PART_BROKEN, .role = role, .number = 0 });
}

/*
 * Messages may have been taken for the end of another one, while more than one request waits: what
 * comes is only counted as lost. A wrong status would be worse.
 */
static void mix_up(struct http1 *h, enum role role, const struct sink *out)
{
	lose(h, role, out);
	forget_head(&h->dir[!role]);
	h->dir[!role].state = UNKNOWN;
	h->mixed_up = true;
}

/* Another request may have been taken for the end of the last one. */
static bool hides_one(const struct http1 *h)
{
	return h->unsure || h->dir[ASKS].state == UNFRAMED;
}

static void begin(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (role == ANSWERS && hides_one(h) && h->asked >= h->since && h->answered == h->asked) {
		mix_up(h, role, out);
		return;
	}
	d->head = xcalloc(1, sizeof(*d->head));
	d->bytes = d->interim;
	d->interim = d->last = 0;
	d->orphan = false;
	d->state = FIRST_LINE;
	if (role == ASKS) {
		h->asked++;
		h->kind[h->asked % DEPTH] = 0;
	} else if (h->asked < h->since) {
		d->orphan = true;	/* since we looked nobody has asked */
	} else {
		h->answered++;		/* it may be told before what it answers: threads */
	}
	tell(h, role, PART_BEGIN, out);
}

/* Requests whose answers have not begun. */
static u64 n_waiting(const struct http1 *h)
{
	return h->asked > h->answered ? h->asked - h->answered : 0;
}

static void end(struct http1 *h, enum role role, const struct sink *out)
{
	if (role == ASKS)
		h->unsure = h->dir[role].state == UNFRAMED;
	tell(h, role, PART_DONE, out);
	forget_head(&h->dir[role]);
	h->dir[role].state = AT_START;
}

/* ---- the first line ---- */

static void put(char *buf, size_t cap, u32 *n, u8 c)
{
	if (*n + 1 < cap)
		buf[*n] = (char)c;
	if (*n + 1 < cap)
		buf[*n + 1] = '\0';
	(*n)++;
}

/* The same of n bytes. */
static void put_run(char *buf, size_t cap, u32 *at, const u8 *p, u32 n)
{
	size_t kept = *at + 1 < cap ? min((size_t)n, cap - 1 - *at) : 0;

	if (kept) {
		memcpy(buf + *at, p, kept);
		buf[*at + kept] = '\0';
	}
	*at += n;
}

static void request_line(struct head *x, u8 c)
{
	if (c == ' ') {
		x->bad |= !x->n_first;
		x->word++;
		x->n_first = 0;
	} else if (x->word == 0) {
		x->bad |= !http1_is_token(c) || x->n_first + 1 >= METHOD_MAX;
		put(x->method, sizeof(x->method), &x->n_first, c);
	} else if (x->word == 1) {
		x->in_query |= c == '?' || c == '#';
		x->bad |= c < ' ';
		if (!x->in_query)
			put(x->path, sizeof(x->path), &x->n_first, c);
		else
			x->n_first++;
	} else {
		put(x->version, sizeof(x->version), &x->n_first, c);
	}
}

static void status_line(struct head *x, u8 c)
{
	if (c == ' ' && x->word < 2) {
		x->word++;
		x->n_first = 0;
	} else if (x->word == 0) {
		put(x->version, sizeof(x->version), &x->n_first, c);
	} else if (x->word == 1) {
		x->bad |= c < '0' || c > '9' || ++x->n_first > 3;
		x->status = x->status * 10 + (c - '0') % 10;
	}
}

/* http://host:port/path as proxies are asked: only the path is kept. */
static void strip_origin(struct head *x)
{
	char *at = strstr(x->path, "://");

	if (x->path[0] == '/' || !at)
		return;
	at = strchr(at + 3, '/');
	memmove(x->path, at ? at : "/", at ? strlen(at) + 1 : 2);
}

/* False: this is no first line of HTTP/1. */
static bool first_line_done(struct head *x, enum role role)
{
	const char *v = x->version;

	if (strncmp(v, "HTTP/1.", 7) || (v[7] != '0' && v[7] != '1') || v[8])
		return false;
	x->flags |= v[7] == '0' ? OLD : 0;
	if (x->bad)
		return false;
	if (role == ANSWERS)
		return x->status >= 100 && x->status <= 999 && x->word >= 1;
	strip_origin(x);
	return x->word == 2 && x->path[0];
}

/* ---- headers ---- */

#define is_name(x, literal) ((x)->n_name == sizeof(literal) - 1 && !strcasecmp((x)->name, literal))

static void content_length(struct head *x)
{
	u64 n = 0;
	u32 i = 0;

	for (; x->value[i] >= '0' && x->value[i] <= '9' && i < MAX_DIGITS; i++)
		n = n * 10 + (u64)(x->value[i] - '0');
	if (!i || x->value[i] || x->n_value >= VALUE_MAX_KEPT ||
	    (x->flags & HAS_LENGTH && x->length != n))
		x->flags |= DOUBTFUL;
	x->length = n;
	x->flags |= HAS_LENGTH;
}

/* The last coding decides; "chunked" may be there once, at the end. */
static void transfer_encoding(struct head *x)
{
	const char *last = strrchr(x->value, ',');

	last = last ? last + 1 : x->value;
	last += strspn(last, " \t");
	if (x->flags & CHUNKED || x->n_value >= VALUE_MAX_KEPT)
		x->flags |= DOUBTFUL;
	x->flags |= strcasecmp(last, "chunked") ? CODED : CHUNKED;
}

static void header_done(struct head *x)
{
	u32 n = min(x->n_value, (u32)VALUE_MAX_KEPT - 1);

	while (n && (x->value[n - 1] == ' ' || x->value[n - 1] == '\t' || x->value[n - 1] == '\r'))
		x->value[--n] = '\0';
	if (is_name(x, "content-length"))
		content_length(x);
	else if (is_name(x, "transfer-encoding"))
		transfer_encoding(x);
	else if (is_name(x, "traceparent"))
		trace_parse(&x->trace, x->value);
	else if (is_name(x, "upgrade"))
		x->flags |= strcasecmp(x->value, "h2c") ? UPGRADES : UPGRADES | TO_HTTP2;
	x->n_name = x->n_value = 0;
	x->name[0] = x->value[0] = '\0';
}

/* ---- what follows the head ---- */

/* What the answer that is read belongs to; nothing, where that is told later. */
static u8 kind_asked(const struct http1 *h)
{
	return h->answered > h->asked ? 0 : h->kind[h->answered % DEPTH];
}

static bool has_no_body(const struct http1 *h, const struct head *x)
{
	return x->status == 204 || x->status == 304 || kind_asked(h) & ASKED_HEAD;
}

static enum state body_of(const struct http1 *h, enum role role, struct direction *d)
{
	const struct head *x = d->head;

	if (d->orphan)
		return UNFRAMED;	/* it may be one to HEAD */
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

/* 101, or 2xx to CONNECT: from here on it is another protocol. */
static bool is_switch(const struct http1 *h, const struct head *x)
{
	return x->status == 101 ||
	       (x->status / 100 == 2 && kind_asked(h) & ASKED_CONNECT);
}

static void note_asked(struct http1 *h, const struct head *x)
{
	h->kind[h->asked % DEPTH] = !strcmp(x->method, "HEAD") ? ASKED_HEAD :
				    !strcmp(x->method, "CONNECT") ? ASKED_CONNECT : 0;
}

static void head_done(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct head *x = d->head;
	bool switches = role == ANSWERS && !d->orphan && is_switch(h, x);

	if (role == ANSWERS && x->status / 100 == 1 && x->status != 101) {
		if (!d->orphan)
			h->answered--;	/* the answer is yet to come */
		forget_head(d);
		d->interim = d->bytes;
		d->state = AT_START;
		return;
	}
	if (switches && x->status == 101 && x->flags & TO_HTTP2) {
		h->is_http2 = true;	/* where the answer is yet to come */
		forget_head(d);
		return;
	}
	if (role == ASKS)
		note_asked(h, x);
	tell(h, role, PART_HEAD, out);
	d->digits = 0;
	d->state = switches ? AT_START : body_of(h, role, d);
	forget_head(d);
	if (d->state == AT_START)
		end(h, role, out);
	h->over |= switches;
}

/* The head goes on in bytes that nobody has: its first line is known, its framing is not. */
static void head_cut(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	bool named = d->state == NAME || d->state == VALUE;

	if (!named) {
		lose(h, role, out);
		return;
	}
	d->head->flags |= DOUBTFUL;
	if (role == ANSWERS && d->head->status / 100 == 1)
		lose(h, role, out);
	else
		head_done(h, role, out);
}

/* ---- one byte ---- */

static void read_first_line(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct head *x = d->head;

	if (c == '\n') {
		if (first_line_done(x, role))
			d->state = NAME;
		else if (h->asked + h->answered <= 1)
			h->over = true;	/* the first message is none of HTTP/1: it is something else */
		else
			lose(h, role, out);
	} else if (c == '\r') {
		;
	} else if (role == ASKS) {
		request_line(x, c);
	} else {
		status_line(x, c);
	}
}

static void read_name(struct http1 *h, enum role role, u8 c, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	struct head *x = d->head;

	if (c == '\n') {
		bool empty = !x->n_name;

		x->flags |= empty ? 0 : DOUBTFUL;	/* a line without a colon */
		x->n_name = 0;
		if (empty)
			head_done(h, role, out);
	} else if (c == '\r') {
		;
	} else if (c == ':') {
		x->known = x->n_name < NAME_MAX_KEPT && http1_is_known(x->name, x->n_name);
		d->state = VALUE;
	} else if (c == ' ' || c == '\t') {
		/* a folded line, or a blank before the colon: readers differ in what they make of it */
		x->flags |= DOUBTFUL;
		put(x->name, sizeof(x->name), &x->n_name, c);
	} else {
		put(x->name, sizeof(x->name), &x->n_name, c);
	}
}

static void read_value(struct direction *d, u8 c)
{
	struct head *x = d->head;

	if (c == '\n') {
		if (x->known)
			header_done(x);
		x->n_name = x->n_value = 0;
		x->name[0] = x->value[0] = '\0';
		d->state = NAME;
	} else if ((c != ' ' && c != '\t') || x->n_value) {
		put(x->value, sizeof(x->value), &x->n_value, c);
	}
}

/* The first line, where it is whole and usual, up to its end; else 0. */
static u32 pass_first_line(struct direction *d, enum role role, const u8 *p, u64 n)
{
	struct head *x = d->head;
	struct http1_asked a;
	u32 at = 0;

	if (role == ANSWERS) {
		a.end = http1_status_line(p, n, &x->status);
		if (!a.end)
			return 0;
		put_run(x->version, sizeof(x->version), &at, p, 8);
	} else {
		if (!http1_request_line(p, n, &a))
			return 0;
		put_run(x->method, sizeof(x->method), &at, p, a.method);
		put_run(x->path, sizeof(x->path), &(u32){ 0 }, p + a.path_at, a.path);
		put_run(x->version, sizeof(x->version), &(u32){ 0 }, p + a.version_at, a.version);
	}
	x->word = 2;
	x->bytes += a.end;
	d->bytes += a.end;
	return a.end;
}

/* How many bytes from here on are of the name, or of a value that nobody looks at: most of a head is. */
static u64 pass_head(struct direction *d, const u8 *p, u64 n)
{
	struct head *x = d->head;
	u32 most = (u32)min(n, (u64)(HEAD_MAX - x->bytes)), run = 0;
	const u8 *end;

	if (d->state == NAME && !x->n_name)
		run = http1_lines_passed(p, most);
	if (d->state == NAME && !run) {
		while (run < most && p[run] > ' ' && p[run] != ':')
			run++;
		put_run(x->name, sizeof(x->name), &x->n_name, p, run);
	} else if (d->state == VALUE && !x->known) {
		end = memchr(p, '\n', most);
		run = end ? (u32)(end - p) : most;
	}
	x->bytes += run;
	d->bytes += run;
	return run;
}

static void unframe(struct direction *d)
{
	d->state = UNFRAMED;
	d->last = 0;
}

static int hex_digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void read_chunk_size(struct direction *d, u8 c)
{
	int digit = hex_digit(c);

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
		end(h, role, out);
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
		if (c == '\r' || c == '\n')	/* some clients send an empty line more */
			return;
		begin(h, role, out);
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
		head_cut(h, role, out);
}

/* ---- bodies ---- */

/* n bytes of a body that is counted; returns how many of them were its. */
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
		end(h, role, out);
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
	if (role == ANSWERS && h->pipelines && n_waiting(h))
		mix_up(h, role, out);	/* it may be the end of another answer */
	else
		end(h, role, out);
}

static bool is_message(enum role role, const struct piece *p)
{
	enum role which;

	return p->begins && p->kind == PIECE_DATA && recognise(p->data, p->n, &which) == VERDICT_YES && which == role;
}

/* A body that ends nobody knows where: does the next message begin here? */
static bool starts_anew(const struct http1 *h, enum role role, const struct piece *p)
{
	const struct direction *d = &h->dir[role];

	if (d->state == UNFRAMED && role == ANSWERS && !d->orphan && !n_waiting(h))
		return false;	/* nobody has asked for another one: it only looks like it */
	return (d->state == UNFRAMED || d->state == UNKNOWN) && is_message(role, p);
}

/* The last message ends where the next one begins, unless others are in between. */
static void start_anew(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];
	u64 most = role == ASKS ? 0 : 1;

	if (d->state == UNFRAMED && !d->orphan && n_waiting(h) > most) {
		mix_up(h, role, out);
		return;
	}
	d->anew = true;
	if (d->state == UNFRAMED)
		end(h, role, out);
	d->anew = false;
	d->state = AT_START;
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
			run = pass_head(d, p->data + i, p->n - i);
			i += run;
			if (run)
				break;
			/* fall through */
		default:
			h->pipelines |= role == ASKS && d->state == AT_START && i && n_waiting(h);
			if (d->state == AT_START && p->data[i] > '\r')
				begin(h, role, out);
			if (d->state == FIRST_LINE && !d->head->bytes)
				i += pass_first_line(d, role, p->data + i, p->n - i);
			if (i < p->n && d->state != UNKNOWN)
				read_byte(h, role, p->data[i++], out);
		}
	}
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
		head_cut(h, role, out);
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
	default:	/* whole messages are in it */
		lose(h, role, out);
	}
}

static void read_end(struct http1 *h, enum role role, const struct sink *out)
{
	struct direction *d = &h->dir[role];

	if (d->state == UNFRAMED && role == ANSWERS && n_waiting(h) > !h->pipelines)
		mix_up(h, role, out);
	else if (d->state == UNTIL_CLOSE || d->state == UNFRAMED)
		end(h, role, out);
	else if (d->state != AT_START && d->state != UNKNOWN)
		tell(h, role, PART_BROKEN, out);
	forget_head(d);
	d->state = UNKNOWN;
}

/* ---- the protocol ---- */

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
		lose(h, role, out);
		break;
	case PIECE_END:
		read_end(h, role, out);
		break;
	}
}

static bool is_over(const void *state)
{
	return ((const struct http1 *)state)->over;
}

static enum protocol_id becomes(const void *state, u64 *ret_rest, u64 *ret_number)
{
	const struct http1 *h = state;

	*ret_rest = h->rest;
	*ret_number = h->answered;
	return h->is_http2 ? PROTOCOL_http2 : N_PROTOCOLS;
}

static u64 messages_lost(const void *state)
{
	return ((const struct http1 *)state)->lost;
}

static void close_state(void *state)
{
	struct http1 *h = state;

	for (u32 i = 0; i < N_ROLES; i++)
		forget_head(&h->dir[i]);
}

/* https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status */
static bool is_error(u32 status, bool server)
{
	return status >= (server ? 500 : 400);
}

const struct protocol http1_protocol = {
	.name = "http/1.1",
	.recognise = recognise,
	.state_bytes = sizeof(struct http1),
	.read = read_piece,
	.is_over = is_over,
	.becomes = becomes,
	.messages_lost = messages_lost,
	.close = close_state,
	.is_error = is_error,
};
