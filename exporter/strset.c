// SPDX-License-Identifier: GPL-2.0-or-later
/* strset.c: see strset.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/strset.h"

#define NO_ITEM UINT32_MAX

static u32 slot_of(const struct strset *s, const char *text)
{
	u32 mask = s->n_hash - 1, i;
	u64 h = 0xcbf29ce484222325ull;

	for (const char *p = text; *p; p++)
		h = (h ^ (u8)*p) * 0x100000001b3ull;
	for (i = (u32)(h ^ h >> 32) & mask; s->hash[i] != NO_ITEM; i = (i + 1) & mask)
		if (!strcmp(s->items[s->hash[i]], text))
			break;
	return i;
}

static void make_room(struct strset *s)
{
	if (s->n * 2 < s->n_hash)
		return;
	s->n_hash = max(s->n_hash * 2, 64u);
	free(s->hash);
	s->hash = xmalloc(s->n_hash * sizeof(*s->hash));
	memset(s->hash, 0xff, s->n_hash * sizeof(*s->hash));
	for (u32 i = 0; i < s->n; i++)
		s->hash[slot_of(s, s->items[i])] = i;
}

u32 strset_add(struct strset *s, const char *text)
{
	u32 slot;

	make_room(s);
	slot = slot_of(s, text);
	if (s->hash[slot] != NO_ITEM)
		return s->hash[slot];
	s->items = grow(s->items, s->n, &s->cap, sizeof(*s->items));
	s->items[s->n] = xstrdup(text);
	s->hash[slot] = s->n;
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

	free(s->hash);
	*s = (struct strset){ 0 };
	return items;
}

void strset_free(struct strset *s)
{
	for (u32 i = 0; i < s->n; i++)
		free(s->items[i]);
	free(strset_take(s));
}
