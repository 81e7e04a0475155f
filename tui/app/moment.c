// SPDX-License-Identifier: GPL-2.0-or-later
/* moment.c: which tick is shown: the newest, a paused one, a replayed one. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"

#define LATE_TICKS 3		/* late once this many are missing */
#define LATE_NS (3 * NSEC_PER_SEC)	/* and this much time has passed */
#define EVIDENCE_NS (3 * NSEC_PER_SEC)	/* observation before "there is nothing" */

static int last_index(const struct app *a)
{
	return a->config.history ? (int)history_len(a->config.history) - 1 : -1;
}

static void show(struct app *a, const struct snapshot *s)
{
	if (!s)
		return;
	app_put_later(a, NULL, a->shown);
	a->shown = s;
	app_refresh(a);
}

static void moment_show(struct app *a, int index)
{
	int last = last_index(a);

	if (last < 0)
		return;
	index = max(min(index, last), 0);
	show(a, history_snapshot(a->config.history, (u32)index));
}

/* ---- live ----------------------------------------------------------------------- */

static void note_seen(struct app *a, const struct snapshot *s)
{
	for (u32 t = 0; t < N_TABLES; t++) {
		const struct table *table = &s->tables[t];

		if (table->status != TS_OK && table->status != TS_PARTIAL)
			a->seen_since_ns[t] = 0;
		else if (!a->seen_since_ns[t])
			a->seen_since_ns[t] = s->time_ns - (table->interval_ns ? table->interval_ns : s->interval_ns);
	}
}

bool app_collected(const struct app *a, enum table_id t)
{
	enum table_status status = a->shown ? a->shown->tables[t].status : TS_OFF;

	return status == TS_OK || status == TS_PARTIAL;
}

bool app_too_early(const struct app *a, enum table_id t, char *buf, size_t cap)
{
	u64 since_ns = a->seen_since_ns[t];

	if (!app_live(a) || !a->shown || a->shown->time_ns < since_ns)
		return false;
	if (since_ns && a->shown->time_ns - since_ns >= EVIDENCE_NS)
		return false;
	if (since_ns)
		snprintf(buf, cap, "not known yet: looked at for %.0f s", (double)(a->shown->time_ns - since_ns) / 1e9);
	else
		snprintf(buf, cap, "not known yet: the first interval is not over");
	return true;
}

const char *app_none(const struct app *a, enum table_id t, u64 pid, const char *none, char *buf, size_t cap)
{
	const struct table *table = a->shown ? &a->shown->tables[t] : NULL;
	unsigned long long only;

	if (app_too_early(a, t, buf, cap))
		return buf;
	if (!table || table->status != TS_PARTIAL || !table->reason)
		return none;
	if (sscanf(table->reason, "only process %llu", &only) != 1)
		snprintf(buf, cap, "%s so far: %s", none, table->reason);
	else if (only != pid)	/* only that process was observed in the interval */
		snprintf(buf, cap, "not observed: %s", table->reason);
	else
		return none;
	return buf;
}

void moment_tick(struct app *a, const struct snapshot *s)
{
	note_seen(a, s);
	snapshot_put(a->latest);
	a->latest = s;
	a->dirty = true;
	if (!a->paused || !a->shown)
		show(a, snapshot_get(s));
}

static void go_live(struct app *a)
{
	a->paused = false;
	if (a->latest)
		show(a, snapshot_get(a->latest));
}

/* ---- replay: the history exists, time is simulated ---------------------------------- */

static u64 play_interval(const struct app *a, int index)
{
	u64 ns = history_interval_ns(a->config.history, (u32)index);

	/* Limited, or a replay would seem to hang after a merged tick or a pause. */
	return max(min(ns, 5 * NSEC_PER_SEC), NSEC_PER_SEC / 20);
}

void app_history_grew(struct app *a)
{
	int last = last_index(a);

	if (last < 0)
		return;
	a->dirty = true;
	if (!a->shown) {
		/* The first tick of a recording has no rates yet. */
		moment_show(a, a->config.follow_end ? last : min(last, 1));
		a->next_play_ns = a->now_ns + play_interval(a, 0);
	} else if (a->config.follow_end && !a->paused) {
		moment_show(a, last);
	}
	app_put_now(a);
}

int moment_time(struct app *a)
{
	int at, wait_ms = -1;

	if (!a->config.replay || a->config.follow_end || a->paused || !a->shown)
		return *a->message ? 1000 : -1;
	at = app_history_index(a);
	if (at >= last_index(a))
		return *a->message ? 1000 : -1;
	if (a->now_ns >= a->next_play_ns) {
		moment_show(a, at + 1);
		a->next_play_ns = a->now_ns + play_interval(a, at + 1);
	}
	wait_ms = (int)((a->next_play_ns - a->now_ns) / NSEC_PER_MSEC) + 1;
	return wait_ms;
}

/* ---- keys ------------------------------------------------------------------------------ */

static void toggle_pause(struct app *a)
{
	if (a->config.replay) {
		/* Playing at the end restarts. */
		bool again = !a->config.follow_end && app_history_index(a) >= last_index(a);

		a->paused = !a->paused && !again;
		if (again)
			moment_show(a, 0);
		else
			a->dirty = true;
		a->next_play_ns = a->now_ns + NSEC_PER_SEC / 2;
	} else if (a->paused) {
		go_live(a);
	} else {
		a->paused = true;
		app_refresh(a);
	}
}

