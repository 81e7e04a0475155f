// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_waits.c: see profiler_waits.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/kernel/iter.h"
#include "bpf/model/hash.h"
#include "bpf/stacks/mappings.h"
#include "bpf/collectors/profiler/profiler_waits.h"

#define MAX_WAITS 16384		/* under 2 KiB each, once its stack is known */
#define MAX_READING 256		/* stacks read at the same time */
#define MAX_UNKNOWN 100		/* unknown processes a tick whose mappings are read: each costs 100 us */
#define MAX_TRIES 4		/* one a tick, while tables of new files are made */
#define HUNG_NS NSEC_PER_SEC	/* after that the reader of a stack is taken to hang */

struct wait {
	struct hash_node node;	/* by thread and beginning */
	struct wire_new_wait *new;	/* until the user stack is known or given up */
	struct wire_sample *stack;	/* the user stack and the kernel's; NULL: not known (yet) */
	u64 since_ns, asked_ns;
	u64 reported_ns;		/* how much of it was reported */
	u32 tgid, tid, tries, tick;	/* of the last try */
	bool seen, reading;
};

static struct hash_table waits;
static u32 n_reading;
static u32 n_unknown;		/* unknown processes whose mappings were read in this tick */
static u64 refused;
static u32 tick = 1;
static bool found;		/* a new wait in this tick */
static bool cut;		/* a pass of this tick did not visit all threads */
static bool postponed;		/* some stacks could not be requested yet: no room */
static struct bpf_link *iterator;
static struct wire_look *look;

static struct wait *find(u32 tid, u64 since_ns)
{
	return hash_find(&waits, hash_of(tid, since_ns), struct wait, w,
			 w->tid == tid && w->since_ns == since_ns);
}

static void forget(struct wait *w)
{
	hash_remove(&waits, &w->node);
	n_reading -= w->reading;
	free(w->new);
	free(w->stack);
	free(w);
}

static void forget_all(bool seen_too)
{
	hash_each(&waits, struct wait, w) {
		if (seen_too || !w->seen)
			forget(w);
		else
			w->seen = false;
	}
}

/* ---- stacks ---- */

/* False: its process is unknown and MAX_UNKNOWN is reached: postponed to a later tick. */
static bool has_turn(const struct wait *w)
{
	const struct wire_new_wait *n = w->new;
	struct process_mappings known;

	return mappings_find(w->tgid, n->start_ns, n->exec_id, &known) || n_unknown++ < MAX_UNKNOWN;
}

static void ask(struct wait *w)
{
	struct opener_job job = {
		.kind = READ_STACK, .id = w->tid, .start_ns = w->since_ns, .pid = w->tid, .fd = -1,
		.addr = w->new->regs.sp, .below = COPY_BELOW, .bytes = COPY_BYTES,
	};

	if (w->reading || w->tries == MAX_TRIES || !has_turn(w))
		return;
	if (n_reading >= MAX_READING || opener_ask(&job)) {
		postponed = true;
		return;
	}
	w->tries++;
	w->tick = tick;
	w->asked_ns = boottime_ns();
	w->reading = true;
	n_reading++;
}

static void ask_postponed(void)
{
	if (!postponed || n_reading > MAX_READING / 2)
		return;
	postponed = false;
	hash_each(&waits, struct wait, w) {
		if (postponed)
			return;
		if (w->new && w->tick != tick && w->new->end == WALK_NOT_READ)
			ask(w);
	}
}

static void copy_header(struct wire_sample *s, const struct wire_new_wait *n)
{
	*s = (struct wire_sample){
		.kind = SAMPLE_OFFCPU, .tgid = n->wait.tgid, .tid = n->wait.tid, .time_ns = boottime_ns(),
		.start_ns = n->start_ns, .exec_id = n->exec_id, .end = (u16)n->end,
		.in = n->in, .n_kernel = (u16)min(n->n_kernel, (u32)MAX_PENDING_FRAMES),
	};
	memcpy(s->comm, n->comm, sizeof(s->comm));
}

static struct wire_copy *copy_of(const struct wire_new_wait *n, const struct opener_job *job)
{
	u32 bytes = min(job->bytes, (u32)COPY_BYTES);
	struct wire_copy *c = xcalloc(1, offsetof(struct wire_copy, stack) + bytes);

	copy_header(&c->s, n);
	c->s.kind = SAMPLE_WAIT;
	c->s.copied = 1;
	c->s.value = n->wait.since_ns;
	memcpy(c->kernel, n->kernel, c->s.n_kernel * sizeof(u64));
	c->regs = n->regs;
	c->from = job->addr;
	c->bytes = bytes;
	memcpy(c->stack, job->stack, bytes);
	return c;
}

void profiler_waits_read(struct opener_job *job, walked_fn done)
{
	struct wait *w = find(job->id, job->start_ns);
	struct process_mappings known;
	struct wire_copy *c;

	if (w && w->reading) {
		w->reading = false;
		n_reading--;
	}
	if (w && w->new && job->fd >= 0) {
		c = copy_of(w->new, job);
		if (!mappings_find(w->tgid, c->s.start_ns, c->s.exec_id, &known))
			mappings_process_changed(w->tgid, c->s.start_ns, c->s.exec_id, 0);
		walk_copied(c, done);
		free(c);
	}
	free(job->stack);
	job->stack = NULL;
	ask_postponed();
}

