// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_protocols.c: HTTP/1 as the protocol reader has it: messages from pieces of
 * a stream, whatever their borders; bodies of which only lengths are known; and
 * framing that lies. Then connections from records, and the names of endpoints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"
#include "bpf/protocols/paths.h"
#include "bpf/protocols/report.h"
#include "bpf/protocols/span.h"
#include "bpf/protocols/tally.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- the reader alone ---- */

static struct {
	char text[8192];
	size_t n;
	void *state;
} seen;

static void note(void *arg, const struct part *p)
{
	static const char *const kinds[] = { "begin", "head", "done", "broken" };
	char more[512] = "";

	if (p->kind == PART_BEGIN)
		return;
	if (p->kind == PART_HEAD && p->role == ASKS)
		snprintf(more, sizeof(more), " %s %s%s%s", p->method, p->path, p->trace_id ? " " : "",
			 p->trace_id ?: "");
	else if (p->kind == PART_HEAD)
		snprintf(more, sizeof(more), " %u", p->status);
	else if (p->kind == PART_DONE)
		snprintf(more, sizeof(more), " %llu%s", (unsigned long long)p->bytes,
			 p->uncertain ? "?" : "");
	seen.n += (size_t)snprintf(seen.text + seen.n, sizeof(seen.text) - seen.n, "%s%llu %s%s\n",
				   p->role == ASKS ? ">" : "<", (unsigned long long)p->number,
				   kinds[p->kind], more);
	assert_true(seen.n < sizeof(seen.text));
}

static void begin(void)
{
	free(seen.state);
	memset(&seen, 0, sizeof(seen));
	seen.state = calloc(1, http1_protocol.state_bytes);
}

static void give(enum role role, const struct piece *p)
{
	const struct sink sink = { note, NULL };

	http1_protocol.read(seen.state, role, p, &sink);
}

static void data(enum role role, const char *text)
{
	give(role, &(struct piece){ .kind = PIECE_DATA, .begins = true, .n = strlen(text),
				    .data = (const u8 *)text });
}

static void gap(enum role role, u64 n, const char *tail)
{
	give(role, &(struct piece){ .kind = PIECE_GAP, .n = n, .tail = (const u8 *)tail });
}

static void expect(const char *want)
{
	assert_string_equal(seen.text, want);
	http1_protocol.close(seen.state);
	free(seen.state);
	seen.state = NULL;
}

