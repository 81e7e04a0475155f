/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen.h: synthetic snapshots for tests. gen_random() covers every table and field type with every
 * kind of value and change; gen_load() is a machine with the given number of processes, some of
 * them active, as ottop would see it.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "bpf/record/codec.h"
#include "bpf/model/snapshot_build.h"

struct gen {
	u64 rng;	/* any value; the same one gives the same snapshots */
	struct session session;
	const struct snapshot *prev;
	u32 rows;	/* of a table, about */
};

static inline u32 gen_rand(struct gen *g, u32 below)
{
	g->rng = g->rng * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)((g->rng >> 33) % below);
}

static inline void gen_init(struct gen *g, u64 seed, u32 rows)
{
	*g = (struct gen){ .rng = seed, .rows = rows };
	strcpy(g->session.host_name, "gen");
	strcpy(g->session.boot_id, "00000000-0000-0000-0000-000000000001");
	strcpy(g->session.kernel, "6.1.0");
	strcpy(g->session.arch, "x86_64");
	strcpy(g->session.version, OTTOP_VERSION);
	g->session.start_ns = 5 * NSEC_PER_SEC;
}

static inline void gen_end(struct gen *g)
{
	snapshot_put(g->prev);
	g->prev = NULL;
}

/* ---- random values ---- */

static inline u64 gen_u64(struct gen *g, u64 old)
{
	switch (gen_rand(g, 8)) {
	case 0: return U64_UNKNOWN;
	case 1: return U64_BLANK;
	case 2: return U64_PENDING;
	case 3: return 0;
	case 4: return (u64)gen_rand(g, 1u << 31) << gen_rand(g, 32);
	default: return u64_known(old) ? old + gen_rand(g, 5000) : gen_rand(g, 100);
	}
}

static inline float gen_f32(struct gen *g)
{
	switch (gen_rand(g, 6)) {
	case 0: return F32_UNKNOWN;
	case 1: return F32_BLANK;
	case 2: return F32_PENDING;
	case 3: return 0;
	default: return (float)gen_rand(g, 1000000) / 37;
	}
}

/* NULL, blank, a repeated or a new text; one reference. */
static inline const char *gen_str(struct gen *g)
{
	char buf[64];
	u32 kind = gen_rand(g, 10);

	if (kind == 0)
		return NULL;
	if (kind == 1)
		return str_new("");
	snprintf(buf, sizeof(buf), kind < 8 ? "name %u" : "\xff odd\n%u",
		 kind < 8 ? gen_rand(g, 20) : gen_rand(g, 1u << 30));
	return str_new(buf);
}

/* A histogram of one interval: none, empty, or a few values, close together or far apart. */
static inline const struct hist *gen_hist(struct gen *g)
{
	struct hist_acc a;
	u32 n = gen_rand(g, 12), shift = gen_rand(g, 40);

	memset(&a, 0, sizeof(a));
	if (n == 0)
		return NULL;
	for (u32 i = 1; i < n; i++)
		hist_acc_value(&a, gen_rand(g, 9) ? (u64)gen_rand(g, 3000) << shift :
			       gen_rand(g, 2));
	return hist_seal(&a);
}

static inline void gen_hists(struct gen *g, const struct hist **h)
{
	const struct hist *tick = gen_hist(g), *cum;

	cum = gen_rand(g, 20) ? hist_sum(h[0], tick) : gen_hist(g);	/* rarely: a reset */
	hist_put(h[0]);
	hist_put(h[1]);
	h[0] = cum;
	h[1] = tick;
}

static inline void gen_value(struct gen *g, struct row *r, const struct field *f)
{
	char *p = (char *)r + f->offset;

	if (f->type == FT_U64)
		*(u64 *)p = gen_u64(g, *(u64 *)p);
	else if (f->type == FT_F32)
		*(float *)p = gen_f32(g);
	else if (f->type == FT_STR)
		str_put(*(const char **)p), *(const char **)p = gen_str(g);
	else if (f->type == FT_HIST)
		gen_hists(g, (const struct hist **)p);
}

/* Changes some members that are not keys. */
static inline void gen_mutate(struct gen *g, struct row *r, u32 one_in)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++)
		if (d->fields[i].kind != FK_KEY && d->fields[i].kind != FK_QUANTILE &&
		    gen_rand(g, one_in) == 0)
			gen_value(g, r, &d->fields[i]);
	row_quantiles(r);
}