static void step(struct app *a, int by)
{
	int at = app_history_index(a);

	if (last_index(a) < 0) {
		app_say(a, ROLE_text, "no history yet");
		return;
	}
	at = max(at, 0);	/* older than the history: go on from its oldest */
	a->paused = true;
	if (at + by < 0 && at == 0)
		app_say(a, ROLE_text, "this is the oldest moment that is kept");
	if (at + by > last_index(a) && at == last_index(a))
		app_say(a, ROLE_text, "this is the newest moment; p goes on");
	moment_show(a, at + by);
}

bool moment_act(struct app *a, enum action action)
{
	switch (action) {
	case ACTION_pause:
		toggle_pause(a);
		return true;
	case ACTION_step_back:
		step(a, -1);
		return true;
	case ACTION_step_on:
		step(a, 1);
		return true;
	case ACTION_step_back10:
		step(a, -10);
		return true;
	case ACTION_step_on10:
		step(a, 10);
		return true;
	default:
		return false;
	}
}

/* ---- shown in the frame ------------------------------------------------------------------ */

static u64 newest_ns(const struct app *a)
{
	int last = last_index(a);

	if (!a->config.replay && a->latest)
		return a->latest->time_ns;
	return last < 0 ? 0 : history_time_ns(a->config.history, (u32)last);
}

static u64 behind_ns(const struct app *a)
{
	u64 newest = newest_ns(a);

	return a->shown && newest > a->shown->time_ns ? newest - a->shown->time_ns : 0;
}

static void mmss(char *buf, size_t cap, u64 ns)
{
	u64 s = ns / NSEC_PER_SEC;

	snprintf(buf, cap, "%02llu:%02llu", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
}

u64 moment_late_ns(const struct app *a, u64 *ret_until_ns)
{
	u64 patience_ns = max(LATE_TICKS * a->config.interval_ns, LATE_NS), since_ns = a->now_ns - a->tick_at_ns;
	bool due = a->tick_at_ns && app_live(a) && !a->config.replay;

	if (ret_until_ns)
		*ret_until_ns = due && since_ns < patience_ns ? patience_ns - since_ns : UINT64_MAX;
	return due && since_ns >= patience_ns ? since_ns : 0;
}

/* At most 8 columns: "LATE 5s", "LATE 20m". */
static void late_text(char *buf, size_t cap, u64 late_ns)
{
	u64 s = late_ns / NSEC_PER_SEC;

	snprintf(buf, cap, "LATE %llu%s", (unsigned long long)(s < 100 ? s : min(s / 60, 99ull)), s < 100 ? "s" : "m");
}

void moment_mode(const struct app *a, char *buf, size_t cap, bool *ret_live)
{
	char behind[24], interval[FORMAT_MAX];

	*ret_live = app_live(a);
	if (a->paused && behind_ns(a)) {
		mmss(behind, sizeof(behind), behind_ns(a));
		snprintf(buf, cap, "-%s", behind);
	} else if (a->paused) {
		snprintf(buf, cap, "PAUSED");
	} else if (a->config.replay) {
		snprintf(buf, cap, "REPLAY");
	} else if (moment_late_ns(a, NULL)) {
		late_text(buf, cap, moment_late_ns(a, NULL));
		*ret_live = false;
	} else {
		/* At most 8 columns: "LIVE 1s", "LIVE .5s", "LIVE1.5s". */
		snprintf(interval, sizeof(interval), "%.3g", (double)a->config.interval_ns / 1e9);
		snprintf(buf, cap, "LIVE%s%.3ss", strlen(interval) > 2 && *interval != '0' ? "" : " ",
			 *interval == '0' ? interval + 1 : interval);
	}
}

void moment_status(const struct app *a, char *buf, size_t cap)
{
	char clock[FORMAT_MAX], behind[24], kept[24];
	struct history *h = a->config.history;

	*buf = '\0';
	if (!a->paused || !a->shown || last_index(a) < 0)
		return;
	format_clock(clock, a->shown->time_ns, a->shown->unix_offset_ns, false);
	mmss(behind, sizeof(behind), behind_ns(a));
	mmss(kept, sizeof(kept), newest_ns(a) - history_time_ns(h, 0));
	snprintf(buf, cap, "PAUSED at %s, -%s of %s kept", clock, behind, kept);
}

void moment_scale(const struct app *a, struct canvas *c, int row)
{
	const char *keys = a->config.replay ? "[ ] step  { } 10  p plays" : "[ ] step  { } 10  p live";
	int cols = canvas_cols(c), width = cols - (int)strlen(keys) - 2, at;
	u64 first, whole;

	if (last_index(a) < 0 || !a->shown)
		return;
	if (width < 20)
		width = cols;
	first = history_time_ns(a->config.history, 0);
	whole = newest_ns(a) - first;
	at = whole && a->shown->time_ns > first ?
		(int)((double)(a->shown->time_ns - first) / (double)whole * (width - 1)) : 0;
	canvas_blank(c, row, 0, cols);
	canvas_repeat(c, row, 0, width, ROLE_dim, "─");
	canvas_text(c, row, min(at, width - 1), 1, ROLE_accent | S_BOLD, "●");
	if (width < cols)
		canvas_text(c, row, width + 2, -1, ROLE_dim, keys);
}
