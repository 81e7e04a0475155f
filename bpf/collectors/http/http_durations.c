// SPDX-License-Identifier: GPL-2.0-or-later
/* http_durations.c: see http_durations.h. */
#include <string.h>

#include "bpf/collectors/http/http_durations.h"
#include "bpf/collectors/http/http_totals.h"
#include "bpf/collectors/totals.h"
#include "bpf/host/proctab.h"

#define MAX_DURATIONS 8192	/* rows; further ones are lost until a process ends */

struct duration {
	struct total t;
	struct report_duration d;	/* key; numbers since it was first seen */
};

static struct row *make_row(struct total *t, struct proc *p, const struct tick *tick);

static u64 lost;		/* requests, here and in the reader */

static struct totals durations = { .size = sizeof(struct duration), .row = make_row };

/* ---- reports ---- */

static struct duration *duration_of(const struct report_duration *d)
{
	u32 hash = hash_bytes(d, DURATION_KEY);
	struct duration *t = hash_find(&durations.all, hash, struct duration, x,
				       !memcmp(&x->d, d, DURATION_KEY));

	if (t || durations.all.n == MAX_DURATIONS)
		return t;
	t = totals_add(&durations, hash, d->tgid, d->process_start_ns);
	memcpy(&t->d, d, DURATION_KEY);
	return t;
}

static u64 requests_in(const struct report_duration *d)
{
	u64 n = 0;

	for (u32 k = 0; k < DURATION_BUCKETS; k++)
		n += d->n[k];
	return n;
}

void http_durations_report(const struct report *r)
{
	lost += r->head.lost_durations;
	for (u32 i = 0; i < r->head.n_durations; i++) {
		const struct report_duration *d = &r->durations[i];
		struct duration *t = duration_of(d);

		if (!t) {
			lost += requests_in(d);
			continue;
		}
		t->d.sum_ns += d->sum_ns;
		for (u32 k = 0; k < DURATION_BUCKETS; k++)
			t->d.n[k] += d->n[k];
		t->t.active = true;
	}
}

/* ---- rows ---- */

static void fill_buckets(struct http_durations_row *r, const u64 n[DURATION_BUCKETS])
{
	u64 *const to[DURATION_BUCKETS] = {
		&r->to_5ms, &r->to_10ms, &r->to_25ms, &r->to_50ms, &r->to_75ms, &r->to_100ms,
		&r->to_250ms, &r->to_500ms, &r->to_750ms, &r->to_1s, &r->to_2500ms, &r->to_5s,
		&r->to_7500ms, &r->to_10s, &r->longer,
	};

	for (u32 i = 0; i < DURATION_BUCKETS; i++)
		*to[i] = n[i];
}

static u64 status_of(const struct report_duration *d)
{
	return d->status == STATUS_NONE || d->status == STATUS_UNKNOWN ? U64_UNKNOWN :
	       d->status - protocols[d->protocol]->status_base;
}

static struct row *make_row(struct total *t, struct proc *p, const struct tick *tick)
{
	struct http_durations_row *r = builder_row(tick->b, TABLE_http_durations);
	const struct report_duration *d = &((struct duration *)t)->d;

	r->row.first_seen_ns = t->first_seen_ns;
	r->row.closed = t->closed;
	r->pid = d->tgid;
	r->start_time_ns = d->process_start_ns;
	r->side = str_new(d->server ? "server" : "client");
	r->protocol = str_new(protocols[d->protocol]->name);
	r->tls = d->tls;
	r->method = str_new(d->method);
	r->call = str_new(d->call);
	r->peer = d->has_peer ? http_address_text(d->remote, d->remote_port, d->v6) : str_new("");
	r->status = status_of(d);
	r->comm = p && p->comm ? str_get(p->comm) : str_new("?");
	r->container = p && p->container ? str_get(p->container) : NULL;
	r->service = p ? str_get(p->service) : NULL;
	r->total_ns = d->sum_ns;
	fill_buckets(r, d->n);
	return &r->row;
}

u64 http_durations_lost(void)
{
	return lost;
}

void http_durations_rows(const struct tick *tick)
{
	totals_rows(&durations, tick);
}

void http_durations_begin(u64 now_ns)
{
	totals_begin(&durations, now_ns);
}

void http_durations_clear(void)
{
	totals_clear(&durations);
}
