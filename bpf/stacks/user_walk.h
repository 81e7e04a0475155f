/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user_walk.h: samples whose stack was copied because the process was not
 * known yet. They wait until its mappings and tables are there, are walked by
 * the same code that the kernel runs (bpf/stacks/walk.h), and go on as samples.
 * Sampler thread only.
 */
#ifndef OTTOP_PROFILER_WALK_H
#define OTTOP_PROFILER_WALK_H

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"

#define WALK_MAX_BYTES (8u << 20)	/* of copies that wait; when there are more, new ones are cut */

/* s is valid during the call only. */
typedef void (*walked_fn)(const struct wire_sample *s);

/* Walks it now, or keeps a copy of it for later; done is called once for each. */
void walk_copied(const struct wire_copy *c, walked_fn done);
/* Tries those that wait again, if a table was answered since. */
void walk_waiting(walked_fn done);
/* Those that wait go on as they are. */
void walk_give_up(walked_fn done);

#endif
