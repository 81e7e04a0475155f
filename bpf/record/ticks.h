/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ticks.h: inside of a history: encoded ticks in groups, in memory or in a recording. Private to
 * history.c, group.c, compact.c and recording*.c.
 */
#pragma once

#include "bpf/record/codec.h"
#include "bpf/record/history.h"

#define MAX_LEVEL 16	/* ticks merged into one, at most; then dropped */

/* Location of an encoded tick. */
struct stored_tick {
	u64 seq, time_ns, interval_ns;
	u64 offset;	/* in the group's unpacked bytes, or in the file */
	u32 len;
};

struct packer;

/* A key tick and its deltas. */
struct group {
	u64 id;		/* unique */
	u32 first;	/* index of its first tick in the history */
	u32 level;	/* ticks merged into one: 1, 4, 16 */
	struct stored_tick *ticks;
	u32 n, cap;
	struct buf_out bytes;	/* empty for a file */
	bool packed;		/* bytes are a zlib stream of all ticks */
	bool unread;		/* not read before it is closed: packed bytes suffice */
	struct packer *packer;	/* while it grows */
};

/* Reads the ticks of a group in order. */
struct reader {
	struct z_stream_s *z;
	struct buf_out scratch;
};

/* Decoding only goes forward: the ticks just before the target are kept, for steps back. */
#define RECENT_TICKS 4	/* a snapshot of a large machine is megabytes */
#define RECENT_BEFORE 3

struct recent {
	u64 group;
	u32 tick;
	const struct snapshot *s;
};

/* Decodes forward through one group. */
struct cursor {
	struct decoder *decoder;
	struct reader reader;
	u64 group;	/* id, 0: none */
	u32 next;	/* next tick of the group */
	struct recent recent[RECENT_TICKS];
	u32 n_recent;	/* in total; the oldest is replaced */
	u32 unused;	/* appends since the last use */
};

struct job;

struct history {
	const struct stored_schema *schema;
	const struct session *session;
	int fd;		/* of a recording; -1: bytes in memory */
	u64 cap_bytes, most_bytes;	/* now; at most */
	struct group *groups;
	u32 n, cap;
	u32 len;	/* ticks */
	u64 bytes, next_id;
	u64 merged, dropped;
	struct encoder *encoder;
	const struct snapshot *newest;
	struct cursor cursor;
	struct job *job;		/* merging in progress, compact.c */
	u64 merge_cpu_ns, merge_after_ns;	/* CPU time; when the next may begin */
};

/* The history of a recording, with ticks in the file. All three must outlive it, fd stays open. */
struct history *history_new_file(int fd, const struct stored_schema *schema,
				 const struct session *session);
/* Adds a tick of that file; the first must be a key tick. */
void history_add_file_tick(struct history *h, const struct tick_head *head, u64 offset, u32 len);

void group_add(struct group *g, const struct stored_tick *t);
/* Encodes s as the next tick of g. */
void group_append(struct group *g, struct encoder *e, const struct snapshot *s);
/* Packs g; it does not grow any more. */
void group_close(struct group *g);
void group_free(struct group *g);
u64 group_bytes(const struct group *g);

/*
 * Encoded bytes of tick k, valid until the next call; NULL: read error. fd: the file, or -1. k is 0
 * or one more than in the last call.
 */
const u8 *reader_tick(struct reader *r, int fd, const struct group *g, u32 k);
void reader_clear(struct reader *r);

/* Renumbers the ticks after groups have changed. */
void history_renumber(struct history *h);

/* The unfinished result of a merge, or NULL. */
const struct group *compact_group(const struct history *h);
void compact_abort(struct history *h);
/* Merges or drops old ticks: a few a call, or as many as needed when over the cap. */
void compact_step(struct history *h);
