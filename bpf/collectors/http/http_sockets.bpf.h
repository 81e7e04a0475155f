/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_sockets.bpf.h: state of sockets, by cookie, and of TLS sessions, by our own numbers. Both count up:
 * the low bits are an index into an array, found without a hash lookup. On a collision the newer one goes
 * to a hash map until it ends; it is not an LRU, as an evicted socket would come back as a new one.
 */
#pragma once

#define PLACE_BUSY (~0ull)	/* being taken on another CPU */
#define CONTESTED 8		/* collisions without a use by its owner in between: the place is taken over */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HTTP_SOCKETS_MAX);
	__type(key, u32);
	__type(value, struct http_socket);
} places SEC(".maps");

HASH(sockets, HTTP_SOCKETS_ASIDE, u64, struct http_socket);
u64 lost_sockets;		/* times that the hash map was full */

const volatile u32 places_mask;

static __always_inline struct http_socket *place_of(u64 key)
{
	u32 i = place_by_number(key, places_mask);

	return bpf_map_lookup_elem(&places, &i);
}

static __always_inline struct http_socket *socket_find(u64 key)
{
	struct http_socket *s = place_of(key);

	if (s && s->key == key) {
		if (s->contested)
			s->contested = 0;
		return s;
	}
	return bpf_map_lookup_elem(&sockets, &key);
}

static __always_inline bool is_followed(const struct http_socket *s)
{
	return s->class == HTTP_YES || s->class == HTTP_2;
}

/* Only followed sockets are sure to be dropped when they end; others may be left over, and are replaced. */
static __always_inline bool may_be_left(struct http_socket *s)
{
	return !is_followed(s) && s->class != HTTP_IN_TLS && ++s->contested >= CONTESTED;
}

static __always_inline bool take_place(struct http_socket *s, u64 key)
{
	u64 had = s->key;

	if (had == PLACE_BUSY || (had && !may_be_left(s)) ||
	    __sync_val_compare_and_swap(&s->key, had, PLACE_BUSY) != had)
		return false;
	__builtin_memset((char *)s + sizeof(s->key), 0, sizeof(*s) - sizeof(s->key));
	barrier();
	s->key = key;
	return true;
}

/* Not inlined, to keep its stack out of the callers'. */
__noinline int keep_aside(u64 key)
{
	struct http_socket zero = { .key = key };

	if (bpf_map_update_elem(&sockets, &key, &zero, BPF_NOEXIST))
		__sync_fetch_and_add(&lost_sockets, 1);
	return 0;
}

static __always_inline struct http_socket *socket_new(u64 key)
{
	struct http_socket *s = place_of(key);

	if (s && take_place(s, key))
		return s;
	keep_aside(key);
	return bpf_map_lookup_elem(&sockets, &key);
}

/* s: its state. */
static __always_inline void socket_drop(u64 key, struct http_socket *s)
{
	if (s == place_of(key))
		s->key = 0;
	else
		bpf_map_delete_elem(&sockets, &key);
}
