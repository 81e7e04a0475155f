// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * slow.c: detects an endpoint with a p99 far above its own five-minute median, or with failures,
 * for the note line. A fixed rule on observed values (screens.md 2.4): nothing is learned, and
 * nothing is claimed from a short observation or few requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app/app_state.h"

#define MEDIAN_NS (300 * NSEC_PER_SEC)
#define TICKS_MAX 300		/* ring size, for any interval */
#define TICKS_MIN 30		/* with a p99, before the median is used */
#define REQUESTS_MIN 10		/* a tick: with fewer the p99 is just the slowest one */
#define TIMES 3
#define LEAST_NS NSEC_PER_MSEC
#define ENDPOINTS_MAX 512
#define FAILS_PCT 1
#define FAILED_MIN 2		/* a tick, of at least REQUESTS_MIN: one is no trend */

struct slow_endpoint {
	const struct row *row;		/* row of the last tick that had one, one reference */
	u32 p99_us[TICKS_MAX];		/* a ring; 0: none */
	u32 quiet;			/* ticks since the last p99 */
};

static void drop(struct slow_endpoint *e)
{
	row_put(e->row);
	free(e);
}

void slow_free(struct slow *s)
{
	for (u32 i = 0; i < s->n; i++)
		drop(s->all[i]);
	free(s->all);
	row_put(s->worst);
	*s = (struct slow){ 0 };
}

/* p99 in this tick, if it has enough requests; 0: none. */
static u32 p99_of(const struct row *r)
{
	const struct http_row *h = http_row(r);

	if (!h->hist_tick || h->hist_tick->count < REQUESTS_MIN || !u64_known(h->p99_ns))
		return 0;
	return (u32)min(max(h->p99_ns / 1000, 1ull), (u64)UINT32_MAX);
}

/* Of the previous ticks: how many have a p99, and how many of these are below a limit. */
static u32 count_known(const struct slow *s, const struct slow_endpoint *e, u32 limit, u32 *ret_below)
{
	u32 known = 0, below = 0;

	for (u32 i = 0; i < s->ticks; i++) {
		known += i != s->at && e->p99_us[i];
		below += i != s->at && e->p99_us[i] && e->p99_us[i] < limit;
	}
	*ret_below = below;
	return known;
}

static int cmp_u32(const void *pa, const void *pb)
{
	u32 a = *(const u32 *)pa, b = *(const u32 *)pb;

	return cmp(a, b);
}

static u64 median_ns(const struct slow *s, const struct slow_endpoint *e)
{
	u32 values[TICKS_MAX], n = 0;

	for (u32 i = 0; i < s->ticks; i++)
		if (i != s->at && e->p99_us[i])
			values[n++] = e->p99_us[i];
	qsort(values, n, sizeof(*values), cmp_u32);
	return n ? values[n / 2] * 1000ull : 0;
}

/* Equivalent to p99 > TIMES * median: more than half of the others are below p99 / TIMES. */
static void judge(struct slow *s, const struct slow_endpoint *e)
{
	const struct http_row *h = http_row(e->row);
	u32 now = e->p99_us[s->at], below, known;

	if (now * 1000ull < LEAST_NS || (s->worst && h->p99_ns <= http_row(s->worst)->p99_ns))
		return;
	known = count_known(s, e, now / TIMES, &below);
	if (known < TICKS_MIN || below * 2 <= known)
		return;
	ROW_KEEP(s->worst, e->row);
	s->was_ns = median_ns(s, e);
}

static void take(struct slow *s, struct slow_endpoint *e, const struct row *r)
{
	u32 p99 = r ? p99_of(r) : 0;

	e->p99_us[s->at] = p99;
	e->quiet = p99 ? 0 : e->quiet + 1;
	if (r)
		ROW_KEEP(e->row, r);
	if (p99)
		judge(s, e);
}

/* Merges two lists sorted by key: adds new endpoints, removes those quiet for five minutes. */
static void merge(struct slow *s, const struct table *t)
{
	struct slow_endpoint **out = xcalloc((size_t)s->n + t->n + 1, sizeof(struct slow_endpoint *));
	u32 i = 0, j = 0, n = 0;

	while (i < s->n || j < t->n) {
		int c = i == s->n ? 1 : j == t->n ? -1 : row_cmp_keys(s->all[i]->row, t->rows[j]);
		struct slow_endpoint *e = c <= 0 ? s->all[i++] : NULL;
		const struct row *r = c >= 0 ? t->rows[j++] : NULL;

		if (!e && n + (s->n - i) < ENDPOINTS_MAX && p99_of(r)) {
			e = xcalloc(1, sizeof(*e));
			e->row = row_get(r);
		}
		if (!e)
			continue;
		take(s, e, r);
		if (e->quiet >= s->ticks)
			drop(e);
		else
			out[n++] = e;
	}
	free(s->all);
	s->all = out;
	s->n = n;
}

void slow_update(struct app *a)
{
	struct slow *s = &a->slow;
	const struct table *t;

	if (!a->shown || s->seq == a->shown->seq)
		return;
	if (s->seq + 1 != a->shown->seq)	/* a jump in time: the history is unknown */
		slow_free(s);
	t = &a->shown->tables[TABLE_http];
	s->seq = a->shown->seq;
	s->ticks = (u32)min(max(MEDIAN_NS / max(a->shown->interval_ns, 1ull), (u64)TICKS_MIN + 1), (u64)TICKS_MAX);
	s->at = (s->at + 1) % s->ticks;
	row_put(s->worst);
	s->worst = NULL;
	if (s->n || t->n)
		merge(s, t);
}

bool app_note_slow(struct app *a, char *buf, size_t cap, const char *key)
{
	const struct http_row *h;
	char now[FORMAT_MAX], was[FORMAT_MAX];

	if (!a->slow.worst)
		return false;
	h = http_row(a->slow.worst);
	snprintf(buf, cap, "%s%s%.80s p99 %s, was %s · %s", h->method ? h->method : "",
		 h->method && *h->method ? " " : "", h->path ? h->path : "?", format_ns(now, (double)h->p99_ns),
		 format_ns(was, (double)a->slow.was_ns), key);
	return true;
}

static bool fails(const struct http_row *r, double seconds)
{
	return f32_known(r->error_pct) && r->error_pct > FAILS_PCT && (double)r->rate * seconds > REQUESTS_MIN - 0.5 &&
	       (double)r->error_rate * seconds > FAILED_MIN - 0.5;
}

/* A server's own measurement precedes its clients', theirs those for remote servers. */
static bool is_worse(const struct http_row *r, const struct http_row *than)
{
	bool server = text_is(r->side, "server"), its = text_is(than->side, "server");

	return server != its ? server : r->error_rate > than->error_rate;
}

bool app_note_failing(const struct app *a, char *buf, size_t cap, const char *key)
{
	const struct table *t = &a->shown->tables[TABLE_http];
	double seconds = (double)(t->interval_ns ?: a->shown->interval_ns) / NSEC_PER_SEC;
	const struct http_row *worst = NULL;

	for (u32 i = 0; i < t->n; i++) {
		const struct http_row *r = http_row(t->rows[i]);

		if (fails(r, seconds) && (!worst || is_worse(r, worst)))
			worst = r;
	}
	if (!worst)
		return false;
	snprintf(buf, cap, "%s%s%.80s: %.1f %% failed, %s of %s %llu · %s", worst->method ? worst->method : "",
		 worst->method && *worst->method ? " " : "", worst->path ? worst->path : "?", (double)worst->error_pct,
		 worst->side ? worst->side : "?", worst->comm ? worst->comm : "?", (unsigned long long)worst->pid, key);
	return true;
}
