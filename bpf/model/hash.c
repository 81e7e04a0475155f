// SPDX-License-Identifier: GPL-2.0-or-later
/* hash.c: see hash.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"

u32 hash_bytes(const void *data, size_t n)
{
	const u8 *p = data;
	u64 h = n, word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return (u32)(h ^ h >> 32);
}

static void put(struct hash_table *t, struct hash_node *n)
{
	struct hash_node **head = &t->heads[n->hash & (t->n_heads - 1)];

	n->next = *head;
	*head = n;
}

static void make_room(struct hash_table *t)
{
	struct hash_table old = *t;

	if (t->n < t->n_heads)
		return;
	t->n_heads = max(old.n_heads * 2, 64u);
	t->heads = xcalloc(t->n_heads, sizeof(*t->heads));
	hash_each(&old, struct hash_node, n)
		put(t, n);
	free(old.heads);
}

void hash_add(struct hash_table *t, struct hash_node *n, u32 hash)
{
	make_room(t);
	n->hash = hash;
	put(t, n);
	t->n++;
}

void hash_remove(struct hash_table *t, struct hash_node *n)
{
	struct hash_node **link = &t->heads[n->hash & (t->n_heads - 1)];

	while (*link != n)
		link = &(*link)->next;
	*link = n->next;
	t->n--;
}

void hash_free(struct hash_table *t, void (*free_one)(void *))
{
	if (free_one)
		hash_each(t, struct hash_node, x)
			free_one(x);
	free(t->heads);
	*t = (struct hash_table){ 0 };
}
