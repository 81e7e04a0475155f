/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h: writes struct history (reading: snapshot.h), and recordings of the same encoded ticks.
 */
#pragma once

#include "bpf/model/snapshot.h"

#define HISTORY_CAP_BYTES (8u << 20)

/* An empty history of at most cap_bytes; old ticks are merged, then dropped. history_free() it. */
struct history *history_new(size_t cap_bytes);
/* Encodes one more tick; keeps s as the newest snapshot until the next one. */
void history_append(struct history *h, const struct snapshot *s);
/*
 * Adapts the cap to the memory of all of ottop (with kernel maps): above the budget it shrinks step
 * by step, down to a sixteenth of family_bytes.
 */
void history_fit(struct history *h, u64 family_bytes);
void history_free(struct history *h);	/* NULL-safe */

/* ---- writing a recording ------------------------------------------------ */

struct recorder;

/*
 * Creates the file (mode 0600, owned by SUDO_UID's user, not through a symbolic link, not over a
 * file that is no recording; "-" is stdout). NULL: *ret_error is one line (free() it).
 */
struct recorder *recorder_open(const char *path, const struct session *session, char **ret_error);
/* Appends one tick. 0 or -errno; then the file ends with the last whole chunk. */
int recorder_write(struct recorder *r, const struct snapshot *s);
u64 recorder_bytes(const struct recorder *r);
/* Flushes and closes. 0 or -errno. NULL-safe. */
int recorder_close(struct recorder *r);

/* ---- reading one ---------------------------------------------------------- */

/* A recording being read; its history fills as bytes arrive. */
struct recording;

/* "-" is stdin. NULL on failure: *ret_error is one line (free() it). */
struct recording *recording_open(const char *path, char **ret_error);
const struct session *recording_session(const struct recording *r);	/* never freed */
struct history *recording_history(struct recording *r);	/* the recording's */
/* For poll(); -1 at the end. */
int recording_fd(const struct recording *r);
/* Reads without blocking; the number of new ticks, or -errno. */
int recording_read(struct recording *r);
/* The end was reached, whole or not. */
bool recording_done(const struct recording *r);
/* Problems so far (cut short, damaged chunks) in one line, or NULL. Valid until the next read. */
const char *recording_problem(const struct recording *r);
void recording_close(struct recording *r);	/* NULL-safe; snapshots stay valid */
