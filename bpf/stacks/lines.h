/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h: source lines, inlined functions, if shown or written: expensive. Sampler thread only. */
#pragma once

#include "bpf/model/base.h"

struct symbolizer_answer;

/* Switches all requests on (the default) or off. */
void lines_switch(bool on);
/* Frames shown from now on, most important first; invalid and finished ones are ignored. */
void lines_see(const u32 *ids, u32 n);
/* Adds a frame after all others: DWARF may have a name where no symbol has. */
void lines_want(u32 id);
/* All frames so far. */
void lines_want_all(void);
/* A consumer waits for them: no pause between requests for a file. */
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
