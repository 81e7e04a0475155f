// SPDX-License-Identifier: GPL-2.0-or-later
/* test_snapshot.c: strings, rows, sealing, sharing, lookups, the schema itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"

static struct session session = { .host_name = "test" };

static struct processes_row *add(struct builder *b, u64 pid, u64 start, const char *comm)
{
	struct processes_row *r = builder_row(b, TABLE_processes);

	r->pid = pid;
	r->start_time_ns = start;
	r->comm = str_new(comm);
	return r;
}

static void strings_are_shared_and_freed(void **state)
{
	u64 before = str_pool_bytes();
	const char *a = str_new("nginx"), *b = str_newn("nginx-and-more", 5);

	(void)state;
	assert_ptr_equal(a, b);
	str_put(a);
	assert_string_equal(b, "nginx");
	str_put(b);
	str_put(NULL);
	assert_int_equal(str_pool_bytes(), before ? before : str_pool_bytes());
	for (int i = 0; i < 5000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "s%d", i);
		str_put(str_new(text));
	}
	a = str_new("again");
	assert_string_equal(a, "again");
	str_put(a);
}

static void rows_are_sorted_and_later_wins(void **state)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *s;

	(void)state;
	add(b, 30, 1, "c");
	add(b, 10, 1, "a");
	add(b, 20, 1, "old");
	add(b, 20, 1, "new");
	s = builder_seal(b);
	assert_int_equal(s->tables[TABLE_processes].n, 3);
	assert_int_equal(((struct processes_row *)s->tables[TABLE_processes].rows[0])->pid, 10);
	assert_string_equal(snapshot_process(s, 20, 0)->comm, "new");
	assert_null(snapshot_process(s, 20, U64_UNKNOWN));	/* a row with unknown start */
	snapshot_put(s);
}

static void equal_rows_are_shared(void **state)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *s1, *s2;

	(void)state;
	add(b, 1, 1, "same");
	add(b, 2, 1, "before");
	s1 = builder_seal(b);
	b = builder_new(s1, &session);
	add(b, 1, 1, "same");
	add(b, 2, 1, "after");
	s2 = builder_seal(b);
	assert_ptr_equal(s1->tables[TABLE_processes].rows[0], s2->tables[TABLE_processes].rows[0]);
	assert_ptr_not_equal(s1->tables[TABLE_processes].rows[1], s2->tables[TABLE_processes].rows[1]);
	snapshot_put(s1);
	assert_string_equal(snapshot_process(s2, 1, 1)->comm, "same");
	snapshot_put(s2);
}

static void unknown_is_not_zero(void **state)
{
	struct processes_row *r = row_new(TABLE_processes);

	(void)state;
	assert_false(u64_known(r->rss_bytes));
	assert_false(f32_known(r->cpu_pct));
	assert_null(r->comm);
	assert_false(f32_known(F32_BLANK));
	assert_false(f32_known(F32_PENDING));
	assert_false(u64_known(U64_BLANK));
	assert_true(u64_known(0));
	row_put(&r->row);
}

static void reused_pid_is_another_process(void **state)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *s;
	u32 first, end;

	(void)state;
	add(b, 7, 100, "first");
	add(b, 7, 200, "second");
	add(b, 8, 50, "other");
	s = builder_seal(b);
	assert_string_equal(snapshot_process(s, 7, 100)->comm, "first");
	assert_string_equal(snapshot_process(s, 7, 0)->comm, "second");
	assert_null(snapshot_process(s, 7, 150));
	snapshot_process_rows(s, TABLE_processes, 7, 0, &first, &end);
	assert_int_equal(end - first, 2);
	snapshot_put(s);
}

static void quantiles_come_from_the_interval(void **state)
{
	struct builder *b = builder_new(NULL, &session);
	struct syscalls_row *r = builder_row(b, TABLE_syscalls);
	struct hist_acc acc = {};
	const struct snapshot *s;

	(void)state;
	for (int i = 0; i < 99; i++)
		hist_acc_value(&acc, 1000);
	hist_acc_value(&acc, 5000000);
	r->pid = r->start_time_ns = r->nr = 1;
	r->hist_tick = hist_seal(&acc);
	s = builder_seal(b);
	r = (struct syscalls_row *)s->tables[TABLE_syscalls].rows[0];
	assert_true(r->p50_ns > 900 && r->p50_ns < 1100);
	assert_true(r->p99_ns < 1100);
	assert_int_equal(r->max_ns, 5000000);
	snapshot_put(s);
}

