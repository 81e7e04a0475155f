// SPDX-License-Identifier: GPL-2.0-or-later
/* host.c: the lines above the tabs: the machine, its pressure, what ottop costs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"
#include "tui/term/graph.h"

#define ROOMY_COLS 160
#define SPARK_NARROW 10
#define SPARK_WIDE 30
#define SPARK_PSI 24
#define MODE_COLS 8

/* Appends texts to a line, up to the start of the right part. */
struct pen {
	struct canvas *c;
	int row, col, end;
};

static void pen_text(struct pen *p, u32 style, const char *s)
{
	if (p->col < p->end)
		p->col += canvas_text(p->c, p->row, p->col, p->end - p->col, style, s);
}

/* Draws a part completely or not at all. */
static bool pen_part(struct pen *p, int gap, u32 style, const char *fmt, ...)
{
	char buf[160];
	va_list ap;
	int w;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	w = canvas_width(p->c, buf);
	gap = p->col ? gap : 0;
	if (p->col + gap + w > p->end)
		return false;
	p->col += gap;
	pen_text(p, style, buf);
	return true;
}

static void pen_spark(struct pen *p, int width, const struct series *s, float top)
{
	if (p->col + 1 + width > p->end)
		return;
	graph_spark(p->c, p->row, p->col + 1, width, ROLE_text, s->values, s->n, top);
	p->col += width + 1;
}

static const char *value(char buf[FORMAT_MAX], const struct row *r, const char *name, const struct snapshot *s)
{
	return r ? format_member(buf, r, name, s) : "?";
}

/* ---- line 1 --------------------------------------------------------------------- */

static int draw_mode(struct app *a, struct canvas *c, int row)
{
	char mode[24], clock[FORMAT_MAX];
	int cols = canvas_cols(c), col = cols - MODE_COLS;
	bool live;

	moment_mode(a, mode, sizeof(mode), &live);
	canvas_right(c, row, col, MODE_COLS, live ? ROLE_text : ROLE_text | S_REVERSE, mode);
	if (!a->shown || cols < 60)
		return col - 1;
	format_clock(clock, a->shown->time_ns, a->shown->unix_offset_ns, false);
	col -= 1 + (int)strlen(clock);
	canvas_text(c, row, col, -1, ROLE_text, clock);
	return col - 1;
}

static void memory_text(char *buf, size_t cap, const struct host_row *h)
{
	char used[FORMAT_MAX], total[FORMAT_MAX];
	size_t n;

	if (!h || !u64_known(h->mem_used_bytes) || !u64_known(h->mem_total_bytes)) {
		snprintf(buf, cap, "mem ?");
		return;
	}
	format_bytes(used, (double)h->mem_used_bytes);
	format_bytes(total, (double)h->mem_total_bytes);
	n = strlen(used);	/* "18.4G/31.2G" is shortened to "18.4/31.2G" */
	if (n && used[n - 1] == total[strlen(total) - 1])
		used[n - 1] = '\0';
	snprintf(buf, cap, "mem %s/%s", used, total);
}

/* One eighth-block per CPU, in order of CPU numbers. */
static void pen_cpus(struct pen *p, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_cpus];
	u8 levels[256];
	u32 n = min(t->n, (u32)ARRAY_SIZE(levels));

	if (!n || p->col + 2 + (int)n > p->end)
		return;
	for (u32 i = 0; i < n; i++) {
		const struct cpus_row *c = cpus_row(t->rows[i]);

		levels[i] = (u8)graph_level(c->user_pct + c->system_pct + c->irq_pct, 100);
	}
	graph_levels(p->c, p->row, p->col + 2, ROLE_text, levels, (int)n);
	p->col += 2 + (int)n;
}

static void line_narrow(struct app *a, struct canvas *c, int row, const struct host_row *h)
{
	struct pen p = { c, row, 0, draw_mode(a, c, row) };
	char cpu[FORMAT_MAX], io[FORMAT_MAX];
	const struct row *r = h ? &h->row : NULL;

	pen_part(&p, 0, ROLE_text, "cpu %s%%", value(cpu, r, "cpu_pct", a->shown));
	pen_part(&p, 1, ROLE_text, "psi io %s", value(io, r, "psi_io_pct", a->shown));
}

static void part_cpu(struct app *a, struct pen *p, const struct host_row *h, int gap)
{
	char cpu[FORMAT_MAX], cpus[FORMAT_MAX];
	const struct row *r = h ? &h->row : NULL;

	pen_part(p, gap, ROLE_text, "%scpu %s%%", value(cpus, r, "cpus", a->shown),
		 value(cpu, r, "cpu_pct", a->shown));
}

