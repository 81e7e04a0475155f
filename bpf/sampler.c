// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sampler.c: the thread with the tick. It swaps, waits one grace period, lets
 * every collector read, seals the snapshot and hands it over in a queue.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bpf/host/proctab.h"
#include "bpf/kernel/linger.h"
#include "bpf/kernel/probes.h"
#include "bpf/model/thread.h"
#include "bpf/sampler.h"
#include "bpf/sampler_parts.h"
#include "bpf/stacks/frames.h"

#define OPEN_NS (200 * NSEC_PER_MSEC)	/* then open collectors are shown before more are opened */
#define FIRST_NS (400 * NSEC_PER_MSEC)	/* the first interval is short, as the user waits for it */
#define DRAIN_NS (100 * NSEC_PER_MSEC)	/* of ring buffers, between ticks */
#define OFFSET_JITTER_NS (s64)NSEC_PER_MSEC	/* two clocks are never read at one time */
#define NAMING_STUCK_NS (4 * NSEC_PER_SEC)	/* one unit of DWARF may take 3 s of CPU time */

/* ---- collectors ---- */

void sampler_open(struct sampler *s, u32 i)
{
	int err = collector_open(collectors[i], s->reasons[i], sizeof(s->reasons[i]));

	s->states[i] = err ? FAILED : RUNNING;
	if (err && s->seq)	/* at start the tables say it, or the one line that ottop ends with */
		log_line("%s: %s", collectors[i]->name, s->reasons[i]);
}

/*
 * Opens what is wanted, closes what nobody has wanted for a while. On a machine that hurts one may take a
 * second to load: the others wait behind it once open_ns have gone. Whether any was opened.
 */
static bool follow_wants(struct sampler *s, const struct tick *t, u64 open_ns)
{
	u64 begun_ns = boottime_ns();
	bool opened = false;

	s->to_open = false;
	for (u32 i = 0; i < N_COLLECTORS; i++) {
		const struct collector *c = collectors[i];

		if (c->always || (c->tables & t->want)) {
			s->wanted_ns[i] = t->now_ns;
			if (s->states[i] != CLOSED)
				continue;
			if (boottime_ns() - begun_ns >= open_ns) {
				s->to_open = true;
				continue;
			}
			sampler_open(s, i);
			atomic_fetch_add(&s->steps, 1);
			opened = true;
		} else if (s->states[i] != CLOSED &&
			   linger_ends(t->now_ns - s->wanted_ns[i], c->linger_ns ?: LINGER_NS,
				       LINGER_DEAR_LOAD_NS)) {
			if (s->states[i] == RUNNING)
				collector_close(c);
			s->states[i] = CLOSED;
		}
	}
	return opened;
}

static void status_of_absent(struct sampler *s, u32 i, const struct tick *t)
{
	const char *reason = s->states[i] == FAILED ? s->reasons[i] : NULL;
	enum table_status status = reason ? TS_BLOCKED : collectors[i]->tables & t->want ? TS_STARTING : TS_OFF;

	for (int id = 0; id < N_TABLES; id++)
		if (collectors[i]->tables & TABLE_BIT(id))
			builder_status(t->b, id, status, reason, 0);
}

static void read_collector(struct sampler *s, u32 i, const struct tick *t)
{
	int err = collectors[i]->read(t);

	if (!err)
		return;
	snprintf(s->reasons[i], sizeof(s->reasons[i]), "%s", probe_why(-err));
	log_line("%s: stopped: %s", collectors[i]->name, s->reasons[i]);
	collector_close(collectors[i]);
	s->states[i] = FAILED;
	status_of_absent(s, i, t);
}

/* ---- one tick ---- */

static void take_wishes(struct sampler *s, struct tick *t)
{
	pthread_mutex_lock(&s->lock);
	t->want = s->want | (s->opt.no_lines ? WANT_NO_LINES : 0) |
		  (s->opt.all_lines || (s->naming_ns && !s->naming_ids) ? WANT_ALL_LINES : 0);
	free(s->seen_now);
	t->seen = s->seen_now = s->seen;
	t->n_seen = s->n_seen;
	t->hurry = s->naming_ns != 0;
	s->seen = NULL;
	if (s->naming_ns && s->naming_ids) {
		t->seen = s->naming_ids;
		t->n_seen = s->n_naming_ids;
	}
	t->focus_pid = s->focus_pid;
	t->focus_start_ns = s->focus_start_ns;
	t->scope_to_focus = s->scope_to_focus;
	t->n_looked = s->n_looked;
	memcpy(t->looked, s->looked, s->n_looked * sizeof(*s->looked));
	t->history_bytes = s->history_bytes;
	pthread_mutex_unlock(&s->lock);
}

