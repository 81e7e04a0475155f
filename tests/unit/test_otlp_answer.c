// SPDX-License-Identifier: GPL-2.0-or-later
/* Evaluation of a collector's answers: which are retried, when, and garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/otlp/answer.h"

#define NOW 1700000000	/* Tue, 14 Nov 2023 22:13:20 GMT */

static struct http_answer answer_of(u32 status, const void *body, size_t n)
{
	struct http_answer a = { .status = status, .is_protobuf = true, .n = (u32)n };

	assert_true(n <= sizeof(a.body));
	memcpy(a.body, body, n);
	return a;
}

static enum otlp_verdict verdict(u32 status)
{
	struct http_answer a = answer_of(status, "", 0);
	struct otlp_outcome o;

	otlp_judge(&a, NOW, &o);
	return o.verdict;
}

static void statuses(void **state)
{
	static const u32 again[] = { 0, 429, 502, 503, 504 };
	static const u32 never[] = { 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408,
				     411, 413, 415, 422, 431, 500, 501, 505, 507, 599, 999 };

	for (u32 i = 0; i < ARRAY_SIZE(again); i++)
		assert_int_equal(verdict(again[i]), OTLP_RETRY);
	for (u32 i = 0; i < ARRAY_SIZE(never); i++)
		assert_int_equal(verdict(never[i]), OTLP_REFUSED);
	assert_int_equal(verdict(200), OTLP_SENT);
	assert_int_equal(verdict(202), OTLP_SENT);
}

static void partial_success(void **state)
{
	/* partial_success { rejected = 12; error_message = "too\x1blong" } */
	static const u8 some[] = { 0x0a, 0x0c, 0x08, 0x0c, 0x12, 0x08, 't', 'o', 'o', 0x1b,
				   'l', 'o', 'n', 'g' };
	static const u8 warning[] = { 0x0a, 0x05, 0x12, 0x03, 'h', 'e', 'y' };
	static const u8 unknown[] = { 0x98, 0x06, 0x01, 0x0a, 0x04, 0x08, 0x03, 0x18, 0x01 };
	static const u8 negative[] = { 0x0a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0x01 };
	struct http_answer a = answer_of(200, some, sizeof(some));
	struct otlp_outcome o;

	otlp_judge(&a, NOW, &o);
	assert_int_equal(o.verdict, OTLP_SENT);
	assert_int_equal(o.rejected, 12);
	assert_string_equal(o.message, "12 refused: too\xc2\xb7long");
	a = answer_of(200, warning, sizeof(warning));
	otlp_judge(&a, NOW, &o);
	assert_int_equal(o.rejected, 0);
	assert_string_equal(o.message, "taken, with a warning: hey");
	a = answer_of(200, unknown, sizeof(unknown));	/* fields of a later version */
	otlp_judge(&a, NOW, &o);
	assert_int_equal(o.rejected, 3);
	a = answer_of(200, negative, sizeof(negative));
	otlp_judge(&a, NOW, &o);
	assert_int_equal(o.rejected, 0);
}

/* A 200 is final: sending again would count everything twice. */
static void garbage_with_200(void **state)
{
	static const char *const bodies[] = { "\x0a\xff", "\x0a\x7f\x08", "\xff\xff\xff", "\x08",
					      "<html>", "\x0b\x0c", "\x07" };
	struct otlp_outcome o;

	for (u32 i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct http_answer a = answer_of(200, bodies[i], strlen(bodies[i]));

		otlp_judge(&a, NOW, &o);
		assert_int_equal(o.verdict, OTLP_SENT);
		assert_int_equal(o.rejected, 0);
		assert_non_null(strstr(o.message, "cannot be read"));
	}
	struct http_answer a = answer_of(200, "", 0);

	otlp_judge(&a, NOW, &o);
	assert_string_equal(o.message, "");
	a.cut = true;
	otlp_judge(&a, NOW, &o);
	assert_non_null(strstr(o.message, "cannot be read"));
}

static void reasons(void **state)
{
	/* google.rpc.Status { code = 3; message = "bad" } */
	struct http_answer a = answer_of(400, "\x08\x03\x12\x03" "bad", 7);
	struct otlp_outcome o;

	otlp_judge(&a, NOW, &o);
	assert_string_equal(o.message, "HTTP 400: bad");
	a = answer_of(404, "404 page\x1b[2J not found\n", 24);
	a.is_protobuf = false;
	otlp_judge(&a, NOW, &o);
	assert_string_equal(o.message, "HTTP 404: 404 page\xc2\xb7[2J not found ");
	a = answer_of(307, "", 0);
	otlp_judge(&a, NOW, &o);
	assert_non_null(strstr(o.message, "not followed"));
}

static void retry_after(void **state)
{
	static const struct { const char *text; u64 ms; } cases[] = {
		{ "0", 1000 }, { "1", 1000 }, { "120", 120000 }, { "601", OTLP_WAIT_MAX_MS },
		{ "99999999999999999999999", OTLP_WAIT_MAX_MS },
		{ "Tue, 14 Nov 2023 22:13:50 GMT", 30000 },
		{ "Tuesday, 14-Nov-23 22:13:50 GMT", 30000 },
		{ "Tue Nov 14 22:13:50 2023", 30000 },
		{ "Tue, 14 Nov 2023 22:13:20 GMT", 1000 },	/* now */
		{ "Mon, 13 Nov 2023 22:13:50 GMT", 1000 },	/* it has passed */
		{ "Tue, 14 Nov 2033 22:13:50 GMT", OTLP_WAIT_MAX_MS },
		{ "", 0 }, { "soon", 0 }, { "-5", 0 }, { "1.5", 0 }, { "0x10", 0 },
		{ "Tue, 14 Nov 2023 22:13:50 CET", 0 }, { "Tue, 14 Nov 2023", 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(otlp_retry_after_ms(cases[i].text, NOW), cases[i].ms);
	/* it counts where a retry is allowed, and nowhere else */
	for (u32 i = 0; i < 2; i++) {
		struct http_answer a = answer_of(i ? 503 : 400, "", 0);
		struct otlp_outcome o;

		strcpy(a.retry_after, "7");
		otlp_judge(&a, NOW, &o);
		assert_int_equal(o.wait_ms, i ? 7000 : 0);
	}
}

static void backoff(void **state)
{
	static const u64 base[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };

	for (u32 i = 0; i < ARRAY_SIZE(base); i++) {
		assert_int_equal(otlp_backoff_ms(i + 1, 0), base[i] / 2);
		assert_int_equal(otlp_backoff_ms(i + 1, (u32)base[i] - 1), base[i] * 3 / 2 - 1);
	}
	assert_true(otlp_backoff_ms(UINT32_MAX, UINT32_MAX) < 45000);
	assert_true(otlp_backoff_ms(0, 0) >= 500);	/* never a busy loop */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(partial_success),
		cmocka_unit_test(garbage_with_200),
		cmocka_unit_test(reasons),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(backoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
