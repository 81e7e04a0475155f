/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_log.h: rows of a table of events: the newest ones, and all that came since the last tick,
 * however many these are. Sampler thread only. Readers: struct event_cursor.
 */
#ifndef OTTOP_EVENT_LOG_H
#define OTTOP_EVENT_LOG_H

#include "bpf/model/fair.h"
#include "bpf/model/snapshot_build.h"

#define EVENT_CLASSES 4

struct event_log {
	u32 keep;	/* rows of each class */
	u32 (*class_of)(const struct row *r);	/* below EVENT_CLASSES; NULL: there is one */
	/* Or: which group a row is of, and what it weighs among these; `keep` are shared by all groups. */
	void (*rank)(const struct row *r, struct fair *f);
	struct row **rows;
	u32 n, cap, n_new;
	u64 number;	/* of the last one */
};

/* Adds a row, which belongs to the log then; the number that it is to have. */
u64 event_log_add(struct event_log *l, struct row *r);
/* The number of a row that is not kept. */
u64 event_log_pass(struct event_log *l);
/* Gives the rows to a tick. */
void event_log_rows(struct event_log *l, struct builder *b);
/* Forgets all rows; numbers go on. */
void event_log_clear(struct event_log *l);

#endif
