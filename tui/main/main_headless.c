// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main_headless.c: without a screen: JSON or text on stdout, a recording, or
 * both, live or out of a recording. Data goes to stdout, words to stderr.
 */
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/json.h"
#include "exporter/otlp/otlp.h"
#include "tui/main/batch.h"
#include "tui/main/main.h"

#define QUEUE_MAX 64		/* snapshots that wait for a slow disk */
#define ALL_NAMES_NS (10 * NSEC_PER_SEC)	/* to wait for what is still looked up */
#define NAMES_SOON_NS (2 * NSEC_PER_SEC)	/* after a signal */
#define STUCK_MS 3000		/* for the sinks to end, after a signal, beyond OTLP's own limit */
#define MAX_STARTING 5		/* ticks to wait for a collector that starts slowly */

struct headless {
	const struct options *o;
	struct source source;
	FILE *out;
	struct json_writer *json;
	struct batch *batch;
	struct exporter *exporter;
	struct record_sink *record;
	struct otlp_sink *otlp;
	u64 tables;		/* to write */
	u64 done;		/* intervals so far */
	u32 starting;		/* ticks that were left out at the start */
};

/* ---- opening -------------------------------------------------------------------- */

static u64 output_tables(const struct options *o)
{
	if (o->names.tables)
		return o->names.tables;
	if (o->json)
		return TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_self);
	return TABLE_BIT(TABLE_processes);
}

/* What must be observed so that the tables can be written: nested ones and the losses too. */
static u64 needed_tables(const struct headless *h)
{
	u64 tables = h->tables | TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) |
		     TABLE_BIT(TABLE_probes);

	if (h->o->otlp)
		tables |= otlp_tables();
	return h->o->record ? tables | record_tables(h->o) : tables;
}

static bool start_recording(struct headless *h, char **ret_error)
{
	h->record = record_sink_open(h->o->record, source_session(&h->source), ret_error);
	if (!h->record)
		return false;
	exporter_add(h->exporter, &h->record->sink);
	return true;
}

static bool start_otlp(struct headless *h, char **ret_error)
{
	h->otlp = main_otlp_start(h->o, h->exporter, source_session(&h->source), ret_error);
	return h->otlp != NULL;
}

/* The sinks that were asked for. */
static bool start_sinks(struct headless *h, char **ret_error)
{
	if (!h->o->record && !h->o->otlp)
		return true;
	h->exporter = exporter_start(QUEUE_MAX);
	if (!h->exporter) {
		*ret_error = xasprintf("no thread: %s", strerror(errno));
		return false;
	}
	return (!h->o->record || start_recording(h, ret_error)) &&
	       (!h->o->otlp || start_otlp(h, ret_error));
}

static bool open_outputs(struct headless *h, char **ret_error)
{
	bool ascii = h->o->ascii || strcmp(nl_langinfo(CODESET), "UTF-8");

	h->out = output_open(STDOUT_FILENO, main_signal_fd());
	if (!h->out) {
		*ret_error = xasprintf("stdout: %s", strerror(errno));
		return false;
	}
	if (h->o->json)
		h->json = json_writer_new(h->out, h->tables);
	else if (h->o->batch || (!h->o->record && !h->o->headless))
		h->batch = batch_new(h->out, h->tables, ascii);
	return start_sinks(h, ret_error);
}

/* ---- the loop ---------------------------------------------------------------------- */

/*
 * The first line follows one whole interval of every table that was asked for.
 * A replay leaves out the same ticks, so that its lines are those of the live run.
 */
static bool is_whole(struct headless *h, const struct snapshot *s)
{
	bool starting = !s->interval_ns;

	if (h->done)
		return true;
	for (int t = 0; t < N_TABLES; t++)
		if (h->tables & TABLE_BIT(t) && s->tables[t].status == TS_STARTING)
			starting = true;
	return !starting || (s->interval_ns && h->starting++ >= MAX_STARTING);
}

/* 0, or -errno of stdout. */
static int write_snapshot(struct headless *h, const struct snapshot *s)
{
	int err = 0;

	if (!is_whole(h, s))
		return 0;
	if (h->record)	/* the other sinks get what it gets */
		record_push(h->record, h->exporter, s);
	else if (h->exporter)
		exporter_push(h->exporter, s);
	if (h->otlp)
		main_otlp_tell(h->otlp);
	if (h->json)
		err = json_writer_write(h->json, s);
	else if (h->batch)
		err = batch_write(h->batch, s);
	h->done++;
	return err;
}

