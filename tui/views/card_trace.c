// SPDX-License-Identifier: GPL-2.0-or-later
/* card_trace.c: the last values of one process, for sparklines and means. */
#include <string.h>

#include "tui/views/card.h"

#define CHUNK 30		/* ticks read a frame: going back means decoding */

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

/* Adds a snapshot: after the process's end blank and no time; unobserved: unknown. */
static void trace_add(struct trace *t, const struct snapshot *s)
{
	const struct processes_row *p =
		s ? snapshot_process(s, t->pid, t->start_time_ns) : NULL;
	enum table_status status = s ? s->tables[TABLE_processes].status : TS_OFF;
	bool observed = status == TS_OK || status == TS_PARTIAL;
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
	t->interval_ns[t->n - 1] = s && (p || !observed) ? s->interval_ns : 0;
}

static void trace_tick(struct trace *t, struct history *h, int i)
{
	const struct snapshot *s = history_snapshot(h, (u32)i);

	trace_add(t, s);
	snapshot_put(s);
}

void trace_update(struct trace *t, struct history *h, const struct snapshot *shown,
		  u64 pid, u64 start_time_ns)
{
	bool same = t->pid == pid && t->start_time_ns == start_time_ns && t->n;
	int end, from;

	if (same && t->seq == shown->seq)
		return;
	if (!same || t->seq + 1 != shown->seq) {
		t->n = 0;
		t->pid = pid;
		t->start_time_ns = start_time_ns;
		end = h ? history_find(h, shown->seq) : -1;
		from = max(end - CHUNK + 1, 0);
		for (int i = from; i < end; i++)
			trace_tick(t, h, i);
		t->older = from > 0 ? history_seq(h, (u32)from) : 0;
	}
	trace_add(t, shown);
	t->seq = shown->seq;
}

/* Inserts the values of `old` before those of t. */
static void trace_prepend(struct trace *t, const struct trace *old)
{
	int keep = min(t->n, TRACE_LEN - old->n);

	for (int id = 0; id < N_TRACES; id++) {
		memmove(t->values[id] + old->n, t->values[id] + t->n - keep,
			(size_t)keep * sizeof(float));
		memcpy(t->values[id], old->values[id], (size_t)old->n * sizeof(float));
	}
	memmove(t->interval_ns + old->n, t->interval_ns + t->n - keep, (size_t)keep * sizeof(u64));
	memcpy(t->interval_ns, old->interval_ns, (size_t)old->n * sizeof(u64));
	t->n = old->n + keep;
}

bool trace_more(struct trace *t, struct history *h)
{
	struct trace old = { .pid = t->pid, .start_time_ns = t->start_time_ns };
	int end, from;

	if (!t->older || t->n >= TRACE_LEN)
		return false;
	end = history_find(h, t->older);
	from = max(end - min(CHUNK, TRACE_LEN - t->n), 0);
	for (int i = from; i < end; i++)
		trace_tick(&old, h, i);
	trace_prepend(t, &old);
	t->older = from > 0 ? history_seq(h, (u32)from) : 0;
	return t->older && t->n < TRACE_LEN;
}

float trace_mean(const struct trace *t, enum trace_id id, u64 *ret_ns)
{
	double sum = 0;
	u64 ns = 0, past_ns = 0;

	for (int i = t->n - 1; i >= 0 && past_ns < TRACE_MEAN_NS; i--) {
		past_ns += t->interval_ns[i];
		if (!f32_known(t->values[id][i]))
			continue;
		sum += (double)t->values[id][i] * (double)t->interval_ns[i];
		ns += t->interval_ns[i];
	}
	*ret_ns = ns;
	return ns ? (float)(sum / (double)ns) : F32_UNKNOWN;
}
