// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_spans.c: see profiler_spans.h. The latest waits are in a ring; those of one thread are linked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/http/http_totals.h"
#include "bpf/collectors/profiler/profiler_spans.h"

#define KEPT 16384		/* 1.1 MB */
#define BUCKETS 4096
#define PARTS_MAX 12		/* different stacks of one request */

struct kept {
	u64 from_ns, to_ns;	/* CLOCK_BOOTTIME */
	u64 value;		/* ns; a sampled short wait counts for others, too */
	u64 before;		/* number of the previous wait in the same bucket; 0: none */
	const char *frames;
	const struct thing *thing;	/* of this tick */
	u64 ready_ino;		/* inode of the ready descriptor that ended it, until that is looked up; 0: none */
	u32 thing_frame, waker, tid, pid, ready_fd;
};

/* Equal stacks of a span, summed. */
struct share {
	const char *frames;
	u32 thing_frame, waker, n;
	u64 ns;
};

static struct kept *ring;
static u64 next = 1, settled = 1;	/* numbers */
static u64 buckets[BUCKETS];
static u64 began_ns;

static struct kept *at(u64 number)
{
	return &ring[number % KEPT];
}

void spans_open(void)
{
	ring = xcalloc(KEPT, sizeof(*ring));
	began_ns = boottime_ns();
}

void spans_close(void)
{
	for (u32 i = 0; ring && i < KEPT; i++)
		str_put(ring[i].frames);
	free(ring);
	ring = NULL;
	memset(buckets, 0, sizeof(buckets));
	next = settled = 1;
}

void spans_add(const struct wire_sample *s, const char *frames, const struct thing *thing)
{
	u64 ahead_ns, to, *bucket = &buckets[s->tid % BUCKETS];
	struct kept *k;

	if (!ring)
		return;
	k = at(next);
	str_put(k->frames);
	/* a wait that has not ended comes in parts, each up to time_ns */
	ahead_ns = boottime_ns() - kernel_ns(CLOCK_MONOTONIC);
	to = s->in.end_ns ? s->in.end_ns + ahead_ns : s->time_ns;
	*k = (struct kept){
		.from_ns = max(s->in.since_ns + ahead_ns, to - min(to, s->value)), .to_ns = to, .value = s->value,
		.before = *bucket, .frames = str_get(frames), .thing = thing, .waker = s->waker, .tid = s->tid,
		.pid = s->tgid, .ready_ino = s->in.ready_ino, .ready_fd = s->in.ready_fd,
	};
	*bucket = next++;
}

static void settle(void)
{
	for (settled = max(settled, next > KEPT ? next - KEPT : 1); settled < next; settled++) {
		struct kept *k = at(settled);

		if (!k->thing_frame)	/* else the ready descriptor of a set is known, which is more specific */
			k->thing_frame = things_frame(k->thing);
		if (!k->ready_ino)
			k->waker = things_waker(k->waker, k->thing);
		k->thing = NULL;
	}
}

/* ---- a span ---- */

/*
 * The part of a wait's value in the span, scaled, as values may exceed durations (sampling,
 * clocks).
 */
static u64 within(const struct kept *k, u64 from_ns, u64 to_ns)
{
	u64 from = max(k->from_ns, from_ns), to = min(k->to_ns, to_ns);

	if (from >= to)
		return 0;
	if (k->value <= k->to_ns - k->from_ns)
		return to - from;
	return (u64)((double)k->value * (double)(to - from) / (double)(k->to_ns - k->from_ns));
}

/* Sets the ready descriptor of a set, once it is known. */
static void settle_ready(struct kept *k, u64 ns)
{
	const struct thing *t = k->ready_ino ? things_ready(k->pid, k->tid, k->ready_fd, k->ready_ino, ns) : NULL;
	u32 frame = things_frame(t);

	if (!frame)
		return;
	k->thing_frame = frame;
	k->waker = things_waker(k->waker, t);
	k->ready_ino = 0;
}

/* Object and waker of a wait, as far as known. */
struct end {
	u32 thing_frame, waker;
};

static struct end end_of(const struct kept *k)
{
	return (struct end){ k->thing_frame, k->ready_ino ? things_waker(k->waker, NULL) : k->waker };
}

/* Adds it to its equals; the last entry takes what has no room. `more`: a further part of a wait already added. */
static u32 add_share(struct share *p, u32 n, const struct kept *k, struct end e, bool more, u64 ns)
{
	u32 i = 0;

	while (i < n && (p[i].frames != k->frames || p[i].thing_frame != e.thing_frame || p[i].waker != e.waker))
		i++;
	if (i == PARTS_MAX) {
		i--;
		p[i] = (struct share){ .ns = p[i].ns, .n = p[i].n };
	} else if (i == n) {
		p[n++] = (struct share){ k->frames, e.thing_frame, e.waker, 0, 0 };
	}
	p[i].ns += ns;
	p[i].n += !more;
	return n;
}

static int by_ns(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	return cmp(b->ns, a->ns);
}

