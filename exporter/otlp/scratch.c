// SPDX-License-Identifier: GPL-2.0-or-later
/* scratch.c: see scratch.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/scratch.h"

#define CHUNK_BYTES (16 << 10)
#define ALIGN 16

struct scratch_chunk {
	struct scratch_chunk *next;
	size_t used, size;
	_Alignas(ALIGN) u8 bytes[];
};

static void add_chunk(struct scratch *a, size_t n)
{
	size_t size = max(n, (size_t)CHUNK_BYTES);
	struct scratch_chunk *c = xmalloc(sizeof(*c) + size);

	c->next = a->chunks;
	c->used = 0;
	c->size = size;
	a->chunks = c;
}

void *scratch_alloc(struct scratch *a, size_t n)
{
	void *p;

	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!a->chunks || a->chunks->size - a->chunks->used < n)
		add_chunk(a, n);
	p = a->chunks->bytes + a->chunks->used;
	a->chunks->used += n;
	return memset(p, 0, n);
}

char *scratch_text(struct scratch *a, const char *s)
{
	size_t n = strlen(s), cap = n + 1;
	char *copy;

	for (const char *p = s; *p; p++)
		if (*p & 0x80)
			cap = n * 3 + 1;	/* each byte may become U+FFFD */
	copy = scratch_alloc(a, cap);
	text_clean(copy, cap, s, TEXT_UTF8);
	return copy;
}

char *scratch_printf(struct scratch *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = scratch_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void *scratch_grow(struct scratch *a, void *items, size_t n)
{
	void *more;

	if (n && (n < 4 || n & (n - 1)))	/* there is room up to the next power of two */
		return items;
	more = scratch_alloc(a, max(2 * n, (size_t)4) * sizeof(void *));
	if (n)
		memcpy(more, items, n * sizeof(void *));
	return more;
}

void scratch_free(struct scratch *a)
{
	struct scratch_chunk *next;

	for (struct scratch_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	a->chunks = NULL;
}