static void line_host(struct app *a, struct canvas *c, int row, const struct host_row *h)
{
	const struct session *se = a->config.session;
	struct pen p = { c, row, 0, draw_mode(a, c, row) };
	char buf[FORMAT_MAX], mem[64];
	const struct row *r = h ? &h->row : NULL;
	const char *load = value(buf, r, "load1", a->shown);

	pen_part(&p, 0, ROLE_text | S_BOLD, "%.24s", se && *se->host_name ? se->host_name : "host");
	part_cpu(a, &p, h, 2);
	memory_text(mem, sizeof(mem), h);
	/* Load and sparkline are dropped before memory. */
	if (p.end - p.col >= SPARK_NARROW + 1 + 2 + (int)strlen(mem))
		pen_spark(&p, SPARK_NARROW, &a->host.cpu, 100);
	if (p.end - p.col >= 2 + 5 + (int)strlen(load) + 2 + (int)strlen(mem))
		pen_part(&p, 2, ROLE_text, "load %s", load);
	pen_part(&p, 2, ROLE_text, "%s", mem);
}

static void line_host_wide(struct app *a, struct canvas *c, int row, const struct host_row *h)
{
	const struct session *se = a->config.session;
	struct pen p = { c, row, 0, draw_mode(a, c, row) };
	char b[FORMAT_MAX], mem[64], n1[FORMAT_MAX], n2[FORMAT_MAX];
	const struct row *r = h ? &h->row : NULL;

	pen_part(&p, 0, ROLE_text | S_BOLD, "%.32s", se && *se->host_name ? se->host_name : "host");
	if (se && *se->kernel && a->cols >= ROOMY_COLS)
		pen_part(&p, 2, ROLE_dim, "Linux %s %s", se->kernel, se->arch);
	pen_part(&p, 2, ROLE_dim, "up %s", value(b, r, "uptime_ns", a->shown));
	part_cpu(a, &p, h, 3);
	pen_spark(&p, a->cols >= ROOMY_COLS ? SPARK_WIDE : SPARK_NARROW, &a->host.cpu, 100);
	if (a->shown)
		pen_cpus(&p, a->shown);
	pen_part(&p, 3, ROLE_text, "load %s", value(b, r, "load1", a->shown));
	memory_text(mem, sizeof(mem), h);
	pen_part(&p, 3, ROLE_text, "%s", mem);
	pen_part(&p, 2, ROLE_dim, "swap %s", value(b, r, "swap_used_bytes", a->shown));
	if (h && u64_known(h->processes) && u64_known(h->threads))
		pen_part(&p, 3, ROLE_dim, "%s process%s  %s thread%s",
			 format_thousands(n1, h->processes), text_plural(h->processes, "es"),
			 format_thousands(n2, h->threads), text_plural(h->threads, "s"));
}

/* ---- line 2 ---------------------------------------------------------------------- */

static u32 pressure_style(float v, float limit)
{
	return f32_known(v) && v >= limit ? ROLE_warn : ROLE_text;
}

/* At least a tenth over, so that the mark does not flicker at the limit. */
static bool over_budget(const struct self_row *s)
{
	return f32_known(s->cpu_pct) && f32_known(s->bpf_cpu_pct) && f32_known(s->budget_pct) &&
	       s->cpu_pct + s->bpf_cpu_pct > s->budget_pct * 1.1f;
}

static void self_text(struct app *a, char *buf, size_t cap)
{
	const struct self_row *s = a->shown ? self_row(snapshot_single(a->shown, TABLE_self)) : NULL;
	struct losses shown = losses_shown(a->shown);
	char mem[FORMAT_MAX], lost[FORMAT_MAX];
	double cpu, bytes;

	if (!s) {
		snprintf(buf, cap, "ottop ?");
		return;
	}
	cpu = (f32_known(s->cpu_pct) ? s->cpu_pct : 0) + (f32_known(s->bpf_cpu_pct) ? s->bpf_cpu_pct : 0);
	bytes = (u64_known(s->rss_bytes) ? (double)s->rss_bytes : 0) +
		(u64_known(s->kernel_map_bytes) ? (double)s->kernel_map_bytes : 0);
	if (f32_known(s->cpu_pct))
		snprintf(buf, cap, "ottop %s%.2f/%g%% %.0fM", over_budget(s) ? "!" : "", cpu,
			 f32_known(s->budget_pct) ? (double)s->budget_pct : 1, bytes / (1 << 20));
	else
		snprintf(buf, cap, "ottop ?/%g%% %s", f32_known(s->budget_pct) ? (double)s->budget_pct : 1,
			 u64_known(s->rss_bytes) ? format_bytes(mem, bytes) : "?");
	if (u64_known(shown.n))
		text_add(buf, cap, " ", "lost %s", format_count(lost, (double)shown.n));
}

