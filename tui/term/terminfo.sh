#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# terminfo.sh > terminfo_entries.h: descriptions of everyday terminals, as infocmp
# prints them for $TERMINFO (ncurses >= 6.1), for a machine that has no database.
# Without infocmp, or without an entry, the table is shorter.
cat <<'END'
/* made by tui/term/terminfo.sh; `name` is what the entry calls itself */
static const struct {
	const char *like, *name, *entry;
} terminfo_entries[] = {
END
for like in xterm xterm-256color screen screen-256color tmux-256color linux vt100 vt220 rxvt; do
	name=$(infocmp -1 "$like" 2> /dev/null | sed -n '/^[^#[:blank:]]/ { s/|.*//; p; q; }')
	entry=$(infocmp -x -0 -q -Q2 "$like" 2> /dev/null)
	[ -z "$name" ] || [ -z "$entry" ] || printf '\t{ "%s", "%s", "%s" },\n' "$like" "$name" "$entry"
done
printf '\t{ 0, 0, 0 }\n};\n'
