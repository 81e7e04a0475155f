// SPDX-License-Identifier: GPL-2.0-or-later
/* otlp.c: see otlp.h. Main thread, except where otlp.h says otherwise. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/http.h"
#include "exporter/otlp/otlp_parts.h"
#include "exporter/otlp/url.h"

#define SELDOM_NS (10 * NSEC_PER_SEC)	/* minimum time between exports of metrics */
#define GROUPS_OF_PROCESS 5	/* series of a grouping by process, times max_processes */

/* Maximum bytes queued for each endpoint; only an outage fills the queue. */
static const u64 cap_bytes[OTLP_SIGNALS] = {
	[OTLP_METRICS] = 4 << 20, [OTLP_TRACES] = 8 << 20, [OTLP_LOGS] = 4 << 20,
	[OTLP_PROFILES] = 8 << 20,
};

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
	o->spans.begun = true;	/* also what happened before */
	o->url = xstrdup(options->url);
	o->options = *options;
	o->sink.name = "otlp";
	o->sink.write = otlp_write;
	o->sink.close = otlp_close;
	*ret_error = otlp_config_read(&o->config, options->url, options->protocol, options->env);
	o->config.command_lines = options->command_lines;
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
	/* all our counters are asynchronous, which lowmemory keeps cumulative */
	if (o->config.temporality == OTLP_DELTA)
		o->deltas = otlp_series_new();
	o->links = otlp_links_new();
	o->logs = otlp_logs_new();
	o->processes = otlp_processes_new(options->max_processes);
	o->plain = otlp_plain_new();
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
			text_add(waits, sizeof(waits), ", ", "%s", otlp_signal_name((enum otlp_signal)i));
	return *waits ? xasprintf("%s: the server has asked to wait; the rest is being sent", waits) :
			xstrdup("what waits is being sent, metrics with the next tick");
}

static u64 metric_tables(void)
{
	u64 tables = otlp_plain_tables();

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
		tables |= TABLE_BIT(TABLE_requests) | WANT_ALL_REQUESTS;
	if (is_wanted(options, OTLP_LOGS))
		tables |= TABLE_BIT(TABLE_events) | TABLE_BIT(TABLE_connections);
	if (is_wanted(options, OTLP_PROFILES) && otlp_profiles_parse(options->profiles, &cpu, &offcpu))
		tables |= TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames) | (offcpu ? WANT_OFFCPU : 0);
	return tables;
}

/* System calls are exported as sums: in long intervals they are read only when metrics are due. */
u64 otlp_spares(const struct otlp_options *options, u64 tick_ns)
{
	u64 interval_ns = otlp_interval_ms(options->env) * NSEC_PER_MSEC, kept_ns = CALLS_TICKS * tick_ns;
	bool seldom = interval_ns >= SELDOM_NS && !(interval_ns % kept_ns);

	return WANT_NO_WAITS | (seldom ? WANT_CALLS_SELDOM : 0);
}

bool otlp_is_delivered(const struct otlp_sink *o)
{
	for (int i = 0; i < OTLP_SIGNALS; i++)
		if (o->final[i].dropped || o->final[i].refused)
			return false;
	return true;
}

/* "12 spans sent", plus what was refused or dropped. */
static void report_signal(const struct otlp_stats *f, const char *items, char *buf, size_t cap)
{
	snprintf(buf, cap, "%llu %s sent", (unsigned long long)f->sent, items);
	if (f->refused || f->dropped)
		text_add(buf, cap, ", ", "%llu refused, %llu dropped (%s)",
			 (unsigned long long)f->refused, (unsigned long long)f->dropped,
			 *f->error ? f->error : "no time was left");
}

char *otlp_report(const struct otlp_sink *o)
{
	static const char *const items[] = { "data points", "spans", "log records", "profiles" };
	u64 passed = atomic_load(&o->sink.dropped);
	char text[OTLP_SIGNALS][320] = { "" }, busy[80] = "";
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
	if (passed)
		snprintf(busy, sizeof(busy), "; %llu interval%s passed over, this machine was too busy",
			 (unsigned long long)passed, text_plural(passed, "s"));
	line = xasprintf("--otlp %s: %s%s%s%s%s", shown, text[0], text[1], text[2], text[3], busy);
	free(shown);
	return line;
}

/* A hanging thread still uses the configuration, which is then not freed. */
void otlp_free(struct otlp_sink *o)
{
	if (!o || o->hung)
		return;
	otlp_finish(o);
	otlp_processes_free(o->processes);
	otlp_series_free(o->deltas);
	for (u32 i = 0; i < N_GROUPINGS; i++)
		otlp_groups_free(o->groups[i]);
	otlp_plain_free(o->plain);
	snapshot_put(o->last);
	otlp_config_free(&o->config);
	otlp_links_free(o->links);
	otlp_due_free(&o->due);
	otlp_logs_free(o->logs);
	scratch_free(&o->scratch);
	otlp_profiles_free(o->profiles);
	free(o->url);
	free(o);
}
