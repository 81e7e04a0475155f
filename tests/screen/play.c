// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * play.c: plays a view's help: each listed key must change the screen in a situation tried, or say
 * why not; each other key must change nothing in any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/screen/play.h"
#include "tui/app/app_state.h"

#define KEYS 400

/* Keys pressed before, as many keys need something to work on. "": the view as it opens. */
static const char *const situations[] = {
	"", "Down", "Down Down Right", "G", "Left Up Up", "Space", "/ e Enter", "\\ . Enter", "[", "> >", "V Up", "+", "s", "K",
	"E Down", "Down Down Enter", "b", "i", "w", "PgUp", "-", "Left Left Left", "Down Down Down Down Down Enter Right",
};

static u32 next_key(const char **p)
{
	char name[16];
	size_t n = strcspn(*p, " ");

	snprintf(name, sizeof(name), "%.*s", (int)n, *p);
	*p += n + strspn(*p + n, " ");
	return key_code(name);
}

static void draw(struct app *a, struct canvas *c)
{
	app_draw(a, c);
	for (int i = 0; i < 100 && app_dirty(a); i++)	/* the past is read in portions */
		app_draw(a, c);
}

char *play_screen(struct app *a, struct canvas *c)
{
	draw(a, c);
	return canvas_dump(c);
}

/* Users see a key's effect before the next one, and views depend on the drawn frame. */
static void press(struct app *a, struct canvas *c, const char *keys)
{
	while (*keys) {
		draw(a, c);
		app_key(a, next_key(&keys));
	}
}

/* Does the help contain the action's text, or that of the one whose key it shares ("<>")? */
static bool is_listed(const char *help, enum action action)
{
	const struct key_desc *k;

	while (action > ACTION_none + 1 && !*key_descs[action].label)
		action--;
	k = &key_descs[action];
	if (action == ACTION_filter)
		return strstr(help, "... or a regex");
	for (const char *p = help; (p = strstr(p, k->help)); p += strlen(k->help)) {
		const char *key = p;

		while (key > help && key[-1] == ' ')
			key--;
		if (key < p && key > help)
			return true;
	}
	return false;
}

/* Effects that only a terminal shows. */
static bool is_of_the_terminal(enum action action)
{
	return action == ACTION_redraw || action == ACTION_suspend || action == ACTION_interrupt;
}

/* A console in one situation. */
struct stage {
	struct app *app;	/* NULL: none yet, or it has changed */
	struct canvas *canvas;
	int view;		/* before the situation's keys */
	char *screen;
};

static void enter(struct stage *s, const struct play *p, const char *situation)
{
	s->app = p->open(p->arg, &s->canvas);
	press(s->app, s->canvas, p->keys);
	s->view = s->app->view;
	press(s->app, s->canvas, situation);
	s->screen = play_screen(s->app, s->canvas);
}

static void leave(struct stage *s, const struct play *p)
{
	if (!s->app)
		return;
	p->close(p->arg, s->app, s->canvas);
	free(s->screen);
	*s = (struct stage){ 0 };
}

/* Not another view, and no message, which any key ends (Esc's purpose). */
static bool is_to_be_tried(const struct stage *s, u32 key)
{
	return s->app->view == s->view && !s->app->prompt.kind && (!*s->app->message || key == K_ESC);
}

static bool changes(struct stage *s, u32 key)
{
	bool changed = !app_key(s->app, key);
	char *after = play_screen(s->app, s->canvas);

	changed |= strcmp(s->screen, after) != 0;
	free(after);
	return changed;
}

/* Presses each key not yet known to work in a situation; one without effect keeps the console. */
static void try_keys(const struct play *p, const char *situation, const u32 *keys, u32 n, bool *works)
{
	struct stage s = { 0 };

	for (u32 i = 0; i < n; i++) {
		if (works[i])
			continue;
		if (!s.app)
			enter(&s, p, situation);
		if (!is_to_be_tried(&s, keys[i]))
			continue;
		works[i] = changes(&s, keys[i]);
		if (works[i])
			leave(&s, p);
	}
	leave(&s, p);
}

static void name_of(char *buf, size_t cap, u32 key)
{
	for (u32 i = ACTION_none + 1; i < N_ACTIONS; i++)
		for (const char *k = key_descs[i].keys; *k;) {
			const char *name = k;

			if (next_key(&k) == key) {
				snprintf(buf, cap, "%.*s", (int)strcspn(name, " "), name);
				return;
			}
		}
	snprintf(buf, cap, key > ' ' && key < 0x7f ? "%c" : "U+%04X", key);
}

/* All keys: of a keyboard, and of keys.def. */
static u32 all_keys(u32 *keys)
{
	u32 n = 0;

	for (u32 ch = ' '; ch < 0x7f; ch++)
		keys[n++] = ch;
	for (u32 ch = 'a'; ch <= 'z'; ch++)
		keys[n++] = K_CTRL + ch;
	for (u32 k = K_F1; k <= K_F12; k++)
		keys[n++] = k;
	for (u32 k = K_ENTER; k <= K_END; k++)
		keys[n++] = k;
	return n;
}

int play_view(const struct play *p)
{
	struct canvas *c;
	struct app *a = p->open(p->arg, &c);
	const struct view *v;
	u32 keys[KEYS], n = all_keys(keys);
	bool works[KEYS] = { false };
	char *help, name[16];
	int bad = 0;

	press(a, c, p->keys);
	v = app_view(a);
	app_resize(a, 250, 250);
	canvas_resize(c, 250, 250);
	if (strcmp(v->name, "help"))	/* it is itself */
		press(a, c, "?");
	help = play_screen(a, c);
	p->close(p->arg, a, c);
	for (u32 i = 0; i < ARRAY_SIZE(situations); i++)
		try_keys(p, situations[i], keys, n, works);
	for (u32 i = 0; i < n; i++) {
		enum action action = key_action(keys[i], v);
		bool listed = action != ACTION_none && is_listed(help, action);

		if (action != ACTION_none && is_of_the_terminal(action))
			continue;
		if (works[i] == listed)
			continue;
		name_of(name, sizeof(name), keys[i]);
		printf("   %s: %s (%s) %s\n", v->name, name, action ? key_descs[action].action : "no action",
		       listed ? "is listed and does nothing" : "does something and is not listed");
		bad++;
	}
	free(help);
	return bad;
}