/* A table or mapping was missing: worth another try. */
static bool is_early(u32 end)
{
	return end == WALK_NEW_PROCESS || end == WALK_NEW_FILE || end == WALK_NEW_CODE || end == WALK_NO_MAPPING;
}

void profiler_waits_walked(const struct wire_sample *s)
{
	struct wait *w = find(s->tid, s->value);
	size_t size = sizeof(*s) + (s->n_user + s->n_kernel) * sizeof(u64);

	if (!w || !w->new)
		return;
	if (s->end == WALK_NO_MAPPING)
		mappings_process_changed(s->tgid, s->start_ns, s->exec_id, s->miss);
	free(w->stack);
	w->stack = xmalloc(size);
	memcpy(w->stack, s, size);
	w->stack->kind = SAMPLE_OFFCPU;
	if (is_early(s->end) && w->tries < MAX_TRIES)
		return;
	free(w->new);
	w->new = NULL;
}

/* ---- the pass ---- */

static void take_new(const struct wire_new_wait *n)
{
	struct wait *w = find(n->wait.tid, n->wait.since_ns);

	if (!w) {
		if (waits.n == MAX_WAITS)
			return;		/* counted when its time is reported, if it does not end before */
		w = xcalloc(1, sizeof(*w));
		w->since_ns = n->wait.since_ns;
		w->tgid = n->wait.tgid;
		w->tid = n->wait.tid;
		hash_add(&waits, &w->node, hash_of(w->tid, w->since_ns));
		w->new = xmalloc(sizeof(*n));
		*w->new = *n;
		if (n->end == WALK_WHOLE)
			w->new->end = WALK_NOT_READ;	/* until it is read */
	}
	w->seen = true;
	found = true;
	if (w->new && w->new->end == WALK_NOT_READ)
		ask(w);
}

static void report(struct wait *w, u64 ns, walked_fn done)
{
	static struct { struct wire_sample s; u64 kernel[MAX_PENDING_FRAMES]; } plain;
	struct wire_sample *s = w->stack;

	if (!s) {
		s = &plain.s;
		copy_header(s, w->new);
		memcpy(s->frames, w->new->kernel, s->n_kernel * sizeof(u64));
	}
	w->reported_ns += ns;
	/* the end of the reported part by the kernel's clock, not now: the next part begins there */
	s->time_ns = boottime_ns() - (u64)kernel_ns(CLOCK_MONOTONIC) + w->since_ns + w->reported_ns;
	s->value = ns;
	done(s);
}

static void take_more(const struct wire_wait *t, walked_fn done)
{
	struct wait *w = find(t->tid, t->since_ns);

	if (!w) {
		refused++;
		return;
	}
	w->seen = true;
	report(w, t->ns, done);
	if (w->new && w->new->end == WALK_NOT_READ)
		ask(w);
}

static size_t take_records(const char *buf, size_t have, void *arg)
{
	walked_fn done = *(const walked_fn *)arg;
	size_t at = 0, size;

	while (have - at >= sizeof(struct wire_wait)) {
		const struct wire_wait *w = (const void *)(buf + at);

		size = w->ns ? sizeof(*w) : sizeof(struct wire_new_wait);
		if (have - at < size)
			break;
		if (w->ns)
			take_more(w, done);
		else
			take_new((const struct wire_new_wait *)w);
		at += size;
	}
	return at;
}

static void run_pass(walked_fn done)
{
	cut |= iter_run(iterator, take_records, &done) < 0;
}

/* ---- for the profiler ---- */

void profiler_waits_adopt(u64 began_ns)
{
	forget_all(true);
	if (!iterator)
		return;
	*look = (struct wire_look){ .until_ns = UINT64_MAX, .adopt_ns = began_ns };
	run_pass(NULL);		/* none was reported before */
}

void profiler_waits_look(u64 older_than_ns, walked_fn done)
{
	u64 now = kernel_ns(CLOCK_MONOTONIC);

	tick++;
	n_unknown = 0;
	found = cut = false;
	if (!iterator)
		return;
	*look = (struct wire_look){ .until_ns = now - min(now, older_than_ns), .adopt_ns = now };
	run_pass(done);
}

void profiler_waits_report(walked_fn done)
{
	if (!iterator)
		return;
	look->report_described = 1;
	if (found)
		run_pass(done);
	if (!cut)	/* waits that no pass saw are over */
		forget_all(false);
}

/* Without those whose reader hangs. */
u32 profiler_waits_reading(void)
{
	u64 now = n_reading ? boottime_ns() : 0;
	u32 n = 0;

	if (n_reading)
		hash_each(&waits, const struct wait, w)
			n += w->reading && now - w->asked_ns < HUNG_NS;
	return n;
}

void profiler_waits_open(struct bpf_link *iter, struct wire_look *to)
{
	iterator = iter;
	look = to;
}

void profiler_waits_close(void)
{
	forget_all(true);
	iterator = NULL;
}

u64 profiler_waits_refused(void)
{
	return refused;
}
