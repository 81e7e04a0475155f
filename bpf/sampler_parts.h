/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sampler_parts.h: shared by sampler.c (tick), sampler_asks.c (requests), sampler_start.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "bpf/collectors/collector.h"

#define QUEUE_CAP 64			/* snapshots not taken yet */

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
	u64 naming_ns;			/* deadline of sampler_name_frames(); 0: not called */
	const u32 *naming_ids;		/* its frames; NULL: all */
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
	s64 unix_offset_ns;		/* as in snapshots; 0: not read yet */
	bool to_open;			/* a wanted collector is to be opened at the next tick */
	atomic_ullong steps;		/* pieces of work done, for sampler_steps() */
	u32 *seen_now;
	struct { u32 pending; u64 since_ns; } naming;
};

/* Opens collector i; on failure its state is FAILED, with a reason. */
void sampler_open(struct sampler *s, u32 i);
void *sampler_thread(void *sampler);
/* Wakes the thread, to handle requests. */
void sampler_wake(struct sampler *s);
