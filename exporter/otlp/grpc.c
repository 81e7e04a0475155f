// SPDX-License-Identifier: GPL-2.0-or-later
/* grpc.c: see grpc.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/grpc_codes.h"
#include "exporter/otlp/grpc.h"
#include "exporter/otlp/protobuf.h"

u8 *grpc_wrap(u8 *message, size_t *n, bool gzip)
{
	u8 *all = xmalloc(GRPC_HEAD + *n);

	all[0] = gzip;
	for (u32 i = 0; i < 4; i++)
		all[1 + i] = (u8)(*n >> (24 - 8 * i));
	memcpy(all + GRPC_HEAD, message, *n);
	free(message);
	*n += GRPC_HEAD;
	return all;
}

void grpc_timeout(u64 timeout_ms, char *buf, size_t cap)
{
	if (timeout_ms < 100000000)
		snprintf(buf, cap, "%llum", (unsigned long long)timeout_ms);
	else
		snprintf(buf, cap, "%lluS", (unsigned long long)min(timeout_ms / 1000, (u64)99999999));
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* Decodes the percent-encoding of grpc-message; malformed sequences are kept as they are. */
static void show_message(const char *text, char *buf, size_t cap)
{
	u8 raw[sizeof(((struct grpc_trailers *)0)->message)];
	size_t n = 0;

	for (; *text; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high < 0 ? -1 : hex_digit(text[2]);

		raw[n++] = low < 0 ? (u8)*text : (u8)(high << 4 | low);
		text += low < 0 ? 0 : 2;
	}
	protobuf_show(buf, cap, (struct protobuf){ raw, raw + n });
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* Decodes a -bin header, padded or not; number of bytes, 0 if malformed. */
static size_t decode_base64(const char *text, u8 *buf, size_t cap)
{
	size_t n = 0;
	u32 bits = 0, have = 0;

	for (; *text && *text != '='; text++) {
		int d = base64_digit(*text);

		if (d < 0)
			return 0;
		bits = bits << 6 | (u32)d;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return 0;
		buf[n++] = (u8)(bits >> have);
	}
	return n;
}

/* RetryInfo: retry_delay = 1, a Duration: seconds = 1, nanos = 2. In ms; 0: absent. */
static u64 read_delay(struct protobuf info)
{
	struct protobuf_field f, part;
	bool bad = false;
	u64 ms = 0;

	while (protobuf_next(&info, &f, &bad)) {
		if (f.number != 1 || f.type != 2)
			continue;
		for (ms = 0; protobuf_next(&f.bytes, &part, &bad); )
			if (part.type == 0 && part.number == 1 && (s64)part.varint > 0)
				ms += min(part.varint, (u64)OTLP_WAIT_MAX_MS) * 1000;
			else if (part.type == 0 && part.number == 2 && (s64)part.varint > 0)
				ms += min(part.varint, (u64)NSEC_PER_SEC) / NSEC_PER_MSEC;
		if (bad)
			return 0;
		if (!ms)
			ms = 1;	/* "at once" */
	}
	return bad ? 0 : ms;
}

static bool is_text(struct protobuf b, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(b.end - b.p) == n && !memcmp(b.p, text, n);
}

/* One google.protobuf.Any: type_url = 1, value = 2. */
static u64 delay_of_detail(struct protobuf any)
{
	struct protobuf value = { 0 };
	struct protobuf_field f;
	bool bad = false, is_it = false;

	while (protobuf_next(&any, &f, &bad)) {
		if (f.number == 1 && f.type == 2)
			is_it = is_text(f.bytes, "type.googleapis.com/google.rpc.RetryInfo");
		else if (f.number == 2 && f.type == 2)
			value = f.bytes;
	}
	return is_it && !bad ? read_delay(value) : 0;
}

/* Delay of google.rpc.Status in grpc-status-details-bin (details = 3), ms; 0: no RetryInfo. */
static u64 retry_delay_ms(const char *base64)
{
	u8 raw[sizeof(((struct grpc_trailers *)0)->details)];
	struct protobuf b = { raw, raw + decode_base64(base64, raw, sizeof(raw)) };
	struct protobuf_field f;
	bool bad = false;
	u64 ms = 0;

	while (protobuf_next(&b, &f, &bad))
		if (f.number == 3 && f.type == 2 && !ms)
			ms = delay_of_detail(f.bytes);
	return ms ? otlp_wait_limited_ms(ms) : 0;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

/* Codes retryable by the OTLP specification; RESOURCE_EXHAUSTED only if the server sent a delay. */
static bool may_retry(u32 code, u64 asked_ms)
{
	static const u32 again = 1u << GRPC_CANCELLED | 1u << GRPC_DEADLINE_EXCEEDED | 1u << GRPC_ABORTED |
				 1u << GRPC_OUT_OF_RANGE | 1u << GRPC_UNAVAILABLE | 1u << GRPC_DATA_LOSS;

	return code == GRPC_RESOURCE_EXHAUSTED ? asked_ms != 0 : code < 32 && again >> code & 1;
}

/* False: the required grpc-status is missing. */
static bool read_code(const struct http_answer *a, u32 *ret)
{
	const char *text = a->grpc.status;
	size_t digits = strspn(text, "0123456789");

	if (a->status != 200 || !a->grpc.is_grpc || !digits || text[digits] || digits > 9)
		return false;
	if (!a->grpc.last && a->n)
		return false;	/* in the headers, the server could not know yet */
	*ret = (u32)strtoul(text, NULL, 10);
	return true;
}

/* Exactly one uncompressed message: the request accepts no other encoding. */
static bool read_message(const struct http_answer *a, u64 *ret_rejected, char *text, size_t cap)
{
	const u8 *h = a->body;
	u64 n;

	if (a->cut || a->n < GRPC_HEAD || h[0])
		return false;
	n = (u64)h[1] << 24 | (u64)h[2] << 16 | (u64)h[3] << 8 | h[4];
	return n == a->n - GRPC_HEAD &&
	       protobuf_response((struct protobuf){ h + GRPC_HEAD, h + a->n }, ret_rejected, text, cap);
}

static void judge_taken(const struct http_answer *a, struct otlp_outcome *ret)
{
	char text[120] = "";

	ret->verdict = OTLP_SENT;
	if (read_message(a, &ret->rejected, text, sizeof(text))) {
		otlp_set_partial(ret, text);
		return;
	}
	ret->rejected = 0;
	snprintf(ret->message, sizeof(ret->message), "gRPC OK, but the answer cannot be read");
}

/*
 * A server sends a message if it accepted the call, and only a status if not; so a message without
 * status does not mean that everything was rejected. Some servers do this, and libcurl 7.88 loses
 * the trailers after a GOAWAY.
 */
static bool is_message_alone(const struct http_answer *a)
{
	char text[8];
	u64 rejected = 0;

	return a->status == 200 && a->grpc.is_grpc && (!*a->grpc.status || !a->grpc.last) &&
	       read_message(a, &rejected, text, sizeof(text));
}

/* No gRPC status: the connection broke, or the server does not speak gRPC properly. */
static void judge_silence(const struct http_answer *a, struct otlp_outcome *ret)
{
	u32 code = grpc_code_of_http(a->status);

	if (!a->status || (a->cut && !a->too_long)) {
		snprintf(ret->message, sizeof(ret->message), "%.190s", a->error);
		return;
	}
	if (!may_retry(code, 0))
		ret->verdict = OTLP_REFUSED;
	if (a->too_long)
		snprintf(ret->message, sizeof(ret->message), "the answer: %.180s", a->error);
	else if (a->status == 200)
		snprintf(ret->message, sizeof(ret->message), a->grpc.is_grpc ?
			 "the answer has no grpc-status" : "the answer is not gRPC: is it port 4318?");
	else
		snprintf(ret->message, sizeof(ret->message), "HTTP %u instead of gRPC", a->status);
}

void grpc_judge(const struct http_answer *a, struct otlp_outcome *ret)
{
	char reason[120];
	u64 asked_ms;
	u32 code;

	*ret = (struct otlp_outcome){ .verdict = OTLP_RETRY };
	if (is_message_alone(a)) {
		judge_taken(a, ret);
		if (!*ret->message)
			snprintf(ret->message, sizeof(ret->message), "taken, but the answer has no grpc-status");
		return;
	}
	if (!read_code(a, &code)) {
		judge_silence(a, ret);
		return;
	}
	if (code == GRPC_OK) {
		judge_taken(a, ret);
		return;
	}
	asked_ms = retry_delay_ms(a->grpc.details);
	show_message(a->grpc.message, reason, sizeof(reason));
	snprintf(ret->message, sizeof(ret->message), "gRPC %u %s%s%s", code, grpc_code_name(code) ?: "UNKNOWN",
		 *reason ? ": " : "", reason);
	if (may_retry(code, asked_ms))
		ret->wait_ms = asked_ms;
	else
		ret->verdict = OTLP_REFUSED;
}
