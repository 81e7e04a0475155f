// SPDX-License-Identifier: GPL-2.0-or-later
/* waits.c: selects the threads to ask about, keeps the answers, and formats them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/waits/waits.h"
#include "bpf/host/syscall_id.h"
#include "bpf/host/syscall_names.h"
#include "bpf/model/hash.h"

#define TAKE_NS (20 * NSEC_PER_MSEC)	/* of a tick; later answers are taken in the next */
#define MIN_AGE_NS (100 * NSEC_PER_MSEC)	/* shorter waits are ignored, unless selected */
#define DESIGN_AGE_NS (1 * NSEC_PER_SEC)
#define REFRESH_NS (5 * NSEC_PER_SEC)	/* asked again after that: the peer may have changed */
#define REFRESH_DESIGN_NS (30 * NSEC_PER_SEC)
#define PACE 400		/* questions about unselected threads take at most 1/PACE of a CPU */
#define SELECTED (1ull << 50)	/* ranks */
#define PEER (1ull << 48)
#define CALLS 1024
#define PEERS_MAX 128

/* The answer about one wait of one thread in one call. */
struct known {
	struct hash_node node;	/* by tid */
	u32 tid, call;
	u64 seen;
	u64 asked_ns;		/* when it was answered */
	bool in_tick;		/* seen in this tick */
	struct wait_question q;
	struct wait_answer a;
};

struct candidate {
	const struct wire_thread *w;
	u64 rank;
};

static struct hash_table answers;
static const struct known *with_peer[PEERS_MAX];	/* wait for a known peer */
static const struct known *parents[PEERS_MAX];		/* wait for children */
static u32 n_with_peer, n_parents;
static u64 now_ns, monotonic_ns;
static u64 others_after_ns;	/* earliest time for threads that are neither selected nor a peer */
static waits_answered_fn listener;

/* ---- calls that wait by design ---- */

static bool call_by_design(u32 call)
{
	static u8 kinds[3][CALLS];	/* 0: not known yet */
	u8 spare = 0, *kind = CALL_ABI(call) < 3 && CALL_NR(call) < CALLS ?
		&kinds[CALL_ABI(call)][CALL_NR(call)] : &spare;
	const char *name;

	if (!*kind) {
		name = syscall_name(call);
		*kind = syscall_waits(name) ? 2 : 1;
		str_put(name);
	}
	return *kind == 2;
}

/* ---- known answers ---- */

static struct known *find_known(const struct wire_thread *w)
{
	return hash_find(&answers, hash_of(w->tid), struct known, k,
			 k->tid == w->tid && k->seen == w->arrived_ns && k->call == w->call);
}

static void forget(bool all)
{
	hash_each(&answers, struct known, k) {
		if (k->in_tick && !all) {
			k->in_tick = false;
			continue;
		}
		hash_remove(&answers, &k->node);
		free(k);
	}
}

static void add_answer(char *text, const struct wait_question *q, const struct wait_answer *a);

static void notify_listener(const struct wait_question *q, const struct wait_answer *a)
{
	char text[ANSWER_MAX] = "";

	if (!a->failed)
		add_answer(text, q, a);
	if (listener)
		listener(q->key, a->failed ? NULL : text);
}

static void keep_answer(const struct wait_question *q, const struct wait_answer *a)
{
	struct wire_thread w = { .tid = q->tid, .call = q->call, .arrived_ns = q->seen };
	struct known *k;
	struct proc *p;

	if (a->hangs && (p = proctab_current(q->pid)))
		p->reading_hangs = true;
	if (q->key)
		notify_listener(q, a);
	if (a->failed || q->key)
		return;
	k = find_known(&w);
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		k->tid = q->tid;
		k->call = q->call;
		k->seen = q->seen;
		hash_add(&answers, &k->node, hash_of(k->tid));
	}
	k->asked_ns = now_ns;
	k->in_tick = true;
	k->q = *q;
	k->a = *a;
}

static void take_answers(u64 wait_ns)
{
	static struct batch b;

	if (!worker_take(wait_ns, &b))
		return;
	for (u32 i = 0; i < b.n; i++)
		keep_answer(&b.q[i], &b.a[i]);
	others_after_ns = now_ns + PACE * b.cpu_ns;	/* mostly a pass over all open files */
}

struct family {
	u32 parent, ns_pid;	/* ns_pid 0: any */
	u32 n, pid;
	u64 youngest_ns;
};

static void add_child(struct proc *p, void *arg)
{
	struct family *f = arg;

	if (p->ppid != f->parent || p->exited || p->closed || (f->ns_pid && p->ns_pid != f->ns_pid &&
							      p->pid != f->ns_pid))
		return;
	f->n++;
	if (p->start_ns >= f->youngest_ns) {
		f->youngest_ns = p->start_ns;
		f->pid = p->pid;
	}
}

static u32 count_children(u32 parent)
{
	struct family f = { .parent = parent };

	proctab_each(add_child, &f);
	return f.n;
}

