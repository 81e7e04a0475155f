// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* drops.bpf.c: counts packets that the kernel frees because it drops them. */
#include "bpf/kernel/kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel/ksym.bpf.h"
#include "bpf/kernel/map_ops.bpf.h"
#include "bpf/collectors/drops.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Reasons that are none: numbers differ between kernels. ~0: unused place. */
const volatile u32 left_out[DROP_REASONS_LEFT_OUT];
u64 lost;

HASH(counts, DROPS_MAX, struct drop_key, u64);

MAP_OPS(serve_counts, counts, struct drop_key, u64)
KSYM(name_place)

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop, void *skb, void *location, u32 reason)
{
	struct drop_key k = { .location = (u64)location, .reason = reason };
	u64 *n, one = 1;

	for (int i = 0; i < DROP_REASONS_LEFT_OUT; i++)
		if (reason == left_out[i])
			return 0;
	n = bpf_map_lookup_elem(&counts, &k);
	if (!n && !bpf_map_update_elem(&counts, &k, &one, BPF_NOEXIST))
		return 0;
	if (!n)	/* another CPU was first */
		n = bpf_map_lookup_elem(&counts, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
