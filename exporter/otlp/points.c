// SPDX-License-Identifier: GPL-2.0-or-later
/* points.c: metrics and their points; see message.h. */
#include <string.h>

#include "exporter/otlp/message.h"

#define NO_RECORDED_VALUE 1	/* DataPointFlags of opentelemetry/proto/metrics/v1/metrics.proto */

void metrics_begin(struct metrics *m, struct scratch *a, u64 time_unix_ns, s64 start_offset_ns)
{
	*m = (struct metrics){ .scratch = a, .time_unix_ns = time_unix_ns,
			       .start_offset_ns = start_offset_ns };
	m->request = SCRATCH_NEW(a, Otlp__MetricsRequest, otlp__metrics_request);
}

/* Hash of the resource's instance id: a renamed process continues its series. */
static u64 instance_hash(const struct attributes *resource)
{
	for (size_t i = 0; i < resource->n_attributes; i++)
		if (!strcmp(resource->attributes[i]->key, "service.instance.id"))
			return message_hash(0, &resource->attributes[i], 1);
	return 0;
}

void metrics_resource(struct metrics *m, const struct attributes *from)
{
	struct scratch *a = m->scratch;
	Otlp__ResourceMetrics *r;

	if (m->scope && !m->scope->n_metrics)	/* the previous resource had no points */
		m->request->n_resource_metrics--;
	r = SCRATCH_NEW(a, Otlp__ResourceMetrics, otlp__resource_metrics);
	r->resource = message_resource(a, from);
	m->resource_key = instance_hash(from);
	m->scope = SCRATCH_NEW(a, Otlp__ScopeMetrics, otlp__scope_metrics);
	m->scope->scope = message_scope(a);
	SCRATCH_APPEND(a, r, scope_metrics, m->scope);
	SCRATCH_APPEND(a, m->request, resource_metrics, r);
}

static Otlp__Temporality temporality_of(const struct metrics *m)
{
	return m->deltas ? OTLP__TEMPORALITY__DELTA : OTLP__TEMPORALITY__CUMULATIVE;
}

static void make_sum(struct metrics *m, Otlp__Metric *to, bool monotonic)
{
	Otlp__Sum *sum = SCRATCH_NEW(m->scratch, Otlp__Sum, otlp__sum);

	sum->is_monotonic = monotonic;
	sum->aggregation_temporality = monotonic ? temporality_of(m) : OTLP__TEMPORALITY__CUMULATIVE;
	to->data_case = OTLP__METRIC__DATA_SUM;
	to->sum = sum;
}

static void make_exponential(struct metrics *m, Otlp__Metric *to)
{
	to->data_case = OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM;
	to->exponential_histogram = SCRATCH_NEW(m->scratch, Otlp__ExponentialHistogram,
						otlp__exponential_histogram);
	to->exponential_histogram->aggregation_temporality = temporality_of(m);
}

static Otlp__Metric *metric_new(struct metrics *m, const struct otlp_metric *metric)
{
	Otlp__Metric *new = SCRATCH_NEW(m->scratch, Otlp__Metric, otlp__metric);

	new->name = (char *)metric->name;
	new->unit = (char *)metric->unit;
	/* a metric made of several fields has no common description */
	if (!*metric->key)
		new->description = (char *)metric->field->help;
	if (metric->kind == OTLP_GAUGE) {
		new->data_case = OTLP__METRIC__DATA_GAUGE;
		new->gauge = SCRATCH_NEW(m->scratch, Otlp__Gauge, otlp__gauge);
	} else if (metric->kind == OTLP_HISTOGRAM) {
		make_exponential(m, new);
	} else {
		make_sum(m, new, metric->kind == OTLP_COUNTER);
	}
	SCRATCH_APPEND(m->scratch, m->scope, metrics, new);
	return new;
}

static Otlp__Metric *find_metric(struct metrics *m, const struct otlp_metric *metric)
{
	for (size_t i = 0; i < m->scope->n_metrics; i++)
		if (!strcmp(m->scope->metrics[i]->name, metric->name))
			return m->scope->metrics[i];
	return metric_new(m, metric);
}

static struct attributes point_attributes(struct metrics *m, const struct otlp_metric *metric,
					  const struct attributes *from)
{
	struct attributes own = { 0 };

	for (size_t i = 0; from && i < from->n_attributes; i++)
		SCRATCH_APPEND(m->scratch, &own, attributes, from->attributes[i]);
	if (*metric->key)
		message_add_text(m->scratch, &own, metric->key, metric->value);
	return own;
}

static u64 start_unix_ns(const struct metrics *m, u64 start_ns)
{
	return min(start_ns + (u64)m->start_offset_ns, m->time_unix_ns);
}

/* Sets what the three kinds of points share: attributes and times. */
#define POINT_HEAD(m, p, metric, from, start_ns) do {					\
	struct attributes own_ = point_attributes(m, metric, from);			\
	(p)->attributes = own_.attributes;						\
	(p)->n_attributes = own_.n_attributes;						\
	(p)->start_time_unix_nano = start_unix_ns(m, start_ns);				\
	(p)->time_unix_nano = (m)->time_unix_ns;						\
	(m)->points++;									\
} while (0)

static Otlp__NumberPoint *add_point(struct metrics *m, const struct otlp_metric *metric,
				    const struct attributes *from, u64 start_ns)
{
	Otlp__NumberPoint *p = SCRATCH_NEW(m->scratch, Otlp__NumberPoint, otlp__number_point);
	Otlp__Metric *to = find_metric(m, metric);

	POINT_HEAD(m, p, metric, from, start_ns);
	if (metric->kind == OTLP_GAUGE) {
		p->start_time_unix_nano = 0;	/* a gauge has no start */
		SCRATCH_APPEND(m->scratch, to->gauge, data_points, p);
	} else {
		SCRATCH_APPEND(m->scratch, to->sum, data_points, p);
	}
	return p;
}

