/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table_env.h: what a table asks of the console that it is in. The console
 * implements it (tui/app/), so that tables do not depend on it.
 */
#ifndef OTTOP_TABLE_ENV_H
#define OTTOP_TABLE_ENV_H

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"

struct app;

/* The snapshot on the screen: the newest, or an older one while paused. NULL before the first. */
const struct snapshot *app_snapshot(const struct app *a);
struct history *app_history(const struct app *a);
/* Where we are: the levels of the breadcrumb below `host`. */
struct context {
	u64 pid, start_time_ns;	/* the process, or 0: all of the host */
	const struct row *row;	/* what was entered at the last level (a syscalls row), or NULL */
};
/* The context of the present level. */
const struct context *app_context(const struct app *a);
/* Where the rows of that process are: the shown snapshot, or the last that had it. */
const struct snapshot *app_process_snapshot(const struct app *a);
/*
 * Gives references back (both may be NULL) when the key or tick that is being handled
 * is done, or the frame is drawn: what was in hand before stays until then, so only what
 * is kept longer needs a reference of its own.
 */
void app_put_later(struct app *a, const struct row *r, const struct snapshot *s);

/* Opens a group because a search found something in it: n goes on behind it. */
void app_enter_found(struct app *a, const struct row *sum);

/* At least 120 columns: room for more words. */
bool app_wide(const struct app *a);
/* Says something on the note line for some seconds. `role` ROLE_text or ROLE_bad. */
void app_say(struct app *a, enum role role, const char *fmt, ...) __printf(3, 4);

#endif