static void list_peers(void)
{
	n_with_peer = n_parents = 0;
	hash_each(&answers, const struct known, k)
		if (k->a.peer_pid && n_with_peer < PEERS_MAX)
			with_peer[n_with_peer++] = k;
		else if (k->a.children && n_parents < PEERS_MAX)
			parents[n_parents++] = k;
}

/*
 * k cannot continue before that thread does: its peer is that thread or its whole process, or it
 * waits at the other end of the same connection. Else another thread might serve k.
 */
static bool waits_for(const struct known *k, const struct known *other)
{
	const struct proc *p = proctab_current(other->q.pid);

	if (k->a.peer_tid)
		return k->a.peer_tid == other->q.tid;
	if (!p || (k->a.children ? p->ppid != k->q.pid : p->pid != k->a.peer_pid))
		return false;
	if (p->threads != 1)
		return other->a.end.ino && k->a.peer_has_fd && other->a.end.fd == k->a.peer_fd;
	if (k->a.children == CHILDREN_ONE)
		return k->a.child == p->pid || k->a.child == p->ns_pid;
	return !k->a.children || count_children(k->q.pid) == 1;
}

static bool is_mutual(const struct known *k)
{
	for (u32 i = 0; i < n_with_peer; i++)
		if (with_peer[i] != k && waits_for(k, with_peer[i]) && waits_for(with_peer[i], k))
			return true;
	for (u32 i = 0; i < n_parents && !k->a.children; i++)
		if (waits_for(k, parents[i]) && waits_for(parents[i], k))
			return true;
	return false;
}

/* ---- selecting threads ---- */

static bool may_wait(const struct wire_thread *w)
{
	return w->call != CALL_NONE && !w->kthread && strchr("SDTt", w->state);
}

static bool is_selected(const struct tick *t, const struct wire_thread *w)
{
	if (t->focus_pid)
		return w->tgid == t->focus_pid;
	for (u32 i = 0; i < t->scope->n_pids; i++)
		if (t->scope->pids[i] == w->tgid)
			return true;
	return false;
}

/* Another thread waits for it: asked about, to detect mutual waits. */
static bool is_peer(const struct wire_thread *w, const struct proc *p)
{
	for (u32 i = 0; i < n_parents; i++)
		if (parents[i]->q.pid == p->ppid)
			return true;
	for (u32 i = 0; i < n_with_peer; i++)
		if (with_peer[i]->a.peer_pid == w->tgid)
			return true;
	return false;
}

/* Priority of asking about a thread: selected process first, then peers, new ones, by age. 0: not now. */
static u64 rank_of(const struct tick *t, const struct wire_thread *w, const struct known *k)
{
	const struct proc *p = proctab_find(w->tgid, w->process_start_ns);
	bool design = call_by_design(w->call);
	u64 rank = min(w->call_age_ns / NSEC_PER_MSEC, 1ull << 40);

	if (!p || p->reading_hangs)
		return 0;
	if (is_selected(t, w))
		return SELECTED | rank;
	if (!k && is_peer(w, p))
		return PEER | rank;
	if (now_ns < others_after_ns || !proc_in_scope(p) || w->call_age_ns < (design ? DESIGN_AGE_NS : MIN_AGE_NS))
		return 0;
	if (k && now_ns - k->asked_ns < (design ? REFRESH_DESIGN_NS : REFRESH_NS))
		return 0;
	return (u64)!design << 45 | (u64)!k << 44 | (rank + 1);
}

static int by_rank(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;

	return cmp(b->rank, a->rank);
}

static void fill_question(struct wait_question *q, const struct wire_thread *w)
{
	const struct proc *p = proctab_find(w->tgid, w->process_start_ns);
	const char *name = syscall_name(w->call);

	*q = (struct wait_question){
		.pid = w->tgid, .tid = w->tid, .call = w->call, .seen = w->arrived_ns,
		.entered_ns = monotonic_ns - min(w->call_age_ns, monotonic_ns),
		.state = w->frozen ? STATE_FROZEN : w->state,
		.nested = p && p->ns_pid && p->ns_pid != p->pid,
	};
	snprintf(q->name, sizeof(q->name), "%s", name);
	str_put(name);
}

static void ask(const struct tick *t, const struct wire_thread *all, u32 n)
{
	static struct wait_question questions[BATCH_MAX];
	struct candidate *c = NULL;
	u32 n_c = 0, cap = 0, n_q;

	for (u32 i = 0; i < n; i++) {
		struct known *k = may_wait(&all[i]) ? find_known(&all[i]) : NULL;
		u64 rank = may_wait(&all[i]) ? rank_of(t, &all[i], k) : 0;

		if (k)
			k->in_tick = true;
		if (!rank)
			continue;
		c = grow(c, n_c, &cap, sizeof(*c));
		c[n_c++] = (struct candidate){ &all[i], rank };
	}
	if (n_c > 1)
		qsort(c, n_c, sizeof(*c), by_rank);
	for (n_q = 0; n_q < min(n_c, (u32)BATCH_MAX); n_q++)
		fill_question(&questions[n_q], c[n_q].w);
	free(c);
	if (n_q && worker_idle() && !worker_ask(questions, n_q))
		take_answers(TAKE_NS);
}

