// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is not HTTP, but has frames like those of HTTP/2, lengths and tags, or lines of words of HTTP/1: many connections
 * made at random, through the programs' classification and the reader. Some are taken for connections that were open
 * before; of none a request is told. One that was open before is told from its first message on. RANDOM_SEED,
 * RANDOM_N and RANDOM_SHOW (such a request is named) in the environment.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"
#include "bpf/protocols/http2_frame.h"
#include "tests/fuzz/http2_captures.h"
#include "tests/unit/http_on_host.h"

#define CONNECTIONS 1000000

static struct follower *follower;
static u64 seed, n_done, n_open, n_over;
static u8 call[16384];
static u32 n_call;

static void take_done(void *arg, const struct exchange *x)
{
	n_done++;
	if (getenv("RANDOM_SHOW"))
		print_message("%s %s %s %u %s\n", x->server ? "server" : "client", x->method, x->path, x->status,
			      x->aborted ? "aborted" : "answered");
}

static void take_over(void *arg, u64 cookie)
{
	n_over++;
}

static void take_open(void *arg, const struct exchange *x)
{
	n_open++;
}

static void take_record(const void *record, unsigned long size)
{
	follower_read(follower, record, size);
}

static u64 number_from(const char *name, u64 or)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : or;
}

static u32 below(u32 most)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 16) % most);
}

static void begin(u64 number)
{
	follower = follower_new(&(struct follow_sink){ .done = take_done, .over = take_over });
	host_take = take_record;
	n_done = n_open = n_over = 0;
	host_begin(number);
}

/* What one end sends the other reads. */
static void move(u32 from, const void *bytes, u32 n)
{
	host_moved(from, 1, bytes, n);
	host_moved(!from, 0, bytes, n);
}

static void put(const void *bytes, u32 n)
{
	memcpy(call + n_call, bytes, n);
	n_call += n;
}

static void put_byte(u32 c)
{
	call[n_call++] = (u8)c;
}

static void put_random(u32 n)
{
	while (n--)
		put_byte(below(256));
}

static void put_text(u32 n)
{
	while (n--)
		put_byte(33 + below(94));
}

/* Lengths, types and flags that may be; numbers of any size, or small ones as of streams. */
static u32 make_frames(u32 numbers)
{
	n_call = 0;
	for (u32 i = 1 + below(4); i; i--) {
		u32 len = below(100), stream = below(numbers);
		const u8 head[H2_HEAD] = { 0, 0, (u8)len, (u8)below(10), (u8)below(64), (u8)(stream >> 24),
					   (u8)(stream >> 16), (u8)(stream >> 8), (u8)stream };

		put(head, H2_HEAD);
		put_random(len);
	}
	return n_call;
}

/* ---- as tests/live/random_bytes.test makes them ---- */

