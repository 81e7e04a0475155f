// SPDX-License-Identifier: GPL-2.0-or-later
/* metric.c: see metric.h. */
#include <stdio.h>
#include <string.h>

#include "exporter/otlp/metric.h"

static void copy(char *dst, size_t cap, const char *from, size_t n)
{
	snprintf(dst, cap, "%.*s", (int)n, from);
}

static void read_text(struct otlp_metric *m, const char *text)
{
	size_t n = strcspn(text, "{ ;");

	copy(m->name, sizeof(m->name), text, n);
	text += n;
	if (*text == '{') {
		size_t key = strcspn(++text, "="), end = strcspn(text, "}");

		copy(m->key, sizeof(m->key), text, key);
		copy(m->value, sizeof(m->value), text + key + 1, end - key - 1);
		text += end + 1;
	}
	if (*text == ' ')
		copy(m->unit, sizeof(m->unit), text + 1, strcspn(text + 1, ";"));
}

static const char *default_unit(const struct field *f)
{
	switch (f->format) {
	case FF_BYTES: return "By";
	case FF_NS: case FF_HIST: return "s";
	default: return "1";
	}
}

static enum otlp_metric_kind kind_of(const struct field *f)
{
	switch (f->kind) {
	case FK_KEY: case FK_LABEL: return OTLP_ATTRIBUTE;
	case FK_COUNTER: return OTLP_COUNTER;
	case FK_HISTOGRAM: return OTLP_HISTOGRAM;
	default: break;
	}
	if (f->type == FT_U64 && f->format != FF_NS)
		return OTLP_UP_DOWN;
	return OTLP_GAUGE;
}

static double scale_of(const struct field *f)
{
	switch (f->format) {
	case FF_NS: return 1e-9;
	case FF_PCT: case FF_PCT3: return 0.01;
	default: return 1;
	}
}

bool otlp_metric_nth(const struct field *f, u32 nth, struct otlp_metric *ret)
{
	const char *text = f->metric;

	for (; nth && text; nth--) {
		text = strchr(text, ';');
		text += text != NULL;
	}
	if (!text || !*text || f->kind == FK_INTERNAL)
		return false;
	*ret = (struct otlp_metric){ .field = f, .kind = kind_of(f), .scale = scale_of(f) };
	read_text(ret, text);
	ret->is_integer = f->type == FT_U64 && ret->scale == 1;
	if (!*ret->unit && ret->kind != OTLP_ATTRIBUTE)
		copy(ret->unit, sizeof(ret->unit), default_unit(f), 16);
	return true;
}

bool otlp_metric_of(const struct field *f, struct otlp_metric *ret)
{
	return otlp_metric_nth(f, 0, ret);
}