static inline void gen_insert(struct gen *g, struct builder *b, enum table_id t)
{
	const struct table_desc *d = &table_descs[t];
	struct row *r = builder_row(b, t);
	char name[16];

	r->first_seen_ns = gen_rand(g, 1u << 30);
	r->other = gen_rand(g, 50) == 0;
	for (u32 i = 0; i < d->n_fields; i++) {
		char *p = (char *)r + d->fields[i].offset;

		if (d->fields[i].kind != FK_KEY)
			continue;
		if (d->fields[i].type == FT_U64) {
			*(u64 *)p = gen_rand(g, 4 * g->rows);
		} else {
			snprintf(name, sizeof(name), "key%u", gen_rand(g, 4 * g->rows));
			*(const char **)p = str_new(name);
		}
	}
	gen_mutate(g, r, 2);
}

/* The fate of a row of the previous tick: it stays, changes, closes, vanishes. */
static inline void gen_next_row(struct gen *g, struct builder *b, const struct row *old)
{
	u32 fate = gen_rand(g, 20);
	struct row *r;

	if (old->closed || fate == 0)
		return;
	if (fate < 10) {
		builder_add(b, row_get(old));
		return;
	}
	r = row_clone(old, true);
	r->closed = fate == 10;
	gen_mutate(g, r, fate == 11 ? 1 : 6);
	builder_add(b, r);
}

static inline void gen_table(struct gen *g, struct builder *b, enum table_id t)
{
	static const struct table none;
	const struct table *old = g->prev ? &g->prev->tables[t] : &none;
	u32 target = table_descs[t].flags & T_SINGLE ? 1 : g->rows;
	u32 fate = gen_rand(g, 40);

	if (fate == 0) {	/* a tick without this table */
		builder_status(b, t, TS_BLOCKED, "made up", 0);
		return;
	}
	builder_status(b, t, fate < 9 ? TS_PARTIAL : TS_OK,
		       fate < 5 ? "a part" : fate < 9 ? "another part" : NULL,
		       fate % 8 == 5 ? 2 * NSEC_PER_SEC : NSEC_PER_SEC);
	for (u32 i = 0; i < old->n; i++)
		gen_next_row(g, b, old->rows[i]);
	for (u32 i = old->n; i < target + gen_rand(g, 3); i++)
		gen_insert(g, b, t);
}

/* The next tick; owned by the generator and valid until the one after it. */
static inline const struct snapshot *gen_random(struct gen *g)
{
	struct builder *b = builder_new(g->prev, &g->session);
	u64 seq = g->prev ? g->prev->seq + 1 + (gen_rand(g, 30) == 0) : 1;
	u64 time = g->prev ? g->prev->time_ns + 900000000 + gen_rand(g, 200000000) : 7777;
	const struct snapshot *s;

	builder_time(b, seq, time, 1700000000000000000ll - gen_rand(g, 1000), NSEC_PER_SEC);
	for (int t = 0; t < N_TABLES; t++)
		gen_table(g, b, t);
	s = builder_seal(b);
	snapshot_put(g->prev);
	return g->prev = s;
}

/* ---- a machine under load ---- */

static inline const char *gen_name(const char *fmt, u32 n)
{
	char buf[160];

	snprintf(buf, sizeof(buf), fmt, n);
	return str_new(buf);
}

static inline struct processes_row *gen_process(u32 pid)
{
	struct processes_row *p = row_new(TABLE_processes);

	p->pid = 1000 + pid;
	p->start_time_ns = 123456789ull * (pid + 17);
	p->row.first_seen_ns = 5000000000ull;
	p->ppid = 1000 + pid / 8;
	p->comm = gen_name("worker-%u", pid / 3);
	p->cmdline = gen_name("/usr/lib/example/bin/worker --config /etc/example/worker.conf "
			      "--instance %u --log-level info", pid);
	p->user = gen_name("user%u", pid % 7);
	p->container = pid % 2 ? str_new("") : gen_name("docker:0123456789ab%u", pid / 20);
	p->cgroup = gen_name("/system.slice/example-%u.service", pid / 10);
	p->unit = gen_name("example-%u.service", pid / 10);
	p->ns_pid = pid;
	p->state = str_new("S");
	p->threads = 1 + pid % 9;
	p->cpu_pct = p->user_pct = p->system_pct = p->runq_wait_pct = p->blocked_pct = 0;
	p->rss_bytes = (pid * 7919ull % 50000) << 12;
	p->rss_rate = p->read_rate = p->write_rate = p->syscall_rate = 0;
	p->cpu_ns = pid * 1000003ull;
	p->syscalls = 0;
	p->read_bytes = p->write_bytes = 0;
	p->exit_code = p->signal = U64_BLANK;
	return p;
}

