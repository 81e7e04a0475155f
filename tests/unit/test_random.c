// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is not HTTP/2, but has frames like it: many connections made at random, through the programs' classification
 * and the reader. Some are taken for connections that were open before; of none a request is told. One that
 * was open before is told from its first message on. RANDOM_SEED and RANDOM_N in the environment.
 */
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
static u8 call[1024];

static void take_done(void *arg, const struct exchange *x)
{
	n_done++;
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

/* Lengths, types and flags that may be; numbers of any size, or small ones as of streams. */
static u32 make_frames(u32 numbers)
{
	u32 n = 0;

	for (u32 i = 1 + below(4); i; i--) {
		u32 len = below(100), stream = below(numbers);
		const u8 head[H2_HEAD] = { 0, 0, (u8)len, (u8)below(10), (u8)below(64), (u8)(stream >> 24),
					   (u8)(stream >> 16), (u8)(stream >> 8), (u8)stream };

		memcpy(call + n, head, H2_HEAD);
		n += H2_HEAD;
		while (len--)
			call[n++] = (u8)below(256);
	}
	return n;
}

static void random_frames(u32 numbers)
{
	u64 n = number_from("RANDOM_N", CONNECTIONS), taken = 0, wrong = 0, lost = 0;
	struct follow_counts c;

	begin(1);
	for (u64 i = 0; i < n; i++) {
		host_begin(1 + 2 * i);
		for (u32 turns = 1 + below(3); turns; turns--) {
			move(0, call, make_frames(numbers));
			move(1, call, make_frames(numbers));
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
	assert_int_equal(lost, 0);
	assert_int_equal(c.connections + c.open_requests, 0);
	follower_free(follower);
}

static void test_random_frames(void **s)
{
	seed = number_from("RANDOM_SEED", 88172645463325252ull);
	random_frames(1u << 31);
}

/* As many protocols number their requests; both ends, so that answers have those of requests sometimes. */
static void test_small_numbers(void **s)
{
	seed = number_from("RANDOM_SEED", 2463534242ull);
	random_frames(1u << 16);
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
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
