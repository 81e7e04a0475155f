/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hints.h: how to have names from programs that have them, but tell nobody: "node: names with
 * --perf-basic-prof". A hint is the end of a frame's reason, and says "names with".
 */
#ifndef OTTOP_HINTS_H
#define OTTOP_HINTS_H

#include <stddef.h>

#include "bpf/model/base.h"

/* For code that a process made at run time, by the files it has mapped. False: nothing is known. */
bool hint_of_process(u32 pid, char *buf, size_t cap);
/*
 * A name from code made at run time: where Python names its functions, its interpreter needs no hint.
 * Their frames are the same for all processes of a file, so from then on none has one.
 */
void hint_saw_name(const char *name);
/* For a function that runs code of another language; path: of its file, or NULL. False: it is none. */
bool hint_of_function(const char *name, const char *path, char *buf, size_t cap);

#endif
