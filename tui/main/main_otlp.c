// SPDX-License-Identifier: GPL-2.0-or-later
/* main_otlp.c: starts --otlp and fills the table `exports`. */
#include <stdio.h>
#include <stdlib.h>

#include "exporter/otlp/otlp.h"
#include "exporter/otlp/url.h"
#include "tui/main/main.h"

static struct otlp_options options_of(const struct options *o)
{
	return (struct otlp_options){
		.url = o->otlp, .protocol = o->otlp_protocol, .profiles = o->otlp_profiles,
		.max_processes = (u32)o->otlp_processes, .env = config_getenv,
		.command_lines = o->otlp_command_lines,
	};
}

struct otlp_sink *main_otlp_start(const struct options *o, struct exporter *e,
				  const struct session *session, char **ret_error)
{
	struct otlp_options options = options_of(o);
	struct otlp_sink *otlp = otlp_open(&options, session, ret_error);

	if (otlp)
		exporter_add(e, otlp_sink_of(otlp));
	return otlp;
}

u64 main_otlp_tables(const struct options *o)
{
	struct otlp_options options = options_of(o);

	return o->otlp ? otlp_tables(&options) : 0;
}

u64 main_otlp_spares(const struct options *o)
{
	struct otlp_options options = options_of(o);

	/* a process that ended between two reads cannot be tested against the filter */
	return otlp_spares(&options, o->interval_ns) & ~(o->comm || o->cgroup ? WANT_CALLS_SELDOM : 0);
}

static const char *state_name(const struct otlp_stats *s)
{
	if (s->failed)
		return "retry";
	if (s->state == OTLP_POSTING)
		return "sending";
	if (s->posts && s->verdict == OTLP_REFUSED)
		return "refused";
	return s->posts ? "ok" : "idle";
}

/* The senders' clock, CLOCK_MONOTONIC, stops while the machine is suspended. */
static u64 on_boottime(u64 monotonic_ns)
{
	return monotonic_ns ? boottime_ns() - clock_ns(CLOCK_MONOTONIC) + monotonic_ns : 0;
}

static void copy(char *buf, size_t cap, const char *text)
{
	snprintf(buf, cap, "%s", text);
}

static void fill_stats(struct export_state *e, const struct otlp_stats *s)
{
	copy(e->state, sizeof(e->state), state_name(s));
	copy(e->error, sizeof(e->error), s->error);
	e->sent = s->sent;
	e->refused = s->refused;
	e->dropped = s->dropped;
	e->posts = s->posts;
	e->retried = s->failures;
	e->failed = s->failed;
	e->queued = s->queued;
	e->queued_bytes = s->queued_bytes;
	e->cap_bytes = s->cap_bytes;
	e->sent_bytes = s->sent_bytes;
	e->took_ns = s->took_ns;
	e->last_ns = on_boottime(s->last_ns);
	e->begun_ns = s->state == OTLP_POSTING ? on_boottime(s->begun_ns) : 0;
	e->next_ns = s->state == OTLP_WAITING ? on_boottime(s->next_ns) : 0;
	e->error_ns = on_boottime(s->error_ns);
	e->send_cpu_ns = s->cpu_ns;
}

static void fill(struct otlp_sink *o, enum otlp_signal signal, struct export_state *e)
{
	const struct otlp_endpoint *to = otlp_endpoint_of(o, signal);
	struct otlp_stats stats;
	char *url;

	copy(e->signal, sizeof(e->signal), otlp_signal_name(signal));
	if (!otlp_stats(o, signal, &stats)) {
		e->off = true;
		copy(e->state, sizeof(e->state), "off");
		copy(e->error, sizeof(e->error), otlp_why_off(signal, config_getenv));
		return;
	}
	url = otlp_url_shown(to->url);
	copy(e->endpoint, sizeof(e->endpoint), url);
	free(url);
	copy(e->protocol, sizeof(e->protocol), to->grpc ? "grpc" : "http/protobuf");
	copy(e->compression, sizeof(e->compression), to->gzip ? "gzip" : "none");
	fill_stats(e, &stats);
	e->encode_cpu_ns = otlp_encode_ns(o, signal);
}

void main_otlp_update(struct otlp_sink *o)
{
	struct export_state states[OTLP_SIGNALS] = { 0 };

	for (int i = 0; i < OTLP_SIGNALS; i++)
		fill(o, (enum otlp_signal)i, &states[i]);
	exports_report(states, OTLP_SIGNALS);
}

void main_otlp_status(struct otlp_sink *o, char *buf, size_t cap)
{
	snprintf(buf, cap, "otlp");
	for (int i = 0, n = 0; i < OTLP_SIGNALS; i++) {
		struct otlp_stats s;

		if (!otlp_stats(o, (enum otlp_signal)i, &s))
			continue;
		text_add(buf, cap, n++ ? "; " : " ", "%s %s, %llu sent, %llu refused, %llu dropped",
			 otlp_signal_name((enum otlp_signal)i), state_name(&s), (unsigned long long)s.sent,
			 (unsigned long long)s.refused, (unsigned long long)s.dropped);
	}
}
