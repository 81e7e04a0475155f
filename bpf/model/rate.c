// SPDX-License-Identifier: GPL-2.0-or-later
/* rate.c: see rate.h. */
#include "bpf/model/rate.h"

u64 counter_advance(struct counter *c, u64 now, bool from_zero)
{
	u64 delta;

	if (!c->read) {
		c->read = true;
		c->last = now;
		return from_zero ? now : U64_PENDING;
	}
	if (now < c->last && c->last - now <= c->last / 8)
		return 0;
	delta = now >= c->last ? now - c->last : now;
	c->last = now;
	return delta;
}

u64 counter_growth(u64 from, u64 to)
{
	struct counter c = { .last = from, .read = true };

	return u64_known(from) && u64_known(to) ? counter_advance(&c, to, false) : 0;
}

float rate_per_s(u64 delta, u64 interval_ns)
{
	if (delta == U64_UNKNOWN)
		return F32_UNKNOWN;
	if (!u64_known(delta) || !interval_ns)
		return F32_PENDING;
	return (float)((double)delta * 1e9 / (double)interval_ns);
}

float rate_pct(u64 delta_ns, u64 interval_ns)
{
	if (delta_ns == U64_UNKNOWN)
		return F32_UNKNOWN;
	if (!u64_known(delta_ns) || !interval_ns)
		return F32_PENDING;
	return (float)((double)delta_ns * 100 / (double)interval_ns);
}

float rate_of_level(struct counter *c, u64 now, u64 interval_ns)
{
	double growth = (double)now - (double)c->last;
	bool known = c->read && interval_ns;

	c->read = true;
	c->last = now;
	return known ? (float)(growth * 1e9 / (double)interval_ns) : F32_PENDING;
}
