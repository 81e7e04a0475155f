/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debug.h: separate debug files of the files in stacks: searched once, at the
 * places where the process that maps the file would find it, and used if the
 * symbolizer confirms that it belongs to the file. Sampler thread.
 */
#pragma once

#include "bpf/model/base.h"

struct symbolizer_answer;
struct opener_job;

/* The layout of a file is known: starts the search. */
void debug_table_answer(const struct symbolizer_answer *a);
/* A place was opened, or none is left. */
void debug_opened(const struct opener_job *job);
/* The symbolizer's answer whether it belongs to the file. */
void debug_answer(const struct symbolizer_answer *a);
/* Repeats requests that the symbolizer had no room for. Each drain. */
void debug_drain(void);
/* The search is over (or takes too long): names can be asked for. */
bool debug_ready(u32 file);
/* The debug file, or -1. */
int debug_fd(u32 file);
/* What dwz moved out of the debug file, or -1. */
int debug_sup_fd(u32 file);
/* This file's symbols killed the symbolizer, or cannot be read: never ask again. */
void debug_set_bad(u32 file, const char *why);
const char *debug_bad(u32 file);	/* why, or NULL */
void debug_close(void);
