/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metric.h: the OTLP metric of a field of schema.def. For numbers the OTLP column reads
 *
 *	NAME[{ATTRIBUTE=VALUE}][ UNIT][;further names]
 *
 * for keys and labels it is an attribute name. Fields with the same NAME are points of one metric.
 * Without UNIT it follows from the format: bytes are By, durations s, percentages 1 (divided by
 * 100). Tables that are aggregated in several ways (groups.h) have one name for each, or the sum
 * over a metric would count twice.
 */
#pragma once

#include "bpf/model/snapshot.h"

enum otlp_metric_kind {
	OTLP_GAUGE,
	OTLP_UP_DOWN,	/* an additive level: a sum that is not monotonic */
	OTLP_COUNTER,
	OTLP_HISTOGRAM,
	OTLP_ATTRIBUTE
};

struct otlp_metric {
	char name[56], unit[16];
	char key[32], value[16];	/* of the attribute, "" without one */
	const struct field *field;
	enum otlp_metric_kind kind;
	double scale;			/* for F32, and for U64 not sent as integers */
	bool is_integer;
};

/* The metric of a field; false: it has none. */
bool otlp_metric_of(const struct field *f, struct otlp_metric *ret);
/* As otlp_metric_of(), of its name number nth (from 0). */
bool otlp_metric_nth(const struct field *f, u32 nth, struct otlp_metric *ret);
