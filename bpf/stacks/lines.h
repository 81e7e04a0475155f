/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h: source lines of frames, asked for before their names. Sampler thread only. */
#ifndef OTTOP_PROFILER_LINES_H
#define OTTOP_PROFILER_LINES_H

#include "bpf/model/base.h"

struct symbolizer_answer;

/* Whether to ask at all; the default is yes. */
void lines_switch(bool on);
/*
 * Asks for the lines of those of n frames of a file that have none yet, and takes
 * them out of the two lists: they come back by frames_next_unnamed(). False: the
 * symbolizer is busy, nothing was taken out.
 */
bool lines_ask(u32 file, u32 *ids, u64 *addrs, u32 *n);
void lines_take(const struct symbolizer_answer *a);
/* The kind of a function by its name (as the symbolizer gives it) and module: "rust", "c++", "library", "user". */
const char *lines_kind(const char *name, const char *path);
/* The name itself, without the mark of its language. */
const char *lines_name(const char *name);
void lines_close(void);

#endif
