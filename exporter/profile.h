/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profile.h: a profile as a file. It is collected from the stacks of one
 * snapshot after the other and written as
 *
 *	FILE.pb.gz	pprof
 *	FILE.folded	one line a stack: comm;root;...;leaf nanoseconds
 *	FILE.svg	a flame graph
 *
 * Names may arrive after their stacks: each frame is written with the newest
 * that is known of it.
 */
#ifndef OTTOP_PROFILE_H
#define OTTOP_PROFILE_H

#include <stdio.h>

#include "bpf/model/snapshot.h"
#include "exporter/strset.h"

/* ---- collecting (profile.c) ------------------------------------------------------ */

/* One stack of one thread, with all that was spent in it. */
struct profile_stack {
	const struct stacks_row *row;		/* the first; a reference */
	const struct processes_row *process;	/* a reference, or NULL */
	u32 *frames, n;				/* indexes of the profile's frames, leaf first */
	u64 value, samples;
};

/* Others may read it, and change nothing. */
struct profile {
	char kind[16];
	const struct session *session;
	/* References to the newest row of each frame; NULL: it is in no table ([0] always). */
	const struct frames_row **frames;
	u32 n_frames, cap_frames;
	/* What is inlined at each: how many, then their indexes, the innermost first; or NULL */
	u32 **inlined;
	u32 cap_inlined;
	u32 *by_id, n_ids;	/* number of a frame in the snapshots -> index */
	struct profile_stack *stacks;
	u32 n_stacks, cap_stacks;
	struct index by_stack;	/* of stacks */
	u32 *pids, n_pids;	/* only these; none: all */
	u64 value, samples, whole;	/* totals; whole: samples whose stack reaches its root */
	u64 start_unix_ns, duration_ns;	/* what was observed */
	enum table_status status;	/* of the table stacks, in the last snapshot */
	const char *reason;
};

/* An empty one for stacks of that kind ("cpu", "offcpu"), of n processes or (0) of all. */
struct profile *profile_new(const char *kind, const u32 *pids, u32 n_pids);
/* Adds the stacks of one interval, and learns the names. False: stacks were not observed in it. */
bool profile_add(struct profile *p, const struct snapshot *s);
/* Learns names only: of a snapshot that is later than the profile. */
void profile_learn(struct profile *p, const struct snapshot *s);
/* How many of the frames that stacks name still wait for their name. */
u32 profile_pending(const struct profile *p);
/* Numbers (in the snapshots) of the frames that stacks name; free() them. */
u32 *profile_ids(const struct profile *p, u32 *ret_n);
/*
 * The frames of a stack with those that were inlined, leaf first; free() them.
 * An inlined frame stands before the one it is inlined into.
 */
u32 *profile_frames(const struct profile *p, const struct profile_stack *s, u32 *ret_n);
/*
 * How many of n frames from here on are one place: those that are inlined, and the one around them;
 * at most PROFILE_PLACE_MAX.
 */
#define PROFILE_PLACE_MAX 64
u32 profile_place_length(const struct profile *p, const u32 *frames, u32 n);
/* NULL-safe. */
void profile_free(struct profile *p);

/* ---- frames as text (profile.c) -------------------------------------------------- */

/* "work.c:12", where a function is declared, or "" where that is not known. */
void profile_place_text(char *buf, size_t cap, const struct frames_row *f);
/* "[cut: no CFI]" for a stack that does not reach its root; false: it does. */
bool profile_cut_text(char *buf, size_t cap, const struct profile_stack *s);

/* ---- folded stacks, from which the flame graph is made too (folded.c) ------------ */

enum fold_kind {
	FOLD_USER, FOLD_CPP, FOLD_RUST, FOLD_LIBRARY, FOLD_KERNEL, FOLD_JIT, FOLD_INTERP, FOLD_UNKNOWN,
	FOLD_COMM, N_FOLD_KINDS
};

struct fold_stack {
	u32 *labels, n;		/* root first */
	u64 value, samples;
};

/* Each path of names once, sorted: equal beginnings stand together. */
struct fold {
	struct strset labels;
	u8 *kinds;		/* of the labels: enum fold_kind */
	char **places;		/* of the labels: where it is declared, or NULL */
	struct fold_stack *stacks;
	u32 n;
};

/* Folds a profile: threads and processes of one name come together. */
struct fold *profile_fold(const struct profile *p);
void fold_free(struct fold *f);

/* ---- writing --------------------------------------------------------------------- */

enum profile_format { PROFILE_PPROF, PROFILE_FOLDED, PROFILE_SVG, PROFILE_UNKNOWN };

/* The format that the end of a file's name asks for; "-" is folded. */
enum profile_format profile_format(const char *path);
/* Writes and flushes; 0 or -errno. */
int profile_put_pprof(const struct profile *p, FILE *out);	/* pprof.c */
int profile_put_folded(const struct profile *p, FILE *out);	/* folded.c */
int profile_put_svg(const struct profile *p, FILE *out);	/* svg.c */
/*
 * Whether profile_write() has a chance, so that nobody waits for a capture in
 * vain. 0, or -1 and one line in *ret_error (free() it).
 */
int profile_can_write(const char *path, char **ret_error);
/*
 * Writes a file in the format of its suffix: all of it or nothing, in place of
 * an older one; for the user who called sudo only. 0, or -1 and one line in
 * *ret_error (free() it).
 */
int profile_write(const struct profile *p, const char *path, char **ret_error);

#endif
