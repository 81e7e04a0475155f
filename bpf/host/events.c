// SPDX-License-Identifier: GPL-2.0-or-later
/* events.c: see events.h. A burst between two ticks is kept whole; the cap holds after the tick. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host/events.h"

static struct row **rows;
static u32 n_rows, cap_rows, n_new;
static u64 not_listed;	/* since the last tick */
static u64 seq;

struct events_row *events_new(const char *kind, u64 time_ns)
{
	struct events_row *e = row_new(TABLE_events);

	e->kind = str_new(kind);
	e->time_ns = time_ns;
	e->seq = ++seq;
	e->row.first_seen_ns = time_ns;
	rows = grow(rows, n_rows, &cap_rows, sizeof(*rows));
	rows[n_rows++] = &e->row;
	n_new++;
	return e;
}

enum event_class { CLASS_PROCESS, CLASS_CONNECTION, CLASS_FAILURE, N_CLASSES };

static enum event_class class_of(const struct events_row *e)
{
	if (!strcmp(e->kind, "fail"))
		return CLASS_FAILURE;
	if (!strcmp(e->kind, "close") && e->end_reason && *e->end_reason && strcmp(e->end_reason, "closed"))
		return CLASS_FAILURE;
	return !strcmp(e->kind, "connect") || !strcmp(e->kind, "accept") || !strcmp(e->kind, "close") ?
		CLASS_CONNECTION : CLASS_PROCESS;
}

/*
 * Keeps the newest EVENTS_KEPT of each class, and whatever no snapshot has had yet: a
 * web server's connections must not push out what processes did, nor what failed.
 */
static void trim(void)
{
	u32 kept[N_CLASSES] = { 0 }, to = n_rows;

	for (u32 i = n_rows; i-- > 0;) {
		enum event_class class = class_of((const struct events_row *)rows[i]);

		if (n_rows - i <= n_new || kept[class] < EVENTS_KEPT)
			rows[--to] = rows[i];
		else
			row_put(rows[i]);
		kept[class]++;
	}
	n_rows -= to;
	if (to)
		memmove(rows, rows + to, n_rows * sizeof(*rows));
	n_new = 0;
}

void events_not_listed(u64 n)
{
	not_listed += n;
}

void events_rows(struct builder *b, u64 interval_ns)
{
	char why[96];

	snprintf(why, sizeof(why), "%" PRIu64 " connection event%s more than are listed: their connections are in 5",
		 not_listed, text_plural(not_listed, "s"));
	builder_status(b, TABLE_events, not_listed ? TS_PARTIAL : TS_OK, not_listed ? why : NULL, interval_ns);
	not_listed = 0;
	trim();
	for (u32 i = 0; i < n_rows; i++)
		builder_add(b, row_get(rows[i]));
}

void events_clear(void)
{
	n_new = not_listed = 0;
	for (u32 i = 0; i < n_rows; i++)
		row_put(rows[i]);
	n_rows = 0;
}
