/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action.h: what keys and commands do: one action a line of keys.def. */
#ifndef OTTOP_ACTION_H
#define OTTOP_ACTION_H

enum action {
	ACTION_none,
#define KEY(action, ...) ACTION_##action,
#include "tui/term/keys.def"
#undef KEY
	N_ACTIONS
};

#endif
