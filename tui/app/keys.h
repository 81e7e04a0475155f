/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.h: the keys of keys.def and their actions in a view. */
#pragma once

#include "bpf/model/base.h"
#include "tui/app/view.h"
#include "tui/term/key_codes.h"

/* Code of a key name in keys.def ("Enter", "F5", "C-l", "q"), or K_NONE. */
u32 key_code(const char *name);

/* One line of keys.def. */
struct key_desc {
	const char *action, *where, *keys, *label, *hint, *help;
};
extern const struct key_desc key_descs[N_ACTIONS];	/* by enum action */

/* Action of a key in a view; a view with a struct table_spec counts as table. */
enum action key_action(u32 key, const struct view *v);
/* Whether the action applies in the view (by its own line or globally). */
bool key_applies(enum action action, const struct view *v);
/* The action of that name, or ACTION_none. */
enum action key_action_by_name(const char *name, size_t n);
