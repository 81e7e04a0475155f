// SPDX-License-Identifier: GPL-2.0-or-later
/* sampler_start.c: the sampler's start and end, its helpers', and what a session is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf/helpers/admin.h"
#include "bpf/helpers/privileges.h"
#include "bpf/helpers/resolver.h"
#include "bpf/host/proctab.h"
#include "bpf/kernel/features.h"
#include "bpf/kernel/probes.h"
#include "bpf/model/thread.h"
#include "bpf/protocols/report.h"
#include "bpf/sampler.h"
#include "bpf/sampler_parts.h"
#include "symbolizer/symbolizer.h"

static const struct sampler_options usual = { .rate_hz = 99 };	/* for --check */
static const struct sampler_options *options = &usual;	/* of the one that runs */

const struct sampler_options *sampler_options(void)
{
	return options;
}

static void read_boot_id(char *buf, size_t cap)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	buf[0] = '\0';
	if (f && fgets(buf, (int)cap, f))
		buf[strcspn(buf, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void fill_session(struct session *session)
{
	struct utsname u;

	uname(&u);
	snprintf(session->host_name, sizeof(session->host_name), "%s", u.nodename);
	snprintf(session->kernel, sizeof(session->kernel), "%s", u.release);
	snprintf(session->arch, sizeof(session->arch), "%.15s", u.machine);
	snprintf(session->version, sizeof(session->version), "%s", OTTOP_VERSION);
	read_boot_id(session->boot_id, sizeof(session->boot_id));
	session->start_ns = boottime_ns();
}

static const struct sampler *volatile kept;	/* so that it is not a leak */

void sampler_start_helpers(void)
{
	admin_start();
	symbolizer_start();
	protocols_start();
	resolver_start();
}

void sampler_stop_helpers(void)
{
	admin_stop();
	symbolizer_stop();
	protocols_stop();
	resolver_stop();
}

static void sampler_free(struct sampler *s)
{
	for (u32 i = N_COLLECTORS; i-- > 0; )
		if (s->states[i] == RUNNING)
			collector_close(collectors[i]);
	while (s->queued--)
		snapshot_put(s->queue[s->head++ % QUEUE_CAP]);
	snapshot_put(s->prev);
	free(s->seen);
	free(s->seen_now);
	close(s->timer_fd);
	close(s->wake_fd);
	close(s->ready_fd);
	proctab_scope(NULL);
	sampler_stop_helpers();
	/* the session stays: snapshots that are still referenced point to it */
	kept = s;
}

struct sampler *sampler_start(const struct sampler_options *o, char **ret_error)
{
	struct features features;
	struct sampler *s;
	int err;

	features_read(&features);
	*ret_error = features_obstacle(&features);
	if (*ret_error)
		return NULL;
	probes_quiet();
	sampler_start_helpers();
	s = xcalloc(1, sizeof(*s));
	s->opt = *o;
	options = &s->opt;
	s->want = o->tables;
	s->interval_ns = o->interval_ns;
	s->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->was_named, NULL);
	fill_session(&s->session);
	proctab_scope(&s->opt.scope);
	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (collectors[i]->always)
			sampler_open(s, i);
	if (s->states[0] == FAILED) {	/* processes: without them there is nothing to show */
		*ret_error = xasprintf("%s; 'ottop --check' says more, 'ottop --replay FILE' works",
				       s->reasons[0]);
		sampler_free(s);
		return NULL;
	}
	err = thread_raise();
	if (err)
		log_line("priority: not raised: %s", strerror(-err));
	if (privileges_drop())
		log_line("capabilities: not dropped: %s", strerror(errno));
	err = thread_start(&s->thread, NULL, sampler_thread, s);
	if (err) {
		*ret_error = xasprintf("cannot start a thread: %s", strerror(err));
		sampler_free(s);
		return NULL;
	}
	return s;
}

void sampler_stop(struct sampler *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_mutex_unlock(&s->lock);
	sampler_wake(s);
	pthread_join(s->thread, NULL);
	sampler_free(s);
}
