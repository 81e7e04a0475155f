// SPDX-License-Identifier: GPL-2.0-or-later
/* keys.c: names of keys, and which action a key means in a view. */
#include <string.h>

#include "tui/app/keys.h"
#include "tui/table/table.h"

const struct key_desc key_descs[N_ACTIONS] = {
#define KEY(action, where, keys, label, hint, help) \
	[ACTION_##action] = { #action, where, keys, label, hint, help },
#include "tui/term/keys.def"
};

static const struct {
	const char *name;
	u32 key;
} names[] = {
	{ "Enter", K_ENTER }, { "Esc", K_ESC }, { "Backspace", K_BACKSPACE }, { "Tab", K_TAB },
	{ "Backtab", K_BACKTAB }, { "Space", ' ' }, { "Del", K_DEL }, { "Up", K_UP },
	{ "Down", K_DOWN }, { "Left", K_LEFT }, { "Right", K_RIGHT }, { "PgUp", K_PGUP },
	{ "PgDn", K_PGDN }, { "Home", K_HOME }, { "End", K_END },
};

static u32 code_of(const char *s, size_t n)
{
	u32 ch, len = text_decode(s, &ch);

	if (n == len)
		return ch;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == n && !strncmp(names[i].name, s, n))
			return names[i].key;
	if (n == 3 && s[0] == 'C' && s[1] == '-')
		return K_CTRL + (u32)s[2];
	if (s[0] == 'F' && n == 2 && s[1] >= '1' && s[1] <= '9')
		return K_F1 + (u32)(s[1] - '1');
	if (s[0] == 'F' && n == 3 && s[1] == '1' && s[2] >= '0' && s[2] <= '2')
		return K_F1 + 9 + (u32)(s[2] - '0');
	return K_NONE;
}

u32 key_code(const char *name)
{
	return code_of(name, strlen(name));
}

/* Whether `word` (n bytes) is in a blank-separated list. */
static bool has_word(const char *list, const char *word, size_t n)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, " ");

		if (len == n && !strncmp(p, word, n))
			return true;
		p += len + strspn(p + len, " ");
	}
	return false;
}

static bool has_key(const char *keys, u32 key)
{
	for (const char *p = keys; *p;) {
		size_t len = strcspn(p, " ");

		if (code_of(p, len) == key)
			return true;
		p += len + strspn(p + len, " ");
	}
	return false;
}

/* Specificity of a line for the view: 0 does not apply, 1 global, 2 tables, 3 by name. */
static int applies(const struct key_desc *k, const struct view *v)
{
	if (!*k->where)
		return 1;
	if (has_word(k->where, v->name, strlen(v->name)) ||
	    (v->map && has_word(k->where, "heatmaps", 8)) ||
	    (v->table && v->table->n_groupings && has_word(k->where, "grouped", 7)))
		return 3;
	return !strcmp(k->where, "table") && v->table ? 2 : 0;
}

enum action key_action(u32 key, const struct view *v)
{
	enum action best = ACTION_none;
	int best_rank = 0;

	for (u32 i = ACTION_none + 1; i < N_ACTIONS; i++) {
		int rank = applies(&key_descs[i], v);

		if (rank > best_rank && has_key(key_descs[i].keys, key)) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

bool key_applies(enum action action, const struct view *v)
{
	return applies(&key_descs[action], v) > 0;
}

enum action key_action_by_name(const char *name, size_t n)
{
	for (u32 i = ACTION_none + 1; i < N_ACTIONS; i++)
		if (strlen(key_descs[i].action) == n && !strncmp(key_descs[i].action, name, n))
			return i;
	return ACTION_none;
}
