// SPDX-License-Identifier: GPL-2.0-or-later
/* probes.c: the registry of kernel programs; see probes.h. Sampler thread only. */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/helpers/admin.h"
#include "bpf/host/procfs.h"
#include "bpf/kernel/features.h"
#include "bpf/kernel/map_bytes.h"
#include "bpf/kernel/probes.h"
#include "bpf/kernel/tasks_size.h"

#define WINDOW_NS (100 * NSEC_PER_MSEC)
#define PERIOD_NS (2 * NSEC_PER_SEC)	/* a load that begins is counted within so long */

struct probe {
	const char *collector;
	struct bpf_program *prog;
	char where[48];
	enum { OFF, ATTACHED, BLOCKED } state;
	char why[120];
	u64 insns;
	/* at the start of the window, and what the window showed */
	u64 run_ns, runs;
	u64 ns_per_run;
	u64 whole_ns;		/* of a run with the way there: see probe_costs() */
	float measured_rate, counted_rate;
	u64 misses;
	bool harmless;		/* its misses are counted elsewhere, or are no loss */
	const struct bpf_program *duplicate;	/* does the same: what one misses the other mostly has */
};

static struct probe *probes;
static u32 n_probes, cap_probes;
static struct owned_object {
	const char *collector;
	struct bpf_object *obj;
} *objects;
static u32 n_objects, cap_objects;
static u64 window_start_ns, window_end_ns;	/* of the last window */
static bool window_open;
static u64 last_tick_ns, tick_interval_ns;
static u32 window_ticks;

static struct probe *probe_of(const struct bpf_program *prog)
{
	for (u32 i = 0; i < n_probes; i++)
		if (probes[i].prog == prog)
			return &probes[i];
	return NULL;
}

static struct probe *probe_new(const char *collector, const char *where)
{
	struct probe *p;

	probes = grow(probes, n_probes, &cap_probes, sizeof(*probes));
	p = &probes[n_probes++];
	memset(p, 0, sizeof(*p));
	p->collector = collector;
	p->measured_rate = p->counted_rate = F32_UNKNOWN;
	p->ns_per_run = U64_UNKNOWN;
	snprintf(p->where, sizeof(p->where), "%s", where);
	return p;
}

static const char *section_name(const struct bpf_program *prog)
{
	const char *name = bpf_program__section_name(prog);

	return name + (name[0] == '?');
}

void probes_add(const char *collector, struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		struct probe *p;

		if (!bpf_program__autoload(prog))	/* the other way to the same data was taken */
			continue;
		p = probe_new(collector, section_name(prog));
		p->prog = prog;
		if (bpf_program__type(prog) != BPF_PROG_TYPE_SYSCALL)
			continue;
		/* user space runs it: there is nothing to attach to */
		p->state = ATTACHED;
		snprintf(p->where, sizeof(p->where), "syscall/%s", bpf_program__name(prog));
	}
	objects = grow(objects, n_objects, &cap_objects, sizeof(*objects));
	objects[n_objects++] = (struct owned_object){ collector, obj };
}

void probes_forget(const char *collector)
{
	u32 n = 0;

	for (u32 i = 0; i < n_probes; i++)
		if (strcmp(probes[i].collector, collector))
			probes[n++] = probes[i];
	n_probes = n;
	n = 0;
	for (u32 i = 0; i < n_objects; i++)
		if (strcmp(objects[i].collector, collector))
			objects[n++] = objects[i];
	n_objects = n;
}

static int print_for_developers(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_DEBUG || !getenv("OTTOP_DEBUG") ? 0 : vfprintf(stderr, fmt, ap);
}

void probes_quiet(void)
{
	libbpf_set_print(print_for_developers);
}

const char *probe_why(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return "permission denied: needs CAP_BPF and CAP_PERFMON, or the kernel is locked down";
	case ENOENT:
	case ESRCH:
		return "this kernel does not have it";
	case EOPNOTSUPP:
	case EINVAL:
		return "this kernel does not support it";
	case ENOMEM:
		return "out of kernel memory";
	default:
		return strerror(err);
	}
}

bool probes_preemptible(void)
{
	struct features f;

	features_read(&f);
	return f.major > 6 || (f.major == 6 && f.minor >= 19);
}

bool probes_prefer_classic(void)
{
	int fd;

	if (!probes_preemptible())
		return false;
	fd = admin_tracepoint("raw_syscalls", "sys_enter");
	file_close(fd);
	return fd >= 0;
}

/* "tp/category/name", by an event that the privileged helper (admin.h) opens. */
static struct bpf_link *attach_classic(struct bpf_program *prog)
{
	char category[32], name[48];
	struct bpf_link *link;
	int fd = -EINVAL;

