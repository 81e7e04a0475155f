/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sampler_parts.h: what the sampler's files share: the thread with the tick (sampler.c), what others
 * ask of it and take from it (sampler_asks.c), its start and end (sampler_start.c).
 */
#ifndef OTTOP_SAMPLER_PARTS_H
#define OTTOP_SAMPLER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "bpf/collectors/collector.h"

#define QUEUE_CAP 64			/* snapshots nobody has taken */

enum sampler_state { CLOSED, RUNNING, FAILED };

struct sampler {
	struct session session;
	struct sampler_options opt;
	pthread_t thread;
	int timer_fd, wake_fd, ready_fd;

	/* shared with the consumer */
	pthread_mutex_t lock;
	u64 want, focus_pid, focus_start_ns, interval_ns, history_bytes;
	u32 looked[LOOKED_MAX], n_looked;
	bool scope_to_focus, stop;
	u32 *seen, n_seen;		/* NULL: nothing new */
	u64 naming_ns;			/* somebody waits for names and lines until then; 0: nobody */
	const u32 *naming_ids;		/* of these frames; NULL: of all */
	u32 n_naming_ids;
	const struct snapshot *named;
	pthread_cond_t was_named;
	const struct snapshot *queue[QUEUE_CAP];
	u32 head, queued;
	u64 overflows;

	/* of the thread */
	enum sampler_state states[N_COLLECTORS];
	char reasons[N_COLLECTORS][160];
	u64 wanted_ns[N_COLLECTORS];
	const struct snapshot *prev;
	u64 seq, next_tick_ns, last_tick_cost_ns;
	s64 unix_offset_ns;	/* as snapshots have it; 0: not read yet */
	bool to_open;			/* something that is wanted waits for the next tick */
	atomic_ullong steps;		/* pieces of work done, for sampler_steps() */
	u32 *seen_now;
	struct { u32 pending; u64 since_ns; } naming;
};

/* Starts collector i; where it cannot be, it has FAILED and says why. */
void sampler_open(struct sampler *s, u32 i);
void *sampler_thread(void *sampler);
/* Ends its wait, to look what was asked. */
void sampler_wake(struct sampler *s);

#endif
