// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of connections. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/collectors/connections/connections_events.h"
#include "bpf/collectors/connections/connections_late.h"
#include "bpf/collectors/connections/connections_table.h"
#include "bpf/host/events.h"
#include "bpf/kernel/probes.h"

static const struct session session;
static const struct scope everybody;

static struct wire_ends ends_to(u8 last, u16 port)
{
	struct wire_ends e = { .local = { 10, 0, 0, 1 }, .remote = { 10, 0, 0, last },
			       .lport = 1000, .rport = port };

	return e;
}

static struct conn *add(u64 cookie, u8 last, u16 port)
{
	struct wire_ends e = ends_to(last, port);
	bool is_new;
	struct conn *c = conn_get(cookie, 0, IPPROTO_UDP, 0, &e, 5, &is_new);

	assert_true(is_new);
	c->row->rx_bytes = c->row->tx_bytes = 0;
	return c;
}

/* One tick: the snapshot, which the caller puts back. */
static const struct snapshot *tick(const struct snapshot *prev, u64 now_ns, u32 *ret_hidden)
{
	struct tick t = { .now_ns = now_ns, .scope = &everybody, .prev_ns = prev ? prev->time_ns : 0 };
	u32 hidden;

	t.b = builder_new(prev, &session);
	builder_time(t.b, 1, now_ns, 0, 0);
	hidden = conn_rows(&t);
	if (ret_hidden)
		*ret_hidden = hidden;
	return builder_seal(t.b);
}

static const struct connections_row *row_at(const struct snapshot *s, u32 i)
{
	assert_true(i < s->tables[TABLE_connections].n);
	return (const struct connections_row *)s->tables[TABLE_connections].rows[i];
}

static void rows_are_in_order(void **state)
{
	const struct snapshot *s, *next;

	(void)state;
	add(9, 2, 80);
	add(3, 2, 80);
	add(9, 10, 80);
	add(9, 2, 53);
	s = tick(NULL, 1000, NULL);
	add(5, 2, 80);
	add(1, 2, 80);
	next = tick(s, 2000, NULL);
	assert_int_equal(s->tables[TABLE_connections].n, 4);
	assert_int_equal(next->tables[TABLE_connections].n, 6);
	for (u32 i = 1; i < 6; i++)
		assert_true(row_cmp_keys(&row_at(next, i - 1)->row, &row_at(next, i)->row) < 0);
	snapshot_put(s);
	snapshot_put(next);
	conn_clear();
}

static void a_sealed_row_does_not_change(void **state)
{
	struct conn *c = add(7, 2, 80);
	const struct snapshot *s = tick(NULL, 1000, NULL), *next;

	(void)state;
	conn_row(c)->rx_bytes = 4711;
	next = tick(s, 2000, NULL);
	assert_int_equal(row_at(s, 0)->rx_bytes, 0);
	assert_int_equal(row_at(next, 0)->rx_bytes, 4711);
	assert_string_equal(row_at(next, 0)->remote_addr, "10.0.0.2");
	snapshot_put(s);
	snapshot_put(next);
	conn_clear();
}

static void what_ended_is_told_once(void **state)
{
	struct conn *c = add(7, 2, 80);
	const struct snapshot *a = tick(NULL, 1000, NULL), *b, *d;
	struct wire_ends e = ends_to(2, 80);

	(void)state;
	conn_close(c, END_RESET, false, 1500);
	b = tick(a, 2000, NULL);
	d = tick(b, 3000, NULL);
	assert_true(row_at(b, 0)->row.closed);
	assert_string_equal(row_at(b, 0)->end_reason, "reset");
	assert_int_equal(d->tables[TABLE_connections].n, 0);
	assert_null(conn_find(7, 0, &e));
	snapshot_put(a);
	snapshot_put(b);
	snapshot_put(d);
	conn_clear();
}

/* A socket that connects again to the same peer, before and after its last row was read. */
static void each_connection_of_a_socket_has_its_row(void **state)
{
	struct wire_ends e = ends_to(2, 80);
	const struct snapshot *a, *b;
	bool is_new;

	(void)state;
	for (u32 g = 0; g < 3; g++) {
		struct conn *c = conn_get(7, g, IPPROTO_TCP, 0, &e, 5, &is_new);

		assert_true(is_new);
		c->row->tx_bytes = g;
		if (g < 2)
			conn_close(c, END_CLOSED, false, 9);
	}
	a = tick(NULL, 1000, NULL);
	assert_int_equal(a->tables[TABLE_connections].n, 3);
	for (u32 g = 0; g < 3; g++) {
		assert_int_equal(row_at(a, g)->generation, g);
		assert_int_equal(row_at(a, g)->tx_bytes, g);
	}
	/* the end of the third is in the ring still when a pass meets the fourth: both are there */
	assert_non_null(conn_get(7, 3, IPPROTO_TCP, 0, &e, 5, &is_new));
	assert_true(is_new);
	assert_int_equal(conn_find(7, 2, &e)->row->tx_bytes, 2);
	b = tick(a, 2000, NULL);
	assert_int_equal(b->tables[TABLE_connections].n, 2);
	assert_true(row_cmp_keys(&row_at(b, 0)->row, &row_at(b, 1)->row) < 0);
	snapshot_put(a);
	snapshot_put(b);
	conn_clear();
}

