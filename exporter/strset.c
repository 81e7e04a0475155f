// SPDX-License-Identifier: GPL-2.0-or-later
/* strset.c: see strset.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/strset.h"

static u32 hash_of(const char *text)
{
	u64 h = 0xcbf29ce484222325ull;

	for (; *text; text++)
		h = (h ^ (u8)*text) * 0x100000001b3ull;
	return index_fold(h);
}

u32 strset_add(struct strset *s, const char *text)
{
	u32 hash = hash_of(text), at = 0, i;

	while ((i = index_next(&s->index, hash, &at)) != INDEX_NONE)
		if (!strcmp(s->items[i], text))
			return i;
	s->items = grow(s->items, s->n, &s->cap, sizeof(*s->items));
	s->items[s->n] = xstrdup(text);
	index_add(&s->index, hash, s->n);
	return s->n++;
}

u32 strset_addf(struct strset *s, const char *fmt, ...)
{
	char *text;
	va_list ap;
	u32 i;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup("");
	va_end(ap);
	i = strset_add(s, text);
	free(text);
	return i;
}

char **strset_take(struct strset *s)
{
	char **items = s->items;

	index_free(&s->index);
	*s = (struct strset){ 0 };
	return items;
}

void strset_free(struct strset *s)
{
	for (u32 i = 0; i < s->n; i++)
		free(s->items[i]);
	free(strset_take(s));
}
