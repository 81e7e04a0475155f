// SPDX-License-Identifier: GPL-2.0-or-later
/* test_groups.c: rows of the syscall table added up by call and by process; the card's means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"
#include "tui/views/card.h"
#include "tui/table/table.h"

static const struct grouping by_call = { "call", { "nr", "abi", "syscall", "waits" }, .counts = "comm", .noun = "proc" };
static const struct grouping by_process = {
	"process", { "pid", "start_time_ns", "comm" }, .counts = "syscall", .noun = "call",
};

static const struct session session = { .host_name = "test" };

static void add_call(struct builder *b, u64 pid, u64 nr, float rate, u64 ns)
{
	struct syscalls_row *r = builder_row(b, TABLE_syscalls);
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));

	hist_acc_value(acc, ns);
	r->pid = pid;
	r->start_time_ns = 1;
	r->nr = nr;
	r->abi = str_new("x86_64");
	r->comm = str_new(pid == 1 ? "one" : "two");
	r->syscall = str_new(nr ? "write" : "read");
	r->rate = rate;
	r->time_rate = rate * 10;
	r->error_rate = pid == 2 ? F32_UNKNOWN : 1;
	r->count = (u64)rate;
	r->in_flight = 1;
	r->in_flight_max_ns = pid * 1000;
	r->hist = hist_seal(acc);
	r->hist_tick = hist_seal(acc);
	free(acc);
}

static const struct snapshot *two_by_two(void)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, 1, NSEC_PER_SEC, 0, NSEC_PER_SEC);
	add_call(b, 1, 0, 10, 1000);
	add_call(b, 1, 1, 20, 2000000);
	add_call(b, 2, 0, 30, 5000);
	add_call(b, 2, 1, 40, 9000000);
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

static u32 load(const struct snapshot *s, struct table_row rows[8])
{
	const struct table *t = &s->tables[TABLE_syscalls];

	for (u32 i = 0; i < t->n; i++)
		rows[i] = (struct table_row){ .row = t->rows[i] };
	return t->n;
}

static const struct syscalls_row *row_at(const struct table_row *rows, u32 i)
{
	return (const struct syscalls_row *)rows[i].row;
}

static void sums_by_call(void **state)
{
	const struct snapshot *s = two_by_two();
	struct groups g = { 0 };
	struct table_row rows[8];
	const struct syscalls_row *first;

	(void)state;
	assert_int_equal(groups_make(&g, &by_call, rows, load(s, rows)), 2);
	first = row_at(rows, 0);
	assert_string_equal(first->syscall, "read");
	assert_string_equal(first->comm, "2 procs");
	assert_false(u64_known(first->pid));
	assert_true(first->rate == 40 && first->time_rate == 400);
	assert_true(first->error_rate == 1);	/* what is unknown adds nothing */
	assert_int_equal(first->in_flight, 2);
	assert_int_equal(first->in_flight_max_ns, 2000);
	assert_int_equal(first->hist_tick->count, 2);
	assert_int_equal(first->max_ns, 5000);

	/* the next tick: the same address, so the cursor stays on it, and not twice the sum */
	assert_int_equal(groups_make(&g, &by_call, rows, load(s, rows)), 2);
	assert_ptr_equal(row_at(rows, 0), first);
	assert_true(first->rate == 40);
	groups_free(&g);
	snapshot_put(s);
}

static void sums_by_process(void **state)
{
	const struct snapshot *s = two_by_two();
	struct groups g = { 0 };
	struct table_row rows[8];

	(void)state;
	assert_int_equal(groups_make(&g, &by_process, rows, load(s, rows)), 2);
	assert_int_equal(row_at(rows, 1)->pid, 2);
	assert_string_equal(row_at(rows, 1)->syscall, "2 calls");
	assert_false(u64_known(row_at(rows, 1)->nr));
	assert_true(row_at(rows, 1)->rate == 70);
	assert_int_equal(row_at(rows, 1)->max_ns, 9000000);
	groups_free(&g);
	snapshot_put(s);
}

/* The table or a level of the breadcrumb may keep a group longer than the view. */
static void sum_outlives_its_groups(void **state)
{
	const struct snapshot *s = two_by_two();
	struct groups g = { 0 };
	struct table_row rows[8];
	const struct row *held;

	(void)state;
	groups_make(&g, &by_call, rows, load(s, rows));
	held = row_get(rows[0].row);
	snapshot_put(s);
	groups_free(&g);
	assert_int_equal(((const struct syscalls_row *)held)->nr, 0);
	assert_string_equal(((const struct syscalls_row *)held)->syscall, "read");
	row_put(held);
}

/* ---- processes: levels of what has ended, and what does not add up ---------------------- */

static void add_process(struct builder *b, u64 pid, const char *user, bool closed)
{
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->pid = pid;
	p->start_time_ns = 1;
	p->user = str_new(user);
	p->state = str_new("S");
	p->cpu_pct = 10;
	p->rss_bytes = 1000;
	p->in_call_ns = pid;
	p->row.closed = closed;
}

