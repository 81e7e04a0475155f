/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines.h: source lines of frames and what was inlined there: of those that somebody sees
 * or writes, because reading DWARF costs more than all the rest. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_LINES_H
#define OTTOP_PROFILER_LINES_H

#include "bpf/model/base.h"

struct symbolizer_answer;

/* Whether to ask at all; the default is yes. */
void lines_switch(bool on);
/*
 * The frames that are seen from now on, those that matter most first; of others nothing is
 * asked any more. Numbers of frames that are none, or have theirs, do no harm.
 */
void lines_see(const u32 *ids, u32 n);
/* One more, after all others: DWARF may have the name that no symbol has. */
void lines_want(u32 id);
/* All that there are so far. */
void lines_want_all(void);
/* Somebody waits for them: files are asked again at once. */
void lines_hurry(bool on);
/* Asks for as many as the symbolizer takes. */
void lines_drain(void);
void lines_take(const struct symbolizer_answer *a);
/* How many files have no lines because the debug information is too big. */
u32 lines_too_big(void);
/* The kind of a function by its name (as the symbolizer gives it) and module: "rust", "c++", "library", "user". */
const char *lines_kind(const char *name, const char *path);
/* The name itself, without the mark of its language. */
const char *lines_name(const char *name);
void lines_close(void);

#endif
