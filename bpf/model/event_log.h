/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event_log.h: the newest rows of events, and all since the last tick. Sampler thread only. */
#pragma once

#include "bpf/model/fair.h"
#include "bpf/model/snapshot_build.h"

#define EVENT_CLASSES 4

struct event_log {
	u32 keep;	/* rows per class */
	u32 (*class_of)(const struct row *r);	/* below EVENT_CLASSES; NULL: one class */
	/* Or the group and weight of a row; then `keep` is shared by all groups. */
	void (*rank)(const struct row *r, struct fair *f);
	struct row **rows;
	u32 n, cap, n_new;
	u64 number;	/* of the last event */
};

/* Adds a row, which the log takes over; returns the event's number. */
u64 event_log_add(struct event_log *l, struct row *r);
/* Only counts an event; returns its number. */
u64 event_log_pass(struct event_log *l);
/* Adds the rows to a snapshot. */
void event_log_rows(struct event_log *l, struct builder *b);
/* Removes all rows; numbers continue. */
void event_log_clear(struct event_log *l);
