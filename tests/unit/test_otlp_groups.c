// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggregated rows: the series add up to the total; which groups have their own; groups outlive
 * their rows; ottop's own requests are left out; and a process that changes its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/groupings.h"

#define T0 1000

static struct session session = { .host_name = "h", .arch = "x86_64", .kernel = "6.1" };
static struct otlp_config config;

static const struct otlp_grouping *grouping_of(enum table_id t)
{
	for (u32 i = 0; i < N_GROUPINGS; i++)
		if (otlp_groupings[i].table == t)
			return &otlp_groupings[i];
	return NULL;
}

/* ---- ticks of http_durations -------------------------------------------------------------------- */

struct served {
	u64 pid, status, n;	/* n requests of 1 ms each since the process began */
	const char *comm;
	bool closed;
};

static const struct snapshot *tick_of(u64 seq, const struct served *all, u32 n)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, (T0 + seq) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	for (u32 i = 0; i < n; i++) {
		struct http_durations_row *r = builder_row(b, TABLE_http_durations);

		r->row.first_seen_ns = T0 * NSEC_PER_SEC;
		r->row.closed = all[i].closed;
		r->pid = all[i].pid;
		r->start_time_ns = 1;
		r->side = str_new("server");
		r->protocol = str_new("http/1.1");
		r->method = str_new("GET");
		r->call = str_new("");
		r->peer = str_new("");
		r->status = all[i].status;
		r->comm = str_new(all[i].comm);
		r->total_ns = all[i].n * NSEC_PER_MSEC;
		r->to_5ms = all[i].n;
	}
	builder_status(b, TABLE_http_durations, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

struct seen {
	u64 all, rest, starts;	/* requests; in the series of others; sum of starts in s */
	u32 series;
	double sum;
};

/* One export as cumulative values, or (deltas) the growth since the last one. */
static struct seen export(struct otlp_groups *g, const struct snapshot *s, struct otlp_series *deltas)
{
	struct scratch scratch = { 0 };
	struct seen seen = { 0 };
	struct metrics m;

	metrics_begin(&m, &scratch, s->time_ns, 0);
	m.deltas = deltas;
	otlp_groups_export(g, s, &config, &m);
	for (size_t r = 0; r < m.request->n_resource_metrics; r++) {
		const Otlp__ScopeMetrics *scope = m.request->resource_metrics[r]->scope_metrics[0];

		for (size_t k = 0; k < scope->n_metrics; k++) {
			const Otlp__Histogram *h = scope->metrics[k]->histogram;

			assert_int_equal(h->aggregation_temporality, deltas ? OTLP__TEMPORALITY__DELTA :
									      OTLP__TEMPORALITY__CUMULATIVE);
			for (size_t i = 0; i < h->n_data_points; i++) {
				seen.all += h->data_points[i]->count;
				seen.sum += h->data_points[i]->sum;
				seen.starts += h->data_points[i]->start_time_unix_nano / NSEC_PER_SEC;
				seen.series++;
				if (!strcmp(scope->metrics[k]->name, "ottop.http.request.duration"))
					seen.rest += h->data_points[i]->count;
			}
		}
	}
	otlp_groups_end(g);
	scratch_free(&scratch);
	return seen;
}

static void take(struct otlp_groups *g, const struct snapshot **last, const struct snapshot *s)
{
	otlp_groups_take(g, *last, s);
	snapshot_put(*last);
	*last = s;
}

/* Processes of one name are one series, which continues after they ended. */
static void programs(void **state)
{
	const struct served one[] = { { 10, 200, 5, "a" , 0 }, { 11, 200, 7, "a", 0 }, { 12, 200, 1, "b", 0 } };
	const struct served two[] = { { 10, 200, 6, "a" , 1 }, { 11, 200, 9, "a", 0 }, { 12, 200, 1, "b", 0 } };
	const struct served three[] = { { 11, 200, 9, "a", 0 }, { 12, 404, 2, "b", 0 } };
	struct otlp_groups *g = otlp_groups_new(grouping_of(TABLE_http_durations), 10);
	const struct snapshot *last = NULL;
	struct seen seen;

	(void)state;
	take(g, &last, tick_of(1, one, ARRAY_SIZE(one)));
	seen = export(g, last, NULL);
	assert_int_equal(seen.all, 13);
	assert_int_equal(seen.series, 2);
	assert_int_equal(seen.starts, 2 * T0);
	take(g, &last, tick_of(2, two, ARRAY_SIZE(two)));
	seen = export(g, last, NULL);
	assert_int_equal(seen.all, 16);
	assert_true(seen.sum > 0.0159 && seen.sum < 0.0161);
	take(g, &last, tick_of(3, three, ARRAY_SIZE(three)));
	seen = export(g, last, NULL);
	assert_int_equal(seen.all, 18);	/* what has ended stays counted */
	assert_int_equal(seen.series, 3);
	otlp_groups_free(g);
	snapshot_put(last);
}

/* The busiest have series of their own and keep them; the others share one. */
static void the_rest(void **state)
{
	struct otlp_groups *g = otlp_groups_new(grouping_of(TABLE_http_durations), 2);
	struct served all[] = { { 1, 200, 50, "a", 0 }, { 2, 200, 40, "b", 0 }, { 3, 200, 3, "c", 0 },
				{ 4, 200, 2, "d", 0 } };
	const struct snapshot *last = NULL;
	struct seen seen;

	(void)state;
	take(g, &last, tick_of(1, all, ARRAY_SIZE(all)));
	seen = export(g, last, NULL);
	assert_int_equal(seen.series, 3);
	assert_int_equal(seen.all, 95);
	assert_int_equal(seen.rest, 5);
	all[3].n += 1000;	/* too late: a series that is there does not go */
	take(g, &last, tick_of(2, all, ARRAY_SIZE(all)));
	seen = export(g, last, NULL);
	assert_int_equal(seen.all, 1095);
	assert_int_equal(seen.rest, 1005);
	for (u64 seq = 3; seq < 20; seq++) {	/* a and b rest: their places are others' then */
		all[2].n++;
		take(g, &last, tick_of(seq, all, ARRAY_SIZE(all)));
		seen = export(g, last, NULL);
	}
	/* a and b did nothing from the 2nd to the 11th; until then c had no place */
	assert_int_equal(seen.rest, 1005 + 9);
	assert_int_equal(seen.all, 1005 + 17);
	otlp_groups_free(g);
	snapshot_put(last);
}

static void deltas(void **state)
{
	struct otlp_groups *g = otlp_groups_new(grouping_of(TABLE_http_durations), 1);
	struct served all[] = { { 1, 200, 50, "a", 0 }, { 2, 200, 4, "b", 0 } };
	struct otlp_series *series = otlp_series_new();
	const struct snapshot *last = NULL;
	struct seen seen;

	(void)state;
	take(g, &last, tick_of(1, all, 2));
	assert_int_equal(export(g, last, series).all, 54);
	all[0].n += 3;
	all[1].n += 2;
	take(g, &last, tick_of(2, all, 2));
	seen = export(g, last, series);
	assert_int_equal(seen.all, 5);
	assert_int_equal(seen.rest, 2);
	assert_int_equal(seen.starts, 2 * (T0 + 1));	/* since the last export */
	take(g, &last, tick_of(3, all, 2));
	assert_int_equal(export(g, last, series).all, 0);
	otlp_series_free(series);
	otlp_groups_free(g);
	snapshot_put(last);
}

/* Exporting ottop's own posts would cause more posts. */
static void not_our_own(void **state)
{
	const struct served all[] = { { 10, 200, 5, "a", 0 }, { (u64)getpid(), 200, 70, "ottop", 0 } };
	struct otlp_groups *g = otlp_groups_new(grouping_of(TABLE_http_durations), 10);
	const struct snapshot *last = NULL;

	(void)state;
	take(g, &last, tick_of(1, all, ARRAY_SIZE(all)));
	assert_int_equal(export(g, last, NULL).all, 5);
	otlp_groups_free(g);
	snapshot_put(last);
}

/* ---- system calls of a process that has another name then --------------------------------------- */

static const struct hist *hist_of(u64 n)
{
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));
	const struct hist *h;

	while (n--)
		hist_acc_value(acc, 1000);
	h = hist_seal(acc);
	free(acc);
	return h;
}

