// SPDX-License-Identifier: GPL-2.0-or-later
/* otlp.c: see otlp.h. All but otlp_open() and otlp_free() runs in the exporter's thread. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "exporter/otlp/groupings.h"
#include "exporter/otlp/grpc.h"
#include "exporter/otlp/http.h"
#include "exporter/otlp/message.h"
#include "exporter/otlp/otlp.h"
#include "exporter/otlp/processes.h"
#include "exporter/otlp/profiles.h"
#include "exporter/otlp/spans.h"
#include "exporter/otlp/split.h"

#define CLOCK_STEP_NS (s64)NSEC_PER_SEC

/* Tables whose rows are points of one resource, that of ottop. */
static const enum table_id plain_tables[] = {
	TABLE_host, TABLE_cpus, TABLE_interfaces, TABLE_drops, TABLE_self,
};
#define PLAIN_ROWS_MAX 1000	/* of each; anybody may make interfaces */
#define GROUPS_OF_PROCESS 5	/* so many times --otlp-processes of what are several of each */

/* Bytes that may wait for each endpoint: only an outage fills them. */
static const u64 cap_bytes[OTLP_SIGNALS] = {
	[OTLP_METRICS] = 4 << 20, [OTLP_TRACES] = 8 << 20, [OTLP_LOGS] = 4 << 20,
	[OTLP_PROFILES] = 8 << 20,
};

struct otlp_sink {
	struct sink sink;
	struct otlp_config config;
	char *url;
	struct otlp_options options;	/* its texts are good while it is opened */
	struct otlp_sender *senders[OTLP_SIGNALS];
	struct otlp_stats final[OTLP_SIGNALS];	/* once they have ended */
	bool hung;
	const struct session *session;
	struct otlp_processes *processes;
	struct otlp_metric *metrics[ARRAY_SIZE(plain_tables)];	/* of the plain tables */
	u32 n_metrics[ARRAY_SIZE(plain_tables)];
	struct otlp_groups *groups[N_GROUPINGS];
	struct otlp_series *deltas;	/* NULL: counters are cumulative */
	struct event_cursor spans, logs;
	struct otlp_links *links;	/* between spans */
	struct otlp_profiles *profiles;	/* NULL: they are not asked for */
	const struct snapshot *last;	/* the newest one */
	s64 start_offset_ns;		/* see metrics_begin() */
	u64 exported_ns, exported_seq;	/* of the snapshot that was exported last */
	u64 profiled_ns;		/* the same for profiles */
	_Atomic u64 encode_ns[OTLP_SIGNALS];	/* CPU time */
	_Atomic bool hurry;		/* metrics are due with the next snapshot */
};

/* ---- sending -------------------------------------------------------------------------------- */

/* gzip at its fastest: what is sent is mostly names that repeat. NULL: it could not. */
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

	if (e->gzip == OTLP_GZIP || (e->gzip == OTLP_GZIP_WAITING && otlp_sender_waits(sender)))
		zipped = compress_body(data, n, &n_zipped);
	if (zipped) {
		free(data);
		data = zipped;
		n = n_zipped;
	}
	if (e->grpc)
		data = grpc_frame(data, &n, zipped != NULL);
	otlp_sender_push(sender, data, n, zipped != NULL, items);
}

/* Takes `data`, which may be NULL. Profiles share one dictionary: they are not split. */
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

/* CLOCK_BOOTTIME since when its counters count. Those of interfaces are the kernel's. */
static u64 start_of_row(const struct snapshot *s, const struct row *r)
{
	if (r->table == TABLE_interfaces)
		return 0;
	return r->first_seen_ns ? r->first_seen_ns : s->session->start_ns;
}

static void put_row(const struct otlp_sink *o, u32 i, const struct snapshot *s,
		    const struct row *r, struct metrics *m)
{
	struct attributes a = { 0 };
	u64 start = start_of_row(s, r);

	attributes_of_row(m->scratch, &a, r);
	for (u32 k = 0; k < o->n_metrics[i]; k++)
		metrics_value(m, &o->metrics[i][k], &a, start, r);
}