/* Key of a point's series; a restarted counter gets a new key. */
static u64 series_key(const struct metrics *m, const struct otlp_metric *metric,
		      const Otlp__NumberPoint *p, u64 start_ns)
{
	u64 key = otlp_hash(m->resource_key, metric->name, strlen(metric->name));

	key = otlp_hash(key, &start_ns, sizeof(start_ns));
	return message_hash(key, p->attributes, p->n_attributes);
}

void metrics_u64(struct metrics *m, const struct otlp_metric *metric,
		 const struct attributes *from, u64 start_ns, u64 value)
{
	Otlp__NumberPoint *p = add_point(m, metric, from, start_ns);

	if (m->deltas && metric->kind == OTLP_COUNTER)
		value = otlp_series_advance(m->deltas, series_key(m, metric, p, start_ns), value,
					    m->time_unix_ns, &p->start_time_unix_nano);
	if (metric->is_integer) {
		p->value_case = OTLP__NUMBER_POINT__VALUE_AS_INT;
		p->as_int = (s64)min(value, (u64)INT64_MAX);
	} else {
		p->value_case = OTLP__NUMBER_POINT__VALUE_AS_DOUBLE;
		p->as_double = (double)value * metric->scale;
	}
}

void metrics_double(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, double value)
{
	Otlp__NumberPoint *p = add_point(m, metric, from, start_ns);

	p->value_case = OTLP__NUMBER_POINT__VALUE_AS_DOUBLE;
	p->as_double = value;
}

void metrics_ended(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns)
{
	add_point(m, metric, from, start_ns)->flags = NO_RECORDED_VALUE;
}

void metrics_value(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns, const struct row *r)
{
	const struct field *f = metric->field;

	if (f->type == FT_F32 && f32_known(row_f32(r, f)))
		metrics_double(m, metric, from, start_ns,
			       (double)row_f32(r, f) * metric->scale);
	else if (f->type == FT_U64 && u64_known(row_u64(r, f)))
		metrics_u64(m, metric, from, start_ns, row_u64(r, f));
}

static Otlp__ExponentialPoint__Buckets *buckets_of(struct scratch *a, const struct hist *h)
{
	Otlp__ExponentialPoint__Buckets *b = SCRATCH_NEW(a, Otlp__ExponentialPoint__Buckets,
							 otlp__exponential_point__buckets);

	b->offset = h->offset;
	b->n_bucket_counts = h->n;
	b->bucket_counts = scratch_alloc(a, h->n * sizeof(*b->bucket_counts));
	for (u32 i = 0; i < h->n; i++)
		b->bucket_counts[i] = h->counts[i];
	return b;
}

/* Minimum and maximum are left out: they are useless in cumulative points. */
void metrics_hist(struct metrics *m, const struct otlp_metric *metric,
		  const struct attributes *from, u64 start_ns, const struct hist *h)
{
	Otlp__ExponentialPoint *p = SCRATCH_NEW(m->scratch, Otlp__ExponentialPoint,
						otlp__exponential_point);
	Otlp__Metric *to = find_metric(m, metric);

	POINT_HEAD(m, p, metric, from, start_ns);
	p->count = h->count;
	p->has_sum_case = OTLP__EXPONENTIAL_POINT__HAS_SUM_SUM;
	p->sum = (double)h->sum_ns * 1e-9;
	p->scale = HIST_SCALE;
	p->zero_count = h->zero;
	p->zero_threshold = 0x1p-30;
	p->positive = buckets_of(m->scratch, h);
	SCRATCH_APPEND(m->scratch, to->exponential_histogram, data_points, p);
}

static Otlp__Metric *find_explicit(struct metrics *m, const struct otlp_metric *metric)
{
	Otlp__Metric *to = find_metric(m, metric);

	if (to->data_case == OTLP__METRIC__DATA_HISTOGRAM)
		return to;
	to->data_case = OTLP__METRIC__DATA_HISTOGRAM;
	to->histogram = SCRATCH_NEW(m->scratch, Otlp__Histogram, otlp__histogram);
	to->histogram->aggregation_temporality = temporality_of(m);
	return to;
}

void metrics_bounds(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, const u64 *counts,
		    const double *bounds, u32 n_bounds, double sum)
{
	Otlp__HistogramPoint *p = SCRATCH_NEW(m->scratch, Otlp__HistogramPoint, otlp__histogram_point);
	Otlp__Metric *to = find_explicit(m, metric);

	POINT_HEAD(m, p, metric, from, start_ns);
	p->has_sum_case = OTLP__HISTOGRAM_POINT__HAS_SUM_SUM;
	p->sum = sum;
	p->explicit_bounds = (double *)bounds;
	p->n_explicit_bounds = n_bounds;
	p->n_bucket_counts = n_bounds + 1;
	p->bucket_counts = scratch_alloc(m->scratch, p->n_bucket_counts * sizeof(*p->bucket_counts));
	for (u32 i = 0; i <= n_bounds; i++) {
		p->bucket_counts[i] = counts[i];
		p->count += counts[i];
	}
	SCRATCH_APPEND(m->scratch, to->histogram, data_points, p);
}

u8 *metrics_pack(struct metrics *m, size_t *ret_n)
{
	u8 *data;

	if (m->scope && !m->scope->n_metrics)
		m->request->n_resource_metrics--;
	if (!m->points)
		return NULL;
	*ret_n = otlp__metrics_request__get_packed_size(m->request);
	data = xmalloc(*ret_n);
	otlp__metrics_request__pack(m->request, data);
	return data;
}
