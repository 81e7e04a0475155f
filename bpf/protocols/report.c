// SPDX-License-Identifier: GPL-2.0-or-later
/* report.c: validates the report of the protocol reader, which may be compromised. */
#include <string.h>

#include "bpf/model/hist.h"
#include "bpf/protocols/report.h"

static bool ends(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

/* Texts of keys are compared as bytes, so they must be padded with NULs. */
static bool is_padded(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);

	while (n < cap && !s[n])
		n++;
	return ends(s, cap) && n == cap;
}

static bool check_endpoints(const struct report *r)
{
	for (u32 i = 0; i < r->head.n_endpoints; i++) {
		const struct report_endpoint *e = &r->endpoints[i];

		if (!is_padded(e->method, sizeof(e->method)) || !is_padded(e->path, sizeof(e->path)) ||
		    e->protocol >= N_PROTOCOLS || e->server > 1 || e->other > 1 || e->tls > 1)
			return false;
	}
	for (u32 i = 0; i < r->head.n_statuses; i++)
		if (r->statuses[i].endpoint >= r->head.n_endpoints)
			return false;
	for (u32 i = 0; i < r->head.n_buckets; i++)
		if (r->buckets[i].endpoint >= r->head.n_endpoints || r->buckets[i].bucket < -1 ||
		    r->buckets[i].bucket >= HIST_BUCKETS)
			return false;
	return true;
}

static bool check_requests(const struct report *r)
{
	for (u32 i = 0; i < r->head.n_requests; i++) {
		const struct report_request *q = &r->requests[i];

		if (!ends(q->method, sizeof(q->method)) || !ends(q->path, sizeof(q->path)) ||
		    !ends(q->name, sizeof(q->name)) || !ends(q->trace_id, sizeof(q->trace_id)) ||
		    !ends(q->span_id, sizeof(q->span_id)) || q->protocol >= N_PROTOCOLS ||
		    q->server > 1 || q->tls > 1)
			return false;
	}
	return true;
}

static bool check_durations(const struct report *r)
{
	for (u32 i = 0; i < r->head.n_durations; i++) {
		const struct report_duration *d = &r->durations[i];

		if (!is_padded(d->method, sizeof(d->method)) || !is_padded(d->call, sizeof(d->call)) ||
		    d->protocol >= N_PROTOCOLS || d->server > 1 || d->tls > 1 || d->has_peer > 1 ||
		    d->v6 > 1)
			return false;
	}
	return true;
}

size_t report_size(const struct report_head *h)
{
	if (h->n_endpoints > REPORT_ENDPOINTS || h->n_statuses > REPORT_ENDPOINTS * 24u ||
	    h->n_buckets > REPORT_ENDPOINTS * (HIST_BUCKETS + 1u) ||
	    h->n_requests > REPORT_REQUESTS_ALL ||
	    h->n_listed > REPORT_REQUESTS || h->n_listed > h->n_requests || h->n_durations > REPORT_DURATIONS ||
	    h->n_over > REPORT_OVER)
		return SIZE_MAX;
	return h->n_endpoints * sizeof(struct report_endpoint) +
	       h->n_statuses * sizeof(struct report_status) +
	       h->n_buckets * sizeof(struct report_bucket) +
	       h->n_requests * sizeof(struct report_request) +
	       h->n_durations * sizeof(struct report_duration) + h->n_over * sizeof(u64);
}

bool report_is_sane(struct report *r, const void *payload)
{
	const struct report_head *h = &r->head;

	if (!payload)
		return !report_size(h);
	r->endpoints = payload;
	r->statuses = (const void *)(r->endpoints + h->n_endpoints);
	r->buckets = (const void *)(r->statuses + h->n_statuses);
	r->requests = (const void *)(r->buckets + h->n_buckets);
	r->durations = (const void *)(r->requests + h->n_requests);
	r->over = (const void *)(r->durations + h->n_durations);
	return check_endpoints(r) && check_requests(r) && check_durations(r);
}
