// SPDX-License-Identifier: GPL-2.0-or-later
/* main_console.c: the console's callbacks: ticks, tables, a recording, a snapshot as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/json.h"
#include "exporter/otlp/otlp.h"
#include "exporter/profile.h"
#include "bpf/model/thread.h"
#include "tui/app/app.h"
#include "tui/main/main.h"

#define TRIM_TICKS 4
#define TRIM_BYTES (2u << 20)
#define PATIENCE_NS (3 * NSEC_PER_SEC)	/* to wait for source lines */

struct console {
	const struct options *o;
	struct source source;
	struct history *history;	/* live: owned */
	struct exporter *exporter;
	struct record_sink *record;	/* NULL: not recording */
	struct otlp_sink *otlp;		/* NULL: no --otlp */
	u64 taken;
	u64 tables, pid, start_time_ns;	/* the last request */
	struct thread_pace pace;	/* pacing of drawing, and of the work before it */
};

/* ---- files that the console writes --------------------------------------------- */

/* ottop-shop-web-03-20261122-164207.EXT in the working directory; free() it. */
static char *choose_name(const struct session *session, const char *extension)
{
	time_t now = time(NULL);
	char stamp[32], host[sizeof(session->host_name)];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	text_clean(host, sizeof(host), session->host_name, TEXT_SCREEN_ASCII);
	for (char *p = host; *p; p++)
		if (*p == '/' || *p == ' ' || *p == '?')
			*p = '_';
	return xasprintf("ottop-%s-%s.%s", host, stamp, extension);
}

/* Creates a file owned by the user who called sudo, and readable only by them. */
static FILE *create_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return NULL;
	file_give_away(fd, path);
	return fdopen(fd, "w");
}

/* ---- callbacks ------------------------------------------------------------------- */

static int console_fd(void *arg)
{
	struct console *c = arg;

	return source_fd(&c->source);
}

/* -n: that many intervals have passed. */
static bool console_done(void *arg)
{
	const struct console *c = arg;

	return c->o->count && c->taken >= c->o->count;
}

/* Rows of many sizes fragment the heap, of which free() alone returns only the end. */
static void give_memory_back(u64 ticks)
{
	if (ticks % TRIM_TICKS == 0 && mallinfo2().fordblks > TRIM_BYTES)
		malloc_trim(0);
}

static void fit_history(struct console *c, const struct snapshot *s)
{
	const struct self_row *self = self_row(snapshot_single(s, TABLE_self));

	if (self && u64_known(self->rss_bytes) && u64_known(self->kernel_map_bytes))
		history_fit(c->history, self->rss_bytes + self->kernel_map_bytes);
}

static const struct snapshot *console_take(void *arg)
{
	struct console *c = arg;
	const struct snapshot *s;

	if (c->source.recording) {
		recording_read(c->source.recording);
		return NULL;
	}
	s = console_done(c) ? NULL : source_next(&c->source);
	if (!s)
		return NULL;
	fit_history(c, s);
	history_append(c->history, s);
	sampler_tell_history_bytes(c->source.sampler, history_bytes(c->history));
	if (c->record)	/* the other sinks get the same */
		record_push(c->record, c->exporter, s);
	else if (c->otlp)
		exporter_push(c->exporter, s);
	if (c->otlp)
		main_otlp_update(c->otlp);
	c->taken += s->interval_ns != 0;
	give_memory_back(c->taken);
	thread_follow_pace(&c->pace);
	return s;
}

/* Tables needed by exporters, independent of what is on the screen. */
static u64 tables_of_sinks(const struct console *c)
{
	return (c->record ? record_tables(c->o) : 0) | (c->otlp ? main_otlp_tables(c->o) : 0);
}

static void update_wanted(struct console *c)
{
	u64 sinks = tables_of_sinks(c), seen = sinks ? c->tables & ~WANT_NO_CALLS : c->tables;

	sampler_want(c->source.sampler, seen | sinks, c->pid, c->start_time_ns);
}

static void console_want(void *arg, u64 tables, u64 pid, u64 start_time_ns)
{
	struct console *c = arg;

	c->tables = tables;
	c->pid = pid;
	c->start_time_ns = start_time_ns;
	if (c->source.sampler)	/* for a recording this only sets the view's focus */
		update_wanted(c);
}

static void console_look(void *arg, const u32 *pids, u32 n)
{
	struct console *c = arg;

	sampler_look(c->source.sampler, pids, n);
}

