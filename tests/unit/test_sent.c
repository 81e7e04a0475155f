// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections with both ends on this host: data is reported once, by its sender; the receiver
 * reports how much it read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"

enum { CLIENT = 1, SERVER };	/* cookies, and processes */

#define ASK "GET /same HTTP/1.1\r\nX: y\r\n\r\n"
#define ANSWER "HTTP/1.1 404 OK\r\nContent-Length: 900\r\n\r\n"
#define BODY 900

static struct follower *f;
static struct exchange last;
static char last_path[PATH_MAX_KEPT];
static u32 n_done[2];		/* of the client, of the server */
static u64 sent[3], was_read[3];	/* bytes, by end */

static void take_done(void *arg, const struct exchange *x)
{
	(void)arg;
	last = *x;
	snprintf(last_path, sizeof(last_path), "%s", x->path);
	n_done[x->server]++;
}

static int begin(void **state)
{
	(void)state;
	memset(n_done, 0, sizeof(n_done));
	for (u32 i = 0; i < ARRAY_SIZE(sent); i++)
		sent[i] = was_read[i] = 1;	/* the first data is reported at both ends */
	f = follower_new(&(struct follow_sink){ .done = take_done });
	return 0;
}

static int end(void **state)
{
	(void)state;
	follower_free(f);
	return 0;
}

/* text, and further bytes that are not captured. */
static void sends(u64 who, u64 time_ns, const char *text, u32 more)
{
	static u64 buf[128];
	struct http_record *r = (void *)buf;
	size_t n = strlen(text);

	memset(buf, 0, sizeof(buf));
	r->cookie = r->socket = who;
	r->begin_ns = r->end_ns = time_ns;
	r->kind = HTTP_TX;
	r->flags = HTTP_BEGINS | HTTP_HAS_ENDS;
	r->tgid = (u32)who;
	r->position = sent[who];
	r->n = (u16)n;
	r->len = (u32)n + more;
	sent[who] += r->len;
	memcpy(r->data, text, n);
	follower_read(f, r, sizeof(*r) + n);
}

/* The next len bytes sent by the other end. */
static void reads(u64 who, u64 time_ns, u32 len)
{
	u64 peer = CLIENT + SERVER - who;
	struct http_same r = { .cookie = who, .peer = peer, .end_ns = time_ns, .len = len, .kind = HTTP_RX };

	r.tgid = (u32)who;
	r.position = was_read[who];
	was_read[who] += len;
	r.peer_end = (u32)was_read[who];
	follower_read(f, &r, sizeof(r));
}

static void test_both_ends(void **state)
{
	(void)state;
	for (u32 i = 1; i <= 3; i++) {
		sends(CLIENT, 1000, ASK, 0);
		reads(SERVER, 1100, strlen(ASK));	/* the first that is known of that end */
		sends(SERVER, 1500, ANSWER, BODY);
		assert_int_equal(n_done[1], i);
		assert_string_equal(last_path, "/same");
		assert_int_equal(last.start_ns, 1100);
		assert_int_equal(last.tgid, SERVER);
		reads(CLIENT, 1700, strlen(ANSWER) + 100);
		assert_int_equal(n_done[0], i - 1);
		reads(CLIENT, 1800, BODY - 100);
		assert_int_equal(n_done[0], i);
		assert_int_equal(last.status, 404);
		assert_int_equal(last.first_ns, 1700);
		assert_int_equal(last.end_ns, 1800);
		assert_int_equal(last.tgid, CLIENT);
		assert_int_equal(last.answered_bytes, strlen(ANSWER) + BODY);
	}
	assert_int_equal(follower_counts(f).lost_requests + follower_counts(f).lost_messages, 0);
}

/* Data of two send calls is read by a call that ends within the second, and by another one. */
static void test_other_pieces(void **state)
{
	(void)state;
	sends(CLIENT, 1000, "GET /a HTTP/1.1\r\n", 0);
	sends(CLIENT, 1010, "\r\n" ASK, 0);
	reads(SERVER, 1100, 17 + 2 + 5);
	reads(SERVER, 1200, strlen(ASK) - 5);
	sends(SERVER, 1500, "HTTP/1.1 204 OK\r\n\r\n", 0);
	assert_string_equal(last_path, "/a");
	assert_int_equal(last.start_ns, 1100);
	sends(SERVER, 1600, "HTTP/1.1 204 OK\r\n\r\n", 0);
	assert_int_equal(n_done[1], 2);
	assert_string_equal(last_path, "/same");
	assert_int_equal(last.start_ns, 1100);
}

/*
 * Sent data was lost: the head of that request is lost, nothing is paired wrongly, and the next
 * request is correct.
 */
static void test_not_known(void **state)
{
	(void)state;
	sends(CLIENT, 1000, ASK, 0);
	reads(SERVER, 1100, strlen(ASK));
	sends(SERVER, 1500, "HTTP/1.1 204 OK\r\n\r\n", 0);
	assert_int_equal(n_done[1], 1);
	sent[CLIENT] += 40;
	reads(SERVER, 2100, 40);
	sends(SERVER, 2500, "HTTP/1.1 500 OK\r\nContent-Length: 0\r\n\r\n", 0);
	assert_int_equal(n_done[1], 1);
	sends(CLIENT, 3000, ASK, 0);
	reads(SERVER, 3100, strlen(ASK));
	sends(SERVER, 3500, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n", 0);
	assert_int_equal(n_done[1], 2);
	assert_int_equal(last.status, 201);
	assert_int_equal(last.start_ns, 3100);
	assert_true(follower_counts(f).lost_requests + follower_counts(f).lost_messages > 0);
}

/* Data that is never read: the buffer is bounded, and its end is correct. */
static void test_is_bounded(void **state)
{
	char text[801];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	sends(CLIENT, 1000, "POST /big HTTP/1.1\r\nContent-Length: 80000\r\n\r\n", 0);
	reads(SERVER, 1100, (u32)(sent[CLIENT] - was_read[SERVER]));
	for (u32 i = 0; i < 100; i++)
		sends(CLIENT, 1200 + i, text, 0);
	sends(CLIENT, 1300, ASK, 0);
	reads(SERVER, 1400, 80000);
	reads(SERVER, 1500, strlen(ASK));
	sends(SERVER, 1600, "HTTP/1.1 204 OK\r\n\r\n", 0);
	assert_string_equal(last_path, "/big");
	assert_int_equal(last.asked_bytes, 80045);
	sends(SERVER, 1700, "HTTP/1.1 204 OK\r\n\r\n", 0);
	assert_int_equal(n_done[1], 2);
	assert_string_equal(last_path, "/same");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ends),
		TEST(test_other_pieces),
		TEST(test_not_known),
		TEST(test_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
