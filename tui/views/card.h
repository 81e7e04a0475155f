/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * card.h: private to the files of a process's card: card.c (state, keys, layout), card_trace.c (its
 * last minute), card_head.c (identity, time), card_lists.c (threads and calls), card_children.c.
 */
#pragma once

#include "tui/app/app.h"

/* Members of `processes` drawn over time. */
enum trace_id {
	TRACE_user, TRACE_system, TRACE_runq, TRACE_blocked, TRACE_cpu, TRACE_rss, N_TRACES
};

#define TRACE_LEN 120
#define TRACE_MEAN_NS (10 * NSEC_PER_SEC)

/* The last values of one process, read from the history in one pass. */
struct trace {
	float values[N_TRACES][TRACE_LEN];	/* oldest first; NAN: unknown */
	u64 interval_ns[TRACE_LEN];
	int n;
	u64 seq, pid, start_time_ns;
	u64 older;		/* continue reading before this tick; 0: complete */
};

void trace_update(struct trace *t, struct history *h, const struct snapshot *shown,
		  u64 pid, u64 start_time_ns);
/* Reads more of the history; true: not complete, draw again. */
bool trace_more(struct trace *t, struct history *h);
/* Mean of the known values of the last 10 s (*ret_ns: their duration); NAN: none. */
float trace_mean(const struct trace *t, enum trace_id id, u64 *ret_ns);

/* A line that is a link. */
enum door_kind { DOOR_PARENT, DOOR_CHILD, DOOR_THREAD, DOOR_CALL, DOOR_SYSCALLS, DOOR_PEERS };

struct door {
	enum door_kind kind;
	struct rect at;
	const struct row *row;	/* one reference; NULL: DOOR_SYSCALLS, DOOR_PEERS */
};

#define CARD_MAX_DOORS 256

struct card {
	struct trace trace;
	struct door doors[CARD_MAX_DOORS];	/* of the last frame */
	int n_doors;
	int cursor;		/* index; -1: none */
	u64 pid, start_time_ns;
};

void card_add_door(struct card *k, enum door_kind kind, struct rect at, const struct row *row);

/* These draw from row r->row downwards, advancing it, within r. */
void card_draw_head(struct app *a, struct card *k, struct canvas *c, struct rect *r,
		    const struct processes_row *p);
void card_draw_time(struct app *a, struct card *k, struct canvas *c, struct rect *r,
		    const struct processes_row *p);
/* "now: 1 thread in read for 12.4s, 3 in futex". */
void card_draw_now(struct app *a, struct canvas *c, struct rect *r, const struct processes_row *p);
void card_draw_threads(struct app *a, struct card *k, struct canvas *c, struct rect r,
		       const struct processes_row *p);
void card_draw_calls(struct app *a, struct card *k, struct canvas *c, struct rect r,
		     const struct processes_row *p);

/* Number of children, and those that fit into r, busiest first. */
u32 card_count_children(const struct snapshot *s, const struct processes_row *p);
void card_draw_children(struct app *a, struct card *k, struct canvas *c, struct rect r,
			const struct processes_row *p);