static void console_see(void *arg, const u32 *frames, u32 n)
{
	struct console *c = arg;

	sampler_see_frames(c->source.sampler, frames, n);
}

static void console_scope(void *arg, bool on)
{
	struct console *c = arg;

	/* a recording must not depend on what is on the screen */
	sampler_scope_to_focus(c->source.sampler, on && !c->record);
}

static void console_interval(void *arg, u64 interval_ns)
{
	struct console *c = arg;

	sampler_interval(c->source.sampler, interval_ns);
}

static char *start_record(struct console *c, const char *path)
{
	char *error = NULL, *chosen = path ? NULL : choose_name(source_session(&c->source), "otr");

	if (!c->exporter)
		c->exporter = exporter_start(EXPORTER_SNAPSHOTS, EXPORTER_BYTES);
	if (!c->exporter)
		error = xasprintf("recording: no thread: %s", strerror(errno));
	else
		c->record = record_sink_open(path ? path : chosen, source_session(&c->source),
					     &error);
	free(chosen);
	if (!c->record)
		return error;
	exporter_add(c->exporter, &c->record->sink);
	update_wanted(c);
	return xasprintf("recording to %s", c->record->path);
}

/* Names of all frames, for a file; NULL: a replay, or none are known. */
static const struct snapshot *name_all(struct console *c)
{
	return c->source.sampler ? sampler_name_frames(c->source.sampler, NULL, 0, PATIENCE_NS) : NULL;
}

/* Waits until the queue is written: the user asked for a complete file. */
static char *stop_record(struct console *c)
{
	const struct snapshot *named = record_wants_names(c->record) ? name_all(c) : NULL;
	char *report;

	record_end(c->record, c->exporter, named);
	snapshot_put(named);
	exporter_remove_wait(c->exporter, &c->record->sink);
	report = record_sink_report(c->record);
	record_sink_free(c->record);
	c->record = NULL;
	return report;
}

static char *console_record(void *arg, bool on, const char *path, bool *ret_on)
{
	struct console *c = arg;
	char *line = NULL;

	if (on && c->source.recording)
		line = xstrdup("this is a recording; there is nothing to record");
	else if (on && c->record)
		line = xasprintf("already recording to %s", c->record->path);
	else if (on)
		line = start_record(c, path);
	else if (c->record)
		line = stop_record(c);
	if (!on && c->source.sampler)
		update_wanted(c);
	*ret_on = c->record != NULL;
	return line ? line : xstrdup("nothing is being recorded");
}

static u64 console_record_bytes(void *arg)
{
	struct console *c = arg;

	return c->record ? atomic_load(&c->record->bytes) : 0;
}

/* A flame graph is shown and the file name is not JSON: write its stacks as a profile. */
static bool wants_profile(u64 tables, const char *path)
{
	u64 flame = TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames);

	return (tables & ~WANT_OFFCPU) == flame &&
	       (!path || profile_format(path) != PROFILE_UNKNOWN);
}

static char *write_profile(struct console *c, const struct snapshot *s, u64 tables, u64 from_ns,
			   const char *path)
{
	struct history *h = c->history ? c->history : recording_history(c->source.recording);
	char *chosen = path ? NULL : choose_name(source_session(&c->source), "pb.gz");
	char *line = main_write_stacks(h, s->seq, from_ns,
				       tables & WANT_OFFCPU ? "offcpu" : "cpu", c->pid, c->source.sampler,
				       path ? path : chosen);

	free(chosen);
	return line;
}

static char *write_json(struct console *c, const struct snapshot *s, u64 tables, const char *path)
{
	char *name = path ? xstrdup(path) : choose_name(source_session(&c->source), "json");
	FILE *f = create_file(name);
	const struct snapshot *named = NULL, *whole;
	struct json_writer *w;
	char *line;
	int err;

	if (!f) {
		line = xasprintf("%s: %s", name, strerror(errno));
		free(name);
		return line;
	}
	if (tables & TABLE_BIT(TABLE_frames))
		named = name_all(c);
	whole = named ? snapshot_with_table(s, named, TABLE_frames) : snapshot_get(s);
	w = json_writer_new(f, tables);
	err = json_writer_write(w, whole);
	json_writer_free(w);
	snapshot_put(whole);
	snapshot_put(named);
	if (fclose(f) && !err)
		err = -errno;
	line = err ? xasprintf("%s: %s; it is not whole", name, strerror(-err)) :
		     xasprintf("written to %s", name);
	free(name);
	return line;
}

