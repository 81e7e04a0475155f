// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections from records: both sides of a request, TLS, ends and losses, HTTP/1 upgraded to
 * HTTP/2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"

static struct exchange last;
static char last_path[PATH_MAX_KEPT];
static u32 n_done, n_over;

static void take_done(void *arg, const struct exchange *x)
{
	last = *x;
	snprintf(last_path, sizeof(last_path), "%s", x->path);
	n_done++;
}

static void take_over(void *arg, u64 cookie)
{
	n_over++;
}

static struct follower *follow(void)
{
	n_done = n_over = 0;
	return follower_new(&(struct follow_sink){ .done = take_done, .over = take_over });
}

static u64 positions[2], session, socket_of_session;

static void record_bytes(struct follower *f, u32 kind, u64 time_ns, const void *data, size_t n)
{
	static u64 buf[1024];
	struct http_record *r = (void *)buf;

	memset(r, 0, sizeof(*r));
	r->cookie = session ?: 77;
	r->socket = session ? socket_of_session : 77;
	r->begin_ns = time_ns - 10;
	r->end_ns = time_ns;
	r->tgid = 5;
	r->start_ns = 6;
	r->kind = (u8)kind;
	r->flags = HTTP_BEGINS | HTTP_HAS_ENDS | (session ? HTTP_TLS : 0);
	r->rport = 80;
	if (kind > HTTP_TX) {
		r->flags |= HTTP_SUMS;
		r->position = positions[HTTP_RX];
		r->sent = positions[HTTP_TX];
	} else {
		r->len = r->n = (u16)n;
		r->position = positions[kind];
		positions[kind] += r->len;
		memcpy(r->data, data, r->len);
	}
	follower_read(f, r, sizeof(*r) + r->n);
}

static void record(struct follower *f, u32 kind, u64 time_ns, const char *text)
{
	record_bytes(f, kind, time_ns, text, strlen(text));
}

