// SPDX-License-Identifier: GPL-2.0-or-later
/* test_history.c: what is kept, how old ticks are merged, and the memory used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bpf/record/history.h"
#include "bpf/record/merge.h"
#include "bpf/record/ticks.h"
#include "gen.h"
#include "same.h"
#include "sanitized.h"

static void empty_history_answers(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);

	assert_int_equal(history_len(h), 0);
	assert_null(history_snapshot(h, 0));
	assert_int_equal(history_find(h, 5), -1);
	assert_int_equal(history_seq(h, 3), 0);
	history_free(h);
	history_free(NULL);
}

/* Each tick is reached in every way: forward, backward, at random. */
static void every_tick_comes_back(void **state)
{
	const struct snapshot *kept[200], *s;
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct gen g;

	gen_init(&g, 5, 15);
	for (u32 i = 0; i < 200; i++) {
		kept[i] = snapshot_get(gen_random(&g));
		history_append(h, kept[i]);
	}
	assert_int_equal(history_len(h), 200);
	assert_int_equal(history_merged(h) + history_dropped(h), 0);
	for (u32 round = 0; round < 600; round++) {
		u32 i = round < 200 ? round : round < 400 ? 399 - round : gen_rand(&g, 200);

		s = history_snapshot(h, i);
		assert_same_snapshot(kept[i], s);
		assert_int_equal(history_seq(h, i), s->seq);
		assert_int_equal(history_time_ns(h, i), s->time_ns);
		assert_int_equal(history_interval_ns(h, i), s->interval_ns);
		assert_int_equal(history_find(h, s->seq), i);
		snapshot_put(s);
	}
	for (u32 i = 0; i < 200; i++)
		snapshot_put(kept[i]);
	history_free(h);
	gen_end(&g);
}

static void find_takes_the_last_not_after(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct gen g;

	gen_init(&g, 6, 3);
	for (u32 i = 0; i < 130; i++)
		history_append(h, gen_random(&g));
	for (u64 seq = 0; seq < g.prev->seq + 5; seq++) {
		int i = history_find(h, seq);

		assert_in_range(i + 1, 0, 130);
		if (i >= 0)
			assert_true(history_seq(h, (u32)i) <= seq);
		if (i < 129)
			assert_true(history_seq(h, (u32)i + 1) > seq);
	}
	history_free(h);
	gen_end(&g);
}

/* ---- merging two ticks ---- */

static const struct snapshot *two_syscalls(struct session *se, u64 seq, float rate, u64 ns,
					   u64 calls, bool closed)
{
	struct builder *b = builder_new(NULL, se);
	struct hist_acc a;
	struct syscalls_row *r = builder_row(b, TABLE_syscalls);

	memset(&a, 0, sizeof(a));
	for (u64 i = 0; i < calls; i++)
		hist_acc_value(&a, ns);
	r->pid = closed ? 7 : 8;
	r->row.closed = closed;
	r->rate = rate;
	r->count = calls;
	r->hist_tick = hist_seal(&a);
	r->hist = hist_get(r->hist_tick);
	r = builder_row(b, TABLE_syscalls);
	r->pid = 9;
	r->rate = rate;
	r->count = 100 * seq;
	r->hist_tick = hist_seal(&a);
	builder_time(b, seq, seq * 1000, 0, seq * NSEC_PER_SEC);
	builder_status(b, TABLE_syscalls, TS_OK, NULL, seq * NSEC_PER_SEC);
	return builder_seal(b);
}

