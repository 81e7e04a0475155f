/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames.h: the table frames: code locations by number, named later. Sampler thread only. */
#pragma once

#include "bpf/model/snapshot_build.h"

#define FRAMES_KERNEL 0u	/* file number of kernel addresses */
#define FRAMES_THING 0xfffffffcu	/* not code: the object of a wait */
#define FRAMES_INLINED 0xfffffffdu	/* inlined functions: no addresses of their own */
#define FRAMES_WAKER 0xfffffffeu	/* not code: the thread that ended a wait */
#define FRAMES_RAW 0xffffffffu	/* unknown addresses */
#define FRAMES_FIRST_JIT 0x10000u	/* from here on: anonymous memory of one process */

#define FRAMES_MAX 131072	/* bounded, as JIT code is not */

/* The number of a frame; beyond FRAMES_MAX that of one shared frame. space: the pid for FRAMES_RAW, else 0. */
u32 frames_intern(u32 file, u64 addr, u32 space);
/* Sets the name. Takes ownership of all strings (references); NULL: unknown. */
void frames_name(u32 id, const char *name, const char *kind, const char *reason);
void frames_module(u32 id, const char *module, const char *build_id);
/* The next frame of this file whose name was not requested yet; marks it as requested. 0: none. */
u32 frames_next_unnamed(u32 file, u64 *ret_addr);
/* Is there such a frame? */
bool frames_has_unnamed(u32 file);

/* ---- source lines: only of frames that are shown or written to a file (lines.h) ---- */

enum frames_lines {
	LINES_NONE,	/* not code of a file: never has lines */
	LINES_NEW,	/* not wanted yet */
	LINES_WANTED, LINES_ASKED,
	LINES_DONE,
};

enum frames_lines frames_lines(u32 id);	/* LINES_NONE also for an invalid number */
void frames_set_lines(u32 id, enum frames_lines state);
/* Back to LINES_NEW until it is wanted again; the row only changes with frames_set_lines(). */
void frames_unwant_lines(u32 id);
/* The request is complete; why: the reason if it failed, else NULL. */
void frames_lines_done(u32 id, const char *why);
/* All open requests for lines of a file have failed; why: for the table. */
void frames_lines_failed(u32 file, const char *why);
/* The next frame number after this one (0: the first); 0: none. */
u32 frames_next(u32 id);
u32 frames_file(u32 id);	/* files.h; 0: none */
bool frames_has_name(u32 id);
u64 frames_addr(u32 id);	/* in the file */
/* How many of n frames (ids NULL: of all) have no name yet, or (if `lines`) no lines yet, wanted or not. */
u32 frames_pending(const u32 *ids, u32 n, bool lines);
/*
 * Sets the source line of a frame and the functions inlined there ("12 13": frame
 * numbers, innermost first). Takes ownership of the strings; fallback: the name
 * from DWARF, used if no symbol has one.
 */
void frames_source(u32 id, const char *file, u64 line, u64 start_line, const char *inlines,
		   const char *fallback);
/* An inlined function; its line is that of the code, or of the call to the next inner one. */
struct frames_inlined {
	u32 in;		/* number of the file it is in */
	const char *module, *build_id, *name, *kind, *file;	/* name may be NULL */
	u64 line, start_line;
};

/* The frame of an inlined function, created if it is new; 0: too many. Takes ownership of the strings. */
u32 frames_inlined(const struct frames_inlined *f);

/* Puts a frame whose request could not be sent back into the list of unnamed frames. */
void frames_ask_again(u32 id);
/* Gives all frames of a file that have no name and no reason this reason. */
void frames_fail(u32 file, const char *reason);
/* Removes reasons with that prefix from frames that have a name. */
void frames_drop_reasons(const char *prefix);
/* The frame of a file and address, or 0. */
u32 frames_find(u32 file, u64 addr, u32 space);
/* How often the table was full, so that frames share one number. */
u64 frames_refused(void);
/*
 * Frames (0: FRAMES_MAX) beyond which those longest in no stack are evicted, with name and lines.
 */
void frames_room(u32 n);
u64 frames_evicted(void);
/* In no stack, and not expected to be: evicted with the next ones, unless it is interned again. */
void frames_unwanted(u32 id);
/* Once a tick. */
void frames_rows(struct builder *b);
void frames_clear(void);
