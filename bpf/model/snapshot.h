/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot.h: what consumers (tui/, exporter/) see of the data: rows made from
 * schema.def, sealed snapshots of them, and the history they can step through.
 *
 * A sealed snapshot never changes. It is held by reference: snapshot_get() and
 * snapshot_put(). Rows and strings are shared between snapshots and are counted
 * too: a consumer may keep one row longer than its snapshot with row_get().
 */
#pragma once

#include <math.h>

#include "bpf/model/base.h"
#include "bpf/model/hist.h"

/* ---- values that are not numbers ------------------------------------- */

/*
 * Unknown is drawn as '?', blank (not applicable) as nothing, pending (not yet, at most two ticks)
 * as a dot; all are null in JSON and not exported. A STR is unknown if NULL, blank if "".
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
/* With TABLE_BIT(TABLE_stacks): blocked time too, which costs more. */
#define WANT_OFFCPU (1ull << 63)
#define WANT_REQUEST_WAITS (1ull << 59)	/* with TABLE_frames: only waits of threads with requests */
#define WANT_NO_LINES (1ull << 62)	/* no source lines of frames */
#define WANT_NO_CALLS (1ull << 58)	/* processes and host may leave out system calls */
/*
 * Reductions: not what threads wait on; syscalls only in every CALLS_TICKS-th tick (in between it
 * keeps its rows, with an interval of 0).
 */
#define WANT_NO_WAITS (1ull << 57)
#define WANT_CALLS_SELDOM (1ull << 56)
#define CALLS_TICKS 5
#define WANT_ALL_REQUESTS (1ull << 55)	/* with TABLE_requests: snapshot.more */
#define WANT_ALL_FRAMES (1ull << 60)	/* no frame is evicted: all go to a file later */
#define WANT_ALL_LINES (1ull << 61)	/* lines of all frames, not only of those shown */

enum table_flags {
	T_SINGLE = 1,	/* one row */
	T_HAS_PID = 2,	/* has pid and start_time_ns */
	T_PROCESS = 4 | T_HAS_PID,
	T_EVENTS = 8,	/* rows are events: kept for a while, read once */
	T_MAP = 16,	/* as a SUB in JSON: {first: second}, not an array */
};

enum field_type { FT_U64, FT_F32, FT_STR, FT_HIST, FT_SUB };
enum field_kind {
	FK_KEY, FK_LABEL, FK_GAUGE, FK_COUNTER, FK_RATE, FK_QUANTILE, FK_HISTOGRAM, FK_INTERNAL,
	FK_SUM	/* in the interval: merged ticks add it up */
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
	/* Offsets of members that are references, to be copied and freed. */
	const u16 *strs, *hists;
	u32 n_strs, n_hists;
};

extern const struct table_desc table_descs[N_TABLES];

/* Index of the field of that name, or -1. */
int table_field(enum table_id t, const char *name);
/* That field, or NULL. */
const struct field *schema_field(enum table_id t, const char *name);
/* The table of that name, or -1. */
int table_by_name(const char *name);

/* ---- rows ------------------------------------------------------------- */

/* Prefetches upcoming rows in a loop over a large table, to hide cache misses. */
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
	bool closed;	/* object ended: final values */
	bool other;	/* sum of evicted rows */
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

/* A row as that of its table: processes_row(r) of a row of TABLE_processes. NULL-safe. */
#define TABLE(name, flags, per) \
	static inline const struct name##_row *name##_row(const struct row *r) { return (const struct name##_row *)r; }
#define FIELD(...)
#define END(name)
#include "bpf/model/schema.def"

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

/* The histogram of the table's own interval. */
static inline const struct hist *row_hist_tick(const struct row *r, const struct field *f)
{
	return ((const struct hist *const *)((const char *)r + f->offset))[1];
}

/* Growth of a counter between snapshots (rate.c); 0: fell a little, unknown; `to` after a reset. */
u64 counter_growth(u64 from, u64 to);

const struct row *row_get(const struct row *r);	/* NULL-safe; returns r */
void row_put(const struct row *r);		/* NULL-safe */

