// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_net.c: what tab 5 computes: ends, ports, a row's history, groups, the worst peer, kept
 * events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "bpf/host/events.h"
#include "bpf/record/history.h"
#include "bpf/helpers/resolver.h"
#include "bpf/model/snapshot_build.h"
#include "tui/app/app_state.h"
#include "tests/unit/patience.h"
#include "tui/views/net.h"

enum {
	N_SERVICES = 0
#define SERVICE(port, name) + 1
#include "tui/views/services.def"
};

static const struct session session = { .host_name = "test" };

static const struct connections_row *add(struct builder *b, u64 cookie, const char *addr, u64 port)
{
	struct connections_row *r = builder_row(b, TABLE_connections);

	r->row.first_seen_ns = NSEC_PER_SEC;
	r->cookie = cookie;
	r->remote_addr = str_new(addr);
	r->remote_port = port;
	r->local_port = 40000;
	r->pid = 7;
	r->start_time_ns = 1;
	r->comm = str_new("seven");
	r->direction = str_new("opened");
	return r;
}

static struct builder *tick(const struct snapshot *prev, u64 seq, u64 time_ns, u64 interval_ns)
{
	struct builder *b = builder_new(prev, &session);

	builder_time(b, seq, time_ns, 0, interval_ns);
	builder_status(b, TABLE_connections, TS_OK, NULL, interval_ns);
	return b;
}

/* ---- ends and numbers --------------------------------------------------------------- */

static void ends(void **state)
{
	char buf[NET_END_MAX];

	assert_string_equal(net_address(buf, "10.0.0.7", 8443), "10.0.0.7:8443");
	assert_string_equal(net_address(buf, "2001:db8::1", 443), "[2001:db8::1]:443");
	assert_string_equal(net_address(buf, "2001:db8::1", U64_BLANK), "2001:db8::1");
	assert_string_equal(net_address(buf, "", 0), "*");
	assert_string_equal(net_address(buf, "", 53), "*:53");
	assert_string_equal(net_address(buf, NULL, U64_UNKNOWN), "?:?");
}

/* The column width is computed without formatting the text: both must agree. */
static void columns_of_ends(void **state)
{
	static const u64 ports[] = { 1, 9, 10, 99, 100, 999, 1000, 9999, 10000, 65535, U64_BLANK, U64_UNKNOWN };
	static const char *const addrs[] = { "10.0.0.7", "2001:db8::1", "", "::1" };
	char buf[NET_END_MAX];

	for (u32 a = 0; a < ARRAY_SIZE(addrs); a++) {
		for (u32 p = 0; p < ARRAY_SIZE(ports); p++) {
			int cols = net_address_cols(addrs[a], ports[p]);

			net_address(buf, addrs[a], ports[p]);
			assert_true(cols >= (int)strlen(buf) && cols <= (int)strlen(buf) + 2);
		}
	}
}

static void services(void **state)
{
	u32 named = 0;

	assert_string_equal(net_service(22), "ssh");
	assert_string_equal(net_service(443), "https");
	assert_string_equal(net_service(51820), "wireguard");
	assert_string_equal(net_service(20), "ftp-data");
	assert_null(net_service(1));
	assert_null(net_service(65535));
	assert_null(net_service(U64_UNKNOWN));
	/* every line of the table is found: it is in order */
	for (u64 port = 0; port < 65536; port++)
		named += net_service(port) != NULL;
	assert_int_equal(named, N_SERVICES);
}

static void round_trips(void **state)
{
	static const struct { double ns; const char *text; } all[] = {
		{ 500, "0.5us" }, { 9940, "9.9us" }, { 24000, "24us" }, { 212000, "212us" }, { 999400, "999us" },
		{ 999600, "1.0ms" }, { 9.94e6, "9.9ms" }, { 18e6, "18ms" }, { 214e6, "214ms" }, { 1.31e9, "1.31s" },
		{ 130e9, "2m10s" },
	};
	char buf[FORMAT_MAX];

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		assert_string_equal(net_rtt(buf, all[i].ns), all[i].text);
		assert_true(strlen(buf) <= 5);
	}
}

static void lossy(void **state)
{
	struct connections_row r = { .segments_rate = 100, .retransmit_rate = 1 };

	assert_false(net_is_lossy(&r.row));	/* one percent is not more than one */
	r.retransmit_rate = 1.5f;
	assert_true(net_is_lossy(&r.row));
	r.segments_rate = F32_UNKNOWN;
	assert_false(net_is_lossy(&r.row));
	assert_true(isnan(net_retransmit_pct(1, F32_UNKNOWN)));
	assert_true(net_retransmit_pct(0, 0) == 0);
	assert_true(net_has_failed("reset") && !net_has_failed("closed") && !net_has_failed("") && !net_has_failed(NULL));
}

