// SPDX-License-Identifier: GPL-2.0-or-later
/* Which two spans are the sides of one call: by connection, request and time; and when nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/links.h"

static struct session session = { .host_name = "h" };

/* Socket 10 is the client's, [::1]:5000, 20 the server's, [::1]:80; 11 and 21 are others. */
static const struct snapshot *snapshot(void)
{
	static const struct { u64 cookie, lport, rport; } all[] = {
		{ 10, 5000, 80 }, { 11, 5001, 80 }, { 20, 80, 5000 }, { 21, 80, 5001 },
	};
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, 1, NSEC_PER_SEC, 0, NSEC_PER_SEC);
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct connections_row *c = builder_row(b, TABLE_connections);

		c->cookie = all[i].cookie;
		c->row.closed = true;
		c->local_addr = str_new("::1");
		c->remote_addr = str_new("::1");
		c->local_port = all[i].lport;
		c->remote_port = all[i].rport;
	}
	builder_status(b, TABLE_connections, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

/* What the span `number` of such a request is linked to; 0: to nothing. */
static u32 take(struct otlp_links *l, const struct snapshot *s, u8 number, u64 cookie, const char *path,
		u64 start_ns, u64 duration_ns)
{
	bool client = cookie < 20;
	struct requests_row r = { .cookie = cookie, .side = client ? "client" : "server",
				  .peer = client ? "[::1]:80" : cookie == 20 ? "[::1]:5000" : "[::1]:5001",
				  .method = "GET", .path = path, .start_time_ns = start_ns,
				  .duration_ns = duration_ns };
	struct otlp_span_ids own = { .trace = { number }, .span = { number } }, other;

	if (!otlp_links_find(l, s, &r, &own, &other))
		return 0;
	assert_int_equal(other.trace[0], other.span[0]);
	return other.span[0];
}

static void two_sides(void **state)
{
	const struct snapshot *s = snapshot();
	struct otlp_links *l = otlp_links_new();

	(void)state;
	assert_int_equal(take(l, s, 1, 10, "/a", 1000, 500), 0);
	assert_int_equal(take(l, s, 2, 21, "/a", 1100, 300), 0);	/* another connection */
	assert_int_equal(take(l, s, 3, 20, "/b", 1100, 300), 0);	/* another request */
	assert_int_equal(take(l, s, 4, 20, "/a", 2100, 300), 0);	/* another time */
	assert_int_equal(take(l, s, 5, 10, "/a", 1000, 500), 0);	/* the same side */
	assert_int_equal(take(l, s, 6, 11, "/a", 1000, 500), 2);	/* the server came first */
	assert_int_equal(take(l, s, 7, 10, "/b", 1050, 500), 3);
	assert_int_equal(take(l, s, 8, 10, "/b", 1050, 500), 0);	/* that one has its own */
	assert_int_equal(take(l, s, 9, 99, "/a", 1000, 500), 0);	/* no such connection */
	otlp_links_free(l);
	snapshot_put(s);
}

static void which_of_two(void **state)
{
	const struct snapshot *s = snapshot();
	struct otlp_links *l = otlp_links_new();

	(void)state;
	/* one after the other; the clock of the server's side is a little late */
	assert_int_equal(take(l, s, 1, 20, "/a", 1020, 100), 0);
	assert_int_equal(take(l, s, 2, 20, "/a", 1130, 100), 0);
	assert_int_equal(take(l, s, 3, 10, "/a", 1110, 110), 2);
	assert_int_equal(take(l, s, 4, 10, "/a", 1000, 105), 1);
	/* streams side by side that ask for the same */
	assert_int_equal(take(l, s, 5, 20, "/a", 5000, 100), 0);
	assert_int_equal(take(l, s, 6, 20, "/a", 5010, 100), 0);
	assert_int_equal(take(l, s, 7, 10, "/a", 5000, 110), 0);
	otlp_links_free(l);
	snapshot_put(s);
}

/* The oldest go; what is new still finds its other side. */
static void many(void **state)
{
	const struct snapshot *s = snapshot();
	struct otlp_links *l = otlp_links_new();

	(void)state;
	for (u64 i = 0; i < 5000; i++)
		assert_int_equal(take(l, s, 1, 10, "/a", 1000 * i, 500), 0);
	assert_int_equal(take(l, s, 2, 20, "/a", 1000 * 10, 500), 0);
	assert_int_equal(take(l, s, 2, 20, "/a", 1000 * 4999, 500), 1);
	otlp_links_free(l);
	snapshot_put(s);
}

/* The request is told of when its connection is gone already. */
static void late_report(void **state)
{
	struct otlp_links *l = otlp_links_new();
	const struct snapshot *s = snapshot();
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *empty;

	(void)state;
	builder_time(b, 2, 2 * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	empty = builder_seal(b);
	otlp_links_tick(l, s);
	snapshot_put(s);
	otlp_links_tick(l, empty);
	assert_int_equal(take(l, empty, 1, 20, "/a", 1000, 500), 0);
	assert_int_equal(take(l, empty, 2, 10, "/a", 1000, 500), 1);
	otlp_links_free(l);
	snapshot_put(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sides),
		cmocka_unit_test(which_of_two),
		cmocka_unit_test(many),
		cmocka_unit_test(late_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
