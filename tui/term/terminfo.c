// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * terminfo.c: common terminals compiled in (terminfo.sh), for static programs without a database.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/base.h"
#include "tui/term/terminfo.h"

#if __has_include("terminfo_entries.h")
#include "terminfo_entries.h"
#else
static const struct {
	const char *like, *name, *entry;
} terminfo_entries[] = { { NULL, NULL, NULL } };
#endif

/* Prefixes of $TERM and the description to use; the first match counts. */
static const struct {
	const char *prefix, *like, *like_256;
} families[] = {
	{ "xterm-kitty", "xterm-256color", "xterm-256color" },
	{ "xterm-ghostty", "xterm-256color", "xterm-256color" },
	{ "xterm", "xterm", "xterm-256color" },
	{ "tmux", "screen", "tmux-256color" },
	{ "screen", "screen", "screen-256color" },
	{ "linux", "linux", "linux" },
	{ "vt100", "vt100", "vt100" },
	{ "vt220", "vt220", "vt220" },
	{ "rxvt", "rxvt", "rxvt" },
	{ "alacritty", "xterm-256color", "xterm-256color" },
	{ "foot", "xterm-256color", "xterm-256color" },
	{ "kitty", "xterm-256color", "xterm-256color" },
};

const char *terminfo_like(const char *term)
{
	for (u32 i = 0; term && i < ARRAY_SIZE(families); i++) {
		size_t n = strlen(families[i].prefix);

		if (!strncmp(term, families[i].prefix, n) && (!term[n] || term[n] == '-'))
			return strstr(term + n, "256color") ? families[i].like_256 : families[i].like;
	}
	return NULL;
}

const char *terminfo_built_in(const char *term)
{
	const char *like = terminfo_like(term);

	for (u32 i = 0; like && terminfo_entries[i].like; i++)
		if (!strcmp(terminfo_entries[i].like, like))
			return setenv("TERMINFO", terminfo_entries[i].entry, 1) ? NULL :
			       terminfo_entries[i].name;
	return NULL;
}