static void schema_is_sound(void **state)
{
	(void)state;
	for (int t = 0; t < N_TABLES; t++) {
		const struct table_desc *d = &table_descs[t];
		u32 n_strs = 0, n_hists = 0;

		assert_int_equal(table_by_name(d->name), t);
		assert_true(d->n_keys > 0 || (d->flags & T_SINGLE));
		for (u32 i = 0; i < d->n_fields; i++) {
			assert_int_equal(table_field(t, d->fields[i].name), (int)i);
			assert_true(strlen(d->fields[i].help) > 0);
			if (d->fields[i].type != FT_SUB)
				assert_true(d->fields[i].offset >= sizeof(struct row));
			if (d->fields[i].type == FT_STR)
				assert_int_equal(d->strs[n_strs++], d->fields[i].offset);
			if (d->fields[i].type == FT_HIST)
				assert_int_equal(d->hists[n_hists++], d->fields[i].offset);
		}
		assert_int_equal(n_strs, d->n_strs);
		assert_int_equal(n_hists, d->n_hists);
	}
	assert_int_equal(table_by_name("nonsense"), -1);
	assert_int_equal(table_field(TABLE_host, "nonsense"), -1);
}

static void only_a_row_of_ones_own_is_changed(void **state)
{
	struct processes_row *r = row_new(TABLE_processes), *own;
	const struct row *sealed;

	(void)state;
	r->comm = str_new("before");
	assert_ptr_equal(row_own(&r->row), r);	/* not shared */
	sealed = row_get(&r->row);
	own = row_own(&r->row);
	assert_ptr_not_equal(own, r);
	assert_true(row_equal(&own->row, sealed));
	str_set(&own->comm, str_new("after"));
	assert_string_equal(((const struct processes_row *)sealed)->comm, "before");
	row_put(sealed);
	assert_ptr_equal(row_own(&own->row), own);
	row_put(&own->row);
}

/* A table that was not read keeps its rows, status and order, except for ended objects. */
static void a_table_is_kept(void **state)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *first, *kept;
	const struct table *t;

	(void)state;
	add(b, 10, 1, "a");
	add(b, 20, 1, "ended")->row.closed = true;
	add(b, 30, 1, "c");
	builder_status(b, TABLE_processes, TS_PARTIAL, "some", 7);
	first = builder_seal(b);
	b = builder_new(first, &session);
	builder_keep(b, TABLE_processes);
	kept = builder_seal(b);
	t = &kept->tables[TABLE_processes];
	assert_int_equal(t->n, 2);
	assert_ptr_equal(t->rows[0], first->tables[TABLE_processes].rows[0]);
	assert_ptr_equal(t->rows[1], first->tables[TABLE_processes].rows[2]);
	assert_int_equal(t->status, TS_PARTIAL);
	assert_string_equal(t->reason, "some");
	assert_int_equal(t->interval_ns, 0);
	snapshot_put(first);
	b = builder_new(kept, &session);	/* what is added to it is put in its place */
	builder_keep(b, TABLE_processes);
	add(b, 5, 1, "new");
	first = builder_seal(b);
	assert_int_equal(first->tables[TABLE_processes].n, 3);
	assert_int_equal(((struct processes_row *)first->tables[TABLE_processes].rows[0])->pid, 5);
	snapshot_put(first);
	snapshot_put(kept);
	b = builder_new(NULL, &session);	/* nothing was before */
	builder_keep(b, TABLE_processes);
	first = builder_seal(b);
	assert_int_equal(first->tables[TABLE_processes].n, 0);
	snapshot_put(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_shared_and_freed),
		cmocka_unit_test(rows_are_sorted_and_later_wins),
		cmocka_unit_test(equal_rows_are_shared),
		cmocka_unit_test(unknown_is_not_zero),
		cmocka_unit_test(reused_pid_is_another_process),
		cmocka_unit_test(quantiles_come_from_the_interval),
		cmocka_unit_test(schema_is_sound),
		cmocka_unit_test(a_table_is_kept),
		cmocka_unit_test(only_a_row_of_ones_own_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