static void test_keep_alive(void **s)
{
	begin();
	data(ASKS, "GET /a?secret=1 HTTP/1.1\r\nHost: h\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	data(ASKS, "POST /b HTTP/1.1\r\ncontent-length:3\r\n\r\nabc");
	data(ANSWERS, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	expect(">1 head GET /a\n>1 done 37\n<1 head 200\n<1 done 43\n"
	       ">2 head POST /b\n>2 done 41\n<2 head 404\n<2 done 45\n");
}

/* The same messages, cut anywhere: each byte alone, and at each place in two. */
static void test_borders(void **s)
{
	static const char asks[] = "\r\nPUT /x/1 HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
		"5;ext=1\r\nhello\r\n0\r\nTrailer: 1\r\n\r\nGET / HTTP/1.0\r\n\r\n";
	static const char want[] = ">1 head PUT /x/1\n>1 done 88\n>2 head GET /\n>2 done 18\n";
	size_t n = sizeof(asks) - 1;

	for (size_t cut = 0; cut <= n; cut++) {
		begin();
		for (size_t i = 0, len; i < n; i += len) {
			len = cut == n ? 1 : i ? n - i : cut ? cut : n;
			give(ASKS, &(struct piece){ .kind = PIECE_DATA, .begins = true, .n = len,
						    .data = (const u8 *)asks + i });
		}
		expect(want);
	}
}

static void test_pipelined(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
	     "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	     "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n>2 head HEAD /2\n>2 done 20\n>3 head GET /3\n>3 done 19\n"
	       "<1 head 200\n<1 done 39\n<2 head 200\n<2 done 41\n<3 head 304\n<3 done 48\n");
}

static void test_interim(void **s)
{
	begin();
	data(ASKS, "PUT /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 100 Continue\r\n\r\n");
	data(ASKS, "ok");
	data(ANSWERS, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
	/* what is sent before an answer counts with it, as in the access log of nginx */
	expect(">1 head PUT /1\n>1 done 62\n<1 head 204\n<1 done 89\n");
}

static void test_upgrade(void **s)
{
	begin();
	data(ASKS, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
	assert_false(http1_protocol.is_over(seen.state));
	data(ANSWERS, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello");
	assert_true(http1_protocol.is_over(seen.state));
	data(ASKS, "GET /not HTTP/1.1\r\n\r\n");
	expect(">1 head GET /ws\n>1 done 61\n<1 head 101\n<1 done 56\n");
	begin();
	data(ASKS, "CONNECT h:443 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 Connection established\r\n\r\n");
	assert_true(http1_protocol.is_over(seen.state));
	expect(">1 head CONNECT h:443\n>1 done 26\n<1 head 200\n<1 done 39\n");
}

/* Until the connection ends; and an answer that ends before it is whole. */
static void test_close(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.0\r\n\r\n");
	data(ANSWERS, "HTTP/1.0 200 OK\r\n\r\nsome");
	gap(ANSWERS, 1000000, NULL);
	give(ANSWERS, &(struct piece){ .kind = PIECE_END });
	expect(">1 head GET /1\n>1 done 19\n<1 head 200\n<1 done 1000023\n");
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsome");
	give(ANSWERS, &(struct piece){ .kind = PIECE_END });
	expect(">1 head GET /1\n>1 done 19\n<1 head 200\n<1 broken\n");
}

static void test_lengths_alone(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbeginning");
	gap(ANSWERS, 50000, NULL);
	gap(ANSWERS, 49991, NULL);
	/* a chunk that goes on, and one whose head was captured */
	data(ANSWERS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\nbegin");
	gap(ANSWERS, 0x2000 - 5, NULL);
	data(ANSWERS, "\r\n10\r\n0123");
	gap(ANSWERS, 12, NULL);
	data(ANSWERS, "\r\n0\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n>2 head GET /2\n>2 done 19\n<1 head 200\n<1 done 100043\n"
	       "<2 head 200\n<2 done 8274\n");
}

/* The head of a chunk was in bytes that nobody has: its end is recognised. */
static void test_chunks_unseen(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nbegin");
	gap(ANSWERS, 16000, "abcdefgh");
	gap(ANSWERS, 4000, "x\r\n0\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nbegin");
	gap(ANSWERS, 16000, "abcdefgh");
	/* no end was seen, but the next message begins */
	data(ASKS, "GET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 204 OK\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n<1 head 200\n<1 done 20056?\n"
	       ">2 head GET /2\n>2 done 19\n<2 head 200\n>3 head GET /3\n>3 done 19\n"
	       "<2 done 16056?\n<3 head 204\n<3 done 19\n");
}

#define UNSEEN "Transfer-Encoding: chunked\r\n\r\n10\r\nbegin"

static void expect_lost(u64 n, const char *want)
{
	assert_int_equal(http1_protocol.messages_lost(seen.state), n);
	expect(want);
}

/* Pipelined messages of which one may hide others: from then on no answer is given to a request by guess. */
static void test_mixed_up(void **s)
{
	/* the end of which answer? */
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\n" UNSEEN);
	gap(ANSWERS, 16000, "x\r\n0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /4 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	expect_lost(2, ">1 head GET /1\n>1 done 19\n>2 head GET /2\n>2 done 19\n>3 head GET /3\n>3 done 19\n"
		    "<1 head 200\n<0 broken\n");
	/* an answer whose request was in the one before */
	begin();
	data(ASKS, "POST /1 HTTP/1.1\r\n" UNSEEN);
	gap(ASKS, 16000, "x\r\n0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	expect_lost(2, ">1 head POST /1\n>1 done 16057?\n<1 head 200\n<1 done 38\n<0 broken\n");
}

/* What looks like an answer is none where nobody has asked. */
static void test_lure(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\n" UNSEEN);
	gap(ANSWERS, 16000, "abcdefgh");
	data(ANSWERS, "HTTP/1.1 500 lure\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	expect_lost(0, ">1 head GET /1\n>1 done 19\n<1 head 200\n>2 head GET /2\n>2 done 19\n<1 done 16077?\n"
		    "<2 head 201\n<2 done 38\n");
}

/* Whole messages are missing: what is asked later is answered later, never by what came before. */
static void test_loss(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	gap(ANSWERS, 500, NULL);	/* the answer, and who knows what */
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n<0 broken\n>2 head GET /2\n>2 done 19\n<2 head 200\n<2 done 38\n");
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	give(ASKS, &(struct piece){ .kind = PIECE_LOST });
	data(ANSWERS, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(http1_protocol.messages_lost(seen.state), 1);
	expect(">1 head GET /1\n>1 done 19\n>0 broken\n>2 head GET /3\n>2 done 19\n<2 head 203\n<2 done 38\n");
}

/* The connection was open before: the end of an answer to nobody knows what. */
static void test_middle(void **s)
{
	begin();
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");	/* to HEAD, it turns out */
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n<1 head 500\n<1 done 38\n");
}

/* Two readings are possible: none is believed, and the next message is looked for. */
static void test_smuggling(void **s)
{
	static const char *const heads[] = {
		"Content-Length: 5\r\nContent-Length: 6",
		"Content-Length : 5",
		"Content-Length: +5",
		"Content-Length: 5, 6",
		"Content-Length: 0x5",
		"Content-Length: 99999999999999999999",
		"Transfer-Encoding: chunked, identity",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"X: y\r\n Content-Length: 5",
		"no colon",
	};

	for (u32 i = 0; i < ARRAY_SIZE(heads); i++) {
		char text[512], want[512];

		snprintf(text, sizeof(text), "POST /1 HTTP/1.1\r\n%s\r\n\r\n", heads[i]);
		begin();
		data(ASKS, text);
		data(ASKS, "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
		data(ANSWERS, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
		data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
		snprintf(want, sizeof(want), ">1 head POST /1\n<1 head 400\n<1 done 39\n>1 done %zu?\n"
			 ">2 head GET /2\n>2 done 19\n", strlen(text) + 31);
		expect(want);
	}
	/* both: the coding wins (RFC 9112, 6.3) */
	begin();
	data(ASKS, "POST /1 HTTP/1.1\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	expect(">1 head POST /1\n>1 done 73\n>2 head GET /2\n>2 done 19\n");
}

static void test_head_bombs(void **s)
{
	static char head[100000];
	char *end = head + sprintf(head, "GET /1 HTTP/1.1\r\n");

	/* the head goes on where nothing was captured: it is known what was asked, not where it ends */
	begin();
	sprintf(end, "Cookie: abc");
	data(ASKS, head);
	gap(ASKS, 3000, NULL);
	data(ANSWERS, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	expect(">1 head GET /1\n<1 head 431\n<1 done 45\n>1 done 3028?\n>2 head GET /2\n>2 done 19\n");
	/* one that does not end */
	begin();
	memset(end, 'a', 80000);
	end[80000] = '\0';
	data(ASKS, head);
	for (u32 i = 0; i < 20; i++)
		data(ASKS, end);
	data(ANSWERS, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\n\r\n");
	expect(">1 head GET /1\n<1 head 431\n<1 done 45\n>1 done 1680017?\n>2 head GET /2\n>2 done 19\n");
	/* a path and a method beyond all measure */
	begin();
	snprintf(head, sizeof(head), "GET /%01000d HTTP/1.1\r\n\r\n", 7);
	data(ASKS, head);
	assert_non_null(strstr(seen.text, "GET /0000000"));
	assert_int_equal(strcspn(seen.text + strlen(">1 head GET "), "\n"), PATH_MAX_KEPT - 1);
	http1_protocol.close(seen.state);
}

static void test_not_http(void **s)
{
	static const char *const not[] = {
		"GET key\r\n", "GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\r\n",
		"GET / HTTP/1.1x\r\n\r\n", "POST  HTTP/1.1\r\n\r\n",
	};
	enum role role;

	for (u32 i = 0; i < ARRAY_SIZE(not); i++) {
		begin();
		data(ASKS, not[i]);
		assert_true(http1_protocol.is_over(seen.state));
		expect("");
	}
	assert_int_equal(http1_protocol.recognise((const u8 *)"*3\r\n$3\r\n", 8, &role), VERDICT_NO);
	assert_int_equal(http1_protocol.recognise((const u8 *)"HTT", 3, &role), VERDICT_MORE);
	assert_int_equal(http1_protocol.recognise((const u8 *)"\x16\x03\x01", 3, &role), VERDICT_NO);
}

static void test_traceparent(void **s)
{
	begin();
	data(ASKS, "GET http://h:80/p?q HTTP/1.1\r\n"
	     "TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n");
	data(ASKS, "GET /2 HTTP/1.1\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01\r\n\r\n");
	expect(">1 head GET /p 4bf92f3577b34da6a3ce929d0e0e4736\n>1 done 102\n>2 head GET /2\n>2 done 89\n");
}

/* ---- connections ---- */

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
	if (kind <= HTTP_TX) {
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

/* In TLS the connection may be known later than the first request, or never. */
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

/* The thread that reads may be told of before the one that wrote. */
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
	positions[HTTP_RX] += 19;	/* a request: what is answered next is nobody's */
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

/* The request that asks for HTTP/2 is answered there, as stream 1. The answer may be cut anywhere. */
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

/* One that is never answered, and one of which the answer says what was not asked for. */
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

/* Something else that began like it: no request was lost, and its calls need not be told any more. */
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

/* ---- where the time of a request went ---- */

static struct exchange spanned(void)
{
	return (struct exchange){
		.server = true, .answered = true, .answered_done = true, .start_ns = 1000, .first_ns = 1700, .end_ns = 2000,
		.unread_us = 3, .from = { .at_ns = 1000, .off_ns = 50, .runq_ns = 5000, .tid = 7 },
		.to = { .at_ns = 2000, .off_ns = 450, .runq_ns = 5100, .tid = 7 },
	};
}

static void expect_span(const struct exchange *x, u64 cpu, u64 runq, u64 blocked, u64 unread, u64 write)
{
	struct span s = span_of(x);

	assert_int_equal(s.cpu_ns, cpu);
	assert_int_equal(s.runq_ns, runq);
	assert_int_equal(s.blocked_ns, blocked);
	assert_int_equal(s.unread_ns, unread);
	assert_int_equal(s.write_ns, write);
}

static void test_span(void **s)
{
	const u64 no = UINT64_MAX;
	struct exchange x = spanned();

	expect_span(&x, 600, 100, 300, 3000, 300);
	x.to.runq_ns = 5800;	/* more in the run queue than off the CPU: clocks, not time */
	expect_span(&x, 600, 400, 0, 3000, 300);
	x.to.off_ns = 40;	/* counters go back: they are of something else */
	expect_span(&x, no, no, no, 3000, 300);
	x = spanned();
	x.to.tid = 8;
	expect_span(&x, no, no, no, 3000, 300);
	x = spanned();
	x.from.tid = x.to.tid = 0;	/* not measured */
	x.unread_us = HTTP_UNKNOWN_US;
	expect_span(&x, no, no, no, no, 300);
	x = spanned();
	x.server = false;	/* the call that asked returned at 1100 */
	x.from.at_ns = 1100;
	expect_span(&x, 500, 100, 300, 3000, 100);
	x.answered_done = false;
	expect_span(&x, no, no, no, 3000, no);
}

/* ---- names of endpoints ---- */

static void test_paths(void **s)
{
	static const char *const pairs[][2] = {
		{ "/", "/" }, { "/api/items/42", "/api/items/{id}" }, { "/a/42/b/7/", "/a/{id}/b/{id}/" },
		{ "/u/550e8400-e29b-41d4-a716-446655440000/x", "/u/{id}/x" },
		{ "/commit/9489a5b1cafe", "/commit/{id}" }, { "/cafe", "/cafe" }, { "/deadbeef", "/deadbeef" },
		{ "/v1/users", "/v1/users" }, { "/index.html", "/index.html" }, { "", "" }, { "*", "*" },
		{ "/t/AbC123dEfG456hIjK789lMn", "/t/{id}" },
		{ "/a-very-long-but-plain-word-in-a-path", "/a-very-long-but-plain-word-in-a-path" },
		{ "//", "//" },
	};
	char buf[64], small[6];

	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		path_fold(buf, sizeof(buf), pairs[i][0]);
		assert_string_equal(buf, pairs[i][1]);
	}
	path_fold(small, sizeof(small), "/abc/42");
	assert_string_equal(small, "/abc/");
}

/* ---- adding up ---- */

/* More statuses than there is room for: the others are unknown, none counts as another one. */
static void test_statuses(void **s)
{
	struct tally *t = tally_new();
	struct report_head h = {};
	struct report_status all[64];
	struct exchange x = {
		.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = 1,
		.start_ns = 1000, .end_ns = 2000, .method = "GET", .path = "/",
	};
	int fd = memfd_create("test", 0);
	u64 unknown = 0;
	size_t size;

	for (u32 i = 0; i < 3 * 40; i++) {
		x.status = 200 + i % 40;
		tally_add(t, &x);
	}
	assert_true(tally_write(t, fd, &h));
	size = h.n_statuses * sizeof(*all);
	assert_true(h.n_endpoints == 1 && size <= sizeof(all));
	assert_int_equal(pread(fd, all, size, sizeof(struct report_endpoint)), size);
	for (u32 i = 0; i < h.n_statuses; i++) {
		if (all[i].status == STATUS_UNKNOWN)
			unknown = all[i].n;
		else
			assert_int_equal(all[i].n, 3);
	}
	assert_int_equal(unknown, 3 * (40 - (h.n_statuses - 1)));
	assert_true(unknown > 0);
	close(fd);
	tally_free(t);
}

static void test_tally(void **s)
{
	struct tally *t = tally_new();
	struct report_head h = {};
	struct report_endpoint e;
	struct exchange x = {
		.asked = true, .asked_done = true, .answered_done = true, .server = true, .tgid = 1,
		.start_ns = 1000, .method = "GET",
	};
	u64 count = 0, others = 0;
	int fd = memfd_create("test", 0);
	char path[64];

	for (u32 i = 0; i < 100000; i++) {	/* as many paths: few rows, and every request in one */
		snprintf(path, sizeof(path), "/w%c%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26,
			 'a' + i / 676 % 26, 'a' + i / 17576);
		x.path = path;
		x.status = i % 1000 ? 200 : 500;
		x.end_ns = 2000 + i;
		tally_add(t, &x);
	}
	assert_true(tally_write(t, fd, &h));
	assert_true(h.n_endpoints <= REPORT_ENDPOINTS);
	assert_int_equal(h.n_requests, REPORT_REQUESTS);
	assert_int_equal(h.left_out, 100000 - REPORT_REQUESTS);
	for (u32 i = 0; i < h.n_endpoints; i++) {
		assert_int_equal(pread(fd, &e, sizeof(e), (off_t)(i * sizeof(e))), sizeof(e));
		count += e.count;
		others += e.other;
	}
	assert_int_equal(count, 100000);
	assert_int_equal(others, 1);
	/* errors first, and among the rest the slowest */
	for (u32 i = 0, errors = 0; i < h.n_requests; i++) {
		struct report_request q;
		off_t at = (off_t)(h.n_endpoints * sizeof(e) + h.n_statuses * sizeof(struct report_status) +
				   h.n_buckets * sizeof(struct report_bucket) + i * sizeof(q));

		assert_int_equal(pread(fd, &q, sizeof(q), at), sizeof(q));
		errors += q.status == 500;
		assert_true(q.status == 500 || q.duration_ns > 100000);
		if (i + 1 == h.n_requests)
			assert_int_equal(errors, 100);
	}
	close(fd);
	tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_interim),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_lengths_alone),
		cmocka_unit_test(test_chunks_unseen),
		cmocka_unit_test(test_mixed_up),
		cmocka_unit_test(test_lure),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_head_bombs),
		cmocka_unit_test(test_not_http),
		cmocka_unit_test(test_traceparent),
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_answer_told_first),
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_until_close),
		cmocka_unit_test(test_lost_record),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_h2c),
		cmocka_unit_test(test_h2c_ends),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_tally),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
