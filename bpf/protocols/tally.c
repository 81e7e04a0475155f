// SPDX-License-Identifier: GPL-2.0-or-later
/* tally.c: see tally.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/fair.h"
#include "bpf/model/hash.h"
#include "bpf/model/hist.h"
#include "bpf/model/per_process.h"
#include "bpf/protocols/durations.h"
#include "bpf/protocols/paths.h"
#include "bpf/protocols/span.h"
#include "bpf/protocols/tally.h"

#define ROOM (REPORT_REQUESTS + REPORT_REQUESTS / 2)	/* slack, so that the selection runs seldom */
#define ROOM_ALL (REPORT_REQUESTS_ALL + REPORT_REQUESTS_ALL / 8)
#define WRITTEN_AT_ONCE 64
#define OWN_MOST (REPORT_ENDPOINTS / 4)	/* rows of a process in a tick, without its `other` ones */
#define OWN_LEAST 16	/* guaranteed to each process, even if others fill the room */
#define STATUSES 24	/* distinct ones of an endpoint in a tick; the rest counts as unknown */

struct endpoint {
	struct hash_node node;
	struct report_endpoint r;
	struct { u32 status, n; } statuses[STATUSES];
	u32 n_statuses;
	u32 buckets[HIST_BUCKETS + 1];	/* the first one is zero */
	u64 heaviest_out;		/* of its unlisted requests; lighter ones will not be listed either */
};

struct tally {
	struct hash_table endpoints, own;	/* own: how many are of each process */
	struct report_request *requests;
	struct endpoint **of;		/* may be NULL */
	struct fair *listed;		/* places of both; those behind n_requests are free */
	u32 room, n_requests;		/* room: of the three */
	bool all;
	u64 left_out;
	struct durations *durations;
	u64 over[REPORT_OVER];
	u32 n_over;
};

/* Hashes only the used part: most of the path's buffer is NULs. */
static u32 hash_key(const struct report_endpoint *key)
{
	return hash_bytes(key, offsetof(struct report_endpoint, path) + strlen(key->path));
}

static struct endpoint *find(struct tally *t, const struct report_endpoint *key)
{
	return hash_find(&t->endpoints, hash_key(key), struct endpoint, e,
			 !memcmp(&e->r, key, ENDPOINT_KEY));
}

static struct endpoint *make(struct tally *t, const struct report_endpoint *key)
{
	struct endpoint *e = xcalloc(1, sizeof(*e));

	e->r = *key;
	hash_add(&t->endpoints, &e->node, hash_key(key));
	return e;
}

static void fill_key(struct report_endpoint *key, const struct exchange *x)
{
	memset(key, 0, sizeof(*key));
	key->process_start_ns = x->process_start_ns;
	key->tgid = x->tgid;
	key->server = x->server;
	key->tls = x->tls;
	key->protocol = (u8)x->protocol;
	memcpy(key->method, x->method, sizeof(key->method));
	path_fold(key->path, sizeof(key->path), x->path);
}

/*
 * Half of the room: first come, up to OWN_MOST a process; the rest for processes with few endpoints
 * and for the `other` rows, so that no process can fill it.
 */
static bool may_have_one(struct tally *t, const struct report_endpoint *key)
{
	u32 *own = per_process(&t->own, key->tgid, key->process_start_ns);
	u32 half = REPORT_ENDPOINTS / 2;
	bool may = t->endpoints.n < half ? *own < OWN_MOST : t->endpoints.n < half + half / 2 && *own < OWN_LEAST;

	*own += may;
	return may;
}

static struct endpoint *endpoint_of(struct tally *t, const struct report_endpoint *key)
{
	struct report_endpoint other = *key;
	struct endpoint *e = find(t, key);

	if (e || may_have_one(t, key))
		return e ?: make(t, key);
	memset(other.method, 0, sizeof(other.method));
	memset(other.path, 0, sizeof(other.path));
	other.other = 1;
	e = find(t, &other);
	if (e || t->endpoints.n < REPORT_ENDPOINTS - 1)
		return e ?: make(t, &other);
	other.tgid = 0;		/* too many processes in one tick: one row for all */
	other.process_start_ns = 0;
	return find(t, &other) ?: t->endpoints.n < REPORT_ENDPOINTS ? make(t, &other) : NULL;
}

static void add_status(struct endpoint *e, u32 status)
{
	u32 i = 0;

	while (i < e->n_statuses && e->statuses[i].status != status)
		i++;
	if (i == e->n_statuses && i >= STATUSES - 1 && status != STATUS_UNKNOWN) {
		add_status(e, STATUS_UNKNOWN);	/* has the last place */
		return;
	}
	if (i == e->n_statuses)
		e->statuses[e->n_statuses++].status = status;
	e->statuses[i].n++;
}

static bool is_error(const struct exchange *x)
{
	return x->aborted || x->status == STATUS_NONE ||
	       (x->status != STATUS_UNKNOWN && protocols[x->protocol]->is_error(x->status, x->server));
}

