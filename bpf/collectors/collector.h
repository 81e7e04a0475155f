/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector.h: what a collector is. One line in collectors.def, one file
 * collectors/X.c, and where it has kernel programs X.bpf.c and X.h beside it.
 * The sampler runs them in the order of collectors.def, all in one thread.
 */
#pragma once

#include "bpf/host/scope.h"
#include "bpf/model/snapshot_build.h"

/* One interval, as collectors see it. Times are CLOCK_BOOTTIME. */
struct tick {
	struct builder *b;
	u64 now_ns;
	u64 prev_ns;		/* the tick before; 0 on the first */
	u64 interval_ns;	/* 0 on the first tick: no rate is known */
	u64 seq;
	u64 want;		/* TABLE_BIT()s */
	u64 focus_pid, focus_start_ns;
	u32 looked[LOOKED_MAX], n_looked;	/* pids on the screen */
	bool scope_to_focus;	/* expensive probes may leave the others out */
	const u32 *seen;	/* frames shown from now on, the most important first; NULL: as before */
	u32 n_seen;
	bool hurry;		/* a consumer waits for names and lines */
	const struct scope *scope;
	float budget_pct;
	u64 history_bytes;
	u64 last_tick_ns;	/* duration of the previous tick's work */
};

#define COLLECTOR_FDS 4

struct collector {
	const char *name;
	u64 tables;		/* TABLE_BIT()s that it fills */
	bool always;		/* runs even if not wanted */
	u64 linger_ns;		/* how long it runs on when no longer wanted; 0: five minutes; see linger.h */
	const char *what;	/* what it observes; used as reason if open() fails without one */
	const char *rows_from;	/* source of its rows, if it has no BPF programs; NULL: /proc and other collectors */
	/*
	 * Loads and attaches; NULL: no-op. 0, or -errno (one line in reason if the errno does not
	 * suffice). close() follows once in both cases, and then perhaps another open().
	 */
	int (*open)(char *reason, size_t cap);
	/* The wants changed between two ticks; t->b is NULL. */
	void (*adjust)(const struct tick *t);
	/* The interval ends: swaps double-buffered maps. True: a grace period is needed before read(). */
	bool (*swap)(const struct tick *t);
	/* Drains ring buffers; several times a tick, and when a descriptor of fds() is readable. */
	void (*drain)(void);
	/* Descriptors to poll, at most COLLECTOR_FDS; returns their number. */
	u32 (*fds)(int *fds);
	/* Adds this interval's rows and builder_status(). 0 or -errno (stopped then). */
	int (*read)(const struct tick *t);
	/* After every collector has read. */
	void (*end)(const struct tick *t);
	void (*close)(void);	/* also after a failed open(); NULL: nothing to do */
};

/* Sampling rate, observed processes and so on; valid as long as the sampler runs. */
const struct sampler_options *sampler_options(void);

#define COLLECTOR(name) extern const struct collector name##_collector;
#include "bpf/collectors/collectors.def"

enum {
#define COLLECTOR(name) name##_place,
#include "bpf/collectors/collectors.def"
	N_COLLECTORS
};

extern const struct collector *const collectors[N_COLLECTORS];

/* 0, or -errno with one line in reason: then it is closed again. */
int collector_open(const struct collector *c, char *reason, size_t cap);
void collector_close(const struct collector *c);
