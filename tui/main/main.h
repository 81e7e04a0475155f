/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.h: between main.c and main_*.c, which together are the composition
 * root: the only files of tui/ that may include every directory.
 */
#ifndef OTTOP_MAIN_H
#define OTTOP_MAIN_H

#include "bpf/record/history.h"
#include "bpf/sampler.h"
#include "exporter/exporter.h"
#include "tui/main/options.h"

#define MAIN_ALL_TABLES (TABLE_BIT(N_TABLES) - 1)

/* ---- standard output and error: main_stdio.c --------------------------------- */

/* Prints one line, "ottop: ...", on stderr; what came from outside is made safe. */
void main_say(const char *fmt, ...) __printf(1, 2);
/* The same of an allocated line, which it frees; NULL: nothing. */
void main_report(char *line);
/*
 * A closed descriptor 0, 1 or 2 would be given to the next file that is opened,
 * and our output would go into a BPF map. Returns whether stdout was open.
 */
bool main_fill_fds(void);
/*
 * A full disk shows itself only when the last bytes are written; a reader that
 * has gone is no failure. Returns the exit status.
 */
int main_close_stdout(int status);
/*
 * A stream to fd (which stays the caller's) whose writes fail with EINTR when
 * wake_fd becomes readable and nobody reads what is written. NULL and errno.
 */
FILE *output_open(int fd, int wake_fd);	/* main_output.c */

/* ---- signals: main_signals.c ------------------------------------------------- */

/* Faults (SIGSEGV and the like): the terminal is given back, one line says where. */
void main_catch_faults(void);
/* From now on SIGINT, SIGTERM and SIGHUP ask the run to end; false: errno says why not. */
bool main_catch_signals(void);
/* For poll(): readable once such a signal came; -1: none is caught. */
int main_signal_fd(void);
/* After that: SIGHUP does not end the run but asks for the configuration to be read again. */
void main_catch_reload(void);
/* Whether that was asked for since the last call. */
bool main_take_reload(void);
/* Whether such a signal came. */
bool main_interrupted(void);

/* ---- where snapshots come from: main_source.c ------------------------------ */

/* One of the two is set. */
struct source {
	struct sampler *sampler;
	struct recording *recording;
	u64 last_seq;	/* of the last tick that was taken from the recording */
};

/* Opens what the options ask for; false: *ret_error is one line (free() it). */
bool source_open(struct source *src, const struct options *o, u64 tables, char **ret_error);
const struct session *source_session(const struct source *src);
/* For poll(): readable while something may wait; -1: nothing will come any more. */
int source_fd(const struct source *src);
/* The next tick in order (one reference), or NULL when none waits. */
const struct snapshot *source_next(struct source *src);
/* What is wrong with a recording so far, or NULL. */
const char *source_problem(const struct source *src);
void source_close(struct source *src);

/* ---- recording through the exporter: main_record.c ---------------------------- */

struct record_sink {
	struct sink sink;
	struct recorder *recorder;
	char *path;
	_Atomic u64 bytes;
	const struct snapshot *held;	/* a reference, or NULL */
};

/* Opens the file; NULL: *ret_error is one line (free() it). */
struct record_sink *record_sink_open(const char *path, const struct session *session,
				     char **ret_error);
/*
 * Hands a snapshot to the exporter. One with stacks stays here until the next comes: the
 * last one is written with all that is known of its frames by then.
 */
void record_push(struct record_sink *r, struct exporter *e, const struct snapshot *s);
/* Before the exporter is stopped; named: the frames by now (sampler_name_frames()), or NULL. */
void record_end(struct record_sink *r, struct exporter *e, const struct snapshot *named);
/* Whether record_end() has a use for the names of all frames. */
bool record_wants_names(const struct record_sink *r);
/* What became of it in one line (free() it). The sink must be closed. */
char *record_sink_report(const struct record_sink *r);
/* NULL-safe; the sink must be closed. */
void record_sink_free(struct record_sink *r);
/* Tables to observe for a recording: what -v names and the always-on ones; else all. */
u64 record_tables(const struct options *o);

/* ---- a service: main_notify.c ------------------------------------------------------- */

/*
 * Tells the service manager, if there is one (NOTIFY_SOCKET: sd_notify(3)): lines
 * "READY=1\nSTATUS=...". Never waits.
 */
void main_notify(const char *fmt, ...) __printf(1, 2);
/* How often the manager wants to hear WATCHDOG=1 of this process, in ns; 0: not at all. */
u64 main_watchdog_ns(void);

/* ---- OTLP: main_otlp.c ------------------------------------------------------------- */

struct otlp_sink;

/* Opens --otlp and gives it to the exporter; NULL: *ret_error is one line (free() it). */
struct otlp_sink *main_otlp_start(const struct options *o, struct exporter *e,
				  const struct session *session, char **ret_error);
/* "otlp metrics ok 1204 sent, traces retry ...", for the status of a service. */
void main_otlp_status(struct otlp_sink *o, char *buf, size_t cap);
/* Tables that --otlp wants observed, and WANT_OFFCPU; 0 without it. */
u64 main_otlp_tables(const struct options *o);
/* What of these it does without, where nobody else wants them: see otlp_spares(). */
u64 main_otlp_spares(const struct options *o);
/* Tells the table `exports` what is known of it; until the exporter is stopped. */
void main_otlp_tell(struct otlp_sink *o);

/* ---- the ways to run; each returns the exit status -------------------------------- */

int main_console(const struct options *o);
/* -b, --json, --record without a screen, live or of a recording. */
int main_headless(const struct options *o);
/* --profile: stacks into a file, live or of a recording. */
int main_profile(const struct options *o);
/*
 * For the console: writes the stacks of that kind from from_ns (CLOCK_BOOTTIME) to the end
 * of tick `last_seq`, of one process or (pid 0) of all. live: who still looks up their
 * frames, or NULL. The line to show; free() it.
 */
char *main_write_stacks(struct history *h, u64 last_seq, u64 from_ns, const char *kind, u64 pid,
			struct sampler *live, const char *path);

#endif
