/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_env.h: what a table needs of the console (tui/app/), on which tables do not depend. */
#pragma once

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"

struct app;

/* The shown snapshot: the newest, or an older one while paused. NULL before the first. */
const struct snapshot *app_snapshot(const struct app *a);
struct history *app_history(const struct app *a);
/* The current position: the breadcrumb below `host`. */
struct context {
	u64 pid, start_time_ns;	/* the process, or 0: the whole host */
	const struct row *row;	/* the row entered at the last level (a syscalls row), or NULL */
};
const struct context *app_context(const struct app *a);
/* The snapshot with the rows of the context's process: the shown one, or the last that had it. */
const struct snapshot *app_process_snapshot(const struct app *a);
/*
 * Releases references (both may be NULL) once the current key or tick is handled or the frame is
 * drawn: pointers obtained before stay valid until then, and only those kept longer need their own
 * reference.
 */
void app_put_later(struct app *a, const struct row *r, const struct snapshot *s);

/* Enters a group for a search match in it; the next n resumes after the group. */
void app_enter_found(struct app *a, const struct row *sum);

/* At least 120 columns: longer texts. */
bool app_wide(const struct app *a);
/* Shows a message on the note line for some seconds. `role` is ROLE_text or ROLE_bad. */
void app_say(struct app *a, enum role role, const char *fmt, ...) __printf(3, 4);
