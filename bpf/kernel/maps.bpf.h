/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* maps.bpf.h: one-line definitions of the common kinds of maps. */
#pragma once

#define MAP_OF(name_, type_, n, key_, value_, flags) \
	struct { \
		__uint(type, BPF_MAP_TYPE_##type_); \
		__uint(max_entries, n); \
		__uint(map_flags, flags); \
		__type(key, key_); \
		__type(value, value_); \
	} name_ SEC(".maps")

/* Entries are allocated on demand. */
#define HASH(name, n, key, value) MAP_OF(name, HASH, n, key, value, BPF_F_NO_PREALLOC)
/* Preallocated: for contexts in which a program must not allocate. */
#define HASH_PREALLOCATED(name, n, key, value) MAP_OF(name, HASH, n, key, value, 0)
#define LRU_HASH(name, n, key, value) MAP_OF(name, LRU_HASH, n, key, value, 0)
#define PERCPU_ARRAY(name, n, value) MAP_OF(name, PERCPU_ARRAY, n, u32, value, 0)
#define TASK_STORAGE(name, value) MAP_OF(name, TASK_STORAGE, 0, int, value, BPF_F_NO_PREALLOC)
#define SK_STORAGE(name, value) MAP_OF(name, SK_STORAGE, 0, int, value, BPF_F_NO_PREALLOC)

#define RING(name_, bytes) \
	struct { \
		__uint(type, BPF_MAP_TYPE_RINGBUF); \
		__uint(max_entries, bytes); \
	} name_ SEC(".maps")

/* Reserves a zeroed record; NULL: the ring is full, counted in *lost. */
#define ring_zeroed(ring, size, lost) ({ \
		void *record_ = bpf_ringbuf_reserve(ring, size, 0); \
		if (record_) \
			__builtin_memset(record_, 0, size); \
		else \
			__sync_fetch_and_add(lost, 1); \
		record_; \
	})
