// SPDX-License-Identifier: GPL-2.0-or-later
/* durations.c: see durations.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/model/index.h"
#include "bpf/protocols/durations.h"
#include "bpf/protocols/paths.h"

struct durations {
	struct report_duration all[REPORT_DURATIONS];
	u32 n;
	struct index index;	/* of `all` */
	u64 lost;	/* requests without room */
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

/* For gRPC the path is the called method; for clients the peer is part of the key. */
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

/* Hashes only the used part: most of the call's buffer is NULs. */
static u32 hash_key(const struct report_duration *key)
{
	return hash_bytes(key, offsetof(struct report_duration, call) + strlen(key->call));
}

static struct report_duration *find(struct durations *d, const struct report_duration *key)
{
	u32 hash = hash_key(key), place, at = 0;

	while ((place = index_next(&d->index, hash, &at)) != INDEX_NONE)
		if (!memcmp(&d->all[place], key, DURATION_KEY))
			return &d->all[place];
	return NULL;
}

static struct report_duration *make(struct durations *d, const struct report_duration *key)
{
	index_add(&d->index, hash_key(key), d->n);
	d->all[d->n] = *key;
	return &d->all[d->n++];
}

/* Beyond the limit, calls and peers are no longer distinguished. */
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
	if (!r) {
		d->lost++;
		return;
	}
	r->sum_ns += ns;
	r->n[bucket_of(ns)]++;
}

const struct report_duration *durations_all(const struct durations *d, u32 *ret_n)
{
	*ret_n = d->n;
	return d->all;
}

u64 durations_lost(const struct durations *d)
{
	return d->lost;
}

void durations_clear(struct durations *d)
{
	d->lost = 0;
	index_clear(&d->index);
	d->n = 0;
}

struct durations *durations_new(void)
{
	return xcalloc(1, sizeof(struct durations));
}

void durations_free(struct durations *d)
{
	if (d)
		index_free(&d->index);
	free(d);
}
