/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action.h: the actions of keys and commands, one for each line of keys.def. */
#pragma once

enum action {
	ACTION_none,
#define KEY(action, ...) ACTION_##action,
#include "tui/term/keys.def"
	N_ACTIONS
};
