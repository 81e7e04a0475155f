/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups.h: rows of a table added up by what they have in common (all connections to one
 * address, all requests of one method and status) from tick to tick. A group is a series: it
 * outlives its rows. The busiest have series of their own, what the others did adds up in one
 * that says so (ottop.other), so that all together are all that was done.
 */
#ifndef OTTOP_OTLP_GROUPS_H
#define OTTOP_OTLP_GROUPS_H

#include "exporter/otlp/message.h"

#define GROUP_METRICS 20

struct otlp_values {
	u64 counters[GROUP_METRICS];	/* of each metric that is a counter */
	const struct hist *hist;	/* of the histogram, or NULL */
};

struct otlp_grouping {
	enum table_id table;
	u32 nth;		/* which name of the OTLP column is meant */
	bool of_process;	/* a group is of one process, which is its resource */
	/* Its resource is all processes of a name and container, which are among the keys. */
	bool of_program;
	bool not_ours;		/* rows of ottop itself are left out: what it posts would be posted */
	const char *keys[8];	/* fields that tell the groups apart, beside the process */
	/* Attributes of its points, from any row; NULL: its keys, as schema.def names them. */
	void (*attributes)(struct scratch *a, struct attributes *to, const struct row *r);
	/*
	 * How they become points; NULL: each metric one. Then v has all counters of the table in their
	 * order, whatever their names. r is any row of the group, NULL of the rest.
	 */
	void (*put)(struct metrics *m, const struct attributes *from, u64 start_ns,
		    const struct row *r, const struct otlp_values *v);
};

struct otlp_groups;

/* At most max groups have series of their own. */
struct otlp_groups *otlp_groups_new(const struct otlp_grouping *g, u32 max);
/* Takes in a tick; was: the snapshot that was taken before, NULL at first. */
void otlp_groups_take(struct otlp_groups *g, const struct snapshot *was, const struct snapshot *s);
/*
 * Adds the points. Those that are of no process go to the resource that was begun last. Once the
 * message is encoded otlp_groups_end() must follow.
 */
void otlp_groups_export(struct otlp_groups *g, const struct snapshot *s,
			const struct otlp_config *config, struct metrics *m);
void otlp_groups_end(struct otlp_groups *g);
void otlp_groups_free(struct otlp_groups *g);	/* NULL-safe */

#endif
