// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_labels.c: see profiler_labels.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/profiler/profiler_labels.h"
#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/proctab.h"
#include "bpf/model/hash.h"
#include "bpf/stacks/frames.h"

#define REST_KEY 0
#define REST_TEXT "one of very many things"

struct label {
	struct hash_node node;
	u64 key;
	const char *name;
	u32 refs;
	u32 used;		/* tick */
	u32 pid;		/* process whose limit it counts against; 0: none */
	u64 start_ns;
};

static struct hash_table labels;
static u32 tick = 1, looked;	/* looked: tick of the last search through all labels */

static u64 key_of(const char *text)
{
	u64 key = 1;

	for (; *text; text++) {
		key = (key ^ (u8)*text) * 0x9e3779b97f4a7c15ull;
		key ^= key >> 29;
	}
	return key;
}

static bool is_full(const struct proc *p)
{
	return labels.n >= LABELS_MAX || (p && p->n_labels >= LABELS_OF_PROCESS);
}

static void let_go(struct label *l)
{
	struct proc *p = l->pid ? proctab_find(l->pid, l->start_ns) : NULL;

	if (p)
		p->n_labels--;
	frames_unwanted(frames_find(FRAMES_THING, l->key, 0));
	hash_remove(&labels, &l->node);
	str_put(l->name);
	free(l);
}

/* Evicts labels of the process that has too many, or of all if there are too many in total; once a tick. */
static void make_room(struct proc *p)
{
	bool of_all = labels.n >= LABELS_MAX;
	u32 *last = of_all || !p ? &looked : &p->labels_looked;

	if (*last == tick)
		return;
	*last = tick;
	hash_each(&labels, struct label, l)
		if (!l->refs && tick - l->used >= LABEL_TICKS &&
		    (of_all || (p && l->pid == p->pid && l->start_ns == p->start_ns)))
			let_go(l);
}

static struct label *make(struct proc *p, u64 key, const char *text)
{
	struct label *l = xcalloc(1, sizeof(*l));
	char name[ANSWER_MAX + 8];

	l->key = key;
	if (p) {
		l->pid = p->pid;
		l->start_ns = p->start_ns;
		p->n_labels++;
	}
	snprintf(name, sizeof(name), FRAME_THING_TEXT "%s", text);
	l->name = str_new(name);
	hash_add(&labels, &l->node, (u32)key);
	return l;
}

static struct label *find(u64 key)
{
	return hash_find(&labels, (u32)key, struct label, x, x->key == key);
}

struct label *labels_of(u32 pid, const char *text)
{
	struct proc *p = pid ? proctab_current(pid) : NULL;
	u64 key = key_of(text);
	struct label *l = find(key);

	if (!l && is_full(p)) {
		make_room(p);
		if (is_full(p)) {
			key = REST_KEY;
			text = REST_TEXT;
			p = NULL;
			l = find(key);
		}
	}
	l = l ?: make(p, key, text);
	l->refs++;
	l->used = tick;
	return l;
}

void labels_put(struct label *l)
{
	if (l)
		l->refs--;
}

u32 labels_frame(struct label *l)
{
	u32 id = l ? frames_find(FRAMES_THING, l->key, 0) : 0;	/* also marks the frame as used */

	if (!l)
		return 0;
	l->used = tick;
	if (!id) {	/* new, or evicted while no stack had it */
		id = frames_intern(FRAMES_THING, l->key, 0);
		frames_name(id, str_get(l->name), str_new("kernel"), NULL);
	}
	return id;
}

bool labels_is_of(const struct label *l, u32 pid)
{
	char end[16];
	size_t n = (size_t)snprintf(end, sizeof(end), " %u)", pid), all = strlen(l->name);

	return pid && all > n && !strcmp(l->name + all - n, end);
}

void labels_tick(void)
{
	tick++;
}

void labels_clear(void)
{
	hash_each(&labels, struct label, l)
		let_go(l);
	hash_free(&labels, NULL);
	looked = 0;
}
