/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hints.h: how to make programs expose names, at the end of a frame's reason ("names with ..."). */
#pragma once

#include <stddef.h>

#include "bpf/model/base.h"

/* For a process's JIT code, by the files it maps. False: none is known. */
bool hint_of_process(u32 pid, char *buf, size_t cap);
/* JIT code has a name: Python's interpreter needs no hint, in all processes of its file. */
void hint_saw_name(const char *name);
/* For a function of an interpreter; path: its file's, or NULL. False: another function. */
bool hint_of_function(const char *name, const char *path, char *buf, size_t cap);