static void merged_tick_adds_up(void **state)
{
	struct session se = { .arch = "x" };
	const struct snapshot *a = two_syscalls(&se, 1, 10, 1000, 5, true);
	const struct snapshot *b = two_syscalls(&se, 3, 30, 5000000, 7, false), *m;
	const struct syscalls_row *r;

	m = snapshot_merge(a, b);
	assert_int_equal(m->seq, 3);
	assert_int_equal(m->time_ns, 3000);
	assert_int_equal(m->interval_ns, 4 * NSEC_PER_SEC);
	assert_int_equal(m->tables[TABLE_syscalls].interval_ns, 4 * NSEC_PER_SEC);
	assert_int_equal(m->tables[TABLE_syscalls].n, 3);
	r = (const void *)m->tables[TABLE_syscalls].rows[0];	/* ended in the first */
	assert_int_equal(r->pid, 7);
	assert_true(r->row.closed);
	assert_int_equal(r->count, 5);
	assert_int_equal(r->hist_tick->count, 5);
	assert_true(fabsf(r->rate - 2.5f) < 1e-4);	/* 10/s for one second of four */
	r = (const void *)m->tables[TABLE_syscalls].rows[1];	/* began in the second */
	assert_false(r->row.closed);
	assert_true(fabsf(r->rate - 22.5f) < 1e-4);
	r = (const void *)m->tables[TABLE_syscalls].rows[2];	/* in both */
	assert_int_equal(r->count, 300);
	assert_int_equal(r->hist_tick->count, 12);
	assert_int_equal(r->max_ns, 5000000);
	assert_true(fabsf(r->rate - 25) < 1e-4);
	assert_true(isnan(r->error_rate));	/* unknown stays unknown */
	snapshot_put(m);
	m = snapshot_merge(a, a);	/* a row that is shared did it twice */
	r = (const void *)m->tables[TABLE_syscalls].rows[1];
	assert_int_equal(r->hist_tick->count, 10);
	assert_true(fabsf(r->rate - 10) < 1e-4);
	snapshot_put(m);
	snapshot_put(a);
	snapshot_put(b);
}

/* Frames have neither rates nor histograms: their rows are shared, not copied. */
static void rows_without_rates_are_shared(void **state)
{
	struct session se = { .arch = "x" };
	const struct snapshot *ticks[2], *m;

	for (u32 i = 0; i < 2; i++) {
		struct builder *b = builder_new(NULL, &se);

		for (u32 id = i; id < i + 3; id++) {
			struct frames_row *r = builder_row(b, TABLE_frames);

			r->id = id;
			r->name = str_new(i ? "late" : "early");
		}
		builder_time(b, i + 1, i + 1, 0, NSEC_PER_SEC);
		builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
		ticks[i] = builder_seal(b);
	}
	m = snapshot_merge(ticks[0], ticks[1]);
	assert_int_equal(m->tables[TABLE_frames].n, 4);
	assert_ptr_equal(m->tables[TABLE_frames].rows[0], ticks[0]->tables[TABLE_frames].rows[0]);
	for (u32 k = 1; k < 4; k++)	/* the later one of two */
		assert_ptr_equal(m->tables[TABLE_frames].rows[k], ticks[1]->tables[TABLE_frames].rows[k - 1]);
	snapshot_put(m);
	snapshot_put(ticks[0]);
	snapshot_put(ticks[1]);
}

static void unobserved_half_says_nothing(void **state)
{
	struct session se = { .arch = "x" };
	const struct snapshot *a = two_syscalls(&se, 1, 10, 1000, 5, false), *b, *m;
	struct builder *build = builder_new(NULL, &se);

	builder_time(build, 2, 2000, 0, NSEC_PER_SEC);
	builder_status(build, TABLE_syscalls, TS_BLOCKED, "no", 0);
	b = builder_seal(build);
	m = snapshot_merge(a, b);
	assert_int_equal(m->tables[TABLE_syscalls].status, TS_OK);
	assert_int_equal(m->tables[TABLE_syscalls].interval_ns, NSEC_PER_SEC);
	assert_int_equal(m->tables[TABLE_syscalls].n, 2);
	snapshot_put(m);
	m = snapshot_merge(b, a);
	assert_int_equal(m->tables[TABLE_syscalls].status, TS_OK);
	assert_int_equal(m->tables[TABLE_syscalls].interval_ns, NSEC_PER_SEC);
	snapshot_put(m);
	snapshot_put(a);
	snapshot_put(b);
}

/* ---- the cap ---- */

struct totals {
	u64 calls, ns, interval_ns;
	double rated;	/* rate times time */
};

