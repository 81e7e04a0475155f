/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_waits.h: waits that have not ended (profiler_waits.bpf.h). A thread that
 * hangs has no next event at which its user stack could be read: it is read
 * from outside, by one of opener.h's threads, since that may hang as well; and believed
 * only when the wait is found to be the same afterwards. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_WAITS_H
#define OTTOP_PROFILER_WAITS_H

#include "bpf/stacks/user_walk.h"
#include "bpf/helpers/opener.h"

struct bpf_link;

/* The iterator and what it is told to do; both stay the caller's. NULL: it is not there. */
void profiler_waits_open(struct bpf_link *iter, struct wire_look *look);
void profiler_waits_close(void);
/* Watching begins: who waits now waits since then. */
void profiler_waits_adopt(u64 began_ns);
/*
 * Once a tick: reports more of the waits that are known, and asks for the stacks of
 * new ones older than that; done is called for each as a sample.
 */
void profiler_waits_look(u64 older_than_ns, walked_fn done);
/* How many stacks are still being read. */
u32 profiler_waits_reading(void);
/* After profiler_waits_look() and some patience: reports those that it found. */
void profiler_waits_report(walked_fn done);
/* A stack was read; its user part was walked (kind SAMPLE_WAIT). */
void profiler_waits_read(struct opener_job *job, walked_fn done);
void profiler_waits_walked(const struct wire_sample *s);
/* Waits that found no room. */
u64 profiler_waits_refused(void);

#endif
