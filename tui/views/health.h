/* SPDX-License-Identifier: GPL-2.0-or-later */
/* health.h: private to health.c (lines, keys) and health_draw.c. */
#pragma once

#include "tui/app/app.h"

#define HEALTH_COLLECTORS 32
#define HEALTH_NAME 24

struct health_part {
	const char *name;
	u32 first, n;		/* its rows in `probes`, which is sorted by collector */
	u32 attached, blocked;
	float cost_pct;		/* NAN: never measured */
	const char *why;
};

struct health_line {
	u32 part;
	const struct probes_row *probe;	/* NULL: the collector itself */
};

struct health {
	char open[HEALTH_NAME];		/* collector whose probes are shown */
	bool all;			/* everything fits: show all probes */
	char cursor[HEALTH_NAME], cursor_probe[64];
	u32 at;				/* line of the cursor, if its name disappears */

	struct health_part parts[HEALTH_COLLECTORS];
	u32 n_parts;
	struct health_line *lines;
	u32 n_lines, cap;
};

/* The collectors and their open probes: titles, then the lines around the cursor. */
void health_draw_collectors(struct canvas *c, struct rect r, const struct health *h);
/* One line each, at r.row; health_draw_memory() returns the lines used. */
void health_draw_cost(struct canvas *c, struct rect r, const struct self_row *self);
int health_draw_memory(struct app *a, struct canvas *c, struct rect r,
			const struct self_row *self);
/* Draws labels with a value. Returns the lines used. */
int health_draw_labels(struct canvas *c, struct rect r, const struct self_row *self);
int health_draw_lost(struct app *a, struct canvas *c, struct rect r, const struct self_row *self);
/* The last lines of the log that fit. */
void health_draw_log(struct canvas *c, struct rect r);

