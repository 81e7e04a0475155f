// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HTTP/2 while some records find no room in the ring: through the real programs' code and the
 * reader. Counted and lost requests together are all requests, at both ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/follow.h"
#include "bpf/protocols/http2_frame.h"
#include "tests/unit/http_on_host.h"

#define CONNECTIONS 2000
#define ROUNDS 60
#define OPEN 8		/* streams at once */

enum { CLIENT, SERVER };

static struct follower *follower;
static u64 seed = 88172645463325252ull, n_done, n_failed, asked;
static u32 open_ones[OPEN], n_open, next_stream, n_call;
static u8 call[1 << 16];

static void take_done(void *arg, const struct exchange *x)
{
	n_done++;
	n_failed += x->aborted;
}

static void take_over(void *arg, u64 cookie)
{
	fail();
}

static void take_record(const void *record, unsigned long size)
{
	follower_read(follower, record, size);
}

static u32 below(u32 most)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 16) % most);
}

static void put(u8 type, u8 flags, u32 stream, const void *payload, u32 n)
{
	const u8 head[H2_HEAD] = { (u8)(n >> 16), (u8)(n >> 8), (u8)n, type, flags,
				   (u8)(stream >> 24), (u8)(stream >> 16), (u8)(stream >> 8), (u8)stream };

	memcpy(call + n_call, head, H2_HEAD);
	memcpy(call + n_call + H2_HEAD, payload, n);
	n_call += H2_HEAD + n;
}

/* Both ends move the data; with `cut` the other one in any number of calls. */
static void move(u32 from, u32 chance, bool cut)
{
	u32 at = 0, n;

	host_full = chance && !below(chance) ? 1 + below(6) : host_full;
	host_moved(from, 1, call, n_call);
	for (; at < n_call; at += n) {
		n = cut ? min(1 + below(60), n_call - at) : n_call;
		host_full = chance && !below(chance) ? 1 + below(6) : host_full;
		host_moved(!from, 0, call + at, n);
	}
	n_call = 0;
}

static void ask(void)
{
	static const u8 plain[] = "\x82\x86\x04\x05/held", body[300];
	u32 n = below(3);

	for (; n_open < OPEN && n; n--) {
		bool whole = below(2);

		put(H2_HEADERS, whole ? H2_END_HEADERS | H2_END_STREAM : H2_END_HEADERS, next_stream, plain, sizeof(plain) - 1);
		if (!whole)
			put(H2_DATA, H2_END_STREAM, next_stream, body, below(sizeof(body)));
		open_ones[n_open++] = next_stream;
		next_stream += 2;
		asked++;
	}
}

static void answer(u32 n)
{
	static const u8 body[2000];

	for (; n_open && n; n--) {
		u32 i = below(n_open);

		put(H2_HEADERS, H2_END_HEADERS, open_ones[i], "\x88", 1);
		put(H2_DATA, H2_END_STREAM, open_ones[i], body, below(sizeof(body)));
		open_ones[i] = open_ones[--n_open];
	}
}

/* chance: that it begins to have no room is one of so many calls. */
static void connection(u64 number, u32 chance, bool cut)
{
	host_begin(number);
	n_open = host_full = 0;
	next_stream = 1;
	memcpy(call, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", H2_PREFACE_BYTES);
	n_call = H2_PREFACE_BYTES;
	put(H2_SETTINGS, 0, 0, "", 0);
	move(CLIENT, 0, false);
	put(H2_SETTINGS, 0, 0, "", 0);
	move(SERVER, 0, false);
	for (u32 i = 0; i < ROUNDS; i++) {
		ask();
		move(CLIENT, chance, cut);
		answer(below(3));
		move(SERVER, chance, cut);
	}
	host_full = 0;
	answer(OPEN);
	move(SERVER, 0, cut);
	host_end();
}

static u64 lost_in_ring(void)
{
	return host_lost(0) + host_lost(1);
}

/* Returns how many counted and how many were lost, of 2 * asked. */
static u64 connections(u32 chance, bool cut, u64 *ret_done)
{
	u64 before = lost_in_ring(), lost;

	follower = follower_new(&(struct follow_sink){ .done = take_done, .over = take_over });
	host_take = take_record;
	n_done = n_failed = asked = 0;
	for (u64 i = 0; i < CONNECTIONS; i++)
		connection(1 + 2 * i, chance, cut);
	lost = lost_in_ring() - before + follower_counts(follower).lost_requests;
	print_message("%llu asked, both ends: %llu count (%llu failed), %llu in lost records, %llu lost under way\n",
		      (unsigned long long)asked, (unsigned long long)n_done, (unsigned long long)n_failed,
		      (unsigned long long)(lost_in_ring() - before),
		      (unsigned long long)follower_counts(follower).lost_requests);
	follower_free(follower);
	*ret_done = n_done;
	return n_done + lost;
}

static void test_room(void **s)
{
	u64 done, all = connections(0, true, &done);

	assert_int_equal(all, 2 * asked);
	assert_int_equal(done, 2 * asked);
}

static void test_lost(void **s)
{
	u64 done, all = connections(12, false, &done);

	assert_int_equal(all, 2 * asked);
	assert_true(done > asked / 2 && done < 2 * asked);
}

/*
 * Frames cut by calls: never more than the number of requests; if a cut head is in a lost record,
 * its type is unknown.
 */
static void test_lost_in_parts(void **s)
{
	u64 done, all = connections(40, true, &done);

	assert_true(all <= 2 * asked);
	assert_true(all >= 2 * asked - 2 * asked / 10);
	assert_true(done > asked / 2 && done < 2 * asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_lost_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
