// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscalls.c: the table syscalls. The counting program runs only while counts are wanted, as it
 * takes the kernel off its fast path at each call of every process (nginx serves an eighth less).
 * The latency programs are attached while the table is wanted. Each tick the two sets of counters
 * are swapped, and the inactive one is drained into totals per process x call.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/linger.h"
#include "bpf/kernel/probes.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/syscalls/syscalls.h"
#include "bpf/collectors/syscalls/syscalls_totals.h"
#include "syscalls.skel.h"

#define CALL_GROUPS 8
#define CALL_GROUP 128		/* some 30 us */
#define WHY_OFF "no view or export asks for latencies: press 7"
#define WHY_NOT_COUNTED "nobody looks at counts of calls"
#define COUNTING (TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_threads) | TABLE_BIT(TABLE_host))

static struct syscalls *skel;
static struct bpf_program *enter_prog, *return_prog, *end_prog;
static struct bpf_link *count_link, *return_link, *end_link;
static u64 wanted_ns;		/* last tick at which the table was wanted */
static u64 on_since_ns;		/* first tick of the measurement; 0: off */
static u32 generation;
static u64 counts_wanted_ns;	/* when counts were last wanted */
static u64 counted_ns = U64_UNKNOWN;	/* counted since then */
static u64 read_ns;		/* when the table was read last; 0: not since latencies are measured */
static u32 n_kept;		/* ticks since then */
static bool resting;		/* in this tick it is not read */
static struct counter calls;
static char blocked_why[128];
static u64 focused;		/* process that alone is measured now, or 0 */
static u64 interval_focused;	/* the same, at any time of this interval */
static struct sc_set *sets[2];	/* while latencies are measured */
static int set_fds[2];

/* ---- counting ---- */

u64 syscalls_counted_since_ns(void)
{
	return counted_ns;
}

/* What the cheapest of calls costs us, ns. Of some groups the fastest: nothing came between. */
static u64 time_of_call(void)
{
	u64 best = ~0ull;

	for (u32 group = 0; group < CALL_GROUPS; group++) {
		u64 begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		for (u32 i = 0; i < CALL_GROUP; i++)
			syscall(SYS_getppid);
		best = min(best, clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin);
	}
	return best / CALL_GROUP;
}

/* Measured on our own calls: leaving the fast path is in no statistics of programs. */
static int count_on(void)
{
	u64 before, after;

	if (count_link)
		return 0;
	before = time_of_call();
	count_link = probe_attach(enter_prog);
	after = count_link ? time_of_call() : 0;
	probe_costs(enter_prog, after > before ? after - before : 0);
	counted_ns = count_link ? boottime_ns() : U64_UNKNOWN;
	return count_link ? 0 : -errno;
}

static void count_off(const char *why)
{
	bpf_link__destroy(count_link);
	count_link = NULL;
	counted_ns = U64_UNKNOWN;
	probe_off(enter_prog, why);
}

static void follow_counting(const struct tick *t)
{
	bool some = t->want & COUNTING && !(t->want & WANT_NO_CALLS);

	if (some || t->want & TABLE_BIT(TABLE_syscalls) || on_since_ns) {
		counts_wanted_ns = t->now_ns;
		count_on();
	} else if (count_link && t->now_ns - counts_wanted_ns > LINGER_DEAR_NS) {
		count_off(WHY_NOT_COUNTED);
	}
}

/* ---- switching latencies on and off ---- */

/* Once bpf(2) has come back no program has them any more. */
static void sets_drop(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(sets); i++) {
		if (!sets[i])
			continue;
		bpf_map_delete_elem(bpf_map__fd(skel->maps.sets), &i);
		munmap(sets[i], sizeof(*sets[i]));
		close(set_fds[i]);
		sets[i] = NULL;
	}
}

static int set_make(u32 i)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ottop_calls", 4, sizeof(*sets[i]), 1, &opts), err = 0;
	void *set;

	if (fd < 0)
		return -errno;
	set = mmap(NULL, sizeof(*sets[i]), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (set == MAP_FAILED) {
		err = -errno;
	} else if (bpf_map_update_elem(bpf_map__fd(skel->maps.sets), &i, &fd, BPF_ANY)) {
		err = -errno;
		munmap(set, sizeof(*sets[i]));
	}
	if (err) {
		close(fd);
		return err;
	}
	sets[i] = set;
	set_fds[i] = fd;
	return 0;
}

/* 0 or -errno. Made on demand: they are 3 MB, needed only for latencies. */
static int sets_make(void)
{
	int err = set_make(0) ?: set_make(1);

	if (err)
		sets_drop();
	return err;
}

