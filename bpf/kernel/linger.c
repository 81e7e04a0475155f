// SPDX-License-Identifier: GPL-2.0-or-later
/* linger.c: see linger.h. */
#include "bpf/kernel/linger.h"
#include "bpf/model/snapshot.h"

#define MEAN_NS (5 * NSEC_PER_SEC)	/* opening a view makes one expensive tick */

static struct linger_cost last;
static float mean_pct;

static float known_pct(float pct)
{
	return f32_known(pct) ? pct : 0;
}

void linger_report(const struct linger_cost *c)
{
	float pct = known_pct(c->cpu_pct) + known_pct(c->bpf_pct);
	float share = (float)min(c->interval_ns, MEAN_NS) / (float)MEAN_NS;

	mean_pct += (pct - mean_pct) * share;
	last = *c;
}

bool linger_is_dear(void)
{
	return mean_pct > last.budget_pct ||
	       (u64_known(last.memory_bytes) && last.memory_bytes > LINGER_MEMORY_BYTES);
}

bool linger_ends(u64 unwanted_ns, u64 for_ns, u64 dear_ns)
{
	return unwanted_ns > for_ns || (unwanted_ns > dear_ns && linger_is_dear());
}

void linger_forget(void)
{
	last = (struct linger_cost){};
	mean_pct = 0;
}