static void add_totals(struct totals *t, const struct snapshot *s)
{
	const struct table *table = &s->tables[TABLE_syscalls];

	t->interval_ns += s->interval_ns;
	for (u32 i = 0; i < table->n; i++) {
		const struct syscalls_row *r = (const void *)table->rows[i];

		t->calls += r->hist_tick ? r->hist_tick->count : 0;
		t->ns += r->hist_tick ? r->hist_tick->sum_ns : 0;
		t->rated += (double)r->rate * (double)table->interval_ns / 1e9;
	}
}

/*
 * An idle row must not keep the numbers of its last busy interval, or sums would count them again;
 * made here like the collector does.
 */
static const struct snapshot *next_tick(struct gen *g, u32 n)
{
	struct builder *b = builder_new(g->prev, &g->session);
	const struct snapshot *s;

	builder_time(b, g->prev ? g->prev->seq + 1 : 1,
		     g->prev ? g->prev->time_ns + NSEC_PER_SEC : 1, 0, NSEC_PER_SEC);
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 i = 0; i < n; i++) {
		struct syscalls_row *r = g->prev ?
			(void *)row_clone(g->prev->tables[TABLE_syscalls].rows[i], true) :
			gen_syscall(i);

		hist_put(r->hist_tick);
		r->hist_tick = NULL;
		r->rate = r->time_rate = 0;
		if (gen_rand(g, 3) == 0)
			gen_run_syscall(g, r);
		row_quantiles(&r->row);
		builder_add(b, &r->row);
	}
	s = builder_seal(b);
	snapshot_put(g->prev);
	return g->prev = s;
}

/* Older ticks are not finer, and no tick covers more than its level permits. */
static void assert_levels_in_order(const struct history *h)
{
	for (u32 i = 0; i < h->n; i++) {
		const struct group *g = &h->groups[i];

		if (i)
			assert_true(g->level <= g[-1].level);
		for (u32 k = 0; k < g->n; k++)
			assert_true(g->ticks[k].interval_ns <= g->level * NSEC_PER_SEC);
	}
}

static void merging_loses_nothing(void **state)
{
	struct history *h = history_new(130 << 10);
	struct totals all = { 0 }, kept = { 0 };
	const struct syscalls_row *before = NULL, *r;
	const struct snapshot *s, *last = NULL;
	struct gen g;
	u32 i;

	gen_init(&g, 8, 0);
	for (i = 0; i < 700; i++) {
		add_totals(&all, next_tick(&g, 10));
		history_append(h, g.prev);
		assert_true(history_bytes(h) <= 130 << 10);
		assert_levels_in_order(h);
	}
	assert_true(history_merged(h) > 200);
	assert_int_equal(history_dropped(h), 0);
	assert_int_equal(history_len(h) + history_merged(h), 700);
	for (i = 0; i < history_len(h); i++) {
		s = history_snapshot(h, i);
		assert_non_null(s);
		assert_int_equal(history_interval_ns(h, i), s->interval_ns);
		add_totals(&kept, s);
		r = (const void *)s->tables[TABLE_syscalls].rows[3];
		if (before) {	/* the cumulative ones move by what the tick says */
			const struct hist *sum = hist_sum(before->hist, r->hist_tick);

			assert_true(hist_equal(sum, r->hist));
			hist_put(sum);
			assert_in_range(s->interval_ns / NSEC_PER_SEC, 1, 16);
		}
		snapshot_put(last);
		last = s;
		before = r;
	}
	assert_same_snapshot(last, g.prev);
	assert_int_equal(kept.interval_ns, all.interval_ns);
	assert_int_equal(kept.calls, all.calls);
	assert_int_equal(kept.ns, all.ns);
	assert_true(fabs(kept.rated - all.rated) < all.rated * 1e-5);
	snapshot_put(last);
	history_free(h);
	gen_end(&g);
}