/* A connection ends once: what else is said of it is older, or said twice. */
static void what_ended_does_not_come_back(void **state)
{
	const struct wire_sock of_pass = { .cookie = 7, .generation = 1, .begun_ns = 100, .open_ns = 200 };
	struct wire_sock w = of_pass;

	(void)state;
	assert_false(conn_ended(&w));
	conn_note_end(&w, 1000);
	assert_true(conn_ended(&w));
	w.begun_ns = w.open_ns = 0;	/* read when the programs had its entry no more */
	assert_true(conn_ended(&w));
	w.generation = 2;		/* the socket's next connection */
	assert_false(conn_ended(&w));
	w = of_pass;
	w.cookie += 1024;		/* of the same place */
	assert_false(conn_ended(&w));
	w = of_pass;
	w.begun_ns = 1001;		/* a connect() that fails again: it has no number of its own */
	assert_false(conn_ended(&w));
	conn_clear();
	assert_false(conn_ended(&of_pass));
}

/* The age of a connection first seen at its end is unknown. */
static void an_age_that_nobody_saw_is_unknown(void **state)
{
	struct conn *c = add(7, 2, 80);	/* first seen at 5 */

	(void)state;
	conn_close(c, END_RESET, false, 5);
	assert_int_equal(c->row->age_ns, U64_UNKNOWN);
	c = add(8, 2, 80);
	conn_close(c, END_RESET, false, 9);
	assert_int_equal(c->row->age_ns, 4);
	c = add(9, 2, 80);
	c->begun_ns = 5;
	conn_close(c, END_RESET, false, 5);
	assert_int_equal(c->row->age_ns, 0);
	conn_clear();
}

/* The pass runs after the tick has begun. */
static void what_began_after_the_tick_has_no_age_yet(void **state)
{
	const struct snapshot *s;

	(void)state;
	add(7, 2, 80);	/* first seen at 5 */
	s = tick(NULL, 4, NULL);
	assert_int_equal(row_at(s, 0)->age_ns, 0);
	snapshot_put(s);
	conn_clear();
}

/* Started and ended early in a tick of 1 s: its rate is per second, not per its 2 ms. */
static void a_short_one_is_rated_over_the_tick(void **state)
{
	const u64 S = 1000000000, begun_ns = S + 1000000, end_ns = S + 3000000;
	const struct snapshot *a = tick(NULL, S, NULL), *b;
	struct wire_ends e = ends_to(2, 80);
	bool is_new;
	struct conn *c = conn_get(7, 0, IPPROTO_TCP, 0, &e, begun_ns, &is_new);

	(void)state;
	c->begun_ns = begun_ns;
	conn_row(c)->tx_bytes = 5000;
	conn_row(c)->rx_bytes = 0;
	conn_row(c)->tx_packets = 10;
	conn_row(c)->retransmits = 0;
	c->read_ns = end_ns;
	c->updated = true;
	conn_close(c, END_CLOSED, false, end_ns);
	b = tick(a, 2 * S, NULL);
	assert_int_equal(b->tables[TABLE_connections].n, 1);
	assert_float_equal(row_at(b, 0)->tx_rate, 5000, 0.5);
	assert_float_equal(row_at(b, 0)->segments_rate, 10, 0.01);
	assert_float_equal(row_at(b, 0)->rx_rate, 0, 0);
	snapshot_put(a);
	snapshot_put(b);
	conn_clear();
}

/* Closed ones are evicted first, and the evictions are counted. */
static void the_open_ones_stay(void **state)
{
	const struct snapshot *s;
	u64 unseen = conn_rows_dropped();
	u32 hidden, open = 0;

	(void)state;
	for (u32 i = 0; i < CONNS_KEPT + 100; i++) {
		struct conn *c = add(i + 1, 2, 80);

		if (i % 3 == 0)
			conn_close(c, END_CLOSED, false, 1);
	}
	s = tick(NULL, 1000, &hidden);
	assert_int_equal(hidden, 100);
	assert_int_equal(s->tables[TABLE_connections].n, CONNS_KEPT);
	for (u32 i = 0; i < CONNS_KEPT; i++)
		open += !row_at(s, i)->row.closed;
	assert_int_equal(open, CONNS_KEPT + 100 - (CONNS_KEPT + 100 + 2) / 3);
	assert_int_equal(conn_rows_dropped() - unseen, 100);
	snapshot_put(s);
	snapshot_put(tick(NULL, 2000, &hidden));
	assert_int_equal(hidden, 0);
	assert_int_equal(conn_rows_dropped() - unseen, 100);	/* they stay lost */
	conn_clear();
}