static void put_tables(const struct otlp_sink *o, const struct snapshot *s, struct metrics *m)
{
	struct attributes a = { 0 };

	attributes_of_ottop(m->scratch, &a, s->session, &o->config);
	metrics_resource(m, &a);
	for (u32 i = 0; i < ARRAY_SIZE(plain_tables); i++) {
		const struct table *t = &s->tables[plain_tables[i]];

		for (u32 k = 0; k < min(t->n, (u32)PLAIN_ROWS_MAX); k++)
			put_row(o, i, s, t->rows[k], m);
	}
}

static void put_groups(struct otlp_sink *o, const struct snapshot *s, struct metrics *m,
		       bool have_resources)
{
	for (u32 i = 0; i < N_GROUPINGS; i++)
		if ((otlp_groupings[i].of_process || otlp_groupings[i].of_program) == have_resources)
			otlp_groups_export(o->groups[i], s, &o->config, m);
}

/* Measuring jitters; only a step of the clock is news. */
static void keep_offset(struct otlp_sink *o, const struct snapshot *s)
{
	if (!o->exported_seq || llabs(s->unix_offset_ns - o->start_offset_ns) > CLOCK_STEP_NS)
		o->start_offset_ns = s->unix_offset_ns;
}

static void export_metrics(struct otlp_sink *o, const struct snapshot *s)
{
	struct scratch scratch = { 0 };
	struct metrics m;
	size_t n = 0;
	u8 *data;

	keep_offset(o, s);
	metrics_begin(&m, &scratch, unix_ns(s, s->time_ns), o->start_offset_ns);
	m.deltas = o->deltas;
	put_tables(o, s, &m);
	put_groups(o, s, &m, false);	/* of the same resource */
	otlp_processes_export(o->processes, s, &o->config, &m);
	put_groups(o, s, &m, true);
	data = metrics_pack(&m, &n);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_end(o->groups[i]);
	send_request(o, OTLP_METRICS, data, n, m.points);
	scratch_free(&scratch);
	if (o->deltas)
		otlp_series_end(o->deltas);
	o->exported_ns = s->time_ns;
	o->exported_seq = s->seq;
}

/* What happened in this tick leaves at once. */
static void export_rows(struct otlp_sink *o, const struct snapshot *s, enum otlp_signal signal)
{
	size_t n = 0;
	u32 items = 0;
	u8 *data = signal == OTLP_TRACES ?
		otlp_spans_pack(&o->spans, o->links, s, &o->config, &n, &items) :
		otlp_logs_pack(&o->logs, s, &o->config, &n, &items);

	send_request(o, signal, data, n, items);
}

static void export_profiles(struct otlp_sink *o, const struct snapshot *s)
{
	size_t n = 0;
	u32 items = 0;
	u8 *data = otlp_profiles_pack(o->profiles, s, &o->config, &n, &items);

	send_request(o, OTLP_PROFILES, data, n, items);
	o->profiled_ns = s->time_ns;
}

/* As often as metrics, but a little later where names are still looked for. */
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

/* Half a tick early is nearer than half a tick late. */
static bool is_due(const struct otlp_sink *o, const struct snapshot *s)
{
	u64 interval_ns = o->config.interval_ms * NSEC_PER_MSEC;

	if (!s->interval_ns)
		return false;	/* there are no rates yet */
	return !o->exported_seq || atomic_load(&o->hurry) ||
	       s->time_ns - o->exported_ns + s->interval_ns / 2 >= interval_ns;
}

/* ---- the sink ----------------------------------------------------------------------------------- */

/* What comes and goes between two exports counts too. */
static void take_metrics(struct otlp_sink *o, const struct snapshot *s)
{
	otlp_processes_take(o->processes, s);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_take(o->groups[i], o->last, s);
}

/* Adds the CPU time since before_ns; returns now. */
static u64 count_cpu(struct otlp_sink *o, enum otlp_signal signal, u64 before_ns)
{
	u64 now = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	atomic_fetch_add(&o->encode_ns[signal], now - before_ns);
	return now;
}

static int otlp_write(struct sink *sink, const struct snapshot *s)
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
		export_rows(o, s, OTLP_TRACES);
	before_ns = count_cpu(o, OTLP_TRACES, before_ns);
	if (o->senders[OTLP_LOGS])
		export_rows(o, s, OTLP_LOGS);
	before_ns = count_cpu(o, OTLP_LOGS, before_ns);
	if (o->profiles)
		take_profiles(o, s);
	count_cpu(o, OTLP_PROFILES, before_ns);
	return 0;
}

