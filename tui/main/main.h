/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.h: shared by main.c and main_*.c, the only files of tui/ that may include all headers. */
#pragma once

#include "bpf/record/history.h"
#include "bpf/sampler.h"
#include "exporter/exporter.h"
#include "tui/main/options.h"

#define MAIN_ALL_TABLES (TABLE_BIT(N_TABLES) - 1)

/* ---- standard output and error: main_stdio.c --------------------------------- */

/* Prints one line, "ottop: ...", on stderr; untrusted text is cleaned. */
void main_say(const char *fmt, ...) __printf(1, 2);
/* As main_say(), for an allocated line, which it frees; NULL: nothing. */
void main_report(char *line);
/* Opens closed descriptors 0 to 2: output must not go into a BPF map. Was stdout open? */
bool main_fill_fds(void);
/* Reports write errors of the last flush (a full disk), not a closed pipe. The exit status. */
int main_close_stdout(int status);
/* A stream to fd (the caller's); writes fail with EINTR once wake_fd is readable. NULL: errno. */
FILE *output_open(int fd, int wake_fd);	/* main_output.c */

/* ---- signals: main_signals.c ------------------------------------------------- */

/* On faults (SIGSEGV etc.): restores the terminal and prints one line with the location. */
void main_catch_faults(void);
/* Makes SIGINT, SIGTERM and SIGHUP end the run gracefully; false with errno. */
bool main_catch_signals(void);
/* For poll(): readable once such a signal arrived; -1: none is caught. */
int main_signal_fd(void);
/* From then on SIGHUP reloads the configuration instead of ending the run. */
void main_catch_reload(void);
/* Whether a reload was requested since the last call. */
bool main_take_reload(void);
/* Whether such a signal arrived. */
bool main_interrupted(void);

/* ---- source of snapshots: main_source.c ------------------------------------ */

/* Exactly one of the two is set. */
struct source {
	struct sampler *sampler;
	struct recording *recording;
	u64 last_seq;	/* of the last tick taken from the recording */
};

/* Opens what the options select; false: *ret_error is the error message (free() it). */
bool source_open(struct source *src, const struct options *o, u64 tables, char **ret_error);
const struct session *source_session(const struct source *src);
/* For poll(): readable when a snapshot may be pending; -1: no more will come. */
int source_fd(const struct source *src);
/* The next tick in order (one reference), or NULL if none is pending. */
const struct snapshot *source_next(struct source *src);
/* Problem found in a recording so far, or NULL. */
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

/* Opens the file; NULL: *ret_error is the error message (free() it). */
struct record_sink *record_sink_open(const char *path, const struct session *session,
				     char **ret_error);
/*
 * Passes a snapshot on; one with stacks is held until the next, for names that are known by then.
 */
void record_push(struct record_sink *r, struct exporter *e, const struct snapshot *s);
/* Before the exporter is stopped; named: names of all frames (sampler_name_frames()), or NULL. */
void record_end(struct record_sink *r, struct exporter *e, const struct snapshot *named);
/* Whether record_end() needs the names of all frames. */
bool record_wants_names(const struct record_sink *r);
/* One-line summary (free() it). The sink must be closed. */
char *record_sink_report(const struct record_sink *r);
/* NULL-safe; the sink must be closed. */
void record_sink_free(struct record_sink *r);
/* Tables to observe for a recording: those of -v and the always-on ones; else all. */
u64 record_tables(const struct options *o);

/* ---- a service: main_notify.c ------------------------------------------------------- */

/* Sends status lines ("READY=1") to the service manager, if any: sd_notify(3). Never blocks. */
void main_notify(const char *fmt, ...) __printf(1, 2);
/* Interval at which the manager expects WATCHDOG=1 from this process, in ns; 0: none. */
u64 main_watchdog_ns(void);

/* ---- OTLP: main_otlp.c ------------------------------------------------------------- */

struct otlp_sink;

/* Opens --otlp and adds it to the exporter; NULL: *ret_error is the error message (free() it). */
struct otlp_sink *main_otlp_start(const struct options *o, struct exporter *e,
				  const struct session *session, char **ret_error);
/* "otlp metrics ok 1204 sent, traces retry ...", for a service's status. */
void main_otlp_status(struct otlp_sink *o, char *buf, size_t cap);
/* Tables needed by --otlp, and WANT_OFFCPU; 0 without it. */
u64 main_otlp_tables(const struct options *o);
/* Parts of these it can do without, if no other consumer needs them: see otlp_spares(). */
u64 main_otlp_spares(const struct options *o);
/* Updates the table `exports` with its statistics; until the exporter is stopped. */
void main_otlp_update(struct otlp_sink *o);

/* ---- modes; each returns the exit status ------------------------------------------ */

int main_console(const struct options *o);
/* -b, --json, --record without a screen, live or from a recording. */
int main_headless(const struct options *o);
/* --profile: stacks into a file, live or from a recording. */
int main_profile(const struct options *o);
/*
 * For the console: writes the stacks of a kind from from_ns (CLOCK_BOOTTIME) to the end of tick
 * `last_seq`, of one process or (pid 0) of all. live: the source that is still looking up their
 * frames, or NULL. Returns the message to show; free() it.
 */
char *main_write_stacks(struct history *h, u64 last_seq, u64 from_ns, const char *kind, u64 pid,
			struct sampler *live, const char *path);
