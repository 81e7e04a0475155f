// SPDX-License-Identifier: GPL-2.0-or-later
/* series.c: see series.h. */
#include <stdlib.h>

#include "bpf/model/hash.h"
#include "exporter/otlp/series.h"

#define KEEP_EXPORTS 10		/* a value may be unknown for a while */

struct entry {
	struct hash_node node;
	u64 key;
	u64 value, unix_ns;
	u32 export;		/* number of the last export with a point */
};

struct otlp_series {
	struct hash_table entries;
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
	return xcalloc(1, sizeof(struct otlp_series));
}

u64 otlp_series_advance(struct otlp_series *s, u64 key, u64 value, u64 now_unix_ns,
			u64 *start_unix_ns)
{
	struct entry *e = hash_find(&s->entries, hash_of(key), struct entry, x, x->key == key);
	u64 growth = value;

	if (e) {
		growth = counter_growth(e->value, value);
		*start_unix_ns = e->unix_ns;
	} else {
		e = xcalloc(1, sizeof(*e));
		e->key = key;
		hash_add(&s->entries, &e->node, hash_of(key));
	}
	e->value = value;
	e->unix_ns = now_unix_ns;
	e->export = s->export;
	return growth;
}

void otlp_series_end(struct otlp_series *s)
{
	s->export++;
	hash_each(&s->entries, struct entry, e) {
		if (s->export - e->export <= KEEP_EXPORTS)
			continue;
		hash_remove(&s->entries, &e->node);
		free(e);
	}
}

u32 otlp_series_count(const struct otlp_series *s)
{
	return s->entries.n;
}

void otlp_series_free(struct otlp_series *s)
{
	if (!s)
		return;
	hash_free(&s->entries, free);
	free(s);
}
