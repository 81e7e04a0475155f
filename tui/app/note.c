// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * note.c: the note line: fixed rules on the shown snapshot, worst first, with evidence and a key;
 * and texts for empty tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"

#define PSI_LIMIT_PCT 10
#define PSI_MEM_LIMIT_PCT 5
#define EXPLAINS_PCT 5	/* of a second: a shorter wait does not explain a pressure */

static float member_f32(const void *row, size_t member)
{
	return *(const float *)((const char *)row + member);
}

/* The process with the highest member, of the live ones or those that ended in this tick. */
static const struct processes_row *most_of(const struct snapshot *s, size_t member, bool closed)
{
	const struct table *t = &s->tables[TABLE_processes];
	const struct processes_row *best = NULL;
	float best_value = 0;

	for (u32 i = 0; i < t->n; i++) {
		float v = member_f32(t->rows[i], member);

		if (f32_known(v) && v > best_value && t->rows[i]->closed == closed) {
			best_value = v;
			best = processes_row(t->rows[i]);
		}
	}
	return best;
}

static const char *name_of(const struct processes_row *p)
{
	return p->comm ? p->comm : "?";
}

static bool say_lost(const struct app *a, char *buf, size_t cap)
{
	struct losses l = losses_shown(a->shown);
	char n[FORMAT_MAX];

	if (!l.now)
		return false;
	snprintf(buf, cap, "! %s event%s lost%s%s · ! for details", format_thousands(n, l.n),
		 text_plural(l.n, "s"), l.cause ? ": " : "", l.cause ? l.cause : "");
	return true;
}

struct pressure {
	const char *name, *what, *keys;
	size_t of_host;		/* member of the host that measures the pressure, 0 to 100 */
	float limit_pct;
	size_t of_process;	/* member by which to choose the process */
	bool bytes;
};

static const struct pressure pressures[] = {
	{ "io", "most blocked", "7: which call", offsetof(struct host_row, psi_io_pct),
	  PSI_LIMIT_PCT, offsetof(struct processes_row, blocked_pct), false },
	{ "cpu", "waits most", "its card", offsetof(struct host_row, psi_cpu_pct),
	  PSI_LIMIT_PCT, offsetof(struct processes_row, runq_wait_pct), false },
	{ "memory", "grows most", "its card", offsetof(struct host_row, psi_mem_pct),
	  PSI_MEM_LIMIT_PCT, offsetof(struct processes_row, rss_rate), true },
};

/* Prefers a live process, which can be selected; NULL if no wait explains anything. */
static const struct processes_row *most(const struct snapshot *s, const struct pressure *p)
{
	const struct processes_row *lives = most_of(s, p->of_process, false);
	const struct processes_row *ended = most_of(s, p->of_process, true);

	if (p->bytes || (lives && member_f32(lives, p->of_process) >= EXPLAINS_PCT))
		return lives;
	return ended && member_f32(ended, p->of_process) >= EXPLAINS_PCT ? ended : NULL;
}

/* The first pressure over its limit, or NULL. */
static const struct pressure *find_pressure(const struct snapshot *s)
{
	const struct row *host = snapshot_single(s, TABLE_host);

	for (u32 i = 0; host && i < ARRAY_SIZE(pressures); i++) {
		float pct = member_f32(host, pressures[i].of_host);

		if (f32_known(pct) && pct >= pressures[i].limit_pct)
			return &pressures[i];
	}
	return NULL;
}

const struct processes_row *app_pressed(const struct app *a)
{
	const struct pressure *p = a->shown ? find_pressure(a->shown) : NULL;

	return p ? most(a->shown, p) : NULL;
}

/* Names only keys that lead to that process from here: from the list, or from its own pages. */
static void say_keys(const struct app *a, const struct pressure *p, const struct processes_row *who,
		     char *buf, size_t cap)
{
	const struct tableview *t = a->tables[a->view];
	const struct context *ctx = app_context(a);

	*buf = '\0';
	if (ctx->pid == who->pid && ctx->start_time_ns == who->start_time_ns) {
		if (*p->keys == '7' && a->view != VIEW_syscalls)
			snprintf(buf, cap, " · %s", p->keys);
	} else if (t && t->spec->table == TABLE_processes) {
		bool here = table_cursor(t) && !row_cmp_keys(table_cursor(t), &who->row);

		if (here)
			snprintf(buf, cap, " · Enter%s%s", *p->keys == '7' ? ", " : ": ", p->keys);
		else
			snprintf(buf, cap, " · O: go to it");
	}
}

