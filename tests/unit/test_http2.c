// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The HTTP/2 and gRPC readers: frames cut anywhere, interleaved streams, connections joined in the
 * middle, losses, and hostile input.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/grpc.h"
#include "bpf/protocols/http2_frame.h"
#include "bpf/protocols/protocol.h"
#include "tests/fuzz/http2_captures.h"
#include "tests/unit/hpack_data.h"

static struct {
	char text[8192];
	size_t n;
	u64 parts, heads;
	void *state;
	bool quiet;
} seen;

static void note(void *arg, const struct part *p)
{
	static const char *const kinds[] = { "begin", "head", "done", "broken", "lost" };
	char more[512] = "";

	seen.parts++;
	seen.heads += p->kind == PART_HEAD;
	if (p->kind == PART_BEGIN || seen.quiet)
		return;
	if (p->kind == PART_HEAD && p->role == ASKS)
		snprintf(more, sizeof(more), " %s %s%s%s", p->method, p->path, p->trace_id ? " " : "",
			 p->trace_id ?: "");
	else if (p->kind == PART_HEAD && p->inner)
		snprintf(more, sizeof(more), " %s", p->status == STATUS_UNKNOWN ? "?" : p->inner->status_name(p->status));
	else if (p->kind == PART_HEAD)
		snprintf(more, sizeof(more), p->status == STATUS_UNKNOWN ? " ?" : " %u", p->status);
	else if (p->kind == PART_DONE)
		snprintf(more, sizeof(more), " %llu", (unsigned long long)p->bytes);
	seen.n += (size_t)snprintf(seen.text + seen.n, sizeof(seen.text) - seen.n, "%s%s%llu %s%s\n",
				   p->role == ASKS ? ">" : "<", p->inner ? p->inner->name : "",
				   (unsigned long long)p->number, kinds[p->kind], more);
	assert_true(seen.n < sizeof(seen.text));
}

static void begin(void)
{
	if (seen.state)
		http2_protocol.close(seen.state);
	free(seen.state);
	memset(&seen, 0, sizeof(seen));
	seen.state = calloc(1, http2_protocol.state_bytes);
}

static void give(enum role role, const struct piece *p)
{
	http2_protocol.read(seen.state, role, p, &(struct sink){ note, NULL });
}

static void data(enum role role, const u8 *bytes, size_t n)
{
	u8 *copy = malloc(n ?: 1);	/* of its size, so that nothing behind it is read */

	memcpy(copy, bytes, n);
	give(role, &(struct piece){ .kind = PIECE_DATA, .begins = true, .n = n, .data = copy });
	free(copy);
}

static void gap(enum role role, u64 n)
{
	give(role, &(struct piece){ .kind = PIECE_GAP, .n = n });
}

static void expect(const char *want)
{
	assert_string_equal(seen.text, want);
	seen.n = 0;
	seen.text[0] = '\0';
}

static size_t put_frame(u8 *p, u8 type, u8 flags, u32 stream, const void *payload, u32 n)
{
	const u8 head[H2_HEAD] = { (u8)(n >> 16), (u8)(n >> 8), (u8)n, type, flags,
				   (u8)(stream >> 24), (u8)(stream >> 16), (u8)(stream >> 8), (u8)stream };

	memcpy(p, head, H2_HEAD);
	if (payload)
		memcpy(p + H2_HEAD, payload, n);
	return H2_HEAD + n;
}

static void frame(enum role role, u8 type, u8 flags, u32 stream, const void *payload, u32 n)
{
	u8 *p = malloc(H2_HEAD + n);

	data(role, p, put_frame(p, type, flags, stream, payload, n));
	free(p);
}

#define FRAME(role, type, flags, stream, payload) frame(role, type, flags, stream, payload, sizeof(payload) - 1)

static const u8 preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void open_connection(void)
{
	begin();
	data(ASKS, preface, H2_PREFACE_BYTES);
	frame(ASKS, H2_SETTINGS, 0, 0, "\0\3\0\0\0d", 6);
	frame(ANSWERS, H2_SETTINGS, 0, 0, NULL, 0);
}

/* method, scheme, path; of gRPC a content-type besides. Nothing is inserted. */
static size_t put_request(u8 *p, const char *path, bool grpc)
{
	size_t n = 0;

	p[n++] = grpc ? 0x83 : 0x82;
	p[n++] = 0x86;
	n += put_literal(p + n, 0, 4, NULL, path);
	return grpc ? n + put_literal(p + n, 0, 0, "content-type", "application/grpc+proto") : n;
}

