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
/* The kind of a function by its name and module: "c++", "rust", "library", "user". */
const char *lines_kind(const char *name, const char *path);
void lines_close(void);

#endif
