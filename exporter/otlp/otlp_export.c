// SPDX-License-Identifier: GPL-2.0-or-later
/* otlp_export.c: converts snapshots to requests and queues them. Exporter thread. */
#include <stdlib.h>

#include <zlib.h>

#include "exporter/otlp/grpc.h"
#include "exporter/otlp/message.h"
#include "exporter/otlp/otlp_parts.h"
#include "exporter/otlp/split.h"

#define CLOCK_STEP_NS (s64)NSEC_PER_SEC
#define REQUEST_MAX (64u << 20)	/* the specification's limit, before compression */

/* ---- sending -------------------------------------------------------------------------------- */

/* gzip at its fastest level: the data is mostly repeated names. NULL: compression failed. */
static u8 *compress_body(const u8 *data, size_t n, size_t *ret_n)
{
	z_stream z = { .next_in = (u8 *)data, .avail_in = (uInt)n };
	u8 *out;

	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	*ret_n = deflateBound(&z, (uLong)n);
	out = xmalloc(*ret_n);
	z.next_out = out;
	z.avail_out = (uInt)*ret_n;
	deflate(&z, Z_FINISH);
	*ret_n = z.total_out;
	deflateEnd(&z);
	return xrealloc(out, *ret_n);
}

struct outgoing {
	struct otlp_sink *sink;
	enum otlp_signal signal;
};

/* Queues one request; takes `data`. */
static void queue_request(void *arg, u8 *data, size_t n, u32 items)
{
	const struct outgoing *to = arg;
	const struct otlp_endpoint *e = &to->sink->config.endpoints[to->signal];
	struct otlp_sender *sender = to->sink->senders[to->signal];
	size_t n_zipped;
	u8 *zipped = NULL;

	if (n > REQUEST_MAX) {
		free(data);
		otlp_sender_discard(sender, items, "a request of more than 64 MiB is not sent");
		return;
	}
	if (e->gzip == OTLP_GZIP || (e->gzip == OTLP_GZIP_WAITING && otlp_sender_waits(sender)))
		zipped = compress_body(data, n, &n_zipped);
	if (zipped) {
		free(data);
		data = zipped;
		n = n_zipped;
	}
	if (e->grpc)
		data = grpc_wrap(data, &n, zipped != NULL);
	otlp_sender_push(sender, data, n, zipped != NULL, items);
}

/* Takes `data`, which may be NULL. Profiles are not split because they share one dictionary. */
static void send_request(struct otlp_sink *o, enum otlp_signal signal, u8 *data, size_t n,
			 u32 items)
{
	struct outgoing to = { o, signal };

	if (data && n > OTLP_PART_MAX && signal != OTLP_PROFILES)
		otlp_split(data, n, OTLP_PART_MAX, signal == OTLP_METRICS, queue_request, &to);
	else if (data)
		queue_request(&to, data, n, items);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void put_tables(const struct otlp_sink *o, const struct snapshot *s, struct metrics *m)
{
	struct attributes a = { 0 };

	message_add_ottop(m->scratch, &a, s->session, &o->config);
	metrics_resource(m, &a);
	otlp_plain_export(o->plain, s, m);
}

static void put_groups(struct otlp_sink *o, const struct snapshot *s, struct metrics *m,
		       bool have_resources)
{
	for (u32 i = 0; i < N_GROUPINGS; i++)
		if ((otlp_groupings[i].of_process || otlp_groupings[i].of_program) == have_resources)
			otlp_groups_export(o->groups[i], s, &o->config, m);
}

/* Keeps the offset for start times constant despite jitter; only a clock step changes it. */
static void keep_offset(struct otlp_sink *o, const struct snapshot *s)
{
	if (!o->exported_seq || llabs(s->unix_offset_ns - o->start_offset_ns) > CLOCK_STEP_NS)
		o->start_offset_ns = s->unix_offset_ns;
}

static void export_metrics(struct otlp_sink *o, const struct snapshot *s)
{
	struct metrics m;
	size_t n = 0;
	u8 *data;

	keep_offset(o, s);
	metrics_begin(&m, &o->scratch, unix_ns(s, s->time_ns), o->start_offset_ns);
	m.deltas = o->deltas;
	put_tables(o, s, &m);
	put_groups(o, s, &m, false);	/* also points of ottop's resource */
	otlp_processes_export(o->processes, s, &o->config, &m);
	put_groups(o, s, &m, true);
	data = metrics_pack(&m, &n);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_end(o->groups[i]);
	send_request(o, OTLP_METRICS, data, n, m.points);
	scratch_reset(&o->scratch);
	if (o->deltas)
		otlp_series_end(o->deltas);
	o->exported_ns = s->time_ns;
	o->exported_seq = s->seq;
}

/* Events and requests leave in the tick in which they happened. */
static void export_spans(struct otlp_sink *o, const struct snapshot *s)
{
	u64 left_out = (u64)((double)s->left_out * o->config.sample_ratio);
	u32 items;
	size_t n;
	u8 *data;

	otlp_spans_due(&o->due, &o->spans, s);
	while ((data = otlp_spans_pack(&o->scratch, &o->due, o->links, s, &o->config, &n, &items)))
		send_request(o, OTLP_TRACES, data, n, items);
	if (left_out)
		otlp_sender_discard(o->senders[OTLP_TRACES], (u32)min(left_out, (u64)UINT32_MAX),
				    "more requests in an interval than there is room for");
}

static void export_logs(struct otlp_sink *o, const struct snapshot *s, bool end)
{
	size_t n = 0;
	u32 items = 0;
	u8 *data = otlp_logs_pack(&o->scratch, o->logs, s, &o->config, end, &n, &items);

	send_request(o, OTLP_LOGS, data, n, items);
}

static void export_profiles(struct otlp_sink *o, const struct snapshot *s)
{
	size_t n = 0;
	u32 items = 0;
	u8 *data = otlp_profiles_pack(o->profiles, &o->scratch, s, &o->config, &n, &items);

	send_request(o, OTLP_PROFILES, data, n, items);
	o->profiled_ns = s->time_ns;
}

/* Profiles are due as often as metrics, but wait a little for pending names. */
static void take_profiles(struct otlp_sink *o, const struct snapshot *s)
{
	u64 interval_ns = o->config.interval_ms * NSEC_PER_MSEC;

	if (!o->profiled_ns)
		o->profiled_ns = s->time_ns;
	otlp_profiles_take(o->profiles, s);
	if (otlp_profiles_full(o->profiles) ||
	    (s->time_ns - o->profiled_ns + s->interval_ns / 2 >= interval_ns &&
	     !otlp_profiles_wait(o->profiles)))
		export_profiles(o, s);
}

/* The table of system calls is not fresh; a later tick has a newer one: WANT_CALLS_SELDOM. */
static bool calls_are_old(const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_syscalls];

	return (t->status == TS_OK || t->status == TS_PARTIAL) && !t->interval_ns;
}

