/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metric.h: which metric a field of schema.def is. Its OTLP column reads
 *
 *	NAME[{ATTRIBUTE=VALUE}][ UNIT][;and the same again]
 *
 * of a number; of a key or label it is the name of an attribute. Two fields of one NAME are
 * points of one metric. Without a UNIT it follows from the format: bytes are By, durations s,
 * percentages 1 (and are divided by 100). The rows of some tables are added up in more than one
 * way (groups.h), each of which has a name, or all together would count twice.
 */
#ifndef OTTOP_OTLP_METRIC_H
#define OTTOP_OTLP_METRIC_H

#include "bpf/model/snapshot.h"

enum otlp_metric_kind {
	OTLP_GAUGE,
	OTLP_UP_DOWN,	/* a level that makes sense added up: a sum that is not monotonic */
	OTLP_COUNTER,
	OTLP_HISTOGRAM,
	OTLP_ATTRIBUTE
};

struct otlp_metric {
	char name[56], unit[16];
	char key[32], value[16];	/* of the attribute, "" without one */
	const struct field *field;
	enum otlp_metric_kind kind;
	double scale;			/* F32, and U64 that are not sent as integers */
	bool is_integer;
};

/* The metric of a field; false: it is none. */
bool otlp_metric_of(const struct field *f, struct otlp_metric *ret);
/* The same of its name number nth; 0 is the first. */
bool otlp_metric_nth(const struct field *f, u32 nth, struct otlp_metric *ret);

#endif
