// SPDX-License-Identifier: GPL-2.0-or-later
/* host.c: the tables host and cpus, from /proc, the cheapest source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/collector.h"
#include "bpf/host/procfs.h"
#include "bpf/model/rate.h"
#include "bpf/collectors/threads.h"

/* Columns of a cpu line of /proc/stat, in clock ticks: proc(5). */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, N_TIMES };

struct cpu_times {
	struct counter t[N_TIMES];
	float pct[N_TIMES];
	bool known;
};

static struct cpu_times machine, *cpus;
static u32 n_cpus, cap_cpus;
static struct counter ctxt, calls, psi_cpu, psi_io, psi_mem;

/* Shares of the line's total, which sum to 100 whatever the clock tick. */
static void take_times(struct cpu_times *c, const char *line)
{
	u64 delta[N_TIMES], total = 0;

	c->known = true;
	for (int i = 0; i < N_TIMES; i++) {
		char *end;
		u64 v = strtoull(line, &end, 10);

		line = end;
		delta[i] = counter_advance(&c->t[i], v, false);
		c->known &= u64_known(delta[i]);
		total += u64_known(delta[i]) ? delta[i] : 0;
	}
	for (int i = 0; i < N_TIMES; i++)
		c->pct[i] = rate_pct(c->known && total ? delta[i] : U64_PENDING, total);
}

static struct cpu_times *cpu_slot(u32 cpu)
{
	while (n_cpus <= cpu) {
		cpus = grow(cpus, n_cpus, &cap_cpus, sizeof(*cpus));
		memset(&cpus[n_cpus++], 0, sizeof(*cpus));
	}
	return &cpus[cpu];
}

static void add_cpu(struct builder *b, u32 cpu, const struct cpu_times *c)
{
	struct cpus_row *r = builder_row(b, TABLE_cpus);

	r->cpu = cpu;
	r->user_pct = c->pct[USER] + c->pct[NICE];
	r->system_pct = c->pct[SYSTEM];
	r->iowait_pct = c->pct[IOWAIT];
	r->irq_pct = c->pct[IRQ] + c->pct[SOFTIRQ];
	r->steal_pct = c->pct[STEAL];
}

static void read_stat(const struct tick *t, struct host_row *r)
{
	static char buf[256 << 10];	/* the intr line is long on large machines */
	u32 online = 0, cpu;

	if (procfs_read("stat", buf, sizeof(buf)) <= 0)
		return;
	for (char *line = buf; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "cpu ", 4)) {
			take_times(&machine, line + 4);
		} else if (sscanf(line, "cpu%u", &cpu) == 1 && cpu < 8192) {
			struct cpu_times *c = cpu_slot(cpu);

			take_times(c, strchr(line, ' '));
			add_cpu(t->b, cpu, c);
			online++;
		}
	}
	r->cpus = online;
	r->cpu_pct = machine.known ? 100 - machine.pct[IDLE] - machine.pct[IOWAIT] -
				     machine.pct[STEAL] : F32_PENDING;
	r->ctx_switch_rate = rate_per_s(counter_advance(&ctxt, procfs_value(buf, "ctxt"), false),
					t->interval_ns);
}

static void read_memory(struct host_row *r)
{
	char buf[8192];
	u64 total, available, swap, swap_free;

	if (procfs_read("meminfo", buf, sizeof(buf)) <= 0)
		return;
	total = procfs_value(buf, "MemTotal");
	available = procfs_value(buf, "MemAvailable");
	swap = procfs_value(buf, "SwapTotal");
	swap_free = procfs_value(buf, "SwapFree");
	if (total == U64_UNKNOWN || available == U64_UNKNOWN)
		return;
	r->mem_total_bytes = total * 1024;
	r->mem_used_bytes = (total - available) * 1024;
	if (swap != U64_UNKNOWN && swap_free != U64_UNKNOWN)
		r->swap_used_bytes = (swap - swap_free) * 1024;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345": total is stalled time in us. */
static float read_pressure(const char *file, struct counter *c, u64 interval_ns)
{
	char buf[256], *total;
	float pct;

	if (procfs_read(file, buf, sizeof(buf)) <= 0 || !(total = strstr(buf, "total=")))
		return F32_UNKNOWN;
	pct = rate_pct(counter_advance(c, strtoull(total + 6, NULL, 10) * NSEC_PER_USEC, false),
		       interval_ns);
	return f32_known(pct) ? min(pct, 100.0f) : pct;	/* the kernel updates it every 2 s */
}

static void sum_processes(const struct tick *t, struct host_row *r)
{
	const struct row **rows;
	u32 n, n_threads;
	u64 delta;

	rows = builder_rows(t->b, TABLE_processes, &n);
	threads_all(&n_threads);
	r->threads = n_threads;
	r->processes = 0;
	for (u32 i = 0; i < n; i++)
		r->processes += !rows[i]->closed;
	delta = counter_advance(&calls, processes_calls(), false);
	r->syscall_rate = rate_per_s(t->prev_ns < syscalls_counted_since_ns() ? U64_UNKNOWN : delta, t->interval_ns);
}

static int host_read(const struct tick *t)
{
	struct host_row *r = builder_row(t->b, TABLE_host);
	char buf[128];

	read_stat(t, r);
	read_memory(r);
	if (procfs_read("loadavg", buf, sizeof(buf)) > 0)
		r->load1 = strtof(buf, NULL);
	r->psi_cpu_pct = read_pressure("pressure/cpu", &psi_cpu, t->interval_ns);
	r->psi_io_pct = read_pressure("pressure/io", &psi_io, t->interval_ns);
	r->psi_mem_pct = read_pressure("pressure/memory", &psi_mem, t->interval_ns);
	r->uptime_ns = t->now_ns;
	sum_processes(t, r);
	builder_status(t->b, TABLE_host, TS_OK, NULL, t->interval_ns);
	builder_status(t->b, TABLE_cpus, TS_OK, NULL, t->interval_ns);
	return 0;
}

static void host_close(void)
{
	free(cpus);
	cpus = NULL;
	n_cpus = cap_cpus = 0;
	memset(&machine, 0, sizeof(machine));
	ctxt = calls = psi_cpu = psi_io = psi_mem = (struct counter){};
}

const struct collector host_collector = {
	.name = "host",
	.tables = TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_cpus),
	.always = true,
	.read = host_read,
	.close = host_close,
};
