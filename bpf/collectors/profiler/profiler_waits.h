/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_waits.h: waits that have not ended (profiler_waits.bpf.h). A hanging thread
 * has no next event at which its user stack could be read, so it is read from outside,
 * by one of opener.h's threads, as that may hang, too. It is used only if the thread is
 * still in the same wait afterwards. Sampler thread only.
 */
#pragma once

#include "bpf/stacks/user_walk.h"
#include "bpf/helpers/opener.h"

struct bpf_link;

/* The iterator and its parameters; the caller keeps both. NULL: not available. */
void profiler_waits_open(struct bpf_link *iter, struct wire_look *look);
void profiler_waits_close(void);
/* Observation begins: threads that wait now are taken to wait since began_ns. */
void profiler_waits_adopt(u64 began_ns);
/* Once a tick: reports known waits; asks for stacks of those beyond older_than_ns, for done(). */
void profiler_waits_look(u64 older_than_ns, walked_fn done);
/* How many stacks are still being read. */
u32 profiler_waits_reading(void);
/* Some time after profiler_waits_look(): reports the waits that it found. */
void profiler_waits_report(walked_fn done);
/* A stack was read; its user part was walked (kind SAMPLE_WAIT). */
void profiler_waits_read(struct opener_job *job, walked_fn done);
void profiler_waits_walked(const struct wire_sample *s);
/* Waits beyond the limit. */
u64 profiler_waits_refused(void);