static void who_uses_it_beats_who_holds_it(void **state)
{
	struct conn *c = add(7, 2, 80);
	struct wire_owner user = { .tgid = 10, .start_ns = 1, .comm = "user" };
	struct wire_owner holder = { .tgid = 20, .start_ns = 2, .comm = "holder" };

	(void)state;
	conn_set_owner(c, &holder, false);
	assert_int_equal(c->row->pid, 20);
	conn_set_owner(c, &user, true);
	assert_int_equal(c->row->pid, 10);
	conn_set_owner(c, &holder, false);
	assert_int_equal(c->row->pid, 10);
	assert_string_equal(c->row->comm, "user");
	conn_set_owner(c, &(struct wire_owner){}, true);	/* nobody: changes nothing */
	assert_int_equal(c->row->pid, 10);
	conn_clear();
}

static void v6_addresses(void **state)
{
	struct wire_ends e = { .remote = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .rport = 443 };
	bool is_new;
	struct conn *c = conn_get(1, 0, IPPROTO_TCP, WS_V6, &e, 5, &is_new);

	(void)state;
	assert_string_equal(c->row->remote_addr, "2001:db8::1");
	assert_string_equal(c->row->local_addr, "*");
	assert_string_equal(c->row->family, "ipv6");
	conn_clear();
}

/* ---- ends without an owner ---- */

static u64 taken[4];		/* cookies */
static u32 owners[4], n_taken;

static void take(const struct wire_end *e)
{
	assert_true(n_taken < ARRAY_SIZE(taken));
	taken[n_taken] = e->sock.cookie;
	owners[n_taken++] = e->sock.owner.tgid;
}

static bool listens;

static bool knows_listener(const struct wire_ends *ends)
{
	(void)ends;
	return listens;
}

static void late_begin(void)
{
	n_taken = 0;
	listens = true;
	late_open(take, take, knows_listener);
}

static void keep(u64 cookie, u64 time_ns)
{
	late_keep(&(struct wire_end){ .sock.cookie = cookie, .time_ns = time_ns });
}

static void an_owner_comes_after_the_end(void **state)
{
	const struct wire_owner o = { .tgid = 10 }, nobody = {};

	(void)state;
	late_begin();
	keep(7, 1000);
	keep(8, 1000);
	assert_int_equal(n_taken, 0);
	late_owner(9, &o);
	late_owner(7 + (1 << 20), &o);	/* the same place, but not the same */
	late_owner(0, &o);
	assert_int_equal(n_taken, 0);
	late_owner(8, &o);
	late_owner(7, &nobody);
	late_owner(7, &o);	/* it is there no more */
	assert_int_equal(n_taken, 2);
	assert_int_equal(taken[0], 8);
	assert_int_equal(owners[0], 10);
	assert_int_equal(taken[1], 7);
	assert_int_equal(owners[1], 0);
	late_close();
}

/* Nobody is said to be the owner before a pass could find who listens. */
static void an_end_without_an_owner_waits_for_a_pass(void **state)
{
	const struct wire_owner nobody = {}, o = { .tgid = 10 };

	(void)state;
	late_begin();
	listens = false;
	keep(7, 1000);
	keep(8, 1000);
	late_owner(7, &nobody);
	late_owner(8, &o);
	assert_int_equal(n_taken, 1);
	assert_int_equal(taken[0], 8);
	late_sweep(1001 + LATE_NS);
	assert_int_equal(n_taken, 2);
	assert_int_equal(taken[1], 7);
	late_close();
}

static void an_owner_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	late_begin();
	keep(7, 1000);
	keep(7 + (1 << 20), 2000);	/* no room: this one is dropped */
	assert_int_equal(n_taken, 1);
	assert_int_equal(taken[0], 7 + (1 << 20));
	late_sweep(999);
	late_sweep(1000 + LATE_NS);
	assert_int_equal(n_taken, 1);
	late_sweep(1001 + LATE_NS);
	assert_int_equal(n_taken, 2);
	assert_int_equal(taken[1], 7);
	late_sweep(9000 + LATE_NS);
	keep(8, 1000);
	late_close();		/* the view is left */
	late_sweep(9000 + LATE_NS);
	assert_int_equal(n_taken, 2);
}

/* ---- bounds ---- */

