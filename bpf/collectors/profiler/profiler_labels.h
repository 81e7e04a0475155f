/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_labels.h: texts as frames ("→ fd 3: pipe from bash 611"). Of each process, and of all,
 * there are so many at once; those that were in no stack for long make room. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_LABELS_H
#define OTTOP_PROFILER_LABELS_H

#include "bpf/model/base.h"

#define LABELS_OF_PROCESS 128
#define LABELS_MAX 16384	/* of FRAMES_MAX */
#define LABEL_TICKS 120		/* longer than any window of a graph that moves */

struct label;

/*
 * The label of that text, of a process (0: of none), or one that stands for the rest where there
 * is no room. A reference.
 */
struct label *labels_of(u32 pid, const char *text);
void labels_put(struct label *l);
/* Its frame, for a stack of this tick; 0: l is NULL. */
u32 labels_frame(struct label *l);
/* Its other end is that process alone: "fd 3: tcp 127.0.0.1:5432 (postgres 4821)". */
bool labels_is_of(const struct label *l, u32 pid);
/* Once a tick. */
void labels_tick(void);
void labels_clear(void);

#endif
