// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_text.c: see waits_text.h. The texts are made in bpf/collectors/waits/. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tui/table/waits_text.h"

#define LEAST_THING 4		/* columns of the object, before the holder */
#define LONG_PATH 12		/* bytes; longer ones are reduced to the last part */

static const char *find_last(const char *s, const char *word)
{
	const char *found = NULL;

	while ((s = strstr(s, word))) {
		found = s;
		s += strlen(word);
	}
	return found;
}

/* " 77 (gdb)", " (nginx 12), which waits for this process"; NULL: it would fill the line. */
static const char *in_brackets(const struct canvas *c, const char *s, int width)
{
	const char *p = strstr(s, " ("), *digits = p;

	while (digits && digits > s && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (digits != p && digits > s && digits[-1] == ' ')
		p = digits - 1;
	return p && canvas_width(c, p) <= width - LEAST_THING ? p : NULL;
}

/* The holder: " held by 4821 (postgres)", " from bash 611"; the end of the text: none. */
static const char *holder_of(const struct canvas *c, const char *s, int width)
{
	const char *holder = find_last(s, " held by ");

	if (!holder && !strncmp(s, "fd ", 3))
		holder = find_last(s, " from ") ?: find_last(s, " to ");
	return holder ?: in_brackets(c, s, width) ?: s + strlen(s);
}

/* The path in the text before `end`, or `end`. */
static const char *path_of(const char *s, const char *end)
{
	const char *slash = memchr(s, '/', (size_t)(end - s));

	return slash && (slash == s || slash[-1] == ' ') ? slash : end;
}

/* Columns before ", which waits for this process". */
static int without_remark(const struct canvas *c, const char *waits_on, const char *holder)
{
	const char *which = strstr(holder, ", which ");
	char text[1024];

	if (!which || which - waits_on >= (ptrdiff_t)sizeof(text))
		return INT_MAX;
	snprintf(text, sizeof(text), "%.*s", (int)(which - waits_on), waits_on);
	return canvas_width(c, text);
}

int waits_draw(struct canvas *c, int row, int col, int width, u32 style, const char *waits_on)
{
	const char *holder = holder_of(c, waits_on, width), *path = path_of(waits_on, holder), *colon;
	char thing[1024], begin[128];
	int x, room;

	if (canvas_width(c, waits_on) <= width)
		return canvas_cut(c, row, col, width, style, waits_on);
	colon = strncmp(waits_on, "fd ", 3) ? NULL : strstr(waits_on, ": ");
	if (colon && colon < path) {	/* the line number is the least informative */
		waits_on = colon + 2;
		if (canvas_width(c, waits_on) <= width)
			return canvas_cut(c, row, col, width, style, waits_on);
	}
	if (without_remark(c, waits_on, holder) < width)
		return canvas_cut(c, row, col, width, style, waits_on);
	snprintf(begin, sizeof(begin), "%.*s", (int)min(path - waits_on, (ptrdiff_t)sizeof(begin) - 1), waits_on);
	snprintf(thing, sizeof(thing), "%.*s", (int)min(holder - path, (ptrdiff_t)sizeof(thing) - 1), path);
	room = width - canvas_width(c, holder);
	if (*thing && room - canvas_width(c, begin) >= LEAST_THING + 1) {
		x = canvas_text(c, row, col, -1, style, begin);
		x += canvas_cut_middle(c, row, col + x, room - x, style, thing);
	} else {	/* the kind of object is recognized by its first letters */
		snprintf(thing, sizeof(thing), "%.*s", (int)min(holder - waits_on, (ptrdiff_t)sizeof(thing) - 1), waits_on);
		x = canvas_cut(c, row, col, max(room, min(LEAST_THING, width)), style, thing);
	}
	return x + canvas_cut(c, row, col + x, width - x, style, holder);
}

const char *waits_short(const char *waits_on, char *buf, size_t cap)
{
	const char *s = waits_on ? waits_on : "", *holder = find_last(s, " held by "), *path, *name;

	if (!holder)
		holder = find_last(s, " from ") ?: strstr(s, " (") ?: s + strlen(s);
	path = path_of(s, holder);
	name = holder;
	if (holder - path < LONG_PATH)
		return s;
	while (name > path && *name != '/')
		name--;
	snprintf(buf, cap, "%.*s…%s", (int)(path - s), s, name);
	return buf;
}

const char *waits_after(const char *call, const char *waits_on)
{
	const char *s = waits_on ? waits_on : "";
	size_t n = strcspn(s, " :,");

	if (!call || !n || strncmp(call, s, n) || (call[n] && call[n] != '_') || !s[n])
		return s;
	s += n;
	return s + strspn(s, " :,");
}
