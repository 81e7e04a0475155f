// SPDX-License-Identifier: GPL-2.0-or-later
/* answer.c: see answer.h. Field numbers: opentelemetry/proto/collector, google/rpc/status.proto. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/answer.h"

/* ---- protocol buffers, read without allocating ------------------------------------------ */

struct bytes {
	const u8 *p, *end;
};

static bool read_varint(struct bytes *b, u64 *ret)
{
	*ret = 0;
	for (u32 shift = 0; shift < 70 && b->p < b->end; shift += 7) {
		u8 byte = *b->p++;

		if (shift < 64)
			*ret |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

struct field_value {
	u32 number, type;	/* type as on the wire: 0 varint, 2 bytes */
	u64 varint;
	struct bytes bytes;
};

static bool take(struct bytes *b, u64 n, struct bytes *ret)
{
	if (n > (u64)(b->end - b->p))
		return false;
	*ret = (struct bytes){ b->p, b->p + n };
	b->p += n;
	return true;
}

/* The next field; false at the end, and where it is no message (then b->p < b->end or *bad). */
static bool next_field(struct bytes *b, struct field_value *f, bool *bad)
{
	static const u8 fixed[] = { [1] = 8, [5] = 4 };
	u64 tag, n;

	if (b->p == b->end)
		return false;
	*bad = true;
	if (!read_varint(b, &tag) || !(tag >> 3) || tag >> 3 > UINT32_MAX >> 3)
		return false;
	f->number = (u32)(tag >> 3);
	f->type = tag & 7;
	if (f->type == 0)
		*bad = !read_varint(b, &f->varint);
	else if (f->type == 2)
		*bad = !read_varint(b, &n) || !take(b, n, &f->bytes);
	else if (f->type == 1 || f->type == 5)
		*bad = !take(b, fixed[f->type], &f->bytes);
	return !*bad;
}

/* Bytes from outside as one line that is safe to show. */
static void show_text(char *buf, size_t cap, struct bytes b)
{
	char raw[160];
	size_t n = 0;

	while (b.p < b.end && n < sizeof(raw) - 1 && *b.p)
		raw[n++] = (char)*b.p++;
	raw[n] = '\0';
	text_clean(buf, cap, raw, TEXT_SCREEN);
}

/* The ExportPartialSuccess: rejected_... = 1, error_message = 2. False: no message. */
static bool read_partial(struct bytes b, u64 *ret_rejected, char *message, size_t cap)
{
	struct field_value f;
	bool bad = false;

	while (next_field(&b, &f, &bad)) {
		if (f.number == 1 && f.type == 0)
			*ret_rejected = (s64)f.varint > 0 ? f.varint : 0;
		else if (f.number == 2 && f.type == 2)
			show_text(message, cap, f.bytes);
	}
	return !bad;
}

/* The Export...ServiceResponse: partial_success = 1. */
static bool read_response(struct bytes b, u64 *ret_rejected, char *message, size_t cap)
{
	struct field_value f;
	bool bad = false;

	while (next_field(&b, &f, &bad))
		if (f.number == 1 && f.type == 2 &&
		    !read_partial(f.bytes, ret_rejected, message, cap))
			return false;
	return !bad;
}

/* The message = 2 of a google.rpc.Status, or the text as it is. */
static void read_reason(const struct http_answer *a, char *buf, size_t cap)
{
	struct bytes b = { a->body, a->body + a->n };
	struct field_value f;
	bool bad = false;

	*buf = '\0';
	if (!a->is_protobuf) {
		show_text(buf, cap, b);
		return;
	}
	while (next_field(&b, &f, &bad))
		if (f.number == 2 && f.type == 2)
			show_text(buf, cap, f.bytes);
}

/* ---- when to try again -------------------------------------------------------------------- */

/* The three forms of RFC 9110; all are UTC. -1: none of them. */
static time_t parse_date(const char *text)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y",
	};

	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return timegm(&tm);
	}
	return -1;
}

u64 otlp_retry_after_ms(const char *text, time_t now)
{
	u64 seconds;
	time_t date;

	if (isdigit((unsigned char)*text) && !text[strspn(text, "0123456789")]) {
		seconds = strlen(text) > 9 ? UINT32_MAX : strtoull(text, NULL, 10);
	} else {
		date = parse_date(text);
		if (date < 0)
			return 0;
		seconds = date > now ? (u64)(date - now) : 0;
	}
	return min(max(seconds, (u64)1) * 1000, (u64)OTLP_WAIT_MAX_MS);
}

u64 otlp_backoff_ms(u32 failed, u32 random)
{
	u64 base = min(1000ull << min(failed ? failed - 1 : 0, 5u), 30000ull);

	return base / 2 + random % base;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void judge_success(const struct http_answer *a, struct otlp_outcome *ret)
{
	struct bytes b = { a->body, a->body + a->n };
	char text[120] = "";

	ret->verdict = OTLP_SENT;
	if (a->cut || (a->n && !a->is_protobuf) ||
	    !read_response(b, &ret->rejected, text, sizeof(text))) {
		ret->rejected = 0;
		snprintf(ret->message, sizeof(ret->message),
			 "HTTP %u, but the answer cannot be read%s%.120s", a->status,
			 *a->error ? ": " : "", a->error);
	} else if (ret->rejected) {
		snprintf(ret->message, sizeof(ret->message), "%llu refused%s%s",
			 (unsigned long long)ret->rejected, *text ? ": " : "", text);
	} else if (*text) {
		snprintf(ret->message, sizeof(ret->message), "taken, with a warning: %s", text);
	}
}

static bool may_retry(u32 status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

void otlp_judge(const struct http_answer *a, time_t now, struct otlp_outcome *ret)
{
	char reason[120];

	*ret = (struct otlp_outcome){ .verdict = OTLP_RETRY };
	if (!a->status) {
		snprintf(ret->message, sizeof(ret->message), "%s", a->error);
		return;
	}
	if (a->status >= 200 && a->status < 300) {
		judge_success(a, ret);
		return;
	}
	read_reason(a, reason, sizeof(reason));
	snprintf(ret->message, sizeof(ret->message), "HTTP %u%s%s%s", a->status,
		 a->status / 100 == 3 ? ", redirections are not followed" : "",
		 *reason ? ": " : "", reason);
	if (may_retry(a->status))
		ret->wait_ms = otlp_retry_after_ms(a->retry_after, now);
	else
		ret->verdict = OTLP_REFUSED;
}
