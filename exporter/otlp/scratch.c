// SPDX-License-Identifier: GPL-2.0-or-later
/* scratch.c: see scratch.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/scratch.h"

#define CHUNK_BYTES (16 << 10)
#define KEPT_CHUNKS 40	/* 640 kB, about 500 spans */
#define ALIGN 16

struct scratch_chunk {
	struct scratch_chunk *next;
	size_t used, size;
	_Alignas(ALIGN) u8 bytes[];
};

/* Only chunks of CHUNK_BYTES are kept as spares. */
static struct scratch_chunk *chunk_new(struct scratch *a, size_t n)
{
	size_t size = max(n, (size_t)CHUNK_BYTES);
	struct scratch_chunk *c = a->spare;

	if (c && size == CHUNK_BYTES) {
		a->spare = c->next;
		return c;
	}
	c = xmalloc(sizeof(*c) + size);
	c->size = size;
	return c;
}

static void add_chunk(struct scratch *a, size_t n)
{
	struct scratch_chunk *c = chunk_new(a, n);

	c->next = a->chunks;
	c->used = 0;
	a->chunks = c;
}

void *scratch_take(struct scratch *a, size_t n)
{
	void *p;

	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!a->chunks || a->chunks->size - a->chunks->used < n)
		add_chunk(a, n);
	p = a->chunks->bytes + a->chunks->used;
	a->chunks->used += n;
	return p;
}

void *scratch_alloc(struct scratch *a, size_t n)
{
	return memset(scratch_take(a, n), 0, n);
}

/* Printable ASCII, as nearly all texts. */
static bool is_plain(const char *s, size_t n)
{
	u8 odd = 0;

	for (size_t i = 0; i < n; i++)
		odd |= (u8)(s[i] - ' ') > '~' - ' ';
	return !odd;
}

/* Cleans the n bytes of s. */
static char *clean(struct scratch *a, const char *s, size_t n)
{
	size_t cap = 3 * n + 1;	/* each byte may become U+FFFD */
	char *copy = scratch_take(a, cap);

	text_clean(copy, cap, s, TEXT_EXPORT);
	return copy;
}

char *scratch_text(struct scratch *a, const char *s)
{
	size_t n = strlen(s);

	return is_plain(s, n) ? memcpy(scratch_take(a, n + 1), s, n + 1) : clean(a, s, n);
}

const char *scratch_utf8(struct scratch *a, const char *s)
{
	size_t n = strlen(s);

	return is_plain(s, n) ? s : clean(a, s, n);
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

	if (n && (n < 4 || n & (n - 1)))	/* capacity is the next power of two */
		return items;
	more = scratch_take(a, max(2 * n, (size_t)4) * sizeof(void *));
	if (n)
		memcpy(more, items, n * sizeof(void *));
	return more;
}

void scratch_reset(struct scratch *a)
{
	struct scratch_chunk *next;
	u32 n = 0;

	for (struct scratch_chunk *c = a->spare; c; c = c->next)
		n++;
	for (struct scratch_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		if (c->size == CHUNK_BYTES && n++ < KEPT_CHUNKS) {
			c->next = a->spare;
			a->spare = c;
		} else {
			free(c);
		}
	}
	a->chunks = NULL;
}

static void free_chunks(struct scratch_chunk *c)
{
	struct scratch_chunk *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
}

void scratch_free(struct scratch *a)
{
	free_chunks(a->chunks);
	free_chunks(a->spare);
	*a = (struct scratch){ 0 };
}
