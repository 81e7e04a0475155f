// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make_recording FILE PROCESSES TICKS: a machine with so many processes, a tenth of
 * them active, and two rows of system calls for each active one.
 * make_recording FILE connections N TICKS: one with so many connections of 200
 * processes to N / 8 addresses, a tenth of them active.
 * make_recording FILE stacks STACKS TICKS: so many different stacks in each tick, of
 * 8 to 39 frames and 2,000 functions, in 8 processes.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/record/history.h"
#include "tests/unit/gen.h"

#define OWNERS 200
#define AGES_PER_TICK 2000u

static const char *address(u32 i)
{
	char buf[48];

	if (i % 5)
		snprintf(buf, sizeof(buf), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
	else
		snprintf(buf, sizeof(buf), "2001:db8:%x:%x::%x", i >> 16 & 0xffff, i & 0xffff, i % 251 + 1);
	return str_new(buf);
}

/*
 * As in the sampler (fill_age() in connections_table.c): idle rows are updated in turns of 2,000.
 */
static u64 age_of(u32 i, u32 n, u32 tick, bool active)
{
	u32 turns = (n + AGES_PER_TICK - 1) / AGES_PER_TICK;
	u32 ago = active ? 0 : (tick + turns - i / AGES_PER_TICK % turns) % turns;

	return (u64)(tick - min(ago, tick - 1)) * NSEC_PER_SEC;
}

static void fill_connection(struct connections_row *r, u32 i, u32 n, u32 tick)
{
	bool active = i % 10 == tick % 2;
	char comm[16];

	snprintf(comm, sizeof(comm), "worker-%u", i % OWNERS);
	r->row.first_seen_ns = NSEC_PER_SEC;
	r->cookie = i + 1;
	r->pid = 1000 + i % OWNERS;
	r->start_time_ns = NSEC_PER_SEC;
	r->comm = str_new(comm);
	r->container = str_new("");
	r->owners = str_new("");
	r->netns = 4026531840;
	r->netns_name = str_new("host");
	r->proto = str_new("tcp");
	r->family = str_new(i / 8 % 5 ? "ipv4" : "ipv6");
	r->local_addr = str_new("10.0.0.1");
	r->local_port = 32768 + i % 28000;
	r->remote_addr = address(i / 8);
	r->remote_port = i % 3 ? 443 : 5432;
	r->state = str_new("ESTABLISHED");
	r->direction = str_new(i % 2 ? "opened" : "accepted");
	r->rx_rate = active ? (float)(i * 37 % 100000) : 0;
	r->tx_rate = active ? (float)(i * 91 % 100000) : 0;
	r->segments_rate = active ? 40 : 0;
	r->retransmit_rate = active && i % 97 == 0 ? 1 : 0;
	r->srtt_ns = 20000 + (active ? tick * 1000 : 0) + i * 7919ull % 90000000;
	r->rtt_min_ns = 20000;
	r->cwnd = 10;
	r->rx_bytes = (u64)i * 1000 + (active ? tick * 1000 : 0);
	r->tx_bytes = (u64)i * 2000;
	r->retransmits = 0;
	r->age_ns = age_of(i, n, tick, active);
	r->end_reason = str_new("");
}

static int write_connections(struct recorder *r, struct gen *g, u32 n, u32 ticks)
{
	int err = 0;

	for (u32 tick = 1; tick <= ticks && !err; tick++) {
		struct builder *b = builder_new(g->prev, &g->session);
		const struct snapshot *s;

		builder_time(b, tick, g->session.start_ns + tick * NSEC_PER_SEC, 0, NSEC_PER_SEC);
		for (u32 i = 0; i < OWNERS; i++) {
			struct processes_row *p = builder_row(b, TABLE_processes);

			p->pid = 1000 + i;
			p->start_time_ns = NSEC_PER_SEC;
			p->cmdline = str_new("worker");
		}
		for (u32 i = 0; i < n; i++)
			fill_connection(builder_row(b, TABLE_connections), i, n, tick);
		builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
		builder_status(b, TABLE_connections, TS_OK, NULL, NSEC_PER_SEC);
		s = builder_seal(b);
		err = recorder_write(r, s);
		snapshot_put(g->prev);
		g->prev = s;
	}
	return err;
}

static int write_processes(struct recorder *r, struct gen *g, u32 processes, u32 ticks)
{
	u32 active = processes / 10;
	int err = 0;

	for (u32 i = 0; i < ticks && !err; i++)
		err = recorder_write(r, gen_load(g, processes, active, active * 2, active));
	return err;
}

#define FUNCTIONS 2000u

static void add_frames(struct builder *b)
{
	for (u32 id = 8; id < (FUNCTIONS + 1) * 8; id++) {
		struct frames_row *r = builder_row(b, TABLE_frames);
		char name[64];

		snprintf(name, sizeof(name), "ns::function_%u(int, char const*)", id / 8);
		r->id = id;
		r->name = str_new(name);
		r->module = str_new("/usr/lib/libfoo.so");
		r->addr = 0x1000 + id;
		r->kind = str_new(id / 8 < 200 ? "kernel" : id / 8 % 3 ? "c++" : "library");
	}
}

/* Some callees are common: stacks share what is near the root. */
static void add_stack(struct gen *g, struct builder *b)
{
	u32 depth = 8 + gen_rand(g, 32), path[40], top = gen_rand(g, 8);
	struct stacks_row *r = builder_row(b, TABLE_stacks);
	char text[512];
	int n = 0;

	path[0] = 1 + top;
	for (u32 d = 1; d < depth; d++)
		path[d] = 1 + (path[d - 1] * 2654435761u +
			       (gen_rand(g, 100) < 90 ? 0 : 1 + gen_rand(g, 3)) * 40503u) % FUNCTIONS;
	for (u32 d = depth; d-- > 0;)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%u ",
			      path[d] * 8 + (d == depth - 1 ? gen_rand(g, 8) : gen_rand(g, 8) ? 0 : 1));
	r->pid = r->start_time_ns = r->tid = 1 + top;
	r->kind = str_new("cpu");
	r->frames = str_new(text);
	r->comm = str_new("work");
	r->samples = 1 + gen_rand(g, 3);
	r->value = r->samples * 10101010;
	r->unit = str_new("nanoseconds");
	r->whole = str_new(gen_rand(g, 100) ? "yes" : "no CFI");
}