static inline void gen_run_process(struct gen *g, struct processes_row *p)
{
	float secs = 1 + (float)gen_rand(g, 1000) / 1e6f;
	u32 calls = gen_rand(g, 20000), ns = gen_rand(g, 400000000);

	p->cpu_pct = (float)ns / 1e7f / secs;
	p->user_pct = p->cpu_pct * (float)gen_rand(g, 1000) / 1000;
	p->system_pct = p->cpu_pct - p->user_pct;
	p->runq_wait_pct = (float)gen_rand(g, 100000) / 1e4f / secs;
	p->syscall_rate = (float)calls / secs;
	p->cpu_ns += ns;
	p->syscalls += calls;
	if (gen_rand(g, 3) == 0) {
		p->rss_bytes += (u64)gen_rand(g, 100) << 12;
		p->rss_rate = (float)(gen_rand(g, 100) << 12) / secs;
	}
	if (gen_rand(g, 3) == 0) {
		u32 n = gen_rand(g, 1u << 20);

		p->write_bytes += n;
		p->write_rate = (float)n / secs;
	}
}

static inline struct syscalls_row *gen_syscall(u32 i)
{
	struct syscalls_row *s = row_new(TABLE_syscalls);
	u32 pid = i / 8;

	s->pid = 1000 + pid;
	s->start_time_ns = 123456789ull * (pid + 17);
	s->nr = i % 8 * 7;
	s->row.first_seen_ns = 5000000000ull;
	s->abi = str_new("x86_64");
	s->comm = gen_name("worker-%u", pid / 3);
	s->syscall = gen_name("syscall%u", i % 8 * 7);
	s->rate = s->error_rate = s->time_rate = s->hard_error_rate = 0;
	s->in_flight = s->waits = 0;
	s->in_flight_max_ns = U64_BLANK;
	s->count = s->errors = s->total_ns = 0;
	s->errnos = str_new("");
	return s;
}

/* Latencies like real ones: a hump of two octaves, and a tail. */
static inline void gen_run_syscall(struct gen *g, struct syscalls_row *s)
{
	u32 calls = 1 + gen_rand(g, 3000), base = 300u << s->nr / 7;
	float secs = 1 + (float)gen_rand(g, 1000) / 1e6f;
	const struct hist *cum;
	struct hist_acc a;

	memset(&a, 0, sizeof(a));
	for (u32 i = 0; i < calls; i++)
		hist_acc_value(&a, base + gen_rand(g, base) + gen_rand(g, base) +
			       (gen_rand(g, 50) ? 0 : gen_rand(g, 40 * base)));
	s->count += calls;
	s->total_ns += a.sum_ns;
	s->rate = (float)calls / secs;
	s->time_rate = (float)a.sum_ns / secs;
	s->in_flight = gen_rand(g, 3);
	s->in_flight_max_ns = s->in_flight ? gen_rand(g, 1u << 30) : U64_BLANK;
	hist_put(s->hist_tick);
	s->hist_tick = hist_seal(&a);
	cum = hist_sum(s->hist, s->hist_tick);
	hist_put(s->hist);
	s->hist = cum;
	row_quantiles(&s->row);
}

/* Rows of a table, of which `active` (always the same half, and others) did something. */
static inline void gen_load_table(struct gen *g, struct builder *b, enum table_id t, u32 n,
				  u32 active)
{
	const struct table *old = g->prev ? &g->prev->tables[t] : NULL;

	builder_status(b, t, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 i = 0; i < n; i++) {
		bool run = i < active / 2 || gen_rand(g, n) < active / 2;
		struct row *r;

		if (old && !run) {
			builder_add(b, row_get(old->rows[i]));
			continue;
		}
		r = old ? row_clone(old->rows[i], true) :
		    t == TABLE_processes ? &gen_process(i)->row : &gen_syscall(i)->row;
		if (run && t == TABLE_processes)
			gen_run_process(g, (struct processes_row *)r);
		else if (run)
			gen_run_syscall(g, (struct syscalls_row *)r);
		builder_add(b, r);
	}
}

/* The next tick of a machine; belongs to the generator like gen_random()'s. */
static inline const struct snapshot *gen_load(struct gen *g, u32 processes, u32 active,
					      u32 syscalls, u32 active_syscalls)
{
	struct builder *b = builder_new(g->prev, &g->session);
	const struct snapshot *s;
	struct host_row *h;

	builder_time(b, g->prev ? g->prev->seq + 1 : 1,
		     g->prev ? g->prev->time_ns + NSEC_PER_SEC + gen_rand(g, 100000) : 9000000000ull,
		     1700000000000000000ll, NSEC_PER_SEC);
	h = builder_row(b, TABLE_host);
	h->cpus = 8;
	h->cpu_pct = (float)gen_rand(g, 10000) / 100;
	h->load1 = 1.5f;
	builder_status(b, TABLE_host, TS_OK, NULL, NSEC_PER_SEC);
	gen_load_table(g, b, TABLE_processes, processes, active);
	gen_load_table(g, b, TABLE_syscalls, syscalls, active_syscalls);
	s = builder_seal(b);
	snapshot_put(g->prev);
	return g->prev = s;
}
