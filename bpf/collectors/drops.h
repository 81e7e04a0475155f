/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* drops.h: packets the kernel threw away, by reason and place. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#define DROPS_MAX 4096
#define DROP_REASONS_LEFT_OUT 4

struct drop_key {
	__u64 location;		/* where in the kernel */
	__u32 reason, pad;	/* enum skb_drop_reason */
};
