// SPDX-License-Identifier: GPL-2.0-or-later
/* event_log.c: see event_log.h. */
#include <string.h>

#include "bpf/model/event_log.h"

u64 event_log_add(struct event_log *l, struct row *r)
{
	l->rows = grow(l->rows, l->n, &l->cap, sizeof(*l->rows));
	l->rows[l->n++] = r;
	l->n_new++;
	return ++l->number;
}

/* The newest of each class, and whatever no snapshot has had yet. */
static void trim(struct event_log *l)
{
	u32 kept[EVENT_CLASSES] = { 0 }, to = l->n;

	for (u32 i = l->n; i-- > 0;) {
		u32 class = l->class_of ? l->class_of(l->rows[i]) : 0;

		if (l->n - i <= l->n_new || kept[class] < l->keep)
			l->rows[--to] = l->rows[i];
		else
			row_put(l->rows[i]);
		kept[class]++;
	}
	l->n -= to;
	if (to)
		memmove(l->rows, l->rows + to, l->n * sizeof(*l->rows));
	l->n_new = 0;
}

void event_log_rows(struct event_log *l, struct builder *b)
{
	trim(l);
	for (u32 i = 0; i < l->n; i++)
		builder_add(b, row_get(l->rows[i]));
}

void event_log_clear(struct event_log *l)
{
	for (u32 i = 0; i < l->n; i++)
		row_put(l->rows[i]);
	l->n = l->n_new = 0;
}
