// SPDX-License-Identifier: GPL-2.0-or-later
/* per_process.c: see per_process.h. */
#include "bpf/model/per_process.h"

struct number {
	struct hash_node node;
	u32 pid, n;
	u64 start_ns;
};

u32 *per_process(struct hash_table *t, u32 pid, u64 start_ns)
{
	u32 hash = hash_of(pid, start_ns);
	struct number *x = hash_find(t, hash, struct number, i, i->pid == pid && i->start_ns == start_ns);

	if (!x) {
		x = xcalloc(1, sizeof(*x));
		x->pid = pid;
		x->start_ns = start_ns;
		hash_add(t, &x->node, hash);
	}
	return &x->n;
}
