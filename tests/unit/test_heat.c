// SPDX-License-Identifier: GPL-2.0-or-later
/* test_heat.c: columns of a heat map are exact, cached and filtered; the calls in its cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"
#include "tui/engines/heat.h"

#define T0 (100 * NSEC_PER_SEC)

static const struct session session = { .host_name = "test" };

struct calls {
	u64 pid, nr, waits, ns;
	u32 n;
};

/* One row for each of `calls`: n calls of ns each; its total grows from tick to tick. */
static void add_row(struct builder *b, const struct calls *c, u64 seq)
{
	struct syscalls_row *r = builder_row(b, TABLE_syscalls);
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));

	for (u32 i = 0; i < c->n; i++)
		hist_acc_value(acc, c->ns);
	r->pid = c->pid;
	r->start_time_ns = c->pid * 7;
	r->nr = c->nr;
	r->abi = str_new("x86_64");
	r->comm = str_new("work");
	r->syscall = str_new(c->nr ? "write" : "read");
	r->waits = c->waits;
	r->hist_tick = hist_seal(acc);
	for (u64 k = 1; k < seq; k++)
		for (u32 i = 0; i < c->n; i++)
			hist_acc_value(acc, c->ns);
	r->hist = hist_seal(acc);
	r->count = seq * c->n;
	free(acc);
}

