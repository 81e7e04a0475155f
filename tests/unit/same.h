/* SPDX-License-Identifier: GPL-2.0-or-later */
/* same.h: asserts that two snapshots have the same content, naming the first difference. */
#pragma once

#include "bpf/model/snapshot_build.h"

static inline void assert_same_table(enum table_id t, const struct table *a,
				     const struct table *b)
{
	assert_int_equal(a->status, b->status);
	assert_ptr_equal(a->reason, b->reason);
	assert_int_equal(a->interval_ns, b->interval_ns);
	assert_int_equal(a->n, b->n);
	for (u32 i = 0; i < a->n; i++)
		if (!row_equal(a->rows[i], b->rows[i]))
			fail_msg("table %s, row %u differs", table_descs[t].name, i);
}

static inline void assert_same_snapshot(const struct snapshot *a, const struct snapshot *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->time_ns, b->time_ns);
	assert_int_equal(a->unix_offset_ns, b->unix_offset_ns);
	assert_int_equal(a->interval_ns, b->interval_ns);
	for (int t = 0; t < N_TABLES; t++)
		assert_same_table(t, &a->tables[t], &b->tables[t]);
}
