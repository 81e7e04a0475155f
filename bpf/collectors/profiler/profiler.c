// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * profiler.c: the tables stacks and frames. Samples come one by one from the
 * ring; equal stacks of an interval are added up. Names are asked for in
 * batches and arrive when they arrive: nothing here waits.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/stacks/frames.h"
#include "bpf/helpers/keeper.h"
#include "bpf/helpers/opener.h"
#include "bpf/helpers/privileges.h"
#include "bpf/kernel/linger.h"
#include "bpf/kernel/probes.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/threads.h"
#include "bpf/stacks/stack_wire.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/hints.h"
#include "bpf/stacks/jit.h"
#include "bpf/stacks/lines.h"
#include "bpf/stacks/mangled.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/pace.h"
#include "bpf/stacks/turns.h"
#include "bpf/collectors/profiler/profiler_spans.h"
#include "bpf/collectors/profiler/profiler_things.h"
#include "bpf/model/hash.h"
#include "bpf/collectors/profiler/profiler_waits.h"
#include "bpf/stacks/user_walk.h"
#include "symbolizer/symbolizer.h"
#include "profiler.skel.h"

#define FEW_FRAMES 24576	/* 8 MB with their names */
#define YOUNG_WAIT_NS (100 * NSEC_PER_MSEC)	/* counts when it ends */
#define STACKS_NS (20 * NSEC_PER_MSEC)		/* patience for the stacks of waits */

/* One stack of this interval. */
struct total {
	struct hash_node node;	/* by stack and thread */
	u32 kind, pid, tid;
	u64 start_ns;
	const char *frames, *comm;
	u32 waker;
	const struct thing *thing;	/* what it waited for */
	u16 end;
	u64 samples, value;
};

static struct profiler *skel;
static struct bpf_link **links;
static int *clocks;			/* the perf events of links */
static u32 n_links;
static struct ring_buffer *ring;
static struct hash_table totals;
static u64 period_ns;
static bool have_kallsyms;
static bool first_tick_over;
static u64 sampling_since_ns;	/* CPU time; 0: not now */
static u64 cpu_wanted_ns, off_wanted_ns, requests_wanted_ns;	/* last */
static struct bpf_link *off_links[4];
static struct bpf_program *off_return_prog;
static bool off_on;
static u64 waits_ended;

/* ---- samples ---- */

