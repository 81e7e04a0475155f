/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups.h: aggregates rows of a table by common keys (all connections to one address, all requests
 * of one method and status) from tick to tick. A group is one series and outlives its rows. The
 * busiest groups have series of their own; the others are summed in one marked ottop.other, so that
 * the series add up to the total.
 */
#pragma once

#include "exporter/otlp/message.h"

#define GROUP_METRICS 20

struct otlp_values {
	u64 counters[GROUP_METRICS];	/* one for each counter metric */
	const struct hist *hist;	/* NULL: no histogram */
};

struct otlp_grouping {
	enum table_id table;
	u32 nth;		/* which of the names in the OTLP column applies */
	bool of_process;	/* a group belongs to one process, its resource */
	/* The resource is all processes of one name and container, which are among the keys. */
	bool of_program;
	bool not_ours;		/* skip ottop's own rows: its posts would cause more posts */
	const char *keys[8];	/* fields that identify a group, beside the process */
	/* A point's attributes, from any of its rows; NULL: the keys, by schema.def. */
	void (*attributes)(struct scratch *a, struct attributes *to, const struct row *r);
	/*
	 * Exports points; NULL: one for each metric. v: all counters of the table in order. r: any
	 * row of the group, NULL: the rest.
	 */
	void (*put)(struct metrics *m, const struct attributes *from, u64 start_ns,
		    const struct row *r, const struct otlp_values *v);
};

struct otlp_groups;

/* At most max groups have series of their own. */
struct otlp_groups *otlp_groups_new(const struct otlp_grouping *g, u32 max);
/* Takes in a tick; was: the previously taken snapshot, NULL at first. */
void otlp_groups_take(struct otlp_groups *g, const struct snapshot *was, const struct snapshot *s);
/*
 * Adds points, without process to the last resource. otlp_groups_end() once the message is encoded.
 */
void otlp_groups_export(struct otlp_groups *g, const struct snapshot *s,
			const struct otlp_config *config, struct metrics *m);
void otlp_groups_end(struct otlp_groups *g);
void otlp_groups_free(struct otlp_groups *g);	/* NULL-safe */
