// SPDX-License-Identifier: GPL-2.0-or-later
/* Evaluation of gRPC answers: by code, trailers and missing trailers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/otlp/grpc.h"

/* google.rpc.Status { code = 8; details = Any { RetryInfo { ... } } }, in base64 */
#define HALF_A_SECOND "CAgaNAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIICgYQgMq17gE"

static struct http_answer answer_of(const char *status, const void *body, size_t n)
{
	struct http_answer a = { .status = 200, .n = (u32)n, .grpc = { .is_grpc = true, .last = n != 0 } };

	snprintf(a.grpc.status, sizeof(a.grpc.status), "%s", status);
	memcpy(a.body, body, n);
	return a;
}

static enum otlp_verdict verdict_of(const struct http_answer *a)
{
	struct otlp_outcome o;

	grpc_judge(a, &o);
	return o.verdict;
}

/* The table of the OTLP specification. */
static void codes(void **state)
{
	(void)state;
	for (u32 code = 1; code < 40; code++) {
		struct http_answer a;
		char text[8];
		bool retry = code == 1 || code == 4 || code == 10 || code == 11 || code == 14 ||
			     code == 15;

		snprintf(text, sizeof(text), "%u", code);
		a = answer_of(text, "", 0);
		assert_int_equal(verdict_of(&a), retry ? OTLP_RETRY : OTLP_REFUSED);
	}
}

static void taken(void **state)
{
	static const u8 empty[] = { 0, 0, 0, 0, 0 };
	static const u8 some[] = { 0, 0, 0, 0, 6, 0x0a, 0x04, 0x08, 0x03, 0x12, 0x00 };
	struct http_answer a = answer_of("0", empty, sizeof(empty));
	struct otlp_outcome o;

	(void)state;
	grpc_judge(&a, &o);
	assert_int_equal(o.verdict, OTLP_SENT);
	assert_string_equal(o.message, "");
	a = answer_of("0", some, sizeof(some));
	grpc_judge(&a, &o);
	assert_int_equal(o.rejected, 3);
	assert_string_equal(o.message, "3 refused");
	for (size_t n = 0; n < sizeof(some); n++) {	/* cut anywhere */
		a = answer_of("0", some, n);
		grpc_judge(&a, &o);
		assert_int_equal(o.verdict, OTLP_SENT);
		assert_int_equal(o.rejected, 0);
		assert_non_null(strstr(o.message, "cannot be read"));
	}
}

static void trailers(void **state)
{
	static const u8 empty[] = { 0, 0, 0, 0, 0 };
	struct http_answer a = answer_of("0", empty, sizeof(empty));
	struct otlp_outcome o;

	(void)state;
	a.grpc.last = false;	/* it came with the headers */
	grpc_judge(&a, &o);
	assert_string_equal(o.message, "taken, but the answer has no grpc-status");
	a.n = 3;
	assert_int_equal(verdict_of(&a), OTLP_REFUSED);
	a = answer_of("", empty, 0);
	grpc_judge(&a, &o);
	assert_int_equal(o.verdict, OTLP_REFUSED);
	assert_string_equal(o.message, "the answer has no grpc-status");
	a = answer_of("14", empty, 0);
	a.grpc.is_grpc = false;
	grpc_judge(&a, &o);
	assert_int_equal(o.verdict, OTLP_REFUSED);
	assert_non_null(strstr(o.message, "is not gRPC"));
	a.status = 503;
	assert_int_equal(verdict_of(&a), OTLP_RETRY);
	a.status = 404;
	assert_int_equal(verdict_of(&a), OTLP_REFUSED);
	a.status = 0;		/* there was no answer */
	assert_int_equal(verdict_of(&a), OTLP_RETRY);
	a = answer_of("", empty, 0);
	a.cut = true;		/* it broke off */
	assert_int_equal(verdict_of(&a), OTLP_RETRY);
	a.too_long = true;
	assert_int_equal(verdict_of(&a), OTLP_REFUSED);
}

static void reasons(void **state)
{
	static const struct { const char *sent, *shown; } cases[] = {
		{ "no%20room", "gRPC 3 INVALID_ARGUMENT: no room" }, { "5 % of it", "gRPC 3 INVALID_ARGUMENT: 5 % of it" },
		{ "a%1b[2Jb%", "gRPC 3 INVALID_ARGUMENT: a\xc2\xb7[2Jb%" }, { "%4", "gRPC 3 INVALID_ARGUMENT: %4" },
		{ "", "gRPC 3 INVALID_ARGUMENT" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_answer a = answer_of("3", "", 0);
		struct otlp_outcome o;

		strcpy(a.grpc.message, cases[i].sent);
		grpc_judge(&a, &o);
		assert_string_equal(o.message, cases[i].shown);
	}
}

static void retry_info(void **state)
{
	struct http_answer a = answer_of("8", "", 0);
	struct otlp_outcome o;

	(void)state;
	strcpy(a.grpc.details, HALF_A_SECOND);
	grpc_judge(&a, &o);
	assert_int_equal(o.verdict, OTLP_RETRY);
	assert_int_equal(o.wait_ms, OTLP_WAIT_MIN_MS);
	for (size_t n = 0; n < strlen(HALF_A_SECOND); n += 4) {	/* truncated: no delay requested */
		memset(a.grpc.details, 0, sizeof(a.grpc.details));
		memcpy(a.grpc.details, HALF_A_SECOND, n);
		assert_int_equal(verdict_of(&a), OTLP_REFUSED);
	}
	/* the same with 7 s, then with a name of something else */
	strcpy(a.grpc.details, "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBw==");
	grpc_judge(&a, &o);
	assert_int_equal(o.wait_ms, 7000);
	a.grpc.details[20] ^= 1;
	assert_int_equal(verdict_of(&a), OTLP_REFUSED);
	a = answer_of("14", "", 0);
	strcpy(a.grpc.details, HALF_A_SECOND);
	grpc_judge(&a, &o);
	assert_int_equal(o.wait_ms, OTLP_WAIT_MIN_MS);
}

static void what_is_sent(void **state)
{
	u8 *message = xmalloc(3), *all;
	size_t n = 3;
	char text[16];

	(void)state;
	memcpy(message, "abc", 3);
	all = grpc_wrap(message, &n, true);
	assert_int_equal(n, 8);
	assert_memory_equal(all, "\1\0\0\0\3abc", 8);
	free(all);
	grpc_timeout(1500, text, sizeof(text));
	assert_string_equal(text, "1500m");
	grpc_timeout(99999999, text, sizeof(text));
	assert_string_equal(text, "99999999m");
	grpc_timeout(100000000, text, sizeof(text));
	assert_string_equal(text, "100000S");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),
		cmocka_unit_test(taken),
		cmocka_unit_test(trailers),
		cmocka_unit_test(reasons),
		cmocka_unit_test(retry_info),
		cmocka_unit_test(what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