/* ---- the past of a row ---------------------------------------------------------------- */

#define TICKS 200

/* Two flows of one socket: the same cookie, another peer. */
static struct history *make_history(const struct snapshot **ret_last)
{
	struct history *h = history_new(8 << 20);
	const struct snapshot *prev = NULL;

	for (u32 i = 1; i <= TICKS; i++) {
		struct builder *b = tick(prev, i, i * NSEC_PER_SEC, NSEC_PER_SEC);
		struct connections_row *r = (struct connections_row *)add(b, 5, "10.0.0.1", 53);

		r->tx_rate = (float)i;
		r->cwnd = i <= 150 ? 42 : 4;
		r = (struct connections_row *)add(b, 5, "10.0.0.2", 53);
		r->tx_rate = 1000;
		snapshot_put(prev);
		prev = builder_seal(b);
		history_append(h, prev);
	}
	*ret_last = prev;
	return h;
}

static const char *const members[] = { "tx_rate", "cwnd", NULL };

static void past_of_a_row(void **state)
{
	const struct snapshot *last;
	struct history *h = make_history(&last);
	const struct row *row = last->tables[TABLE_connections].rows[0];
	const struct row *other = last->tables[TABLE_connections].rows[1];
	struct past p = { 0 };
	float low, high;
	int more = 0, lane;

	assert_string_equal(connections_row(row)->remote_addr, "10.0.0.1");
	past_update(&p, h, last, TABLE_connections, members, &row, 1);
	while (past_more(&p, h))
		assert_true(more++ < TICKS);
	lane = past_find(&p, row);
	assert_int_equal(lane, 0);
	assert_int_equal(p.n, TICKS);
	for (int i = 0; i < TICKS; i++)
		assert_true(p.lanes[0]->values[0][i] == (float)(i + 1));
	assert_true(past_range(&p, lane, 1, &low, &high));
	assert_true(low == 4 && high == 42);
	/* the other flow of the same socket is another row */
	assert_int_equal(past_find(&p, other), -1);
	past_update(&p, h, last, TABLE_connections, members, &other, 1);
	assert_true(p.lanes[0]->values[0][p.n - 1] == 1000);
	past_free(&p);
	snapshot_put(last);
	history_free(h);
}

/* In 30 cells of 10 s a value stands where it was, and what was not observed is blank. */
static void past_as_sparkline(void **state)
{
	struct canvas *c = canvas_new(1, 30, false, false);
	const struct snapshot *last;
	struct history *h = make_history(&last);
	const struct row *row = last->tables[TABLE_connections].rows[0];
	struct past p = { 0 };

	past_update(&p, h, last, TABLE_connections, members, &row, 1);
	while (past_more(&p, h))
		;
	assert_true(past_spark(&p, 0, 1, c, 0, 0, 30, 0, 0) == 42);
	assert_int_equal(canvas_cell(c, 0, 0)->ch, ' ');	/* 300 s ago: before it began */
	assert_int_equal(canvas_cell(c, 0, 15)->ch, 0x2588);	/* 42 */
	assert_int_equal(canvas_cell(c, 0, 29)->ch, 0x2581);	/* 4 of 42 */
	past_free(&p);
	canvas_free(c);
	snapshot_put(last);
	history_free(h);
}

/* The next tick is appended; after a jump back everything is as it was then. */
static void past_follows(void **state)
{
	const struct snapshot *last, *old;
	struct history *h = make_history(&last);
	const struct row *row = last->tables[TABLE_connections].rows[0];
	struct past p = { 0 };
	u64 seq = last->seq;

	old = history_snapshot(h, 99);
	past_update(&p, h, old, TABLE_connections, members, &row, 1);
	while (past_more(&p, h))
		;
	assert_int_equal(p.n, 100);
	assert_true(p.lanes[0]->values[0][99] == 100);
	snapshot_put(old);
	old = history_snapshot(h, 100);
	past_update(&p, h, old, TABLE_connections, members, &row, 1);
	assert_int_equal(p.n, 101);
	assert_true(p.lanes[0]->values[0][100] == 101 && p.seq + 99 == seq);
	snapshot_put(old);
	past_free(&p);
	snapshot_put(last);
	history_free(h);
}