static const struct snapshot *tick(struct history *h, const struct snapshot *prev, u64 seq,
				   const struct calls *calls, u32 n)
{
	struct builder *b = builder_new(prev, &session);
	const struct snapshot *s;

	builder_time(b, seq, T0 + seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	for (u32 i = 0; i < n; i++)
		add_row(b, &calls[i], seq);
	builder_status(b, TABLE_syscalls, n ? TS_OK : TS_OFF, NULL, NSEC_PER_SEC);
	s = builder_seal(b);
	history_append(h, s);
	snapshot_put(prev);
	return s;
}

static const struct calls busy[] = {
	{ .pid = 10, .nr = 0, .ns = 1000, .n = 50 },
	{ .pid = 10, .nr = 1, .ns = 3000000, .n = 4 },
	{ .pid = 20, .nr = 0, .ns = 3000000, .n = 2 },
	{ .pid = 20, .nr = 7, .ns = 900000000, .n = 1, .waits = 1 },
};

static struct history *busy_history(u64 ticks)
{
	struct history *h = history_new(1 << 20);
	const struct snapshot *s = NULL;

	for (u64 seq = 1; seq <= ticks; seq++)
		s = tick(h, s, seq, busy, ARRAY_SIZE(busy));
	snapshot_put(s);
	return h;
}

static void columns_are_exact(void **state)
{
	struct history *h = busy_history(5);
	struct heat m = { .filter.source = &heat_of_syscalls };
	int ms3 = hist_bucket(3000000);

	(void)state;
	assert_true(heat_need(&m, h, NULL, 0, 4, 0));
	assert_int_equal(m.n, 5);
	for (u64 seq = 1; seq <= 5; seq++) {
		const struct heat_column *col = heat_find(&m, seq);

		assert_non_null(col);
		assert_int_equal(heat_count(col, HEAT_ZERO, HIST_BUCKETS), 56);
		assert_int_equal(heat_count(col, ms3, ms3 + 1), 6);
		assert_int_equal(heat_count(col, ms3 + 1, HIST_BUCKETS), 0);
		assert_int_equal(heat_highest(col), ms3);
	}
	assert_null(heat_find(&m, 6));
	heat_free(&m);
	history_free(h);
}

static void columns_are_computed_once(void **state)
{
	struct history *h = busy_history(6);
	struct heat m = { .filter.source = &heat_of_syscalls };
	const struct hist *before;

	(void)state;
	heat_need(&m, h, NULL, 2, 3, 0);
	assert_int_equal(m.n, 2);
	before = heat_find(&m, 3)->hist;
	heat_need(&m, h, NULL, 0, 5, 0);
	assert_int_equal(m.n, 6);
	assert_ptr_equal(heat_find(&m, 3)->hist, before);
	heat_free(&m);
	history_free(h);
}

static u64 count_with(struct history *h, const struct heat_filter *f)
{
	struct heat m = { .filter.source = &heat_of_syscalls };
	u64 n;

	heat_set_filter(&m, f);
	heat_need(&m, h, NULL, 0, 0, 0);
	n = heat_count(&m.columns[0], HEAT_ZERO, HIST_BUCKETS);
	heat_free(&m);
	return n;
}

static struct heat_filter one_call(u64 nr, const char *abi)
{
	struct heat_filter f = { .source = &heat_of_syscalls, .one = true };
	struct syscalls_row *r = row_new(TABLE_syscalls);

	r->nr = nr;
	r->abi = str_new(abi);
	assert_true(heat_what(f.source, &r->row, &f.what));
	row_put(&r->row);
	return f;
}

static void filters_choose_rows(void **state)
{
	struct history *h = busy_history(1);
	struct heat_filter f = { .source = &heat_of_syscalls, .waits = true };

	(void)state;
	assert_int_equal(count_with(h, &f), 57);
	f = (struct heat_filter){ .source = &heat_of_syscalls, .pid = 20, .start_time_ns = 140 };
	assert_int_equal(count_with(h, &f), 2);
	f = (struct heat_filter){ .source = &heat_of_syscalls, .pid = 20, .start_time_ns = 141 };	/* the pid was used again */
	assert_int_equal(count_with(h, &f), 0);
	f = one_call(0, "x86_64");
	assert_int_equal(count_with(h, &f), 52);
	f = one_call(0, "i386");
	assert_int_equal(count_with(h, &f), 0);
	/* asked for: shown */
	f = one_call(7, "x86_64");
	assert_int_equal(count_with(h, &f), 1);
	history_free(h);
}

static void not_observed_is_not_zero(void **state)
{
	struct history *h = history_new(1 << 20);
	const struct snapshot *s = tick(h, NULL, 1, NULL, 0);
	struct heat m = { .filter.source = &heat_of_syscalls };

	(void)state;
	s = tick(h, s, 2, busy, ARRAY_SIZE(busy));
	heat_need(&m, h, s, 0, 1, 0);
	assert_null(heat_find(&m, 1)->hist);
	assert_non_null(heat_find(&m, 2)->hist);
	assert_int_equal(heat_highest(heat_find(&m, 1)), HEAT_ZERO - 1);
	snapshot_put(s);
	heat_free(&m);
	history_free(h);
}

/* A long way back is computed over several frames, newest first. */
static void budget_leaves_the_oldest_for_later(void **state)
{
	struct history *h = busy_history(70);
	struct heat m = { .filter.source = &heat_of_syscalls };
	u32 frames = 1, before = 0;

	(void)state;
	while (!heat_need(&m, h, NULL, 0, 69, 20000)) {	/* 20 us: at least one tick a frame */
		assert_true(m.n > before);
		if (m.n < 30)
			assert_null(heat_find(&m, 40));
		before = m.n;
		frames++;
	}
	assert_int_equal(m.n, 70);
	assert_true(frames <= 70);
	for (u64 seq = 1; seq <= 70; seq++)
		assert_int_equal(heat_count(heat_find(&m, seq), HEAT_ZERO, HIST_BUCKETS), 56);
	heat_free(&m);
	history_free(h);
}

/* Ten thousand short processes: memory is bounded, and evicted data is decoded again. */
static void memory_is_bounded(void **state)
{
	struct history *h = history_new(64 << 20);
	const struct snapshot *s = NULL;
	struct heat m = { .filter.source = &heat_of_syscalls };
	struct heat_parts p = { 0 };
	struct heat_range range = { .first_seq = 1, .last_seq = 40, .low = HEAT_ZERO,
	.end = HIST_BUCKETS };
	struct calls *c = xcalloc(4000, sizeof(*c));
	u64 bytes = 0;

	(void)state;
	for (u64 seq = 1; seq <= 40; seq++) {
		for (u32 i = 0; i < 4000; i++)
			c[i] = (struct calls){ .pid = seq * 4000 + i, .nr = i % 50, .ns = 500 + i,
			.n = 1 };
		s = tick(h, s, seq, c, 4000);
		heat_need(&m, h, s, 0, history_len(h) - 1, 0);
	}
	heat_need(&m, h, s, 0, 39, 0);
	for (u32 i = 0; i < m.n; i++)
		bytes += heat_tick_bytes(m.columns[i].calls);
	assert_true(bytes + heat_ids_bytes(m.ids) < 16 << 20);
	assert_int_equal(m.n, 40);
	assert_null(m.columns[0].calls);
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 160000);
	assert_int_equal(p.count, 160000);
	heat_need(&m, h, s, 0, 39, 0);
	range.first_seq = range.last_seq = 40;
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 4000);
	for (u32 i = 0; i < p.n; i++)	/* the names are still those of their own rows */
		assert_true(p.parts[i].id.pid >= 160000 && p.parts[i].id.what == one_call(p.parts[i].id.pid % 50, "x86_64").what);
	heat_parts_free(&p);
	heat_free(&m);
	snapshot_put(s);
	history_free(h);
	free(c);
}

/* Merging sums: columns show the content of the kept ticks, before and after. */
static void merged_ticks_keep_their_calls(void **state)
{
	struct history *h = history_new(24 << 10);
	const struct snapshot *s = NULL;
	struct heat m = { .filter.source = &heat_of_syscalls };
	u64 shown = 0, kept = 0;

	(void)state;
	for (u64 seq = 1; seq <= 600; seq++) {
		struct calls c[ARRAY_SIZE(busy)];

		memcpy(c, busy, sizeof(c));
		for (u32 i = 0; i < ARRAY_SIZE(c); i++)
			c[i].ns += seq * 977 * (i + 1);
		s = tick(h, s, seq, c, ARRAY_SIZE(c));
		if (seq % 50 == 0)
			heat_need(&m, h, s, 0, history_len(h) - 1, 0);
	}
	assert_true(history_merged(h) > 0);
	assert_int_equal(m.n, history_len(h));
	for (u32 i = 0; i < m.n; i++)
		shown += heat_count(&m.columns[i], HEAT_ZERO, HIST_BUCKETS);
	for (u32 i = 0; i < history_len(h); i++)
		kept += 56 * (history_interval_ns(h, i) / NSEC_PER_SEC);
	assert_int_equal(shown, kept);
	snapshot_put(s);
	heat_free(&m);
	history_free(h);
}

