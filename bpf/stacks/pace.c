// SPDX-License-Identifier: GPL-2.0-or-later
/* pace.c: see pace.h. */
#include "bpf/stacks/pace.h"

#define SHARE 0.25		/* of the budget */
#define SAVED_NS ((s64)(100 * NSEC_PER_MSEC))	/* at most, and at the start: what is on the first screen */
#define DEBT_NS (-(s64)(200 * NSEC_PER_MSEC))	/* of names */
#define IN_FLIGHT 3

static double rate;		/* CPU time a time */
static s64 saved_ns;
static u64 since_ns;
static u32 in_flight;
static bool hurry;

void pace_open(float budget_pct, u32 cpus)
{
	rate = (double)budget_pct / 100 * cpus * SHARE;
	saved_ns = SAVED_NS;
	since_ns = 0;
	in_flight = 0;
	hurry = false;
}

void pace_hurry(bool on)
{
	hurry = on;
}

bool pace_may(enum pace what, u64 now_ns)
{
	if (since_ns && now_ns > since_ns)
		saved_ns = min(saved_ns + (s64)((double)(now_ns - since_ns) * rate), SAVED_NS);
	since_ns = now_ns;
	if (hurry)
		return true;
	return in_flight < IN_FLIGHT && saved_ns > (what == PACE_NAMES ? DEBT_NS : 0);
}

void pace_asked(void)
{
	in_flight++;
}

void pace_answered(u64 cpu_ns)
{
	in_flight -= in_flight > 0;
	saved_ns -= (s64)min(cpu_ns, 10 * NSEC_PER_SEC);
}
