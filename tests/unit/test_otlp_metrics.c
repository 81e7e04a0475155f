// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics of synthetic ticks: the grammar of the schema's column, which processes have series of
 * their own, and that all series add up to all processes, cumulative and as deltas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/processes.h"

static struct session session = { .host_name = "h", .arch = "x86_64", .kernel = "6.1" };
static struct otlp_config config;

/* ---- the grammar ------------------------------------------------------------------------ */

static void grammar(void **state)
{
	struct field f = { .type = FT_U64, .kind = FK_COUNTER, .format = FF_BYTES };
	struct otlp_metric m;

	f.metric = "";
	assert_false(otlp_metric_of(&f, &m));
	f.metric = "a.b{c.d=e} {thing}";
	assert_true(otlp_metric_of(&f, &m));
	assert_string_equal(m.name, "a.b");
	assert_string_equal(m.key, "c.d");
	assert_string_equal(m.value, "e");
	assert_string_equal(m.unit, "{thing}");
	f.metric = "a";
	assert_true(otlp_metric_of(&f, &m));
	assert_string_equal(m.unit, "By");
	assert_string_equal(m.key, "");
	assert_int_equal(m.kind, OTLP_COUNTER);
	assert_true(m.is_integer);
	assert_false(otlp_metric_nth(&f, 1, &m));
	f.metric = "a.b{c.d=e} {thing};f{g=h}";
	assert_true(otlp_metric_of(&f, &m));
	assert_string_equal(m.unit, "{thing}");
	assert_true(otlp_metric_nth(&f, 1, &m));
	assert_string_equal(m.name, "f");
	assert_string_equal(m.value, "h");
	assert_string_equal(m.unit, "By");
	assert_false(otlp_metric_nth(&f, 2, &m));
}

/* Names, keys and units of the schema fit, and no two fields are the same series. */
static void the_schema_is_right(void **state)
{
	for (int t = 0; t < N_TABLES; t++) {
		const struct table_desc *d = &table_descs[t];

		for (u32 i = 0; i < d->n_fields; i++) {
			struct otlp_metric a, b;
			char again[120];

			if (!otlp_metric_of(&d->fields[i], &a) || a.kind == OTLP_ATTRIBUTE)
				continue;
			snprintf(again, sizeof(again), *a.key ? "%s{%s=%s}" : "%s", a.name, a.key,
				 a.value);
			assert_int_equal(strncmp(d->fields[i].metric, again, strlen(again)), 0);
			for (u32 k = 0; k < i; k++) {
				if (!otlp_metric_of(&d->fields[k], &b) || strcmp(a.name, b.name))
					continue;
				if (!strcmp(a.value, b.value) || strcmp(a.unit, b.unit) ||
				    strcmp(a.key, b.key) || a.kind != b.kind)
					fail_msg("%s: %s twice", d->name, a.name);
			}
		}
	}
}

/* ---- processes -------------------------------------------------------------------------- */

#define N_PIDS 40
#define TICKS 60
#define SERIES 5

/* A process of the made-up machine. */
struct life {
	u64 pid, start_ns, cpu_ns, grew;
	bool there, ends;
	u32 away;	/* it is out of the scope, and comes back in so many ticks; it does nothing then */
};

static u64 rng = 1;

static u32 random_below(u32 n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)((rng >> 33) % n);
}

/* One more tick: some are born, work, and end. *total: CPU time of all since the first tick. */
static const struct snapshot *next_tick(struct life *lives, u64 seq, u64 *total)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, seq * NSEC_PER_SEC, 1700000000 * (s64)NSEC_PER_SEC + (s64)random_below(999),
		     NSEC_PER_SEC);
	((struct host_row *)builder_row(b, TABLE_host))->cpus = 2;
	builder_status(b, TABLE_host, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 i = 0; i < N_PIDS; i++) {
		struct life *l = &lives[i];
		struct processes_row *p;
		bool back, dips;

		if (l->ends)
			l->there = l->ends = false;
		if (!l->there && random_below(4))
			continue;
		if (!l->there)
			*l = (struct life){ i + 1, seq * NSEC_PER_SEC - 1, 0, 0, true, false, 0 };
		if (seq == 1)	/* older than ottop, and it has worked before */
			l->start_ns = 1, l->cpu_ns = 5000000;
		back = l->away == 1;
		if (l->away && --l->away)
			continue;
		l->grew = back || random_below(3) ? 0 : random_below(1000000) + 1;
		l->cpu_ns += l->grew;
		*total += seq == 1 ? 0 : l->grew;
		l->ends = !random_below(6);
		if (!l->ends && l->start_ns + 3 * NSEC_PER_SEC < seq * NSEC_PER_SEC && !random_below(9))
			l->away = 2 + random_below(6);
		/* a thread of it ends while its numbers are read: they are too low in this tick */
		dips = seq > 1 && seq < TICKS && !back && !l->ends && !l->away && !random_below(4);
		p = builder_row(b, TABLE_processes);
		p->pid = l->pid;
		p->start_time_ns = l->start_ns;
		p->comm = str_new(random_below(8) ? "w" : "renamed");
		p->user = str_new(random_below(8) ? "u" : "root");
		p->cpu_ns = dips ? l->cpu_ns - l->cpu_ns / (2 + random_below(30)) : l->cpu_ns;
		p->cpu_pct = (float)l->grew / 1e7f;
		p->rss_bytes = 4096 * (i + 1);
		p->row.closed = l->ends;
		p->row.first_seen_ns = l->start_ns;
	}
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

