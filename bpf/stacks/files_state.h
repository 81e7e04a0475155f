/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files_state.h: the state of files, shared by files.c and files_room.c only. */
#pragma once

#include "bpf/host/mapped_file.h"
#include "bpf/stacks/parts.h"
#include "symbolizer/symbolizer.h"

#define WORDS_OF_LINE 4

enum file_state { FILE_NEW, FILE_WAITS, FILE_ASKED, FILE_READY, FILE_BAD };

struct file {
	struct file_id id;
	char *path;
	char build_id[2 * BUILD_ID_MAX + 1];
	int fd;
	enum file_state state;
	struct symbolizer_segment segments[4];
	u32 n_segments;
	u32 table, lines;	/* first line; 0: none */
	u64 base, used_ns;
	u32 pages;		/* of the whole table */
	u8 *hits;		/* frames seen in each of its grains (parts.h), at most PART_HITS_MAX; decays */
	u32 uses;		/* frames seen in the whole file; decays */
	u64 *have;		/* part: a bit for each loaded grain */
	bool part, wanted;	/* only a part is loaded; a stack needed another one */
	bool refused;		/* there was no room for any of it, */
	bool squeezed;		/* or not for all that stacks need */
	u64 again_ns, wait_ns;	/* earliest time of the next request; backoff */
	u64 cpu_ns;		/* CPU time of the last load, */
	u64 missed;		/* and frames since then that needed a missing part */
};

extern struct file *stack_files;	/* [0] is none */
extern u32 n_stack_files, n_waiting_files;

/* True: this grain is not loaded. */
static inline bool file_leaves_out(const struct file *f, u32 grain)
{
	return !f->table || (f->part && !part_bit(f->have, grain));
}

/* Lines of the arena that so many words need. */
static inline u32 lines_of(u32 words)
{
	return (words + WORDS_OF_LINE - 1) / WORDS_OF_LINE;
}

/* Sets the bits of pages that stacks need and that are not loaded. */
void room_wanted(const struct file *f, u64 *bits);
/* Allocates n lines, evicting tables not used lately. 0: no room. */
u32 room_alloc(u32 n);
/* Sets when the table may be requested again; the backoff grows after a failure. */
void room_set_again(struct file *f, bool in_vain);
/* Removes the table from the arena; the copy aside stays. */
void room_take_away(u32 file);
/* Loads needed parts. numbers: of its rules or NULL; cpu_ns: cost of the table. 0, -ENOSPC. */
int room_load_part(struct file *f, const u64 *words, const u16 *numbers, u64 cpu_ns);
/* The same from the copy aside. */
void room_load_from_aside(u32 file);