static u64 duration_of(const struct exchange *x)
{
	return x->answered_done && x->end_ns >= x->start_ns ? x->end_ns - x->start_ns : UINT64_MAX;
}

static void add_duration(struct endpoint *e, u64 ns)
{
	bool first = !e->r.max_ns;

	e->buckets[hist_bucket(ns) + 1]++;
	e->r.sum_ns += ns;
	e->r.min_ns = first ? ns : min(e->r.min_ns, ns);
	e->r.max_ns = max(e->r.max_ns, ns);
}

/* ---- requests ---- */

static void fill_span(struct report_request *r, const struct span *s)
{
	r->cpu_ns = s->cpu_ns;
	r->runq_ns = s->runq_ns;
	r->blocked_ns = s->blocked_ns;
	r->unread_ns = s->unread_ns;
	r->write_ns = s->write_ns;
}

/* name: padded with NULs. */
static void fill_request(struct report_request *r, const struct exchange *x, const char name[PATH_MAX_KEPT])
{
	struct span span = span_of(x);

	memset(r, 0, sizeof(*r));
	fill_span(r, &span);
	r->end_tid = x->end_tid;
	r->start_ns = x->start_ns;
	r->duration_ns = duration_of(x);
	r->first_byte_ns = x->answered && x->first_ns >= x->start_ns ? x->first_ns - x->start_ns : UINT64_MAX;
	r->process_start_ns = x->process_start_ns;
	r->cookie = x->cookie;
	r->asked_bytes = x->asked_bytes;
	r->answered_bytes = x->answered_bytes;
	r->tgid = x->tgid;
	r->tid = x->tid;
	r->status = x->status;
	r->server = x->server;
	r->tls = x->tls;
	r->protocol = (u8)x->protocol;
	r->v6 = x->v6;
	r->has_peer = x->has_peer;
	r->local_port = x->local_port;
	r->remote_port = x->remote_port;
	memcpy(r->local, x->local, sizeof(r->local));
	memcpy(r->remote, x->remote, sizeof(r->remote));
	memcpy(r->method, x->method, sizeof(r->method));
	strncpy(r->path, x->path, sizeof(r->path) - 1);
	memcpy(r->name, name, sizeof(r->name));
	memcpy(r->trace_id, x->trace_id, sizeof(r->trace_id));
	memcpy(r->span_id, x->span_id, sizeof(r->span_id));
}

/* Selects the listed requests fairly by side, process and endpoint, so that busy ones do not displace quiet ones. */
static void choose_requests(struct tally *t)
{
	u32 n = fair_choose(t->listed, t->n_requests, t->all ? REPORT_REQUESTS_ALL : REPORT_REQUESTS);

	for (u32 i = n; i < t->n_requests; i++) {
		struct endpoint *e = t->of[t->listed[i].place];

		if (e)
			e->heaviest_out = max(e->heaviest_out, t->listed[i].weight);
	}
	t->left_out += t->n_requests - n;
	t->n_requests = n;
}

static void set_room(struct tally *t, u32 room)
{
	t->requests = xrealloc(t->requests, room * sizeof(*t->requests));
	t->of = xrealloc(t->of, room * sizeof(*t->of));
	t->listed = xrealloc(t->listed, room * sizeof(*t->listed));
	for (u32 i = t->room; i < room; i++)
		t->listed[i].place = i;
	t->room = room;
}

/* If all requests are reported the room grows. */
static void make_room(struct tally *t)
{
	if (t->n_requests < t->room)
		return;
	if (t->all && t->room < ROOM_ALL)
		set_room(t, min(2 * t->room, (u32)ROOM_ALL));
	else
		choose_requests(t);
}

/* Errors first, then the slowest. */
static void add_request(struct tally *t, struct endpoint *e, const struct exchange *x,
			const char name[PATH_MAX_KEPT])
{
	u64 weight = (duration_of(x) >> 1 | (is_error(x) ? 1ull << 63 : 0)) ?: 1;
	struct fair *f;

	if (e && weight <= e->heaviest_out) {
		t->left_out++;
		return;
	}
	make_room(t);
	f = &t->listed[t->n_requests++];
	f->group[0] = x->server;
	f->group[1] = hash_of(x->tgid, x->process_start_ns);
	f->group[2] = e ? e->node.hash : 0;
	f->weight = weight;
	t->of[f->place] = e;
	fill_request(&t->requests[f->place], x, name);
}

/* ---- adding ---- */

void tally_add(struct tally *t, const struct exchange *x)
{
	struct report_endpoint key;
	struct endpoint *e;

	fill_key(&key, x);
	e = endpoint_of(t, &key);
	add_request(t, e, x, key.path);
	if (duration_of(x) != UINT64_MAX)
		durations_add(t->durations, x, duration_of(x));
	if (!e)
		return;
	e->r.count++;
	e->r.errors += is_error(x);
	e->r.asked_bytes += x->asked_bytes;
	e->r.answered_bytes += x->answered_bytes;
	add_status(e, x->status);
	if (duration_of(x) != UINT64_MAX)
		add_duration(e, duration_of(x));
}

