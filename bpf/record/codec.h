/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec.h: a snapshot as bytes: an edit script against the snapshot before it. Used by history and
 * recordings. Private to bpf/.
 *
 * Ticks come in groups: a key tick, which stands alone, then deltas. Strings are sent once a group
 * and referred to by number.
 *
 *	tick   := head table*				one table after the other, in schema order
 *	head   := flags seq time unix-offset interval	flags: TICK_KEY
 *	table  := flags [status reason] [interval] op*	TF_SAME: nothing follows
 *	op     := copies << 2 | kind			copies so many rows of the tick before, then
 *		OP_END, OP_DROP the next one, OP_CHANGE row or OP_INSERT row
 *	row    := mask value*		one bit a stored field, bit 0: closed, other, first_seen
 *	value  := U64 zig-zag difference | F32 4 bytes | STR number | HIST see below
 *
 * A changed row differs from the same row of the tick before; an inserted one from the row before
 * it in the table (or a blank one), as neighbours share process, user and cgroup.
 *
 * HIST: the interval's histogram; the cumulative one is the old one plus that, and stored only if
 * not. QUANTILE members are computed again. SUB members have no storage.
 *
 * An unchanged row has equal values, also those of the interval, and the same pointer: snapshots
 * share rows only if row_equal(), and any count in the interval changes the cumulative members.
 */
#pragma once

#include "bpf/model/snapshot.h"
#include "bpf/record/buffer.h"

#define CODEC_GROUP_TICKS 60	/* at most so many ticks per key tick */

/* Limits of the decoder; an encoder stays far below. */
#define CODEC_MAX_TABLES 256
#define CODEC_MAX_FIELDS 63		/* stored ones: bits of the row mask, less one */
#define CODEC_MAX_ROWS (1u << 18)	/* of a table */
#define CODEC_MAX_STR (1u << 16)	/* bytes of a string; longer ones are cut */
#define CODEC_MAX_STRINGS (1u << 20)	/* of a group */
#define CODEC_MAX_STRING_BYTES (64u << 20)	/* of a group */
#define CODEC_MAX_ROW_BYTES (256u << 20)	/* rows and histograms of one tick */
#define CODEC_MAX_COUNT (1ull << 60)	/* values in a histogram */
#define CODEC_MAX_TIME (1ull << 62)	/* ns: sums of two do not wrap */
#define CODEC_MAX_INTERVAL (1ull << 55)	/* ns: a year */
#define CODEC_MAX_GROUP 4096		/* ticks of a group */

enum { TICK_KEY = 1 };
enum { TF_SAME = 1, TF_STATUS = 2, TF_INTERVAL = 4 };
enum codec_op { OP_END, OP_CHANGE, OP_INSERT, OP_DROP };
/* Two bits each in the byte before a histogram. */
enum { HT_NULL, HT_GIVEN, HT_SAME };			/* of the interval */
enum { HC_NULL, HC_GIVEN, HC_SAME, HC_SUM };		/* cumulative */

/* ---- the schema the bytes were written with ------------------------------ */

struct stored_field {
	u8 type;	/* enum field_type */
	s16 field;	/* index in our table; -1: unknown */
};

struct stored_table {
	s16 id;		/* enum table_id; -1: unknown */
	u16 n;
	struct stored_field *fields;	/* the stored ones */
};

struct stored_schema {
	u32 n;
	struct stored_table *tables;
};

/* Whether such a field is stored. */
bool stored_is(enum field_type type, enum field_kind kind);
/* This program's schema; static. */
const struct stored_schema *stored_schema_own(void);
/* Appends this program's schema, with names. */
void stored_schema_put(struct buf_out *o);
/* Reads a schema and matches it with ours; NULL: damaged. Free with stored_schema_free(). */
struct stored_schema *stored_schema_get(struct buf_in *in);
void stored_schema_free(struct stored_schema *s);	/* NULL-safe */

struct tick_head {
	bool key;
	u64 seq, time_ns, interval_ns;
	s64 unix_offset_ns;
};

/* Reads the head of an encoded tick; sets in->bad if there is none. */
struct tick_head tick_head_get(struct buf_in *in);

/* ---- snapshots to bytes --------------------------------------------------- */

struct encoder;

struct encoder *encoder_new(void);
void encoder_free(struct encoder *e);	/* NULL-safe */
/* Appends a tick; `key` starts a group, as the first tick must. References s until the next. */
void encoder_tick(struct encoder *e, const struct snapshot *s, bool key, struct buf_out *o);
/* The strings of the group take so much that a new group is due. */
bool encoder_is_full(const struct encoder *e);

/* ---- bytes to snapshots ---------------------------------------------------- */

struct decoder;

/* Both must outlive the decoder; the session also its snapshots. */
struct decoder *decoder_new(const struct stored_schema *schema, const struct session *session);
void decoder_free(struct decoder *d);	/* NULL-safe */
/* Decoded rows share equal rows of `like` (NULL: none), which must live until the next call. */
void decoder_like(struct decoder *d, const struct snapshot *like);
/* 0, or -EBADMSG: invalid, or out of sequence: only a key tick is accepted. Safe for any bytes. */
int decoder_tick(struct decoder *d, const u8 *data, size_t len);
/* The last tick as a snapshot (one reference), or NULL. */
const struct snapshot *decoder_snapshot(struct decoder *d);
