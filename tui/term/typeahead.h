/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * typeahead.h: what was typed and not handled yet. In raw mode the kernel keeps Ctrl-C behind the
 * keys before it; here all that waits is taken from the terminal at once, so that it is seen.
 */
#ifndef OTTOP_TYPEAHEAD_H
#define OTTOP_TYPEAHEAD_H

#include "bpf/model/base.h"

struct typeahead {
	int in_fd;	/* the terminal; not ours */
	int to, from;	/* a pipe: ncurses reads the keys from `from` */
	size_t room;	/* bytes that may wait in it; more stay with the kernel, and Ctrl-C behind them */
	bool ended;
};

/* 0 or -errno. */
int typeahead_open(struct typeahead *t, int in_fd);
void typeahead_close(struct typeahead *t);
/*
 * Moves all that waits into the pipe; a sequence of escape that has only begun is waited for. False:
 * Ctrl-C is among it, now or before.
 */
bool typeahead_take(struct typeahead *t);

#endif
