/* SPDX-License-Identifier: GPL-2.0-or-later */
/* theme.h: theme.def as numbers for one kind of terminal; for term*.c only. */
#pragma once

#include "tui/term/canvas.h"

enum depth { MONO, COLOURS_16, COLOURS_256, COLOURS_TRUE, COLOURS_DIRECT };
enum mono { MONO_PLAIN, MONO_BOLD, MONO_DIM, MONO_REVERSE };

/* COLOURS_TRUE: roles have palette numbers from here on, replaced by termio_true_colour(). */
#define THEME_TRUE_FIRST 32

/* Colour number of a role (RGB with COLOURS_DIRECT); -1: the terminal's own. */
int theme_color(u32 role, enum depth depth, bool light, int n_colors);
/* Colour of text on the selection. */
int theme_contrast(enum depth depth, bool light);
s32 theme_rgb(u32 role, bool light);
enum mono theme_mono(u32 role);

/* From COLORFGBG: 1 light, 0 dark, -1 unknown. */
int theme_light_from_env(void);
/* Whether a terminal of this TERM can safely be queried for its background. */
bool theme_terminal_answers(const char *term);
