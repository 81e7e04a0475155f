// SPDX-License-Identifier: GPL-2.0-or-later
/* exporter.c: the sink thread and its ring of snapshots; the lock is never held during a write. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bpf/model/thread.h"
#include "exporter/exporter.h"

/* A sink and the range of snapshots it receives. */
struct slot {
	struct sink *sink;	/* NULL: free */
	u64 first, end;		/* snapshot numbers it receives: [first, end) */
};

struct exporter {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, closed;
	struct slot slots[EXPORTER_MAX_SINKS];
	const struct snapshot **ring;
	u32 queue_max;
	u64 max_bytes;
	u64 pushed, taken;	/* snapshots; ring holds [taken, pushed) */
	u64 bytes;		/* of the queued snapshots and the one being written */
	bool writing;
	bool stopping;
};

static void sink_fail(struct sink *sink, int error)
{
	int none = 0;

	if (error)
		atomic_compare_exchange_strong(&sink->error, &none, error);
}

static void sink_close(struct sink *sink)
{
	sink_fail(sink, sink->close(sink));
	atomic_store(&sink->closed, true);
}

/*
 * Passes snapshot n to every sink whose range has it. Without the lock: only this thread frees
 * slots, and new slots start later.
 */
static void deliver(const struct slot *slots, u64 n, const struct snapshot *s)
{
	for (u32 i = 0; i < EXPORTER_MAX_SINKS; i++) {
		struct sink *sink = slots[i].sink;
		int err;

		if (!sink || n < slots[i].first || n >= slots[i].end ||
		    atomic_load(&sink->error))
			continue;
		err = sink->write(sink, s);
		sink_fail(sink, err);
		if (!err)
			atomic_fetch_add(&sink->written, 1);
	}
}

/* Removes completed and failed sinks from their slots; returns how many. */
static u32 collect_done(struct exporter *e, struct sink *done[EXPORTER_MAX_SINKS])
{
	u32 n = 0;

	for (u32 i = 0; i < EXPORTER_MAX_SINKS; i++) {
		struct slot *slot = &e->slots[i];
		bool complete = slot->end <= e->taken || (e->stopping && e->taken == e->pushed);

		if (slot->sink && (complete || atomic_load(&slot->sink->error))) {
			done[n++] = slot->sink;
			slot->sink = NULL;
		}
	}
	return n;
}

/* Closes completed sinks. Entered and left with the lock held, which is released in between. */
static bool close_done(struct exporter *e)
{
	struct sink *done[EXPORTER_MAX_SINKS];
	u32 n = collect_done(e, done);

	if (!n)
		return false;
	pthread_mutex_unlock(&e->lock);
	for (u32 i = 0; i < n; i++)
		sink_close(done[i]);
	pthread_mutex_lock(&e->lock);
	pthread_cond_broadcast(&e->closed);
	return true;
}

static void deliver_next(struct exporter *e)
{
	u64 n = e->taken++;
	const struct snapshot *s = e->ring[n % e->queue_max];
	struct slot slots[EXPORTER_MAX_SINKS];
	u64 bytes = s->own_bytes;

	for (u32 i = 0; i < EXPORTER_MAX_SINKS; i++)
		slots[i] = e->slots[i];
	e->writing = true;
	pthread_mutex_unlock(&e->lock);
	deliver(slots, n, s);
	snapshot_put(s);
	pthread_mutex_lock(&e->lock);
	e->writing = false;	/* it counted towards the queue's limits until now */
	e->bytes -= bytes;
}

static void *exporter_main(void *arg)
{
	struct exporter *e = arg;

	thread_background("ottop-sink");
	pthread_mutex_lock(&e->lock);
	for (;;) {
		if (close_done(e))
			continue;
		if (e->taken < e->pushed)
			deliver_next(e);
		else if (e->stopping)
			break;
		else
			pthread_cond_wait(&e->wake, &e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

struct exporter *exporter_start(u32 queue_max, u64 max_bytes)
{
	struct exporter *e = xcalloc(1, sizeof(*e));
	int err;

	e->queue_max = queue_max;
	e->max_bytes = max_bytes;
	e->ring = xcalloc(queue_max, sizeof(*e->ring));
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	pthread_cond_init(&e->closed, NULL);
	err = thread_start(&e->thread, NULL, exporter_main, e);
	if (!err)
		return e;
	free(e->ring);
	free(e);
	errno = err;
	return NULL;
}

int exporter_add(struct exporter *e, struct sink *sink)
{
	int err = -ENOSPC;

	pthread_mutex_lock(&e->lock);
	for (u32 i = 0; err && i < EXPORTER_MAX_SINKS; i++) {
		if (e->slots[i].sink)
			continue;
		e->slots[i] = (struct slot){ sink, e->pushed, UINT64_MAX };
		err = 0;
	}
	pthread_mutex_unlock(&e->lock);
	return err;
}

void exporter_remove(struct exporter *e, struct sink *sink)
{
	pthread_mutex_lock(&e->lock);
	for (u32 i = 0; i < EXPORTER_MAX_SINKS; i++)
		if (e->slots[i].sink == sink)
			e->slots[i].end = e->pushed;
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

void exporter_remove_wait(struct exporter *e, struct sink *sink)
{
	exporter_remove(e, sink);
	pthread_mutex_lock(&e->lock);
	while (!atomic_load(&sink->closed))
		pthread_cond_wait(&e->closed, &e->lock);
	pthread_mutex_unlock(&e->lock);
}

/* An empty queue accepts a snapshot of any size: otherwise a large host would send nothing. */
static bool has_room(const struct exporter *e, u64 bytes)
{
	u64 n = e->pushed - e->taken;

	return !n || (n + e->writing < e->queue_max && e->bytes + bytes <= e->max_bytes);
}

/* Removes the oldest queued snapshot that is not being written. */
static const struct snapshot *drop_oldest(struct exporter *e)
{
	u64 n = e->taken++;
	const struct snapshot *s = e->ring[n % e->queue_max];

	for (u32 i = 0; i < EXPORTER_MAX_SINKS; i++) {
		struct slot *slot = &e->slots[i];

		if (slot->sink && n >= slot->first && n < slot->end)
			atomic_fetch_add(&slot->sink->dropped, 1);
	}
	e->bytes -= s->own_bytes;
	return s;
}

void exporter_push(struct exporter *e, const struct snapshot *s)
{
	pthread_mutex_lock(&e->lock);
	while (!has_room(e, s->own_bytes)) {
		const struct snapshot *old = drop_oldest(e);

		pthread_mutex_unlock(&e->lock);
		snapshot_put(old);
		pthread_mutex_lock(&e->lock);
	}
	e->ring[e->pushed++ % e->queue_max] = snapshot_get(s);
	e->bytes += s->own_bytes;
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

static void ask_to_stop(struct exporter *e)
{
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

static void exporter_free(struct exporter *e)
{
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->wake);
	pthread_cond_destroy(&e->closed);
	free(e->ring);
	free(e);
}

void exporter_stop(struct exporter *e)
{
	if (!e)
		return;
	ask_to_stop(e);
	pthread_join(e->thread, NULL);
	exporter_free(e);
}

bool exporter_stop_within(struct exporter *e, u32 ms)
{
	u64 until = clock_ns(CLOCK_MONOTONIC) + ms * NSEC_PER_MSEC;
	struct timespec ts = { (time_t)(until / NSEC_PER_SEC), (long)(until % NSEC_PER_SEC) };

	ask_to_stop(e);
	if (pthread_clockjoin_np(e->thread, NULL, CLOCK_MONOTONIC, &ts))
		return false;
	exporter_free(e);
	return true;
}