/* Ends the senders, all within the same time. */
static void finish(struct otlp_sink *o)
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

/* What was seen since the last export leaves too. */
static int otlp_close(struct sink *sink)
{
	struct otlp_sink *o = (struct otlp_sink *)sink;

	if (o->last && o->senders[OTLP_METRICS] && o->last->interval_ns && o->last->seq != o->exported_seq)
		export_metrics(o, o->last);
	if (o->last && o->profiles)
		export_profiles(o, o->last);
	finish(o);
	snapshot_put(o->last);
	o->last = NULL;
	return 0;
}

/* ---- beginning and end ---------------------------------------------------------------------- */

static void find_metrics(struct otlp_sink *o, u32 i)
{
	const struct table_desc *d = &table_descs[plain_tables[i]];

	o->metrics[i] = xcalloc(d->n_fields, sizeof(*o->metrics[i]));
	for (u32 k = 0; k < d->n_fields; k++) {
		struct otlp_metric *m = &o->metrics[i][o->n_metrics[i]];

		if (otlp_metric_of(&d->fields[k], m) && m->kind != OTLP_ATTRIBUTE &&
		    m->kind != OTLP_HISTOGRAM)
			o->n_metrics[i]++;
	}
}

static u32 groups_max(u32 i, u32 max_processes)
{
	bool several = (otlp_groupings[i].of_process || otlp_groupings[i].of_program) &&
		       otlp_groupings[i].keys[0];

	return several ? GROUPS_OF_PROCESS * max_processes : max_processes;
}

static bool is_wanted(const struct otlp_options *options, enum otlp_signal signal)
{
	return otlp_signal_wanted(signal, options->env) &&
	       (signal != OTLP_PROFILES || options->profiles);
}

static char *start_profiles(struct otlp_sink *o)
{
	bool cpu, offcpu;

	if (!is_wanted(&o->options, OTLP_PROFILES))
		return NULL;
	if (!otlp_profiles_parse(o->options.profiles, &cpu, &offcpu))
		return xasprintf("--otlp-profiles %s: no such kind; there are: cpu, offcpu",
				 o->options.profiles);
	o->profiles = otlp_profiles_new(cpu, offcpu);
	return NULL;
}

static char *start(struct otlp_sink *o)
{
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		if (!is_wanted(&o->options, (enum otlp_signal)i))
			continue;
		o->senders[i] = otlp_sender_start(&o->config.endpoints[i], cap_bytes[i]);
		if (!o->senders[i])
			return xasprintf("--otlp: no thread: %s", strerror(errno));
	}
	return NULL;
}

struct otlp_sink *otlp_open(const struct otlp_options *options, const struct session *session,
			    char **ret_error)
{
	struct otlp_sink *o = xcalloc(1, sizeof(*o));
	char *why;

	o->session = session;
	o->spans.begun = o->logs.begun = true;	/* also what happened before */
	o->url = xstrdup(options->url);
	o->options = *options;
	o->sink.name = "otlp";
	o->sink.write = otlp_write;
	o->sink.close = otlp_close;
	*ret_error = otlp_config_read(&o->config, options->url, options->protocol, options->env);
	if (!*ret_error)
		*ret_error = start_profiles(o);
	why = *ret_error ? NULL : http_load(otlp_config_has_grpc(&o->config));
	if (why)
		*ret_error = xasprintf("--otlp: %s", why);
	free(why);
	if (!*ret_error)
		*ret_error = start(o);
	if (*ret_error) {
		otlp_free(o);
		return NULL;
	}
	/* all our counters are observed ones: of lowmemory they are cumulative too */
	if (o->config.temporality == OTLP_DELTA)
		o->deltas = otlp_series_new();
	o->links = otlp_links_new();
	o->processes = otlp_processes_new(options->max_processes);
	for (u32 i = 0; i < ARRAY_SIZE(plain_tables); i++)
		find_metrics(o, i);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		o->groups[i] = otlp_groups_new(&otlp_groupings[i], groups_max(i, options->max_processes));
	return o;
}

struct sink *otlp_sink_of(struct otlp_sink *o)
{
	return &o->sink;
}

