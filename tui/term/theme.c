// SPDX-License-Identifier: GPL-2.0-or-later
/* theme.c: colours of the roles, by kind of terminal. */
#include <stdlib.h>
#include <string.h>

#include "tui/term/theme.h"

#define BLACK_256 16
#define WHITE_256 231
#define BLACK_DIRECT 0x000008	/* 0..7 would be palette numbers there */
#define WHITE_DIRECT 0xffffff

static const struct {
	s32 dark, dark256, light, light256, dark16, light16;
	enum mono mono;
} theme[N_ROLES] = {
#define ROLE(name, ...) [ROLE_##name] = { __VA_ARGS__ },
#include "tui/term/theme.def"
};

int theme_color(u32 role, enum depth depth, bool light, int n_colors)
{
	switch (depth) {
	case COLOURS_16:
		/* With 8 colours bright ones are the plain ones in bold. */
		if (n_colors < 16 && !light && theme[role].dark16 > 7)
			return theme[role].dark16 - 8;
		return light ? theme[role].light16 : theme[role].dark16;
	case COLOURS_256:
		return light ? theme[role].light256 : theme[role].dark256;
	case COLOURS_TRUE:
		return theme[role].dark < 0 ? -1 : THEME_TRUE_FIRST + (int)role;
	case COLOURS_DIRECT:
		return theme_rgb(role, light);
	case MONO:
		break;
	}
	return -1;
}

int theme_contrast(enum depth depth, bool light)
{
	if (depth == COLOURS_DIRECT)
		return light ? WHITE_DIRECT : BLACK_DIRECT;
	return light ? WHITE_256 : BLACK_256;
}

s32 theme_rgb(u32 role, bool light)
{
	return light ? theme[role].light : theme[role].dark;
}

enum mono theme_mono(u32 role)
{
	return theme[role].mono;
}

/* COLORFGBG is "foreground;background", some write "fg;default;bg". */
int theme_light_from_env(void)
{
	const char *v = getenv("COLORFGBG"), *bg = v ? strrchr(v, ';') : NULL;

	if (!bg || !bg[1])
		return -1;
	return atoi(bg + 1) == 7 || atoi(bg + 1) == 15;
}

bool theme_terminal_answers(const char *term)
{
	static const char *const silent[] = { "linux", "dumb", "vt", "ansi", "screen", "cons" };

	for (u32 i = 0; term && i < ARRAY_SIZE(silent); i++)
		if (!strncmp(term, silent[i], strlen(silent[i])))
			return false;
	return term != NULL;
}