/* Each of its calls failed. */
static const struct snapshot *calls_of(u64 seq, const char *comm, const char *user, u64 reads, u64 writes)
{
	const struct { const char *name; u64 nr, n; } calls[] = { { "read", 0, reads }, { "write", 1, writes } };
	struct builder *b = builder_new(NULL, &session);
	struct processes_row *p;

	builder_time(b, seq, (T0 + seq) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	p = builder_row(b, TABLE_processes);
	p->pid = 10;
	p->start_time_ns = 1;
	p->comm = str_new(comm);
	p->user = str_new(user);
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		struct syscalls_row *r;

		if (!calls[i].n)
			continue;
		r = builder_row(b, TABLE_syscalls);
		r->row.first_seen_ns = T0 * NSEC_PER_SEC;
		r->pid = 10;
		r->start_time_ns = 1;
		r->abi = str_new("x86_64");
		r->syscall = str_new(calls[i].name);
		r->nr = calls[i].nr;
		r->errors = calls[i].n;
		r->hist = hist_of(calls[i].n);
	}
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

/* Calls by their durations; as many have failed. */
static u64 count_of(const Otlp__ScopeMetrics *scope)
{
	u64 failed = 0, n = 0;

	for (size_t k = 0; k < scope->n_metrics; k++) {
		const Otlp__Metric *m = scope->metrics[k];

		for (size_t i = 0; m->data_case == OTLP__METRIC__DATA_SUM && i < m->sum->n_data_points; i++)
			failed += (u64)m->sum->data_points[i]->as_int;
		for (size_t i = 0; m->data_case != OTLP__METRIC__DATA_SUM &&
		     i < m->exponential_histogram->n_data_points; i++)
			n += m->exponential_histogram->data_points[i]->count;
	}
	assert_int_equal(failed, n);
	return n;
}

/* "NAME OWNER CALLS;" of each resource of an export */
static const char *calls_by_name(struct otlp_groups *g, const struct snapshot *s, struct otlp_series *deltas)
{
	static char text[400];
	struct scratch scratch = { 0 };
	struct metrics m;
	size_t at = 0;

	*text = 0;
	metrics_begin(&m, &scratch, s->time_ns, 0);
	m.deltas = deltas;
	otlp_groups_export(g, s, &config, &m);
	for (size_t r = 0; r < m.request->n_resource_metrics; r++) {
		const Otlp__ResourceMetrics *from = m.request->resource_metrics[r];
		u64 n = from->scope_metrics[0]->n_metrics ? count_of(from->scope_metrics[0]) : 0;

		for (size_t i = 0; n && i < from->resource->n_attributes; i++)
			if (!strcmp(from->resource->attributes[i]->key, "service.name") ||
			    !strcmp(from->resource->attributes[i]->key, "process.owner"))
				at += (size_t)snprintf(text + at, sizeof(text) - at, "%s ",
						       from->resource->attributes[i]->value->string_value);
		if (n)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%llu;", (unsigned long long)n);
	}
	otlp_groups_end(g);
	scratch_free(&scratch);
	return text;
}

/* What was exported under the old name is not exported again under the new one. */
static void another_name(void **state)
{
	const struct otlp_grouping *of = grouping_of(TABLE_syscalls);
	struct otlp_groups *g = otlp_groups_new(of, 10);
	const struct snapshot *last = NULL;

	(void)state;
	take(g, &last, calls_of(1, "sh", "u", 5, 0));
	assert_string_equal(calls_by_name(g, last, NULL), "sh u 5;");
	take(g, &last, calls_of(2, "gcc", "u", 8, 4));	/* the change is in between; write is new */
	assert_string_equal(calls_by_name(g, last, NULL), "sh u 8;gcc u 4;");
	take(g, &last, calls_of(3, "gcc", "u", 10, 5));
	assert_string_equal(calls_by_name(g, last, NULL), "gcc u 7;");
	take(g, &last, calls_of(4, "gcc", "nobody", 11, 5));
	assert_string_equal(calls_by_name(g, last, NULL), "gcc u 8;");
	take(g, &last, calls_of(5, "gcc", "nobody", 11, 7));
	assert_string_equal(calls_by_name(g, last, NULL), "gcc nobody 2;");
	otlp_groups_free(g);
	snapshot_put(last);
}

static void another_name_deltas(void **state)
{
	struct otlp_groups *g = otlp_groups_new(grouping_of(TABLE_syscalls), 10);
	struct otlp_series *series = otlp_series_new();
	const struct snapshot *last = NULL;

	(void)state;
	take(g, &last, calls_of(1, "sh", "u", 5, 0));
	assert_string_equal(calls_by_name(g, last, series), "sh u 5;");
	take(g, &last, calls_of(2, "gcc", "u", 8, 0));
	assert_string_equal(calls_by_name(g, last, series), "sh u 3;");
	take(g, &last, calls_of(3, "gcc", "u", 10, 0));
	assert_string_equal(calls_by_name(g, last, series), "gcc u 2;");
	otlp_series_free(series);
	otlp_groups_free(g);
	snapshot_put(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(deltas),
		cmocka_unit_test(not_our_own),
		cmocka_unit_test(another_name),
		cmocka_unit_test(another_name_deltas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
