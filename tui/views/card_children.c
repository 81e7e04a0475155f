// SPDX-License-Identifier: GPL-2.0-or-later
/* card_children.c: the live children of a process. */
#include <stdio.h>
#include <stdlib.h>

#include "tui/views/card.h"

u32 card_count_children(const struct snapshot *s, const struct processes_row *p)
{
	const struct table *t = &s->tables[TABLE_processes];
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += processes_row(t->rows[i])->ppid == p->pid;
	return n;
}

static int cmp_children(const void *pa, const void *pb)
{
	const struct processes_row *a = *(const struct processes_row *const *)pa;
	const struct processes_row *b = *(const struct processes_row *const *)pb;
	float x = f32_known(a->cpu_pct) ? a->cpu_pct : 0, y = f32_known(b->cpu_pct) ? b->cpu_pct : 0;

	return cmp(y, x) ?: cmp(a->pid, b->pid);
}

static void draw_child(struct app *a, struct canvas *c, struct rect r,
		       const struct processes_row *p)
{
	static const struct {
		const char *member;
		int width;
	} columns[] = {
		{ "pid", 7 }, { "state", 2 }, { "cpu_pct", 6 }, { "runq_wait_pct", 6 },
		{ "blocked_pct", 6 }, { "rss_bytes", 6 }, { "syscall_rate", 7 },
		{ "start_time_ns", 7 },
	};
	u32 style = p->row.closed ? ROLE_dim : ROLE_text;
	int col = r.col + 1;
	char buf[FORMAT_MAX];

	if (p->row.closed)
		canvas_text(c, r.row, r.col, 1, ROLE_dim, "×");
	for (u32 i = 0; i < ARRAY_SIZE(columns); i++) {
		canvas_right(c, r.row, col, columns[i].width, style,
			     format_member(buf, &p->row, columns[i].member, app_snapshot(a)));
		col += columns[i].width;
	}
	canvas_cut(c, r.row, col + 1, r.col + r.cols - col - 1, style,
		   p->cmdline && *p->cmdline ? p->cmdline : p->comm ? p->comm : "?");
}

void card_draw_children(struct app *a, struct card *k, struct canvas *c, struct rect r,
			const struct processes_row *p)
{
	const struct table *t = &app_snapshot(a)->tables[TABLE_processes];
	u32 n = card_count_children(app_snapshot(a), p), at = 0;
	const struct processes_row **rows = xcalloc(n + 1, sizeof(*rows));
	char title[48];

	for (u32 i = 0; i < t->n; i++)
		if (processes_row(t->rows[i])->ppid == p->pid)
			rows[at++] = processes_row(t->rows[i]);
	qsort(rows, n, sizeof(*rows), cmp_children);
	snprintf(title, sizeof(title), "%u child%s", n, text_plural(n, "ren"));
	canvas_rule(c, r.row, r.col, r.cols, title);
	canvas_text(c, r.row + 1, r.col + 1, -1, ROLE_dim,
		    "    PID S  CPU% RUNQ%  BLK%   RSS SYSC/s    AGE COMMAND");
	for (u32 i = 0; i < n && (int)i + 2 < r.rows; i++) {
		struct rect line = { r.row + 2 + (int)i, r.col, 1, r.cols };

		draw_child(a, c, line, rows[i]);
		card_add_door(k, DOOR_CHILD, line, &rows[i]->row);
	}
	free(rows);
}
