// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CPU goes offline, an interface disappears, another's namespace gets a name: their series end,
 * once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/plain.h"

static struct session session = { .host_name = "h" };

static void add_cpu(struct builder *b, u64 cpu, float user_pct)
{
	struct cpus_row *r = builder_row(b, TABLE_cpus);

	r->cpu = cpu;
	r->user_pct = user_pct;
}

static void add_interface(struct builder *b, const char *name, const char *netns_name, u64 rx_bytes)
{
	struct interfaces_row *r = builder_row(b, TABLE_interfaces);

	r->netns = 1;
	r->name = str_new(name);
	r->netns_name = str_new(netns_name);
	r->rx_bytes = rx_bytes;
}

/* seq 1: two CPUs, two interfaces. 2: one of each is gone. 3: CPU 1 is back, CPU 0 unknown, a name. */
static const struct snapshot *tick(u64 seq)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	add_cpu(b, 0, seq == 3 ? F32_UNKNOWN : 10);
	if (seq != 2)
		add_cpu(b, 1, 20);
	add_interface(b, "eth0", seq < 3 ? "1" : "shop", 100 * seq);
	if (seq < 2)
		add_interface(b, "veth1", "1", 7);
	builder_status(b, TABLE_cpus, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_interfaces, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

/* "+cpu 0", "-cpu 1", of what the point is; its sign: it has a value, it has ended. */
static void add_line(char *text, size_t cap, const Otlp__Metric *m, const Otlp__NumberPoint *p)
{
	size_t n = strlen(text);

	snprintf(text + n, cap - n, "%s%c%s", n ? " " : "", p->flags ? '-' : '+',
		 m->data_case == OTLP__METRIC__DATA_SUM ? "" : "cpu");
	for (size_t i = 0; i < p->n_attributes; i++) {
		const Otlp__KeyValue *kv = p->attributes[i];

		n = strlen(text);
		if (!strcmp(kv->key, "cpu.logical_number"))
			snprintf(text + n, cap - n, "%d", (int)kv->value->int_value);
		else if (!strcmp(kv->key, "network.interface.name"))
			snprintf(text + n, cap - n, "%s", kv->value->string_value);
		else if (!strcmp(kv->key, "ottop.network.namespace.name"))
			snprintf(text + n, cap - n, "@%s", kv->value->string_value);
	}
	assert_int_equal(!p->flags, p->value_case != OTLP__NUMBER_POINT__VALUE__NOT_SET);
}

static bool has_attribute(const Otlp__NumberPoint *p, const char *value)
{
	for (size_t i = 0; i < p->n_attributes; i++)
		if (p->attributes[i]->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE &&
		    !strcmp(p->attributes[i]->value->string_value, value))
			return true;
	return false;
}

/* Points of CPUs in user code, and of bytes received, of one export. */
static void export(struct otlp_plain *p, u64 seq, struct otlp_series *deltas, char *text, size_t cap)
{
	const struct snapshot *s = tick(seq);
	struct scratch scratch = { 0 };
	struct attributes none = { 0 };
	struct metrics m;

	metrics_begin(&m, &scratch, s->time_ns, 0);
	m.deltas = deltas;
	metrics_resource(&m, &none);
	otlp_plain_export(p, s, &m);
	*text = '\0';
	for (size_t i = 0; i < m.scope->n_metrics; i++) {
		const Otlp__Metric *x = m.scope->metrics[i];

		if (!strcmp(x->name, "system.cpu.utilization"))
			for (size_t k = 0; k < x->gauge->n_data_points; k++)
				if (has_attribute(x->gauge->data_points[k], "user"))
					add_line(text, cap, x, x->gauge->data_points[k]);
		if (!strcmp(x->name, "system.network.io"))
			for (size_t k = 0; k < x->sum->n_data_points; k++)
				if (has_attribute(x->sum->data_points[k], "receive"))
					add_line(text, cap, x, x->sum->data_points[k]);
	}
	scratch_free(&scratch);
	snapshot_put(s);
}

static void what_ends_is_told(void **state)
{
	struct otlp_plain *p = otlp_plain_new();
	char text[512];

	(void)state;
	export(p, 1, NULL, text, sizeof(text));
	assert_string_equal(text, "+cpu0 +cpu1 +eth0@1 +veth1@1");
	export(p, 2, NULL, text, sizeof(text));
	assert_string_equal(text, "+cpu0 -cpu1 +eth0@1 -veth1@1");
	export(p, 2, NULL, text, sizeof(text));
	assert_string_equal(text, "+cpu0 +eth0@1");
	export(p, 3, NULL, text, sizeof(text));
	assert_string_equal(text, "+cpu1 -cpu0 +eth0@shop -eth0@1");
	otlp_plain_free(p);
}

static void deltas_end_by_themselves(void **state)
{
	struct otlp_plain *p = otlp_plain_new();
	struct otlp_series *deltas = otlp_series_new();
	char text[512];

	(void)state;
	export(p, 1, deltas, text, sizeof(text));
	export(p, 2, deltas, text, sizeof(text));
	assert_string_equal(text, "+cpu0 -cpu1 +eth0@1");
	otlp_series_free(deltas);
	otlp_plain_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ends_is_told),
		cmocka_unit_test(deltas_end_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
