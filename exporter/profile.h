/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profile.h: collects a profile from the stacks of successive snapshots and writes it as
 *
 *	FILE.pb.gz	pprof
 *	FILE.folded	one line a stack: comm;root;...;leaf nanoseconds
 *	FILE.svg	a flame graph
 *
 * Names may arrive after their stacks: a frame is written with its newest name.
 */
#pragma once

#include <stdio.h>

#include "bpf/model/snapshot.h"
#include "exporter/strset.h"

/* ---- collecting (profile.c) ------------------------------------------------------ */

/* One stack of one thread, with its totals. */
struct profile_stack {
	const struct stacks_row *row;		/* the first row; a reference */
	const struct processes_row *process;	/* a reference, or NULL */
	u32 *frames, n;				/* indexes into the profile's frames, leaf first */
	u64 value, samples;
};

/* Read-only for other files. */
struct profile {
	char kind[16];
	const struct session *session;
	/* References to the newest row of each frame; NULL: in no table ([0] always). */
	const struct frames_row **frames;
	u32 n_frames, cap_frames;
	/* Inlined frames of each: their number, then their indexes, innermost first; or NULL */
	u32 **inlined;
	u32 cap_inlined;
	u32 *by_id, n_ids;	/* frame number in the snapshots -> index */
	struct profile_stack *stacks;
	u32 n_stacks, cap_stacks;
	struct index by_stack;	/* of stacks */
	u32 *pids, n_pids;	/* filter; none: all processes */
	u64 value, samples, whole;	/* whole: samples with complete stacks */
	u64 start_unix_ns, duration_ns;	/* the observed period */
	enum table_status status;	/* of the table stacks in the last snapshot */
	const char *reason;
};

/* An empty profile of the given kind ("cpu", "offcpu") and pids (n_pids 0: all processes). */
struct profile *profile_new(const char *kind, const u32 *pids, u32 n_pids);
/* Adds the stacks and names of one interval. False: stacks were not observed in it. */
bool profile_add(struct profile *p, const struct snapshot *s);
/* Takes only the names of a later snapshot. */
void profile_learn(struct profile *p, const struct snapshot *s);
/* Number of referenced frames whose name is pending. */
u32 profile_pending(const struct profile *p);
/* Numbers (in the snapshots) of the referenced frames; free() them. */
u32 *profile_ids(const struct profile *p, u32 *ret_n);
/* Frames of a stack, leaf first, inlined before their caller; free() them. */
u32 *profile_frames(const struct profile *p, const struct profile_stack *s, u32 *ret_n);
/* How many of n frames are one location (a function and inlined ones); up to PROFILE_PLACE_MAX. */
#define PROFILE_PLACE_MAX 64
u32 profile_place_length(const struct profile *p, const u32 *frames, u32 n);
/* NULL-safe. */
void profile_free(struct profile *p);

/* ---- frames as text (profile.c) -------------------------------------------------- */

/* "work.c:12", the declaration of the function, or "" if unknown. */
void profile_place_text(char *buf, size_t cap, const struct frames_row *f);
/* "[cut: no CFI]" for a truncated stack; false: the stack is complete. */
bool profile_cut_text(char *buf, size_t cap, const struct profile_stack *s);

/* ---- folded stacks, also the source of the flame graph (folded.c) ---------------- */

enum fold_kind {
	FOLD_USER, FOLD_CPP, FOLD_RUST, FOLD_LIBRARY, FOLD_KERNEL, FOLD_JIT, FOLD_INTERP, FOLD_UNKNOWN,
	FOLD_COMM, N_FOLD_KINDS
};

struct fold_stack {
	u32 *labels, n;		/* root first */
	u64 value, samples;
};

/* Each path of names once, sorted, so that equal prefixes are adjacent. */
struct fold {
	struct strset labels;
	u8 *kinds;		/* of each label: enum fold_kind */
	char **places;		/* of each label: its declaration, or NULL */
	struct fold_stack *stacks;
	u32 n;
};

/* Folds a profile: threads and processes of the same name are merged. */
struct fold *profile_fold(const struct profile *p);
void fold_free(struct fold *f);

/* ---- writing --------------------------------------------------------------------- */

enum profile_format { PROFILE_PPROF, PROFILE_FOLDED, PROFILE_SVG, PROFILE_UNKNOWN };

/* The format by the file name's suffix; "-" is folded. */
enum profile_format profile_format(const char *path);
/* Writes and flushes; 0 or -errno. */
int profile_put_pprof(const struct profile *p, FILE *out);	/* pprof.c */
int profile_put_folded(const struct profile *p, FILE *out);	/* folded.c */
int profile_put_svg(const struct profile *p, FILE *out);	/* svg.c */
/* Checks early that profile_write() can succeed. 0, or -1 and an error message to free(). */
int profile_can_write(const char *path, char **ret_error);
/*
 * Writes atomically by suffix, owned by sudo's user, who alone may read it. 0, or -1 and an error
 * message to free().
 */
int profile_write(const struct profile *p, const char *path, char **ret_error);
