// SPDX-License-Identifier: GPL-2.0-or-later
/* card_trace.c: the last values of one process, for sparklines and means. */
#include <string.h>

#include "tui/views/card.h"

static float rss_of(const struct processes_row *p)
{
	return u64_known(p->rss_bytes) ? (float)p->rss_bytes : F32_UNKNOWN;
}

static void trace_shift(struct trace *t)
{
	if (t->n < TRACE_LEN) {
		t->n++;
		return;
	}
	for (int id = 0; id < N_TRACES; id++)
		memmove(t->values[id], t->values[id] + 1, (TRACE_LEN - 1) * sizeof(float));
	memmove(t->interval_ns, t->interval_ns + 1, (TRACE_LEN - 1) * sizeof(u64));
}

/* After its end there is nothing to know: blank, not zero. */
static void trace_add(struct trace *t, const struct snapshot *s)
{
	const struct processes_row *p =
		s ? snapshot_process(s, t->pid, t->start_time_ns) : NULL;
	float v[N_TRACES];

	for (int id = 0; id < N_TRACES; id++)
		v[id] = F32_UNKNOWN;
	if (p) {
		v[TRACE_user] = p->user_pct;
		v[TRACE_system] = p->system_pct;
		v[TRACE_runq] = p->runq_wait_pct;
		v[TRACE_blocked] = p->blocked_pct;
		v[TRACE_cpu] = p->cpu_pct;
		v[TRACE_rss] = rss_of(p);
	}
	trace_shift(t);
	for (int id = 0; id < N_TRACES; id++)
		t->values[id][t->n - 1] = v[id];
	t->interval_ns[t->n - 1] = s ? s->interval_ns : 0;
}

void trace_update(struct trace *t, struct history *h, const struct snapshot *shown,
		  u64 pid, u64 start_time_ns)
{
	bool same = t->pid == pid && t->start_time_ns == start_time_ns && t->n;
	int end;

	if (same && t->seq == shown->seq)
		return;
	if (!same || t->seq + 1 != shown->seq) {
		t->n = 0;
		t->pid = pid;
		t->start_time_ns = start_time_ns;
		end = h ? history_find(h, shown->seq) : -1;
		for (int i = max(end - TRACE_LEN + 1, 0); i < end; i++) {
			const struct snapshot *old = history_snapshot(h, (u32)i);

			trace_add(t, old);
			snapshot_put(old);
		}
	}
	trace_add(t, shown);
	t->seq = shown->seq;
}

float trace_mean(const struct trace *t, enum trace_id id, u64 *ret_ns)
{
	double sum = 0;
	u64 ns = 0;

	for (int i = t->n - 1; i >= 0 && ns < TRACE_MEAN_NS; i--) {
		if (!f32_known(t->values[id][i]))
			continue;
		sum += (double)t->values[id][i] * (double)t->interval_ns[i];
		ns += t->interval_ns[i];
	}
	*ret_ns = ns;
	return ns ? (float)(sum / (double)ns) : F32_UNKNOWN;
}
