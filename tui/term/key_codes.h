/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key_codes.h: a key is a Unicode character, or one of K_x. */
#pragma once

enum key {
	K_NONE = 0x110000,
	K_ENTER, K_ESC, K_BACKSPACE, K_TAB, K_BACKTAB, K_DEL, K_INSERT,
	K_UP, K_DOWN, K_LEFT, K_RIGHT, K_PGUP, K_PGDN, K_HOME, K_END,
	K_F1, K_F12 = K_F1 + 11,
	K_RESIZE, K_CLOSED,	/* the terminal was resized; disconnected */
	K_CTRL = 0x120000,	/* K_CTRL + 'a' .. 'z' */
};