	if (sscanf(bpf_program__section_name(prog), "%*[?]tp/%31[^/]/%47s", category, name) == 2 ||
	    sscanf(bpf_program__section_name(prog), "tp/%31[^/]/%47s", category, name) == 2)
		fd = admin_tracepoint(category, name);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link)
		close(fd);
	return link;
}

/* Its run rate is measured again: while off it was 0. */
static void set_attached(struct probe *p)
{
	if (p->state != ATTACHED)
		p->counted_rate = p->measured_rate = F32_UNKNOWN;
	p->state = ATTACHED;
	p->why[0] = '\0';
}

struct bpf_link *probe_attach(struct bpf_program *prog)
{
	struct probe *p = probe_of(prog);
	struct bpf_link *link = bpf_program__type(prog) == BPF_PROG_TYPE_TRACEPOINT ?
		attach_classic(prog) : bpf_program__attach(prog);
	int err = link ? 0 : errno;

	if (p && link) {
		set_attached(p);
	} else if (p) {
		p->state = BLOCKED;
		snprintf(p->why, sizeof(p->why), "%s", probe_why(err));
	}
	errno = err;
	return link;
}

int probes_attach(struct bpf_program *const *progs, u32 n, struct bpf_link **links)
{
	int blocked = 0;

	for (u32 i = 0; i < n; i++) {
		if (!bpf_program__autoload(progs[i]))	/* not needed on this kernel */
			continue;
		links[i] = probe_attach(progs[i]);
		if (!links[i] && !i)
			return -errno;
		blocked += !links[i];
	}
	return blocked;
}

void probes_detach(struct bpf_link **links, u32 n)
{
	while (n--) {
		bpf_link__destroy(links[n]);
		links[n] = NULL;
	}
}

void probes_duplicates(struct bpf_program *one, struct bpf_program *other)
{
	struct probe *a = probe_of(one), *b = probe_of(other);

	if (!a || !b)
		return;
	a->duplicate = other;
	b->duplicate = one;
	strncat(b->where, " again", sizeof(b->where) - strlen(b->where) - 1);	/* its row has its own key */
}

void probe_misses_nothing(struct bpf_program *prog)
{
	struct probe *p = probe_of(prog);

	if (p)
		p->harmless = true;
}

void probe_attached(struct bpf_program *prog)
{
	struct probe *p = probe_of(prog);

	if (p)
		set_attached(p);
}

void probe_off(struct bpf_program *prog, const char *why)
{
	struct probe *p = probe_of(prog);

	if (!p)
		return;
	p->state = OFF;
	p->counted_rate = p->measured_rate = 0;
	snprintf(p->why, sizeof(p->why), "%s", why);
}

void probe_blocked(const char *collector, const char *where, const char *reason)
{
	struct probe *p = probe_new(collector, where);

	p->state = BLOCKED;
	snprintf(p->why, sizeof(p->why), "%s", reason);
}

void probe_unblocked(const char *collector, const char *where)
{
	for (u32 i = 0; i < n_probes; i++) {
		if (probes[i].prog || strcmp(probes[i].collector, collector) || strcmp(probes[i].where, where))
			continue;
		memmove(&probes[i], &probes[i + 1], (--n_probes - i) * sizeof(*probes));
		return;
	}
}

void probe_runs(struct bpf_program *prog, float per_s)
{
	struct probe *p = probe_of(prog);

	if (p)
		p->counted_rate = per_s;
}

void probe_costs(struct bpf_program *prog, u64 ns)
{
	struct probe *p = probe_of(prog);

	if (p)
		p->whole_ns = ns;
}

/* ---- cost ---- */

static int probe_info(const struct probe *p, struct bpf_prog_info *info)
{
	u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (!p->prog || bpf_program__fd(p->prog) < 0)
		return -ENOENT;
	return bpf_obj_get_info_by_fd(bpf_program__fd(p->prog), info, &len);
}

static void window_begin(u64 now_ns)
{
	struct bpf_prog_info info;

	for (u32 i = 0; i < n_probes; i++) {
		if (probe_info(&probes[i], &info))
			continue;
		probes[i].run_ns = info.run_time_ns;
		probes[i].runs = info.run_cnt;
	}
	window_start_ns = now_ns;
	window_ticks = 1;
	window_open = true;
}

/* Programs that run once a tick: a measuring window that is a part of the interval contains all their runs. */
static bool is_run_by_ticks(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL ||
	       bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER;
}

static void window_read(struct probe *p, u64 window_ns)
{
	struct bpf_prog_info info;
	u64 runs;

	if (probe_info(p, &info))
		return;
	runs = info.run_cnt - p->runs;
	if (is_run_by_ticks(p->prog))
		window_ns = max(window_ns, window_ticks * tick_interval_ns);
	p->measured_rate = (float)((double)runs * 1e9 / (double)window_ns);
	if (runs)
		p->ns_per_run = (info.run_time_ns - p->run_ns) / runs;
	p->insns = info.xlated_prog_len / 8;
}

