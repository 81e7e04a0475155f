// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <strings.h>

#include "bpf/protocols/http1_head.h"
#include "bpf/protocols/http1_lines.h"

#define MAX_DIGITS 15		/* of a decimal length */

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

static void request_line(struct http1_head *x, u8 c)
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
		x->bad |= !c;	/* it would end the text of the version */
		put(x->version, sizeof(x->version), &x->n_first, c);
	}
}

static void status_line(struct http1_head *x, u8 c)
{
	if (c == ' ' && x->word < 2) {
		x->word++;
		x->n_first = 0;
	} else if (x->word == 0) {
		x->bad |= !c;
		put(x->version, sizeof(x->version), &x->n_first, c);
	} else if (x->word == 1) {
		x->bad |= c < '0' || c > '9' || ++x->n_first > 3;
		x->status = x->status * 10 + (c - '0') % 10;
	}
}

void http1_head_first_byte(struct http1_head *x, enum role role, u8 c)
{
	if (role == ASKS)
		request_line(x, c);
	else
		status_line(x, c);
}

u32 http1_head_first_line(struct http1_head *x, enum role role, const u8 *p, u64 n)
{
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
	return a.end;
}

/* http://host:port/path as proxies are asked: only the path is kept. */
static void strip_origin(struct http1_head *x)
{
	char *at = strstr(x->path, "://");

	if (x->path[0] == '/' || !at)
		return;
	at = strchr(at + 3, '/');
	memmove(x->path, at ? at : "/", at ? strlen(at) + 1 : 2);
}

bool http1_head_first_done(struct http1_head *x, enum role role)
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

static void content_length(struct http1_head *x)
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
static void transfer_encoding(struct http1_head *x)
{
	const char *last = strrchr(x->value, ',');

	last = last ? last + 1 : x->value;
	last += strspn(last, " \t");
	if (x->flags & CHUNKED || x->n_value >= VALUE_MAX_KEPT)
		x->flags |= DOUBTFUL;
	x->flags |= strcasecmp(last, "chunked") ? CODED : CHUNKED;
}

void http1_head_name_byte(struct http1_head *x, u8 c)
{
	/* A folded line, or a blank before the colon: readers interpret these differently. */
	if (c == ' ' || c == '\t')
		x->flags |= DOUBTFUL;
	put(x->name, sizeof(x->name), &x->n_name, c);
}

void http1_head_name_done(struct http1_head *x)
{
	x->known = x->n_name < NAME_MAX_KEPT && http1_is_known(x->name, x->n_name);
}

bool http1_head_line_done(struct http1_head *x)
{
	bool empty = !x->n_name;

	x->flags |= empty ? 0 : DOUBTFUL;	/* a line without a colon */
	x->n_name = 0;
	return empty;
}

void http1_head_value_byte(struct http1_head *x, u8 c)
{
	if ((c != ' ' && c != '\t') || x->n_value)
		put(x->value, sizeof(x->value), &x->n_value, c);
}

static void take_header(struct http1_head *x)
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
}

void http1_head_value_done(struct http1_head *x)
{
	if (x->known)
		take_header(x);
	x->n_name = x->n_value = 0;
	x->name[0] = x->value[0] = '\0';
}

u32 http1_head_pass(struct http1_head *x, bool in_value, const u8 *p, u64 n)
{
	u32 most = (u32)min(n, (u64)(HEAD_MAX - x->bytes)), run = 0;
	const u8 *end;

	if (!in_value && !x->n_name)
		run = http1_lines_passed(p, most);
	if (!in_value && !run) {
		while (run < most && p[run] > ' ' && p[run] != ':')
			run++;
		put_run(x->name, sizeof(x->name), &x->n_name, p, run);
	} else if (in_value && !x->known) {
		end = memchr(p, '\n', most);
		run = end ? (u32)(end - p) : most;
	}
	x->bytes += run;
	return run;
}
