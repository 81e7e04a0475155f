// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * str.c: interned, counted strings, shared by rows of all snapshots. Several threads release them,
 * so the pool has a lock; copying a held reference does not need it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/model/snapshot_build.h"

struct str {
	struct hash_node node;
	_Atomic u32 refs;
	u32 len;
	char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hash_table pool;
static u64 pool_bytes;

static struct str *str_of(const char *s)
{
	return (struct str *)(s - offsetof(struct str, text));
}

static struct str *pool_add(const char *s, size_t n, u32 hash)
{
	struct str *new = xmalloc(sizeof(*new) + n + 1);

	new->refs = 1;
	new->len = (u32)n;
	memcpy(new->text, s, n);
	new->text[n] = '\0';
	hash_add(&pool, &new->node, hash);
	pool_bytes += sizeof(*new) + n + 1;
	return new;
}

const char *str_newn(const char *s, size_t n)
{
	struct str *p;
	u32 hash;

	n = strnlen(s, n);
	hash = hash_bytes(s, n);
	pthread_mutex_lock(&lock);
	p = hash_find(&pool, hash, struct str, x, x->len == n && !memcmp(x->text, s, n));
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	else
		p = pool_add(s, n, hash);
	pthread_mutex_unlock(&lock);
	return p->text;
}

const char *str_new(const char *s)
{
	return str_newn(s, strlen(s));
}

const char *str_get(const char *s)
{
	if (s)
		atomic_fetch_add_explicit(&str_of(s)->refs, 1, memory_order_relaxed);
	return s;
}

static void pool_remove(struct str *p)
{
	hash_remove(&pool, &p->node);
	pool_bytes -= sizeof(*p) + p->len + 1;
	free(p);
}

void str_put(const char *s)
{
	struct str *p;
	u32 refs;

	if (!s)
		return;
	p = str_of(s);
	refs = atomic_load_explicit(&p->refs, memory_order_relaxed);
	while (refs > 1)
		if (atomic_compare_exchange_weak(&p->refs, &refs, refs - 1))
			return;
	/* only under the lock: str_newn() may revive it */
	pthread_mutex_lock(&lock);
	if (atomic_fetch_sub(&p->refs, 1) == 1)
		pool_remove(p);
	pthread_mutex_unlock(&lock);
}

void str_set(const char **member, const char *s)
{
	str_put(*member);
	*member = s;
}

u64 str_share_bytes(const char *s)
{
	const struct str *p = s ? str_of(s) : NULL;

	return p ? (sizeof(*p) + p->len + 1) / atomic_load_explicit(&p->refs, memory_order_relaxed) : 0;
}

u64 str_pool_bytes(void)
{
	u64 n;

	pthread_mutex_lock(&lock);
	n = pool_bytes + pool.n_heads * sizeof(*pool.heads);
	pthread_mutex_unlock(&lock);
	return n;
}
