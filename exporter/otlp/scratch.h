/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch.h: arena for messages: thousands of small allocations, all freed by scratch_reset(). */
#pragma once

#include "bpf/model/base.h"

struct scratch_chunk;

/* Zero-initialized: empty. */
struct scratch {
	struct scratch_chunk *chunks, *spare;
};

/* n uninitialized bytes, aligned for any type, valid until scratch_reset() or scratch_free(). */
void *scratch_take(struct scratch *a, size_t n);
/* As scratch_take(), zeroed. */
void *scratch_alloc(struct scratch *a, size_t n);
/* A copy of s as valid UTF-8, which protobuf requires, without invisible characters. */
char *scratch_text(struct scratch *a, const char *s);
/* s itself if it needs no cleaning, else a cleaned copy. */
const char *scratch_utf8(struct scratch *a, const char *s);
char *scratch_printf(struct scratch *a, const char *fmt, ...) __printf(2, 3);
/* Makes room for one more pointer in an array of n; capacity doubles. */
void *scratch_grow(struct scratch *a, void *items, size_t n);
/* Empties the arena but keeps memory for a message of usual size. */
void scratch_reset(struct scratch *a);
void scratch_free(struct scratch *a);
