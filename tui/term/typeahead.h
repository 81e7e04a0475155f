/* SPDX-License-Identifier: GPL-2.0-or-later */
/* typeahead.h: reads all pending input at once: in raw mode Ctrl-C queues behind earlier keys. */
#pragma once

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
/* Moves pending input into the pipe, completing escape sequences. False: Ctrl-C, now or before. */
bool typeahead_take(struct typeahead *t);