static void publish(struct sampler *s, const struct snapshot *snap)
{
	const struct snapshot *dropped = NULL;
	u64 one = 1;

	pthread_mutex_lock(&s->lock);
	if (s->queued == QUEUE_CAP) {	/* the consumer sleeps: the oldest goes, and is counted */
		dropped = s->queue[s->head];
		s->head = (s->head + 1) % QUEUE_CAP;
		s->queued--;
		s->overflows++;
	}
	s->queue[(s->head + s->queued++) % QUEUE_CAP] = snap;
	pthread_mutex_unlock(&s->lock);
	snapshot_put(dropped);
	if (write(s->ready_fd, &one, sizeof(one)) < 0)
		log_line("wake-up of the consumer: %s", strerror(errno));
}

static void read_all(struct sampler *s, const struct tick *t)
{
	bool wait = false;

	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (s->states[i] == RUNNING && collectors[i]->swap)
			wait |= collectors[i]->swap(t);
	if (wait)
		probes_grace_period();
	loss_set("snapshots not taken", s->overflows);
	for (u32 i = 0; i < N_COLLECTORS; i++) {
		if (s->states[i] == RUNNING)
			read_collector(s, i, t);
		else
			status_of_absent(s, i, t);
		atomic_fetch_add(&s->steps, 1);
	}
	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (s->states[i] == RUNNING && collectors[i]->end)
			collectors[i]->end(t);
}

/* The wants have changed: opens what is needed now, and schedules an early tick. */
static void adjust_all(struct sampler *s)
{
	struct tick t = { .now_ns = boottime_ns(), .scope = &s->opt.scope };

	take_wishes(s, &t);
	if (follow_wants(s, &t, OPEN_NS))
		s->next_tick_ns = boottime_ns() + min(s->interval_ns, FIRST_NS);
	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (s->states[i] == RUNNING && collectors[i]->adjust)
			collectors[i]->adjust(&t);
}

/* Of some readings of both clocks the one that took least: a thread may be put aside between two of them. */
static s64 read_unix_offset(void)
{
	u64 least_ns = UINT64_MAX;
	s64 offset = 0;

	for (u32 i = 0; i < 3; i++) {
		u64 before = boottime_ns(), unix_ns = clock_ns(CLOCK_REALTIME), took_ns = boottime_ns() - before;

		if (took_ns < least_ns) {
			least_ns = took_ns;
			offset = (s64)(unix_ns - before - took_ns / 2);
		}
	}
	return offset;
}

/* It changes where the clock is set, and only then; what else is read is how well one reads. */
static s64 unix_offset(struct sampler *s)
{
	s64 offset = read_unix_offset();

	if (llabs(offset - s->unix_offset_ns) > OFFSET_JITTER_NS)
		s->unix_offset_ns = offset;
	return s->unix_offset_ns;
}

static void do_tick(struct sampler *s)
{
	const struct snapshot *snap;
	struct tick t = {
		.now_ns = boottime_ns(), .scope = &s->opt.scope,
		.budget_pct = s->opt.budget_pct, .last_tick_ns = s->last_tick_cost_ns,
	};

	take_wishes(s, &t);
	t.seq = ++s->seq;
	t.prev_ns = s->prev ? s->prev->time_ns : 0;
	t.interval_ns = s->prev ? t.now_ns - t.prev_ns : 0;
	follow_wants(s, &t, s->prev ? 0 : UINT64_MAX);
	t.b = builder_new(s->prev, &s->session);
	builder_time(t.b, t.seq, t.now_ns, unix_offset(s), t.interval_ns);
	read_all(s, &t);
	snap = builder_seal(t.b);
	snapshot_put(s->prev);
	s->prev = snapshot_get(snap);
	s->last_tick_cost_ns = boottime_ns() - t.now_ns;
	publish(s, snap);
}

/* ---- names and lines of frames that are written to a file ---- */

static const struct snapshot *seal_frames(struct sampler *s)
{
	struct builder *b = builder_new(s->prev, &s->session);
	u64 now = boottime_ns();

	builder_time(b, s->seq, now, (s64)(clock_ns(CLOCK_REALTIME) - now), 0);
	frames_rows(b);
	builder_status(b, TABLE_frames, TS_OK, NULL, 0);
	return builder_seal(b);
}