/* One more row: the others keep their history, the new one has none. */
static void past_of_more_rows(void **state)
{
	const struct snapshot *last;
	struct history *h = make_history(&last);
	const struct row *const *both = last->tables[TABLE_connections].rows;
	const struct row *turned[] = { both[1], both[0] };
	struct past p = { 0 };

	past_update(&p, h, last, TABLE_connections, members, both, 1);
	while (past_more(&p, h))
		;
	past_update(&p, h, last, TABLE_connections, members, turned, 2);
	assert_int_equal(p.n_lanes, 2);
	assert_int_equal(p.n, TICKS);
	assert_int_equal(past_find(&p, both[0]), 1);
	assert_true(p.lanes[0]->values[0][TICKS - 1] == 1000);
	assert_true(p.lanes[1]->values[0][TICKS - 1] == TICKS);
	assert_true(isnan(p.lanes[0]->values[0][TICKS - 2]));
	past_update(&p, h, last, TABLE_connections, members, turned, 1);
	assert_int_equal(p.n_lanes, 1);
	assert_int_equal(past_find(&p, both[0]), -1);
	past_free(&p);
	snapshot_put(last);
	history_free(h);
}

/* ---- groups ------------------------------------------------------------------------------ */

static const struct snapshot *a_few(void)
{
	struct builder *b = tick(NULL, 1, 2 * NSEC_PER_SEC, NSEC_PER_SEC);
	struct connections_row *r;

	for (u32 i = 0; i < 100; i++) {
		r = (struct connections_row *)add(b, i + 1, i < 40 ? "10.0.0.1" : "10.0.0.2", i % 2 ? 443 : 80);
		r->rx_rate = 10;
		r->tx_rate = i == 3 ? F32_UNKNOWN : 1;
		r->srtt_ns = (i + 1) * 1000;
		r->segments_rate = 10;
		r->retransmit_rate = i < 40 ? 0.2f : 0.01f;
		r->row.closed = i == 99;
		if (i >= 90) {		/* another start: another process, though the number is the same */
			r->start_time_ns = 2;
		}
	}
	return builder_seal(b);
}

static u32 group(struct groups *g, const struct snapshot *s, const char *title, struct table_row rows[128])
{
	const struct table *t = &s->tables[TABLE_connections];
	u32 by = 0;

	while (strcmp(connections_groupings[by].title, title))
		by++;
	for (u32 i = 0; i < t->n; i++)
		rows[i] = (struct table_row){ .row = t->rows[i] };
	return groups_make(g, &connections_groupings[by], rows, t->n);
}

static void groups_add_up(void **state)
{
	struct groups g = { 0 };
	const struct snapshot *s = a_few();
	const struct row *const *all = s->tables[TABLE_connections].rows;
	struct table_row rows[128];
	const struct connections_row *first, *again;

	assert_int_equal(group(&g, s, "remote", rows), 2);
	assert_int_equal(g.members, 99);
	first = connections_row(rows[0].row);
	assert_true(rows[0].row->sum);
	assert_string_equal(first->remote_addr, "10.0.0.1");
	assert_false(u64_known(first->cookie));
	assert_true(first->rx_rate == 400 && first->tx_rate == 39);
	assert_int_equal(group_p50(rows[0].row), 20000);
	assert_int_equal(group_p99(rows[0].row), 39000);
	assert_true(fabsf(net_retransmit_pct(first->retransmit_rate, first->segments_rate) - 2) < 0.01f);
	assert_true(group_has(rows[0].row, all[0]));
	assert_false(group_has(rows[1].row, all[0]));
	/* the next tick has the same rows: what a cursor holds on to stays */
	assert_int_equal(group(&g, s, "remote", rows), 2);
	again = connections_row(rows[0].row);
	assert_ptr_equal(first, again);
	assert_int_equal(group(&g, s, "port", rows), 2);
	assert_int_equal(group(&g, s, "process", rows), 2);	/* pid 7 twice: reused */
	assert_int_equal(group(&g, s, "container", rows), 1);
	groups_free(&g);
	assert_false(all[0]->sum);
	snapshot_put(s);
}

static void worst_peer(void **state)
{
	struct app_config config = { .session = &session, .interval_ns = NSEC_PER_SEC };
	struct app *a = app_new(&config, 24, 80);
	char text[128] = "";

	assert_false(app_note_peers(a, text, sizeof(text), "5"));
	app_tick(a, a_few());
	assert_true(app_note_peers(a, text, sizeof(text), "5"));
	assert_string_equal(text, "10.0.0.1: 2.0 % of segments sent again · 5");
	app_free(a);
}

/* ---- events: what is kept ------------------------------------------------------------------- */

