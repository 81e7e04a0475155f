/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * hist_index.h: the bucket of a latency, for BPF and user space (a unit test has the exact
 * formula).
 *
 * Bucket j is (2^(j/8), 2^((j+1)/8)] in units of 2^-30 s; -1: at most one unit (0.93 ns).
 */
#pragma once

#define HIST_INDEX_MAX 335

static inline __attribute__((always_inline)) int hist_index(unsigned long long ns)
{
	unsigned long long u, m;
	int e = 0, j;

	/* ns * 2^30 / 10^9 = ns + ns * 0.073741824; the fraction in 2^-30 */
	u = ns < (1ull << 36) ? ns + (ns * 79179681ull >> 30)
			      : ns + ((ns >> 16) * 79179681ull >> 14);
	if (u <= 1)
		return -1;
	m = u;
	if (m >> 32) { m >>= 32; e += 32; }
	if (m >> 16) { m >>= 16; e += 16; }
	if (m >> 8) { m >>= 8; e += 8; }
	if (m >> 4) { m >>= 4; e += 4; }
	if (m >> 2) { m >>= 2; e += 2; }
	if (m >> 1) e += 1;
	/* the mantissa, leading 1 at bit 31, against the floor of 2^(31 + k/8) */
	m = e > 31 ? u >> (e - 31) : u << (31 - e);
	j = 8 * e;
	if (m > 3037000499u) {		/* k = 4 */
		if (m > 3611622602u)	/* k = 6 */
			j += m > 3938502375u ? 7 : 6;
		else
			j += m > 3311872529u ? 5 : 4;
	} else {
		if (m > 2553802833u)	/* k = 2 */
			j += m > 2784941737u ? 3 : 2;
		else if (m > 2341847523u)
			j += 1;
		else if (m == 2147483648u)
			j -= 1;		/* a power of two is in the bucket below */
	}
	return j > HIST_INDEX_MAX ? HIST_INDEX_MAX : j;
}
