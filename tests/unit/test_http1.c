// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The HTTP/1 reader: messages from pieces of a stream with any boundaries; bodies known by length
 * only; contradictory framing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/protocol.h"

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

/* The reports of a message that follows a valid one, given in one piece or byte by byte. */
static const char *read_as(enum role role, const char *text, size_t at_once)
{
	static char told[2][8192];
	size_t n = strlen(text);

	begin();
	if (role == ANSWERS)
		for (u32 i = 0; i < 3; i++)
			data(ASKS, "GET /asked HTTP/1.1\r\n\r\n");
	data(role, role == ASKS ? "GET /first HTTP/1.1\r\n\r\n" : "HTTP/1.1 204 No\r\n\r\n");
	for (size_t i = 0; i < n; i += at_once)
		give(role, &(struct piece){ .kind = PIECE_DATA, .begins = !i, .n = min(at_once, n - i),
					    .data = (const u8 *)text + i });
	strcpy(told[at_once == 1], seen.text);
	http1_protocol.close(seen.state);
	free(seen.state);
	seen.state = NULL;
	return told[at_once == 1];
}

/* Complete lines are parsed in one go, which must make no difference for odd ones. */
static void test_at_a_stroke(void **s)
{
	static const char *const lines[N_ROLES][24] = {
		{ "GET /a?b#c HTTP/1.1", "GET /a#b?c HTTP/1.0", "GET  /a HTTP/1.1", " GET /a HTTP/1.1", "GET /a  HTTP/1.1",
		  "GET /a HTTP/1.1 ", "GET /a b HTTP/1.1", "GET /a", "GET", "get /a HTTP/1.1", "GET /a\tb HTTP/1.1",
		  "GET ? HTTP/1.1", "GET http://h/x?y HTTP/1.1", "GET /a HTTP/1.2", "GET /a HTTP/2.0", "GET /a HTTP/1.11",
		  "AVERYLONGMETHODX /a HTTP/1.1", "AVERYLONGMETHOD /a HTTP/1.1", "AVERYLONGMETHO /a HTTP/1.1",
		  "G-T_ /\xc3\xa9 HTTP/1.1", "GET\r /a HTTP/1.1", "GET /a HTTP/1.1\r", "" },
		{ "HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 2000 OK", "HTTP/1.1 20 OK",
		  "HTTP/1.1  200 OK", "HTTP/1.2 200 OK", "HTTP/1.1 099 OK", "HTTP/1.1 100 Go on", "HTTP/1.1 2x0 OK",
		  "HTTP/1.1 999 \x01", "HTTP/1.1\t200 OK", "HTTP/1.10 200 OK", "HTTP/1.1 404 Not Found", "" },
	};
	static const char *const headers[] = {
		"Host: h", "a:b", ":", "a", "a : b", " folded", "\tfolded", "Content-Length: 2", "content-length : 2",
		"CONTENT-LENGTH:2", "Content-Length: 2\r\nContent-Length: 3", "X: y\r\nContent-Length: 2\r\nZ: 0",
		"Transfer-Encoding: chunked", "Upgrade: x", "X: \x01\r\r", "\x01: a", "a:\r\nb:\r\nc", "Content-Lengthx: 2",
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	};
	char text[512];

	for (u32 role = 0; role < N_ROLES; role++)
		for (u32 i = 0; lines[role][i]; i++)
			for (u32 k = 0; k < ARRAY_SIZE(headers); k++)
				for (u32 lf = 0; lf < 2; lf++) {
					const char *eol = lf ? "\n" : "\r\n";

					snprintf(text, sizeof(text), "%s%s%s%s%shiGET /n HTTP/1.1\r\n\r\n", lines[role][i], eol,
						 headers[k], eol, eol);
					assert_string_equal(read_as((enum role)role, text, sizeof(text)),
							    read_as((enum role)role, text, 1));
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

/* A body until the end of the connection; and an answer that ends prematurely. */
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
	/* a chunk that continues, and one with a captured head */
	data(ANSWERS, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\nbegin");
	gap(ANSWERS, 0x2000 - 5, NULL);
	data(ANSWERS, "\r\n10\r\n0123");
	gap(ANSWERS, 12, NULL);
	data(ANSWERS, "\r\n0\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n>2 head GET /2\n>2 done 19\n<1 head 200\n<1 done 100043\n"
	       "<2 head 200\n<2 done 8274\n");
}

/* The head of a chunk was not captured: its end is detected heuristically. */
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

/* Pipelined messages that may hide others: from then on no answer is assigned by guess. */
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
	/* an answer to the request in the previous piece */
	begin();
	data(ASKS, "POST /1 HTTP/1.1\r\n" UNSEEN);
	gap(ASKS, 16000, "x\r\n0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	data(ASKS, "GET /3 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n");
	expect_lost(2, ">1 head POST /1\n>1 done 16057?\n<1 head 200\n<1 done 38\n<0 broken\n");
}

/* What looks like an answer is ignored if there was no request. */
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

/* Whole messages are missing: later requests get later answers, never earlier ones. */
static void test_loss(void **s)
{
	begin();
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	gap(ANSWERS, 500, NULL);	/* the answer, and unknown bytes */
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

/* The connection was open before: the end of an answer to an unknown request. */
static void test_middle(void **s)
{
	begin();
	data(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");	/* to HEAD, it turns out */
	data(ASKS, "GET /1 HTTP/1.1\r\n\r\n");
	data(ANSWERS, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
	expect(">1 head GET /1\n>1 done 19\n<1 head 500\n<1 done 38\n");
}

/* Ambiguous framing: neither reading is used, and the next message is searched for. */
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
	static const char with_nul[] = "GET / HTTP/1.1\0x\r\n\r\n", answer_with_nul[] = "HTTP/1.1\0 200 OK\r\n\r\n";
	enum role role;

	for (u32 i = 0; i < ARRAY_SIZE(not); i++) {
		begin();
		data(ASKS, not[i]);
		assert_true(http1_protocol.is_over(seen.state));
		expect("");
	}
	for (u32 i = 0; i < N_ROLES; i++) {
		begin();
		give((enum role)i, &(struct piece){ .kind = PIECE_DATA, .begins = true,
						    .n = (i ? sizeof(answer_with_nul) : sizeof(with_nul)) - 1,
						    .data = (const u8 *)(i ? answer_with_nul : with_nul) });
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_at_a_stroke),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