static void latency_off(const char *why)
{
	if (!skel)
		return;
	skel->bss->generation = 0;
	tasks_set_generation(0);
	bpf_link__destroy(return_link);
	bpf_link__destroy(end_link);
	return_link = end_link = NULL;
	on_since_ns = read_ns = 0;
	probe_off(return_prog, why);
	probe_off(end_prog, why);
	syscalls_totals_clear();
	sets_drop();
}

static int latency_on(const struct tick *t)
{
	int err = sets_make();

	if (err) {
		snprintf(blocked_why, sizeof(blocked_why), "no room for counters: %s", strerror(-err));
		return err;
	}
	return_link = probe_attach(return_prog);
	if (return_link)
		end_link = probe_attach(end_prog);
	if (!return_link || !end_link) {
		snprintf(blocked_why, sizeof(blocked_why), "sys_exit: %s", probe_why(errno));
		latency_off(WHY_OFF);
		return -EPERM;
	}
	on_since_ns = t->now_ns;
	/* entry times written under another generation are not ours: nothing stale is measured */
	skel->bss->generation = ++generation;
	tasks_set_generation(generation);
	syscalls_totals_begin(t->now_ns);
	return 0;
}

static void set_scope(const struct tick *t)
{
	u32 n = 0;

	focused = t->scope_to_focus ? t->focus_pid : 0;
	if (focused) {
		interval_focused = focused;
		skel->bss->scope_tgids[n++] = (u32)focused;
	} else {
		for (u32 i = 0; i < t->scope->n_pids && n < SCOPE_MAX_PIDS; i++)
			skel->bss->scope_tgids[n++] = t->scope->pids[i];
	}
	if (skel->bss->scope_n != n)
		skel->bss->scope_n = n;
}

static bool follow_want(const struct tick *t)
{
	if (t->want & TABLE_BIT(TABLE_syscalls)) {
		wanted_ns = t->now_ns;
		if (!on_since_ns)
			return latency_on(t) == 0;
	} else if (on_since_ns && linger_ends(t->now_ns - wanted_ns, LINGER_NS, LINGER_DEAR_NS)) {
		latency_off(linger_is_dear() ? "over budget, and nobody looks: press 7" : WHY_OFF);
	}
	return on_since_ns != 0;
}

/* ---- draining ---- */

static void drain_slots(const struct sc_set *set)
{
	for (u32 i = 0; i < N_SLOTS; i++) {
		const struct sc_slot *s = &set->slots[i];

		if (s->ready || (i == OTHER_SLOT && s->count + s->died))
			syscalls_totals_slot(i, s);
	}
}

static void drain_cells(const struct sc_set *set)
{
	for (u32 i = 0; i < N_CELLS; i++) {
		u32 key = set->cells[i].key;

		if (key)
			syscalls_totals_cell(CELL_SLOT(key), CELL_WHAT(key), set->cells[i].n);
	}
}

static void clear_set(struct sc_set *set)
{
	set->used_slots = set->used_cells = 0;
	for (u32 i = 0; i < N_SLOTS; i++)
		if (set->slots[i].claimed || i == OTHER_SLOT)
			memset(&set->slots[i], 0, sizeof(set->slots[i]));
	for (u32 i = 0; i < N_CELLS; i++)
		if (set->cells[i].key)
			set->cells[i] = (struct sc_cell){};
}

/* Adds up the set that is not in use; a grace period must have passed since the swap. */
static void drain_set(void)
{
	struct sc_set *set = sets[skel->bss->current_set ^ 1];

	drain_slots(set);
	drain_cells(set);
	clear_set(set);
	syscalls_totals_set_done();
}

/* A burst of short processes fills a set before the tick: then it is drained early. */
static void syscalls_drain(void)
{
	const struct sc_set *set = sets[skel->bss->current_set];

	if (!set || (set->used_slots < N_SLOTS / 4 && set->used_cells < N_CELLS / 4))
		return;
	skel->bss->current_set ^= 1;
	probes_grace_period();
	drain_set();
}

static bool syscalls_swap(const struct tick *t)
{
	resting = t->want & WANT_CALLS_SELDOM && read_ns && n_kept < CALLS_TICKS - 1;
	if (!on_since_ns || resting)
		return false;
	skel->bss->current_set ^= 1;
	return true;
}

