/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * map_ops.h: operations on a BPF map that a program makes for user space. While
 * bpf(2) makes them itself, no classic tracepoint's program runs on that CPU
 * (kernel/bpf/syscall.c, bpf_disable_instrumentation()); where the kernel is
 * preemptible that may be for as long as another thread's turn, and all that it does
 * goes uncounted. Programs that user space runs (BPF_PROG_RUN) hold up nobody.
 *
 * The program's side is map_ops.bpf.h.
 */
#ifndef OTTOP_MAP_OPS_H
#define OTTOP_MAP_OPS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum { MAP_LOOKUP, MAP_UPDATE, MAP_DELETE };

/* What the program is given; key and value follow, each at a multiple of 8 bytes. */
struct map_request {
	__u32 what;
	__s32 ret;		/* 0 or -errno */
	__u64 flags;		/* as of bpf_map_update_elem() */
};

#ifndef __bpf__
struct bpf_map;
struct bpf_program;

struct map_ops {
	int map, prog;		/* descriptors; prog < 0: bpf(2) it is */
	__u32 key_bytes, value_bytes;
};

#define MAP_OPS_BYTES 192	/* of key and value */

/* Before the object is loaded: the program is left out where the kernel cannot run it. */
void map_ops_choose(struct bpf_program *prog);
/* Afterwards. The map and the program stay the caller's. */
struct map_ops map_ops_of(const struct bpf_map *map, const struct bpf_program *prog);
/* Each 0 or -errno, as the operations of bpf(2): -ENOENT, -EEXIST, -E2BIG, ... */
int map_ops_lookup(const struct map_ops *m, const void *key, void *ret_value);
int map_ops_update(const struct map_ops *m, const void *key, const void *value, __u64 flags);
int map_ops_delete(const struct map_ops *m, const void *key);
#endif

#endif
