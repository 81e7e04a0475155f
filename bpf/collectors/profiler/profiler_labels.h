/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_labels.h: texts as frames ("→ fd 3: pipe from bash 611"), limited in number; those in no
 * stack for the longest time are evicted. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

#define LABELS_OF_PROCESS 128
#define LABELS_MAX 16384	/* of FRAMES_MAX */
#define LABEL_TICKS 120		/* longer than any moving window of a graph */

struct label;

/* A reference to that text's label (0: none); where there is no room, to the rest's. */
struct label *labels_of(u32 pid, const char *text);
void labels_put(struct label *l);
/* Its frame, for a stack of this tick; 0: l is NULL. */
u32 labels_frame(struct label *l);
/* Does it name that process, and no other, as its peer? "fd 3: tcp 127.0.0.1:5432 (postgres 4821)". */
bool labels_is_of(const struct label *l, u32 pid);
/* Once a tick. */
void labels_tick(void);
void labels_clear(void);
