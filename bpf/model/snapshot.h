/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot.h: what consumers (tui/, exporter/) see of the data: rows made from
 * schema.def, sealed snapshots of them, and the history they can step through.
 *
 * A sealed snapshot never changes. It is held by reference: snapshot_get() and
 * snapshot_put(). Rows and strings are shared between snapshots and are counted
 * too: a consumer may keep one row longer than its snapshot with row_get().
 */
#ifndef OTTOP_SNAPSHOT_H
#define OTTOP_SNAPSHOT_H

#include <math.h>

#include "bpf/model/base.h"
#include "bpf/model/hist.h"

/* ---- values that are not numbers ------------------------------------- */

/*
 * Unknown draws as '?', blank (not applicable) as nothing, pending ("not
 * yet", at most two ticks) as a dot. All three are null in JSON and are not
 * exported. A STR is unknown when NULL and blank when "".
 */
#define U64_UNKNOWN UINT64_MAX
#define U64_BLANK (UINT64_MAX - 1)
#define U64_PENDING (UINT64_MAX - 2)
#define F32_UNKNOWN __builtin_nanf("")
#define F32_BLANK (-__builtin_inff())
#define F32_PENDING __builtin_inff()

static inline bool u64_known(u64 v)
{
	return v < U64_PENDING;
}

static inline bool f32_known(float v)
{
	return isfinite(v);
}

/* ---- the schema ------------------------------------------------------- */

enum table_id {
#define TABLE(name, flags, per) TABLE_##name,
#define FIELD(...)
#define END(name)
#include "bpf/model/schema.def"
	N_TABLES
};

#define TABLE_BIT(id) (1ull << (id))
/* Beside TABLE_BIT(TABLE_stacks) among what is wanted: blocked time too, which costs more. */
#define WANT_OFFCPU (1ull << 63)
#define WANT_REQUEST_WAITS (1ull << 59)	/* beside TABLE_frames: only waits of threads with requests */
#define WANT_NO_LINES (1ull << 62)	/* no source lines of frames */
#define WANT_NO_CALLS (1ull << 58)	/* processes and host may leave out system calls */
/*
 * Reductions: no information on what threads wait on; the table syscalls only in every CALLS_TICKS-th
 * tick (in between it keeps its last rows, with an interval of 0).
 */
#define WANT_NO_WAITS (1ull << 57)
#define WANT_CALLS_SELDOM (1ull << 56)
#define CALLS_TICKS 5
#define WANT_ALL_REQUESTS (1ull << 55)	/* beside TABLE_requests: snapshot.more */
#define WANT_ALL_FRAMES (1ull << 60)	/* no frame is evicted: all of them are written to a file later */
#define WANT_ALL_LINES (1ull << 61)	/* lines of all frames, not only of those shown */

enum table_flags {
	T_SINGLE = 1,	/* one row */
	T_HAS_PID = 2,	/* has pid and start_time_ns members: rows of a process */
	T_PROCESS = 4 | T_HAS_PID,
	T_EVENTS = 8,	/* a row is something that happened: kept for a while, written once */
	T_MAP = 16,	/* as a SUB it is an object {first: second} in JSON, not an array */
};

enum field_type { FT_U64, FT_F32, FT_STR, FT_HIST, FT_SUB };
enum field_kind {
	FK_KEY, FK_LABEL, FK_GAUGE, FK_COUNTER, FK_RATE, FK_QUANTILE, FK_HISTOGRAM, FK_INTERNAL,
	FK_SUM	/* what happened in the interval: merged ticks add it up */
};
enum field_format {
	FF_INT,		/* plain number */
	FF_ID,		/* pid and the like: never shortened */
	FF_COUNT,	/* 3 digits and k M G (1000) */
	FF_RATE,	/* the same, per second */
	FF_PCT,		/* one decimal */
	FF_PCT3,	/* three decimals */
	FF_FLOAT2,	/* two decimals */
	FF_BYTES,	/* K M G (1024) */
	FF_BRATE,	/* the same, per second */
	FF_NS,		/* a duration in ns */
	FF_NSRATE,	/* ns per second */
	FF_TIME,	/* CLOCK_BOOTTIME ns; drawn as wall-clock time; a string in JSON */
	FF_AGE,		/* the same, drawn as the time that passed since */
	FF_COOKIE,	/* 64-bit identity; a string in JSON */
	FF_TEXT,	/* cut at the right */
	FF_CMD,		/* command line: cut at the right */
	FF_PATH,	/* cut in the middle */
	FF_STATE,	/* one letter */
	FF_COUNTS,	/* how often each name: "OK 405, NOT_FOUND 2"; an object in JSON; count_next() */
	FF_STACK,	/* numbers of frames, leaf first, in decimal with blanks between */
	FF_HIST,
	FF_SUB
};

