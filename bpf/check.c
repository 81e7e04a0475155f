// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c: ottop --check. Every collector is opened for a third of a second,
 * which is the only way to know that this kernel takes its programs, and
 * closed again; with the helpers that the console would have, and with no more
 * privileges than it would still have then. Nothing of it is left behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/features.h"
#include "bpf/helpers/privileges.h"
#include "bpf/kernel/probes.h"
#include "bpf/sampler.h"

#define REASON_MAX 160

static void print_head(FILE *out, const struct features *f)
{
	struct utsname u;

	uname(&u);
	fprintf(out, "ottop %s  Linux %.30s %s  %ld CPUs  BTF %s  lockdown %s  uid %u\n",
		OTTOP_VERSION, u.release, u.machine, sysconf(_SC_NPROCESSORS_ONLN),
		f->btf ? "yes" : "no", f->lockdown, (unsigned)geteuid());
	if (f->procfs && features_pid_note())
		fprintf(out, "  partial  /proc        %s\n", features_pid_note());
	if (features_clock_note())
		fprintf(out, "  ok       clocks       %s\n", features_clock_note());
}

static u32 count_probes(const struct snapshot *s, const char *collector, u32 *ret_blocked)
{
	const struct table *table = &s->tables[TABLE_probes];
	u32 n = 0;

	*ret_blocked = 0;
	for (u32 i = 0; i < table->n; i++) {
		const struct probes_row *r = (const void *)table->rows[i];

		if (!text_is(r->collector, collector))
			continue;
		n++;
		*ret_blocked += text_is(r->state, "blocked");
	}
	return n;
}

static void print_blocked(FILE *out, const struct snapshot *s, const char *collector)
{
	const struct table *table = &s->tables[TABLE_probes];

	for (u32 i = 0; i < table->n; i++) {
		const struct probes_row *r = (const void *)table->rows[i];

		if (text_is(r->collector, collector) && text_is(r->state, "blocked"))
			fprintf(out, "           %s: %s\n", r->probe, r->reason);
	}
}

static void print_collector(FILE *out, const struct snapshot *s, const struct collector *c, int err,
			    const char *reason)
{
	const char *name = c->name;
	u32 blocked, total = count_probes(s, name, &blocked);

	if (err)
		fprintf(out, "  blocked  %-12s %s\n", name, reason);
	else if (blocked)
		fprintf(out, "  partial  %-12s %u of %u kernel program%s\n", name, total - blocked, total,
			text_plural(total, "s"));
	else if (total)
		fprintf(out, "  ok       %-12s %u kernel program%s\n", name, total, text_plural(total, "s"));
	else
		fprintf(out, "  ok       %-12s %s\n", name, c->rows_from ?: "from /proc and the other collectors");
	print_blocked(out, s, name);
}

/* The programs that count calls: what they cost now, and how many calls there are. */
static void print_cost(FILE *out, const struct snapshot *s)
{
	const struct table *table = &s->tables[TABLE_probes];
	float rate = F32_UNKNOWN, cost = probes_cost_pct();

	for (u32 i = 0; i < table->n; i++) {
		const struct probes_row *r = (const void *)table->rows[i];

		const char *at = strrchr(r->probe, '/');

		if (text_is(at, "/sys_enter"))	/* tp_btf or the classic one */
			rate = r->run_rate;
	}
	if (f32_known(rate) && f32_known(cost))
		fprintf(out, "kernel programs cost at the present %.0f syscalls/s: %.3f %% of this machine\n",
			rate, cost);
	else
		fprintf(out, "cost: unknown, the kernel's run-time statistics are not permitted\n");
}

static const struct snapshot *observe(void)
{
	struct builder *b = builder_new(NULL, NULL);

	probes_measure(boottime_ns(), true);
	usleep(300 * 1000);
	probes_measure(boottime_ns(), false);
	probes_rows(b);
	return builder_seal(b);
}

/* What runs always is opened before privileges are given up, the rest after that. */
static void open_those(bool always, int *errs, char (*reasons)[REASON_MAX])
{
	for (u32 i = 0; i < N_COLLECTORS; i++)
		if (collectors[i]->always == always)
			errs[i] = collector_open(collectors[i], reasons[i], REASON_MAX);
}

static int check_collectors(FILE *out)
{
	char reasons[N_COLLECTORS][REASON_MAX] = {};
	int errs[N_COLLECTORS];
	const struct snapshot *s;

	sampler_start_helpers();
	open_those(true, errs, reasons);
	if (privileges_drop())
		fprintf(out, "  partial  privileges   cannot be given up: %s\n", strerror(errno));
	open_those(false, errs, reasons);
	s = observe();
	for (u32 i = 0; i < N_COLLECTORS; i++)
		print_collector(out, s, collectors[i], errs[i], reasons[i]);
	print_cost(out, s);
	for (u32 i = N_COLLECTORS; i-- > 0; )
		if (!errs[i])
			collector_close(collectors[i]);
	snapshot_put(s);
	sampler_stop_helpers();
	return errs[0] ? 1 : 0;
}

int sampler_check(FILE *out)
{
	struct features f;
	char *obstacle;

	probes_quiet();
	log_to_stderr(false);
	features_read(&f);
	print_head(out, &f);
	obstacle = features_obstacle(&f);
	if (obstacle) {
		fprintf(out, "  blocked  everything   %s\n", obstacle);
		free(obstacle);
		return 1;
	}
	return check_collectors(out);
}
