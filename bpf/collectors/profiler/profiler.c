// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * profiler.c: the tables stacks and frames: controls the programs, reads their ring. Never blocks.
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
#include "bpf/helpers/admin.h"
#include "bpf/helpers/opener.h"
#include "bpf/helpers/privileges.h"
#include "bpf/kernel/linger.h"
#include "bpf/kernel/probes.h"
#include "bpf/collectors/threads.h"
#include "bpf/stacks/stack_wire.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/jit.h"
#include "bpf/stacks/lines.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/pace.h"
#include "bpf/stacks/turns.h"
#include "bpf/collectors/profiler/profiler_names.h"
#include "bpf/collectors/profiler/profiler_spans.h"
#include "bpf/collectors/profiler/profiler_stacks.h"
#include "bpf/collectors/profiler/profiler_things.h"
#include "bpf/collectors/profiler/profiler_waits.h"
#include "bpf/stacks/user_walk.h"
#include "symbolizer/symbolizer.h"
#include "profiler.skel.h"

#define FEW_FRAMES 16384u	/* 5 MB with their names */
#define YOUNG_WAIT_NS (100 * NSEC_PER_MSEC)	/* counts when it ends */
#define STACKS_NS (20 * NSEC_PER_MSEC)		/* patience for the stacks of waits */

static struct profiler *skel;
static struct bpf_link **links;
static int *clocks;			/* the perf events of links */
static u32 n_links;
static struct ring_buffer *ring;
static bool first_tick_over;
static u64 sampling_since_ns;	/* CPU time; 0: not now */
static u64 cpu_wanted_ns, off_wanted_ns, requests_wanted_ns;	/* last */
static struct bpf_link *off_links[4];
static struct bpf_program *off_return_prog;
static bool off_on;
static u64 lost_before;		/* number of samples lost, at the last swap */
static bool lost_swapped;	/* a set of lost times waits to be emptied */

/* ---- samples ---- */

/* If only waits of HTTP threads are collected, their stacks make no rows: they would be taken for the whole. */
static void add_sample(const struct wire_sample *s)
{
	stacks_add(s, s->kind != SAMPLE_OFFCPU || !skel->bss->only_http);
}

static void take_walked(const struct wire_sample *s)
{
	if (s->kind == SAMPLE_WAIT)
		profiler_waits_walked(s);
	else
		add_sample(s);
}

static int on_sample(void *ctx, void *data, size_t size)
{
	const struct wire_sample *s = data;
	size_t frames = (s->n_user + s->n_kernel) * sizeof(u64);

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
			profiler_waits_read(job, take_walked);
		free(job);
	}
}

static void profiler_drain(void)
{
	ring_buffer__consume(ring);
	take_opened();
	names_take();
	files_ask_waiting();
	mappings_drain();
	mappings_install();
	walk_waiting(take_walked);
	debug_drain();
	names_ask();
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

static void set_scope(const struct scope *scope)
{
	u32 n = 0;

	/* not narrowed to the selected process: a sample is cheap, and the host's graph stays whole */
	for (u32 i = 0; i < scope->n_pids && i < SCOPE_MAX_PIDS; i++)
		skel->bss->scope_tgids[n++] = scope->pids[i];
	skel->bss->scope_n = n;
}

/* ---- time of lost samples ---- */

static bool profiler_swap(const struct tick *t)
{
	u64 lost = skel->bss->lost_samples + skel->bss->lost_pending;

	(void)t;
	lost_swapped = lost != lost_before;
	lost_before = lost;
	if (lost_swapped)
		skel->bss->lost_set ^= 1;
	return lost_swapped;
}

static void take_lost_of(struct lost_time *l, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (!l[i].samples)
			continue;
		if (l[i].kind != SAMPLE_OFFCPU || !skel->bss->only_http)
			stacks_add_lost(&l[i]);
		memset(&l[i], 0, sizeof(l[i]));
	}
}

static void take_lost(void)
{
	u32 set = !(skel->bss->lost_set & 1);

	if (!lost_swapped)
		return;
	lost_swapped = false;
	take_lost_of(skel->bss->lost_times[set], LOST_PROCESSES);
	take_lost_of(skel->bss->lost_others[set], LOST_KINDS);
}

/* ---- CPU time and blocked time, each only while it is wanted ---- */

#define NOT_WANTED "no view asks for it: press "

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
		probe_off(skel->progs.on_sample, NOT_WANTED "2");
}

static void off_switch_off(const char *why)
{
	struct bpf_program *const progs[] = {
		skel->progs.on_off_switch, skel->progs.on_off_waking, off_return_prog,
		skel->progs.waits_iter,
	};

	profiler_waits_close();
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
	profiler_waits_open(off_links[3], &skel->bss->look);
	profiler_waits_adopt(skel->bss->off_began_ns);
	spans_open();
}

static bool is_wanted(u64 *last_ns, bool now, const struct tick *t)
{
	if (now)
		*last_ns = t->now_ns;
	else if (linger_ends(t->now_ns - *last_ns, LINGER_NS, LINGER_DEAR_NS))
		*last_ns = 0;	/* until it is wanted again, even if ottop gets cheaper */
	return *last_ns != 0;
}

