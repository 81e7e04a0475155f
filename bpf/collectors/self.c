// SPDX-License-Identifier: GPL-2.0-or-later
/* self.c: what ottop itself costs, loses and cannot see: the tables self, lost, probes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/collector.h"
#include "bpf/probes.h"
#include "bpf/procfs.h"
#include "bpf/rate.h"
#include "bpf/threads.h"

#define MAPS_EVERY 10	/* ticks: fdinfo is slow and maps do not grow fast */

static struct counter cpu, lost;
static u64 map_bytes;

static int self_open(char *reason, size_t cap)
{
	(void)reason;
	(void)cap;
	return 0;
}

static u64 cpu_time_ns(void)
{
	struct rusage me, children;
	u64 us;

	getrusage(RUSAGE_SELF, &me);
	getrusage(RUSAGE_CHILDREN, &children);
	us = (u64)(me.ru_utime.tv_sec + me.ru_stime.tv_sec + children.ru_utime.tv_sec +
		   children.ru_stime.tv_sec) * 1000000u;
	us += (u64)(me.ru_utime.tv_usec + me.ru_stime.tv_usec + children.ru_utime.tv_usec +
		    children.ru_stime.tv_usec);
	return us * NSEC_PER_USEC;
}

static u64 rss_bytes(void)
{
	char buf[128];
	unsigned long long pages;

	if (procfs_read("self/statm", buf, sizeof(buf)) <= 0 ||
	    sscanf(buf, "%*u %llu", &pages) != 1)
		return U64_UNKNOWN;
	return pages * (u64)getpagesize();
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
	map_bytes = 0;
}

const struct collector self_collector = {
	.name = "self",
	.tables = TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) | TABLE_BIT(TABLE_probes),
	.always = true,
	.open = self_open,
	.read = self_read,
	.close = self_close,
};
