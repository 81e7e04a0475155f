/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h: the writing side of struct history (the reading side is in
 * snapshot.h), and recordings, which are the same encoded ticks in a file.
 */
#ifndef OTTOP_HISTORY_H
#define OTTOP_HISTORY_H

#include "bpf/model/snapshot.h"

#define HISTORY_CAP_BYTES (8u << 20)

/* An empty history that keeps at most cap_bytes; merges old ticks, then drops them. */
struct history *history_new(size_t cap_bytes);
/* Encodes one more tick; the snapshot is not kept. */
void history_append(struct history *h, const struct snapshot *s);
/*
 * Adapts the cap to the memory of all of ottop, kernel maps included: over the memory budget it shrinks
 * step by step, down to a sixteenth of the cap given to history_new().
 */
void history_fit(struct history *h, u64 family_bytes);
void history_free(struct history *h);	/* NULL-safe */

/* ---- writing a recording ------------------------------------------------ */

struct recorder;

/*
 * Creates the file (mode 0600, owned by SUDO_UID's user, never through a
 * symbolic link, never over an existing file that is not a recording; "-" is
 * stdout). NULL on failure: *ret_error is one line (free() it).
 */
struct recorder *recorder_open(const char *path, const struct session *session, char **ret_error);
/* Appends one tick. 0 or -errno: the file ends then after the last whole chunk. */
int recorder_write(struct recorder *r, const struct snapshot *s);
u64 recorder_bytes(const struct recorder *r);
/* Flushes and closes. 0 or -errno. NULL-safe. */
int recorder_close(struct recorder *r);

/* ---- reading one ---------------------------------------------------------- */

/*
 * A recording being read. Its history fills as the bytes arrive: a file at
 * once, a pipe as it goes ("-" is stdin).
 */
struct recording;

/* NULL on failure: *ret_error is one line (not a recording, from a newer version, ...). */
struct recording *recording_open(const char *path, char **ret_error);
const struct session *recording_session(const struct recording *r);
struct history *recording_history(struct recording *r);
/* For poll(), or -1 once everything was read. */
int recording_fd(const struct recording *r);
/* Reads what is there without waiting; returns the number of new ticks, or -errno. */
int recording_read(struct recording *r);
/* True once the end was reached, whole or not. */
bool recording_done(const struct recording *r);
/* What was wrong with it so far (cut short, damaged chunks skipped), one line, or NULL. */
const char *recording_problem(const struct recording *r);
void recording_close(struct recording *r);	/* NULL-safe; its snapshots stay valid */

#endif