/* The sender of datagrams chooses the peers: these are as alike as XOR and shift can make them. */
static void peers_do_not_meet_in_one_bucket(void **state)
{
	(void)state;
	for (u64 i = 1; i <= 20000; i++) {
		struct wire_ends e = { .rport = 53 };
		u64 h[2] = { i << 7, i };
		bool is_new;

		memcpy(e.remote, h, sizeof(h));
		assert_non_null(conn_get(1, 0, IPPROTO_UDP, WS_V6, &e, 5, &is_new));
	}
	assert_true(conn_longest() < 40);
	conn_clear();
}

static void the_table_has_an_end(void **state)
{
	struct wire_ends e = { .rport = 53 };
	u64 before = conn_refused();
	bool is_new;

	(void)state;
	for (u32 i = 1; i <= CONNS_MAX + 10; i++) {
		memcpy(e.remote, &i, sizeof(i));
		assert_int_equal(conn_get(1, 0, IPPROTO_UDP, 0, &e, 5, &is_new) != NULL, i <= CONNS_MAX);
	}
	assert_int_equal(conn_count(), CONNS_MAX);
	assert_int_equal(conn_refused() - before, 10);
	memset(e.remote, 0, sizeof(e.remote));
	e.remote[0] = 1;	/* the first one: what is known goes on */
	assert_non_null(conn_get(1, 0, IPPROTO_UDP, 0, &e, 6, &is_new));
	assert_false(is_new);
	conn_clear();
}

static u64 rss_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long long size, rss;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu %llu", &size, &rss), 2);
	fclose(f);
	return rss;
}

/* After many have ended their memory is returned to the kernel, even with live blocks above it. */
static void memory_is_given_back(void **state)
{
	const struct snapshot *s, *next;
	u64 full, after;
	void *above;

	(void)state;
	for (u32 i = 0; i < CONNS_KEPT; i++)
		add(i + 1, 2, 80);
	s = tick(NULL, 1000, NULL);
	above = xmalloc(64);
	full = rss_pages();
	for (u32 i = 0; i < CONNS_KEPT; i++) {
		struct wire_ends e = ends_to(2, 80);

		conn_close(conn_find(i + 1, 0, &e), END_CLOSED, false, 1);
	}
	for (u32 i = 0; i < CONNS_TRIM_TICKS + 2; i++, s = next) {
		next = tick(s, 2000 + i, NULL);
		snapshot_put(s);
	}
	after = rss_pages();
	snapshot_put(s);
	free(above);
	conn_clear();
#ifndef __SANITIZE_ADDRESS__	/* which keeps what is freed */
	assert_true(after < full - full / 2);
#endif
	(void)full, (void)after;
}

/* An event that is not listed still has its row in the table of connections: it is not lost. */
static void unlisted_events_are_not_lost(void **state)
{
	static const struct wire_owner nobody;
	struct conn *c = add(1, 1, 443);
	u64 lost = loss_total();
	const struct table *events;
	const struct snapshot *s;
	struct builder *b;

	conn_events_begin(NULL);
	for (u32 i = 0; i < 10003; i++)
		conn_event(c, "connect", i, &nobody);
	conn_event(c, "fail", 1, &nobody);	/* failures are always listed */
	b = builder_new(NULL, NULL);
	events_rows(b, NSEC_PER_SEC);
	s = builder_seal(b);
	events = &s->tables[TABLE_events];
	assert_int_equal(events->n, 10001);
	assert_int_equal(events->status, TS_PARTIAL);
	assert_string_equal(events->reason,
			    "3 connection events more than are listed: their connections are in 5");
	snapshot_put(s);
	conn_events_begin(NULL);
	b = builder_new(NULL, NULL);
	events_rows(b, NSEC_PER_SEC);
	s = builder_seal(b);
	assert_int_equal(s->tables[TABLE_events].status, TS_OK);
	snapshot_put(s);
	assert_int_equal(loss_total(), lost);
	events_clear();
	conn_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unlisted_events_are_not_lost),
		cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(a_sealed_row_does_not_change),
		cmocka_unit_test(what_ended_is_told_once),
		cmocka_unit_test(each_connection_of_a_socket_has_its_row),
		cmocka_unit_test(what_ended_does_not_come_back),
		cmocka_unit_test(an_age_that_nobody_saw_is_unknown),
		cmocka_unit_test(what_began_after_the_tick_has_no_age_yet),
		cmocka_unit_test(a_short_one_is_rated_over_the_tick),
		cmocka_unit_test(the_open_ones_stay),
		cmocka_unit_test(who_uses_it_beats_who_holds_it),
		cmocka_unit_test(v6_addresses),
		cmocka_unit_test(an_owner_comes_after_the_end),
		cmocka_unit_test(an_end_without_an_owner_waits_for_a_pass),
		cmocka_unit_test(an_owner_is_not_waited_for_for_ever),
		cmocka_unit_test(peers_do_not_meet_in_one_bucket),
		cmocka_unit_test(the_table_has_an_end),
		cmocka_unit_test(memory_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