/* The place, a pointer to a row of some table or NULL, keeps r (NULL: none) from now on. */
#define ROW_KEEP(place, r) do {					\
	typeof(&(place)) place_ = &(place);			\
	typeof(place) r_ = (r);					\
								\
	row_get((const struct row *)r_);			\
	row_put((const struct row *)*place_);			\
	*place_ = r_;						\
} while (0)

/* Order of rows of a table by key; 0: the same object. A sum only equals itself. */
int row_cmp_keys(const struct row *a, const struct row *b);

/* ---- sums: rows that stand for several of their table (sum.c) ---------- */

/* How a table's members add up, computed once for many rows. */
enum sum_op {
	SUM_F32, SUM_U64, SUM_LEVEL_F32, SUM_LEVEL_U64, SUM_HIST, SUM_AGE, SUM_SAME_STR, SUM_SAME_U64,
	SUM_NOTHING
};
#define SUM_FIELDS 64
struct sum_plan {
	u16 offsets[SUM_FIELDS];
	u8 end[SUM_NOTHING];	/* ends of the offsets of each op, which are in this order */
};
void sum_plan_make(struct sum_plan *p, enum table_id t);

/* An empty sum with `extra` zeroed bytes behind the row; one reference. */
struct row *row_sum_new(enum table_id t, size_t extra);
/* Replaces the sum by the values of r. */
void row_sum_begin(struct row *sum, const struct row *r);
/*
 * Adds r by the kind of each column: rates, counters and levels are summed, durations maximized,
 * histograms merged; unknown values and levels of closed rows are ignored. Other columns are blank
 * unless equal in all rows.
 */
void row_sum_add(const struct sum_plan *p, struct row *sum, const struct row *r);
/* Computes the quantiles after the last row. */
void row_sum_end(struct row *sum);
/* Blanks all columns that cannot be summed, except these n. */
void row_sum_blank(struct row *sum, const struct field *const *keep, u32 n);
/* Sets a text column to a copy. */
void row_sum_text(struct row *sum, const struct field *f, const char *text);
/* Only adds columns that can be summed; `sum` may be any unshared row. */
void row_add_numbers(const struct sum_plan *p, struct row *sum, const struct row *r);

/* ---- snapshots -------------------------------------------------------- */

enum table_status {
	TS_OFF,		/* not wanted */
	TS_STARTING,	/* wanted, in its first interval */
	TS_OK,
	TS_PARTIAL,	/* rows are incomplete: reason */
	TS_BLOCKED	/* not available: reason */
};

struct table {
	enum table_status status;
	const char *reason;	/* interned, or NULL */
	u64 interval_ns;	/* of rates and *_tick of this table */
	u32 n;
	const struct row **rows;	/* sorted by key */
};

/* Properties of the session; never freed. */
struct session {
	char host_name[65];
	char boot_id[40];
	char kernel[65];	/* uname release */
	char arch[16];		/* uname machine */
	char version[16];	/* of the observing ottop */
	u64 start_ns;		/* CLOCK_BOOTTIME of the first tick */
	bool replay;
};

struct snapshot {
	_Atomic u32 refs;
	u64 seq;		/* 1, 2, ...; merged: that of the last tick */
	u64 time_ns;		/* CLOCK_BOOTTIME of the tick */
	s64 unix_offset_ns;	/* plus time_ns: Unix time */
	u64 interval_ns;	/* since the tick before */
	u64 own_bytes;		/* memory not shared with its predecessor, about */
	const struct session *session;
	struct table tables[N_TABLES];
	/*
	 * Requests of this interval for which the table has no room, unordered, and how many there
	 * were beyond. Only with WANT_ALL_REQUESTS; not in history or recordings.
	 */
	const struct requests_row **more;
	u32 n_more;
	u64 left_out;
};

const struct snapshot *snapshot_get(const struct snapshot *s);	/* NULL-safe; returns s */
void snapshot_put(const struct snapshot *s);			/* NULL-safe */
/* The snapshot's row with the key of `like`, or NULL. */
const struct row *snapshot_find(const struct snapshot *s, const struct row *like);
/* The process or NULL; start_time_ns 0: the youngest of that pid. */
const struct processes_row *snapshot_process(const struct snapshot *s, u64 pid, u64 start_time_ns);
/* Half-open range of a process's rows in a T_HAS_PID table keyed by pid, start_time_ns. */
void snapshot_process_rows(const struct snapshot *s, enum table_id t, u64 pid, u64 start_time_ns,
			   u32 *ret_first, u32 *ret_end);