static bool is_finished(const struct headless *h)
{
	if (main_interrupted() || (h->o->count && h->done >= h->o->count))
		return true;
	/* a recording that cannot be written and nothing else to do */
	return h->record && !h->json && !h->batch && !h->otlp &&
	       atomic_load(&h->record->sink.error);
}

/* Takes all that waits. 0, or -errno of stdout. */
static int drain(struct headless *h)
{
	const struct snapshot *s;
	int err = 0;

	while (!err && !is_finished(h) && (s = source_next(&h->source))) {
		err = write_snapshot(h, s);
		snapshot_put(s);
	}
	return err;
}

/* A reader that goes away (| head) is found at once, not at the next tick. */
static bool reader_gone(const struct pollfd *p)
{
	return p->revents & POLLERR;
}

static int loop(struct headless *h)
{
	bool to_stdout = h->json || h->batch;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = main_signal_fd(), .events = POLLIN },
			{ .fd = to_stdout ? STDOUT_FILENO : -1 },
			{ .fd = source_fd(&h->source), .events = POLLIN },
		};
		int err = drain(h);

		if (err || is_finished(h))
			return err;
		fds[2].fd = source_fd(&h->source);
		if (fds[2].fd < 0)
			return 0;	/* the end of the recording */
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (reader_gone(&fds[1]))
			return -EPIPE;
	}
}

/* ---- the end ------------------------------------------------------------------------- */

/* Says what became of the recording; returns the exit status. */
static int report_recording(struct headless *h)
{
	char *report;
	int status;

	if (!h->record)
		return 0;
	status = atomic_load(&h->record->sink.error) ? 1 : 0;
	if (atomic_load(&h->record->sink.error) == -EPIPE && !strcmp(h->o->record, "-")) {
		status = 0;	/* the reader had enough */
	} else {
		report = record_sink_report(h->record);
		main_say("%s", report);
		free(report);
	}
	record_sink_free(h->record);
	return status;
}

static int report_otlp(struct headless *h)
{
	char *report;
	int status;

	if (!h->otlp)
		return 0;
	report = otlp_report(h->otlp);
	status = otlp_is_delivered(h->otlp) ? 0 : 1;
	main_say("%s", report);
	free(report);
	otlp_free(h->otlp);
	return status;
}

/* Pushes what was held until now, with all that is known of its frames. */
static void end_recording(struct headless *h)
{
	const struct snapshot *named = NULL;

	if (record_wants_names(h->record))
		named = sampler_name_frames(h->source.sampler, NULL, 0,
					    main_interrupted() ? NAMES_SOON_NS : ALL_NAMES_NS);
	record_end(h->record, h->exporter, named);
	snapshot_put(named);
}

/* Ends the sinks and says what became of them; returns the exit status. */
static int finish_sinks(struct headless *h)
{
	u32 ms = STUCK_MS + (h->otlp ? OTLP_FLUSH_MS + STUCK_MS : 0);

	if (!h->exporter)
		return 0;
	if (h->record)
		end_recording(h);
	if (!exporter_stop_within(h->exporter, main_interrupted() ? ms : UINT32_MAX)) {
		main_say("%s %s: nobody takes what is written; it is cut",
			 h->record ? "--record" : "--otlp", h->record ? h->o->record : h->o->otlp);
		return 1;
	}
	return report_recording(h) | report_otlp(h);
}

static int report_stdout(int err)
{
	if (!err || err == -EPIPE)
		return 0;
	if (err == -EINTR)
		main_say("stdout: nobody reads it any more; the last line is cut");
	else
		main_say("stdout: %s; the last line may be cut", strerror(-err));
	return 1;
}

int main_headless(const struct options *o)
{
	struct headless h = { .o = o, .tables = output_tables(o) };
	char *error = NULL;
	int status = 1;

	if (!main_catch_signals())
		main_say("pipe: %s", strerror(errno));
	else if (source_open(&h.source, o, needed_tables(&h), &error) && open_outputs(&h, &error))
		status = report_stdout(loop(&h));
	if (error) {
		main_say("%s", error);
		exporter_stop(h.exporter);
	} else {
		status |= finish_sinks(&h);
	}
	if (source_problem(&h.source)) {
		main_say("%s", source_problem(&h.source));
		status = 1;
	}
	json_writer_free(h.json);
	batch_free(h.batch);
	if (h.out)
		fclose(h.out);
	source_close(&h.source);
	free(error);
	return status;
}
