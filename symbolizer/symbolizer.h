/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbolizer.h: names and unwind tables of files, from a process of its own
 * that has no privileges, little memory and little time, because it parses
 * files that a hostile user may have made. Nothing here waits: questions go
 * out, answers come in when they are ready. A file that kills the process is
 * answered with an error, and not tried again; the process is started anew.
 */
#ifndef OTTOP_SYMBOLIZER_H
#define OTTOP_SYMBOLIZER_H

#include "bpf/model/base.h"
#include "symbolizer/unwind.h"

#define SYMBOLIZER_BATCH 256	/* addresses in one question */
#define SYMBOLIZER_PAGES ((SYMBOLIZER_BATCH - 2) * 64)	/* of an unwind table that is asked for in part */
#define BUILD_ID_MAX 20
#define SYMBOLIZER_SYMBOLS 24
/* The process with the names may take so much, and of it for sections of one file that are compressed */
#define SYMBOLIZER_MB 64
#define SYMBOLIZER_UNPACKED_MB 32
#define SYMBOLIZER_UNPACKED_BYTES ((u64)SYMBOLIZER_UNPACKED_MB << 20)

/* Forks it. Before threads exist and before any BPF is loaded. 0 or -errno. */
int symbolizer_start(void);
void symbolizer_stop(void);
/* For poll(): readable while answers wait. -1 when it does not run. */
int symbolizer_fd(void);
int symbolizer_tables_fd(void);	/* the same for unwind tables, which are made elsewhere */

/*
 * Asks for the unwind table and the layout of a file. `file` is the caller's
 * number for it, `fd` an open descriptor (the caller keeps it). 0, -EAGAIN
 * (too many questions on the way: try later) or another -errno. `wanted` (NULL: all): a bit
 * for each of the pages (at most SYMBOLIZER_PAGES) that an earlier answer had from `base` on;
 * the others are left out, and it costs what is wanted.
 */
int symbolizer_ask_table(u32 file, int fd, u64 base, u32 pages, const u64 *wanted);
/*
 * Asks for the names of n (at most SYMBOLIZER_BATCH) addresses of a file.
 * debug_fd: its separate debug file, of which ANSWER_DEBUG said yes, or -1.
 */
int symbolizer_ask_names(u32 file, int fd, int debug_fd, const u64 *addrs, u32 n);
/*
 * Asks whether debug_fd is the debug file of fd. The answer's err is 0 or -ENOMSG (it is not);
 * build_id and debuglink are of the file that dwz moved parts of it to, if it did.
 */
int symbolizer_ask_debug(u32 file, int fd, int debug_fd);
/*
 * Asks for the names of code made at run time from a /tmp/perf-PID.map, read
 * anew as far as it grew. n may be 0. `map` is the caller's number for it.
 */
int symbolizer_ask_jit(u32 map, int fd, const u64 *addrs, u32 n);

/*
 * Asks for the source lines of n addresses and for the functions that were
 * inlined there. May be answered in part: what is not done is to be asked again.
 * debug_fd as for names; sup_fd: what dwz moved out of that, or -1.
 */
int symbolizer_ask_lines(u32 file, int fd, int debug_fd, int sup_fd, const u64 *addrs, u32 n);

/*
 * Asks where in the file probes of these functions belong (symbols.h): at most SYMBOLIZER_SYMBOLS, 2 KiB of
 * names with a NUL behind each.
 */
int symbolizer_ask_symbols(u32 file, int fd, const char *const *names, u32 n);

/*
 * What there is to say of a name is in a byte before it, less than SYMBOLIZER_MARKS; mostly there is none.
 */
#define SYMBOLIZER_RUST 1	/* rustc made the symbol: once demangled, it looks like one of C++ */
#define SYMBOLIZER_LONG 2	/* left mangled: it is, or would be, too long */
#define SYMBOLIZER_DEEP 4	/* left mangled: nested too deep */
#define SYMBOLIZER_ODD 8	/* left mangled: no demangler takes it */
#define SYMBOLIZER_MARKS 16

struct symbolizer_segment {
	u64 offset, size, addr;	/* an executable segment: file offset -> address */
};

/* One function at an address. Texts are offsets in `names`; 0: unknown, as are lines of 0. */
struct symbolizer_line {
	u32 of;			/* index of the address */
	u32 name, file;
	u32 line;		/* in `file` */
	u32 start;		/* where the function is declared */
};

enum symbolizer_answer_kind {
	ANSWER_TABLE = 1, ANSWER_NAMES, ANSWER_LINES, ANSWER_DEBUG, ANSWER_JIT, ANSWER_SYMBOLS,
};

/* Why addresses of an answer have no name. */
enum symbolizer_missing {
	MISSING_NOTHING,
	MISSING_NO_SYMBOLS,	/* no symbol table of any kind */
	MISSING_STRIPPED,	/* only exported functions are known, none covers it */
	MISSING_NOT_COVERED,	/* there are symbols, none covers it */
	MISSING_NOT_IN_MAP,	/* the perf map does not have it */
	MISSING_MAP_FULL,	/* the perf map has too many entries to keep */
};

#define DEBUGLINK_MAX 128

struct symbolizer_answer {
	u32 kind, file;
	int err;		/* 0, or -errno: why there is nothing */
	u64 cpu_ns;		/* CPU time that it took; 0: not known */
	/* ANSWER_TABLE */
	struct symbolizer_segment segments[4];
	u32 n_segments;
	u8 build_id[BUILD_ID_MAX];
	u32 build_id_len;
	/* name of the debug file by .gnu_debuglink, or ""; ANSWER_DEBUG: by .gnu_debugaltlink */
	char debuglink[DEBUGLINK_MAX];
	u64 base;		/* address of page 0 of the table */
	const u64 *words;	/* see unwind.h; NULL when the file has no frame information */
	u32 n_words;
	const struct unw_info *infos;
	u32 n_infos;
	/* ANSWER_NAMES: in the order of the question */
	u32 n_names;
	const u64 *addrs;
	const char *names;	/* NUL after each; "" where there is none */
	size_t names_size;
	u32 missing;		/* enum symbolizer_missing, of those with no name */
	/* ANSWER_JIT: as ANSWER_NAMES, and */
	u64 generation;		/* changes when addresses got a new meaning */
	/* ANSWER_LINES: -ENODATA without DWARF; else addrs as above, of which the first are done */
	u32 n_done;
	/* by address, the innermost function first; the last one is not inlined */
	const struct symbolizer_line *lines;
	u32 n_lines;
	/* ANSWER_SYMBOLS: file offsets, in the order of the question; 0: none of that name */
	u64 offsets[SYMBOLIZER_SYMBOLS];
	/* what it is mapped from; symbolizer_done() */
	void *map;
	size_t map_size;
};

/*
 * The next answer, or false when none waits; those of ANSWER_SYMBOLS are for who asked for
 * symbols, the others for who asked for the rest. Give it back with symbolizer_done().
 */
bool symbolizer_receive(struct symbolizer_answer *ret);
bool symbolizer_receive_symbols(struct symbolizer_answer *ret);
/*
 * Whether an answer's err says that this file ended the process: -EFAULT (a crash), -ETIME
 * (its limit of CPU time), -ENOMEM (of memory), -ETIMEDOUT (a read that hangs).
 */
bool symbolizer_died(int err);
void symbolizer_done(struct symbolizer_answer *a);

#endif
