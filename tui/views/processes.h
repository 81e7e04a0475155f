/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes.h: parts of the process view: processes*.c only. */
#ifndef OTTOP_VIEWS_PROCESSES_H
#define OTTOP_VIEWS_PROCESSES_H

#include "tui/app/app.h"
#include "tui/term/graph.h"
#include "tui/engines/series.h"

enum { FACE_FLAT, FACE_TREE };

/* A row's place in the tree. */
struct node {
	const struct row *row;
	s32 parent, first_child, last_child, next;	/* indexes of nodes; -1: none */
	double total;		/* of the sort column, over the branch */
	u32 members;		/* of the branch, itself included */
	u16 depth;
	u32 last_mask;		/* bit d: the ancestor at depth d is the last of its siblings */
	bool folded;		/* and has children */
	bool past;		/* ended in a tick before: below its living siblings */
	struct processes_row *sum;	/* of a folded branch, or NULL */
};

enum grouping { BY_NONE, BY_USER, BY_CONTAINER, BY_UNIT, BY_NAME, N_GROUPINGS };

/* One line that stands for several processes. */
struct group {
	const char *name;	/* of the leader's row */
	u32 members;
	struct processes_row sum;
};

struct folded {
	u64 pid, start_time_ns;
};

struct processes_state {
	struct trails *cpu;
	bool show_kernel;
	char user[64], container[64];	/* "": all */
	struct node *nodes;
	u32 n_nodes, cap_nodes;
	enum grouping grouping;
	enum grouping opened;	/* Enter on a group of this kind led to its members; BY_NONE: none did */
	char opened_filter[300], before_filter[200];	/* set by that Enter; as it was before */
	u64 opened_pid, opened_start_ns;	/* of the group's leader */
	struct group *groups;
	struct folded *folded;
	u32 n_folded, cap_folded;
};

static inline const struct processes_row *process_row(const struct row *r)
{
	return (const struct processes_row *)r;
}

/* ---- processes_tree.c ---- */
u32 tree_arrange(struct processes_state *st, struct table_row *rows, u32 n, bool ascending, bool sums);
/* Draws "│  └─ " of a row; returns the columns it took. */
int tree_prefix(const struct processes_state *st, struct canvas *c, int row, int col, int width,
		u32 style, const struct table_row *tr);
bool tree_act(struct app *a, struct processes_state *st, enum action action);
void tree_free(struct processes_state *st);
/* Adds the values of a process to a sum: everything that adds up. */
void tree_add_row(struct processes_row *sum, const struct row *r);

/* ---- processes_group.c ---- */
/* Makes one row of each group; its leader is the row that stands first. Returns the number of groups. */
u32 group_arrange(struct processes_state *st, struct table_row *rows, u32 n, bool ascending, bool sums);
const char *group_title(enum grouping g);	/* "user", ... */
bool group_act(struct app *a, struct processes_state *st, enum action action);

/* ---- processes_preview.c ---- */
#define PREVIEW_ROWS 11
void preview_draw(struct app *a, struct canvas *c, struct rect r, const struct processes_row *p);

#endif
