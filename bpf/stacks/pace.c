// SPDX-License-Identifier: GPL-2.0-or-later
/* pace.c: see pace.h. */
#include "bpf/stacks/pace.h"

#define SHARE 0.25		/* of the budget */
#define SAVED_NS ((s64)(100 * NSEC_PER_MSEC))	/* maximum, and initial value, for the first screen */
#define DEBT_NS (-(s64)(200 * NSEC_PER_MSEC))	/* of names */
#define IN_FLIGHT 3
#define NAMES_AT_LEAST_NS (5 * NSEC_PER_SEC)	/* one request for names in this time, in spite of debt */

static double rate;		/* CPU time per wall time */
static s64 saved_ns;
static u64 since_ns, names_ns;	/* last update; last request for names */
static u32 in_flight;
static bool hurry;

void pace_open(float budget_pct, u32 cpus)
{
	rate = (double)budget_pct / 100 * cpus * SHARE;
	saved_ns = SAVED_NS;
	since_ns = names_ns = 0;
	in_flight = 0;
	hurry = false;
}

void pace_hurry(bool on)
{
	hurry = on;
}

bool pace_hurries(void)
{
	return hurry;
}

bool pace_may(enum pace what, u64 now_ns)
{
	if (since_ns && now_ns > since_ns)
		saved_ns = min(saved_ns + (s64)((double)(now_ns - since_ns) * rate), SAVED_NS);
	since_ns = now_ns;
	if (hurry)
		return true;
	if (in_flight >= IN_FLIGHT)
		return false;
	if (what == PACE_LINES)
		return saved_ns > 0;
	return saved_ns > DEBT_NS || now_ns - names_ns >= NAMES_AT_LEAST_NS;
}

void pace_asked(enum pace what, u64 now_ns)
{
	if (what == PACE_NAMES)
		names_ns = now_ns;
	in_flight++;
}

void pace_answered(u64 cpu_ns)
{
	in_flight -= in_flight > 0;
	saved_ns -= (s64)min(cpu_ns, 10 * NSEC_PER_SEC);
}
