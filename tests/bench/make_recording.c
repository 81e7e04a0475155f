// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make_recording FILE PROCESSES TICKS: a machine with so many processes, a tenth of
 * them active, and two rows of system calls for each active one.
 * make_recording FILE stacks STACKS TICKS: so many different stacks in each tick, of
 * 8 to 39 frames and 2,000 functions, in 8 processes.
 */
#include <stdlib.h>

#include "bpf/history.h"
#include "tests/unit/gen.h"

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

/* Of any function some callees are common: stacks share what is near the root. */
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

int main(int argc, char **argv)
{
	u32 stacks = argc == 5 ? (u32)atoi(argv[3]) : 0;
	u32 processes = argc == 4 ? (u32)atoi(argv[2]) : 0, active = processes / 10;
	int err = 0, ticks = argc > 3 ? atoi(argv[argc - 1]) : 0;
	struct recorder *r;
	char *error = NULL;
	struct gen g;

	if ((!processes && !stacks) || ticks < 1)
		return 2;
	gen_init(&g, 1, 0);
	r = recorder_open(argv[1], &g.session, &error);
	if (!r) {
		fprintf(stderr, "make_recording: %s\n", error);
		return 1;
	}
	for (int i = 0; i < ticks && !err; i++)
		err = recorder_write(r, stacks ? stacks_tick(&g, stacks) : gen_load(&g, processes, active, active * 2, active));
	gen_end(&g);
	return err || recorder_close(r);
}
