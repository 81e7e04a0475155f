// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * str.c: interned, counted strings. Rows of all snapshots share them, and
 * several threads let go of them, so the pool has a lock; taking another
 * reference to a string one already holds does not need it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"

struct str {
	struct str *next;
	_Atomic u32 refs;
	u32 len;
	u32 hash;
	char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct str **buckets;
static u32 n_buckets, n_strings;
static u64 pool_bytes;

static u32 hash_bytes(const char *s, size_t n)
{
	u32 h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (u8)s[i]) * 16777619u;
	return h;
}

static struct str *str_of(const char *s)
{
	return (struct str *)(s - offsetof(struct str, text));
}

static void pool_grow(void)
{
	u32 n = n_buckets ? n_buckets * 2 : 1024;
	struct str **b = xcalloc(n, sizeof(*b));

	for (u32 i = 0; i < n_buckets; i++) {
		for (struct str *s = buckets[i], *next; s; s = next) {
			next = s->next;
			s->next = b[s->hash & (n - 1)];
			b[s->hash & (n - 1)] = s;
		}
	}
	free(buckets);
	buckets = b;
	n_buckets = n;
}

static struct str *pool_add(const char *s, size_t n, u32 hash)
{
	struct str *new = xmalloc(sizeof(*new) + n + 1);

	new->refs = 1;
	new->len = (u32)n;
	new->hash = hash;
	memcpy(new->text, s, n);
	new->text[n] = '\0';
	new->next = buckets[hash & (n_buckets - 1)];
	buckets[hash & (n_buckets - 1)] = new;
	n_strings++;
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
	if (n_strings >= n_buckets)
		pool_grow();
	for (p = buckets[hash & (n_buckets - 1)]; p; p = p->next)
		if (p->hash == hash && p->len == n && !memcmp(p->text, s, n))
			break;
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
	struct str **link = &buckets[p->hash & (n_buckets - 1)];

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	n_strings--;
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
	/* the last reference is only dropped under the lock: str_newn() may revive it */
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

u64 str_pool_bytes(void)
{
	u64 n;

	pthread_mutex_lock(&lock);
	n = pool_bytes + n_buckets * sizeof(*buckets);
	pthread_mutex_unlock(&lock);
	return n;
}
