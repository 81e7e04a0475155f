// SPDX-License-Identifier: GPL-2.0-or-later
/* answer.c: see answer.h. Field numbers: google/rpc/status.proto. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/answer.h"
#include "exporter/otlp/protobuf.h"

/* The message (field 2) of a google.rpc.Status, or the body itself if it is text. */
static void read_reason(const struct http_answer *a, char *buf, size_t cap)
{
	struct protobuf b = { a->body, a->body + a->n };
	struct protobuf_field f;
	bool bad = false;

	*buf = '\0';
	if (!a->is_protobuf) {
		protobuf_show(buf, cap, b);
		return;
	}
	while (protobuf_next(&b, &f, &bad))
		if (f.number == 2 && f.type == 2)
			protobuf_show(buf, cap, f.bytes);
}

/* ---- when to try again -------------------------------------------------------------------- */

/* The three date forms of RFC 9110, all in UTC; -1: not a date. */
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

u64 otlp_wait_limited_ms(u64 ms)
{
	return min(max(ms, (u64)OTLP_WAIT_MIN_MS), (u64)OTLP_WAIT_MAX_MS);
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
	return otlp_wait_limited_ms(seconds * 1000);
}

u64 otlp_backoff_ms(u32 failed, u32 random)
{
	u64 base = min(1000ull << min(failed ? failed - 1 : 0, 5u), 30000ull);

	return base / 2 + random % base;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

void otlp_set_partial(struct otlp_outcome *o, const char *text)
{
	if (o->rejected)
		snprintf(o->message, sizeof(o->message), "%llu refused%s%s",
			 (unsigned long long)o->rejected, *text ? ": " : "", text);
	else if (*text)
		snprintf(o->message, sizeof(o->message), "taken, with a warning: %s", text);
}

static void judge_success(const struct http_answer *a, struct otlp_outcome *ret)
{
	struct protobuf b = { a->body, a->body + a->n };
	char text[120] = "";

	ret->verdict = OTLP_SENT;
	if (a->cut || (a->n && !a->is_protobuf) ||
	    !protobuf_response(b, &ret->rejected, text, sizeof(text))) {
		ret->rejected = 0;
		snprintf(ret->message, sizeof(ret->message),
			 "HTTP %u, but the answer cannot be read%s%.120s", a->status,
			 *a->error ? ": " : "", a->error);
		return;
	}
	otlp_set_partial(ret, text);
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
