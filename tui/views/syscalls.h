/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syscalls.h: rows of the syscall table added up by call or by process. */
#ifndef OTTOP_VIEWS_SYSCALLS_H
#define OTTOP_VIEWS_SYSCALLS_H

#include "tui/app/app.h"

enum syscalls_by { BY_NONE, BY_CALL, BY_PROCESS, N_BY };

/* The sums that are on the screen. Zeroed memory is none. */
struct groups {
	struct group **groups;
	u32 n, cap;
};

/*
 * Puts sums in place of the rows, in no order; returns their number. A sum is a
 * row of its own with the same address from tick to tick; what it is not one of
 * (its process, its call) is blank. Table and contexts may keep it with row_get().
 */
u32 groups_make(struct groups *g, enum syscalls_by by, struct table_row *rows, u32 n);
void groups_free(struct groups *g);

#endif