/* The row of a T_SINGLE table, or NULL. */
const struct row *snapshot_single(const struct snapshot *s, enum table_id t);

/*
 * A reader's position in a table of events, by number, as events may be late. Zeroed: first, the
 * events of the snapshot's interval are due; with `begun`: all.
 */
struct event_cursor {
	bool begun;
	u64 last;
};
/* True for rows of other tables. */
bool event_is_due(const struct event_cursor *c, const struct snapshot *s, const struct row *r);
/* The reader has read all due rows. */
void events_taken(struct event_cursor *c, const struct snapshot *s, enum table_id t);

/* ---- history: kept ticks, live or from a recording ------------------------ */

/* One thread only. Index 0 is the oldest tick; merging and dropping shifts indexes, not seq. */
struct history;

u32 history_len(const struct history *h);
/* Properties of tick i, without decoding. */
u64 history_seq(const struct history *h, u32 i);
u64 history_time_ns(const struct history *h, u32 i);
u64 history_interval_ns(const struct history *h, u32 i);
/* Tick i (one reference), or NULL if damaged. Walking forward is cheap. */
const struct snapshot *history_snapshot(struct history *h, u32 i);
/* Index of the last tick up to that seq, or -1. */
int history_find(const struct history *h, u64 seq);
/* Frees caches of the past. */
void history_rest(struct history *h);
u64 history_bytes(const struct history *h);
/* Number of ticks merged into others, and dropped. */
u64 history_merged(const struct history *h);
u64 history_dropped(const struct history *h);

/* s with that table of another snapshot; one reference (builder.c). */
const struct snapshot *snapshot_with_table(const struct snapshot *s, const struct snapshot *from,
					   enum table_id t);

/* ---- frames of the table stacks (snapshot_stacks.c) ---- */

/* Prefixes of frames that are no code, below the code of a wait. */
#define FRAME_WAKER_TEXT "← "	/* the waker: "← nginx 1191" */
#define FRAME_THING_TEXT "→ "	/* the object of the wait: "→ fd 3: pipe from nginx 1191" */
bool frame_is_code(const struct frames_row *r);

/* The value of frame.lines while lines may still come; NULL-safe. */
#define LINES_NOT_ASKED_TEXT "not asked"
#define LINES_ASKED_TEXT "asked"
bool frame_lines_pending(const struct frames_row *r);

/* The next entry of an FF_COUNTS text; advances *at. name: COUNT_NAME_MAX bytes. False: the end. */
#define COUNT_NAME_MAX 32
bool count_next(const char **at, char *name, u64 *n);

/* One part of requests.blocked_in. */
#define BLOCKED_FRAMES_MAX 4096
struct blocked {
	u64 ns;
	u32 n;			/* waits */
	u32 waker, waker_pid;	/* 0: none or unknown */
	const char *frames;	/* as in stacks.frames, n_frames bytes; empty: other stacks */
	size_t n_frames;
};
/* The next part; advances *at. False: the end. */
bool blocked_next(const char **at, struct blocked *b);
/*
 * A request's blocked time, ns, that is in no stack of blocked_in (not sampled, or lost). 0 within
 * the tolerance of the two measurements (a tenth, and 1 ms).
 */
u64 blocked_unattributed_ns(const struct requests_row *q);

/* The next number of an FF_STACK text; advances *text. False: the end. Below FRAME_IDS. */
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

/* For one snapshot, which must live until stack_frames_close(). */
struct stack_frames stack_frames_of(const struct snapshot *s);
void stack_frames_close(struct stack_frames *x);
/*
 * Calls fn for up to 8,192 frames of a stack (ids: as in stacks.frames), leaf first, inlined ones
 * before their frame. f: NULL if the snapshot lacks it.
 */
void stack_frames_each(const struct stack_frames *x, const char *ids,
		       void (*fn)(const struct frames_row *f, void *arg), void *arg);
/* A frame's name in every format, or [module+0x1a40]; safe for a terminal. f may be NULL. */
void frame_text(char *buf, size_t cap, const struct frames_row *f);
