/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h: finds structs by a hash. Each begins with a struct hash_node and is owned by the caller;
 * zeroed memory is an empty table. index.h is for arrays.
 */
#pragma once

#include "bpf/model/base.h"

struct hash_node {
	struct hash_node *next;
	u32 hash;
};

struct hash_table {
	struct hash_node **heads;
	u32 n_heads, n;
};

u32 hash_bytes(const void *data, size_t n);
#define hash_of(...) hash_bytes((const u64[]){ __VA_ARGS__ }, sizeof((const u64[]){ __VA_ARGS__ }))

/* The first node of that hash in a chain, or NULL. */
static inline void *hash_in_chain(struct hash_node *n, u32 hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

/* Iterate over the structs of a hash; NULL: no more. */
static inline void *hash_first(const struct hash_table *t, u32 hash)
{
	return t->n ? hash_in_chain(t->heads[hash & (t->n_heads - 1)], hash) : NULL;
}

static inline void *hash_next(const struct hash_node *n)
{
	return hash_in_chain(n->next, n->hash);
}

/* The first struct of this hash for which `is_it`, an expression of x, holds, or NULL. */
#define hash_find(table, hash_, type, x, is_it) ({ \
	type *x = hash_first(table, hash_); \
	while (x && !(is_it)) \
		x = hash_next((struct hash_node *)x); \
	x; })

/* Adds a node that hash_find() did not find. */
void hash_add(struct hash_table *t, struct hash_node *n, u32 hash);
/* Removes a node; the caller keeps its memory. */
void hash_remove(struct hash_table *t, struct hash_node *n);
/* Frees the table and, with free_one(), all structs in it. */
void hash_free(struct hash_table *t, void (*free_one)(void *));

/* For each struct, unordered; it may be removed in the loop, none may be added. */
#define hash_each(table, type, x) \
	for (u32 i_ = 0; i_ < (table)->n_heads; i_++) \
		for (type *x = (type *)(table)->heads[i_], *next_; \
		     x && (next_ = (type *)((struct hash_node *)x)->next, true); x = next_)
