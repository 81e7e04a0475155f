// SPDX-License-Identifier: GPL-2.0-or-later
/* self.c: ottop's own cost, losses and blind spots: the tables self, lost, probes. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/features.h"
#include "bpf/kernel/linger.h"
#include "bpf/kernel/probes.h"
#include "bpf/helpers/launch.h"
#include "bpf/host/procfs.h"
#include "bpf/model/rate.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/frames.h"
#include "bpf/stacks/lines.h"
#include "bpf/stacks/mangled.h"
#include "bpf/collectors/threads.h"

#define MAPS_EVERY 10	/* ticks: fdinfo is slow, and maps grow slowly */

#define MAX_HELPER_PIDS 32

static struct counter cpu, lost;
static u64 helped_ns;
static u64 map_bytes;

/* ---- cost ---- */

static u64 cpu_time_ns(void)
{
	struct rusage me;

	getrusage(RUSAGE_SELF, &me);
	helped_ns = max(helped_ns, helpers_cpu_ns());	/* one that ends is briefly in neither */
	return ((u64)(me.ru_utime.tv_sec + me.ru_stime.tv_sec) * 1000000u +
		(u64)(me.ru_utime.tv_usec + me.ru_stime.tv_usec)) * NSEC_PER_USEC + helped_ns;
}

/* Resident bytes; only_own: without pages shared with other processes. */
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
	u32 pids[MAX_HELPER_PIDS], n = helpers_pids(pids, MAX_HELPER_PIDS);
	char path[32];

	for (u32 i = 0; i < n && u64_known(sum); i++) {
		u64 bytes;

		snprintf(path, sizeof(path), "%u/statm", pids[i]);
		bytes = memory_of(path, true);
		sum += u64_known(bytes) ? bytes : 0;
	}
	return sum;
}

/* "let go of 6237 frames, 2 unwind tables; 13 unwind tables are in part", or "". */
static void room_text(char *buf, size_t cap)
{
	u64 frames = frames_evicted(), tables = files_evicted(), in_part = files_squeezed();
	u32 big = lines_too_big();

	*buf = '\0';
	if (frames)
		text_add(buf, cap, "", "let go of %llu frame%s", (unsigned long long)frames, text_plural(frames, "s"));
	if (tables)
		text_add(buf, cap, "", "%s %llu unwind table%s", frames ? "," : "let go of", (unsigned long long)tables,
			 text_plural(tables, "s"));
	if (in_part)
		text_add(buf, cap, "; ", "%llu unwind table%s in part", (unsigned long long)in_part,
			 in_part == 1 ? " is" : "s are");
	if (big)
		text_add(buf, cap, "; ", "no lines of %u file%s: too big", big, text_plural(big, "s"));
}

static void report_cost(const struct self_row *r, u64 interval_ns)
{
	bool known = u64_known(r->rss_bytes) && u64_known(r->kernel_map_bytes);

	linger_report(&(struct linger_cost){
		.cpu_pct = r->cpu_pct, .bpf_pct = r->bpf_cpu_pct, .budget_pct = r->budget_pct,
		.memory_bytes = known ? r->rss_bytes + r->kernel_map_bytes : U64_UNKNOWN,
		.interval_ns = interval_ns,
	});
}

static int self_read(const struct tick *t)
{
	struct self_row *r = builder_row(t->b, TABLE_self);
	float cores = (float)procfs_cpus();
	char deaths[512], notes[256], mangled[128], room[160];
	u32 n_tasks;

	threads_all(&n_tasks);
	helpers_report();
	if (t->seq % MAPS_EVERY == 1 || !map_bytes)
		map_bytes = probes_map_bytes(n_tasks);
	r->cpu_pct = rate_pct(counter_advance(&cpu, cpu_time_ns(), false), t->interval_ns) / cores;
	r->bpf_cpu_pct = probes_cost_pct();
	r->rss_bytes = rss_bytes();
	r->kernel_map_bytes = map_bytes;
	r->history_bytes = t->history_bytes;
	r->budget_pct = t->budget_pct;
	report_cost(r, t->interval_ns);
	r->sampling_share = 1;
	r->tick_ns = t->last_tick_ns ? t->last_tick_ns : U64_PENDING;
	helpers_deaths_text(deaths, sizeof(deaths));
	r->helpers = str_new(deaths);
	features_notes(notes, sizeof(notes));
	r->notes = str_new(notes);
	mangled_text(mangled, sizeof(mangled));
	r->mangled = str_new(mangled);
	room_text(room, sizeof(room));
	r->room = str_new(room);
	probes_rows(t->b);
	r->lost_total = loss_total();
	r->lost_rate = rate_per_s(counter_advance(&lost, loss_alarming(), true), t->interval_ns);
	builder_status(t->b, TABLE_self, TS_OK, NULL, t->interval_ns);
	return 0;
}

static void self_close(void)
{
	cpu = lost = (struct counter){};
	map_bytes = helped_ns = 0;
	linger_forget();
}

const struct collector self_collector = {
	.name = "self",
	.rows_from = "from ottop itself",
	.tables = TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) | TABLE_BIT(TABLE_probes),
	.always = true,
	.read = self_read,
	.close = self_close,
};
