/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * typeahead.h: keys typed but not handled yet. In raw mode the kernel keeps Ctrl-C behind the keys
 * before it; here all pending input is read at once, so that Ctrl-C is noticed.
 */
#ifndef OTTOP_TYPEAHEAD_H
#define OTTOP_TYPEAHEAD_H

#include "bpf/model/base.h"

struct typeahead {
	int in_fd;	/* the terminal; not owned */
	int to, from;	/* a pipe: ncurses reads the keys from `from` */
	size_t room;	/* bytes it holds; the rest, with Ctrl-C, stays in the kernel */
	bool ended;
};

/* 0 or -errno. */
int typeahead_open(struct typeahead *t, int in_fd);
void typeahead_close(struct typeahead *t);
/*
 * Moves all pending input into the pipe, waiting for the rest of an incomplete escape sequence.
 * False: it contains Ctrl-C, now or before.
 */
bool typeahead_take(struct typeahead *t);

#endif
