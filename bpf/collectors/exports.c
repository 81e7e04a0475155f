// SPDX-License-Identifier: GPL-2.0-or-later
/* exports.c: the table exports: state of --otlp by signal. */
#include <pthread.h>
#include <string.h>

#include "bpf/collectors/collector.h"
#include "bpf/collectors/exports.h"
#include "bpf/model/rate.h"

#define MINUTE_NS (60 * NSEC_PER_SEC)
#define MARKS 61		/* one a second, and the one that is a minute old */

/* What was known at one moment. */
struct mark {
	u64 time_ns, sent, queued_bytes;
};

/* The marks of a signal: a ring, the oldest is not older than needed for a minute. */
struct past {
	struct mark marks[MARKS];
	u32 first, n;
	struct counter encode, send;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct export_state reported[EXPORTS_MAX];
static u32 n_reported;

static struct past pasts[EXPORTS_MAX];	/* of the sampler's thread */
static u64 opened_ns;

void exports_report(const struct export_state *states, u32 n)
{
	pthread_mutex_lock(&lock);
	n_reported = min(n, (u32)EXPORTS_MAX);
	memcpy(reported, states, n_reported * sizeof(*reported));
	pthread_mutex_unlock(&lock);
}

static struct mark *mark_at(struct past *p, u32 i)
{
	return &p->marks[(p->first + i) % MARKS];
}

/* Notes this moment; the oldest of the last minute, or NULL: this is the first. */
static const struct mark *note(struct past *p, u64 now_ns, const struct export_state *e)
{
	bool is_new = !p->n || now_ns - mark_at(p, p->n - 1)->time_ns >= NSEC_PER_SEC;

	while (p->n > 1 && now_ns - mark_at(p, 1)->time_ns >= MINUTE_NS) {
		p->first = (p->first + 1) % MARKS;
		p->n--;
	}
	if (is_new && p->n == MARKS) {
		p->first = (p->first + 1) % MARKS;
		p->n--;
	}
	if (is_new)
		*mark_at(p, p->n++) = (struct mark){ now_ns, e->sent, e->queued_bytes };
	return now_ns > mark_at(p, 0)->time_ns ? mark_at(p, 0) : NULL;
}

static u64 time_or_blank(u64 ns)
{
	return ns ? ns : U64_BLANK;
}

/* What is not sent has no numbers: they are blank, not unknown. */
static void blank_numbers(struct exports_row *r)
{
	const struct table_desc *d = &table_descs[TABLE_exports];

	for (u32 i = 0; i < d->n_fields; i++) {
		void *member = (u8 *)r + d->fields[i].offset;

		if (d->fields[i].type == FT_U64)
			*(u64 *)member = U64_BLANK;
		else if (d->fields[i].type == FT_F32)
			*(float *)member = F32_BLANK;
	}
}

static void fill_numbers(struct exports_row *r, const struct export_state *e)
{
	r->sent = e->sent;
	r->refused = e->refused;
	r->dropped = e->dropped;
	r->posts = e->posts;
	r->retried = e->retried;
	r->failed = e->failed;
	r->queued = e->queued;
	r->queued_bytes = e->queued_bytes;
	r->queue_cap_bytes = e->cap_bytes;
	r->sent_bytes = e->sent_bytes;
	r->took_ns = e->posts ? e->took_ns : U64_BLANK;
	r->last_ns = time_or_blank(e->last_ns);
	r->begun_ns = time_or_blank(e->begun_ns);
	r->next_ns = time_or_blank(e->next_ns);
}

static void fill_rates(struct exports_row *r, struct past *p, const struct export_state *e,
		       const struct tick *t)
{
	const struct mark *before = note(p, t->now_ns, e);

	r->sent_minute = before ? e->sent - before->sent : e->sent;
	r->queue_rate = F32_PENDING;
	if (before)
		r->queue_rate = (float)(((double)e->queued_bytes - (double)before->queued_bytes) *
					NSEC_PER_SEC / (double)(t->now_ns - before->time_ns));
	r->encode_pct = rate_pct(counter_advance(&p->encode, e->encode_cpu_ns, true), t->interval_ns);
	r->send_pct = rate_pct(counter_advance(&p->send, e->send_cpu_ns, true), t->interval_ns);
}

static void add_row(const struct tick *t, struct past *p, const struct export_state *e)
{
	struct exports_row *r = builder_row(t->b, TABLE_exports);

	r->row.first_seen_ns = opened_ns;
	r->signal = str_new(e->signal);
	r->state = str_new(e->state);
	r->error = str_new(e->error);
	if (e->off) {
		blank_numbers(r);
		r->endpoint = str_new("");
		r->protocol = str_new("");
		r->compression = str_new("");
		return;
	}
	r->error_ns = time_or_blank(e->error_ns);
	r->endpoint = str_new(e->endpoint);
	r->protocol = str_new(e->protocol);
	r->compression = str_new(e->compression);
	fill_numbers(r, e);
	fill_rates(r, p, e, t);
}

static int exports_read(const struct tick *t)
{
	struct export_state now[EXPORTS_MAX];
	u32 n;

	opened_ns = opened_ns ? opened_ns : t->now_ns;
	pthread_mutex_lock(&lock);
	n = n_reported;
	memcpy(now, reported, n * sizeof(*now));
	pthread_mutex_unlock(&lock);
	for (u32 i = 0; i < n; i++)
		add_row(t, &pasts[i], &now[i]);
	builder_status(t->b, TABLE_exports, TS_OK, NULL, t->interval_ns);
	return 0;
}

static void exports_close(void)
{
	memset(pasts, 0, sizeof(pasts));
	opened_ns = 0;
}

const struct collector exports_collector = {
	.name = "exports",
	.rows_from = "from what is sent over --otlp",
	.tables = TABLE_BIT(TABLE_exports),
	.always = true,
	.read = exports_read,
	.close = exports_close,
};