/* Once all is known, or nothing new comes any more. */
static void answer_naming(struct sampler *s)
{
	u64 now = boottime_ns(), until;
	u32 pending;

	pthread_mutex_lock(&s->lock);
	until = s->naming_ns;
	pthread_mutex_unlock(&s->lock);
	if (!until)
		return;
	pending = frames_pending(s->naming_ids, s->n_naming_ids, !s->opt.no_lines);
	if (!s->naming.since_ns || pending < s->naming.pending) {
		s->naming.since_ns = now;
		s->naming.pending = pending;
	}
	if (pending && now < until && now - s->naming.since_ns < NAMING_STUCK_NS)
		return;
	s->naming.since_ns = 0;
	pthread_mutex_lock(&s->lock);
	s->named = seal_frames(s);
	s->naming_ns = 0;
	pthread_cond_signal(&s->was_named);
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ---- */

static void drain_all(struct sampler *s)
{
	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (s->states[i] == RUNNING && collectors[i]->drain)
			collectors[i]->drain();
}

static void arm_timer(struct sampler *s)
{
	u64 now = boottime_ns(), at = min(s->next_tick_ns, now + DRAIN_NS) + (u64)clock_ahead_ns(CLOCK_BOOTTIME);
	struct itimerspec ts = {
		.it_value = { (time_t)(at / NSEC_PER_SEC), (long)(at % NSEC_PER_SEC) },
	};

	timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &ts, NULL);
}

/* Ticks keep their grid; after a suspend or a stall the missed ones are not made up for. */
static void schedule_tick(struct sampler *s, u64 interval_ns)
{
	u64 now = boottime_ns();

	s->next_tick_ns += interval_ns;
	if (s->next_tick_ns <= now || s->next_tick_ns > now + interval_ns)
		s->next_tick_ns = now + interval_ns;
}

static u32 collector_fds(struct sampler *s, u32 i, struct pollfd *ret)
{
	int fds[COLLECTOR_FDS];
	u32 n = s->states[i] == RUNNING && collectors[i]->fds ? collectors[i]->fds(fds) : 0;

	for (u32 k = 0; k < n; k++)
		ret[k] = (struct pollfd){ .fd = fds[k], .events = POLLIN };
	return n;
}

/* Waits for the timer or a wish. False: the end. */
static bool sampler_wait(struct sampler *s, u64 *ret_interval)
{
	struct pollfd fds[2 + N_COLLECTORS * COLLECTOR_FDS] = {
		{ .fd = s->timer_fd, .events = POLLIN }, { .fd = s->wake_fd, .events = POLLIN },
	};
	u32 n_fds = 2;
	u64 n;
	bool go;

	arm_timer(s);
	for (u32 i = 0; i < N_COLLECTORS; i++)
		n_fds += collector_fds(s, i, fds + n_fds);
	poll(fds, n_fds, -1);
	if (fds[0].revents && read(s->timer_fd, &n, sizeof(n)) < 0)
		n = 0;
	if (fds[1].revents && read(s->wake_fd, &n, sizeof(n)) == sizeof(n))
		adjust_all(s);
	pthread_mutex_lock(&s->lock);
	go = !s->stop;
	*ret_interval = s->interval_ns;
	pthread_mutex_unlock(&s->lock);
	return go;
}

void *sampler_thread(void *arg)
{
	struct sampler *s = arg;
	u64 interval = s->opt.interval_ns, old = interval;
	struct thread_pace pace = {};

	prctl(PR_SET_NAME, "ottop-sampler");
	s->next_tick_ns = boottime_ns();
	do_tick(s);
	schedule_tick(s, interval);
	while (sampler_wait(s, &interval)) {
		atomic_fetch_add(&s->steps, 1);
		if (interval != old)
			s->next_tick_ns = min(s->next_tick_ns, boottime_ns() + interval);
		old = interval;
		if (boottime_ns() >= s->next_tick_ns) {
			probes_measure(boottime_ns(), true);
			do_tick(s);
			thread_follow_pace(&pace);
			schedule_tick(s, interval);
			if (s->to_open)
				adjust_all(s);
		} else {
			drain_all(s);
		}
		answer_naming(s);
		probes_measure(boottime_ns(), false);
	}
	return NULL;
}