/* Format: see requests.blocked_in in schema.def. */
static const char *text_of(struct share *p, u32 n)
{
	char *text = NULL;
	const char *interned;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	qsort(p, n, sizeof(*p), by_ns);
	for (u32 i = 0; i < n; i++) {
		fprintf(out, "%s%llu %u %u %u", i ? ";" : "", (unsigned long long)p[i].ns, p[i].n, p[i].waker,
			p[i].waker ? things_process(p[i].waker) : 0);
		if (p[i].waker)
			fprintf(out, " %u", things_waker_frame(p[i].waker));
		if (p[i].thing_frame)
			fprintf(out, " %u", p[i].thing_frame);
		fprintf(out, "%s%s", p[i].frames && *p[i].frames ? " " : "", p[i].frames ?: "");
	}
	fclose(out);
	interned = str_new(text);
	free(text);
	return interned;
}

static bool is_known(const struct requests_row *r)
{
	return u64_known(r->duration_ns) && u64_known(r->end_tid) && r->end_tid == r->tid &&
	       r->start_time_ns >= began_ns;
}

static u64 oldest(void)
{
	return next > KEPT ? next - KEPT : 1;
}

/* The thread's wait before number *i (0: the newest); NULL: none is kept. */
static struct kept *before(u32 tid, u64 *i)
{
	for (*i = *i ? at(*i)->before : buckets[tid % BUCKETS]; *i >= oldest(); *i = at(*i)->before)
		if (at(*i)->tid == tid)
			return at(*i);
	return NULL;
}

/* A wait with its waker. */
struct ended {
	u64 from_ns, to_ns;
	const char *frames;
	struct end end;
};

/*
 * For waits from newest to oldest. Those of several ticks come in parts, only the last with the
 * waker. True: k is a part of the same wait as the one before.
 */
static bool follow(struct ended *w, struct ended *longest, const struct kept *k, u64 from_ns, u64 to_ns)
{
	struct end e = end_of(k);
	bool more = !e.waker && w->end.waker && k->frames == w->frames && k->to_ns + NSEC_PER_MSEC > w->from_ns;

	if (!more)
		*w = (struct ended){ .to_ns = min(k->to_ns, to_ns), .frames = k->frames, .end = e };
	w->from_ns = max(k->from_ns, from_ns);
	if (w->end.waker && w->to_ns - w->from_ns > longest->to_ns - longest->from_ns)
		*longest = *w;
	return more;
}

static void fill_waker(struct requests_row *r, const struct ended *w)
{
	struct share parts[PARTS_MAX];
	u32 n = 0, waker = w->end.waker;
	const struct kept *k;
	bool watched = false;

	r->waker_tid = waker;
	r->waker_pid = things_process(waker) ?: U64_UNKNOWN;
	r->waker_wait_ns = w->to_ns - w->from_ns;
	for (u64 i = 0; (k = before(waker, &i)); ) {
		u64 ns = within(k, w->from_ns, w->to_ns);

		watched |= k->from_ns < w->to_ns;
		if (ns)
			n = add_share(parts, n, k, end_of(k), false, ns);
	}
	if (watched)
		str_set(&r->waker_in, text_of(parts, n));
}

/* The part of a wait in the span of a request. */
static u64 within_request(const struct kept *k, const struct requests_row *r)
{
	return k->pid == r->pid ? within(k, r->start_time_ns, r->start_time_ns + r->duration_ns) : 0;
}

/* The request began before the oldest kept wait. */
static bool is_older(const struct requests_row *r)
{
	return oldest() > 1 && at(oldest())->to_ns > r->start_time_ns;
}

static void settle_sets(struct requests_row *r)
{
	struct kept *k;
	u64 ns;

	for (u64 i = 0; !is_older(r) && (k = before(r->tid, &i)); )
		if (k->ready_ino && (ns = within_request(k, r)))
			settle_ready(k, ns);
}

static void fill(struct requests_row *r)
{
	u64 end_ns = r->start_time_ns + r->duration_ns;
	struct ended wait = {}, longest = {};
	struct share parts[PARTS_MAX];
	const struct kept *k;
	bool more;
	u32 n = 0;

	if (is_older(r))
		return;
	settle_sets(r);
	for (u64 i = 0; (k = before(r->tid, &i)); ) {
		u64 ns = within_request(k, r);

		if (!ns)
			continue;
		more = follow(&wait, &longest, k, r->start_time_ns, end_ns);
		n = add_share(parts, n, k, wait.end, more, ns);
	}
	str_set(&r->blocked_in, text_of(parts, n));
	if (longest.end.waker)
		fill_waker(r, &longest);
}

static void each_known(void (*fn)(struct requests_row *r))
{
	struct requests_row **rows;
	u32 n;

	if (!ring)
		return;
	rows = http_requests_new(&n);
	for (u32 i = 0; i < n; i++)
		if (is_known(rows[i]))
			fn(rows[i]);
}

void spans_want(void)
{
	each_known(settle_sets);
}

void spans_fill(void)
{
	if (!ring)
		return;
	settle();
	each_known(fill);
}
