// SPDX-License-Identifier: GPL-2.0-or-later
/* sampler_asks.c: what other threads ask of the sampler and take from it. The lock is held to copy, no longer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/helpers/resolver.h"
#include "bpf/sampler.h"
#include "bpf/sampler_parts.h"

unsigned long long sampler_steps(const struct sampler *s)
{
	return atomic_load(&s->steps);
}

const struct session *sampler_session(const struct sampler *s)
{
	return &s->session;
}

int sampler_fd(const struct sampler *s)
{
	return s->ready_fd;
}

const struct snapshot *sampler_take(struct sampler *s)
{
	const struct snapshot *snap = NULL;
	u64 n;

	pthread_mutex_lock(&s->lock);
	if (s->queued) {
		snap = s->queue[s->head];
		s->head = (s->head + 1) % QUEUE_CAP;
		s->queued--;
	}
	if (!s->queued && read(s->ready_fd, &n, sizeof(n)) < 0)
		n = 0;	/* was not readable: fine */
	pthread_mutex_unlock(&s->lock);
	return snap;
}

void sampler_wake(struct sampler *s)
{
	u64 one = 1;

	if (write(s->wake_fd, &one, sizeof(one)) < 0)
		log_line("wake-up of the sampler: %s", strerror(errno));
}

void sampler_want(struct sampler *s, u64 tables, u64 focus_pid, u64 focus_start_ns)
{
	bool changed;

	pthread_mutex_lock(&s->lock);
	changed = s->want != tables || s->focus_pid != focus_pid;
	s->want = tables;
	s->focus_pid = focus_pid;
	s->focus_start_ns = focus_start_ns;
	pthread_mutex_unlock(&s->lock);
	if (changed)
		sampler_wake(s);
}

void sampler_look(struct sampler *s, const u32 *pids, u32 n)
{
	pthread_mutex_lock(&s->lock);
	s->n_looked = min(n, (u32)LOOKED_MAX);
	memcpy(s->looked, pids, s->n_looked * sizeof(*pids));
	pthread_mutex_unlock(&s->lock);
}

void sampler_scope_to_focus(struct sampler *s, bool on)
{
	pthread_mutex_lock(&s->lock);
	s->scope_to_focus = on;
	pthread_mutex_unlock(&s->lock);
}

void sampler_see_frames(struct sampler *s, const u32 *ids, u32 n)
{
	u32 *seen = xmalloc((n + 1) * sizeof(*seen));

	if (n)
		memcpy(seen, ids, n * sizeof(*seen));
	pthread_mutex_lock(&s->lock);
	free(s->seen);
	s->seen = seen;
	s->n_seen = n;
	pthread_mutex_unlock(&s->lock);
	sampler_wake(s);
}

const struct snapshot *sampler_name_frames(struct sampler *s, const u32 *ids, u32 n, u64 patience_ns)
{
	const struct snapshot *named;

	pthread_mutex_lock(&s->lock);
	s->naming_ns = boottime_ns() + patience_ns;
	s->naming_ids = ids;
	s->n_naming_ids = n;
	sampler_wake(s);
	while (s->naming_ns)
		pthread_cond_wait(&s->was_named, &s->lock);
	named = s->named;
	s->named = NULL;
	pthread_mutex_unlock(&s->lock);
	return named;
}

void sampler_interval(struct sampler *s, u64 interval_ns)
{
	pthread_mutex_lock(&s->lock);
	s->interval_ns = interval_ns;
	pthread_mutex_unlock(&s->lock);
	sampler_wake(s);
}

void sampler_ask_name(struct sampler *s, const char *addr)
{
	resolver_ask(addr);
}

void sampler_tell_history_bytes(struct sampler *s, u64 bytes)
{
	pthread_mutex_lock(&s->lock);
	s->history_bytes = bytes;
	pthread_mutex_unlock(&s->lock);
}