static void parts_say_who_and_how_long(void **state)
{
	struct history *h = busy_history(4);
	struct heat m = { .filter.source = &heat_of_syscalls };
	struct heat_parts p = { 0 }, calls = { 0 }, processes = { 0 };
	int ms3 = hist_bucket(3000000);
	struct heat_range range = { .first_seq = 2, .last_seq = 4, .low = ms3, .end = ms3 + 1 };

	(void)state;
	heat_need(&m, h, NULL, 0, 3, 0);
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.count, 3 * 6);
	assert_int_equal(p.of, 3 * 56);
	assert_false(p.merged);
	assert_int_equal(p.parts[0].id.pid, 10);
	assert_int_equal(p.parts[0].count, 12);
	assert_true(p.parts[0].time_exact);
	assert_true(fabs(p.parts[0].time_ns - 36e6) < 1);
	assert_int_equal(p.parts[0].slowest_ns, 3000000);
	assert_true(p.parts[0].slowest_exact);

	heat_parts_group(&p, HEAT_BY_PROCESS, &processes);
	assert_int_equal(processes.n, 2);
	assert_int_equal(processes.count, 18);
	heat_parts_group(&p, HEAT_BY_WHAT, &calls);
	assert_int_equal(calls.n, 2);
	assert_string_equal(calls.parts[0].id.name, "write");
	assert_true(calls.parts[0].time_exact && fabs(calls.time_ns - 54e6) < 1);

	range = (struct heat_range){ .first_seq = 1, .last_seq = 1, .low = HEAT_ZERO,
	.end = HIST_BUCKETS };
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.count, 56);
	heat_parts_group(&p, HEAT_BY_PROCESS, &processes);
	assert_int_equal(processes.n, 2);
	assert_int_equal(processes.parts[0].count, 54);
	heat_parts_free(&p);
	heat_free(&m);
	heat_parts_free(&calls);
	heat_parts_free(&processes);
	history_free(h);
}

/* A row with calls outside of the cells: the time inside is an estimate, within a bucket. */
static void parts_estimate_what_is_mixed(void **state)
{
	struct history *h = history_new(1 << 20);
	struct builder *b = builder_new(NULL, &session);
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));
	struct syscalls_row *r;
	struct heat m = { .filter.source = &heat_of_syscalls };
	struct heat_parts p = { 0 };
	const struct snapshot *s;
	struct heat_range range = { 1, 1, hist_bucket(1000000), hist_bucket(4000000) };

	(void)state;
	for (int i = 0; i < 10; i++)
		hist_acc_value(acc, 2000000);
	hist_acc_value(acc, 70000000);
	builder_time(b, 1, T0, 0, NSEC_PER_SEC);
	r = builder_row(b, TABLE_syscalls);
	r->pid = 1;
	r->start_time_ns = 1;
	r->nr = 1;
	r->abi = str_new("x86_64");
	r->hist = hist_seal(acc);
	r->hist_tick = hist_seal(acc);
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	s = builder_seal(b);
	history_append(h, s);
	heat_need(&m, h, s, 0, 0, 0);
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.parts[0].count, 10);
	assert_false(p.parts[0].time_exact);
	assert_true(fabs(p.parts[0].time_ns / 20e6 - 1) < 0.045);
	assert_false(p.parts[0].slowest_exact);
	assert_true(fabs((double)p.parts[0].slowest_ns / 2e6 - 1) < 0.045);
	free(acc);
	heat_parts_free(&p);
	heat_free(&m);
	snapshot_put(s);
	history_free(h);
}

static void range_of_lost_ticks_is_empty(void **state)
{
	struct history *h = busy_history(3);
	struct heat m = { .filter.source = &heat_of_syscalls };
	struct heat_parts p = { 0 };
	struct heat_range range = { .first_seq = 9, .last_seq = 12, .low = 0, .end = HIST_BUCKETS };

	(void)state;
	heat_need(&m, h, NULL, 0, 2, 0);
	heat_parts_find(&p, &m, h, &range);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.of, 0);
	heat_parts_free(&p);
	heat_free(&m);
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_exact),
		cmocka_unit_test(columns_are_computed_once),
		cmocka_unit_test(filters_choose_rows),
		cmocka_unit_test(not_observed_is_not_zero),
		cmocka_unit_test(budget_leaves_the_oldest_for_later),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(merged_ticks_keep_their_calls),
		cmocka_unit_test(parts_say_who_and_how_long),
		cmocka_unit_test(parts_estimate_what_is_mixed),
		cmocka_unit_test(range_of_lost_ticks_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
