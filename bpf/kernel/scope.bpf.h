/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* scope.bpf.h: the processes that a collector's programs observe; set by user space. */
#pragma once

#define MAX_SCOPE 64

u32 scope_n;		/* 0: all processes; else those of scope_tgids */
u32 scope_tgids[MAX_SCOPE];

static __always_inline bool in_scope(u32 tgid)
{
	u32 n = scope_n;

	if (!n)
		return true;
	for (u32 i = 0; i < MAX_SCOPE; i++) {
		if (i >= n)
			break;
		if (scope_tgids[i] == tgid)
			return true;
	}
	return false;
}
