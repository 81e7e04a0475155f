// SPDX-License-Identifier: GPL-2.0-or-later
/* http_totals.c: see http_totals.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/http/http_totals.h"
#include "bpf/collectors/totals.h"
#include "bpf/host/proctab.h"
#include "bpf/model/event_log.h"
#include "bpf/model/fair.h"
#include "bpf/model/per_process.h"

#define MAX_ENDPOINTS 4096	/* rows; then all of a process and side are in its `other` */
#define OWN_MOST 1024		/* of one process */
#define OWN_LEAST 64		/* guaranteed to each process, even if others fill the table */
#define MAX_STATUSES 32
#define REQUESTS_KEPT 1000

struct endpoint {
	struct total t;
	struct report_endpoint e;	/* key; counters since it was first seen */
	struct { u32 status; u64 n; } statuses[MAX_STATUSES];
	u32 n_statuses;
	struct counter c_count, c_errors, c_rx, c_tx;
	struct hist_acc *tick;	/* of this tick */
};

static struct row *make_row(struct total *total, struct proc *p, const struct tick *tick);
static void reset_tick(struct total *total);

static struct totals endpoints = { .size = sizeof(struct endpoint), .row = make_row, .reset = reset_tick };
static struct endpoint **by_index;		/* of the report that is read */
static u32 cap_index;

static void rank(const struct row *row, struct fair *f);

static struct event_log requests = { .keep = REQUESTS_KEPT, .rank = rank };

/* ---- endpoints ---- */

static struct endpoint *find(const struct report_endpoint *key)
{
	return hash_find(&endpoints.all, hash_bytes(key, ENDPOINT_KEY), struct endpoint, x,
			 !memcmp(&x->e, key, ENDPOINT_KEY));
}

static struct endpoint *make(const struct report_endpoint *key)
{
	struct endpoint *t = totals_add(&endpoints, hash_bytes(key, ENDPOINT_KEY), key->tgid,
					key->process_start_ns);

	memcpy(&t->e, key, ENDPOINT_KEY);
	return t;
}

/* Number of rows of each process, while a report is read. */
static struct hash_table own;

static void count_own(void)
{
	hash_each(&endpoints.all, struct endpoint, t)
		++*per_process(&own, t->e.tgid, t->e.process_start_ns);
}

static bool may_have_one(const struct report_endpoint *e)
{
	u32 *n = per_process(&own, e->tgid, e->process_start_ns);
	bool may = e->other || *n < (endpoints.all.n < MAX_ENDPOINTS ? OWN_MOST : OWN_LEAST);

	*n += may;
	return may;
}

/* The row of an endpoint; beyond the limits the `other` row of its process, of which each process has one. */
static struct endpoint *endpoint_of(const struct report_endpoint *e)
{
	struct report_endpoint other = *e;
	struct endpoint *t = find(e);

	if (t || may_have_one(e))
		return t ?: make(e);
	memset(other.method, 0, sizeof(other.method));
	memset(other.path, 0, sizeof(other.path));
	other.other = 1;
	return find(&other) ?: make(&other);
}

static void add_endpoint(struct endpoint *t, const struct report_endpoint *e)
{
	struct hist_acc *a;

	if (!t->tick)
		t->tick = xcalloc(1, sizeof(*t->tick));
	a = t->tick;
	t->e.count += e->count;
	t->e.unlisted += e->unlisted;
	t->e.errors += e->errors;
	t->e.asked_bytes += e->asked_bytes;
	t->e.answered_bytes += e->answered_bytes;
	t->e.in_flight += e->in_flight;
	t->e.in_flight_max_ns = max(t->e.in_flight_max_ns, e->in_flight_max_ns);
	if (e->max_ns) {
		a->min_ns = a->max_ns ? min(a->min_ns, e->min_ns) : e->min_ns;
		a->max_ns = max(a->max_ns, e->max_ns);
		a->sum_ns += e->sum_ns;
	}
	t->t.active = true;
}

/* Kept in the order of the numbers. */
static void add_status(struct endpoint *t, u32 status, u64 n)
{
	u32 i = 0;

	while (i < t->n_statuses && t->statuses[i].status < status)
		i++;
	if (i == t->n_statuses || t->statuses[i].status != status) {
		if (t->n_statuses >= MAX_STATUSES - 1 && status != STATUS_UNKNOWN) {
			add_status(t, STATUS_UNKNOWN, n);	/* the last place is its */
			return;
		}
		memmove(&t->statuses[i + 1], &t->statuses[i],
			(t->n_statuses - i) * sizeof(t->statuses[0]));
		t->statuses[i].status = status;
		t->statuses[i].n = 0;
		t->n_statuses++;
	}
	t->statuses[i].n += n;
}

/* ---- requests ---- */

static u32 hash_text(const char *s)
{
	return s ? hash_bytes(s, strlen(s)) : 0;
}

