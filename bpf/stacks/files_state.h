/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files_state.h: the files of stacks, for files.c and files_room.c alone. */
#ifndef OTTOP_FILES_STATE_H
#define OTTOP_FILES_STATE_H

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
	u32 pages;		/* of the table, whatever of it is loaded */
	u8 *hits;		/* for frames seen in each of its grains (parts.h), at most PART_HITS_MAX; and */
	u32 uses;		/* frames in all of the file; both fade */
	u64 *have;		/* in part: a bit for each grain that is loaded */
	bool part, wanted;	/* the table is not whole; a stack needed what is not there */
	bool refused;		/* there was no room for any of it, */
	bool squeezed;		/* or not for all that stacks go through */
	u64 again_ns, wait_ns;	/* it is not asked for again before; next time it waits so long */
	u64 cpu_ns;		/* what loading a part of it took last, */
	u64 missed;		/* and frames since then that needed what is not there */
};

extern struct file *stack_files;	/* [0] is none */
extern u32 n_stack_files, n_waiting_files;

/* Whether a stack needs what is not there. */
static inline bool file_leaves_out(const struct file *f, u32 grain)
{
	return !f->table || (f->part && !part_bit(f->have, grain));
}

/* Lines of the arena that so many words need. */
static inline u32 lines_of(u32 words)
{
	return (words + WORDS_OF_LINE - 1) / WORDS_OF_LINE;
}

/* Sets the bits of those of its pages in which stacks go through what is not there. */
void room_wanted(const struct file *f, u64 *bits);
/* So many lines; what nobody used for a while makes place. 0: there is no room. */
u32 room_alloc(u32 n);
/* In how long the table is asked for again; longer where that brought nothing. */
void room_set_again(struct file *f, bool in_vain);
/* The kernel side does not read the table any more; the file has it aside. */
void room_take_away(u32 file);
/*
 * Loads what stacks go through of a table, and what of it is there already. numbers: of its rules, or
 * NULL; cpu_ns: what it took to make. 0 or -ENOSPC.
 */
int room_load_part(struct file *f, const u64 *words, const u16 *numbers, u64 cpu_ns);
/* The same from the table that is kept aside. */
void room_load_from_aside(u32 file);

#endif
