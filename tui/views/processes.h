/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes.h: private to processes*.c. */
#pragma once

#include "tui/app/app.h"
#include "tui/term/graph.h"
#include "tui/engines/series.h"

enum { FACE_FLAT, FACE_TREE };

/* A row's position in the tree. */
struct node {
	const struct row *row;
	s32 parent, first_child, last_child, next;	/* indexes of nodes; -1: none */
	double total;		/* of the sort column, over the branch */
	u32 members;		/* of the branch, including itself */
	u16 depth;
	u32 last_mask;		/* bit d: the ancestor at depth d is the last of its siblings */
	bool folded;		/* and has children */
	bool past;		/* ended in an earlier tick: below its live siblings */
	struct processes_row *sum;	/* of a folded branch, or NULL */
};

struct folded {
	u64 pid, start_time_ns;
};

struct processes_state {
	struct trails *cpu;
	bool show_kernel;
	char user[64], container[64];	/* filters, "": all */
	struct node *nodes;
	u32 n_nodes, cap_nodes;
	struct folded *folded;
	u32 n_folded, cap_folded;
};

/* ---- processes_tree.c ---- */
u32 tree_arrange(struct processes_state *st, struct table_row *rows, u32 n, bool ascending, bool sums);
/* Draws "│  └─ " of a row; returns the columns used. */
int tree_prefix(const struct processes_state *st, struct canvas *c, int row, int col, int width,
		u32 style, const struct table_row *tr);
/* Callbacks of the table: rows folded away under a row, and revealing one. */
const struct row *tree_hidden(void *state, const struct table_row *tr, s32 *at);
void tree_reveal(void *state, const struct row *r);
bool tree_act(struct app *a, struct processes_state *st, enum action action);
void tree_free(struct processes_state *st);

/* ---- processes_preview.c ---- */
#define PREVIEW_ROWS 11
void preview_draw(struct app *a, struct canvas *c, struct rect r, const struct processes_row *p);
