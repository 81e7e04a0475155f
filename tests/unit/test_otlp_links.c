// SPDX-License-Identifier: GPL-2.0-or-later
/* Matching the two spans of a call by connection, request and time, and ambiguous cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/otlp/links.h"

/* The span `number` of such a request; what it is linked to, 0: to nothing. */
static u32 take_of(struct otlp_links *l, u8 number, bool client, const char *local, const char *peer, const char *path,
		   u64 start_ns, u64 duration_ns)
{
	struct requests_row r = { .side = client ? "client" : "server", .local = local, .peer = peer, .method = "GET",
				  .path = path, .start_time_ns = start_ns, .duration_ns = duration_ns };
	struct otlp_span_ids own = { .trace = { number }, .span = { number } }, other;

	if (!otlp_links_find(l, &r, &own, &other))
		return 0;
	assert_int_equal(other.trace[0], other.span[0]);
	return other.span[0];
}

/* Socket 10 is the client's, [::1]:5000, 20 the server's, [::1]:80; 11 and 21 are others. */
static u32 take(struct otlp_links *l, u8 number, u64 socket, const char *path, u64 start_ns, u64 duration_ns)
{
	const char *client = socket % 10 ? "[::1]:5001" : "[::1]:5000", *server = "[::1]:80";
	bool is_client = socket < 20;

	return take_of(l, number, is_client, is_client ? client : server, is_client ? server : client, path, start_ns,
		       duration_ns);
}

static void two_sides(void **state)
{
	struct otlp_links *l = otlp_links_new();

	(void)state;
	assert_int_equal(take(l, 1, 10, "/a", 1000, 500), 0);
	assert_int_equal(take(l, 2, 21, "/a", 1100, 300), 0);	/* another connection */
	assert_int_equal(take(l, 3, 20, "/b", 1100, 300), 0);	/* another request */
	assert_int_equal(take(l, 4, 20, "/a", 2100, 300), 0);	/* another time */
	assert_int_equal(take(l, 5, 10, "/a", 1000, 500), 0);	/* the same side */
	assert_int_equal(take(l, 6, 11, "/a", 1000, 500), 2);	/* the server came first */
	assert_int_equal(take(l, 7, 10, "/b", 1050, 500), 3);
	assert_int_equal(take(l, 8, 10, "/b", 1050, 500), 0);	/* that one has its own */
	assert_int_equal(take_of(l, 9, false, NULL, NULL, "/a", 1000, 500), 0);	/* its connection is not known */
	otlp_links_free(l);
}

static void which_of_two(void **state)
{
	struct otlp_links *l = otlp_links_new();

	(void)state;
	/* one after the other; the clock of the server's side is a little late */
	assert_int_equal(take(l, 1, 20, "/a", 1020, 100), 0);
	assert_int_equal(take(l, 2, 20, "/a", 1130, 100), 0);
	assert_int_equal(take(l, 3, 10, "/a", 1110, 110), 2);
	assert_int_equal(take(l, 4, 10, "/a", 1000, 105), 1);
	/* streams side by side that ask for the same */
	assert_int_equal(take(l, 5, 20, "/a", 5000, 100), 0);
	assert_int_equal(take(l, 6, 20, "/a", 5010, 100), 0);
	assert_int_equal(take(l, 7, 10, "/a", 5000, 110), 0);
	otlp_links_free(l);
}

/* The oldest are evicted; new ones are still matched. */
static void many(void **state)
{
	struct otlp_links *l = otlp_links_new();

	(void)state;
	for (u64 i = 0; i < 5000; i++)
		assert_int_equal(take(l, 1, 10, "/a", 1000 * i, 500), 0);
	assert_int_equal(take(l, 2, 20, "/a", 1000 * 10, 500), 0);
	assert_int_equal(take(l, 2, 20, "/a", 1000 * 4999, 500), 1);
	otlp_links_free(l);
}

/* Many pending spans in a short time: the capacity grows. */
static void many_at_once(void **state)
{
	struct otlp_links *l = otlp_links_new();
	char client[32];
	u32 found = 0;

	(void)state;
	for (u32 round = 0; round < 2; round++) {
		for (u64 i = 0; i < 6000; i++) {
			snprintf(client, sizeof(client), "[::1]:%u", 1 + (u32)i);
			take_of(l, 1, true, client, "[::1]:80", "/a", round * NSEC_PER_SEC + 1000 * i, 500);
		}
		found = 0;
		for (u64 i = 0; i < 6000; i++) {
			snprintf(client, sizeof(client), "[::1]:%u", 1 + (u32)i);
			found += take_of(l, 2, false, "[::1]:80", client, "/a", round * NSEC_PER_SEC + 1000 * i, 500) == 1;
		}
	}
	assert_int_equal(found, 6000);	/* of the second; in the first room is made */
	otlp_links_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sides),
		cmocka_unit_test(which_of_two),
		cmocka_unit_test(many),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