static void ask(u32 stream, u8 flags, const char *path, bool grpc)
{
	u8 block[256];

	frame(ASKS, H2_HEADERS, H2_END_HEADERS | flags, stream, block, (u32)put_request(block, path, grpc));
}

static void test_streams_between_one_another(void **s)
{
	open_connection();
	ask(1, H2_END_STREAM, "/slow?x=1", false);
	ask(3, H2_END_STREAM, "/quick", false);
	expect(">1 head GET /slow\n>1 done 22\n>3 head GET /quick\n>3 done 19\n");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, 3, "\x88");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, 1, "\x8d");
	FRAME(ANSWERS, H2_DATA, H2_END_STREAM, 3, "abc");
	expect("<3 head 200\n<1 head 404\n<3 done 22\n");
	frame(ANSWERS, H2_DATA, H2_END_STREAM, 1, NULL, 0);
	expect("<1 done 19\n");
}

/* For data the length is sufficient; the next frame's head must be at the right place. */
static void test_data_unseen(void **s)
{
	u8 buf[64];

	open_connection();
	ask(1, 0, "/put", false);
	put_frame(buf, H2_DATA, H2_END_STREAM, 1, NULL, 0);
	buf[1] = 0x40;		/* 16384 bytes */
	data(ASKS, buf, H2_HEAD);
	gap(ASKS, 16000);
	gap(ASKS, 384);
	ask(3, H2_END_STREAM, "/next", false);
	expect(">1 head GET /put\n>1 done 16410\n>3 head GET /next\n>3 done 18\n");
}

static void test_grpc(void **s)
{
	u8 block[256];
	size_t n;

	open_connection();
	for (u32 id = 1; id <= 7; id += 2) {
		ask(id, 0, "/pkg.S/M", true);
		FRAME(ASKS, H2_DATA, H2_END_STREAM, id, "\0\0\0\0\1x");
	}
	seen.n = 0;
	seen.text[0] = '\0';
	for (u32 id = 1; id <= 3; id += 2)
		FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, id, "\x88");
	for (u32 i = 0; i < 3; i++)	/* a stream of messages: one answer */
		FRAME(ANSWERS, H2_DATA, 0, 1, "\0\0\0\0\1x");
	expect("");
	n = put_literal(block, 0x40, 0, "grpc-status", "0");
	frame(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, block, (u32)n);
	n = put_literal(block, 0, 62, "grpc-status", "5");	/* its name by its index */
	block[0] = 0x0f;
	block[1] = 62 - 15;
	memcpy(block + 2, "\1" "5", 2);
	frame(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 3, block, 4);
	expect("<grpc1 head OK\n<1 done 79\n<grpc3 head NOT_FOUND\n<3 done 23\n");
	block[0] = 0x88;		/* trailers only */
	n = 1 + put_literal(block + 1, 0, 0, "grpc-status", "14");
	frame(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 5, block, (u32)n);
	n = put_literal(block, 0, 8, NULL, "503");	/* from a proxy that has no gRPC */
	frame(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 7, block, (u32)n);
	expect("<grpc5 head UNAVAILABLE\n<5 done 26\n<grpc7 head UNAVAILABLE\n<7 done 14\n");
	assert_true(grpc_protocol.is_error(grpc_status("14"), true));
	assert_false(grpc_protocol.is_error(grpc_status("5"), true));
	assert_true(grpc_protocol.is_error(grpc_status("5"), false));
	assert_false(grpc_protocol.is_error(grpc_status("0"), false));
	assert_false(grpc_is_type("application/grpc-web"));
}