struct field {
	const char *name, *title, *metric, *help;
	enum field_type type;
	enum field_kind kind;
	enum field_format format;
	u16 offset;	/* of the member in its row; HIST: of the cumulative one */
	u8 width;	/* columns on the screen; 0: the rest of the line */
	s8 sub;		/* SUB: the table nested here; else -1 */
};

struct table_desc {
	const char *name, *per;
	u32 flags;
	u32 row_size;
	const struct field *fields;
	u32 n_fields, n_keys;
	/* Offsets of the members that are references: what has to be copied and freed of a row. */
	const u16 *strs, *hists;
	u32 n_strs, n_hists;
};

extern const struct table_desc table_descs[N_TABLES];

/* Index of the field of that name, or -1. */
int table_field(enum table_id t, const char *name);
/* The table of that name, or -1. */
int table_by_name(const char *name);

/* ---- rows ------------------------------------------------------------- */

/*
 * Rows of a large table lie anywhere in memory: a loop over all of them prefetches the
 * next ones, to hide cache misses.
 */
#define ROWS_AHEAD 8
#define row_prefetch(rows, i, n) do {						\
	if ((i) + ROWS_AHEAD < (n)) {						\
		__builtin_prefetch((rows)[(i) + ROWS_AHEAD]);			\
		__builtin_prefetch((const char *)(rows)[(i) + ROWS_AHEAD] + 64);	\
	}									\
} while (0)

struct row {
	_Atomic u32 refs;
	u8 table;
	bool closed;	/* its object ended: these are the final values */
	bool other;	/* adds up the rows that were evicted */
	bool sum;	/* stands for several rows; in no snapshot */
	u64 first_seen_ns;	/* CLOCK_BOOTTIME: counters are cumulative since then */
};

#define CTYPE_U64(m) u64 m;
#define CTYPE_F32(m) float m;
#define CTYPE_STR(m) const char *m;
#define CTYPE_HIST(m) const struct hist *m, *m##_tick;
#define CTYPE_SUB(m)
#define TABLE(name, flags, per) struct name##_row { struct row row;
#define FIELD(t, m, type, ...) CTYPE_##type(m)
#define END(name) };
#include "bpf/model/schema.def"
#undef CTYPE_U64
#undef CTYPE_F32
#undef CTYPE_STR
#undef CTYPE_HIST
#undef CTYPE_SUB

static inline u64 row_u64(const struct row *r, const struct field *f)
{
	return *(const u64 *)((const char *)r + f->offset);
}

static inline float row_f32(const struct row *r, const struct field *f)
{
	return *(const float *)((const char *)r + f->offset);
}

static inline const char *row_str(const struct row *r, const struct field *f)
{
	return *(const char *const *)((const char *)r + f->offset);
}

static inline const struct hist *row_hist(const struct row *r, const struct field *f)
{
	return *(const struct hist *const *)((const char *)r + f->offset);
}

/* The histogram of the table's own interval, beside row_hist(). */
static inline const struct hist *row_hist_tick(const struct row *r, const struct field *f)
{
	return ((const struct hist *const *)((const char *)r + f->offset))[1];
}

/*
 * The growth of a counter from one snapshot to a later one (rate.c): 0 where it fell a little
 * or either is unknown; all of `to` if it was reset.
 */
u64 counter_growth(u64 from, u64 to);

const struct row *row_get(const struct row *r);	/* NULL-safe; returns r */
void row_put(const struct row *r);		/* NULL-safe */
/*
 * Order by the key fields; 0 means the same object. Both of one table. A sum is the
 * same as itself only.
 */
int row_cmp_keys(const struct row *a, const struct row *b);

/* ---- sums: rows that stand for several of their table (sum.c) ---------- */