/* By name, not by process: there may be many processes that live for one request. */
static void rank(const struct row *row, struct fair *f)
{
	const struct requests_row *r = (const struct requests_row *)row;

	f->group[0] = hash_text(r->side);
	f->group[1] = hash_text(r->comm);
	f->group[2] = hash_of(hash_text(r->method), hash_text(r->endpoint));
	f->weight = r->seq;
}

const char *http_address_text(const u8 addr[16], u16 port, bool v6)
{
	char text[INET6_ADDRSTRLEN] = "?", buf[INET6_ADDRSTRLEN + 16];

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	snprintf(buf, sizeof(buf), v6 ? "[%s]:%u" : "%s:%u", text, port);
	return str_new(buf);
}

static u64 or_blank(u64 v)
{
	return v == UINT64_MAX ? U64_BLANK : v;
}

static u64 or_unknown(u64 v)
{
	return v == UINT64_MAX ? U64_UNKNOWN : v;
}

static struct requests_row **fresh;	/* references: of this tick, until the first of the next */
static u32 n_fresh, cap_fresh;
static bool given;			/* they are in the rows of their tick */

static struct requests_row **more;	/* references: unlisted ones, for WANT_ALL_REQUESTS */
static u32 n_more, cap_more;

u32 http_requests_more(void)
{
	return n_more;
}

static void forget_more(void)
{
	while (n_more)
		row_put(&more[--n_more]->row);
	free(more);
	more = NULL;
	cap_more = 0;
}

static void forget_fresh(void)
{
	while (n_fresh)
		row_put(&fresh[--n_fresh]->row);
	given = false;
}

struct requests_row **http_requests_new(u32 *ret_n)
{
	*ret_n = n_fresh;
	return fresh;
}

static void list_request(struct requests_row *r)
{
	r->seq = event_log_add(&requests, &r->row);
	if (given)
		forget_fresh();
	fresh = grow(fresh, n_fresh, &cap_fresh, sizeof(*fresh));
	fresh[n_fresh++] = (struct requests_row *)row_get(&r->row);
}

static void pass_request(struct requests_row *r)
{
	r->seq = event_log_pass(&requests);
	more = grow(more, n_more, &cap_more, sizeof(*more));
	more[n_more++] = r;
}

static void add_request(const struct report_request *q, bool listed)
{
	const struct proc *p = proctab_find_any(q->tgid, q->process_start_ns);	/* reports may come late */
	struct requests_row *r;

	if (p && !proc_in_scope(p))
		return;
	r = row_new(TABLE_requests);
	r->row.first_seen_ns = q->start_ns;
	r->start_time_ns = q->start_ns;
	if (listed)
		list_request(r);
	else
		pass_request(r);
	r->pid = q->tgid;
	r->process_start_ns = q->process_start_ns;
	r->tid = q->tid;
	r->comm = p && p->comm ? str_get(p->comm) : NULL;
	r->service = p ? str_get(p->service) : NULL;
	r->side = str_new(q->server ? "server" : "client");
	r->protocol = str_new(protocols[q->protocol]->name);
	r->tls = q->tls;
	r->status = q->status == STATUS_NONE ? U64_BLANK : q->status == STATUS_UNKNOWN ? U64_UNKNOWN :
		q->status - protocols[q->protocol]->status_base;
	r->duration_ns = or_blank(q->duration_ns);
	r->first_byte_ns = or_blank(q->first_byte_ns);
	r->end_tid = q->end_tid ?: U64_UNKNOWN;
	r->cpu_ns = or_unknown(q->cpu_ns);
	r->runq_ns = or_unknown(q->runq_ns);
	r->blocked_ns = or_unknown(q->blocked_ns);
	r->unread_ns = or_unknown(q->unread_ns);
	r->write_ns = or_unknown(q->write_ns);
	r->rx_bytes = q->server ? q->asked_bytes : q->answered_bytes;
	r->tx_bytes = q->server ? q->answered_bytes : q->asked_bytes;
	r->local = q->has_peer ? http_address_text(q->local, q->local_port, q->v6) : NULL;
	r->peer = q->has_peer ? http_address_text(q->remote, q->remote_port, q->v6) : NULL;
	r->cookie = q->cookie ?: U64_UNKNOWN;
	r->trace_id = str_new(q->trace_id);
	r->span_id = str_new(q->span_id);
	r->endpoint = str_new(q->name);
	r->method = str_new(q->method);
	r->path = str_new(q->path);
}

static void give_more(const struct tick *t, u64 left_out)
{
	if (!(t->want & WANT_ALL_REQUESTS)) {
		forget_more();
		return;
	}
	builder_more(t->b, more, n_more, left_out);
	more = NULL;
	n_more = cap_more = 0;
}

void http_requests_rows(const struct tick *t, u64 left_out)
{
	if (given)
		forget_fresh();
	given = true;
	event_log_rows(&requests, t->b);
	give_more(t, left_out);
}

/* ---- reports ---- */

