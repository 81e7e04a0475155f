// SPDX-License-Identifier: GPL-2.0-or-later
/* mangled.c: see mangled.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/mangled.h"
#include "symbolizer/symbolizer.h"

#define MOST 1000	/* distinct names; more are not counted */

static const struct { u8 mark; const char *words; } reasons[] = {
	{ SYMBOLIZER_LONG, "longer than 32 kB" },
	{ SYMBOLIZER_DEEP, "nested too deep" },
	{ SYMBOLIZER_ODD, "not a valid name" },
};

static struct {
	u32 *hashes;		/* of those that were noted */
	u32 n, cap;
	u32 counts[ARRAY_SIZE(reasons)];
} noted;

/* The index of its reason; -1: it was demangled. */
static int reason_of(const char *name)
{
	for (u32 i = 0; name && name[0] > 0 && name[0] < SYMBOLIZER_MARKS && i < ARRAY_SIZE(reasons); i++)
		if (name[0] & reasons[i].mark)
			return (int)i;
	return -1;
}

static u32 hash_of(const char *s)
{
	u32 h = 2166136261u;	/* FNV-1a */

	for (; *s; s++)
		h = (h ^ (u8)*s) * 16777619u;
	return h;
}

void mangled_note(const char *name)
{
	int reason = reason_of(name);
	u32 hash;

	if (reason < 0 || noted.n == MOST)
		return;
	hash = hash_of(name);
	for (u32 i = 0; i < noted.n; i++)
		if (noted.hashes[i] == hash)
			return;
	noted.hashes = grow(noted.hashes, noted.n, &noted.cap, sizeof(*noted.hashes));
	noted.hashes[noted.n++] = hash;
	noted.counts[reason]++;
}

const char *mangled_reason(const char *name)
{
	static char text[64];
	int reason = reason_of(name);

	if (reason < 0)
		return NULL;
	snprintf(text, sizeof(text), "left mangled: %s", reasons[reason].words);
	return text;
}

void mangled_text(char *buf, size_t cap)
{
	u32 said = 0;

	*buf = '\0';
	if (!noted.n)
		return;
	snprintf(buf, cap, "%u%s function%s mangled name%s:", noted.n, noted.n == MOST ? " or more" : "",
		 noted.n == 1 ? " has a" : "s have", text_plural(noted.n, "s"));
	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++)
		if (noted.counts[i])
			text_add(buf, cap, said++ ? ", " : " ", "%u %s", noted.counts[i], reasons[i].words);
}

void mangled_clear(void)
{
	free(noted.hashes);
	memset(&noted, 0, sizeof(noted));
}
