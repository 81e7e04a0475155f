// SPDX-License-Identifier: GPL-2.0-or-later
/* Durations of requests until a report: buckets, keys, and what happens without room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/durations.h"

static struct exchange request(u32 tgid, bool server, u32 status, const char *path)
{
	struct exchange x = { .tgid = tgid, .process_start_ns = 7, .server = server, .status = status,
			      .method = "GET", .path = (char *)path };

	return x;
}

static u64 counted(const struct durations *d)
{
	const struct report_duration *all;
	u64 sum = 0;
	u32 n;

	all = durations_all(d, &n);
	for (u32 i = 0; i < n; i++)
		for (u32 k = 0; k < DURATION_BUCKETS; k++)
			sum += all[i].n[k];
	return sum;
}

/* A bucket has its upper bound, but not its lower one. */
static void buckets(void **state)
{
	static const u64 bounds_ms[] = { 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500,
					 10000 };
	struct durations *d = durations_new();
	struct exchange x = request(1, true, 200, "/");
	const struct report_duration *all;
	u64 sum = 0;
	u32 n;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bounds_ms); i++) {
		durations_add(d, &x, bounds_ms[i] * NSEC_PER_MSEC);
		durations_add(d, &x, bounds_ms[i] * NSEC_PER_MSEC + 1);
		sum += 2 * bounds_ms[i] * NSEC_PER_MSEC + 1;
	}
	all = durations_all(d, &n);
	assert_int_equal(n, 1);
	assert_int_equal(all[0].sum_ns, sum);
	assert_int_equal(all[0].n[0], 1);
	for (u32 k = 1; k < DURATION_BUCKETS - 1; k++)
		assert_int_equal(all[0].n[k], 2);
	assert_int_equal(all[0].n[DURATION_BUCKETS - 1], 1);
	durations_free(d);
}

static void what_tells_them_apart(void **state)
{
	struct exchange same = request(1, true, 200, "/a"), other[] = {
		request(2, true, 200, "/a"), request(1, false, 200, "/a"), request(1, true, 404, "/a"),
		request(1, true, 200, "/a"), request(1, true, 200, "/a"), request(1, true, 200, "/a"),
	};
	struct durations *d = durations_new();
	u32 n;

	(void)state;
	other[3].tls = true;
	other[4].process_start_ns++;
	strcpy(other[5].method, "PUT");
	durations_add(d, &same, 1);
	same.path = "/another/path";	/* the path of HTTP is not part of the key */
	same.has_peer = true;	/* nor is the peer of a server */
	same.remote_port = 9;
	durations_add(d, &same, 1);
	durations_all(d, &n);
	assert_int_equal(n, 1);
	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		durations_add(d, &other[i], 1);
		durations_all(d, &n);
		assert_int_equal(n, i + 2);
	}
	same.server = false;	/* the peer of a client is */
	durations_add(d, &same, 1);
	same.remote_port++;
	durations_add(d, &same, 1);
	same.protocol = PROTOCOL_grpc;	/* and of gRPC what is called */
	durations_add(d, &same, 1);
	same.path = "/pkg.Service/Other";
	durations_add(d, &same, 1);
	durations_all(d, &n);
	assert_int_equal(n, ARRAY_SIZE(other) + 5);
	durations_free(d);
}

/* Too many peers: further ones share one series, and nothing is lost. */
static void many_peers(void **state)
{
	struct durations *d = durations_new();
	struct exchange x = request(1, false, 200, "/");
	u32 n;

	(void)state;
	x.has_peer = true;
	for (u32 i = 0; i < 3 * REPORT_DURATIONS; i++) {
		x.remote_port = (u16)i;
		memcpy(x.remote, &i, sizeof(i));
		durations_add(d, &x, 1);
	}
	durations_all(d, &n);
	assert_int_equal(n, REPORT_DURATIONS / 2 + 1);
	assert_int_equal(counted(d), 3 * REPORT_DURATIONS);
	assert_int_equal(durations_lost(d), 0);
	durations_free(d);
}

/* Too many processes: what has no room is counted as that, and known ones go on. */
static void no_room(void **state)
{
	struct durations *d = durations_new();
	u32 n;

	(void)state;
	for (u32 i = 0; i < REPORT_DURATIONS + 100; i++) {
		struct exchange x = request(i + 1, true, 200, "/");

		durations_add(d, &x, 1);
	}
	durations_all(d, &n);
	assert_int_equal(n, REPORT_DURATIONS);
	assert_int_equal(durations_lost(d), 100);
	for (u32 i = 0; i < 10; i++) {
		struct exchange x = request(i + 1, true, 200, "/");

		durations_add(d, &x, 1);
	}
	assert_int_equal(counted(d), REPORT_DURATIONS + 10);
	assert_int_equal(durations_lost(d), 100);
	durations_clear(d);
	durations_all(d, &n);
	assert_int_equal(n, 0);
	assert_int_equal(durations_lost(d), 0);
	durations_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(what_tells_them_apart),
		cmocka_unit_test(many_peers),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
