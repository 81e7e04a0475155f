// SPDX-License-Identifier: GPL-2.0-or-later
/* An ottop built without libcurl's headers: --otlp reports it, and libcurl is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Beside those of the library, which was built with the headers. */
#define http_load without_http_load
#define http_client_new without_http_client_new
#define http_client_post without_http_client_post
#define http_client_free without_http_client_free
#define OTTOP_WITHOUT_CURL
#include "exporter/otlp/http.c"

#ifdef CURLVER_H
#error "curl's headers are used"
#endif

static void it_says_so(void **state)
{
	(void)state;
	for (int http2 = 0; http2 < 2; http2++) {
		char *why = http_load(http2);

		assert_non_null(why);
		assert_non_null(strstr(why, "built without libcurl's headers"));
		assert_null(strchr(why, '\n'));
		free(why);
	}
}

/* No client is created then; one would be NULL, and posts fail. */
static void there_is_no_client(void **state)
{
	struct otlp_endpoint endpoint = { .url = (char *)"http://127.0.0.1:1" };
	struct http_answer answer = { .status = 200 };
	_Atomic bool abort = false;
	struct http_client *c = http_client_new(&endpoint, &abort);

	(void)state;
	assert_null(c);
	http_client_post(c, (const u8 *)"x", 1, false, 1, &answer);
	assert_int_equal(answer.status, 0);
	http_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_so),
		cmocka_unit_test(there_is_no_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