static const char asked_whole[] = "GET /beside HTTP/1.1\r\nHost: h\r\n\r\n",
		  answer_whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		  preface_whole[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void put_noise(void)
{
	put_random(1 + below(2999));
}

/* A length of some width, order and meaning, then that much. */
static void put_framed(void)
{
	for (u32 i = 1 + below(5); i; i--) {
		u32 len = below(200), width = 1u << below(3), at, little = below(2);

		for (at = 0; at < width; at++)
			put_byte(min(len, 255u) >> 8 * (little ? at : width - 1 - at));
		put_random(below(3));
		if (below(2))
			put_random(len);
		else
			put_text(len);
	}
}

/* As messages of protobuf, ASN.1, BSON. */
static void put_tagged(void)
{
	for (u32 i = 1 + below(19), len; i; i--) {
		put_byte(below(256));
		put_byte(len = below(120));
		put_text(len);
	}
}

static void put_any_frames(void)
{
	make_frames(1u << 31);
}

/* Words, of which some are those of HTTP, but not its line. */
static void put_lines(void)
{
	static const char *const words[] = {
		"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PRI", "CONNECT", "TRACE", "PATCH", "SELECT", "QUIT", "USER",
		"EHLO", "STAT", "HTTP", "HTTP/1.1", "HTTP/2.0", "RTSP/1.0", "SIP/2.0", "ICY", "/", "/a/b", "*", "200", "key", "0",
	};
	static const char *const between[] = { " ", "\t", "  ", ":" };
	static const struct { const char *text; u32 n; } ends[] = { { "\r\n", 2 }, { "\n", 1 }, { "\0", 1 }, { "\r\n\r\n", 4 } };

	for (u32 lines = 1 + below(4), end; lines; lines--) {
		const char *sep = between[below(4)];

		for (u32 i = 1 + below(5); i; i--) {
			const char *word = words[below(ARRAY_SIZE(words))];

			if (below(10) < 7)
				put(word, (u32)strlen(word));
			else
				put_text(below(20));
			if (i > 1)
				put(sep, (u32)strlen(sep));
		}
		end = below(4);
		put(ends[end].text, ends[end].n);
	}
}

/* HTTP that goes wrong within its first line. */
static void put_cut(void)
{
	static const char *const whole[] = { asked_whole, answer_whole, preface_whole };
	static const u8 wrong[] = { 0, 0xff, '\n', 0x80 };
	const char *text = whole[below(3)];

	put(text, 1 + below((u32)strcspn(text, "\r") - 4));
	put_byte(wrong[below(4)]);
	put_noise();
}

static bool is_asked(const u8 *line, size_t n)
{
	size_t word, at;

	n -= n && line[n - 1] == '\r';
	if (n < 13 || memcmp(line + n - 9, " HTTP/", 6) || !isdigit(line[n - 3]) || line[n - 2] != '.' || !isdigit(line[n - 1]))
		return false;
	for (word = 0; word < n && !isspace(line[word]); word++)
		;
	for (at = word; at < n && line[at] == ' '; at++)
		;
	return word && at > word && at < n - 9 && !isspace(line[at]);
}

static bool is_answered(const u8 *line, size_t n)
{
	return n >= 12 && !memcmp(line, "HTTP/1.", 7) && isdigit(line[7]) && line[8] == ' ' && isdigit(line[9]) &&
	       isdigit(line[10]) && isdigit(line[11]);
}

/* By its first line: one that asks, one that answers, or the preface of HTTP/2. */
static bool is_http(void)
{
	const u8 *end = memchr(call, '\n', n_call);
	size_t n = end ? (size_t)(end - call) : n_call;

	return (n >= 12 && !memcmp(call, preface_whole, 12)) || is_asked(call, n) || is_answered(call, n);
}

static void (*const kinds[])(void) = { put_noise, put_framed, put_tagged, put_any_frames, put_lines, put_cut };

static u32 make_message(u32 unused)
{
	do {
		n_call = 0;
		kinds[below(ARRAY_SIZE(kinds))]();
	} while (is_http());
	return n_call;
}

/* ---- tests ---- */

/* Returns how much was said to be lost. */
static u64 connections(u32 (*make)(u32), u32 numbers)
{
	u64 n = number_from("RANDOM_N", CONNECTIONS), taken = 0, wrong = 0, lost = 0;
	struct follow_counts c;

	begin(1);
	for (u64 i = 0; i < n; i++) {
		host_begin(1 + 2 * i);
		for (u32 turns = 1 + below(3); turns; turns--) {
			move(0, call, make(numbers));
			move(1, call, make(numbers));
		}
		taken += (u64)host_is_http2(0) + (u64)host_is_http2(1);
		follower_each_open(follower, take_open, NULL);
		host_end();
		c = follower_counts(follower);
		wrong += n_done + n_open;
		lost = c.lost_requests + c.lost_messages;
		n_done = n_open = 0;
	}
	c = follower_counts(follower);
	print_message("%llu of %llu ends taken for HTTP/2 that was open before, %llu given up, %llu requests of them, %llu losses\n",
		      (unsigned long long)taken, (unsigned long long)(2 * n), (unsigned long long)n_over,
		      (unsigned long long)wrong, (unsigned long long)lost);
	assert_true(taken);
	assert_int_equal(wrong, 0);
	assert_int_equal(c.connections + c.open_requests, 0);
	follower_free(follower);
	return lost;
}

static void test_random_frames(void **s)
{
	seed = number_from("RANDOM_SEED", 88172645463325252ull);
	assert_int_equal(connections(make_frames, 1u << 31), 0);
}

/* As many protocols number their requests; both ends, so that answers have those of requests sometimes. */
static void test_small_numbers(void **s)
{
	seed = number_from("RANDOM_SEED", 2463534242ull);
	assert_int_equal(connections(make_frames, 1u << 16), 0);
}

static void test_all_kinds(void **s)
{
	seed = number_from("RANDOM_SEED", 362436069ull);
	connections(make_message, 0);
}

/* What grpcio and its server sent each other, joined at each call: as many requests as are answered after it, both ends. */
static void test_joined(void **s)
{
	static const struct { u32 from, requests; } cases[] = { { 0, 5 }, { 4, 4 }, { 8, 3 }, { 12, 2 } };

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(1);
		for (u32 at = cases[i].from; at < ARRAY_SIZE(captured_grpc); at++) {
			const struct captured *c = &captured_grpc[at];

			move(c->answers, c->bytes, c->n);
		}
		host_end();
		assert_int_equal(n_done, 2 * cases[i].requests);
		follower_free(follower);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_frames),
		cmocka_unit_test(test_small_numbers),
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
