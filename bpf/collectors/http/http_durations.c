// SPDX-License-Identifier: GPL-2.0-or-later
/* http_durations.c: see http_durations.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/http/http_durations.h"
#include "bpf/host/proctab.h"
#include "bpf/protocols/durations.h"

#define BUCKETS 2048
#define MAX_DURATIONS 8192	/* rows; what is new then waits for a process to end */

struct total {
	struct total *next;
	struct report_duration d;	/* key; numbers since it was first seen */
	u64 first_seen_ns;
	const struct row *row;		/* as of the last tick */
	bool active;			/* in this tick */
};

static struct total *buckets[BUCKETS];
static u32 n_totals;
static u64 began_ns;

static const struct protocol *const protocols[] = {
#define PROTOCOL(name) &name##_protocol,
#include "bpf/protocols/protocols.def"
#undef PROTOCOL
};

/* ---- reports ---- */

static struct total *total_of(const struct report_duration *d)
{
	struct total **at = &buckets[duration_hash(d) % BUCKETS], *t = *at;

	while (t && !duration_same(&t->d, d))
		t = t->next;
	if (t || n_totals == MAX_DURATIONS)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->d = *d;
	t->d.sum_ns = 0;
	memset(t->d.n, 0, sizeof(t->d.n));
	t->first_seen_ns = max(began_ns, d->process_start_ns);
	t->next = *at;
	*at = t;
	n_totals++;
	return t;
}

void http_durations_report(const struct report *r)
{
	for (u32 i = 0; i < r->head.n_durations; i++) {
		const struct report_duration *d = &r->durations[i];
		struct total *t = total_of(d);

		if (!t)
			continue;
		t->d.sum_ns += d->sum_ns;
		for (u32 k = 0; k < DURATION_BUCKETS; k++)
			t->d.n[k] += d->n[k];
		t->active = true;
	}
}

/* ---- rows ---- */

static const char *peer_text(const struct report_duration *d)
{
	char addr[INET6_ADDRSTRLEN] = "?", buf[INET6_ADDRSTRLEN + 16];

	if (!d->has_peer)
		return str_new("");
	inet_ntop(d->v6 ? AF_INET6 : AF_INET, d->remote, addr, sizeof(addr));
	snprintf(buf, sizeof(buf), d->v6 ? "[%s]:%u" : "%s:%u", addr, d->remote_port);
	return str_new(buf);
}

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

static const struct row *make_row(const struct total *t, const struct proc *p, const struct tick *tick)
{
	struct http_durations_row *r = builder_row(tick->b, TABLE_http_durations);
	const struct report_duration *d = &t->d;

	r->row.first_seen_ns = t->first_seen_ns;
	r->row.closed = !p || p->closed;
	r->pid = d->tgid;
	r->start_time_ns = d->process_start_ns;
	r->side = str_new(d->server ? "server" : "client");
	r->protocol = str_new(protocols[d->protocol]->name);
	r->tls = d->tls;
	r->method = str_new(d->method);
	r->call = str_new(d->call);
	r->peer = peer_text(d);
	r->status = status_of(d);
	r->comm = p && p->comm ? str_get(p->comm) : str_new("?");
	r->container = p && p->container ? str_get(p->container) : NULL;
	r->total_ns = d->sum_ns;
	fill_buckets(r, d->n);
	return &r->row;
}

static void total_free(struct total *t)
{
	row_put(t->row);
	free(t);
	n_totals--;
}

/* The row of this tick; false when the process is gone and this was the last one. */
static bool add_row(struct total *t, const struct tick *tick)
{
	const struct proc *p = proctab_find(t->d.tgid, t->d.process_start_ns);
	bool closed = !p || p->closed, was_active = t->active;

	t->active = false;
	if (p && !proc_in_scope(p))
		return !closed;
	if (!was_active && t->row && !closed) {
		builder_add(tick->b, row_get(t->row));
		return true;
	}
	row_put(t->row);
	t->row = row_get(make_row(t, p, tick));
	return !closed;
}

void http_durations_rows(const struct tick *tick)
{
	for (u32 i = 0; i < BUCKETS; i++)
		for (struct total **link = &buckets[i]; *link; ) {
			struct total *t = *link;

			if (add_row(t, tick)) {
				link = &t->next;
			} else {
				*link = t->next;
				total_free(t);
			}
		}
}

void http_durations_begin(u64 now_ns)
{
	http_durations_clear();
	began_ns = now_ns;
}

void http_durations_clear(void)
{
	for (u32 i = 0; i < BUCKETS; i++)
		while (buckets[i]) {
			struct total *t = buckets[i];

			buckets[i] = t->next;
			total_free(t);
		}
}