static void ended_rows_are_no_members(void **state)
{
	static const struct grouping by_user = { .title = "user", .fields = { "user" } };
	struct builder *b = builder_new(NULL, &session);
	const struct processes_row *p;
	const struct snapshot *s;
	struct groups g = { 0 };
	struct table_row rows[8];

	(void)state;
	for (u32 t = 0; t < N_TABLES; t++)
		assert_true(table_descs[t].n_fields <= SUM_FIELDS);
	builder_time(b, 1, NSEC_PER_SEC, 0, NSEC_PER_SEC);
	add_process(b, 1, "root", true);
	add_process(b, 2, "root", false);
	add_process(b, 3, "root", false);
	add_process(b, 4, "root", true);
	add_process(b, 5, "www", false);
	s = builder_seal(b);
	for (u32 i = 0; i < 5; i++)
		rows[i] = (struct table_row){ .row = s->tables[TABLE_processes].rows[i] };
	rows[3].past = true;		/* ended a tick ago: its rates are of another time */
	assert_int_equal(groups_make(&g, &by_user, rows, 5), 2);
	p = (const struct processes_row *)rows[0].row;
	assert_int_equal(g.members, 3);
	assert_int_equal(group_members(&p->row), 2);
	assert_true(p->cpu_pct == 30);	/* of the interval, as the header has it */
	assert_int_equal(p->rss_bytes, 2000);
	assert_int_equal(p->in_call_ns, 3);
	assert_false(u64_known(p->pid));
	assert_string_equal(p->state, "");
	assert_string_equal(p->user, "root");
	p = (const struct processes_row *)rows[1].row;
	assert_true(group_is_one(&p->row));	/* then it looks as that one does */
	assert_int_equal(p->pid, 5);
	assert_string_equal(p->state, "S");
	groups_free(&g);
	snapshot_put(s);
}

/* ---- means of the card ------------------------------------------------------------------- */

static void mean_is_weighted_and_of_ten_seconds(void **state)
{
	struct trace t = { .n = 4 };
	u64 ns;

	(void)state;
	t.values[TRACE_cpu][0] = 1000;		/* too old to count */
	t.interval_ns[0] = 5 * NSEC_PER_SEC;
	t.values[TRACE_cpu][1] = 10;
	t.interval_ns[1] = 8 * NSEC_PER_SEC;
	t.values[TRACE_cpu][2] = F32_UNKNOWN;
	t.interval_ns[2] = NSEC_PER_SEC;
	t.values[TRACE_cpu][3] = 60;
	t.interval_ns[3] = 2 * NSEC_PER_SEC;
	assert_true(fabs((double)trace_mean(&t, TRACE_cpu, &ns) - 20) < 1e-4);
	assert_int_equal(ns, 10 * NSEC_PER_SEC);
	t.n = 0;
	assert_true(isnan(trace_mean(&t, TRACE_cpu, &ns)));
}

static void trace_blanks_what_was_not_there(void **state)
{
	struct history *h = history_new(1 << 20);
	const struct snapshot *s = NULL;
	struct trace t = { 0 };

	(void)state;
	for (u64 seq = 1; seq <= 5; seq++) {
		struct builder *b = builder_new(s, &session);
		struct processes_row *p;

		builder_time(b, seq, seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
		if (seq >= 3) {
			p = builder_row(b, TABLE_processes);
			p->pid = 7;
			p->start_time_ns = 70;
			p->cpu_pct = (float)seq;
			p->rss_bytes = seq << 20;
		}
		builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
		snapshot_put(s);
		s = builder_seal(b);
		history_append(h, s);
	}
	trace_update(&t, h, s, 7, 70);
	assert_int_equal(t.n, 5);
	assert_true(isnan(t.values[TRACE_cpu][1]));
	assert_true(t.values[TRACE_cpu][4] == 5);
	assert_true(t.values[TRACE_rss][2] == 3 << 20);
	trace_update(&t, h, s, 7, 71);		/* the pid of another process */
	assert_true(isnan(t.values[TRACE_cpu][4]));
	snapshot_put(s);
	history_free(h);
}

/* Reading piece by piece gives the same as reading at once. */
static void trace_goes_back_in_pieces(void **state)
{
	struct history *h = history_new(1 << 20);
	const struct snapshot *s = NULL;
	struct trace t = { 0 };
	int pieces = 0;

	(void)state;
	for (u64 seq = 1; seq <= 150; seq++) {
		struct builder *b = builder_new(s, &session);
		struct processes_row *p;

		builder_time(b, seq, seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
		p = builder_row(b, TABLE_processes);
		p->pid = 7;
		p->start_time_ns = 70;
		p->cpu_pct = (float)seq;
		builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
		snapshot_put(s);
		s = builder_seal(b);
		history_append(h, s);
	}
	trace_update(&t, h, s, 7, 70);
	assert_true(t.n < TRACE_LEN && t.values[TRACE_cpu][t.n - 1] == 150);
	while (trace_more(&t, h))
		pieces++;
	assert_true(pieces > 1);
	assert_int_equal(t.n, TRACE_LEN);
	for (int i = 0; i < TRACE_LEN; i++)
		assert_true(t.values[TRACE_cpu][i] == (float)(150 - TRACE_LEN + 1 + i));
	snapshot_put(s);
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_by_call),
		cmocka_unit_test(sums_by_process),
		cmocka_unit_test(sum_outlives_its_groups),
		cmocka_unit_test(ended_rows_are_no_members),
		cmocka_unit_test(mean_is_weighted_and_of_ten_seconds),
		cmocka_unit_test(trace_blanks_what_was_not_there),
		cmocka_unit_test(trace_goes_back_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