static void add_in_flight(void)
{
	const struct wire_thread *all;
	u32 n;

	all = threads_all(&n);
	for (u32 i = 0; i < n; i++)
		if (all[i].call != CALL_NONE && all[i].state != 'X' && all[i].state != 'Z')
			syscalls_totals_in_flight(&all[i]);
}

/* Each call runs on_enter once, and on_return once where latencies are on. */
static void count_runs(const struct tick *t)
{
	float rate = rate_per_s(counter_advance(&calls, processes_calls(), false), t->interval_ns);

	probe_runs(enter_prog, count_link ? rate : 0);
	probe_runs(return_prog, on_since_ns ? rate : 0);
}

/* While a process is looked at, only its latencies are measured: rows of others stand still. */
static void report(const struct tick *t)
{
	char only[40];

	snprintf(only, sizeof(only), "only process %llu", (unsigned long long)interval_focused);
	builder_status(t->b, TABLE_syscalls, interval_focused ? TS_PARTIAL : TS_OK,
		       interval_focused ? only : NULL, t->now_ns - max(on_since_ns, t->prev_ns));
	interval_focused = focused;
}

static void syscalls_adjust(const struct tick *t)
{
	set_scope(t);
	follow_counting(t);
	follow_want(t);
}

/* All since the table was read last, which is one interval or several. */
static void read_table(const struct tick *t)
{
	struct tick since = *t;

	if (read_ns)
		since.prev_ns = read_ns;
	since.interval_ns = since.prev_ns ? t->now_ns - since.prev_ns : 0;
	drain_set();
	add_in_flight();
	syscalls_totals_rows(&since);
	report(&since);
	read_ns = t->now_ns;
	n_kept = 0;
}

static int syscalls_read(const struct tick *t)
{
	bool was_on = on_since_ns != 0;

	count_runs(t);
	if (was_on && resting) {
		builder_keep(t->b, TABLE_syscalls);
		n_kept++;
	} else if (was_on) {
		read_table(t);
	}
	loss_set("no task storage (syscalls)", skel->bss->lost_storage);
	loss_set("syscall rows full", skel->bss->lost_slots);
	loss_set("syscall histogram full", skel->bss->lost_cells);
	set_scope(t);
	follow_counting(t);
	if (follow_want(t)) {
		if (!was_on)
			builder_status(t->b, TABLE_syscalls, TS_STARTING, NULL, 0);
	} else if (t->want & TABLE_BIT(TABLE_syscalls)) {
		builder_status(t->b, TABLE_syscalls, TS_BLOCKED, blocked_why, 0);
	} else {
		builder_status(t->b, TABLE_syscalls, TS_OFF, "nobody asks for it: press 7", 0);
	}
	return 0;
}

/* ---- open and close ---- */

static void syscalls_close(void)
{
	latency_off(WHY_OFF);
	count_off(WHY_NOT_COUNTED);
	probes_forget("syscalls");
	syscalls__destroy(skel);
	skel = NULL;
	calls = (struct counter){};
}

static void choose_programs(void)
{
	bool classic = probes_prefer_classic();

	enter_prog = classic ? skel->progs.on_enter_tp : skel->progs.on_enter;
	return_prog = classic ? skel->progs.on_return_tp : skel->progs.on_return;
	end_prog = classic ? skel->progs.on_thread_end_tp : skel->progs.on_thread_end;
	bpf_program__set_autoload(enter_prog, true);
	bpf_program__set_autoload(return_prog, true);
	bpf_program__set_autoload(end_prog, true);
}

static int syscalls_open(char *reason, size_t cap)
{
	int err, fd = tasks_map_fd();

	skel = syscalls__open();
	if (!skel)
		return -errno;
	choose_programs();
	err = fd < 0 ? -ENOENT : bpf_map__reuse_fd(skel->maps.tasks, fd);
	if (!err)
		err = bpf_map__reuse_fd(skel->maps.counted, counted_map_fd());
	if (!err)
		err = syscalls__load(skel);
	if (!err) {
		probes_add("syscalls", skel->obj);
		counts_wanted_ns = 0;
		err = count_on();
		counted_ns = err ? U64_UNKNOWN : 0;	/* before the first tick */
	}
	if (!err)
		latency_off(WHY_OFF);
	return err;
}

const struct collector syscalls_collector = {
	.name = "syscalls",
	.tables = TABLE_BIT(TABLE_syscalls),
	.always = true,
	.what = "sys_enter",
	.open = syscalls_open,
	.adjust = syscalls_adjust,
	.swap = syscalls_swap,
	.drain = syscalls_drain,
	.read = syscalls_read,
	.close = syscalls_close,
};
