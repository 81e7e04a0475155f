/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exporter.h: one thread that hands every snapshot to the sinks (a recording,
 * OTLP). Whoever pushes never waits: a slow disk costs snapshots, which are
 * counted, but no tick and no frame.
 */
#ifndef OTTOP_EXPORTER_H
#define OTTOP_EXPORTER_H

#include "bpf/model/snapshot.h"

/*
 * Where snapshots go. The owner fills the first three members and embeds it in
 * what it needs; write() and close() run in the exporter's thread. The
 * numbers may be read at any time from any thread.
 */
struct sink {
	const char *name;
	/* 0 or -errno; after an error the sink is closed and gets no more. */
	int (*write)(struct sink *sink, const struct snapshot *s);
	/* Called once. 0 or -errno. */
	int (*close)(struct sink *sink);

	_Atomic u64 written, dropped;	/* snapshots */
	_Atomic int error;		/* -errno of the first failure, or 0 */
	_Atomic bool closed;		/* close() has returned: the owner may free it */
};

struct exporter;

/*
 * Starts the thread. At most queue_max snapshots are held, the one that is being written among
 * them, and as many as take max_bytes (snapshot.own_bytes); one may always wait. NULL and errno on failure.
 */
struct exporter *exporter_start(u32 queue_max, u64 max_bytes);
#define EXPORTER_SNAPSHOTS 64
#define EXPORTER_BYTES (48 << 20)
/* Gives a sink all snapshots that are pushed from now on. At most EXPORTER_MAX_SINKS: -ENOSPC. */
#define EXPORTER_MAX_SINKS 8
int exporter_add(struct exporter *e, struct sink *sink);
/* Closes a sink after what was pushed until now; it is done once sink->closed. */
void exporter_remove(struct exporter *e, struct sink *sink);
/* The same, and waits until it is done. */
void exporter_remove_wait(struct exporter *e, struct sink *sink);
/* Queues one snapshot (takes its own reference); the oldest ones make room and are counted. Never waits. */
void exporter_push(struct exporter *e, const struct snapshot *s);
/* Writes what is queued, closes the sinks, ends the thread, frees. NULL-safe. */
void exporter_stop(struct exporter *e);
/*
 * The same, but waits at most `ms`. False: a sink hangs in a write; the thread
 * and its sinks stay as they are and only the end of the process ends them.
 */
bool exporter_stop_within(struct exporter *e, u32 ms);

#endif
