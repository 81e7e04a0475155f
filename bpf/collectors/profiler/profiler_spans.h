/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_spans.h: what blocked a thread within a span of time. Keeps the latest waits of all
 * threads while blocked time is collected. Sampler thread only.
 */
#pragma once

#include "bpf/collectors/profiler/profiler_things.h"

/* Start and stop keeping waits. */
void spans_open(void);
void spans_close(void);
/* A blocked sample; frames: its text, of which a reference is taken; thing: as in things_of(). */
void spans_add(const struct wire_sample *s, const char *frames, const struct thing *thing);
/* Once a tick, before things_ask(): asks which ready descriptors ended the waits of new requests. */
void spans_want(void);
/* Once a tick, after things_ask(): notes the objects of this tick's waits, and fills the new requests. */
void spans_fill(void);