static void note_tick(u64 now_ns)
{
	tick_interval_ns = last_tick_ns ? now_ns - last_tick_ns : 0;
	last_tick_ns = now_ns;
	window_ticks++;
}

void probes_measure(u64 now_ns, bool before_tick)
{
	if (before_tick)
		note_tick(now_ns);
	if (window_open && now_ns - window_start_ns >= WINDOW_NS) {
		for (u32 i = 0; i < n_probes; i++)
			if (probes[i].state == ATTACHED || probes[i].prog)
				window_read(&probes[i], now_ns - window_start_ns);
		admin_stats(false);
		window_open = false;
		window_end_ns = now_ns;
	} else if (!window_open && before_tick && (!window_end_ns || now_ns - window_end_ns >= PERIOD_NS)) {
		if (!admin_stats(true))
			window_begin(now_ns);
		else
			window_end_ns = now_ns;
	}
}

static float probe_rate(const struct probe *p)
{
	return f32_known(p->counted_rate) ? p->counted_rate : p->measured_rate;
}

static float probe_cost_pct(const struct probe *p)
{
	float rate = probe_rate(p);

	if (p->state != ATTACHED)
		return 0;
	if (f32_known(rate) && rate == 0)
		return 0;
	if (!u64_known(p->ns_per_run) || !f32_known(rate))
		return F32_UNKNOWN;
	return (float)max(p->ns_per_run, p->whole_ns) * rate / 1e7f / (float)procfs_cpus();
}

float probes_cost_pct(void)
{
	float sum = 0;

	if (!window_end_ns)
		return F32_PENDING;
	for (u32 i = 0; i < n_probes; i++) {
		float cost = probe_cost_pct(&probes[i]);

		sum += f32_known(cost) ? cost : 0;
	}
	return sum;
}

/* ---- rows ---- */

static void probe_row(struct builder *b, const struct probe *p)
{
	static const char *const states[] = { "off", "attached", "blocked" };
	struct probes_row *r = builder_row(b, TABLE_probes);

	r->collector = str_new(p->collector);
	r->probe = str_new(p->where);
	r->state = str_new(states[p->state]);
	r->reason = str_new(p->why);
	r->cost_pct = probe_cost_pct(p);
	r->ns_per_run = p->state == ATTACHED ? p->ns_per_run : U64_BLANK;
	r->run_rate = p->state == ATTACHED ? probe_rate(p) : F32_BLANK;
	r->insns = p->insns ? p->insns : U64_UNKNOWN;
}

/* Of two programs with the same work only the smaller number of misses is lost; it counts for both. */
static u64 misses_of(const struct probe *p)
{
	const struct probe *duplicate = p->duplicate ? probe_of(p->duplicate) : NULL;

	if (p->harmless)
		return 0;
	if (!duplicate || duplicate->state != ATTACHED)
		return p->misses;
	if (p->misses == duplicate->misses)
		return p < duplicate ? p->misses : 0;
	return p->misses < duplicate->misses ? p->misses : 0;
}

static void count_misses(void)
{
	struct bpf_prog_info info;
	u64 sum = 0;

	for (u32 i = 0; i < n_probes; i++)
		if (!probe_info(&probes[i], &info))
			probes[i].misses = info.recursion_misses;
	for (u32 i = 0; i < n_probes; i++)
		sum += misses_of(&probes[i]);
	loss_set("recursion_misses", sum);
}

void probes_rows(struct builder *b)
{
	count_misses();
	for (u32 i = 0; i < n_probes; i++)
		probe_row(b, &probes[i]);
	builder_status(b, TABLE_probes, TS_OK, NULL, 0);
	loss_rows(b);
}

/* ---- memory ---- */

u64 probes_map_bytes(u64 tasks)
{
	u64 sum = tasks * TASK_STORAGE_BYTES;
	struct bpf_map *map;

	for (u32 i = 0; i < n_objects; i++)
		bpf_object__for_each_map(map, objects[i].obj)
			if (bpf_map__fd(map) >= 0)
				sum += map_bytes(map);
	return sum;
}

/*
 * Afterwards no program still writes to the swapped-out set: programs run with preemption off, and
 * membarrier waits like synchronize_rcu() (kernel/sched/membarrier.c). Where nohz_full forbids it,
 * sleeps 20 ms, which is longer than any program runs.
 */
void probes_grace_period(void)
{
	struct timespec ts = { .tv_nsec = 20 * (long)NSEC_PER_MSEC };

	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&ts, NULL);
}
