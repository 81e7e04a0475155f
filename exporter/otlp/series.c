// SPDX-License-Identifier: GPL-2.0-or-later
/* series.c: see series.h. An open-addressing table, rebuilt to forget entries. */
#include <stdlib.h>

#include "exporter/otlp/series.h"

#define KEEP_EXPORTS 10		/* a value may be unknown for a while */
#define FIRST_SIZE 256

struct entry {
	u64 key;		/* 0: free */
	u64 value, unix_ns;
	u32 export;		/* number of the last export with a point */
};

struct otlp_series {
	struct entry *entries;
	u32 size, n;		/* size: a power of two */
	u32 export;
};

u64 otlp_hash(u64 hash, const void *data, size_t n)
{
	const u8 *p = data;

	hash = hash ? hash : 0xcbf29ce484222325ull;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}

struct otlp_series *otlp_series_new(void)
{
	struct otlp_series *s = xcalloc(1, sizeof(*s));

	s->size = FIRST_SIZE;
	s->entries = xcalloc(s->size, sizeof(*s->entries));
	return s;
}

/* The entry of the key, or the free one for it. */
static struct entry *find(const struct otlp_series *s, u64 key)
{
	u32 i = (u32)(key ^ key >> 32) & (s->size - 1);

	while (s->entries[i].key && s->entries[i].key != key)
		i = (i + 1) & (s->size - 1);
	return &s->entries[i];
}

/* Moves the entries to be kept to a table less than half full. */
static void rebuild(struct otlp_series *s, u32 keep_exports)
{
	struct otlp_series new = { .size = FIRST_SIZE, .export = s->export };

	while (new.size < 4 * s->n)
		new.size *= 2;
	new.entries = xcalloc(new.size, sizeof(*new.entries));
	for (u32 i = 0; i < s->size; i++) {
		const struct entry *e = &s->entries[i];

		if (e->key && s->export - e->export <= keep_exports) {
			*find(&new, e->key) = *e;
			new.n++;
		}
	}
	free(s->entries);
	*s = new;
}

u64 otlp_series_advance(struct otlp_series *s, u64 key, u64 value, u64 now_unix_ns,
			u64 *start_unix_ns)
{
	struct entry *e;
	u64 growth = value;

	if (2 * s->n >= s->size)
		rebuild(s, UINT32_MAX);
	key = key ? key : 1;
	e = find(s, key);
	if (e->key) {
		growth = counter_growth(e->value, value);
		*start_unix_ns = e->unix_ns;
	} else {
		s->n++;
	}
	*e = (struct entry){ key, value, now_unix_ns, s->export };
	return growth;
}

void otlp_series_end(struct otlp_series *s)
{
	s->export++;
	if (s->export % KEEP_EXPORTS == 0)
		rebuild(s, KEEP_EXPORTS);
}

u32 otlp_series_count(const struct otlp_series *s)
{
	return s->n;
}

void otlp_series_free(struct otlp_series *s)
{
	if (!s)
		return;
	free(s->entries);
	free(s);
}
