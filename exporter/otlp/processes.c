// SPDX-License-Identifier: GPL-2.0-or-later
/* processes.c: see processes.h. */
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/processes.h"

/* A process of the last tick, or one with series that ended since the last export. */
struct tracked {
	u64 pid, start_ns;
	const struct processes_row *row;	/* its latest row; counted */
	const struct processes_row *exported_row;	/* its row as exported last; counted, or NULL */
	bool own;		/* has its own series */
	bool leaving;		/* exports its last points */
	bool gone;		/* its row disappeared without an end: it left the scope */
	u64 own_from_ns;	/* CLOCK_BOOTTIME: start of its series, if after its own; else 0 */
	u64 base[PROCESS_METRICS_MAX];	/* counters at own_from_ns */
	/* Maxima of its counters, which may fall for a tick when a thread ends meanwhile. */
	u64 counted[PROCESS_METRICS_MAX];
	u64 exported[PROCESS_METRICS_MAX];	/* counters as exported last */
	float score;		/* for choosing the busiest in this export */
};

struct otlp_processes {
	u32 max;
	struct otlp_metric metrics[PROCESS_METRICS_MAX];
	u32 n_metrics;
	struct tracked *tracked;	/* in table order */
	u32 n, cap;
	bool begun;
	u64 begun_ns, exported_ns;	/* CLOCK_BOOTTIME: first tick, last export */
	u64 taken_ns[2];	/* times of the tick before the last, and of the last */
	u64 rest[PROCESS_METRICS_MAX];	/* counters of processes without series, since begun_ns */
};

struct otlp_processes *otlp_processes_new(u32 max)
{
	const struct table_desc *d = &table_descs[TABLE_processes];
	struct otlp_processes *p = xcalloc(1, sizeof(*p));

	p->max = max;
	for (u32 i = 0; i < d->n_fields && p->n_metrics < PROCESS_METRICS_MAX; i++)
		if (otlp_metric_of(&d->fields[i], &p->metrics[p->n_metrics]) &&
		    p->metrics[p->n_metrics].kind != OTLP_ATTRIBUTE)
			p->n_metrics++;
	return p;
}

static u64 counter_of(const struct otlp_processes *p, u32 i, const struct processes_row *r)
{
	return p->metrics[i].kind == OTLP_COUNTER ? row_u64(&r->row, p->metrics[i].field) :
						    U64_UNKNOWN;
}

/* ---- taking in a tick ---------------------------------------------------------------------- */

static int order(const struct tracked *t, const struct processes_row *r)
{
	return cmp(t->pid, r->pid) ?: cmp(t->start_ns, r->start_time_ns);
}

/*
 * Adds growth since the last tick to the rest, for a process without series. A new process grew
 * from zero if it began after the tick before the last, because its events may come a tick late. An
 * older one without a row in the last tick was out of scope, and its earlier work has been counted.
 */
static void count_growth(struct otlp_processes *p, struct tracked *t, const struct processes_row *r)
{
	bool born = !t->row && p->begun && r->start_time_ns >= max(p->begun_ns, p->taken_ns[0]);

	for (u32 i = 0; i < p->n_metrics; i++) {
		u64 now = counter_of(p, i, r), from = t->row ? t->counted[i] : born ? 0 : now;

		if (!t->row)
			t->counted[i] = now;
		if (!u64_known(now))
			continue;
		t->counted[i] = u64_known(from) ? max(from, now) : now;
		if (!t->own && u64_known(from))
			p->rest[i] += t->counted[i] - from;
	}
}

static bool has_ended(const struct tracked *t)
{
	return t->gone || t->row->row.closed;
}

static void forget(struct tracked *t)
{
	ROW_KEEP(t->row, NULL);
	ROW_KEEP(t->exported_row, NULL);
}

static void take_row(struct otlp_processes *p, struct tracked *t, const struct processes_row *r)
{
	count_growth(p, t, r);
	t->pid = r->pid;
	t->start_ns = r->start_time_ns;
	ROW_KEEP(t->row, r);
}