static void test_both_sides(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_RX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 1500, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
	assert_int_equal(n_done, 0);
	record(f, HTTP_TX, 2500, "abc");
	assert_int_equal(n_done, 1);
	assert_true(last.server);
	assert_int_equal(last.start_ns, 1000);	/* the call returned with it */
	assert_int_equal(last.first_ns, 1490);	/* the call began with it */
	assert_int_equal(last.end_ns, 2500);
	assert_int_equal(last.tgid, 5);
	assert_int_equal(last.answered_bytes, 41);
	record(f, HTTP_CLOSED, 3000, "");
	assert_int_equal(follower_counts(f).connections, 0);
	record(f, HTTP_TX, 1000, "GET /2 HTTP/1.1\r\n\r\n");
	record(f, HTTP_RX, 4000, "HTTP/1.1 404 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(n_done, 2);
	assert_false(last.server);
	assert_int_equal(last.start_ns, 990);
	assert_int_equal(last.end_ns, 4000);
	assert_int_equal(last.status, 404);
	assert_int_equal(follower_counts(f).lost_records, 0);
	follower_free(f);
}

/*
 * The last records are lost: an answer may have been among them, so the request counts as lost, not
 * as unanswered.
 */
static void test_last_lost(void **s)
{
	struct follower *f = follow();

	for (u32 lost = 0; lost < 2; lost++) {
		positions[0] = positions[1] = 0;
		record(f, HTTP_RX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
		positions[HTTP_TX] += lost * 40;
		record(f, HTTP_CLOSED, 2000, "");
		assert_int_equal(n_done, 1);	/* that of the first time */
		assert_true(last.aborted);
		assert_int_equal(follower_counts(f).lost_requests, lost);
		assert_int_equal(follower_counts(f).lost_records, lost);
	}
	follower_free(f);
}

static void count_open(void *arg, const struct exchange *x)
{
	++*(u32 *)arg;
}

static u32 open_requests(struct follower *f)
{
	u32 n = 0;

	follower_each_open(f, count_open, &n);
	return n;
}

/*
 * HTTP/2 that was open before: uncertain until a request is answered. Then earlier requests count,
 * too.
 */
static void test_held_back(void **s)
{
	static const char ask5[] = "\0\0\3\1\5\0\0\0\5\x82\x86\x84", ask7[] = "\0\0\3\1\5\0\0\0\7\x82\x86\x84",
			  ask9[] = "\0\0\3\1\5\0\0\0\11\x82\x86\x84", reset5[] = "\0\0\4\3\0\0\0\0\5\0\0\0\x08",
			  answer7[] = "\0\0\1\1\5\0\0\0\7\x88";
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record_bytes(f, HTTP_RX, 1000, ask5, sizeof(ask5) - 1);
	record_bytes(f, HTTP_RX, 1100, reset5, sizeof(reset5) - 1);
	record_bytes(f, HTTP_RX, 1200, ask7, sizeof(ask7) - 1);
	assert_int_equal(n_done + open_requests(f), 0);
	record_bytes(f, HTTP_TX, 1300, answer7, sizeof(answer7) - 1);
	assert_int_equal(n_done, 2);
	assert_true(last.aborted);	/* that of stream 5 */
	record_bytes(f, HTTP_RX, 1400, ask9, sizeof(ask9) - 1);
	assert_int_equal(open_requests(f), 1);
	record(f, HTTP_CLOSED, 1500, "");
	assert_int_equal(n_done, 3);
	positions[0] = positions[1] = 0;
	record_bytes(f, HTTP_RX, 2000, ask5, sizeof(ask5) - 1);
	record(f, HTTP_CLOSED, 2100, "");
	assert_int_equal(n_done, 3);
	assert_int_equal(follower_counts(f).lost_requests + follower_counts(f).lost_messages + follower_counts(f).connections, 0);
	follower_free(f);
}

/* In TLS the connection may become known after the first request, or never. */
static void test_tls(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	session = HTTP_SESSION | 3;
	socket_of_session = 0;
	record(f, HTTP_RX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 1500, "HTTP/1.1 204 OK\r\n\r\n");
	assert_int_equal(n_done, 1);
	assert_true(last.tls);
	assert_false(last.has_peer);
	assert_int_equal(last.cookie, 0);
	assert_int_equal(last.tgid, 5);
	socket_of_session = 88;
	record(f, HTTP_RX, 2000, "GET /2 HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 2500, "HTTP/1.1 204 OK\r\n\r\n");
	assert_int_equal(n_done, 2);
	assert_true(last.has_peer);
	assert_int_equal(last.remote_port, 80);
	assert_int_equal(last.cookie, 88);
	session = 0;
	record(f, HTTP_RX, 1000, "GET /3 HTTP/1.1\r\n\r\n");
	assert_int_equal(follower_counts(f).connections, 2);
	follower_free(f);
}

/* The reading thread may be reported before the writing one. */
static void test_answer_told_first(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_TX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
	record(f, HTTP_RX, 1100, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	record(f, HTTP_RX, 2100, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	record(f, HTTP_TX, 2000, "GET /2 HTTP/1.1\r\n\r\n");
	assert_int_equal(n_done, 2);
	assert_string_equal(last_path, "/2");
	assert_int_equal(last.status, 201);
	follower_free(f);
}

static void test_aborted(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_RX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
	record(f, HTTP_CLOSED, 2000, "");
	assert_int_equal(n_done, 1);
	assert_true(last.aborted);
	assert_int_equal(last.status, 0);
	follower_free(f);
}

/* The end of an answer is its last byte, not when the connection was closed. */
static void test_until_close(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_RX, 1000, "GET /1 HTTP/1.0\r\n\r\n");
	record(f, HTTP_TX, 1500, "HTTP/1.0 200 OK\r\n\r\nabc");
	record(f, HTTP_TX_END, 9000, "");
	assert_int_equal(n_done, 1);
	assert_int_equal(last.end_ns, 1500);
	assert_false(last.aborted);
	follower_free(f);
}

static void test_lost_record(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_RX, 1000, "GET /1 HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 1500, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	positions[HTTP_TX] += 4;	/* inside a body: its length is enough */
	record(f, HTTP_TX, 1600, "567890");
	assert_int_equal(n_done, 1);
	positions[HTTP_RX] += 19;	/* a request: the next answer belongs to none */
	record(f, HTTP_TX, 1700, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	record(f, HTTP_RX, 2000, "GET /3 HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 2500, "HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(follower_counts(f).lost_records, 2);
	assert_int_equal(follower_counts(f).lost_messages, 1);
	assert_int_equal(n_done, 2);
	assert_string_equal(last_path, "/3");
	assert_int_equal(last.status, 203);
	follower_free(f);
}

#define BYTES(f, kind, time_ns, text) record_bytes(f, kind, time_ns, text, sizeof(text) - 1)
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define UPGRADE "GET /up HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

/*
 * The request for an upgrade to HTTP/2 is answered there, as stream 1. The answer may be cut
 * anywhere.
 */
static void upgrade(size_t cut)
{
	static const char switched[] = SWITCH SETTINGS;
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	BYTES(f, HTTP_RX, 1000, UPGRADE);
	record_bytes(f, HTTP_TX, 1100, switched, cut);
	if (cut < sizeof(switched) - 1)
		record_bytes(f, HTTP_TX, 1100, switched + cut, sizeof(switched) - 1 - cut);
	assert_int_equal(n_done, 0);
	BYTES(f, HTTP_RX, 1200, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SETTINGS);
	BYTES(f, HTTP_TX, 2000, "\0\0\1\1\5\0\0\0\1\x8d");	/* :status 404 */
	assert_int_equal(n_done, 1);
	assert_string_equal(last_path, "/up");
	assert_string_equal(last.method, "GET");
	assert_int_equal(last.status, 404);
	assert_int_equal(last.protocol, PROTOCOL_http2);
	assert_int_equal(last.start_ns, 1000);
	assert_int_equal(last.first_ns, 1990);
	assert_int_equal(last.end_ns, 2000);
	assert_false(last.aborted);
	BYTES(f, HTTP_RX, 3000, "\0\0\3\1\5\0\0\0\3\x82\x86\x84");
	BYTES(f, HTTP_TX, 3500, "\0\0\1\1\5\0\0\0\3\x88");
	assert_int_equal(n_done, 2);
	assert_string_equal(last_path, "/");
	assert_int_equal(last.status, 200);
	assert_int_equal(follower_counts(f).lost_requests + follower_counts(f).lost_messages + n_over, 0);
	record(f, HTTP_CLOSED, 4000, "");
	follower_free(f);
}

static void test_h2c(void **s)
{
	for (size_t cut = 1; cut < sizeof(SWITCH SETTINGS); cut++)
		upgrade(cut);
}

/* One that is never answered, and one with an answer to a request that was not seen. */
static void test_h2c_ends(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	BYTES(f, HTTP_RX, 1000, UPGRADE);
	BYTES(f, HTTP_TX, 1100, SWITCH);
	record(f, HTTP_CLOSED, 4000, "");
	assert_int_equal(n_done, 1);
	assert_true(last.aborted);
	positions[0] = positions[1] = 0;
	BYTES(f, HTTP_TX, 1100, SWITCH SETTINGS);
	BYTES(f, HTTP_RX, 1200, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SETTINGS);
	BYTES(f, HTTP_RX, 3000, "\0\0\3\1\5\0\0\0\3\x82\x86\x84");
	record(f, HTTP_CLOSED, 4000, "");
	assert_int_equal(follower_counts(f).open_requests, 0);
	assert_int_equal(follower_counts(f).connections, 0);
	follower_free(f);
}

/*
 * Another protocol that began alike: no request was lost, and its calls need not be reported any
 * more.
 */
static void test_over(void **s)
{
	struct follower *f = follow();

	positions[0] = positions[1] = 0;
	record(f, HTTP_RX, 1000, "GET key\r\n");
	assert_int_equal(n_over, 1);
	assert_int_equal(n_done, 0);
	assert_int_equal(follower_counts(f).lost_requests, 0);
	/* until the kernel knows, more of it comes, which may look like HTTP: the inside of a tunnel */
	record(f, HTTP_RX, 1100, "GET /lure HTTP/1.1\r\n\r\n");
	record(f, HTTP_TX, 1200, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(n_over, 1);
	assert_int_equal(n_done, 0);
	follower_sweep(f, 1000 + 60 * NSEC_PER_SEC);
	assert_int_equal(follower_counts(f).connections, 0);
	follower_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_last_lost),
		cmocka_unit_test(test_held_back),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_answer_told_first),
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_until_close),
		cmocka_unit_test(test_lost_record),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_h2c),
		cmocka_unit_test(test_h2c_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
