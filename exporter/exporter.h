/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exporter.h: one thread that hands every snapshot to the sinks (a recording, OTLP). Pushing never
 * blocks: a slow disk costs snapshots, which are counted, but no tick and no frame.
 */
#pragma once

#include "bpf/model/snapshot.h"

/*
 * Destination of snapshots; the owner fills the first three members. write() and close() run in the
 * exporter's thread. Counters: any thread, any time.
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
 * Starts the thread. The queue, including the snapshot being written, holds at most queue_max
 * snapshots and max_bytes bytes (snapshot.own_bytes); a single snapshot is always accepted. NULL
 * and errno on failure.
 */
struct exporter *exporter_start(u32 queue_max, u64 max_bytes);
#define EXPORTER_SNAPSHOTS 64
#define EXPORTER_BYTES (48 << 20)
/* Adds a sink for snapshots pushed from now on. -ENOSPC beyond EXPORTER_MAX_SINKS. */
#define EXPORTER_MAX_SINKS 8
int exporter_add(struct exporter *e, struct sink *sink);
/* Closes a sink once everything pushed so far is written; done when sink->closed is set. */
void exporter_remove(struct exporter *e, struct sink *sink);
/* As exporter_remove(), but waits until the sink is closed. */
void exporter_remove_wait(struct exporter *e, struct sink *sink);
/* Queues a snapshot (own reference). Never blocks: a full queue drops the oldest, counted. */
void exporter_push(struct exporter *e, const struct snapshot *s);
/* Writes the queued snapshots, closes the sinks, ends the thread, frees. NULL-safe. */
void exporter_stop(struct exporter *e);
/* exporter_stop() within `ms`. False: a sink hangs; the thread and its sinks are left. */
bool exporter_stop_within(struct exporter *e, u32 ms);