/* Merges the old list with the table, both ordered by key. */
void otlp_processes_take(struct otlp_processes *p, const struct snapshot *s)
{
	const struct table *table = &s->tables[TABLE_processes];
	struct tracked *old = p->tracked;
	u32 n_old = p->n, i = 0;

	p->tracked = NULL;
	p->n = p->cap = 0;
	for (u32 k = 0; k < table->n || i < n_old; ) {
		const struct processes_row *r = k < table->n ? processes_row(table->rows[k]) : NULL;
		int c = i == n_old ? 1 : r ? order(&old[i], r) : -1;
		struct tracked t = c <= 0 ? old[i++] : (struct tracked){ 0 };

		k += c >= 0;
		if (c < 0 && !t.own) {
			forget(&t);
			continue;
		}
		t.gone = c < 0;		/* kept until its last values are exported */
		if (c >= 0)
			take_row(p, &t, r);
		p->tracked = grow(p->tracked, p->n, &p->cap, sizeof(t));
		p->tracked[p->n++] = t;
	}
	free(old);
	if (!p->begun)
		p->begun_ns = s->time_ns;
	p->begun = true;
	p->taken_ns[0] = p->taken_ns[1];
	p->taken_ns[1] = s->time_ns;
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* By CPU, idle ones by memory; a process keeps its series unless another is twice as busy. */
static float score_of(const struct tracked *t)
{
	float score = f32_known(t->row->cpu_pct) ? t->row->cpu_pct : 0;

	if (u64_known(t->row->rss_bytes))
		score += (float)t->row->rss_bytes / (float)(1ull << 40);
	return t->own ? 2 * score + 1e-6f : score;
}

static int by_score(const void *a, const void *b)
{
	const struct tracked *x = *(struct tracked *const *)a, *y = *(struct tracked *const *)b;

	return cmp(y->score, x->score) ?: cmp(x, y);	/* the older one */
}

/* Starts a series with what was before the first tick; what came since is in the rest. */
static void give_series(struct otlp_processes *p, struct tracked *t, u64 now_ns, bool first)
{
	t->own = true;
	t->own_from_ns = first ? 0 : now_ns;
	for (u32 i = 0; i < p->n_metrics; i++)
		t->base[i] = t->counted[i];
}

/*
 * A process that ended without series gets none; one that ended with them keeps them for its last
 * values. One that loses its series exports a last point; growth since the one before is not in the
 * rest.
 */
static void choose(struct otlp_processes *p, u64 now_ns, bool first)
{
	struct tracked **sorted = xmalloc((p->n + 1) * sizeof(*sorted));
	u32 n = 0, left = p->max;

	for (u32 i = 0; i < p->n; i++) {
		struct tracked *t = &p->tracked[i];

		if (has_ended(t)) {
			left -= t->own && left;
			continue;
		}
		t->score = score_of(t);
		sorted[n++] = t;
	}
	qsort(sorted, n, sizeof(*sorted), by_score);
	for (u32 i = 0; i < n; i++) {
		if (i >= left)
			sorted[i]->leaving = sorted[i]->own;
		else if (!sorted[i]->own)
			give_series(p, sorted[i], now_ns, first);
	}
	free(sorted);
}

/* ---- points ------------------------------------------------------------------------------------ */

/* Counters of the conventions start with the process, ottop's own when first seen. */
static u64 start_of(const struct tracked *t, const struct otlp_metric *metric)
{
	if (t->own_from_ns)
		return t->own_from_ns;
	if (strncmp(metric->name, "process.", 8) && t->row->row.first_seen_ns)
		return t->row->row.first_seen_ns;
	return t->start_ns;
}

/* Of a process 100 % is one CPU, in the semantic conventions 1 is all CPUs. */
static double scale_of(const struct otlp_metric *metric, u32 cpus)
{
	return strcmp(metric->name, "process.cpu.utilization") ? metric->scale :
								 metric->scale / cpus;
}

static void put_value(struct otlp_processes *p, u32 i, const struct tracked *t, u32 cpus,
		      struct metrics *m)
{
	const struct otlp_metric *metric = &p->metrics[i];
	u64 start = start_of(t, metric), value;

	if (metric->field->type == FT_F32) {
		float f = row_f32(&t->row->row, metric->field);

		if (f32_known(f))
			metrics_double(m, metric, NULL, start, (double)f * scale_of(metric, cpus));
		return;
	}
	value = metric->kind == OTLP_COUNTER ? t->counted[i] : row_u64(&t->row->row, metric->field);
	if (metric->kind == OTLP_COUNTER && t->own_from_ns)
		value = u64_known(t->base[i]) ? counter_growth(t->base[i], value) : U64_UNKNOWN;
	if (!u64_known(value))
		return;
	metrics_u64(m, metric, NULL, start, value);
}

/* An ended process has no gauges any more; those of a process losing its series are in the rest. */
static bool has_levels(const struct tracked *t)
{
	return t->own && !t->leaving && !has_ended(t);
}

static void begin_resource(const struct processes_row *r, const struct snapshot *s,
			   const struct otlp_config *config, struct metrics *m)
{
	struct attributes a = { 0 };

	message_add_process(m->scratch, &a, s->session, config, r);
	metrics_resource(m, &a);
}

static void end_levels(const struct otlp_processes *p, const struct tracked *t, struct metrics *m)
{
	for (u32 i = 0; i < p->n_metrics; i++)
		if (p->metrics[i].kind != OTLP_COUNTER)
			metrics_ended(m, &p->metrics[i], NULL, start_of(t, &p->metrics[i]));
}

/* Another name, owner or container is a new resource, which starts where the old one ends. */
static void begin_anew(struct otlp_processes *p, struct tracked *t)
{
	for (u32 i = 0; i < p->n_metrics; i++) {
		if (u64_known(t->exported[i]))
			t->base[i] = t->exported[i];
		else if (!t->own_from_ns)	/* never exported */
			t->base[i] = 0;
	}
	t->own_from_ns = p->exported_ns;
}

static void put_process(struct otlp_processes *p, struct tracked *t, const struct snapshot *s,
			const struct otlp_config *config, u32 cpus, struct metrics *m)
{
	if (t->exported_row && !message_same_process(config, t->exported_row, t->row)) {
		begin_resource(t->exported_row, s, config, m);
		end_levels(p, t, m);
		begin_anew(p, t);
	}
	begin_resource(t->row, s, config, m);
	for (u32 i = 0; i < p->n_metrics; i++)
		if (p->metrics[i].kind == OTLP_COUNTER || has_levels(t))
			put_value(p, i, t, cpus, m);
	if (!has_levels(t))
		end_levels(p, t, m);
	memcpy(t->exported, t->counted, sizeof(t->exported));
	ROW_KEEP(t->exported_row, has_levels(t) ? t->row : NULL);
}

/* Sum of a gauge over processes without series; false: no value. */
static bool add_levels(const struct otlp_processes *p, const struct field *f, double *ret)
{
	bool any = false;

	*ret = 0;
	for (u32 i = 0; i < p->n; i++) {
		const struct row *r = &p->tracked[i].row->row;

		if (has_levels(&p->tracked[i]) || has_ended(&p->tracked[i]))
			continue;
		if (f->type == FT_F32 ? !f32_known(row_f32(r, f)) : !u64_known(row_u64(r, f)))
			continue;
		*ret += f->type == FT_F32 ? (double)row_f32(r, f) : (double)row_u64(r, f);
		any = true;
	}
	return any;
}

static void put_rest(struct otlp_processes *p, const struct snapshot *s,
		     const struct otlp_config *config, u32 cpus, struct metrics *m)
{
	struct attributes a = { 0 };
	double sum;

	message_add_service(m->scratch, &a, s->session, config, "ottop.other", 0, 0);
	message_add_bool(m->scratch, &a, "ottop.other", true);
	metrics_resource(m, &a);
	for (u32 i = 0; i < p->n_metrics; i++) {
		const struct otlp_metric *metric = &p->metrics[i];

		if (metric->kind == OTLP_COUNTER)
			metrics_u64(m, metric, NULL, p->begun_ns, p->rest[i]);
		else if (!add_levels(p, metric->field, &sum))
			continue;
		else if (metric->is_integer)
			metrics_u64(m, metric, NULL, p->begun_ns, (u64)sum);
		else
			metrics_double(m, metric, NULL, p->begun_ns,
				       sum * scale_of(metric, cpus));
	}
}

static void let_go(struct otlp_processes *p)
{
	u32 n = 0;

	for (u32 i = 0; i < p->n; i++) {
		struct tracked *t = &p->tracked[i];

		if (t->leaving)
			t->own = t->leaving = false;
		if (has_ended(t))
			forget(t);
		else
			p->tracked[n++] = *t;
	}
	p->n = n;
}

void otlp_processes_export(struct otlp_processes *p, const struct snapshot *s,
			   const struct otlp_config *config, struct metrics *m)
{
	const struct host_row *host = host_row(snapshot_single(s, TABLE_host));
	u32 cpus = host && u64_known(host->cpus) && host->cpus ? (u32)host->cpus : 1;

	choose(p, s->time_ns, p->begun_ns == s->time_ns);
	for (u32 i = 0; i < p->n; i++)
		if (p->tracked[i].own)
			put_process(p, &p->tracked[i], s, config, cpus, m);
	put_rest(p, s, config, cpus, m);
	let_go(p);
	p->exported_ns = s->time_ns;
}

void otlp_processes_free(struct otlp_processes *p)
{
	if (!p)
		return;
	for (u32 i = 0; i < p->n; i++)
		forget(&p->tracked[i]);
	free(p->tracked);
	free(p);
}