/* A wish for frames alone means those of CPU time, or of the waits of requests. */
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
		off_switch_off(NOT_WANTED "3");
}

/* Number of frames above which the least recently used are evicted. */
static u32 few_frames(void)
{
	const char *few = getenv("OTTOP_FRAMES");	/* for tests */

	return few ? (u32)max(1, atoi(few)) : FEW_FRAMES;
}

static void profiler_adjust(const struct tick *t)
{
	pace_hurry(t->hurry);
	lines_hurry(t->hurry);
	frames_room(t->want & WANT_ALL_FRAMES ? 0 : few_frames());
	lines_switch(!(t->want & WANT_NO_LINES));
	if (t->seen)
		lines_see(t->seen, t->n_seen);
	if (t->want & WANT_ALL_LINES)
		lines_want_all();
	adjust_what(t);
}

/* Reading a stack takes microseconds; if it hangs the wait is reported without its user stack. */
static void await_stacks(void)
{
	u64 until = boottime_ns() + STACKS_NS, now;
	struct pollfd fd = { .events = POLLIN };

	while (profiler_waits_reading() && (now = boottime_ns()) < until) {
		fd.fd = opener_fd();
		if (poll(&fd, 1, (int)((until - now) / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
			return;
		take_opened();
	}
}

static void report_waits(void)
{
	u64 least = max(sampler_options()->min_block_ns, YOUNG_WAIT_NS);

	if (!off_on)
		return;
	profiler_waits_look(least, add_sample);
	await_stacks();
	profiler_waits_report(add_sample);
}

/* How much of this interval was sampled: of the first one only a part. */
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
	take_lost();
	report_waits();
	spans_want();
	things_ask(t->now_ns);
	spans_fill();
	if (first_tick_over)
		profiler_adjust(t);
	stacks_rows(t);
	things_forget();
	frames_rows(t->b);
	if (!sampling_since_ns && skel->bss->only_http)
		builder_status(t->b, TABLE_stacks, TS_OFF, NULL, 0);
	else
		builder_status(t->b, TABLE_stacks, unreadable ? TS_PARTIAL : TS_OK, unreadable, observed_ns(t));
	builder_status(t->b, TABLE_frames, unreadable ? TS_PARTIAL : TS_OK, unreadable, t->interval_ns);
	loss_set("ring buffer full (stack samples)", skel->bss->lost_samples);
	loss_set("too many blocks at once (off-CPU)", skel->bss->lost_pending);
	loss_set_of("end of a wait not told by the kernel (off-CPU)", skel->bss->lost_ends, stacks_waits_ended());
	loss_set("too many waits at once (off-CPU)", profiler_waits_refused());
	loss_set("too many things waited for at once (off-CPU)", things_refused());
	loss_set("too many distinct frames", frames_refused());
	loss_set("no room for an unwind table", files_refused());
	loss_set("no room for mappings", mappings_refused());
	mappings_forget_ended();
	jit_tick();
	return 0;
}

/* Starts after the first tick, which is too long for its samples to be read in time. */
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
	int fd = admin_cpu_clock(cpu, sampler_options()->rate_hz);
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
	stacks_close();
	things_close();
	mappings_close();
	files_close();
	debug_close();
	jit_close();
	arena_close();
	lines_close();
	frames_clear();
	turns_close();
	probes_forget("profiler");
	profiler__destroy(skel);
	skel = NULL;
}

static int profiler_open(char *reason, size_t cap)
{
	int err;

	sampling_since_ns = cpu_wanted_ns = off_wanted_ns = requests_wanted_ns = 0;
	lost_before = 0;
	lost_swapped = first_tick_over = false;
	skel = profiler__open();
	if (!skel)
		return -errno;
	skel->rodata->min_block_ns = sampler_options()->min_block_ns;
	off_return_prog = probes_prefer_classic() ? skel->progs.on_off_return_tp :
						    skel->progs.on_off_return;
	bpf_program__set_autoload(off_return_prog, true);
	map_ops_choose(skel->progs.serve_processes);
	err = bpf_map__reuse_fd(skel->maps.tasks, tasks_map_fd()) ?: profiler__load(skel);
	if (err) {
		snprintf(reason, cap, "stack sampling: %s", probe_why(-err));
		return err;
	}
	set_scope(&sampler_options()->scope);
	things_open();
	probes_add("profiler", skel->obj);
	off_switch_off(NOT_WANTED "3");
	probe_off(skel->progs.on_sample, NOT_WANTED "2");
	stacks_open(NSEC_PER_SEC / sampler_options()->rate_hz, bpf_program__fd(skel->progs.name_of_kernel));
	pace_open(sampler_options()->budget_pct, (u32)libbpf_num_possible_cpus());
	mappings_open(map_ops_of(skel->maps.unw_processes, skel->progs.serve_processes));
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
	.swap = profiler_swap,
	.drain = profiler_drain,
	.fds = profiler_fds,
	.read = profiler_read,
	.end = profiler_end,
	.close = profiler_close,
};
