/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linger.h: how long what nobody wants any more runs on. Minutes, for who looks away and back
 * again finds no gap then; seconds while ottop costs more than it promises.
 */
#ifndef OTTOP_LINGER_H
#define OTTOP_LINGER_H

#include "bpf/model/base.h"

#define LINGER_NS (300 * NSEC_PER_SEC)
#define LINGER_DEAR_NS (5 * NSEC_PER_SEC)	/* what is switched on at once */
#define LINGER_DEAR_LOAD_NS (20 * NSEC_PER_SEC)	/* what has programs to be loaded */
#define LINGER_MEMORY_BYTES 50000000ull		/* resident, and of kernel maps: what is promised */

/* What a tick cost; CPU in percent of the machine, F32_UNKNOWN where it is not known. */
struct linger_cost {
	float cpu_pct, bpf_pct, budget_pct;
	u64 memory_bytes, interval_ns;
};

/* Once a tick. */
void linger_report(const struct linger_cost *c);
/* Whether ottop cost more than it promises, as a mean of the last seconds. */
bool linger_is_dear(void);
/* Whether something ends that was wanted so long ago; dear_ns: how long it runs on while ottop is dear. */
bool linger_ends(u64 unwanted_ns, u64 for_ns, u64 dear_ns);
/* As if nothing had been told. */
void linger_forget(void);

#endif
