// SPDX-License-Identifier: GPL-2.0-or-later
/* http_preview.c: latencies over time and slowest requests of the selected endpoint. */
#include <stdio.h>

#include "tui/views/http.h"

#define LIST_COLS 87
#define LISTED_MAX 32

/* Unanswered requests first, then the slowest. Returns their number. */
static u32 slowest(const struct snapshot *s, const struct http_row *e, const struct requests_row *best[LISTED_MAX], u32 most)
{
	const struct table *t = &s->tables[TABLE_requests];
	u32 n = 0, at;

	for (u32 i = 0; i < t->n && most; i++) {
		const struct requests_row *r = requests_row(t->rows[i]);

		if (!request_is_of(r, e) || (n == most && r->duration_ns <= best[n - 1]->duration_ns))
			continue;
		for (at = min(n, most - 1); at > 0 && best[at - 1]->duration_ns < r->duration_ns; at--)
			best[at] = best[at - 1];
		best[at] = r;
		n = min(n + 1, most);
	}
	return n;
}

static const struct {
	const char *member, *title;
	int width;
} columns[] = {
	{ "start_time_ns", "START", 12 }, { "status", "STATUS", 6 }, { "duration_ns", "TOTAL", 6 },
	{ "first_byte_ns", "1stB", 6 }, { "rx_bytes", "RX", 6 }, { "tx_bytes", "TX", 6 }, { "peer", "PEER", 21 }, { "trace_id", "TRACE", 0 },
};

/* r: NULL for the titles. */
static void draw_line(const struct snapshot *s, struct canvas *c, struct rect at, int row, const struct requests_row *r)
{
	char text[FORMAT_MAX];
	int x = at.col + 1;

	for (u32 i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct field *f = schema_field(TABLE_requests, columns[i].member);
		const char *value = r ? format_value(text, f, &r->row, s, NULL) : columns[i].title;
		int width = columns[i].width ?: at.col + at.cols - x;
		u32 style = r ? ROLE_text : ROLE_dim;

		if (r && f->offset == offsetof(struct requests_row, status))
			request_draw_status(c, at.row + row, x, width, r);
		else if (format_is_number(f->format))
			canvas_right(c, at.row + row, x, width, style, value);
		else
			canvas_cut(c, at.row + row, x, width, style, value);
		x += width + 1;
	}
}

static void draw_list(const struct snapshot *s, struct canvas *c, struct rect r, const struct http_row *e)
{
	const struct requests_row *best[LISTED_MAX];
	u32 n = slowest(s, e, best, (u32)min(max(r.rows - 2, 0), LISTED_MAX));

	canvas_rule(c, r.row, r.col, r.cols, "its requests of this interval, slowest first");
	if (!n) {
		canvas_cut(c, r.row + 1, r.col + 1, r.cols - 1, ROLE_dim, "none is listed");
		return;
	}
	draw_line(s, c, r, 1, NULL);
	for (u32 i = 0; i < n; i++)
		draw_line(s, c, r, 2 + (int)i, best[i]);
}

void http_preview_draw(struct app *a, struct heatmap *m, struct canvas *c, struct rect r, const struct http_row *e)
{
	struct rect map = { r.row, r.col, r.rows, r.cols - LIST_COLS - 2 };
	struct rect list = { r.row, r.col + map.cols + 2, r.rows, LIST_COLS };
	char title[160];

	snprintf(title, sizeof(title), "%s%s%.80s, %s %llu, %s", e->method ? e->method : "",
		 e->method && *e->method ? " " : "", e->path ? e->path : "?", e->comm ? e->comm : "?",
		 (unsigned long long)e->pid, e->side ? e->side : "?");
	canvas_rule(c, map.row, map.col, map.cols, title);
	heatmap_update_row(a, m, &heat_of_http, e->pid, e->start_time_ns, &e->row);
	heatmap_draw_passive(a, m, c, (struct rect){ map.row + 1, map.col, map.rows - 1, map.cols });
	draw_list(app_snapshot(a), c, list, e);
}
