// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_things.c: see profiler_things.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/collectors/profiler/profiler_labels.h"
#include "bpf/collectors/profiler/profiler_things.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/waits/waits.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/host/syscall_id.h"
#include "bpf/host/syscall_names.h"
#include "bpf/model/hash.h"
#include "bpf/stacks/frames.h"

#define MAX_THINGS 4096
#define MAX_TRIES 3
#define CALLS 512
#define PATIENCE_NS (20 * NSEC_PER_MSEC)
#define LATE_NS (5 * NSEC_PER_SEC)	/* timeout of an answer */
#define AGAIN_NS (10 * NSEC_PER_SEC)	/* asked again after that: the peer may have changed */
#define KEEP_TICKS 60
#define KEEP_CROWDED 2			/* where half of the room is taken: connections come and go */

enum state { NEW, ASKED, KNOWN };

struct thing {
	struct hash_node node;	/* by key */
	u64 key, asked_ns;
	u64 ns;			/* time waited for it in this tick */
	u32 tick;		/* when it was last seen */
	struct label *label;	/* its text; NULL: unknown */
	u8 state, tries;
	bool changes;		/* its text may change: it is asked for again */
	struct wait_question q;
};

static struct hash_table things;
static u32 tick;
static u64 refused;

static u64 mix(u64 key, u64 more)
{
	key = (key ^ more) * 0x9e3779b97f4a7c15ull;
	return key ^ key >> 29;
}

/* ---- wakers ---- */

u32 things_process(u32 tid)
{
	const struct wire_thread *all;
	u32 n;

	all = threads_all(&n);
	for (u32 i = 0; i < n; i++)
		if (all[i].tid == tid)
			return all[i].tgid;
	return 0;
}

static bool thread_comm(u32 tid, char *buf, size_t cap)
{
	const struct proc *p = proctab_current(tid);
	int n;

	if (p && p->comm) {
		snprintf(buf, cap, "%s", p->comm);
		return true;
	}
	n = procfs_read_pid(tid, "comm", buf, cap);
	if (n <= 0)
		return false;
	buf[n - (buf[n - 1] == '\n')] = '\0';
	return true;
}

u32 things_waker_frame(u32 tid)
{
	u32 id = frames_find(FRAMES_WAKER, tid, 0);
	char comm[20], text[48];

	if (id)
		return id;
	id = frames_intern(FRAMES_WAKER, tid, 0);
	snprintf(text, sizeof(text), FRAME_WAKER_TEXT "%.15s %u", thread_comm(tid, comm, sizeof(comm)) ? comm : "thread",
		 tid);
	frames_name(id, str_new(text), str_new("kernel"), NULL);
	return id;
}

/* ---- the thing of a wait ---- */

static enum wait_about about(u32 call)
{
	static u8 known[CALLS];		/* cache: 0 unknown, else 1 + enum wait_about */
	u32 nr = CALL_NR(call);
	const char *name;

	if (CALL_ABI(call) != ABI_NATIVE || nr >= CALLS)
		return ABOUT_NOTHING;
	if (!known[nr]) {
		name = syscall_name(call);
		known[nr] = (u8)(question_about(name) + 1);
		str_put(name);
	}
	return known[nr] - 1;
}

static struct thing *known_thing(u64 key)
{
	return hash_find(&things, (u32)key, struct thing, t, t->key == key);
}

/* NULL: too many. */
static struct thing *get_thing(u64 key)
{
	struct thing *t = known_thing(key);

	if (t)
		return t;
	if (things.n == MAX_THINGS) {
		refused++;
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	t->key = key;
	hash_add(&things, &t->node, (u32)key);
	return t;
}

static struct thing *plain(const char *text, u32 which)
{
	struct thing *t = get_thing(mix(1, which));

	if (t && t->state != KNOWN) {
		t->label = labels_of(0, text);
		t->state = KNOWN;
	}
	return t;
}

static void fill_question(struct thing *t, const struct wire_sample *s)
{
	const struct proc *p = proctab_find(s->tgid, s->start_ns);
	const struct wire_call *c = &s->in;
	const char *name = syscall_name(c->call);

	t->q = (struct wait_question){
		.pid = s->tgid, .tid = s->tid, .call = c->call, .entered_ns = c->since_ns, .key = t->key,
		.state = S_ISREG(c->mode) || S_ISBLK(c->mode) ? 'D' : 'S', .given = true,
		.nested = p && p->ns_pid && p->ns_pid != p->pid, .owner = c->owner, .ino = c->ino,
		.args = { c->args[0], c->args[1], c->args[2], c->args[3] },
	};
	snprintf(t->q.name, sizeof(t->q.name), "%s", name);
	str_put(name);
}

static struct thing *asked_for(const struct wire_sample *s, u64 key, bool changes)
{
	struct thing *t = get_thing(key);

	if (!t)
		return NULL;
	t->changes = changes;
	if (t->state == NEW || changes)
		fill_question(t, s);
	return t;
}

static u64 key_of(const struct wire_sample *s, u64 first, u64 second)
{
	return mix(mix(mix(mix(mix(2, s->tgid), s->start_ns), s->in.call), first), second);
}

/* A thing that can only be read from the thread's memory while it waits: known if it was asked for in time. */
static struct thing *of_this_wait(const struct wire_sample *s)
{
	u64 key = mix(mix(3, s->tid), s->in.since_ns);

