/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linger.h: an unwanted collector runs on for minutes (seconds over budget): views have no gap. */
#pragma once

#include "bpf/model/base.h"

#define LINGER_NS (300 * NSEC_PER_SEC)
#define LINGER_DEAR_NS (5 * NSEC_PER_SEC)	/* over budget: if it can be switched on again at once */
#define LINGER_DEAR_LOAD_NS (20 * NSEC_PER_SEC)	/* over budget: if its programs must be loaded again */
#define LINGER_MEMORY_BYTES 50000000ull		/* memory budget: resident plus kernel maps */

/* Cost of a tick; CPU in percent of the machine, F32_UNKNOWN: not known. */
struct linger_cost {
	float cpu_pct, bpf_pct, budget_pct;
	u64 memory_bytes, interval_ns;
};

/* Once a tick. */
void linger_report(const struct linger_cost *c);
/* Is ottop over its budget, averaged over the last seconds? */
bool linger_is_dear(void);
/* Is it to end, not being wanted for unwanted_ns? for_ns: normal linger time; dear_ns: while over budget. */
bool linger_ends(u64 unwanted_ns, u64 for_ns, u64 dear_ns);
/* Discards all reported costs. */
void linger_forget(void);