/* Due from half a tick before the interval ends: that is closer than half a tick late. */
static bool is_due(const struct otlp_sink *o, const struct snapshot *s)
{
	u64 interval_ns = o->config.interval_ms * NSEC_PER_MSEC;

	if (!s->interval_ns)
		return false;	/* no rates yet */
	if (!o->exported_seq || atomic_load(&o->hurry))
		return true;
	return s->time_ns - o->exported_ns + s->interval_ns / 2 >= interval_ns && !calls_are_old(s);
}

/* ---- the sink ----------------------------------------------------------------------------------- */

/* Every tick is taken in, so that objects that come and go between exports are counted. */
static void take_metrics(struct otlp_sink *o, const struct snapshot *s)
{
	otlp_processes_take(o->processes, s);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_take(o->groups[i], o->last, s);
}

/* Adds the thread's CPU time since before_ns; returns the current value. */
static u64 count_cpu(struct otlp_sink *o, enum otlp_signal signal, u64 before_ns)
{
	u64 now = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	atomic_fetch_add(&o->encode_ns[signal], now - before_ns);
	return now;
}

int otlp_write(struct sink *sink, const struct snapshot *s)
{
	struct otlp_sink *o = (struct otlp_sink *)sink;

	u64 before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (o->senders[OTLP_METRICS])
		take_metrics(o, s);
	snapshot_put(o->last);
	o->last = snapshot_get(s);
	if (o->senders[OTLP_METRICS] && is_due(o, s)) {
		atomic_store(&o->hurry, false);
		export_metrics(o, s);
	}
	before_ns = count_cpu(o, OTLP_METRICS, before_ns);
	if (o->senders[OTLP_TRACES])
		export_spans(o, s);
	before_ns = count_cpu(o, OTLP_TRACES, before_ns);
	if (o->senders[OTLP_LOGS])
		export_logs(o, s, false);
	before_ns = count_cpu(o, OTLP_LOGS, before_ns);
	if (o->profiles)
		take_profiles(o, s);
	count_cpu(o, OTLP_PROFILES, before_ns);
	return 0;
}

void otlp_finish(struct otlp_sink *o)
{
	u64 until = clock_ns(CLOCK_MONOTONIC) + OTLP_FLUSH_MS * NSEC_PER_MSEC;

	for (int i = 0; i < OTLP_SIGNALS; i++)
		if (o->senders[i])
			otlp_sender_finish(o->senders[i], until);
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		if (o->senders[i] && !otlp_sender_stop(o->senders[i], &o->final[i]))
			o->hung = true;
		o->senders[i] = NULL;
	}
}

/* Exports what was collected since the last export, then closes. */
int otlp_close(struct sink *sink)
{
	struct otlp_sink *o = (struct otlp_sink *)sink;

	if (o->last && o->senders[OTLP_METRICS] && o->last->interval_ns && o->last->seq != o->exported_seq)
		export_metrics(o, o->last);
	if (o->last && o->profiles)
		export_profiles(o, o->last);
	if (o->last && o->senders[OTLP_LOGS])
		export_logs(o, o->last, true);
	otlp_finish(o);
	snapshot_put(o->last);
	o->last = NULL;
	return 0;
}