static bool say_pressure(const struct app *a, char *buf, size_t cap)
{
	const struct pressure *p = find_pressure(a->shown);
	const struct processes_row *who = p ? most(a->shown, p) : NULL;
	char value[FORMAT_MAX + 4], keys[64];

	if (!p)
		return false;
	snprintf(buf, cap, "%s pressure %.1f %%", p->name,
		 (double)member_f32(snapshot_single(a->shown, TABLE_host), p->of_host));
	if (!who) {
		if (*p->keys == '7' && a->view != VIEW_offcpu)
			text_add(buf, cap, " · ", "3: who waits, and for what");
		return true;
	}
	if (p->bytes)
		snprintf(value, sizeof(value), "%s/s",
			 format_bytes(keys, (double)member_f32(who, p->of_process)));
	else
		snprintf(value, sizeof(value), "%.1f %%", (double)member_f32(who, p->of_process));
	say_keys(a, p, who, keys, sizeof(keys));
	text_add(buf, cap, ": ", "%s %s %llu (%s%s)%s", p->what, name_of(who),
		 (unsigned long long)who->pid, who->row.closed ? "ended, " : "", value, keys);
	return true;
}

/* The context's process has ended, or its pid belongs to another process now. */
static bool say_gone(const struct app *a, char *buf, size_t cap)
{
	const struct processes_row *p = app_process(a), *now;
	char n[24];

	if (!app_context(a)->pid || app_view(a)->flags & VIEW_OVERLAY)
		return false;
	now = snapshot_process(a->shown, app_context(a)->pid, 0);
	snprintf(n, sizeof(n), "%llu", (unsigned long long)app_context(a)->pid);
	if (now && p && now->start_time_ns != p->start_time_ns)
		snprintf(buf, cap, "%s is another process now (%s): showing the old one", n, name_of(now));
	else if (!p && !now)
		snprintf(buf, cap, "no process %s · Backspace: all processes", n);
	else
		return false;
	return true;
}

/* What a replay is a recording of, and when it ends. */
static void say_replay(const struct app *a, char *buf, size_t cap)
{
	const struct session *se = a->config.session;
	struct history *h = a->config.history;

	if (h && !a->paused && app_history_index(a) == (int)history_len(h) - 1 && !a->config.follow_end)
		snprintf(buf, cap, "end of the recording · p plays it again, [ ] { } step");
	else if (se)
		snprintf(buf, cap, "recorded by ottop %s on %s, Linux %s %s", se->version, se->host_name,
			 se->kernel, se->arch);
}

/* What is missing in the shown table; the breadcrumb shows that it is limited to one process. */
static bool say_partial(const struct app *a, char *buf, size_t cap)
{
	const struct view *v = app_view(a);
	u64 tables = v->table ? TABLE_BIT(v->table->table) : v->needs;

	for (int id = 0; id < N_TABLES && !a->scoped; id++) {
		const struct table *t = &a->shown->tables[id];

		if (!(tables & TABLE_BIT(id)) || t->status != TS_PARTIAL || !t->reason)
			continue;
		snprintf(buf, cap, "not all of %s: %s", table_descs[id].name, t->reason);
		return true;
	}
	return false;
}

void note_text(struct app *a, char *buf, size_t cap, u32 *ret_style)
{
	const struct app_source *src = &a->config.source;
	const char *problem = src->problem ? src->problem(src->arg) : NULL;
	const struct view *v = app_view(a);

	*buf = '\0';
	*ret_style = ROLE_text;
	if (*a->message) {
		snprintf(buf, cap, "%s%s", a->message_role == ROLE_bad ? "! " : "", a->message);
		*ret_style = a->message_role;
		return;
	}
	if (problem) {
		snprintf(buf, cap, "! %s", problem);
		*ret_style = ROLE_bad;
		return;
	}
	if (!a->shown)
		return;
	if (say_lost(a, buf, cap)) {
		*ret_style = ROLE_bad;
	} else if (say_gone(a, buf, cap)) {
		*ret_style = ROLE_warn;
	} else if (v->note && v->note(a, a->states[a->view], buf, cap)) {
		return;
	} else if (!(v->flags & VIEW_OVERLAY) && !say_pressure(a, buf, cap) &&
		   !app_note_slow(a, buf, cap, "6") && !app_note_failing(a, buf, cap, "6") &&
		   !app_note_peers(a, buf, cap, "5") && !say_partial(a, buf, cap) && a->config.replay) {
		say_replay(a, buf, cap);
	}
}

