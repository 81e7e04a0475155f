// SPDX-License-Identifier: GPL-2.0-or-later
/* durations.c: see durations.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/durations.h"
#include "bpf/protocols/paths.h"

#define BUCKETS 4096

struct durations {
	struct report_duration all[REPORT_DURATIONS];
	u32 n;
	u16 first[BUCKETS], next[REPORT_DURATIONS];	/* index + 1 */
};

/* Semantic conventions 1.23 and later: http.server.request.duration, advised boundaries. */
static const u64 bounds_ms[DURATION_BUCKETS - 1] = {
	5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000,
};

/* A bucket has its upper bound, but not its lower one. */
static u32 bucket_of(u64 ns)
{
	u32 i = 0;

	while (i < DURATION_BUCKETS - 1 && ns > bounds_ms[i] * NSEC_PER_MSEC)
		i++;
	return i;
}

bool duration_same(const struct report_duration *a, const struct report_duration *b)
{
	return a->process_start_ns == b->process_start_ns && a->tgid == b->tgid &&
	       a->status == b->status && a->server == b->server && a->protocol == b->protocol &&
	       a->tls == b->tls && a->v6 == b->v6 && a->has_peer == b->has_peer &&
	       a->remote_port == b->remote_port && !memcmp(a->remote, b->remote, sizeof(a->remote)) &&
	       !strcmp(a->method, b->method) && !strcmp(a->call, b->call);
}

static u32 add_bytes(u32 h, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const u8 *)data)[i]) * 16777619u;
	return h;
}

u32 duration_hash(const struct report_duration *r)
{
	u32 h = 2166136261u ^ r->tgid * 2654435761u ^ r->status * 40503u ^ r->server ^ r->remote_port;

	h = add_bytes(h, r->remote, sizeof(r->remote));
	h = add_bytes(h, r->method, strlen(r->method));
	h = add_bytes(h, r->call, strlen(r->call));
	return h ^ h >> 15;
}

/* Of gRPC the path is the method that is called; of a client it matters whom it asks. */
static void fill_key(struct report_duration *r, const struct exchange *x)
{
	memset(r, 0, sizeof(*r));
	r->process_start_ns = x->process_start_ns;
	r->tgid = x->tgid;
	r->status = x->status;
	r->server = x->server;
	r->protocol = (u8)x->protocol;
	r->tls = x->tls;
	memcpy(r->method, x->method, sizeof(r->method));
	if (x->protocol == PROTOCOL_grpc)
		path_fold(r->call, sizeof(r->call), x->path);
	if (x->server || !x->has_peer)
		return;
	r->has_peer = true;
	r->v6 = x->v6;
	r->remote_port = x->remote_port;
	memcpy(r->remote, x->remote, sizeof(r->remote));
}

static struct report_duration *find(struct durations *d, const struct report_duration *key)
{
	for (u32 i = d->first[duration_hash(key) % BUCKETS]; i; i = d->next[i - 1])
		if (duration_same(&d->all[i - 1], key))
			return &d->all[i - 1];
	return NULL;
}

static struct report_duration *make(struct durations *d, const struct report_duration *key)
{
	u16 *at = &d->first[duration_hash(key) % BUCKETS];

	d->all[d->n] = *key;
	d->next[d->n] = *at;
	*at = (u16)(d->n + 1);
	return &d->all[d->n++];
}

/* Where there are too many, calls and peers are not told apart any more. */
static struct report_duration *get(struct durations *d, struct report_duration *key)
{
	struct report_duration *r = find(d, key);

	if (r || d->n < REPORT_DURATIONS / 2)
		return r ?: make(d, key);
	memset(key->call, 0, sizeof(key->call));
	memset(key->remote, 0, sizeof(key->remote));
	key->has_peer = key->v6 = 0;
	key->remote_port = 0;
	r = find(d, key);
	return r ?: d->n < REPORT_DURATIONS ? make(d, key) : NULL;
}

void durations_add(struct durations *d, const struct exchange *x, u64 ns)
{
	struct report_duration key, *r;

	fill_key(&key, x);
	r = get(d, &key);
	if (!r)
		return;
	r->sum_ns += ns;
	r->n[bucket_of(ns)]++;
}

const struct report_duration *durations_all(const struct durations *d, u32 *ret_n)
{
	*ret_n = d->n;
	return d->all;
}

void durations_clear(struct durations *d)
{
	memset(d->first, 0, sizeof(d->first));
	d->n = 0;
}

struct durations *durations_new(void)
{
	return xcalloc(1, sizeof(struct durations));
}

void durations_free(struct durations *d)
{
	free(d);
}
