/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sampler.h: the thread that reads the kernel and publishes sealed snapshots. For main.c only. */
#pragma once

#include <stdio.h>

#include "bpf/collectors/exports.h"
#include "bpf/host/scope.h"
#include "bpf/model/snapshot.h"

struct sampler;

/*
 * Loads what is always on, starts the thread. NULL when nothing can be observed:
 * *ret_error is then one line that says what, why and what to do (free() it).
 */
struct sampler *sampler_start(const struct sampler_options *o, char **ret_error);
const struct session *sampler_session(const struct sampler *s);
/* A descriptor for poll(): readable while a snapshot waits. */
int sampler_fd(const struct sampler *s);
/* The oldest snapshot not taken yet (one reference), or NULL. Never blocks. */
const struct snapshot *sampler_take(struct sampler *s);
/*
 * Sets the tables that are wanted from now on, and the selected process (0: none):
 * the table threads is of that process, and expensive probes are scoped to it.
 * Collectors that are no longer wanted run on for 5 minutes.
 */
void sampler_want(struct sampler *s, u64 tables, u64 focus_pid, u64 focus_start_ns);
/*
 * Sets the processes on the screen (at most LOOKED_MAX of them): values that may change without an
 * event (their command lines) are read again each tick.
 */
void sampler_look(struct sampler *s, const u32 *pids, u32 n);
/* Limits the syscall probes to the focused process (kernel-side filter) or not. */
void sampler_scope_to_focus(struct sampler *s, bool on);
/*
 * Sets the frames that are shown from now on (numbers of rows of the table frames), the most
 * important first: they get source lines and inlined functions.
 */
void sampler_see_frames(struct sampler *s, const u32 *ids, u32 n);
/*
 * Blocks until names and lines of n frames (ids NULL: of all) are complete, at most patience_ns.
 * Returns a snapshot that has only the table frames (one reference).
 */
const struct snapshot *sampler_name_frames(struct sampler *s, const u32 *ids, u32 n, u64 patience_ns);
void sampler_interval(struct sampler *s, u64 interval_ns);
/* Asks for an address's name; it appears in the table `names`. Never blocks. Any thread. */
void sampler_ask_name(struct sampler *s, const char *addr);
/* Work steps done by the thread; unchanged while a tick is due: it hangs. Any thread. */
unsigned long long sampler_steps(const struct sampler *s);
/* For the self table: what only the consumer knows. */
void sampler_tell_history_bytes(struct sampler *s, u64 bytes);
/* Detaches everything, ends the thread, frees. NULL-safe. */
void sampler_stop(struct sampler *s);

/* Before threads exist and privileges are dropped. A helper that fails is reported where needed. */
void sampler_start_helpers(void);
void sampler_stop_helpers(void);

/*
 * --check: what kernel and privileges permit, 80 columns. 0 when the process view can run, else 1.
 */
int sampler_check(FILE *out);
