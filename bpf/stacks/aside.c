// SPDX-License-Identifier: GPL-2.0-or-later
/* aside.c: see aside.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/aside.h"

#define SLOTS 64
#define SLOT_BITS 20	/* lines of one: 32 MiB */
#define MAX_BYTES (16u << 20)

struct slot {
	u32 file, n_lines;	/* file 0: free */
	u64 used;
	struct arena_line *lines;
};

static struct slot slots[SLOTS];
static u64 uses, bytes;

static void slot_free(struct slot *s)
{
	bytes -= s->n_lines * sizeof(*s->lines);
	free(s->lines);
	*s = (struct slot){};
}

static struct slot *slot_of(u32 file)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].file == file)
			return &slots[i];
	return NULL;
}

static struct slot *oldest(void)
{
	struct slot *found = &slots[0];

	for (u32 i = 1; i < SLOTS; i++)
		if (slots[i].file && (!found->file || slots[i].used < found->used))
			found = &slots[i];
	return found;
}

void aside_put(u32 file, u64 *words, u32 n_words)
{
	u32 n = (n_words + 3) / 4, size = n * (u32)sizeof(struct arena_line);
	struct slot *s;

	aside_drop(file);
	if (n >> SLOT_BITS || size > MAX_BYTES) {
		free(words);
		return;
	}
	while (bytes + size > MAX_BYTES || !slot_of(0))
		slot_free(oldest());
	s = slot_of(0);
	words = xrealloc(words, size);
	memset(words + n_words, 0, size - n_words * sizeof(*words));
	*s = (struct slot){ .file = file, .n_lines = n, .used = ++uses, .lines = (struct arena_line *)words };
	bytes += size;
}

void aside_drop(u32 file)
{
	struct slot *s = slot_of(file);

	if (s && s->file)
		slot_free(s);
}

u64 *aside_take(u32 file, u32 *ret_n_words)
{
	struct slot *s = slot_of(file);
	u64 *words = (u64 *)s->lines;

	*ret_n_words = s->n_lines * 4;
	s->lines = NULL;
	slot_free(s);
	return words;
}

u32 aside_table(u32 file)
{
	struct slot *s = file ? slot_of(file) : NULL;

	if (!s)
		return 0;
	s->used = ++uses;
	return ASIDE_FIRST | (u32)(s - slots) << SLOT_BITS;
}

const struct arena_line *aside_line(u32 line)
{
	u32 at = line & ((1 << SLOT_BITS) - 1), i = (line & ~ASIDE_FIRST) >> SLOT_BITS;

	return line >= ASIDE_FIRST && i < SLOTS && at < slots[i].n_lines ? &slots[i].lines[at] : NULL;
}

u64 aside_bytes(void)
{
	return bytes;
}

void aside_close(void)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].file)
			slot_free(&slots[i]);
}