/* ---- tables without rows ------------------------------------------------------------ */

int app_draw_words(struct canvas *c, struct rect body, u32 style, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return canvas_wrap(c, body.row, body.col + 3, body.cols - 4, style, text);
}

static void draw_fact(struct canvas *c, struct rect body, int *row, const char *name, const char *text)
{
	canvas_text(c, body.row + *row, body.col + 3, 6, ROLE_dim, name);
	*row += canvas_wrap(c, body.row + *row, body.col + 10, body.cols - 11, ROLE_text, text);
}

/* A reason reads "what went wrong; what to do; what works instead"; the last parts are optional. */
static void draw_reason(struct canvas *c, struct rect body, int *row, const char *reason)
{
	static const char *const names[] = { "why", "do", "else" };
	char part[256];

	for (u32 i = 0; reason && *reason && i < ARRAY_SIZE(names); i++) {
		const char *end = i + 1 < ARRAY_SIZE(names) ? strstr(reason, "; ") : NULL;
		size_t n = end ? (size_t)(end - reason) : strlen(reason);

		snprintf(part, sizeof(part), "%.*s", (int)min(n, sizeof(part) - 1), reason);
		draw_fact(c, body, row, names[i], part);
		reason = end ? end + 2 : NULL;
	}
}

static void draw_blocked(struct canvas *c, struct rect body, enum table_id t, const struct table *table)
{
	int row = app_draw_words(c, body, ROLE_bad | S_BOLD, "! The table \"%s\" cannot be read.", table_descs[t].name);
	draw_reason(c, body, &row, table->reason ? table->reason : "the collector gave no reason");
	draw_fact(c, body, &row, "more", "! lists what is blocked, and why");
}

/* What the rows are called on this screen. */
static const char *noun_of(const struct app *a, enum table_id t)
{
	const struct tableview *tv = a->tables[a->view];

	return tv && tv->spec->table == t && tv->spec->noun ? tv->spec->noun : table_descs[t].name;
}

static void draw_off(const struct app *a, struct canvas *c, struct rect body, enum table_id t)
{
	const char *noun = noun_of(a, t);
	char clock[FORMAT_MAX];

	if (!a->config.replay) {
		app_draw_words(c, body, ROLE_dim, app_live(a) ? "starting: %s are not collected yet" :
			       "%s were not collected at this moment", noun);
		return;
	}
	format_clock(clock, a->shown->time_ns, a->shown->unix_offset_ns, false);
	app_draw_words(c, body, ROLE_text, "not recorded: %s was off at %s", table_descs[t].name, clock);
}

static void draw_empty(const struct app *a, struct canvas *c, struct rect body, enum table_id t)
{
	const struct tableview *tv = a->tables[a->view];
	const struct processes_row *p = app_process(a);
	const char *noun = noun_of(a, t);
	char n[FORMAT_MAX], early[320], none[64];

	body.row++;
	if (tv && tv->filter) {
		app_draw_words(c, body, ROLE_text, "none of %s matches  %s   Del drops the filter",
			       format_thousands(n, tv->n_all), tv->filter_text);
	} else if (p && p->row.closed) {
		app_draw_words(c, body, ROLE_dim, "the process has ended; [ steps back to when it ran");
	} else if (app_too_early(a, t, early, sizeof(early))) {
		app_draw_words(c, body, ROLE_dim, "%s%s: %s", noun, app_context(a)->pid ? " of this process" : "",
			       early);
	} else {
		snprintf(none, sizeof(none), "no %s%s", noun, app_context(a)->pid ? " of this process" : "");
		app_draw_words(c, body, ROLE_dim, "%s", app_none(a, t, app_context(a)->pid, none, early, sizeof(early)));
	}
}

bool app_draw_state(struct app *a, struct canvas *c, struct rect body, enum table_id t)
{
	const struct table *table = &a->shown->tables[t];
	const struct tableview *tv = a->tables[a->view];

	/* also ghosts and the last rows of an ended process */
	if (tv && tv->spec->table == t ? tv->n : table->n)
		return false;
	switch (table->status) {
	case TS_BLOCKED:
		draw_blocked(c, body, t, table);
		return true;
	case TS_OFF:
		draw_off(a, c, body, t);
		return true;
	case TS_STARTING:
		app_draw_words(c, body, ROLE_dim, "starting: the first interval of %s is not over",
			       table_descs[t].name);
		return true;
	case TS_OK:
	case TS_PARTIAL:
		draw_empty(a, c, body, t);
		return true;
	}
	return false;
}