/* How the members of a table add up, found once for many rows. */
enum sum_op {
	SUM_F32, SUM_U64, SUM_LEVEL_F32, SUM_LEVEL_U64, SUM_HIST, SUM_AGE, SUM_SAME_STR, SUM_SAME_U64,
	SUM_NOTHING
};
#define SUM_FIELDS 64
struct sum_plan {
	u16 offsets[SUM_FIELDS];
	u8 end[SUM_NOTHING];	/* of the offsets of each op, which stand together in this order */
};
void sum_plan_make(struct sum_plan *p, enum table_id t);

/* An empty sum, with `extra` zeroed bytes behind the row; the caller owns one reference. */
struct row *row_sum_new(enum table_id t, size_t extra);
/* Replaces its values with those of r. */
void row_sum_begin(struct row *sum, const struct row *r);
/*
 * Adds r by the kind of each column: rates, counters and levels are summed, of durations the
 * maximum is kept, histograms are merged; unknown values add nothing, nor do levels of closed
 * rows. Any other column is blank unless it is equal in all rows.
 */
void row_sum_add(const struct sum_plan *p, struct row *sum, const struct row *r);
/* Computes the quantiles, once all are added. */
void row_sum_end(struct row *sum);
/* Blanks all columns that cannot be summed, except these n. */
void row_sum_blank(struct row *sum, const struct field *const *keep, u32 n);
/* Sets a text column (copied). */
void row_sum_text(struct row *sum, const struct field *f, const char *text);
/* Adds only the columns that can be summed; `sum` may be any unshared row. */
void row_add_numbers(const struct sum_plan *p, struct row *sum, const struct row *r);

/* ---- snapshots -------------------------------------------------------- */

enum table_status {
	TS_OFF,		/* not wanted */
	TS_STARTING,	/* wanted; its first interval is not over */
	TS_OK,
	TS_PARTIAL,	/* has rows, but something is missing: reason */
	TS_BLOCKED	/* not available: reason */
};

struct table {
	enum table_status status;
	const char *reason;	/* interned, NULL when there is nothing to say */
	u64 interval_ns;	/* what rates and *_tick of this table cover */
	u32 n;
	const struct row **rows;	/* sorted by key */
};

/* What holds for the whole session; lives until the program ends. */
struct session {
	char host_name[65];
	char boot_id[40];
	char kernel[65];	/* uname release */
	char arch[16];		/* uname machine */
	char version[16];	/* of the ottop that observed */
	u64 start_ns;		/* CLOCK_BOOTTIME of the first tick */
	bool replay;
};

struct snapshot {
	_Atomic u32 refs;
	u64 seq;		/* 1, 2, ...; a merged old tick has the number of its last */
	u64 time_ns;		/* CLOCK_BOOTTIME of the tick */
	s64 unix_offset_ns;	/* add it to get Unix time */
	u64 interval_ns;	/* since the tick before */
	u64 own_bytes;		/* about what it takes that the one it was built after does not have */
	const struct session *session;
	struct table tables[N_TABLES];
	/*
	 * Of the table requests: those of this interval for which it has no room, in no order, and how many there were
	 * even beyond these. Only where WANT_ALL_REQUESTS is wanted, and in no history and no recording.
	 */
	const struct requests_row **more;
	u32 n_more;
	u64 left_out;
};

const struct snapshot *snapshot_get(const struct snapshot *s);	/* NULL-safe; returns s */
void snapshot_put(const struct snapshot *s);			/* NULL-safe */
/* The row with the same key as `like`, or NULL. Belongs to the snapshot. */
const struct row *snapshot_find(const struct snapshot *s, const struct row *like);
/* The process, or NULL; start_time_ns 0: the youngest with that pid. */
const struct processes_row *snapshot_process(const struct snapshot *s, u64 pid, u64 start_time_ns);
/* Half-open range of rows of one process in a T_HAS_PID table keyed by pid, start_time_ns. */
void snapshot_process_rows(const struct snapshot *s, enum table_id t, u64 pid, u64 start_time_ns,
			   u32 *ret_first, u32 *ret_end);
/* The only row of a T_SINGLE table, or NULL. */
const struct row *snapshot_single(const struct snapshot *s, enum table_id t);

/*
 * A reader's position in a table of events, whose rows stay for a while but are to be read once. Events
 * may come late, so it is by number, not by time. Zeroed: in the first snapshot the events of its
 * interval are due; with `begun` set, all.
 */
struct event_cursor {
	bool begun;
	u64 last;
};
/* True for rows of other tables too. */
bool event_is_due(const struct event_cursor *c, const struct snapshot *s, const struct row *r);
/* The reader has taken what was due. */
void events_taken(struct event_cursor *c, const struct snapshot *s, enum table_id t);

