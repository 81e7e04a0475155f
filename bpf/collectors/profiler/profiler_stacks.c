// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_stacks.c: sums the equal stacks of an interval into rows of the table stacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/profiler/profiler_spans.h"
#include "bpf/collectors/profiler/profiler_stacks.h"
#include "bpf/collectors/profiler/profiler_things.h"
#include "bpf/host/proctab.h"
#include "bpf/kernel/ksym.h"
#include "bpf/model/hash.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/frames.h"
#include "bpf/stacks/jit.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/turns.h"

/* One stack of this interval. */
struct total {
	struct hash_node node;	/* by stack and thread */
	u32 kind, pid, tid;	/* tid 0: not known */
	u64 start_ns;
	const char *frames, *comm;
	u32 waker;
	const struct thing *thing;	/* what it waited for */
	u16 end;
	u64 samples, value;
};

static struct hash_table totals;
static u64 period_ns, waits_ended;
static int ksym_prog;

static u32 frame_of_kernel(u64 addr)
{
	u32 id = frames_find(FRAMES_KERNEL, addr, 0);
	char function[KSYM_BYTES], text[KSYM_BYTES + 2];
	const char *module = "";
	bool known;

	if (id)
		return id;
	id = frames_intern(FRAMES_KERNEL, addr, 0);
	known = !ksym_name(ksym_prog, addr, function, &module);
	frames_name(id, known ? str_new(function) : NULL, str_new("kernel"),
		    known ? NULL : str_new("the kernel has no function at this address"));
	if (module[0])
		snprintf(text, sizeof(text), "[%s]", module);
	frames_module(id, str_new(module[0] ? text : "[kernel]"), NULL);
	return id;
}

static bool is_library(const char *path)
{
	const char *base = strrchr(path, '/');

	return strstr(base ?: path, ".so") != NULL || path[0] == '[';
}

/* The frame of an address whose file was not known when the stack was walked. */
static u32 frame_too_early(u32 pid, u64 addr)
{
	u32 id = frames_find(FRAMES_RAW, addr, pid);

	if (!id) {
		id = frames_intern(FRAMES_RAW, addr, pid);
		frames_name(id, NULL, str_new("unknown"), str_new("sampled before its file was known"));
	}
	return id;
}

static bool is_too_early(const struct wire_sample *s, u32 i)
{
	return s->end == WALK_NEW_PROCESS || s->end == WALK_ENDED ||
	       (s->end == WALK_NEW_FILE && i + 1 == s->n_user);
}

static u32 frame_of_user(const struct wire_sample *s, u32 i)
{
	u32 file = FRAME_FILE(s->frames[i]), id;
	u64 addr = FRAME_ADDR(s->frames[i]);
	const char *path;

	if (!file) {
		if (is_too_early(s, i))
			return frame_too_early(s->tgid, addr);
		mappings_code_used(s->tgid);
		/* a return address: the call instruction is before it */
		return jit_frame(s->tgid, s->start_ns, s->exec_id, addr - (i != 0));
	}
	files_used(file, addr, s->time_ns);
	addr = file_addr(file, addr);
	id = frames_find(file, addr, 0);
	if (!id || !frames_has_name(id))
		turns_heat(file);
	if (id)
		return id;
	id = frames_intern(file, addr, 0);
	path = file_path(file);
	frames_module(id, path ? str_new(path) : NULL, str_new(file_build_id(file)));
	frames_name(id, NULL, str_new(path && is_library(path) ? "library" : "user"), NULL);
	return id;
}

/* Writes " 123"; returns its end. */
static char *put_number(char *to, u32 number)
{
	char digits[10];
	u32 n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	*to++ = ' ';
	while (n)
		*to++ = digits[--n];
	return to;
}

/* The numbers of all frames, leaf first: kernel part, then user part. Called some ten thousand times a second. */
static const char *stack_text(const struct wire_sample *s)
{
	char buf[(2 * MAX_FRAMES + 1) * 11], *end = buf;

	_Static_assert(sizeof(buf) >= 2 * MAX_FRAMES * 11, "a blank and ten digits each");
	for (u32 i = 0; i < s->n_kernel; i++)
		end = put_number(end, frame_of_kernel(s->frames[s->n_user + i]));
	for (u32 i = 0; i < s->n_user; i++)
		end = put_number(end, frame_of_user(s, i));
	return end == buf ? str_new("") : str_newn(buf + 1, (size_t)(end - buf - 1));
}

/* Counts ended waits; a sampled short one counts for value / length of them. */
static void count_ended(const struct wire_sample *s)
{
	u64 ns = s->in.end_ns - min(s->in.since_ns, s->in.end_ns);

	if (ns)
		waits_ended += max(s->value / ns, (u64)1);
}