static char *console_write(void *arg, const struct snapshot *s, u64 tables, u64 from_ns,
			   const char *path)
{
	if (wants_profile(tables, path))
		return write_profile(arg, s, tables, from_ns, path);
	return write_json(arg, s, tables, path);
}

static const char *console_problem(void *arg)
{
	struct console *c = arg;
	int err = c->record ? atomic_load(&c->record->sink.error) : 0;

	if (err)
		return "the recording ended early: it cannot be written any more; R says why";
	return source_problem(&c->source);
}

static char *console_send_now(void *arg)
{
	struct console *c = arg;

	return otlp_hurry(c->otlp);
}

static void console_ask_name(void *arg, const char *addr)
{
	struct console *c = arg;

	sampler_ask_name(c->source.sampler, addr);
}

/* ---- running ------------------------------------------------------------------------ */

/* Keys come from the terminal even if stdin is a recording or /dev/null. */
static int key_fd(void)
{
	int fd;

	if (isatty(STDIN_FILENO))
		return STDIN_FILENO;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return fd >= 0 ? fd : STDOUT_FILENO;
}

static struct console_config configure(struct console *c)
{
	const struct options *o = c->o;
	bool live = c->source.sampler != NULL;
	const char *no_color = getenv("NO_COLOR");
	struct console_config config = {
		.app = {
			.history = live ? c->history : recording_history(c->source.recording),
			.session = source_session(&c->source),
			.source = {
				.arg = c, .fd = console_fd, .take = console_take,
				.want = console_want,
				.look = live ? console_look : NULL,
				.see = live ? console_see : NULL,
				.scope = live ? console_scope : NULL,
				.interval = live ? console_interval : NULL,
				.ask_name = live ? console_ask_name : NULL,
				.send_now = c->otlp ? console_send_now : NULL,
				.record = console_record, .record_bytes = console_record_bytes,
				.write = console_write, .done = console_done, .problem = console_problem,
			},
			.interval_ns = o->interval_ns,
			.replay = !live,
			.follow_end = text_is(o->replay, "-"),
			.view = *o->names.first ? o->names.first : NULL,
			.pid = o->pids.n == 1 ? o->pids.pid[0] : 0,
			.ascii = o->ascii,
			.no_color = no_color && *no_color,
		},
		.in_fd = key_fd(),
		.out_fd = STDOUT_FILENO,
	};
	return config;
}

static void choose_theme(const struct options *o)
{
	if (o->theme_light || o->theme_dark)
		setenv("COLORFGBG", o->theme_light ? "0;15" : "15;0", 1);
}

static bool start_otlp(struct console *c, char **ret_error)
{
	c->exporter = exporter_start(EXPORTER_SNAPSHOTS, EXPORTER_BYTES);
	if (!c->exporter) {
		*ret_error = xasprintf("--otlp: no thread: %s", strerror(errno));
		return false;
	}
	c->otlp = main_otlp_start(c->o, c->exporter, source_session(&c->source), ret_error);
	return c->otlp != NULL;
}

static bool console_open(struct console *c, char **ret_error)
{
	const struct options *o = c->o;
	u64 tables = o->names.tables | (o->record ? record_tables(o) : 0) |
		     main_otlp_tables(o);
	char *line;

	if (!source_open(&c->source, o, tables, ret_error))
		return false;
	if (o->otlp && !start_otlp(c, ret_error))
		return false;
	if (c->source.sampler)
		c->history = history_new(HISTORY_CAP_BYTES);
	if (!o->record)
		return true;
	line = start_record(c, o->record);
	if (c->record)
		free(line);
	else
		*ret_error = line;
	return c->record != NULL;
}

/* Ends what runs; returns 1 if the recording failed. */
static int console_close(struct console *c)
{
	int status = 0;

	if (c->record) {
		status = atomic_load(&c->record->sink.error) ? 1 : 0;
		main_report(stop_record(c));
	}
	exporter_stop(c->exporter);
	if (c->otlp && !otlp_is_delivered(c->otlp))
		main_report(otlp_report(c->otlp));
	otlp_free(c->otlp);
	if (source_problem(&c->source))
		main_say("%s", source_problem(&c->source));
	source_close(&c->source);
	history_free(c->history);
	return status;
}

int main_console(const struct options *o)
{
	struct console c = { .o = o };
	char *error = NULL;
	int status = 1;

	if (console_open(&c, &error)) {
		struct console_config config = configure(&c);

		choose_theme(o);
		log_to_stderr(false);
		status = console_run(&config);
		log_to_stderr(true);
	}
	main_report(error);
	return console_close(&c) | status;
}
