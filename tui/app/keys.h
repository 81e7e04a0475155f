/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.h: key codes: a Unicode character, or one of K_x. */
#ifndef OTTOP_KEYS_H
#define OTTOP_KEYS_H

#include "bpf/model/base.h"
#include "tui/app/view.h"

enum key {
	K_NONE = 0x110000,
	K_ENTER, K_ESC, K_BACKSPACE, K_TAB, K_BACKTAB, K_DEL, K_INSERT,
	K_UP, K_DOWN, K_LEFT, K_RIGHT, K_PGUP, K_PGDN, K_HOME, K_END,
	K_F1, K_F12 = K_F1 + 11,
	K_RESIZE, K_CLOSED,	/* the terminal changed its size; has gone */
	K_CTRL = 0x120000,	/* K_CTRL + 'a' .. 'z' */
};

/* Code of a name in keys.def ("Enter", "F5", "C-l", "q"), or K_NONE. */
u32 key_code(const char *name);

/* One line of keys.def. */
struct key_desc {
	const char *action, *where, *keys, *label, *hint, *help;
};
extern const struct key_desc key_descs[N_ACTIONS];	/* by enum action */

/* The action of a key in a view; a table is one that has a struct table_spec. */
enum action key_action(u32 key, const struct view *v);
/* True when the action applies in the view (by its own line or everywhere). */
bool key_applies(enum action action, const struct view *v);
/* The action of that name, or ACTION_none. */
enum action key_action_by_name(const char *name, size_t n);

#endif