void tally_open(struct tally *t, const struct exchange *x, u64 now_ns)
{
	struct report_endpoint key;
	struct endpoint *e;

	if (x->answered_done)
		return;
	fill_key(&key, x);
	e = endpoint_of(t, &key);
	if (!e)
		return;
	e->r.in_flight++;
	if (now_ns > x->start_ns)
		e->r.in_flight_max_ns = max(e->r.in_flight_max_ns, now_ns - x->start_ns);
}

void tally_over(struct tally *t, u64 cookie)
{
	if (t->n_over < REPORT_OVER)
		t->over[t->n_over++] = cookie;
}

/* ---- writing ---- */

static bool write_statuses(struct tally *t, int fd, struct report_head *head)
{
	u32 at = 0;

	hash_each(&t->endpoints, struct endpoint, e) {
		struct report_status all[STATUSES];

		for (u32 i = 0; i < e->n_statuses; i++)
			all[i] = (struct report_status){ at, e->statuses[i].status, e->statuses[i].n };
		head->n_statuses += e->n_statuses;
		at++;
		if (!file_write_all(fd, all, e->n_statuses * sizeof(*all)))
			return false;
	}
	return true;
}

static bool write_buckets(struct tally *t, int fd, struct report_head *head)
{
	u32 at = 0;

	hash_each(&t->endpoints, struct endpoint, e) {
		struct report_bucket all[HIST_BUCKETS + 1];
		u32 n = 0;

		for (u32 i = 0; i <= HIST_BUCKETS; i++)
			if (e->buckets[i])
				all[n++] = (struct report_bucket){ at, (s32)i - 1, e->buckets[i] };
		head->n_buckets += n;
		at++;
		if (!file_write_all(fd, all, n * sizeof(*all)))
			return false;
	}
	return true;
}

static bool write_endpoints(struct tally *t, int fd, struct report_head *head)
{
	head->n_endpoints = t->endpoints.n;
	hash_each(&t->endpoints, struct endpoint, e)
		if (!file_write_all(fd, &e->r, sizeof(e->r)))
			return false;
	return true;
}

static bool write_requests(struct tally *t, int fd)
{
	struct report_request *some = xmalloc(WRITTEN_AT_ONCE * sizeof(*some));
	bool good = true;

	for (u32 i = 0, n; good && i < t->n_requests; i += n) {
		n = min(t->n_requests - i, (u32)WRITTEN_AT_ONCE);
		for (u32 j = 0; j < n; j++)
			some[j] = t->requests[t->listed[i + j].place];
		good = file_write_all(fd, some, n * sizeof(*some));
	}
	free(some);
	return good;
}

/* Counts, by endpoint, the requests that are not listed. */
static void count_unlisted(struct tally *t, u32 n_listed)
{
	hash_each(&t->endpoints, struct endpoint, e)
		e->r.unlisted = e->r.count;
	for (u32 i = 0; i < n_listed; i++) {
		struct endpoint *e = t->of[t->listed[i].place];

		if (e)
			e->r.unlisted--;
	}
}

/* Frees the memory that a burst needed. */
static void free_room(struct tally *t)
{
	u32 room = t->room;

	if (t->n_requests >= room / 4 || room == ROOM)
		return;
	t->room = 0;
	set_room(t, max(room / 2, (u32)ROOM));
}

static void clear(struct tally *t)
{
	hash_free(&t->endpoints, free);
	hash_free(&t->own, free);
	durations_clear(t->durations);
	free_room(t);
	t->n_requests = t->n_over = 0;
	t->left_out = 0;
}

bool tally_write(struct tally *t, int fd, struct report_head *head)
{
	const struct report_duration *durations = durations_all(t->durations, &head->n_durations);
	bool good;

	choose_requests(t);
	head->n_listed = fair_choose(t->listed, t->n_requests, REPORT_REQUESTS);
	count_unlisted(t, head->n_listed);
	good = write_endpoints(t, fd, head) && write_statuses(t, fd, head) && write_buckets(t, fd, head) &&
	       write_requests(t, fd) && file_write_all(fd, durations, head->n_durations * sizeof(*durations)) &&
	       file_write_all(fd, t->over, t->n_over * sizeof(*t->over));
	head->n_requests = t->n_requests;
	head->n_over = t->n_over;
	head->left_out = t->left_out;
	head->lost_durations = durations_lost(t->durations);
	clear(t);
	return good;
}

struct tally *tally_new(void)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	t->durations = durations_new();
	set_room(t, ROOM);
	return t;
}

void tally_all(struct tally *t, bool all)
{
	t->all = all;
	if (!all && t->room != ROOM) {
		t->room = 0;
		set_room(t, ROOM);
	}
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	clear(t);
	durations_free(t->durations);
	free(t->requests);
	free(t->of);
	free(t->listed);
	free(t);
}