void stacks_add(const struct wire_sample *s, bool keep)
{
	bool off = s->kind == SAMPLE_OFFCPU;
	const struct thing *thing = off ? things_of(s) : NULL;
	u32 waker = off ? s->waker : 0;
	const char *frames = stack_text(s);
	u32 hash = hash_of((uintptr_t)frames, s->tid);
	struct total *t;

	if (off) {
		spans_add(s, frames, thing);
		count_ended(s);
	}
	if (!keep) {
		str_put(frames);
		return;
	}
	t = hash_find(&totals, hash, struct total, x,
		x->frames == frames && x->tid == s->tid && x->kind == s->kind && x->start_ns == s->start_ns &&
		x->end == s->end && x->waker == waker && x->thing == thing);
	if (!t) {
		t = xcalloc(1, sizeof(*t));
		*t = (struct total){ .kind = s->kind, .pid = s->tgid, .tid = s->tid,
				     .start_ns = s->start_ns, .frames = frames, .waker = waker, .thing = thing,
				     .comm = str_newn(s->comm, sizeof(s->comm)), .end = s->end };
		hash_add(&totals, &t->node, hash);
	} else {
		str_put(frames);
	}
	t->samples++;
	t->value += s->kind == SAMPLE_CPU ? period_ns : s->value;
}

void stacks_add_lost(const struct lost_time *l)
{
	const char *frames = str_new("");
	struct total *t = xcalloc(1, sizeof(*t));

	*t = (struct total){ .kind = l->kind, .pid = l->tgid, .start_ns = l->start_ns, .frames = frames,
			     .comm = l->tgid ? str_newn(l->comm, sizeof(l->comm)) : str_new("other"),
			     .end = WALK_LOST, .samples = l->samples,
			     .value = l->kind == SAMPLE_CPU ? l->value * period_ns : l->value };
	hash_add(&totals, &t->node, hash_of((uintptr_t)frames, t->pid));
}

static const char *const ends[WALK_ENDS] = {
	[WALK_WHOLE] = "yes", [WALK_NONE] = "yes", [WALK_NEW_PROCESS] = "new process",
	[WALK_NEW_FILE] = "new file", [WALK_32BIT] = "32-bit program",
	[WALK_SHORT_COPY] = "deep and new", [WALK_ENDED] = "ended too soon",
	[WALK_NO_MAPPING] = "no mapping", [WALK_NO_CFI] = "no CFI", [WALK_BAD_READ] = "bad read",
	[WALK_STUCK] = "stack is stuck", [WALK_TOO_DEEP] = "deeper than 127",
	[WALK_NO_ROOM] = "no room for its unwind table", [WALK_NOT_READ] = "not readable",
	[WALK_NEW_CODE] = "new code", [WALK_LOST] = "lost: ring buffer full",
};

/* Merges stacks whose things turned out to have the same text, or none. */
static void take_equal(struct total *s)
{
	for (struct total *o = hash_next(&s->node); o; o = hash_next(&o->node)) {
		if (o->frames != s->frames || o->tid != s->tid || o->kind != s->kind || o->start_ns != s->start_ns ||
		    o->end != s->end || things_waker(o->waker, o->thing) != things_waker(s->waker, s->thing) ||
		    things_frame(o->thing) != things_frame(s->thing))
			continue;
		s->samples += o->samples;
		s->value += o->value;
		o->samples = 0;
	}
}

/* The stack's text, preceded by the waker and the object of the wait. */
static const char *whole_text(const struct total *s)
{
	u32 thing = things_frame(s->thing), tid = things_waker(s->waker, s->thing);
	u32 waker = tid ? things_waker_frame(tid) : 0;
	char buf[(2 * MAX_FRAMES + 3) * 11];
	size_t n = 0;

	if (!thing && !waker)
		return str_get(s->frames);
	if (waker)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%u", waker);
	if (thing)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, n ? " %u" : "%u", thing);
	n += (size_t)snprintf(buf + n, sizeof(buf) - n, *s->frames ? " %s" : "", s->frames);
	return str_newn(buf, n);
}

static void add_row(const struct tick *t, struct total *s)
{
	const struct proc *p = proctab_find(s->pid, s->start_ns);
	struct stacks_row *r;

	if (!s->samples || (p && !proc_in_scope(p)))
		return;
	take_equal(s);
	r = builder_row(t->b, TABLE_stacks);
	r->row.first_seen_ns = t->prev_ns;
	r->row.other = !s->pid;
	r->pid = s->pid;
	r->start_time_ns = s->start_ns;
	r->tid = s->tid ? s->tid : U64_UNKNOWN;
	r->kind = str_new(s->kind == SAMPLE_CPU ? "cpu" : "offcpu");
	r->frames = whole_text(s);
	r->comm = str_get(s->comm);
	r->value = s->value;
	r->samples = s->samples;
	r->unit = str_new("nanoseconds");
	r->whole = str_new(s->end < WALK_ENDS ? ends[s->end] : "?");
}

static void total_free(void *total)
{
	struct total *s = total;

	str_put(s->frames);
	str_put(s->comm);
	free(s);
}

void stacks_rows(const struct tick *t)
{
	hash_each(&totals, struct total, s)
		add_row(t, s);
	hash_free(&totals, total_free);
}

u64 stacks_waits_ended(void)
{
	return waits_ended;
}

void stacks_open(u64 sample_ns, int ksym)
{
	period_ns = sample_ns;
	ksym_prog = ksym;
}

void stacks_close(void)
{
	hash_free(&totals, total_free);
}
