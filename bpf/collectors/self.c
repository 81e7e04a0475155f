// SPDX-License-Identifier: GPL-2.0-or-later
/* self.c: what ottop itself costs, loses and cannot see: the tables self, lost, probes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/probes.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/model/rate.h"
#include "bpf/collectors/threads.h"

#define MAPS_EVERY 10	/* ticks: fdinfo is slow and maps do not grow fast */

#define MAX_HELPERS 16

struct helper {
	u32 pid;
	u64 start_ns, cpu_ns;
};

static struct counter cpu, lost;
static struct helper helpers[MAX_HELPERS];
static u32 n_helpers;
static u64 helped_ns;
static u64 map_bytes;

static int self_open(char *reason, size_t cap)
{
	(void)reason;
	(void)cap;
	return 0;
}

/* ---- the processes that ottop has made, and those that these have made ---- */

struct search {
	struct helper *to;
	u32 n, me;
};

static void look_at(struct proc *p, void *arg)
{
	struct search *s = arg;
	const struct proc *parent = p->ppid == s->me ? p : proctab_current(p->ppid);

	if (p->exited || p->closed || s->n == MAX_HELPERS || !parent || parent->ppid != s->me)
		return;
	s->to[s->n++] = (struct helper){ .pid = p->pid, .start_ns = p->start_ns,
					 .cpu_ns = p->now.cpu_ns };
}

static u32 find_helpers(struct helper *ret)
{
	struct search s = { .to = ret, .me = (u32)getpid() };

	proctab_each(look_at, &s);
	return s.n;
}

static u64 used_before(const struct helper *h)
{
	for (u32 i = 0; i < n_helpers; i++)
		if (helpers[i].pid == h->pid && helpers[i].start_ns == h->start_ns)
			return helpers[i].cpu_ns;
	return 0;
}

/* What they used since the last time; whoever ended meanwhile is not in it. */
static u64 helpers_cpu_ns(void)
{
	struct helper now[MAX_HELPERS];
	u32 n = find_helpers(now);
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += now[i].cpu_ns - min(used_before(&now[i]), now[i].cpu_ns);
	memcpy(helpers, now, sizeof(helpers));
	n_helpers = n;
	return sum;
}

/* ---- cost ---- */

static u64 cpu_time_ns(void)
{
	struct rusage me;

	getrusage(RUSAGE_SELF, &me);
	helped_ns += helpers_cpu_ns();
	return ((u64)(me.ru_utime.tv_sec + me.ru_stime.tv_sec) * 1000000u +
		(u64)(me.ru_utime.tv_usec + me.ru_stime.tv_usec)) * NSEC_PER_USEC + helped_ns;
}

/* Resident pages; those that other processes share with it, too, unless they are only_own. */
static u64 memory_of(const char *statm, bool only_own)
{
	unsigned long long pages, shared;
	char buf[128];

	if (procfs_read(statm, buf, sizeof(buf)) <= 0 ||
	    sscanf(buf, "%*u %llu %llu", &pages, &shared) != 2)
		return U64_UNKNOWN;
	return (pages - (only_own ? min(shared, pages) : 0)) * (u64)getpagesize();
}

static u64 rss_bytes(void)
{
	u64 sum = memory_of("self/statm", false);
	char path[32];

	for (u32 i = 0; i < n_helpers && u64_known(sum); i++) {
		u64 bytes;

		snprintf(path, sizeof(path), "%u/statm", helpers[i].pid);
		bytes = memory_of(path, true);
		sum += u64_known(bytes) ? bytes : 0;
	}
	return sum;
}

static int self_read(const struct tick *t)
{
	struct self_row *r = builder_row(t->b, TABLE_self);
	float cores = (float)sysconf(_SC_NPROCESSORS_ONLN);
	u32 n_tasks;

	threads_all(&n_tasks);
	if (t->seq % MAPS_EVERY == 1 || !map_bytes)
		map_bytes = probes_map_bytes(n_tasks);
	r->cpu_pct = rate_pct(counter_advance(&cpu, cpu_time_ns(), false), t->interval_ns) / cores;
	r->bpf_cpu_pct = probes_cost_pct();
	r->rss_bytes = rss_bytes();
	r->kernel_map_bytes = map_bytes;
	r->history_bytes = t->history_bytes;
	r->budget_pct = t->budget_pct;
	r->sampling_share = 1;
	r->tick_ns = t->last_tick_ns ? t->last_tick_ns : U64_PENDING;
	probes_rows(t->b);
	r->lost_total = loss_total();
	r->lost_rate = rate_per_s(counter_advance(&lost, r->lost_total, true), t->interval_ns);
	builder_status(t->b, TABLE_self, TS_OK, NULL, t->interval_ns);
	return 0;
}

static void self_close(void)
{
	cpu = lost = (struct counter){};
	map_bytes = helped_ns = 0;
	n_helpers = 0;
}

const struct collector self_collector = {
	.name = "self",
	.tables = TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) | TABLE_BIT(TABLE_probes),
	.always = true,
	.open = self_open,
	.read = self_read,
	.close = self_close,
};
