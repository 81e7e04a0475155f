/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbolizer.h: names and unwind tables of files, from a separate process without privileges and
 * with little memory and time, because it parses files that a hostile user may have made. Nothing
 * here blocks: requests are sent, and answers received when ready. A file that kills the process
 * gets an error as answer and is not tried again; the process is restarted.
 */
#pragma once

#include "bpf/model/base.h"
#include "symbolizer/unwind.h"

#define SYMBOLIZER_BATCH 256	/* maximum addresses in a request */
#define SYMBOLIZER_PAGES ((SYMBOLIZER_BATCH - 2) * 64)	/* pages in a request for part of a table */
#define BUILD_ID_MAX 20
#define SYMBOLIZER_SYMBOLS 24
/* Memory limit of the process for names, and of the decompressed sections of one file */
#define SYMBOLIZER_MB 64
#define SYMBOLIZER_UNPACKED_MB 32
#define SYMBOLIZER_UNPACKED_BYTES ((u64)SYMBOLIZER_UNPACKED_MB << 20)

/* Forks it, before threads exist and before BPF is loaded. 0 or -errno. */
int symbolizer_start(void);
void symbolizer_stop(void);
/* For poll(): readable when answers are pending. -1 if it is not running. */
int symbolizer_fd(void);
int symbolizer_tables_fd(void);	/* of the separate process for unwind tables */

/*
 * Requests the unwind table and the segments of a file. `file` is the caller's number for it, `fd`
 * an open descriptor (kept by the caller). 0, -EAGAIN (too many pending requests: try later) or
 * another -errno. `wanted` (NULL: the whole table): a bit for each page (at most SYMBOLIZER_PAGES)
 * from `base` on of an earlier answer; the others are left out and cost nothing.
 */
int symbolizer_ask_table(u32 file, int fd, u64 base, u32 pages, const u64 *wanted);
/* Names of n (SYMBOLIZER_BATCH at most) addresses. debug_fd: confirmed by ANSWER_DEBUG, or -1. */
int symbolizer_ask_names(u32 file, int fd, int debug_fd, const u64 *addrs, u32 n);
/*
 * Is debug_fd the debug file of fd? err: 0 or -ENOMSG; build_id, debuglink: its dwz file, if any.
 */
int symbolizer_ask_debug(u32 file, int fd, int debug_fd);
/* Names from /tmp/perf-PID.map (appended part read); n may be 0. map: the caller's number. */
int symbolizer_ask_jit(u32 map, int fd, const u64 *addrs, u32 n);

/*
 * Requests the source lines of n addresses and the functions inlined there. The answer may be
 * partial: the rest must be requested again. debug_fd as for names; sup_fd: its dwz supplementary
 * file, or -1.
 */
int symbolizer_ask_lines(u32 file, int fd, int debug_fd, int sup_fd, const u64 *addrs, u32 n);

/* Probe offsets of functions (symbols.h): SYMBOLIZER_SYMBOLS, 2 KiB of names at most. */
int symbolizer_ask_symbols(u32 file, int fd, const char *const *names, u32 n);

/* Marks in an optional byte before a name, less than SYMBOLIZER_MARKS. */
#define SYMBOLIZER_RUST 1	/* mangled by rustc: demangled it could pass for C++ */
#define SYMBOLIZER_LONG 2	/* left mangled: too long, mangled or demangled */
#define SYMBOLIZER_DEEP 4	/* left mangled: nested too deep */
#define SYMBOLIZER_ODD 8	/* left mangled: no demangler accepts it */
#define SYMBOLIZER_MARKS 16

struct symbolizer_segment {
	u64 offset, size, addr;	/* executable segment: file offset -> address */
};

/* One function at an address. Strings are offsets in `names`; 0: unknown, also for lines. */
struct symbolizer_line {
	u32 of;			/* index of the address */
	u32 name, file;
	u32 line;		/* in `file` */
	u32 start;		/* of the function's declaration */
};

enum symbolizer_answer_kind {
	ANSWER_TABLE = 1, ANSWER_NAMES, ANSWER_LINES, ANSWER_DEBUG, ANSWER_JIT, ANSWER_SYMBOLS,
};

/* Why addresses of an answer have no name. */
enum symbolizer_missing {
	MISSING_NOTHING,
	MISSING_NO_SYMBOLS,	/* no symbol table of any kind */
	MISSING_STRIPPED,	/* only exported functions are known, none covers it */
	MISSING_NOT_COVERED,	/* there are symbols, but none covers it */
	MISSING_NOT_IN_MAP,	/* not in the perf map */
	MISSING_MAP_FULL,	/* the perf map has too many entries */
};

#define DEBUGLINK_MAX 128

struct symbolizer_answer {
	u32 kind, file;
	int err;		/* 0, or -errno: why there is no result */
	u64 cpu_ns;		/* CPU time spent; 0: unknown */
	/* ANSWER_TABLE */
	struct symbolizer_segment segments[4];
	u32 n_segments;
	u8 build_id[BUILD_ID_MAX];
	u32 build_id_len;
	/* name by .gnu_debuglink, or ""; ANSWER_DEBUG: of the file in .gnu_debugaltlink */
	char debuglink[DEBUGLINK_MAX];
	u64 base;		/* address of page 0 of the table */
	const u64 *words;	/* see unwind.h; NULL if the file has no frame information */
	u32 n_words;
	const struct unw_info *infos;
	u32 n_infos;
	/* ANSWER_NAMES: in the order of the request */
	u32 n_names;
	const u64 *addrs;
	const char *names;	/* NUL-terminated; "" for none */
	size_t names_size;
	u32 missing;		/* enum symbolizer_missing, for those without a name */
	/* ANSWER_JIT: as ANSWER_NAMES, plus */
	u64 generation;		/* changes when addresses get a new meaning */
	/* ANSWER_LINES: -ENODATA: no DWARF; else the first n_done of addrs are done */
	u32 n_done;
	/* by address, innermost function first; only the last is not inlined */
	const struct symbolizer_line *lines;
	u32 n_lines;
	/* ANSWER_SYMBOLS: file offsets, in the order of the request; 0: no such function */
	u64 offsets[SYMBOLIZER_SYMBOLS];
	/* the mapped payload, for symbolizer_done() */
	void *map;
	size_t map_size;
};

/* The next answer, or false. ANSWER_SYMBOLS: for its requester only. symbolizer_done() it. */
bool symbolizer_receive(struct symbolizer_answer *ret);
bool symbolizer_receive_symbols(struct symbolizer_answer *ret);
/* The file killed the process: -EFAULT, -ETIME (CPU), -ENOMEM, -ETIMEDOUT (hanging read). */
bool symbolizer_died(int err);
void symbolizer_done(struct symbolizer_answer *a);