/* Random ticks of every table under tiny caps: bounded, readable, and honest about losses. */
static void cap_is_respected(void **state)
{
	static const size_t caps[] = { 1 << 10, 60 << 10, 400 << 10, 1 << 20 };
	struct gen g;

	for (u32 c = 0; c < ARRAY_SIZE(caps); c++) {
		struct history *h = history_new(caps[c]);
		u64 appended = 0, covered = 0;

		gen_init(&g, 1000 + c, 8);
		for (; appended < 500; appended++) {
			history_append(h, gen_random(&g));
			if (history_bytes(h) > caps[c])	/* one tick more than there is room */
				assert_true(c == 0 && history_len(h) == 1);
			assert_true(history_len(h) > 0);
			assert_levels_in_order(h);
			if (appended % 10 == 0)
				snapshot_put(history_snapshot(h, gen_rand(&g, history_len(h))));
		}
		for (u32 i = 0; i < history_len(h); i++) {
			const struct snapshot *s = history_snapshot(h, i);

			assert_non_null(s);
			assert_int_equal(s->seq, history_seq(h, i));
			assert_int_equal(s->interval_ns % NSEC_PER_SEC, 0);
			assert_in_range(s->interval_ns / NSEC_PER_SEC, 1, 16);
			covered += s->interval_ns / NSEC_PER_SEC;
			snapshot_put(s);
		}
		assert_in_range(covered, 1, appended);
		assert_int_equal(history_dropped(h) + history_merged(h) + history_len(h),
				 appended);
		if (c == 3)	/* room for everything, the old parts coarser */
			assert_int_equal(covered, appended);
		history_free(h);
		gen_end(&g);
	}
}

static void append_some(struct history *h, struct gen *g, u32 n, u64 family_bytes)
{
	for (u32 i = 0; i < n; i++) {
		history_fit(h, family_bytes);
		history_append(h, gen_random(g));
		assert_levels_in_order(h);
	}
}

/*
 * When ottop as a whole exceeds its promised memory the history shrinks, down to its share; later
 * it grows again.
 */
static void what_is_promised_bounds_it(void **state)
{
	struct history *h = history_new(8 << 20);
	struct gen g;
	u64 full;

	(void)state;
	gen_init(&g, 77, 100);
	append_some(h, &g, 300, 30000000);
	full = history_bytes(h);
	print_message("# %llu kB of 300 ticks\n", (unsigned long long)full >> 10);
	assert_true(full > 4u << 20);
	append_some(h, &g, 60, 46000000 + full / 4);
	assert_in_range(history_bytes(h), full / 4, full * 7 / 8);
	append_some(h, &g, 60, 64000000);
	assert_in_range(history_bytes(h), 1u << 20, 64000000 / 16);
	assert_true(history_len(h) > 10);
	append_some(h, &g, 200, 30000000);
	assert_true(history_bytes(h) > 4u << 20);
	history_free(h);
	gen_end(&g);
}

/* Merging has used its share of a CPU: the oldest ticks are dropped. */
static void what_there_is_no_time_for_goes(void **state)
{
	struct history *h = history_new(8 << 20);
	struct gen g;
	u64 merged, first;

	(void)state;
	gen_init(&g, 78, 100);
	append_some(h, &g, 300, 30000000);
	while (h->job || h->bytes > h->cap_bytes - h->cap_bytes / 8)	/* none begins before there is less room */
		append_some(h, &g, 1, 30000000);
	merged = history_merged(h);
	h->merge_after_ns = UINT64_MAX;
	first = history_seq(h, 0);
	append_some(h, &g, 60, 64000000);
	assert_int_equal(history_merged(h), merged);
	assert_true(history_dropped(h) > 0);
	assert_true(history_seq(h, 0) > first);
	assert_in_range(history_bytes(h), 1u << 20, 64000000 / 16);
	h->merge_after_ns = 0;
	append_some(h, &g, 120, 64000000);
	assert_true(history_merged(h) > merged);
	history_free(h);
	gen_end(&g);
}

static bool among_newest(const struct history *h, const struct row *r)
{
	const struct row *same = snapshot_find(h->newest, r);

	return same && row_equal(same, r);
}

/*
 * Decoding the past, for merging or display, duplicates no memory: unchanged rows are those of the
 * present, and only the packed result of a merge is kept.
 */