	return s->in.end_ns ? known_thing(key) : asked_for(s, key, false);
}

/* The thread was stopped or frozen, regardless of its call; same texts as in waits_outside.c. */
static struct thing *outside(u32 owner)
{
	u32 who = owner & ~OWNER_OUTSIDE;
	char text[96], comm[20];

	if (owner & OWNER_TRACER && thread_comm(who, comm, sizeof(comm)))
		snprintf(text, sizeof(text), "stopped by its tracer, %u (%.15s)", who, comm);
	else if (owner & OWNER_TRACER)
		snprintf(text, sizeof(text), "stopped by its tracer, %u", who);
	else if (owner & OWNER_SIGNAL)
		snprintf(text, sizeof(text), "SIGCONT (stopped by SIG%s)", sigabbrev_np((int)who) ?: "?");
	else
		snprintf(text, sizeof(text), "thaw (frozen by its cgroup)");
	return plain(text, owner);
}

static struct thing *find(const struct wire_sample *s)
{
	const struct wire_call *c = &s->in;
	struct thing *t;

	if (c->owner & OWNER_OUTSIDE)
		return outside(c->owner);
	switch (about(c->call)) {
	case ABOUT_TIME:
		return plain("time", 1);
	case ABOUT_SIGNAL:
		return plain("a signal", 2);
	case ABOUT_FD:
		return c->ino ? asked_for(s, key_of(s, c->args[0], c->ino), true) : NULL;
	case ABOUT_LOCK:
		if (c->owner)
			return asked_for(s, key_of(s, c->args[0], c->owner), false);
		t = of_this_wait(s);
		return t || !c->end_ns ? t : plain("futex, ? (no owner: a condition, a semaphore or a parked thread)", 3);
	case ABOUT_MEMORY:
		return of_this_wait(s);
	default:
		return NULL;
	}
}

struct thing *things_of(const struct wire_sample *s)
{
	struct thing *t = find(s);

	if (t) {
		t->tick = tick;
		t->ns += s->value;
	}
	return t;
}

struct thing *things_ready(u32 pid, u32 tid, u32 fd, u64 ino, u64 waited_ns)
{
	const struct proc *p = proctab_current(pid);
	struct thing *t = p ? get_thing(mix(mix(mix(mix(4, pid), p->start_ns), fd), ino)) : NULL;

	if (!t)
		return NULL;
	t->changes = true;
	t->tick = tick;
	t->ns += waited_ns;
	/* read() stands for any call that waits for its descriptor */
	t->q = (struct wait_question){
		.pid = pid, .tid = tid, .call = CALL_NONE, .key = t->key, .name = "read", .state = 'S', .given = true,
		.nested = p->ns_pid && p->ns_pid != p->pid, .ino = ino, .args = { fd },
	};
	return t;
}

u32 things_frame(const struct thing *t)
{
	return t ? labels_frame(t->label) : 0;
}

u32 things_waker(u32 waker, const struct thing *t)
{
	u32 tid = waker & ~WAKER_MAYBE;

	if (!(waker & WAKER_MAYBE))
		return waker;
	return t && t->label && labels_is_of(t->label, things_process(tid)) ? tid : 0;
}

/* ---- asking ---- */

static void answered(u64 key, const char *text)
{
	struct thing *t = known_thing(key);

	if (!t || t->state != ASKED)
		return;
	t->state = text || ++t->tries == MAX_TRIES ? KNOWN : NEW;
	if (text && *text) {
		labels_put(t->label);
		t->label = labels_of(t->q.pid, text);
	}
}

static bool is_due(const struct thing *t, u64 now_ns)
{
	const struct proc *p = proctab_current(t->q.pid);

	if (t->tick != tick || (p && p->reading_hangs))
		return false;
	if (t->state == ASKED)
		return now_ns - t->asked_ns > LATE_NS;
	return t->state == NEW || (t->changes && now_ns - t->asked_ns > AGAIN_NS);
}

/* New ones first, then by time waited. */
static int by_weight(const void *pa, const void *pb)
{
	const struct thing *a = *(struct thing *const *)pa, *b = *(struct thing *const *)pb;

	return cmp(a->state == KNOWN, b->state == KNOWN) ?: cmp(b->ns, a->ns);
}

void things_ask(u64 now_ns)
{
	static struct wait_question questions[BATCH_MAX];
	static struct thing *due[MAX_THINGS];
	u32 n = 0;

	hash_each(&things, struct thing, t)
		if (is_due(t, now_ns))
			due[n++] = t;
	if (!n || !waits_free())
		return;
	qsort(due, n, sizeof(*due), by_weight);
	n = min(n, (u32)BATCH_MAX);
	for (u32 i = 0; i < n; i++) {
		due[i]->state = ASKED;
		due[i]->asked_ns = now_ns;
		questions[i] = due[i]->q;
	}
	waits_ask(questions, n, PATIENCE_NS);
}

/* ---- life ---- */

void things_forget(void)
{
	u32 keep = things.n > MAX_THINGS / 2 ? KEEP_CROWDED : KEEP_TICKS;

	hash_each(&things, struct thing, t) {
		t->ns = 0;
		if (tick - t->tick < keep)
			continue;
		hash_remove(&things, &t->node);
		labels_put(t->label);
		free(t);
	}
	tick++;
	labels_tick();
}

void things_open(void)
{
	waits_listen(answered);
}

void things_close(void)
{
	waits_listen(NULL);
	tick += KEEP_TICKS;
	things_forget();
	labels_clear();
}

u64 things_refused(void)
{
	return refused;
}
