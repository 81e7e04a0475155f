/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_spans.h: what a thread was blocked in within a span of time, such as that of a request: the
 * last waits of all threads, one by one, while blocked time is collected. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_SPANS_H
#define OTTOP_PROFILER_SPANS_H

#include "bpf/collectors/profiler/profiler_things.h"

/* Begins to keep waits, and lets go of them. */
void spans_open(void);
void spans_close(void);
/* A blocked sample; frames: its text, of which a reference is taken; thing: as in things_of(). */
void spans_add(const struct wire_sample *s, const char *frames, const struct thing *thing);
/* Once a tick, before things_ask(): which descriptors of sets the waits of new requests were for. */
void spans_want(void);
/* Once a tick, after things_ask(): notes what waits of this tick were for, and fills the new requests. */
void spans_fill(void);

#endif