static void set_longest(const struct wire_thread *w)
{
	struct proc *p;

	if (w->call == CALL_NONE || w->kthread || w->state == 'Z' || w->state == 'X' ||
	    waits_by_design(w))
		return;
	p = proctab_find(w->tgid, w->process_start_ns);
	if (p && (!p->longest || w->call_age_ns > p->longest->call_age_ns))
		p->longest = w;
}

static void clear_longest(struct proc *p, void *arg)
{
	p->longest = NULL;
}

void waits_update(const struct tick *t)
{
	const struct wire_thread *all;
	u32 n;

	now_ns = t->now_ns;
	monotonic_ns = kernel_ns(CLOCK_MONOTONIC);
	take_answers(0);
	all = threads_all(&n);
	if (!(t->want & WANT_NO_WAITS))
		ask(t, all, n);
	forget(false);
	list_peers();
	proctab_each(clear_longest, NULL);
	for (u32 i = 0; i < n; i++)
		set_longest(&all[i]);
}

bool waits_by_design(const struct wire_thread *w)
{
	const struct known *k = find_known(w);

	return k && (k->a.holder || is_mutual(k)) ? false : call_by_design(w->call);
}

/* ---- formatting ---- */

static void add_person(char *text, u32 pid, bool name_first)
{
	const struct proc *p = proctab_current(pid);
	const char *name = p && p->comm ? p->comm : NULL;

	if (!name)
		answer_add(text, "%u", pid);
	else if (name_first)
		answer_add(text, "%s %u", name, pid);
	else
		answer_add(text, "%u (%s)", pid, name);
}

/* Replaces the marks by names. */
static void add_with_names(char *text, const char *from)
{
	const char *end;

	for (; *from; from++) {
		if (*from != PERSON_NAME && *from != PERSON_PID) {
			answer_add(text, "%c", *from);
			continue;
		}
		end = strchr(from + 1, *from);
		if (!end)
			return;
		add_person(text, (u32)strtoul(from + 1, NULL, 10), *from == PERSON_NAME);
		from = end;
	}
}

static void add_children(char *text, u32 parent, const struct wait_answer *a)
{
	struct family f = { .parent = parent };

	f.ns_pid = a->children == CHILDREN_ONE ? a->child : 0;
	proctab_each(add_child, &f);
	answer_add(text, "wait for child ");
	if (!f.n) {
		answer_add(text, f.ns_pid ? "%u" : "? (it has none)", f.ns_pid);
		return;
	}
	add_person(text, f.pid, false);
	if (a->children == CHILDREN_VFORK)
		answer_add(text, " to start a program or end (vfork)");
	else if (f.n > 1)
		answer_add(text, " or %u more", f.n - 1);
}

static void add_answer(char *text, const struct wait_question *q, const struct wait_answer *a)
{
	if (a->children)
		add_children(text, q->pid, a);
	else
		add_with_names(text, a->text);
}

static void add_time_left(char *text, u64 until_ns)
{
	u64 left = until_ns > monotonic_ns ? until_ns - monotonic_ns : 0;

	if (left < 10 * NSEC_PER_SEC)
		answer_add(text, ", %.1f s left", (double)left / 1e9);
	else if (left < 7200 * NSEC_PER_SEC)
		answer_add(text, ", %.0f s left", (double)left / 1e9);
	else
		answer_add(text, ", %.1f h left", (double)left / 3600e9);
}

const char *waits_of(const struct wire_thread *w)
{
	const struct known *k = find_known(w);
	char text[ANSWER_MAX] = "";

	if (!may_wait(w))
		return str_new("");
	if (!k)
		return NULL;
	add_answer(text, &k->q, &k->a);
	if (k->a.until_ns)
		add_time_left(text, k->a.until_ns);
	if (is_mutual(k))
		answer_add(text, k->a.peer_tid ? ", which waits for this thread" :
			   ", which waits for this process");
	return str_new(text);
}

/* ---- for callers that know the call's arguments ---- */

void waits_listen(waits_answered_fn answered)
{
	listener = answered;
}

bool waits_free(void)
{
	take_answers(0);
	return worker_idle();
}

void waits_ask(const struct wait_question *q, u32 n, u64 patience_ns)
{
	if (!worker_ask(q, n))
		take_answers(patience_ns);
}

/* ---- open and close ---- */

static int waits_read(const struct tick *t)
{
	return 0;
}

static void waits_close(void)
{
	if (worker_stop())
		ends_close();
	forget(true);
	n_with_peer = n_parents = 0;
}

const struct collector waits_collector = {
	.name = "waits",
	.always = true,
	.what = "file iterator",
	.open = ends_open,
	.read = waits_read,
	.close = waits_close,
};