void http_totals_report(const struct report *r)
{
	count_own();
	for (u32 i = 0; i < r->head.n_endpoints; i++) {
		by_index = grow(by_index, i, &cap_index, sizeof(*by_index));
		by_index[i] = endpoint_of(&r->endpoints[i]);
		add_endpoint(by_index[i], &r->endpoints[i]);
	}
	hash_free(&own, free);
	for (u32 i = 0; i < r->head.n_statuses; i++)
		add_status(by_index[r->statuses[i].endpoint], r->statuses[i].status, r->statuses[i].n);
	for (u32 i = 0; i < r->head.n_buckets; i++)
		hist_acc_bucket(by_index[r->buckets[i].endpoint]->tick, r->buckets[i].bucket,
				r->buckets[i].n);
	for (u32 i = 0; i < r->head.n_requests; i++)
		add_request(&r->requests[i], i < r->head.n_listed);
}

/* ---- rows ---- */

static void status_text(char *buf, size_t cap, const struct protocol *p, u32 status)
{
	const char *name = status == STATUS_NONE ? "none" : status == STATUS_UNKNOWN ? "?" :
			   p->status_name ? p->status_name(status) : NULL;

	if (name)
		snprintf(buf, cap, "%s", name);
	else
		snprintf(buf, cap, "%u", status - p->status_base);
}

/* "200 405, 409 2" */
static const char *statuses_text(const struct endpoint *t)
{
	char buf[MAX_STATUSES * 48] = "";

	for (u32 i = 0; i < t->n_statuses; i++) {
		char name[24];

		status_text(name, sizeof(name), protocols[t->e.protocol], t->statuses[i].status);
		text_add(buf, sizeof(buf), ", ", "%s %llu", name, (unsigned long long)t->statuses[i].n);
	}
	return str_new(buf);
}

/* Returns how many requests came in this tick. */
static u64 fill_rates(struct http_row *r, struct endpoint *t, const struct tick *tick)
{
	u64 interval = totals_interval(&endpoints, tick);
	u64 count = counter_advance(&t->c_count, r->count, true);
	u64 errors = counter_advance(&t->c_errors, r->errors, true);

	r->rate = rate_per_s(count, interval);
	r->error_rate = rate_per_s(errors, interval);
	r->error_pct = count ? (float)errors * 100 / (float)count : F32_BLANK;
	r->rx_rate = rate_per_s(counter_advance(&t->c_rx, r->rx_bytes, true), interval);
	r->tx_rate = rate_per_s(counter_advance(&t->c_tx, r->tx_bytes, true), interval);
	return count;
}

/* Adds to the process's http columns: requests that it serves or, if it serves none, those it makes. */
static void add_to_process(struct proc *p, const struct endpoint *t, const struct http_row *r, u64 count)
{
	if (!p || (p->http_serves && !t->e.server))
		return;
	if (t->e.server && !p->http_serves) {
		hist_put(p->http_hist);
		p->http_hist = NULL;
		p->http_requests = 0;
		p->http_serves = true;
	}
	p->http_requests += count;
	hist_merge(&p->http_hist, r->hist_tick);
}

static struct row *make_row(struct total *total, struct proc *p, const struct tick *tick)
{
	struct endpoint *t = (struct endpoint *)total;
	struct http_row *r = builder_row(tick->b, TABLE_http);
	const struct report_endpoint *e = &t->e;
	u64 count;

	r->row.first_seen_ns = total->first_seen_ns;
	r->row.closed = total->closed;
	r->row.other = e->other;
	r->pid = e->tgid;
	r->start_time_ns = e->process_start_ns;
	r->side = str_new(e->server ? "server" : "client");
	r->protocol = str_new(protocols[e->protocol]->name);
	r->tls = e->tls;
	r->method = str_new(e->method);
	r->path = str_new(e->other ? "other" : e->path);
	r->comm = p && p->comm ? str_get(p->comm) : str_new("?");
	r->count = e->count;
	r->unlisted = e->unlisted;
	r->errors = e->errors;
	r->statuses = statuses_text(t);
	r->rx_bytes = e->server ? e->asked_bytes : e->answered_bytes;
	r->tx_bytes = e->server ? e->answered_bytes : e->asked_bytes;
	r->in_flight = e->in_flight;
	r->in_flight_max_ns = e->in_flight ? e->in_flight_max_ns : U64_BLANK;
	count = fill_rates(r, t, tick);
	total_hist(total, t->tick && t->tick->count ? hist_seal(t->tick) : NULL, &r->hist, &r->hist_tick);
	add_to_process(p, t, r, count);
	return &r->row;
}

static void reset_tick(struct total *total)
{
	struct endpoint *t = (struct endpoint *)total;

	free(t->tick);
	t->tick = NULL;
	t->e.in_flight = t->e.in_flight_max_ns = 0;
}

void http_totals_rows(const struct tick *tick)
{
	totals_rows(&endpoints, tick);
}

void http_totals_begin(u64 now_ns)
{
	totals_begin(&endpoints, now_ns);
}

void http_totals_clear(void)
{
	totals_clear(&endpoints);
	forget_fresh();
	forget_more();
	event_log_clear(&requests);
}
