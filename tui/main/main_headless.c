// SPDX-License-Identifier: GPL-2.0-or-later
/* main_headless.c: JSON or text on stdout, a recording, or both; messages go to stderr. */
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/model/thread.h"
#include "exporter/json.h"
#include "exporter/otlp/otlp.h"
#include "tui/main/batch.h"
#include "tui/main/main.h"

#define ALL_NAMES_NS (10 * NSEC_PER_SEC)	/* for pending names */
#define NAMES_SOON_NS (2 * NSEC_PER_SEC)	/* the same after a signal */
#define STUCK_MS 3000		/* for the sinks to end after a signal, beyond OTLP's own limit */
#define LAST_TICK_MS 1500	/* for the last requested tick */
#define LAST_INTERVAL_NS (50 * NSEC_PER_MSEC)
#define STATUS_NS (10 * NSEC_PER_SEC)	/* between status lines for the service manager */
#define LATE_NS (10 * NSEC_PER_SEC)	/* plus three intervals: then the sampler counts as hung */
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
	u32 starting;		/* ticks skipped at the start */
	struct options again;	/* reloaded options, or empty */
	u64 last_tick_ns, last_status_ns, last_step_ns;	/* CLOCK_MONOTONIC */
	unsigned long long steps;		/* sampler's progress counter at last_step_ns */
	u64 watchdog_ns;
	struct thread_pace pace;
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

/* Tables to observe for those to be written: nested ones and losses included. */
static u64 needed_tables(const struct headless *h)
{
	u64 tables = h->tables | TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) |
		     TABLE_BIT(TABLE_probes);

	if (h->o->otlp)
		tables |= main_otlp_tables(h->o);
	if (h->o->otlp && h->o->headless && !h->o->record)
		tables |= main_otlp_spares(h->o);
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

static bool start_exporter(struct headless *h, char **ret_error)
{
	h->exporter = exporter_start(EXPORTER_SNAPSHOTS, EXPORTER_BYTES);
	if (!h->exporter)
		*ret_error = xasprintf("no thread: %s", strerror(errno));
	return h->exporter != NULL;
}