static void part_psi(struct pen *p, const struct host_row *h, const char *name, int member,
		     const struct series *s, int spark)
{
	const struct field *f = &table_descs[TABLE_host].fields[member];
	char b[FORMAT_MAX];
	const char *v = h ? format_value(b, f, &h->row, NULL, NULL) : "?";
	float pct = h ? row_f32(&h->row, f) : F32_UNKNOWN;

	if (!pen_part(p, spark ? 3 : 1, ROLE_text, "%s ", name))
		return;
	pen_part(p, 0, pressure_style(pct, strcmp(name, "mem") ? 10 : 5), "%s", v);
	if (spark)
		pen_spark(p, spark, s, -10);
}

static void part_rates(struct app *a, struct pen *p, const struct host_row *h)
{
	char csw[FORMAT_MAX], sys[FORMAT_MAX];
	const struct row *r = h ? &h->row : NULL;

	pen_part(p, canvas_cols(p->c) >= 120 ? 3 : 2, ROLE_text, "csw %s/s",
		 value(csw, r, "ctx_switch_rate", a->shown));
	if (h && __builtin_isnan(h->syscall_rate))	/* counted only while a view shows it */
		return;
	pen_part(p, 1, ROLE_text, "sys %s/s", value(sys, r, "syscall_rate", a->shown));
}

static void line_pressure(struct app *a, struct canvas *c, int row, const struct host_row *h, bool wide)
{
	struct pen p = { c, row, 0, canvas_cols(c) };
	int spark = !wide ? 0 : a->cols >= ROOMY_COLS ? SPARK_PSI : SPARK_NARROW;
	char self[96];

	if (!wide) {
		self_text(a, self, sizeof(self));
		canvas_right(c, row, p.end - (int)strlen(self), (int)strlen(self),
			     strchr(self, '!') ? ROLE_bad : ROLE_text, self);
		p.end -= (int)strlen(self) + 1;
	}
	pen_part(&p, 0, ROLE_dim, "psi");
	part_psi(&p, h, "cpu", table_field(TABLE_host, "psi_cpu_pct"), &a->host.psi_cpu, spark);
	part_psi(&p, h, "io", table_field(TABLE_host, "psi_io_pct"), &a->host.psi_io, spark);
	part_psi(&p, h, "mem", table_field(TABLE_host, "psi_mem_pct"), &a->host.psi_mem, spark);
	if (!wide)
		pen_part(&p, 0, ROLE_dim, "%%");
	part_rates(a, &p, h);
}

/* ---- line 3, wide only ----------------------------------------------------------------- */

static void line_self(struct app *a, struct canvas *c, int row)
{
	const struct self_row *s = a->shown ? self_row(snapshot_single(a->shown, TABLE_self)) : NULL;
	struct pen p = { c, row, 0, canvas_cols(c) };
	struct losses shown = losses_shown(a->shown);
	const struct row *r = s ? &s->row : NULL;
	char b[FORMAT_MAX], m[FORMAT_MAX], h[FORMAT_MAX];

	pen_part(&p, 0, ROLE_dim, "ottop");
	if (s && f32_known(s->cpu_pct) && f32_known(s->bpf_cpu_pct))
		pen_part(&p, 2, over_budget(s) ? ROLE_bad : ROLE_text,
			 "%s%.2f of %g %% (bpf %.2f, self %.2f)", over_budget(s) ? "!" : "",
			 (double)(s->cpu_pct + s->bpf_cpu_pct), (double)s->budget_pct,
			 (double)s->bpf_cpu_pct, (double)s->cpu_pct);
	else
		pen_part(&p, 2, ROLE_text, "self %s %%", value(b, r, "cpu_pct", a->shown));
	pen_part(&p, 3, ROLE_text, "memory %s, maps %s, history %s",
		 value(b, r, "rss_bytes", a->shown),
		 value(m, r, "kernel_map_bytes", a->shown),
		 value(h, r, "history_bytes", a->shown));
	pen_part(&p, 3, shown.now ? ROLE_bad : ROLE_text, "lost %s",
		 u64_known(shown.n) ? format_count(b, (double)shown.n) : "?");
	pen_part(&p, 3, ROLE_text, "tick %s", value(b, r, "tick_ns", a->shown));
	pen_part(&p, 3, ROLE_text, "rec %s", a->recording ? "on" : "off");
}

void host_lines(struct app *a, struct canvas *c, int *row)
{
	const struct host_row *h = a->shown ? host_row(snapshot_single(a->shown, TABLE_host)) : NULL;
	bool wide = a->cols >= 120 && a->rows >= 40;

	if (a->cols < 60)
		line_narrow(a, c, (*row)++, h);
	else if (wide)
		line_host_wide(a, c, (*row)++, h);
	else
		line_host(a, c, (*row)++, h);
	if (a->rows < 18 || a->cols < 60)
		return;
	line_pressure(a, c, (*row)++, h, wide);
	if (wide)
		line_self(a, c, (*row)++);
}