/* Opened before ottop: old table entries are unknown, new ones are known. */
static void test_joined(void **s)
{
	enum role role;
	u8 buf[64], block[64];
	size_t n;

	begin();
	n = put_frame(buf, H2_PING, 0, 0, "12345678", 8);
	n += put_frame(buf + n, H2_WINDOW_UPDATE, 0, 0, "\0\0\1\0", 4);
	assert_int_equal(http2_protocol.recognise(buf, n, &role), VERDICT_NO);
	n += put_frame(buf + n, H2_HEADERS, H2_END_HEADERS, 5, "\x88", 1);
	assert_int_equal(http2_protocol.recognise(buf, n, &role), VERDICT_YES);
	assert_int_equal(role, ANSWERS);
	/* grpcio: :path and :authority are in the table, :method after them is not */
	assert_int_equal(http2_protocol.recognise((const u8 *)captured_grpc[7].bytes, 75, &role), VERDICT_YES);
	assert_int_equal(role, ASKS);
	n = put_frame(buf, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 21, "\x83\x86\xc3\xc2\xc1", 5);
	assert_int_equal(http2_protocol.recognise(buf, n, &role), VERDICT_YES);
	assert_int_equal(role, ASKS);
	data(ASKS, buf, n);
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, 19, "\x88\xc0");	/* no request was seen */
	FRAME(ANSWERS, H2_DATA, H2_END_STREAM, 19, "x");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 21, "\xc3");
	expect(">21 head POST *\n>21 done 14\n<21 head ?\n<21 done 10\n");
	n = 2 + put_literal(block + 2, 0x40, 4, NULL, "/new");
	memcpy(block, "\x82\x86", 2);
	frame(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 23, block, (u32)n);
	FRAME(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 25, "\x82\x86\xbe\xc1");
	FRAME(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 27, "\x82\x86\xbf");
	expect(">23 head GET /new\n>23 done 17\n>25 head GET /new\n>25 done 13\n>27 head GET *\n>27 done 12\n");
}

static void replay(const struct captured *c, u32 n)
{
	begin();
	for (u32 i = 0; i < n; i++)
		data(c[i].answers ? ANSWERS : ASKS, (const u8 *)c[i].bytes, c[i].n);
}

/*
 * The conversation of grpcio and its server, complete, and joined at each call: never a wrong name
 * or status.
 */
static void test_captured(void **s)
{
	static const char from5[] = ">5 head POST *\n>5 done 35\n<grpc5 head NOT_FOUND\n<5 done 43\n";
	static const char from7[] = ">7 head POST *\n>7 done 35\n<7 head ?\n<7 done 29\n";
	static const char from9[] = ">9 head POST *\n>9 done 32\n<9 head 200\n<9 head ?\n<9 done 37\n";

	replay(captured_nghttp, ARRAY_SIZE(captured_nghttp));
	expect(">13 head GET /s\n>13 done 51\n>15 head GET /nope\n>15 done 29\n"
	       "<13 head 200\n<15 head 404\n<13 done 108\n<15 done 195\n");
	replay(captured_grpc, ARRAY_SIZE(captured_grpc));
	expect(">grpc1 head POST /test.Echo/Unary\n>1 done 229\n<grpc1 head OK\n<1 done 126\n"
	       ">grpc3 head POST /test.Echo/Unary\n>3 done 32\n<grpc3 head OK\n<3 done 37\n"
	       ">grpc5 head POST /test.Echo/Unary\n>5 done 35\n<grpc5 head NOT_FOUND\n<5 done 43\n"
	       ">grpc7 head POST /test.Echo/Unary\n>7 done 35\n<grpc7 head NOT_FOUND\n<7 done 29\n"
	       ">grpc9 head POST /test.Echo/Unary\n>9 done 32\n<grpc9 head OK\n<9 done 37\n");
	for (u32 from = 4; from < ARRAY_SIZE(captured_grpc); from++) {
		replay(captured_grpc + from, ARRAY_SIZE(captured_grpc) - from);
		assert_null(strstr(seen.text, "/test"));
		assert_true(from > 10 || strstr(seen.text, from5));	/* its status is inserted there */
		assert_true(from != 12 || !strncmp(seen.text, from7, sizeof(from7) - 1));
		assert_true(from < 7 || from > 14 || strstr(seen.text, from9));
	}
}

/*
 * Bytes of a block are missing: its name is unknown, and all indexes are until there are new
 * entries.
 */
static void test_block_unseen(void **s)
{
	u8 block[64], buf[128];
	size_t n;

	open_connection();
	n = 2 + put_literal(block + 2, 0x40, 4, NULL, "/one");
	memcpy(block, "\x82\x86", 2);
	frame(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, block, (u32)n);
	data(ASKS, buf, put_frame(buf, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 3, block, (u32)n) - 3);
	gap(ASKS, 3);
	FRAME(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 5, "\x82\x86\xbe");
	expect(">1 head GET /one\n>1 done 17\n>3 head GET *\n>3 done 17\n>5 head GET *\n>5 done 12\n");
}

