// SPDX-License-Identifier: GPL-2.0-or-later
/* hist.c: exponential histograms: indexing, merging, quantiles. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hist.h"
#include "bpf/model/hist_index.h"

int hist_bucket(u64 ns)
{
	return hist_index(ns);
}

static double unit_edge_ns(int j)
{
	return exp2((double)j / (1 << HIST_SCALE)) * 1e9 / (double)(1u << 30);
}

double hist_lower_ns(int j)
{
	return unit_edge_ns(j);
}

double hist_upper_ns(int j)
{
	return unit_edge_ns(j + 1);
}

void hist_acc_bucket(struct hist_acc *a, int j, u64 n)
{
	a->count += n;
	if (j < 0)
		a->zero += n;
	else
		a->counts[min(j, HIST_BUCKETS - 1)] += n;
}

static void acc_extremes(struct hist_acc *a, u64 count, u64 lo, u64 hi)
{
	if (!count)
		return;
	/* a->count may include these values already; in an empty range min and max are 0 */
	a->min_ns = a->min_ns && a->min_ns < lo ? a->min_ns : lo;
	a->max_ns = max(a->max_ns, hi);
}

void hist_acc_value(struct hist_acc *a, u64 ns)
{
	acc_extremes(a, 1, ns, ns);
	hist_acc_bucket(a, hist_index(ns), 1);
	a->sum_ns += ns;
}

void hist_acc_add(struct hist_acc *a, const struct hist *h)
{
	if (!h || !h->count)
		return;
	acc_extremes(a, h->count, h->min_ns, h->max_ns);
	a->zero += h->zero;
	a->count += h->count;
	a->sum_ns += h->sum_ns;
	for (u32 k = 0; k < h->n; k++)
		a->counts[h->offset - HIST_UNIT_OFFSET + (s32)k] += h->counts[k];
}

void hist_acc_sub(struct hist_acc *a, const struct hist *h)
{
	if (!h)
		return;
	a->zero -= h->zero;
	a->count -= h->count;
	a->sum_ns -= h->sum_ns;
	for (u32 k = 0; k < h->n; k++)
		a->counts[h->offset - HIST_UNIT_OFFSET + (s32)k] -= h->counts[k];
}

const struct hist *hist_seal(const struct hist_acc *a)
{
	int first = 0, end = HIST_BUCKETS;
	struct hist *h;

	while (first < end && !a->counts[first])
		first++;
	while (end > first && !a->counts[end - 1])
		end--;
	h = xmalloc(sizeof(*h) + (size_t)(end - first) * sizeof(h->counts[0]));
	h->refs = 1;
	h->n = (u32)(end - first);
	h->offset = h->n ? first + HIST_UNIT_OFFSET : 0;
	h->zero = a->zero;
	h->count = a->count;
	h->sum_ns = a->sum_ns;
	h->min_ns = a->count ? a->min_ns : 0;
	h->max_ns = a->count ? a->max_ns : 0;
	memcpy(h->counts, a->counts + first, h->n * sizeof(h->counts[0]));
	return h;
}

const struct hist *hist_sum(const struct hist *a, const struct hist *b)
{
	struct hist_acc acc;

	if (!a || !b || !a->count || !b->count)
		return hist_get(a && a->count ? a : b ? b : a);
	memset(&acc, 0, sizeof(acc));
	hist_acc_add(&acc, a);
	hist_acc_add(&acc, b);
	return hist_seal(&acc);
}

void hist_merge(const struct hist **to, const struct hist *h)
{
	const struct hist *sum = hist_sum(*to, h);

	hist_put(*to);
	*to = sum;
}

const struct hist *hist_get(const struct hist *h)
{
	if (h)
		atomic_fetch_add_explicit(&((struct hist *)h)->refs, 1, memory_order_relaxed);
	return h;
}

void hist_put(const struct hist *h)
{
	struct hist *m = (struct hist *)h;

	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}

bool hist_equal(const struct hist *a, const struct hist *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->n != b->n || a->offset != b->offset || a->zero != b->zero ||
	    a->count != b->count || a->sum_ns != b->sum_ns || a->min_ns != b->min_ns ||
	    a->max_ns != b->max_ns)
		return false;
	return !memcmp(a->counts, b->counts, a->n * sizeof(a->counts[0]));
}

u64 hist_quantile(const struct hist *h, double q)
{
	u64 rank, seen;

	if (!h || !h->count)
		return 0;
	rank = (u64)ceil(q * (double)h->count);
	rank = max(rank, 1ull);
	seen = h->zero;
	if (rank <= seen)
		return 0;
	for (u32 k = 0; k < h->n; k++) {
		seen += h->counts[k];
		if (rank <= seen) {
			int j = h->offset - HIST_UNIT_OFFSET + (int)k;
			double mid = sqrt(hist_lower_ns(j) * hist_upper_ns(j));

			return min((u64)llround(mid), h->max_ns);
		}
	}
	return h->max_ns;
}