static const struct snapshot *stacks_tick(struct gen *g, u32 stacks)
{
	u64 seq = g->prev ? g->prev->seq + 1 : 1;
	struct builder *b = builder_new(g->prev, &g->session);

	builder_time(b, seq, (100 + seq) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	add_frames(b);
	for (u32 i = 0; i < stacks; i++)
		add_stack(g, b);
	snapshot_put(g->prev);
	g->prev = builder_seal(b);
	return g->prev;
}

static int write_stacks(struct recorder *r, struct gen *g, u32 stacks, u32 ticks)
{
	int err = 0;

	for (u32 i = 0; i < ticks && !err; i++)
		err = recorder_write(r, stacks_tick(g, stacks));
	return err;
}

int main(int argc, char **argv)
{
	const char *kind = argc == 5 ? argv[2] : "processes";
	u32 n = argc >= 4 ? (u32)atoi(argv[argc - 2]) : 0;
	u32 ticks = argc >= 4 ? (u32)atoi(argv[argc - 1]) : 0;
	struct recorder *r;
	char *error = NULL;
	struct gen g;
	int err;

	if (!n || !ticks)
		return 2;
	gen_init(&g, 1, 0);
	r = recorder_open(argv[1], &g.session, &error);
	if (!r) {
		fprintf(stderr, "make_recording: %s\n", error);
		return 1;
	}
	if (!strcmp(kind, "connections"))
		err = write_connections(r, &g, n, ticks);
	else if (!strcmp(kind, "stacks"))
		err = write_stacks(r, &g, n, ticks);
	else
		err = write_processes(r, &g, n, ticks);
	gen_end(&g);
	return err || recorder_close(r);
}