/* The last value of each series of process.cpu.time. */
struct sums {
	struct { char resource[64]; u64 start, end; double value, base; } series[4000];
	u32 n;
};

static const char *attribute_of(const Otlp__ResourceMetrics *r, const char *key)
{
	for (size_t i = 0; i < r->resource->n_attributes; i++)
		if (!strcmp(r->resource->attributes[i]->key, key))
			return r->resource->attributes[i]->value->string_value;
	return "";
}

/* Which resource: the same process under another name or of another owner is another one. */
static const char *resource_of(const Otlp__ResourceMetrics *r)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s %s %s", attribute_of(r, "service.name"), attribute_of(r, "process.owner"),
		 attribute_of(r, "service.instance.id"));
	return text;
}

static const Otlp__Sum *cpu_time_of(const Otlp__ResourceMetrics *r)
{
	const Otlp__ScopeMetrics *scope = r->scope_metrics[0];

	for (size_t i = 0; i < scope->n_metrics; i++)
		if (!strcmp(scope->metrics[i]->name, "process.cpu.time"))
			return scope->metrics[i]->sum;
	return NULL;
}

/* Cumulative: the last value holds. Delta: points add up. What was before the first export is
 * the base. */
static void add_point(struct sums *x, const char *resource, const Otlp__NumberPoint *p,
		      bool delta, bool first)
{
	u32 i = 0;

	while (i < x->n && (strcmp(x->series[i].resource, resource) ||
			    (!delta && x->series[i].start != p->start_time_unix_nano)))
		i++;
	if (i == x->n) {
		x->n++;
		snprintf(x->series[i].resource, 64, "%s", resource);
		x->series[i].start = p->start_time_unix_nano;
		x->series[i].value = 0;
		x->series[i].base = first ? p->as_double : 0;
	} else if (delta) {	/* a point begins where the one before ended, or later */
		assert_true(p->start_time_unix_nano >= x->series[i].end);
	}
	x->series[i].end = p->time_unix_nano;
	x->series[i].value = p->as_double + (delta ? x->series[i].value : 0);
}

static void read_export(struct sums *x, const Otlp__MetricsRequest *r, bool delta, bool first)
{
	for (size_t i = 0; i < r->n_resource_metrics; i++) {
		const Otlp__Sum *sum = cpu_time_of(r->resource_metrics[i]);

		if (!sum)
			continue;
		assert_int_equal(sum->n_data_points, 1);
		assert_int_equal(sum->aggregation_temporality, delta ? OTLP__TEMPORALITY__DELTA :
								       OTLP__TEMPORALITY__CUMULATIVE);
		add_point(x, resource_of(r->resource_metrics[i]), sum->data_points[0], delta, first);
	}
}

/* The processes with gauges in each export, and those in the export before. */
struct levels {
	char now[4 * SERIES][64], before[4 * SERIES][64];
	u32 n_now, n_before;
};

