// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that are too long leave in parts: nothing is lost, doubled, or under another resource. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/otlp/message.h"
#include "exporter/otlp/split.h"

#define RESOURCES 5
#define ITEMS 40	/* of resource i there are i * ITEMS, so the first has none */

static struct scratch scratch;

struct parts {
	char text[1 << 16];	/* "RESOURCE/ITEM " of all, in order */
	size_t longest;
	u32 n, items;
	bool metrics;
};

static Otlp__Resource *resource(u32 i)
{
	struct attributes a = { 0 };

	message_add_text(&scratch, &a, "service.name", scratch_printf(&scratch, "service-%u", i));
	return message_resource(&scratch, &a);
}

static const char *name_of(const Otlp__Resource *r)
{
	return r->attributes[0]->value->string_value;
}

/* Metric k has k % 3 + 1 points. */
static Otlp__Metric *metric(u32 k)
{
	Otlp__Metric *m = SCRATCH_NEW(&scratch, Otlp__Metric, otlp__metric);

	m->name = scratch_printf(&scratch, "metric.%u", k);
	m->data_case = OTLP__METRIC__DATA_GAUGE;
	m->gauge = SCRATCH_NEW(&scratch, Otlp__Gauge, otlp__gauge);
	for (u32 i = 0; i <= k % 3; i++) {
		Otlp__NumberPoint *p = SCRATCH_NEW(&scratch, Otlp__NumberPoint, otlp__number_point);

		SCRATCH_APPEND(&scratch, m->gauge, data_points, p);
	}
	return m;
}

static u8 *make_metrics(size_t *ret_n, u32 *ret_points)
{
	Otlp__MetricsRequest request = OTLP__METRICS_REQUEST__INIT;
	u8 *data;

	*ret_points = 0;
	for (u32 i = 0; i < RESOURCES; i++) {
		Otlp__ResourceMetrics *r = SCRATCH_NEW(&scratch, Otlp__ResourceMetrics, otlp__resource_metrics);
		Otlp__ScopeMetrics *s = SCRATCH_NEW(&scratch, Otlp__ScopeMetrics, otlp__scope_metrics);

		r->resource = resource(i);
		s->scope = message_scope(&scratch);
		SCRATCH_APPEND(&scratch, r, scope_metrics, s);
		SCRATCH_APPEND(&scratch, &request, resource_metrics, r);
		for (u32 k = 0; k < i * ITEMS; k++) {
			SCRATCH_APPEND(&scratch, s, metrics, metric(k));
			*ret_points += k % 3 + 1;
		}
	}
	*ret_n = otlp__metrics_request__get_packed_size(&request);
	data = xmalloc(*ret_n);
	otlp__metrics_request__pack(&request, data);
	return data;
}

static u8 *make_spans(size_t *ret_n)
{
	Otlp__TraceRequest request = OTLP__TRACE_REQUEST__INIT;
	u8 *data;

	for (u32 i = 0; i < RESOURCES; i++) {
		Otlp__ResourceSpans *r = SCRATCH_NEW(&scratch, Otlp__ResourceSpans, otlp__resource_spans);
		Otlp__ScopeSpans *s = SCRATCH_NEW(&scratch, Otlp__ScopeSpans, otlp__scope_spans);

		r->resource = resource(i);
		s->scope = message_scope(&scratch);
		SCRATCH_APPEND(&scratch, r, scope_spans, s);
		SCRATCH_APPEND(&scratch, &request, resource_spans, r);
		for (u32 k = 0; k < i * ITEMS; k++) {
			Otlp__Span *span = SCRATCH_NEW(&scratch, Otlp__Span, otlp__span);

			span->name = scratch_printf(&scratch, "metric.%u", k);
			SCRATCH_APPEND(&scratch, s, spans, span);
		}
	}
	*ret_n = otlp__trace_request__get_packed_size(&request);
	data = xmalloc(*ret_n);
	otlp__trace_request__pack(&request, data);
	return data;
}

static void tell(struct parts *p, const Otlp__Resource *resource, const Otlp__Scope *scope, const char *name)
{
	size_t n = strlen(p->text);

	assert_string_equal(scope->name, "ottop");
	snprintf(p->text + n, sizeof(p->text) - n, "%s/%s ", name_of(resource), name);
}

static void take(void *arg, u8 *data, size_t n, u32 items)
{
	struct parts *p = arg;

	p->n++;
	p->items += items;
	p->longest = max(p->longest, n);
	if (p->metrics) {
		Otlp__MetricsRequest *r = otlp__metrics_request__unpack(NULL, n, data);

		assert_non_null(r);
		for (size_t i = 0; i < r->n_resource_metrics; i++) {
			Otlp__ScopeMetrics *s = r->resource_metrics[i]->scope_metrics[0];

			for (size_t k = 0; k < s->n_metrics; k++)
				tell(p, r->resource_metrics[i]->resource, s->scope, s->metrics[k]->name);
		}
		otlp__metrics_request__free_unpacked(r, NULL);
	} else {
		Otlp__TraceRequest *r = otlp__trace_request__unpack(NULL, n, data);

		assert_non_null(r);
		for (size_t i = 0; i < r->n_resource_spans; i++) {
			Otlp__ScopeSpans *s = r->resource_spans[i]->scope_spans[0];

			for (size_t k = 0; k < s->n_spans; k++)
				tell(p, r->resource_spans[i]->resource, s->scope, s->spans[k]->name);
		}
		otlp__trace_request__free_unpacked(r, NULL);
	}
	free(data);
}

static void check(bool metrics, size_t max_bytes)
{
	static struct parts all, cut;
	u32 points = 0;
	size_t n;
	u8 *data = metrics ? make_metrics(&n, &points) : make_spans(&n);

	all = cut = (struct parts){ .metrics = metrics };
	otlp_split(data, n, n + 100, metrics, take, &all);
	assert_int_equal(all.n, 1);
	data = metrics ? make_metrics(&n, &points) : make_spans(&n);
	otlp_split(data, n, max_bytes, metrics, take, &cut);
	assert_string_equal(cut.text, all.text);
	assert_int_equal(cut.items, metrics ? points : ITEMS * RESOURCES * (RESOURCES - 1) / 2);
	assert_int_equal(all.items, cut.items);
	assert_true(cut.n >= n / max_bytes);
	assert_true(cut.longest <= max_bytes);
	scratch_free(&scratch);
}

static void test_between_resources(void **state)
{
	(void)state;
	check(false, 8000);
	check(true, 12000);
}

static void test_inside_a_resource(void **state)
{
	(void)state;
	for (size_t max_bytes = 200; max_bytes < 1000; max_bytes += 37) {
		check(false, max_bytes);
		check(true, max_bytes);
	}
}

/* Also where the bound is less than any item: each leaves alone. */
static void test_longer_than_allowed(void **state)
{
	static struct parts p;
	size_t n;
	u8 *data = make_spans(&n);

	(void)state;
	p = (struct parts){ 0 };
	otlp_split(data, n, 10, false, take, &p);
	assert_int_equal(p.n, ITEMS * RESOURCES * (RESOURCES - 1) / 2);
	assert_int_equal(p.items, p.n);
	scratch_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between_resources),
		cmocka_unit_test(test_inside_a_resource),
		cmocka_unit_test(test_longer_than_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