/* A gap over frames: open requests are lost, and nothing is paired by guess. */
static void test_loss(void **s)
{
	open_connection();
	ask(1, H2_END_STREAM, "/1", false);
	gap(ANSWERS, 30);
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, "\x88");
	ask(3, H2_END_STREAM, "/3", false);
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 3, "\x89");
	expect(">1 head GET /1\n>1 done 15\n<0 broken\n>3 head GET /3\n>3 done 15\n<3 head 204\n<3 done 10\n");
	assert_int_equal(http2_protocol.messages_lost(seen.state), 1);
}

static void test_reset(void **s)
{
	open_connection();
	ask(1, H2_END_STREAM, "/1", false);
	FRAME(ASKS, H2_RST_STREAM, 0, 1, "\0\0\0\x08");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, "\x88");
	expect(">1 head GET /1\n>1 done 15\n<1 broken\n");
}

/* Padding, priority, a pushed stream, 103, trailers of a request, an answer before the request is whole. */
static void test_rare_frames(void **s)
{
	open_connection();
	FRAME(ASKS, H2_HEADERS, H2_END_HEADERS | H2_PADDED | H2_HAS_PRIORITY, 1,
	      "\x03" "\x80\0\0\0\x10" "\x82\x86\x44\2/p" "\0\0\0");
	FRAME(ANSWERS, H2_PUSH_PROMISE, H2_END_HEADERS, 1, "\0\0\0\2" "\x82\x86\x44\2/q");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 2, "\x88");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, 1, "\x08\3" "103");
	FRAME(ASKS, 0xee & 0x1f, 0, 0, "extension");
	FRAME(ANSWERS, H2_WINDOW_UPDATE, 0, 1, "\0\0\1\0");
	expect(">1 head GET /p\n");
	FRAME(ASKS, H2_DATA, 0, 1, "abc");
	FRAME(ASKS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, "\0\1a\1b");
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS, 1, "\xbe\xbe");	/* of the push: its path */
	expect(">1 done 50\n<1 head ?\n");
	ask(3, 0, "/big", false);
	FRAME(ANSWERS, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 3, "\x08\3" "413");
	FRAME(ASKS, H2_DATA, 0, 3, "abc");
	expect(">3 head GET /big\n<3 head 413\n>3 done 17\n<3 done 14\n");
}

/* The same conversation, cut anywhere: each byte alone, and at each place in two. */
static void test_borders(void **s)
{
	static const char want[] = ">1 head GET /a\n>1 done 24\n>grpc3 head POST /b.C/D\n>3 done 66\n";
	u8 all[512], block[128];
	size_t n = H2_PREFACE_BYTES;

	memcpy(all, preface, n);
	n += put_frame(all + n, H2_SETTINGS, 0, 0, NULL, 0);
	n += put_frame(all + n, H2_HEADERS, H2_END_STREAM, 1, "\x82", 1);
	n += put_frame(all + n, H2_CONTINUATION, H2_END_HEADERS, 1, "\x86\x44\2/a", 5);
	n += put_frame(all + n, H2_HEADERS, H2_END_HEADERS, 3, block, (u32)put_request(block, "/b.C/D", true));
	n += put_frame(all + n, H2_DATA, H2_END_STREAM, 3, "x", 1);
	for (size_t cut = 0; cut <= n; cut++) {
		begin();
		for (size_t i = 0, len; i < n; i += len) {
			len = cut == n ? 1 : i ? n - i : cut ?: n;
			data(ASKS, all + i, len);
		}
		expect(want);
	}
}

static size_t used(void)
{
	return mallinfo2().uordblks;
}

