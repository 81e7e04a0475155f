/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flame_data.h: synthetic ticks with stacks, for tests of the flame graph's model and picture. */
#pragma once

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"
#include "tui/app/app.h"
#include "tui/engines/flame.h"
#include "tui/views/flame.h"

#define TICKS 14
#define PERIOD 10000000ull

static const struct session session = { .host_name = "test" };

/* ---- snapshots made up ------------------------------------------------------------- */

static inline void add_frame(struct builder *b, u64 id, const char *name, const char *kind)
{
	struct frames_row *r = builder_row(b, TABLE_frames);

	r->id = id;
	r->name = name ? str_new(name) : NULL;
	r->module = str_new("/usr/lib/libfoo.so");
	r->addr = 0x1000 + id;
	r->kind = str_new(kind);
}

static inline void add_stack(struct builder *b, u64 pid, u64 tid, const char *frames, u64 samples, const char *whole)
{
	struct stacks_row *r = builder_row(b, TABLE_stacks);

	r->pid = pid;
	r->start_time_ns = pid;
	r->tid = tid;
	r->kind = str_new("cpu");
	r->frames = str_new(frames);
	r->comm = str_new("work");
	r->value = samples * PERIOD;
	r->samples = samples;
	r->unit = str_new("nanoseconds");
	r->whole = str_new(whole);
}

static inline struct builder *tick_of(const struct snapshot *prev, u64 seq)
{
	struct builder *b = builder_new(prev, &session);

	builder_time(b, seq, 1000 * NSEC_PER_SEC + seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	return b;
}

/* main -> a -> b, main -> a, main -> kernel; in tick n each of them n times. */
static inline const struct snapshot *simple_tick(const struct snapshot *prev, u64 seq)
{
	struct builder *b = tick_of(prev, seq);
	char own[32];

	add_frame(b, 1, "main", "user");
	add_frame(b, 2, "a", "user");
	add_frame(b, 3, seq < 5 ? NULL : "b", "user");
	add_frame(b, 4, "sys", "kernel");
	add_frame(b, 5, "a", "user");	/* another address of the same function */
	snprintf(own, sizeof(own), "%llu 1", (unsigned long long)(100 + seq));
	add_frame(b, 100 + seq, "once", "user");
	add_stack(b, 7, 7, "3 2 1", seq, "yes");
	add_stack(b, 7, 8, "5 1", 2, "yes");
	add_stack(b, 7, 7, "4 2 1", 1, "yes");
	add_stack(b, 9, 9, "2", 1, "no CFI");
	add_stack(b, 9, 9, own, 1, "yes");
	return builder_seal(b);
}

struct fake {
	struct history *h;
	const struct snapshot *ticks[TICKS];
};

static inline void fake_make(struct fake *x)
{
	x->h = history_new(HISTORY_CAP_BYTES);
	for (u32 i = 0; i < TICKS; i++) {
		x->ticks[i] = simple_tick(i ? x->ticks[i - 1] : NULL, i + 1);
		history_append(x->h, x->ticks[i]);
	}
}

static inline void fake_free(struct fake *x)
{
	for (u32 i = 0; i < TICKS; i++)
		snapshot_put(x->ticks[i]);
	history_free(x->h);
}

static inline void open_model(struct flame *f, u64 pid)
{
	struct flame_scope scope = { pid, pid, "cpu", 0 };

	flame_init(f);
	flame_set_scope(f, &scope);
}

static inline u32 child(struct flame *f, u32 parent, const char *name)
{
	struct flame_tree *t = flame_tree(f);

	for (u32 c = t->nodes[parent].first; c != FLAME_NONE; c = t->nodes[c].next)
		if (!strcmp(flame_fn_text(&f->names.fns[t->nodes[c].fn]), name))
			return c;
	fail_msg("no %s", name);
	return FLAME_NONE;
}

static inline double samples(struct flame *f, u32 node)
{
	return flame_tree(f)->nodes[node].n;
}
