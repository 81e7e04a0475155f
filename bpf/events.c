// SPDX-License-Identifier: GPL-2.0-or-later
/* events.c: see events.h. A burst between two ticks is kept whole; the cap holds after the tick. */
#include <stdlib.h>
#include <string.h>

#include "bpf/events.h"

static struct row **rows;
static u32 n_rows, cap_rows, n_new;
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

/* Keeps the newest EVENTS_KEPT, and whatever no snapshot has had yet. */
static void trim(void)
{
	u32 keep = max(n_new, (u32)EVENTS_KEPT);
	u32 drop = n_rows > keep ? n_rows - keep : 0;

	for (u32 i = 0; i < drop; i++)
		row_put(rows[i]);
	n_rows -= drop;
	if (drop)
		memmove(rows, rows + drop, n_rows * sizeof(*rows));
	n_new = 0;
}

void events_rows(struct builder *b)
{
	trim();
	for (u32 i = 0; i < n_rows; i++)
		builder_add(b, row_get(rows[i]));
}

void events_clear(void)
{
	n_new = 0;
	for (u32 i = 0; i < n_rows; i++)
		row_put(rows[i]);
	n_rows = 0;
}