/* ---- history: the ticks that are kept, live or from a recording --------- */

/*
 * All calls from one thread. Index 0 is the oldest tick that is kept; indexes
 * shift when old ticks are merged or dropped, seq does not.
 */
struct history;

u32 history_len(const struct history *h);
/* seq, time and interval of tick i, without decoding it. */
u64 history_seq(const struct history *h, u32 i);
u64 history_time_ns(const struct history *h, u32 i);
u64 history_interval_ns(const struct history *h, u32 i);
/* Tick i as a snapshot (the caller owns one reference), or NULL when damaged. Walking forward is cheap. */
const struct snapshot *history_snapshot(struct history *h, u32 i);
/* Index of the last tick with seq <= the given one, or -1. */
int history_find(const struct history *h, u64 seq);
/* Frees the caches of reading the past, when the reader returns to the present. */
void history_rest(struct history *h);
/* Memory of the kept ticks. */
u64 history_bytes(const struct history *h);
/* Ticks that were merged into others, and dropped, so far. */
u64 history_merged(const struct history *h);
u64 history_dropped(const struct history *h);

/* A snapshot like s, but with that table of another one; one reference (builder.c). */
const struct snapshot *snapshot_with_table(const struct snapshot *s, const struct snapshot *from,
					   enum table_id t);

/* ---- the frames that rows of the table stacks name by number (snapshot_stacks.c) ---- */

/* Prefixes of frames that are not code, below the code in the stack of a wait. */
#define FRAME_WAKER_TEXT "← "	/* the waker: "← nginx 1191" */
#define FRAME_THING_TEXT "→ "	/* the object of the wait: "→ fd 3: pipe from nginx 1191" */
bool frame_is_code(const struct frames_row *r);

/* The member `lines` of a frame while its lines may still come; NULL-safe. */
#define LINES_NOT_ASKED_TEXT "not asked"
#define LINES_ASKED_TEXT "asked"
bool frame_lines_pending(const struct frames_row *r);

/* The next entry of a text of FF_COUNTS; advances *at, name has at least COUNT_NAME_MAX bytes. False: the end. */
#define COUNT_NAME_MAX 32
bool count_next(const char **at, char *name, u64 *n);

/* One part of requests.blocked_in. */
#define BLOCKED_FRAMES_MAX 4096
struct blocked {
	u64 ns;
	u32 n;			/* waits */
	u32 waker, waker_pid;	/* 0: none or unknown */
	const char *frames;	/* as in stacks.frames, n_frames bytes; empty: various other stacks */
	size_t n_frames;
};
/* The next entry of a text; advances *at. False: the end. */
bool blocked_next(const char **at, struct blocked *b);
/*
 * Blocked time of a request, ns, that is in no stack of blocked_in, as that was not sampled or was lost. 0: all is
 * attributed, within the tolerance between the two measurements (a tenth, and 1 ms).
 */
u64 blocked_unattributed_ns(const struct requests_row *q);

/* The next number of a text of FF_STACK; *text goes on. False: that was all. Collectors give none from FRAME_IDS on. */
#define FRAME_IDS (1u << 22)
static inline bool frame_id_next(const char **text, u32 *ret)
{
	const char *s = *text;

	while (*s == ' ')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	for (*ret = 0; *s >= '0' && *s <= '9'; s++)
		*ret = *ret * 10 + (u32)(*s - '0');
	*text = s;
	return true;
}

struct stack_frames {
	const struct frames_row **by_id;
	u32 n;
};

/* Of one snapshot, which the caller keeps until stack_frames_close(). */
struct stack_frames stack_frames_of(const struct snapshot *s);
void stack_frames_close(struct stack_frames *x);
/*
 * Calls fn for each frame of a stack, leaf first, with what was inlined there before
 * it, and 8,192 at most. ids: as in stacks.frames. f is NULL where the snapshot does not have the frame.
 */
void stack_frames_each(const struct stack_frames *x, const char *ids,
		       void (*fn)(const struct frames_row *f, void *arg), void *arg);
/*
 * What a frame is called in every format: its name, or [module+0x1a40]. Safe for
 * a terminal. Writes at most cap bytes. f may be NULL.
 */
void frame_text(char *buf, size_t cap, const struct frames_row *f);

#endif
