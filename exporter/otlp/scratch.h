/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scratch.h: memory of one message in the making: thousands of small pieces that live and die
 * together.
 */
#ifndef OTTOP_OTLP_SCRATCH_H
#define OTTOP_OTLP_SCRATCH_H

#include "bpf/model/base.h"

struct scratch_chunk;

/* Zero-initialized: empty. */
struct scratch {
	struct scratch_chunk *chunks, *spare;
};

/* n bytes, aligned for anything, until scratch_reset() or scratch_free(); with whatever is in them. */
void *scratch_take(struct scratch *a, size_t n);
/* The same, zeroed. */
void *scratch_alloc(struct scratch *a, size_t n);
/* A copy of s that is valid UTF-8, as protocol buffers want their strings, and of characters that draw something. */
char *scratch_text(struct scratch *a, const char *s);
/* s itself where it is such for sure, else such a copy. */
const char *scratch_utf8(struct scratch *a, const char *s);
char *scratch_printf(struct scratch *a, const char *fmt, ...) __printf(2, 3);
/* Room for one more pointer in an array that has n; grows by doubling. */
void *scratch_grow(struct scratch *a, void *items, size_t n);
/* Empty again, with memory for the next message of usual size: pages are not asked for anew each time. */
void scratch_reset(struct scratch *a);
void scratch_free(struct scratch *a);

#endif