static bool start_sinks(struct headless *h, char **ret_error)
{
	if (!h->o->record && !h->o->otlp)
		return true;
	return start_exporter(h, ret_error) &&
	       (!h->o->record || start_recording(h, ret_error)) &&
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

/* ---- as a service --------------------------------------------------------------------- */

static void report_status(struct headless *h)
{
	char otlp[320] = "";

	h->last_status_ns = clock_ns(CLOCK_MONOTONIC);
	if (h->otlp)
		main_otlp_status(h->otlp, otlp, sizeof(otlp));
	main_notify("STATUS=%llu intervals%s%s%s%s", (unsigned long long)h->done,
		    *otlp ? "; " : "", otlp, h->record ? "; recording to " : "",
		    h->record ? h->record->path : "");
}

/* After each written interval; the first one reports READY. */
static void report_tick(struct headless *h)
{
	h->last_tick_ns = clock_ns(CLOCK_MONOTONIC);
	if (h->done == 1)
		main_notify("READY=1");
	if (h->done == 1 || h->last_tick_ns - h->last_status_ns >= STATUS_NS)
		report_status(h);
}

/* Only while the sampler makes progress; a slow one (a cgroup quota) still completes steps. */
static void feed_watchdog(struct headless *h)
{
	unsigned long long steps = h->source.sampler ? sampler_steps(h->source.sampler) : 0;
	u64 now_ns = clock_ns(CLOCK_MONOTONIC), wait_ns = 3 * h->o->interval_ns + LATE_NS;

	if (steps != h->steps)
		h->last_step_ns = now_ns;
	h->steps = steps;
	if (h->watchdog_ns && (!h->done || now_ns - max(h->last_tick_ns, h->last_step_ns) < wait_ns))
		main_notify("WATCHDOG=1");
}

/* Opens the new one first: if that fails, the old one stays. */
static char *reopen_otlp(struct headless *h)
{
	struct otlp_sink *old = h->otlp;
	char *error = NULL;

	h->otlp = NULL;
	if (h->o->otlp && !start_otlp(h, &error)) {
		h->otlp = old;
		return error;
	}
	if (!old)
		return NULL;
	exporter_remove_wait(h->exporter, otlp_sink_of(old));
	main_report(otlp_report(old));
	otlp_free(old);
	return NULL;
}

/* If the file is still in place it is kept: a new recording would overwrite it. */
static char *reopen_record(struct headless *h)
{
	struct record_sink *old = h->record;
	char *error = NULL;

	if (old && h->o->record && !strcmp(old->path, h->o->record) && !access(old->path, F_OK))
		return NULL;
	h->record = NULL;
	if (h->o->record && !start_recording(h, &error)) {
		h->record = old;
		return error;
	}
	if (!old)
		return NULL;
	record_end(old, h->exporter, NULL);
	exporter_remove_wait(h->exporter, &old->sink);
	main_report(record_sink_report(old));
	record_sink_free(old);
	return NULL;
}

static char *reopen_sinks(struct headless *h)
{
	char *error = NULL;

	if (!h->exporter && !start_exporter(h, &error))
		return error;
	error = reopen_otlp(h);
	if (!error)
		error = reopen_record(h);
	if (h->source.sampler) {
		sampler_interval(h->source.sampler, h->o->interval_ns);
		sampler_want(h->source.sampler, needed_tables(h),
			     h->o->pids.n == 1 ? h->o->pids.pid[0] : 0, 0);
	}
	return error;
}

/* SIGHUP: rereads options and --config: OTLP, recording path, interval; if invalid, nothing. */
static void reload(struct headless *h)
{
	struct options now;
	char *error = options_parse(&now, h->o->argc, h->o->argv);

	main_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
		    (unsigned long long)(clock_ns(CLOCK_MONOTONIC) / NSEC_PER_USEC));
	if (error) {
		options_free(&now);
	} else {
		options_free(&h->again);
		h->again = now;
		h->o = &h->again;
		error = reopen_sinks(h);
	}
	main_say("%s", error ? error : "the configuration was read again");
	main_notify("READY=1");
	report_status(h);
	free(error);
}

/* ---- the loop ---------------------------------------------------------------------- */

/* Output starts after a full interval of every table; replays skip the same ticks. */
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
	if (h->record)	/* the other sinks get the same */
		record_push(h->record, h->exporter, s);
	else if (h->exporter)
		exporter_push(h->exporter, s);
	if (h->otlp)
		main_otlp_update(h->otlp);
	if (h->json)
		err = json_writer_write(h->json, s);
	else if (h->batch)
		err = batch_write(h->batch, s);
	h->done++;
	report_tick(h);
	return err;
}

static bool is_finished(const struct headless *h)
{
	if (main_interrupted() || (h->o->count && h->done >= h->o->count))
		return true;
	/* the recording failed and there is no other output */
	return h->record && !h->json && !h->batch && !h->otlp &&
	       atomic_load(&h->record->sink.error);
}

/* Handles all pending snapshots. 0, or -errno of stdout. */
static int drain(struct headless *h)
{
	const struct snapshot *s;
	int err = 0;

	while (!err && !is_finished(h) && (s = source_next(&h->source))) {
		err = write_snapshot(h, s);
		snapshot_put(s);
		thread_follow_pace(&h->pace);
	}
	return err;
}

/* A reader that went away (| head) is noticed at once, not at the next tick. */
static bool reader_gone(const struct pollfd *p)
{
	return p->revents & POLLERR;
}

