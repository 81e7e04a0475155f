/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* map_ops.bpf.h: see map_ops.h. */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_helpers.h>

#include "bpf/kernel/map_ops.h"

/* Defines the program `name`, through which user space accesses the map. */
#define MAP_OPS(name, map, key_type, value_type)				\
struct name##_request {								\
	struct map_request r;						\
	key_type key __attribute__((aligned(8)));				\
	value_type value __attribute__((aligned(8)));				\
};										\
										\
SEC("?syscall")									\
int name(struct name##_request *q)						\
{										\
	key_type key = q->key;							\
	value_type value, *found;						\
										\
	q->r.ret = 0;								\
	if (q->r.what == MAP_DELETE) {					\
		q->r.ret = bpf_map_delete_elem(&map, &key);			\
	} else if (q->r.what == MAP_UPDATE) {					\
		value = q->value;						\
		q->r.ret = bpf_map_update_elem(&map, &key, &value, q->r.flags);	\
	} else {								\
		found = bpf_map_lookup_elem(&map, &key);			\
		if (found)							\
			q->value = *found;					\
		else								\
			q->r.ret = -2;	/* ENOENT */				\
	}									\
	return 0;								\
}
