/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hints.h: how to make programs expose the names of their functions: "node: names with
 * --perf-basic-prof". A hint is the end of a frame's reason, and contains "names with".
 */
#ifndef OTTOP_HINTS_H
#define OTTOP_HINTS_H

#include <stddef.h>

#include "bpf/model/base.h"

/* For a process's JIT code, by the files it maps. False: none is known. */
bool hint_of_process(u32 pid, char *buf, size_t cap);
/*
 * A name of JIT code was seen: if Python names its functions, its interpreter needs no hint. Frames of
 * the interpreter are shared by all processes of a file, so the hint goes for all of them.
 */
void hint_saw_name(const char *name);
/* For a function of an interpreter; path: of its file, or NULL. False: it is none. */
bool hint_of_function(const char *name, const char *path, char *buf, size_t cap);

#endif
