// SPDX-License-Identifier: GPL-2.0-or-later
/* HTTP/1 heads seen before: the report is the same as when parsing them byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/http1_known.h"

struct said { enum role role; const char *text; };

static char seen[4096];
static size_t n_seen;

static void note(void *arg, const struct part *p)
{
	n_seen += (size_t)snprintf(seen + n_seen, sizeof(seen) - n_seen, "%d %d %llu %llu %s %s %s %u %d\n", p->kind, p->role,
				   (unsigned long long)p->number, (unsigned long long)p->bytes, p->method ?: "-",
				   p->path ?: "-", p->trace_id ?: "-", p->status, p->uncertain);
	assert_true(n_seen < sizeof(seen));
}

static const char *talk(const struct said *said, bool whole)
{
	const struct sink sink = { note, NULL };
	void *state = calloc(1, http1_protocol.state_bytes);
	char *text;

	n_seen = 0;
	for (; said->text; said++) {
		size_t n = strlen(said->text), step = whole ? n : 1;

		for (size_t i = 0; i < n; i += step) {
			const struct piece p = { .kind = PIECE_DATA, .begins = !i, .n = step,
						 .data = (const u8 *)said->text + i };

			http1_protocol.read(state, said->role, &p, &sink);
		}
	}
	http1_protocol.close(state);
	free(state);
	text = strdup(seen);
	return text;
}

#define LONG "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct said talks[][8] = {
	{ { ASKS, "GET /a?q HTTP/1.1\r\nHost: h\r\n\r\n" }, { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
	  { ASKS, "GET /a?q HTTP/1.1\r\nHost: h\r\n\r\n" }, { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld" } },
	/* the same heads mean something else here, by what was asked */
	{ { ASKS, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" }, { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
	  { ASKS, "GET /a?q HTTP/1.1\r\nHost: h\r\n\r\n" }, { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" } },
	{ { ASKS, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n" }, { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" } },
	/* several in one piece, an interim one, chunks, a body that holds a head */
	{ { ASKS, "GET /1 HTTP/1.1\r\nA: b\r\n\r\nGET /2 HTTP/1.1\r\nA: b\r\n\r\nGET /1 HTTP/1.1\r\nA: b\r\n\r\n" },
	  { ANSWERS, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
		     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
		     "HTTP/1.1 500 No\r\nContent-Length: 27\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" } },
	{ { ASKS, "POST /p HTTP/1.1\r\nContent-Length: 3\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
		  "\r\nabc" }, { ANSWERS, "HTTP/1.1 201 Created\r\nX: " LONG LONG LONG LONG LONG "\r\nContent-Length: 0\r\n\r\n" } },
	{ { ASKS, "GET " LONG LONG " HTTP/1.0\r\n\r\n" }, { ANSWERS, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end" } },
	/* framing that lies */
	{ { ASKS, "POST /s HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" },
	  { ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok" } },
	{ { ASKS, "GET /u HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" },
	  { ANSWERS, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello" } },
};

static void test_told_the_same(void **s)
{
	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < ARRAY_SIZE(talks); i++) {
			const char *bytes = talk(talks[i], false), *whole = talk(talks[i], true);

			assert_string_equal(whole, bytes);
			free((void *)bytes);
			free((void *)whole);
		}
}

static const u8 *bytes_of(const char *text)
{
	return (const u8 *)text;
}

static void test_which(void **s)
{
	static const char text[] = "GET /known HTTP/1.1\r\nHost: h\r\n\r\nand a body";
	const struct http1_head x = { .status = 7 };
	u32 len = 0, head = sizeof("GET /known HTTP/1.1\r\nHost: h\r\n\r\n") - 1, n = sizeof(text) - 1;

	http1_known_keep(ASKS, bytes_of(text), n, head, &x);
	assert_null(http1_known_find(ASKS, bytes_of(text), n, &len));	/* it came once */
	http1_known_keep(ASKS, bytes_of(text), n, head, &x);
	assert_int_equal(http1_known_find(ASKS, bytes_of(text), n, &len)->status, 7);
	assert_int_equal(len, head);
	assert_null(http1_known_find(ANSWERS, bytes_of(text), n, &len));
	assert_null(http1_known_find(ASKS, bytes_of(text), head - 1, &len));
	for (u32 i = 0; i < head; i++) {
		char other[sizeof(text)];

		memcpy(other, text, sizeof(text));
		other[i] ^= 1;
		assert_null(http1_known_find(ASKS, bytes_of(other), n, &len));
	}
}

/* The heads of a usual dialogue are known the third time. */
static void test_is_found(void **s)
{
	u32 len = 0;

	for (u32 i = 0; i < 2; i++)
		free((void *)talk(talks[0], true));
	for (const struct said *w = talks[0]; w->text; w++)
		if (strcmp(w->text + strlen(w->text) - 5, "world"))	/* another body: that came once */
			assert_non_null(http1_known_find(w->role, bytes_of(w->text), strlen(w->text), &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_the_same),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