static void what_is_decoded_is_not_there_twice(void **state)
{
	struct history *h = history_new(60 << 10);
	u32 jobs = 0, equal = 0;
	struct gen g;

	gen_init(&g, 8, 0);
	for (u32 i = 0; i < 500; i++) {
		const struct snapshot *s;

		history_append(h, next_tick(&g, 10));
		if (h->job) {
			const struct group *out = compact_group(h);

			jobs++;
			assert_true(out->n == 0 || out->bytes.n == 0);
		}
		s = history_snapshot(h, history_len(h) / 2);
		for (u32 k = 0; k < s->tables[TABLE_syscalls].n; k++) {
			const struct row *r = s->tables[TABLE_syscalls].rows[k];

			if (!among_newest(h, r))
				continue;
			equal++;
			assert_true(snapshot_find(h->newest, r) == r);
		}
		snapshot_put(s);
		history_rest(h);
	}
	assert_true(jobs > 0);
	assert_true(equal > 0);
	history_free(h);
	gen_end(&g);
}

/* A row that ended in between is present in the merged past. */
static void closed_rows_survive_merging(void **state)
{
	struct history *h = history_new(36 << 10);
	u32 closed = 0;
	struct gen g;

	gen_init(&g, 4, 0);
	for (u32 i = 0; i < 400; i++) {
		struct builder *b = builder_new(NULL, &g.session);
		struct processes_row *p = gen_process(i);
		const struct snapshot *s;

		p->row.closed = true;
		builder_add(b, &p->row);
		builder_time(b, i + 1, i, 0, NSEC_PER_SEC);
		builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
		s = builder_seal(b);
		history_append(h, s);
		snapshot_put(s);
	}
	assert_true(history_merged(h) > 0);
	for (u32 i = 0; i < history_len(h); i++) {
		const struct snapshot *s = history_snapshot(h, i);

		for (u32 k = 0; k < s->tables[TABLE_processes].n; k++)
			closed += s->tables[TABLE_processes].rows[k]->closed;
		snapshot_put(s);
	}
	assert_int_equal(history_dropped(h), 0);
	assert_int_equal(closed, 400);
	history_free(h);
}

/* ---- what it costs: the size is asserted, the time printed ---- */

#define TICKS (SANITIZED ? 30u : 300u)

static void five_minutes_of_load_fit(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	u64 t, append_ns = 0, walk_ns;
	struct gen g;

	gen_init(&g, 1, 0);
	for (u32 i = 0; i < TICKS; i++) {
		const struct snapshot *s = gen_load(&g, 1000, 100, 400, 200);

		t = clock_ns(CLOCK_MONOTONIC);
		history_append(h, s);
		append_ns += clock_ns(CLOCK_MONOTONIC) - t;
	}
	t = clock_ns(CLOCK_MONOTONIC);
	for (u32 i = 0; i < history_len(h); i++)
		snapshot_put(history_snapshot(h, i));
	walk_ns = clock_ns(CLOCK_MONOTONIC) - t;
	print_message("1000 processes (100 active), 200 active syscalls: %llu bytes a tick, "
		      "append %llu us, step forward %llu us\n",
		      (unsigned long long)history_bytes(h) / TICKS,
		      (unsigned long long)append_ns / (TICKS * 1000),
		      (unsigned long long)walk_ns / (TICKS * 1000));
	assert_int_equal(history_len(h), TICKS);
	assert_int_equal(history_merged(h), 0);
	history_free(h);
	gen_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_history_answers),
		cmocka_unit_test(every_tick_comes_back),
		cmocka_unit_test(find_takes_the_last_not_after),
		cmocka_unit_test(merged_tick_adds_up),
		cmocka_unit_test(rows_without_rates_are_shared),
		cmocka_unit_test(unobserved_half_says_nothing),
		cmocka_unit_test(merging_loses_nothing),
		cmocka_unit_test(cap_is_respected),
		cmocka_unit_test(what_is_promised_bounds_it),
		cmocka_unit_test(what_there_is_no_time_for_goes),
		cmocka_unit_test(what_is_decoded_is_not_there_twice),
		cmocka_unit_test(closed_rows_survive_merging),
		cmocka_unit_test(five_minutes_of_load_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
