// SPDX-License-Identifier: GPL-2.0-or-later
/* test_totals.c: when the rows of totals.h are made, shared and closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf/collectors/totals.h"
#include "bpf/host/proctab.h"

static u32 n_made, n_reset;
static const struct session session;
static const struct snapshot *last;

static struct row *make_row(struct total *t, struct proc *p, const struct tick *tick)
{
	struct http_row *r = builder_row(tick->b, TABLE_http);

	assert_true(!t->tgid || p);
	n_made++;
	r->row.closed = t->closed;
	r->pid = t->tgid;
	return &r->row;
}

static void reset(struct total *t)
{
	n_reset++;
}

static struct totals set = { .size = sizeof(struct total), .row = make_row, .reset = reset };

static u32 rows_of_tick(u64 now_ns)
{
	struct builder *b = builder_new(last, &session);
	struct tick t = { .b = b, .now_ns = now_ns, .prev_ns = now_ns - 1000, .interval_ns = 1000 };

	n_made = 0;
	totals_rows(&set, &t);
	snapshot_put(last);
	last = builder_seal(b);
	return last->tables[TABLE_http].n;
}

static void a_life(void **state)
{
	bool is_new;
	struct proc *p = proctab_get(77, 500, &is_new);
	struct total *t;

	totals_begin(&set, 5000);
	t = totals_add(&set, hash_of(77), 77, 500);
	t->active = true;
	assert_int_equal(t->first_seen_ns, 5000);
	assert_int_equal(totals_interval(&set, &(struct tick){ .now_ns = 7000, .prev_ns = 4000 }), 2000);
	assert_int_equal(rows_of_tick(7000), 1);
	assert_int_equal(n_made, 1);
	assert_int_equal(rows_of_tick(8000), 1);	/* at rest: the rates are 0 now */
	assert_int_equal(n_made, 1);
	assert_int_equal(rows_of_tick(9000), 1);
	assert_int_equal(n_made, 0);
	p->closed = true;
	assert_int_equal(rows_of_tick(10000), 1);
	assert_true(last->tables[TABLE_http].rows[0]->closed);
	assert_int_equal(rows_of_tick(11000), 0);
	assert_int_equal(set.all.n, 0);
}

/* Values reported in the tick after a process ended still belong to it and its scope. */
static void late(void **state)
{
	struct scope mine = { .pids = { 78 }, .n_pids = 1 };
	bool is_new;

	totals_begin(&set, 5000);
	for (u32 pid = 78; pid < 80; pid++)
		proctab_get(pid, 600, &is_new)->closed = true;
	proctab_sweep();
	proctab_scope(&mine);
	for (u32 pid = 78; pid < 80; pid++)
		totals_add(&set, hash_of(pid), pid, 600);
	assert_int_equal(rows_of_tick(12000), 1);
	assert_int_equal(((struct http_row *)last->tables[TABLE_http].rows[0])->pid, 78);
	assert_true(last->tables[TABLE_http].rows[0]->closed);
	assert_int_equal(rows_of_tick(13000), 0);
	proctab_scope(NULL);
	for (u32 i = 0; i < 3; i++) {	/* its requests may be reported some ticks late */
		assert_non_null(proctab_find_any(78, 600));
		proctab_sweep();
	}
	proctab_sweep();
	assert_null(proctab_find_any(78, 600));
}

/* When very many end, only those of the last sweep are kept longer than a tick. */
static void crowd(void **state)
{
	bool is_new;

	for (u32 pid = 1000; pid < 6000; pid++)
		proctab_get(pid, 700, &is_new)->closed = true;
	proctab_sweep();
	assert_non_null(proctab_find_any(1000, 700));
	proctab_get(999, 700, &is_new)->closed = true;
	proctab_sweep();
	assert_null(proctab_find_any(1000, 700));
	assert_non_null(proctab_find_any(999, 700));
}

static void of_no_process(void **state)
{
	totals_begin(&set, 5000);
	totals_add(&set, hash_of(0), 0, 0);
	assert_int_equal(rows_of_tick(6000), 1);
	assert_int_equal(rows_of_tick(7000), 1);
	n_reset = 0;
	totals_clear(&set);
	assert_int_equal(n_reset, 1);
	assert_int_equal(rows_of_tick(8000), 0);
	snapshot_put(last);
	proctab_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life),
		cmocka_unit_test(late),
		cmocka_unit_test(crowd),
		cmocka_unit_test(of_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
