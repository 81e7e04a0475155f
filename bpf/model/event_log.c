// SPDX-License-Identifier: GPL-2.0-or-later
/* event_log.c: see event_log.h. */
#include <stdlib.h>

#include "bpf/model/event_log.h"

u64 event_log_add(struct event_log *l, struct row *r)
{
	l->rows = grow(l->rows, l->n, &l->cap, sizeof(*l->rows));
	l->rows[l->n++] = r;
	l->n_new++;
	return ++l->number;
}

u64 event_log_pass(struct event_log *l)
{
	return ++l->number;
}

static void choose_newest(struct event_log *l, bool *stays)
{
	u32 kept[EVENT_CLASSES] = { 0 };

	for (u32 i = l->n; i-- > 0;)
		stays[i] = kept[l->class_of ? l->class_of(l->rows[i]) : 0]++ < l->keep;
}

static void choose_ranked(struct event_log *l, bool *stays)
{
	struct fair *all = xcalloc(l->n + 1, sizeof(*all));

	for (u32 i = 0; i < l->n; i++) {
		l->rank(l->rows[i], &all[i]);
		all[i].place = i;
	}
	for (u32 i = 0, n = fair_choose(all, l->n, l->keep); i < n; i++)
		stays[all[i].place] = true;
	free(all);
}

/* Rows that are in no snapshot yet stay, too. */
static void trim(struct event_log *l)
{
	bool *stays;
	u32 to = 0;

	if (l->n > l->keep) {
		stays = xcalloc(l->n, sizeof(*stays));
		if (l->rank)
			choose_ranked(l, stays);
		else
			choose_newest(l, stays);
		for (u32 i = 0; i < l->n; i++) {
			if (stays[i] || i + l->n_new >= l->n)
				l->rows[to++] = l->rows[i];
			else
				row_put(l->rows[i]);
		}
		free(stays);
		l->n = to;
	}
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