bool otlp_stats(struct otlp_sink *o, enum otlp_signal s, struct otlp_stats *ret)
{
	*ret = (struct otlp_stats){ 0 };
	if (o->senders[s])
		otlp_sender_stats(o->senders[s], ret);
	return o->senders[s] != NULL;
}

u64 otlp_encode_ns(const struct otlp_sink *o, enum otlp_signal s)
{
	return atomic_load(&o->encode_ns[s]);
}

const struct otlp_endpoint *otlp_endpoint_of(const struct otlp_sink *o, enum otlp_signal s)
{
	return &o->config.endpoints[s];
}

char *otlp_hurry(struct otlp_sink *o)
{
	char waits[64] = "";

	atomic_store(&o->hurry, true);
	for (int i = 0; i < OTLP_SIGNALS; i++)
		if (o->senders[i] && !otlp_sender_hurry(o->senders[i]))
			snprintf(waits + strlen(waits), sizeof(waits) - strlen(waits), "%s%s",
				 *waits ? ", " : "", otlp_signal_name((enum otlp_signal)i));
	return *waits ? xasprintf("%s: the server has asked to wait; the rest is being sent", waits) :
			xstrdup("what waits is being sent, metrics with the next tick");
}

static u64 metric_tables(void)
{
	u64 tables = 0;

	for (u32 i = 0; i < ARRAY_SIZE(plain_tables); i++)
		tables |= TABLE_BIT(plain_tables[i]);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		tables |= TABLE_BIT(otlp_groupings[i].table);
	return tables;
}

u64 otlp_tables(const struct otlp_options *options)
{
	u64 tables = TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_host);
	bool cpu, offcpu;

	if (is_wanted(options, OTLP_METRICS))
		tables |= metric_tables();
	if (is_wanted(options, OTLP_TRACES))
		tables |= TABLE_BIT(TABLE_requests) | TABLE_BIT(TABLE_connections);
	if (is_wanted(options, OTLP_LOGS))
		tables |= TABLE_BIT(TABLE_events) | TABLE_BIT(TABLE_connections);
	if (is_wanted(options, OTLP_PROFILES) && otlp_profiles_parse(options->profiles, &cpu, &offcpu))
		tables |= TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames) | (offcpu ? WANT_OFFCPU : 0);
	return tables;
}

bool otlp_is_delivered(const struct otlp_sink *o)
{
	for (int i = 0; i < OTLP_SIGNALS; i++)
		if (o->final[i].dropped || o->final[i].refused)
			return false;
	return true;
}

/* "12 spans sent", and what else became of some. */
static void report_signal(const struct otlp_stats *f, const char *items, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%llu %s sent", (unsigned long long)f->sent, items);

	if (f->refused || f->dropped)
		snprintf(buf + n, cap - (size_t)n, ", %llu refused, %llu dropped (%s)",
			 (unsigned long long)f->refused, (unsigned long long)f->dropped,
			 *f->error ? f->error : "no time was left");
}

char *otlp_report(const struct otlp_sink *o)
{
	static const char *const items[] = { "data points", "spans", "log records", "profiles" };
	char text[OTLP_SIGNALS][320] = { "" };
	char *shown = otlp_url_shown(o->url), *line;
	bool any = false;

	for (int i = 0; i < OTLP_SIGNALS; i++) {
		const struct otlp_stats *f = &o->final[i];

		if (i != OTLP_METRICS && !f->sent && !f->refused && !f->dropped)
			continue;
		if (any)
			strcpy(text[i], "; ");
		report_signal(f, items[i], text[i] + strlen(text[i]), sizeof(text[i]) - 2);
		any = true;
	}
	line = xasprintf("--otlp %s: %s%s%s%s", shown, text[0], text[1], text[2], text[3]);
	free(shown);
	return line;
}

/* A thread that hangs still uses the configuration: that is left to the end of the process. */
void otlp_free(struct otlp_sink *o)
{
	if (!o || o->hung)
		return;
	finish(o);
	otlp_processes_free(o->processes);
	otlp_series_free(o->deltas);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_free(o->groups[i]);
	for (u32 i = 0; i < ARRAY_SIZE(plain_tables); i++)
		free(o->metrics[i]);
	snapshot_put(o->last);
	otlp_config_free(&o->config);
	otlp_links_free(o->links);
	otlp_profiles_free(o->profiles);
	free(o->url);
	free(o);
}
