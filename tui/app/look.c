// SPDX-License-Identifier: GPL-2.0-or-later
/* look.c: reports the processes on the screen to the source, to refresh values without events. */
#include <string.h>

#include "tui/app/app_state.h"

static u32 pids_on_screen(struct app *a, u32 *pids)
{
	const struct tableview *t = a->tables[a->view];
	const struct field *f = t ? schema_field(t->spec->table, "pid") : NULL;
	u32 n = 0;

	if (!f || !app_live(a))
		return 0;
	for (u32 i = t->top; i < t->n && i < t->top + t->page && n < APP_LOOKED; i++) {
		u64 pid = row_u64(t->rows[i].row, f);

		if (pid && pid <= UINT32_MAX)	/* a group has none */
			pids[n++] = (u32)pid;
	}
	return n;
}

void look_report(struct app *a)
{
	const struct app_source *src = &a->config.source;
	u32 pids[APP_LOOKED], n;

	if (!src->look)
		return;
	n = pids_on_screen(a, pids);
	if (n == a->n_looked && !memcmp(pids, a->looked, n * sizeof(*pids)))
		return;
	memcpy(a->looked, pids, n * sizeof(*pids));
	a->n_looked = n;
	src->look(src->arg, pids, n);
}