static void events_of_each_class(void **state)
{
	const struct snapshot *s;
	struct builder *b;
	u32 n[3] = { 0 };

	events_new("exec", 1);
	events_new("fail", 2)->end_reason = str_new("refused");
	events_new("close", 3)->end_reason = str_new("reset");
	b = tick(NULL, 1, NSEC_PER_SEC, NSEC_PER_SEC);
	events_rows(b, NSEC_PER_SEC);
	snapshot_put(builder_seal(b));
	for (u32 i = 0; i < EVENTS_KEPT * 3; i++)
		events_new(i % 2 ? "connect" : "close", 10 + i)->end_reason = str_new(i % 2 ? "" : "closed");
	b = tick(NULL, 2, 2 * NSEC_PER_SEC, NSEC_PER_SEC);
	events_rows(b, NSEC_PER_SEC);		/* a burst is handed over whole */
	s = builder_seal(b);
	assert_int_equal(s->tables[TABLE_events].n, EVENTS_KEPT * 3 + 3);
	snapshot_put(s);
	b = tick(NULL, 3, 3 * NSEC_PER_SEC, NSEC_PER_SEC);
	events_rows(b, NSEC_PER_SEC);
	s = builder_seal(b);
	for (u32 i = 0; i < s->tables[TABLE_events].n; i++) {
		const struct events_row *e = (const struct events_row *)s->tables[TABLE_events].rows[i];

		n[!strcmp(e->kind, "exec") ? 0 : net_has_failed(e->end_reason) ? 1 : 2]++;
	}
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 2);
	assert_int_equal(n[2], EVENTS_KEPT);
	snapshot_put(s);
	events_clear();
}

/* ---- the resolver without its process ------------------------------------------------------- */

static void count(void *arg, const char *addr, const char *name, const char *reason)
{
	++*(u32 *)arg;
}

static void count_ended(void *arg, const char *addr, const char *name, const char *reason)
{
	*(u32 *)arg += name || reason;
}

static void nobody_to_ask(void **state)
{
	u32 n = 0;

	assert_false(resolver_runs());
	resolver_ask("10.0.0.7");
	resolver_step(boottime_ns());
	resolver_each(count, &n);
	assert_int_equal(n, 0);
	resolver_stop();
}

/* A text that is no address gets a reason; every request is eventually answered. */
static void an_end_for_each(void **state)
{
	u64 until = boottime_ns() + PATIENCE_S * NSEC_PER_SEC;
	u32 n = 0;

	assert_int_equal(resolver_start(), 0);
	resolver_ask("no address at all");
	resolver_ask("no address at all");
	resolver_ask("");
	resolver_ask("an.address.that.is.longer.than.any.address.can.ever.be.in.this.world");
	resolver_each(count, &n);
	assert_int_equal(n, 1);
	while (boottime_ns() < until && resolver_fd() >= 0) {
		u32 ended = 0;

		resolver_step(boottime_ns());
		resolver_each(count_ended, &ended);
		if (ended == 1)
			break;
		usleep(10000);
	}
	assert_true(boottime_ns() < until);
	resolver_stop();
	assert_false(resolver_runs());
}

/* User ids use the same mechanism, are no rows of the table names, and have a version. */
static void names_of_users(void **state)
{
	u64 until = boottime_ns() + PATIENCE_S * NSEC_PER_SEC;
	u32 before = resolver_users_version(), n = 0;
	char name[64] = "";

	assert_false(resolver_user(0, name, sizeof(name)));
	assert_int_equal(resolver_start(), 0);
	assert_false(resolver_user(0, name, sizeof(name)));	/* asked for, not waited for */
	assert_false(resolver_user(4011223344u, name, sizeof(name)));
	while (boottime_ns() < until && resolver_users_version() != before + 2) {
		usleep(10000);
		resolver_step(boottime_ns());
	}
	assert_int_equal(resolver_users_version(), before + 2);	/* both, "none" is an answer too */
#ifndef __SANITIZE_ADDRESS__	/* there the weak getpwuid_r is not found: as in a static build */
	assert_true(resolver_user(0, name, sizeof(name)));
	assert_string_equal(name, "root");
#endif
	assert_false(resolver_user(4011223344u, name, sizeof(name)));
	resolver_each(count, &n);
	assert_int_equal(n, 0);
	resolver_stop();
	assert_false(resolver_user(0, name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends), cmocka_unit_test(columns_of_ends), cmocka_unit_test(services),
		cmocka_unit_test(round_trips), cmocka_unit_test(lossy), cmocka_unit_test(past_of_a_row),
		cmocka_unit_test(past_as_sparkline), cmocka_unit_test(past_follows), cmocka_unit_test(past_of_more_rows),
		cmocka_unit_test(groups_add_up),
		cmocka_unit_test(worst_peer), cmocka_unit_test(events_of_each_class), cmocka_unit_test(nobody_to_ask),
		cmocka_unit_test(an_end_for_each),
		cmocka_unit_test(names_of_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
