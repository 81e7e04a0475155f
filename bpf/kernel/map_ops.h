/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * map_ops.h: BPF map operations for user space, made by a BPF program. During a map
 * operation of bpf(2) itself, programs on classic tracepoints do not run on that CPU
 * (kernel/bpf/syscall.c, bpf_disable_instrumentation()); on a preemptible kernel that may
 * last for another thread's whole time slice, whose events are then missed. Programs run by
 * BPF_PROG_RUN do not have this effect.
 *
 * The BPF side is map_ops.bpf.h.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

enum { MAP_LOOKUP, MAP_UPDATE, MAP_DELETE };

/* Context of the program; key and value follow, each aligned to 8 bytes. */
struct map_request {
	__u32 what;
	__s32 ret;		/* 0 or -errno */
	__u64 flags;		/* as of bpf_map_update_elem() */
};

#ifndef __bpf__
struct bpf_map;
struct bpf_program;

struct map_ops {
	int map, prog;		/* descriptors; prog < 0: uses bpf(2) */
	__u32 key_bytes, value_bytes;
};

#define MAP_OPS_BYTES 192	/* of key and value */

/* Before the object is loaded: disables the program if the kernel cannot run it. */
void map_ops_choose(struct bpf_program *prog);
/* After loading. The caller keeps the map and the program. */
struct map_ops map_ops_of(const struct bpf_map *map, const struct bpf_program *prog);
/* Each 0 or -errno, as the operations of bpf(2): -ENOENT, -EEXIST, -E2BIG, ... */
int map_ops_lookup(const struct map_ops *m, const void *key, void *ret_value);
int map_ops_update(const struct map_ops *m, const void *key, const void *value, __u64 flags);
int map_ops_delete(const struct map_ops *m, const void *key);
#endif