/* Hostile input takes no more memory than usual input. */
static void test_floods(void **s)
{
	u8 block[256] = {};
	size_t before;

	open_connection();
	seen.quiet = true;
	before = used();
	frame(ASKS, H2_HEADERS, 0, 1, "\x82", 1);
	for (u32 i = 0; i < 100000; i++)	/* CONTINUATION, empty and full ones */
		frame(ASKS, H2_CONTINUATION, 0, 1, block, i % 2 ? (u32)put_literal(block, 0x40, 0, "x-aaaaaaaaaaaaa", "y") : 0);
	assert_true(used() - before < 50000);
	frame(ASKS, H2_CONTINUATION, H2_END_HEADERS, 1, "\x86\x84", 2);
	assert_int_equal(seen.heads, 1);
	for (u32 i = 0; i < 100000; i++) {	/* rapid reset */
		ask(3 + 2 * i, H2_END_STREAM, "/", false);
		frame(ASKS, H2_RST_STREAM, 0, 3 + 2 * i, "\0\0\0\x08", 4);
	}
	assert_int_equal(seen.heads, 100001);
	for (u32 i = 0; i < 100000; i++)	/* streams that never end */
		ask(300001 + 2 * i, 0, "/", false);
	assert_true(used() - before < 100000);
	assert_false(http2_protocol.is_over(seen.state));
}

/* More streams than are kept: the oldest is lost, not counted as unanswered. */
static void test_many_open(void **s)
{
	open_connection();
	for (u32 i = 0; i < 257; i++) {
		seen.n = 0;
		ask(1 + 2 * i, 0, "/", false);
		assert_int_equal(i == 256, strstr(seen.text, "<1 lost") != NULL);
	}
	expect("<1 lost\n>513 head GET /\n");
}

/* A value of a megabyte: only a part is kept, and the next block is read. */
static void test_huge_value(void **s)
{
	u8 *big = calloc(1, 16384);

	open_connection();
	frame(ASKS, H2_HEADERS, H2_END_STREAM, 1, "\x82\x86\x04\x7f\x81\xff\x3f/", 8);	/* 1048576 bytes, one is here */
	for (u32 left = 1048575; left; left -= min(left, 16384u))
		frame(ASKS, H2_CONTINUATION, left <= 16384 ? H2_END_HEADERS : 0, 1, memset(big, 'a', 16384), min(left, 16384u));
	ask(3, H2_END_STREAM, "/next", false);
	assert_non_null(strstr(seen.text, ">1 head GET /aaa"));
	assert_non_null(strstr(seen.text, ">3 head GET /next"));
	assert_int_equal(strcspn(strchr(seen.text, '/'), "\n"), PATH_MAX_KEPT - 1);
	free(big);
}

/* ---- what is none ---- */

static u64 random_word(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_not_http2(void **s)
{
	static const u8 kafka[16] = { 0, 0, 0x12, 0, 0, 18, 0, 3, 0, 0, 0, 1, 0, 9, 'r', 'd' };
	static const u8 thrift[16] = { 0, 0, 1, 0x2f, 0x80, 1, 0, 1, 0, 0, 0, 4, 'p', 'i', 'n', 'g' };
	static const u8 ssh[16] = { 0, 0, 5, 0x1c, 7, 20, 0x9a, 3, 1, 9, 8, 7, 6, 5, 4, 3 };
	enum role role;
	u64 seed = 88172645463325252ull;
	u32 taken = 0;

	assert_int_equal(http2_protocol.recognise(kafka, 16, &role), VERDICT_NO);
	assert_int_equal(http2_protocol.recognise(thrift, 16, &role), VERDICT_NO);
	assert_int_equal(http2_protocol.recognise(ssh, 16, &role), VERDICT_NO);
	for (u32 i = 0; i < 2000000; i++) {
		u64 bytes[2] = { random_word(&seed), random_word(&seed) };

		taken += http2_protocol.recognise((u8 *)bytes, 16, &role) == VERDICT_YES;
	}
	assert_int_equal(taken, 0);
}

/* It looked like a connection that was open before, but is not HTTP/2: no request is reported. */
static void test_over(void **s)
{
	begin();
	frame(ASKS, H2_HEADERS, H2_END_HEADERS, 1, "\x82\x80", 2);
	assert_true(http2_protocol.is_over(seen.state));
	begin();
	data(ASKS, (const u8 *)"PRI * HTTP/1.1\r\n\r\n", 18);
	assert_true(http2_protocol.is_over(seen.state));
	expect("");
}

static int end_all(void **s)
{
	begin();
	free(seen.state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_between_one_another),
		cmocka_unit_test(test_data_unseen),
		cmocka_unit_test(test_grpc),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_block_unseen),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_rare_frames),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_many_open),
		cmocka_unit_test(test_huge_value),
		cmocka_unit_test(test_not_http2),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, NULL, end_all);
}