static u32 frame_of_kernel(u64 addr)
{
	u32 id = frames_find(FRAMES_KERNEL, addr, 0);
	const char *module = "", *name;
	char text[96];

	if (id)
		return id;
	id = frames_intern(FRAMES_KERNEL, addr, 0);
	name = have_kallsyms ? kallsyms_name(addr, &module) : NULL;
	frames_name(id, name ? str_new(name) : NULL, str_new("kernel"),
		    name ? NULL : str_new("kernel addresses are hidden (kernel.kptr_restrict)"));
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

/* In a file that was not known yet when the stack was walked, and is not waited for any more. */
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
		/* a return address: the call is before it */
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

/* The numbers of all frames, leaf first: kernel part, then user part. */
static const char *stack_text(const struct wire_sample *s)
{
	char buf[(2 * MAX_FRAMES + 1) * 11];
	size_t n = 0;

	for (u32 i = 0; i < s->n_kernel; i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, n ? " %u" : "%u",
				      frame_of_kernel(s->frames[s->n_user + i]));
	for (u32 i = 0; i < s->n_user; i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, n ? " %u" : "%u",
				      frame_of_user(s, i));
	return str_newn(buf, n);
}

/* A short one stands for as many as it has of their time. */
static void count_ended(const struct wire_sample *s)
{
	u64 ns = s->in.end_ns - min(s->in.since_ns, s->in.end_ns);

	if (ns)
		waits_ended += max(s->value / ns, (u64)1);
}

static void add_sample(const struct wire_sample *s)
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
	if (off && skel->bss->only_http) {	/* a part of the stacks would be taken for the whole */
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

static void take_walked(const struct wire_sample *s)
{
	if (s->kind == SAMPLE_WAIT)
		waits_walked(s);
	else
		add_sample(s);
}

static int on_sample(void *ctx, void *data, size_t size)
{
	const struct wire_sample *s = data;
	size_t frames = (s->n_user + s->n_kernel) * sizeof(u64);

	(void)ctx;
	if (s->end == WALK_NEW_PROCESS || s->end == WALK_NO_MAPPING)
		mappings_process_changed(s->tgid, s->start_ns, s->exec_id, s->miss);
	if (s->copied) {
		walk_copied(data, take_walked);
		return 0;
	}
	if (size < sizeof(*s) + frames)
		return 0;
	if (s->end == WALK_NEW_FILE || s->end == WALK_NEW_CODE)
		mappings_want_table(s->tgid, s->miss);
	add_sample(s);
	return 0;
}

/* ---- names ---- */

static const char *why_missing(u32 missing)
{
	switch (missing) {
	case MISSING_NO_SYMBOLS:
		return "stripped: no symbols, and no debug file of its build-id";
	case MISSING_STRIPPED:
		return "stripped: not among the exported functions, no debug file of its build-id";
	}
	return "no symbol covers it";
}

static const char *why_failed(int err)
{
	switch (err) {
	case -EFAULT:
		return "the symbolizer died of this file";
	case -ETIME:
		return "the symbolizer needed more than 10 s of CPU time for this file";
	case -ENOMEM:
		return "the symbolizer needed more memory than it may have for this file";
	case -ETIMEDOUT:
		return "this file could not be read: a read of it hung for 60 s";
	case -ESTALE:
		return "its file was written over since it was sampled";
	case -EPIPE:
		return "the symbolizer is gone";
	}
	return "its symbols cannot be read";
}

static void names_failed(const struct symbolizer_answer *a)
{
	if (symbolizer_died(a->err))	/* not again: it would kill the next one too */
		debug_set_bad(a->file, why_failed(a->err));
	frames_fail(a->file, why_failed(a->err));
}

static void take_table(const struct symbolizer_answer *a)
{
	if (files_table_answer(a))
		mappings_file_changed(a->file);
	debug_table_answer(a);
}

/* What an interpreter runs has names that it tells nobody, unless asked to. */
static const char *hint_for(const char *name, const char *path)
{
	char hint[128];

	return hint_of_function(name, path, hint, sizeof(hint)) ? str_new(hint) : NULL;
}

/* What there is to say of a name; NULL: nothing. */
static const char *about_name(const char *name, const char *path)
{
	const char *reason = mangled_reason(name);

	return reason ? str_new(reason) : hint_for(name, path);
}

static void take_names(const struct symbolizer_answer *a)
{
	const char *name = a->names;

	pace_answered(a->cpu_ns);
	turns_answered(a->file, a->cpu_ns, boottime_ns());
	if (a->err)
		names_failed(a);
	for (u32 i = 0; !a->err && i < a->n_names; i++, name += strlen(name) + 1) {
		u32 id = frames_find(a->file, a->addrs[i], 0);
		const char *path = file_path(a->file);

		if (!id)
			continue;
		mangled_note(name);
		frames_name(id, name[0] ? str_new(lines_name(name)) : NULL,
			    str_new(lines_kind(name, path)),
			    name[0] ? about_name(name, path) : str_new(why_missing(a->missing)));
		if (!name[0])
			lines_want(id);
	}
}

static void take_answers(void)
{
	struct symbolizer_answer a;

	while (symbolizer_receive(&a)) {
		if (a.kind == ANSWER_TABLE)
			take_table(&a);
		else if (a.kind == ANSWER_DEBUG)
			debug_answer(&a);
		else if (a.kind == ANSWER_JIT)
			jit_answer(&a);
		else if (a.kind == ANSWER_LINES)
			lines_take(&a);
		else
			take_names(&a);
		symbolizer_done(&a);
	}
}

static void take_opened(void)
{
	struct opener_job *job;

	while ((job = opener_take())) {
		if (job->kind == OPEN_DEBUG || job->kind == OPEN_SUP)
			debug_opened(job);
		else if (job->kind == OPEN_PERF_MAP)
			jit_opened(job);
		else if (job->kind == READ_HOTSPOT)
			mappings_code_read(job);
		else
			waits_read(job, take_walked);
		free(job);
	}
}

/* Its symbols cannot be read: its frames say so, and are not asked for. */
static void give_up_names(u32 file)
{
	u64 addr;

	frames_fail(file, debug_bad(file) ?: "its file cannot be read");
	while (frames_next_unnamed(file, &addr))
		;
}

/* Whether a file can be asked now; what cannot be read is given up on the way. */
static bool can_be_asked(u32 file)
{
	if (file_fd(file) < 0 || !frames_has_unnamed(file) || !debug_ready(file))
		return false;
	if (!file_is_bad(file) && !debug_bad(file))
		return true;
	give_up_names(file);
	return false;
}

static u32 last_file(void)
{
	u32 last = 0;

	while (file_path(last + 1))
		last++;
	return last;
}

static void ask_names(void)
{
	u64 addrs[SYMBOLIZER_BATCH], now = boottime_ns();
	u64 at_ns = pace_hurries() ? UINT64_MAX : now;	/* then nobody waits for his turn */
	u32 ids[SYMBOLIZER_BATCH], file;

	while (pace_may(PACE_NAMES, now) && (file = turns_next(last_file(), can_be_asked, at_ns))) {
		u32 n = 0;

		while (n < SYMBOLIZER_BATCH && (ids[n] = frames_next_unnamed(file, &addrs[n])))
			n++;
		if (symbolizer_ask_names(file, file_fd(file), debug_fd(file), addrs, n)) {
			while (n)	/* busy: the next drain asks again */
				frames_ask_again(ids[--n]);
			return;
		}
		pace_asked(PACE_NAMES, now);
		turns_asked(file);
	}
}

static void profiler_drain(void)
{
	ring_buffer__consume(ring);
	take_opened();
	take_answers();
	files_ask_waiting();
	mappings_drain();
	mappings_install();
	walk_waiting(take_walked);
	debug_drain();
	ask_names();
	lines_drain();
	jit_drain();
}

static u32 profiler_fds(int *fds)
{
	fds[0] = ring_buffer__epoll_fd(ring);
	const int more[] = { symbolizer_tables_fd(), symbolizer_fd(), opener_fd() };
	u32 n = 1;

	for (u32 i = 0; i < ARRAY_SIZE(more); i++)
		if (more[i] >= 0)
			fds[n++] = more[i];
	return n;
}

/* ---- rows ---- */

static const char *const ends[WALK_ENDS] = {
	[WALK_WHOLE] = "yes", [WALK_NONE] = "yes", [WALK_NEW_PROCESS] = "new process",
	[WALK_NEW_FILE] = "new file", [WALK_32BIT] = "32-bit program",
	[WALK_SHORT_COPY] = "deep and new", [WALK_ENDED] = "ended too soon",
	[WALK_NO_MAPPING] = "no mapping", [WALK_NO_CFI] = "no CFI", [WALK_BAD_READ] = "bad read",
	[WALK_STUCK] = "stack is stuck", [WALK_TOO_DEEP] = "deeper than 127",
	[WALK_NO_ROOM] = "no room for its unwind table", [WALK_NOT_READ] = "not readable",
	[WALK_NEW_CODE] = "new code",
};

/* Different things may read the same, or not at all. */
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

/* Before the code: who ended the wait, and what it was for. */
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
	r->pid = s->pid;
	r->start_time_ns = s->start_ns;
	r->tid = s->tid;
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

static void set_scope(const struct scope *scope)
{
	u32 n = 0;

	/* not narrowed to the selected process: a sample is cheap, and the host's graph stays whole */
	for (u32 i = 0; i < scope->n_pids && i < SCOPE_MAX_PIDS; i++)
		skel->bss->scope_tgids[n++] = scope->pids[i];
	skel->bss->scope_n = n;
}

/* ---- CPU time and blocked time, while somebody looks at it ---- */

#define NOBODY "no view asks for it: press "

static void cpu_switch(bool on)
{
	if (on == (sampling_since_ns != 0))
		return;
	for (u32 i = 0; i < n_links; i++)
		ioctl(clocks[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	skel->bss->sampling = on;
	sampling_since_ns = on ? boottime_ns() : 0;
	if (on)
		probe_attached(skel->progs.on_sample);
	else
		probe_off(skel->progs.on_sample, NOBODY "2");
}


static void off_switch_off(const char *why)
{
	struct bpf_program *const progs[] = {
		skel->progs.on_off_switch, skel->progs.on_off_waking, off_return_prog,
		skel->progs.waits_iter,
	};

	waits_close();
	spans_close();

	for (u32 i = 0; i < ARRAY_SIZE(off_links); i++) {
		bpf_link__destroy(off_links[i]);
		off_links[i] = NULL;
		probe_off(progs[i], why);
	}
	off_on = false;
}

static void off_switch_on(void)
{
	skel->bss->off_began_ns = kernel_ns(CLOCK_MONOTONIC);
	off_links[0] = probe_attach(off_return_prog);
	off_links[1] = probe_attach(skel->progs.on_off_waking);
	off_links[2] = probe_attach(skel->progs.on_off_switch);
	off_on = off_links[0] && off_links[1] && off_links[2];
	if (!off_on) {
		log_line("off-CPU: %s", probe_why(errno));
		return;
	}
	off_links[3] = probe_attach(skel->progs.waits_iter);
	waits_open(off_links[3], &skel->bss->look);
	waits_adopt(skel->bss->off_began_ns);
	spans_open();
}

static bool is_wanted(u64 *last_ns, bool now, const struct tick *t)
{
	if (now)
		*last_ns = t->now_ns;
	else if (linger_ends(t->now_ns - *last_ns, LINGER_NS, LINGER_DEAR_NS))
		*last_ns = 0;	/* for good: not again when ottop is cheap */
	return *last_ns != 0;
}

/* Frames alone are those of CPU time, or of what requests wait for. */
static void adjust_what(const struct tick *t)
{
	bool requests = t->want & WANT_REQUEST_WAITS;
	bool stacks = t->want & TABLE_BIT(TABLE_stacks) || (t->want & TABLE_BIT(TABLE_frames) && !requests);
	bool all = is_wanted(&off_wanted_ns, t->want & WANT_OFFCPU, t);

	cpu_switch(is_wanted(&cpu_wanted_ns, stacks, t));
	requests = is_wanted(&requests_wanted_ns, requests, t);
	skel->bss->only_http = !all;
	if ((all || requests) && !off_on)
		off_switch_on();
	else if (!all && !requests && off_on)
		off_switch_off(NOBODY "3");
}

static void profiler_adjust(const struct tick *t)
{
	pace_hurry(t->hurry);
	lines_hurry(t->hurry);
	frames_room(t->want & WANT_FEW_FRAMES ? FEW_FRAMES : 0);
	lines_switch(!(t->want & WANT_NO_LINES));
	if (t->seen)
		lines_see(t->seen, t->n_seen);
	if (t->want & WANT_ALL_LINES)
		lines_want_all();
	adjust_what(t);
}

/* Stacks are read within microseconds; where that hangs the wait is told without. */
static void await_stacks(void)
{
	u64 until = boottime_ns() + STACKS_NS, now;
	struct pollfd fd = { .events = POLLIN };

	while (waits_reading() && (now = boottime_ns()) < until) {
		fd.fd = opener_fd();
		if (poll(&fd, 1, (int)((until - now) / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
			return;
		take_opened();
	}
}

static void tell_waits(void)
{
	u64 least = max(sampler_options()->min_block_ns, YOUNG_WAIT_NS);

	if (!off_on)
		return;
	waits_look(least, add_sample);
	await_stacks();
	waits_tell(add_sample);
}

/* Of the first interval the part in which samples were taken. */
static u64 observed_ns(const struct tick *t)
{
	if (!sampling_since_ns || !t->interval_ns)
		return 0;
	return min(t->interval_ns, t->now_ns - sampling_since_ns);
}

static int profiler_read(const struct tick *t)
{
	const char *unreadable = privileges_have(CAP_SYS_PTRACE) ? NULL :
		"CAP_SYS_PTRACE is missing: files of other users' programs are not opened: stacks without names, some cut";

	profiler_drain();
	tell_waits();
	things_ask(t->now_ns);
	spans_fill();
	if (first_tick_over)
		profiler_adjust(t);
	hash_each(&totals, struct total, s)
		add_row(t, s);
	hash_free(&totals, total_free);
	things_forget();
	frames_rows(t->b);
	if (!sampling_since_ns && skel->bss->only_http)
		builder_status(t->b, TABLE_stacks, TS_OFF, NULL, 0);
	else
		builder_status(t->b, TABLE_stacks, unreadable ? TS_PARTIAL : TS_OK, unreadable, observed_ns(t));
	builder_status(t->b, TABLE_frames, unreadable ? TS_PARTIAL : TS_OK, unreadable, t->interval_ns);
	loss_set("ring buffer full (stack samples)", skel->bss->lost_samples);
	loss_set("too many blocks at once (off-CPU)", skel->bss->lost_pending);
	loss_set_of("end of a wait not told by the kernel (off-CPU)", skel->bss->lost_ends, waits_ended);
	loss_set("too many waits at once (off-CPU)", waits_refused());
	loss_set("too many things waited for at once (off-CPU)", things_refused());
	loss_set("too many distinct frames", frames_refused());
	loss_set("no room for an unwind table", files_refused());
	loss_set("no room for mappings", mappings_refused());
	mappings_forget_ended();
	jit_tick();
	return 0;
}

/*
 * The first tick is long, and what is sampled during it waits too long for us to look
 * at it. Between two drains from now on there is little time.
 */
static void profiler_end(const struct tick *t)
{
	if (first_tick_over)
		return;
	first_tick_over = true;
	profiler_adjust(t);
}

/* ---- open and close ---- */

static int attach_cpu(u32 cpu)
{
	int fd = keeper_cpu_clock(cpu, sampler_options()->rate_hz);
	struct bpf_link *link;

	if (fd < 0)
		return fd == -ENODEV ? 0 : fd;	/* that CPU is off */
	link = bpf_program__attach_perf_event(skel->progs.on_sample, fd);
	if (!link) {
		int err = -errno;

		close(fd);
		return err;
	}
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	clocks[n_links] = fd;
	links[n_links++] = link;
	return 0;
}

static int attach_all(void)
{
	u32 cpus = (u32)libbpf_num_possible_cpus();
	int err = 0;

	links = xcalloc(cpus, sizeof(*links));
	clocks = xcalloc(cpus, sizeof(*clocks));
	for (u32 i = 0; i < cpus && !err; i++)
		err = attach_cpu(i);
	return err ?: n_links ? 0 : -ENODEV;
}

static void profiler_close(void)
{
	if (skel)
		off_switch_off("closed");
	while (n_links)
		bpf_link__destroy(links[--n_links]);
	free(links);
	free(clocks);
	links = NULL;
	clocks = NULL;
	ring_buffer__free(ring);
	ring = NULL;
	walk_give_up(take_walked);
	hash_free(&totals, total_free);
	things_close();
	mappings_close();
	files_close();
	debug_close();
	jit_close();
	arena_close();
	lines_close();
	frames_clear();
	kallsyms_free();
	turns_close();
	probes_forget("profiler");
	profiler__destroy(skel);
	skel = NULL;
}

static int profiler_open(char *reason, size_t cap)
{
	int err;

	period_ns = NSEC_PER_SEC / sampler_options()->rate_hz;
	sampling_since_ns = cpu_wanted_ns = off_wanted_ns = requests_wanted_ns = 0;
	first_tick_over = false;
	skel = profiler__open();
	if (!skel)
		return -errno;
	skel->rodata->min_block_ns = sampler_options()->min_block_ns;
	off_return_prog = probes_prefer_classic() ? skel->progs.on_off_return_tp :
						    skel->progs.on_off_return;
	bpf_program__set_autoload(off_return_prog, true);
	served_choose(skel->progs.serve_processes);
	err = bpf_map__reuse_fd(skel->maps.tasks, tasks_map_fd()) ?: profiler__load(skel);
	if (err) {
		snprintf(reason, cap, "stack sampling: %s", probe_why(-err));
		return err;
	}
	set_scope(&sampler_options()->scope);
	things_open();
	probes_add("profiler", skel->obj);
	off_switch_off(NOBODY "3");
	probe_off(skel->progs.on_sample, NOBODY "2");
	have_kallsyms = kallsyms_load("/proc/kallsyms") == 0;
	pace_open(sampler_options()->budget_pct, (u32)libbpf_num_possible_cpus());
	mappings_open(served_of(skel->maps.unw_processes, skel->progs.serve_processes));
	err = arena_open(bpf_map__fd(skel->maps.unw_arena)) ?:
	      files_open(bpf_map__fd(skel->maps.unw_infos));
	if (!err) {
		ring = ring_buffer__new(bpf_map__fd(skel->maps.samples), on_sample, NULL, NULL);
		err = ring ? attach_all() : -errno;
	}
	return err;
}

const struct collector profiler_collector = {
	.name = "profiler",
	.tables = TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames),
	.what = "perf events",
	.open = profiler_open,
	.adjust = profiler_adjust,
	.drain = profiler_drain,
	.fds = profiler_fds,
	.read = profiler_read,
	.end = profiler_end,
	.close = profiler_close,
};