static int loop(struct headless *h)
{
	bool to_stdout = h->json || h->batch;
	int wait_ms = h->watchdog_ns ? (int)min(h->watchdog_ns / 3 / NSEC_PER_MSEC, 60000ull) : -1;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = main_signal_fd(), .events = POLLIN },
			{ .fd = to_stdout ? STDOUT_FILENO : -1 },
			{ .fd = source_fd(&h->source), .events = POLLIN },
		};
		int err = drain(h);

		if (err || is_finished(h))
			return err;
		if (main_take_reload())
			reload(h);
		feed_watchdog(h);
		fds[2].fd = source_fd(&h->source);
		if (fds[2].fd < 0)
			return 0;	/* end of the recording */
		if (poll(fds, ARRAY_SIZE(fds), wait_ms) < 0 && errno != EINTR)
			return -errno;
		if (reader_gone(&fds[1]))
			return -EPIPE;
	}
}

/* Waits for a tick with system calls, if only some have them, for a complete last export. */
static void take_last_tick(struct headless *h)
{
	u64 tables = needed_tables(h), until_ns = clock_ns(CLOCK_MONOTONIC) + LAST_TICK_MS * NSEC_PER_MSEC, now_ns;
	u64 pid = h->o->pids.n == 1 ? h->o->pids.pid[0] : 0;
	bool done = !h->otlp || !h->source.sampler || !h->done || !(tables & WANT_CALLS_SELDOM);

	if (done)
		return;
	sampler_want(h->source.sampler, tables & ~WANT_CALLS_SELDOM, pid, 0);
	sampler_interval(h->source.sampler, LAST_INTERVAL_NS);
	while (!done && (now_ns = clock_ns(CLOCK_MONOTONIC)) < until_ns) {
		struct pollfd p = { .fd = source_fd(&h->source), .events = POLLIN };
		const struct snapshot *s;

		poll(&p, 1, (int)((until_ns - now_ns) / NSEC_PER_MSEC) + 1);
		while ((s = source_next(&h->source))) {
			exporter_push(h->exporter, s);
			done = done || s->tables[TABLE_syscalls].interval_ns;
			snapshot_put(s);
		}
	}
}

/* ---- the end ------------------------------------------------------------------------- */

/* Reports the result of the recording; returns the exit status. */
static int report_recording(struct headless *h)
{
	int status;

	if (!h->record)
		return 0;
	status = atomic_load(&h->record->sink.error) ? 1 : 0;
	if (atomic_load(&h->record->sink.error) == -EPIPE && !strcmp(h->o->record, "-"))
		status = 0;	/* the reader had enough */
	else
		main_report(record_sink_report(h->record));
	record_sink_free(h->record);
	return status;
}

static int report_otlp(struct headless *h)
{
	int status;

	if (!h->otlp)
		return 0;
	status = otlp_is_delivered(h->otlp) ? 0 : 1;
	main_report(otlp_report(h->otlp));
	otlp_free(h->otlp);
	return status;
}

/* Writes the snapshot held back, with all names of its frames. */
static void end_recording(struct headless *h)
{
	const struct snapshot *named = NULL;

	if (record_wants_names(h->record))
		named = sampler_name_frames(h->source.sampler, NULL, 0,
					    main_interrupted() ? NAMES_SOON_NS : ALL_NAMES_NS);
	record_end(h->record, h->exporter, named);
	snapshot_put(named);
}

/* Ends the sinks and reports their results; returns the exit status. */
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
	struct headless h = { .o = o, .tables = output_tables(o), .watchdog_ns = main_watchdog_ns() };
	char *error = NULL;
	bool caught = main_catch_signals();
	int status = 1;

	if (caught && o->headless)
		main_catch_reload();
	if (!caught)
		main_say("pipe: %s", strerror(errno));
	else if (source_open(&h.source, o, needed_tables(&h), &error) && open_outputs(&h, &error))
		status = report_stdout(loop(&h));
	main_notify("STOPPING=1\nSTATUS=sending and writing what waits");
	if (!error)
		take_last_tick(&h);
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
	options_free(&h.again);
	free(error);
	return status;
}
