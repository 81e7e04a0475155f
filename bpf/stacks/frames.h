/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.h: the table frames: every place a stack has been in, numbered. A
 * frame gets its name when the symbolizer answers. Sampler thread only.
 */
#ifndef OTTOP_FRAMES_H
#define OTTOP_FRAMES_H

#include "bpf/model/snapshot_build.h"

#define FRAMES_KERNEL 0u	/* file number of kernel addresses */
#define FRAMES_THING 0xfffffffcu	/* not code: what was waited for */
#define FRAMES_INLINED 0xfffffffdu	/* functions inlined into others: no places of their own */
#define FRAMES_WAKER 0xfffffffeu	/* not code: the thread that ended a wait */
#define FRAMES_RAW 0xffffffffu	/* of addresses that nothing is known about */
#define FRAMES_FIRST_JIT 0x10000u	/* from here on: memory of one process that is no file's */

#define FRAMES_MAX 131072	/* code made at run time could go on for ever */
#define FRAMES_NUMBERS (1u << 22)	/* numbers that readers take (bpf/model/snapshot_stacks.c) */

/* The number of a frame; past FRAMES_MAX that of one frame for all others. space: the pid for FRAMES_RAW, else 0. */
u32 frames_intern(u32 file, u64 addr, u32 space);
/* Names, as they come; all strings are references given away, NULL where unknown. */
void frames_name(u32 id, const char *name, const char *kind, const char *reason);
void frames_module(u32 id, const char *module, const char *build_id);
/* The next frame of this file that was not asked for yet, and marks it as asked; 0: none. */
u32 frames_next_unnamed(u32 file, u64 *ret_addr);
/* Whether there is such a frame. */
bool frames_has_unnamed(u32 file);

/* ---- source lines: of frames that somebody sees or writes (lines.h) ---- */

enum frames_lines {
	LINES_NONE,	/* code of no file: there are none by nature */
	LINES_NEW,	/* nobody wants them */
	LINES_WANTED, LINES_ASKED,
	LINES_DONE,
};

enum frames_lines frames_lines(u32 id);	/* LINES_NONE: also of a number that is none */
void frames_set_lines(u32 id, enum frames_lines state);
/* Until it is known whether it is wanted still: its row says so only after frames_set_lines(). */
void frames_unwant_lines(u32 id);
/* They are known (why NULL), or will not come. */
void frames_lines_done(u32 id, const char *why);
/* Those of a file that are wanted or were asked for will not come; why: for the table. */
void frames_lines_failed(u32 file, const char *why);
/* The number after this one (0: the first) that a frame has; 0: there is none. */
u32 frames_next(u32 id);
u32 frames_file(u32 id);
bool frames_has_name(u32 id);
u64 frames_addr(u32 id);
/* How many of n frames (ids NULL: of all) wait for a name, or (if `lines`) for their lines, wanted or not. */
u32 frames_pending(const u32 *ids, u32 n, bool lines);
/*
 * Where a frame is in the source, and what was inlined there ("12 13": numbers of
 * frames, the innermost first). Strings are given away; fallback: the name, if
 * no symbol has one.
 */
void frames_source(u32 id, const char *file, u64 line, u64 start_line, const char *inlines,
		   const char *fallback);
/* A function that was inlined; its line is that of the code, or of the call of the next one. */
struct frames_inlined {
	u32 in;		/* number of the file it is in */
	const char *module, *build_id, *name, *kind, *file;	/* name may be NULL */
	u64 line, start_line;
};

/* The frame that stands for it, made if need be; 0 when there are too many. Strings are given away. */
u32 frames_inlined(const struct frames_inlined *f);

/* Puts a frame that could not be asked for back among those without a name. */
void frames_ask_again(u32 id);
/* All frames of a file that are still without name or reason get this reason. */
void frames_fail(u32 file, const char *reason);
/* Frames that have a name do not say this any more. */
void frames_drop_reasons(const char *prefix);
/* The frame of a file and address, or 0. */
u32 frames_find(u32 file, u64 addr, u32 space);
/* Frames that were not told apart. */
u64 frames_refused(void);
/*
 * From so many on (0: FRAMES_MAX) those that were in no stack for longest are let go of; of
 * a number that was, there are no lines and no name.
 */
void frames_room(u32 n);
u64 frames_evicted(void);
/* No stack has it, and none is expected to: it goes with the next ones that do, unless it is interned again. */
void frames_unwanted(u32 id);
/* Once a tick. */
void frames_rows(struct builder *b);
void frames_clear(void);

#endif