static bool is_one_of(char (*names)[64], u32 n, const char *name)
{
	for (u32 i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static const Otlp__NumberPoint *memory_of(const Otlp__ResourceMetrics *r)
{
	const Otlp__ScopeMetrics *scope = r->scope_metrics[0];

	for (size_t i = 0; i < scope->n_metrics; i++)
		if (!strcmp(scope->metrics[i]->name, "process.memory.usage"))
			return scope->metrics[i]->sum->data_points[0];
	return NULL;
}

/* Each process with gauges in the previous export has them, or an explicit end. */
static void read_levels(struct levels *x, const Otlp__MetricsRequest *r)
{
	u32 ended = 0;	/* or exported again */

	memcpy(x->before, x->now, sizeof(x->now));
	x->n_before = x->n_now;
	x->n_now = 0;
	for (size_t i = 0; i < r->n_resource_metrics; i++) {
		const Otlp__NumberPoint *p = memory_of(r->resource_metrics[i]);
		const char *name = resource_of(r->resource_metrics[i]);
		bool was = is_one_of(x->before, x->n_before, name);

		if (!p || strstr(name, "ottop.other"))
			continue;
		assert_int_equal(p->flags, p->value_case == OTLP__NUMBER_POINT__VALUE__NOT_SET);
		if (p->flags)
			ended += was;
		else
			strcpy(x->now[x->n_now++], name);
	}
	for (u32 i = 0; i < x->n_before; i++)
		ended += is_one_of(x->now, x->n_now, x->before[i]);
	assert_int_equal(ended, x->n_before);
}

static void all_series_are_all_that_was_done(void **state)
{
	bool delta = *(bool *)*state;
	struct otlp_series *deltas = delta ? otlp_series_new() : NULL;
	struct otlp_processes *p = otlp_processes_new(SERIES);
	static struct life lives[N_PIDS];
	static struct sums sums;
	static struct levels levels;
	u64 total = 0;
	double got = 0;

	memset(lives, 0, sizeof(lives));
	sums.n = 0;
	levels = (struct levels){ 0 };
	for (u64 seq = 1; seq <= TICKS; seq++) {
		const struct snapshot *s = next_tick(lives, seq, &total);

		otlp_processes_take(p, s);
		if (seq % 4 == 1 || seq == TICKS) {
			struct scratch scratch = { 0 };
			struct metrics m;
			size_t n;
			u8 *data;
			Otlp__MetricsRequest *r;

			metrics_begin(&m, &scratch, unix_ns(s, s->time_ns), 1700000000 * (s64)NSEC_PER_SEC);
			m.deltas = deltas;
			otlp_processes_export(p, s, &config, &m);
			data = metrics_pack(&m, &n);
			assert_non_null(data);
			r = otlp__metrics_request__unpack(NULL, n, data);
			assert_non_null(r);
			/* those that go on, those that lose their series or have ended, old names, the rest */
			assert_true(r->n_resource_metrics <= 4 * SERIES + 1);
			read_export(&sums, r, delta, seq == 1);
			read_levels(&levels, r);
			otlp__metrics_request__free_unpacked(r, NULL);
			free(data);
			scratch_free(&scratch);
			if (deltas)
				otlp_series_end(deltas);
		}
		snapshot_put(s);
	}
	for (u32 i = 0; i < sums.n; i++)
		got += sums.series[i].value - sums.series[i].base;
	assert_true(sums.n > SERIES + 1);	/* series did come and go */
	assert_float_equal(got, (double)total / 1e9, 1e-9);
	otlp_processes_free(p);
	otlp_series_free(deltas);
}

/* ---- deltas ------------------------------------------------------------------------------- */

static void deltas(void **state)
{
	struct otlp_series *s = otlp_series_new();
	u64 start = 5;

	assert_int_equal(otlp_series_advance(s, 1, 100, 10, &start), 100);
	assert_int_equal(start, 5);	/* its own */
	otlp_series_end(s);
	assert_int_equal(otlp_series_advance(s, 1, 130, 20, &start), 30);
	assert_int_equal(start, 10);
	otlp_series_end(s);
	assert_int_equal(otlp_series_advance(s, 1, 7, 30, &start), 7);	/* it began anew */
	for (u64 key = 2; key < 5000; key++)
		assert_int_equal(otlp_series_advance(s, key, key, 30, &start), key);
	for (u64 key = 2; key < 5000; key++)
		assert_int_equal(otlp_series_advance(s, key, 2 * key, 40, &start), key);
	assert_int_equal(otlp_series_count(s), 4999);
	for (u32 i = 0; i < 40; i++) {	/* only one of them goes on */
		otlp_series_advance(s, 77, 1000 + i, 50, &start);
		otlp_series_end(s);
	}
	assert_int_equal(otlp_series_count(s), 1);
	assert_int_equal(otlp_series_advance(s, 77, 1040, 60, &start), 1);
	otlp_series_free(s);
}

int main(void)
{
	static bool cumulative = false, delta = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(the_schema_is_right),
		cmocka_unit_test_prestate(all_series_are_all_that_was_done, &cumulative),
		cmocka_unit_test_prestate(all_series_are_all_that_was_done, &delta),
		cmocka_unit_test(deltas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
