/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile_data.h: made-up ticks with stacks, and profiles of them as text, for the tests of profiles. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/profile.h"

#define MS NSEC_PER_MSEC

static struct session session = {
	.host_name = "shop-web-03", .kernel = "6.1.0", .arch = "x86_64", .version = "0.1",
};

/* ---- snapshots ------------------------------------------------------------------- */

static inline struct builder *tick(u64 seq)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, seq * NSEC_PER_SEC, 1700000000 * (s64)NSEC_PER_SEC, NSEC_PER_SEC);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	return b;
}

static inline struct frames_row *add_frame(struct builder *b, u64 id, const char *name, const char *module,
				    const char *kind)
{
	struct frames_row *f = builder_row(b, TABLE_frames);

	f->id = id;
	f->name = name ? str_new(name) : NULL;
	f->module = module ? str_new(module) : NULL;
	f->kind = str_new(kind);
	f->addr = 0x1000 + id;
	f->line = f->start_line = U64_BLANK;
	f->inlined = 0;
	return f;
}

static inline struct stacks_row *add_stack(struct builder *b, u64 pid, u64 tid, const char *frames,
				    u64 samples)
{
	struct stacks_row *r = builder_row(b, TABLE_stacks);

	r->pid = pid;
	r->start_time_ns = 77;
	r->tid = tid;
	r->kind = str_new("cpu");
	r->frames = str_new(frames);
	r->comm = str_new("shop");
	r->value = samples * 10 * MS;
	r->samples = samples;
	r->unit = str_new("nanoseconds");
	r->whole = str_new("yes");
	return r;
}

/* main and work of /opt/shop, read of libc, vfs_read of the kernel: 1 to 4. */
static inline void add_frames(struct builder *b)
{
	add_frame(b, 1, "main", "/opt/shop", "user")->build_id = str_new("abcd");
	add_frame(b, 2, "work", "/opt/shop", "user")->build_id = str_new("abcd");
	add_frame(b, 3, "read", "/lib/libc.so.6", "library");
	add_frame(b, 4, "vfs_read", "[kernel]", "kernel")->addr = 0xffffffff81000000;
}

static inline void add(struct profile *p, struct builder *b)
{
	const struct snapshot *s = builder_seal(b);

	profile_add(p, s);
	snapshot_put(s);
}

static inline struct profile *cpu_profile(void)
{
	return profile_new("cpu", NULL, 0);
}

/* ---- what was written ------------------------------------------------------------ */

static char *written;
static size_t n_written;

static inline const char *text_of(const struct profile *p, int (*put)(const struct profile *, FILE *))
{
	FILE *f;

	free(written);
	f = open_memstream(&written, &n_written);
	assert_int_equal(put(p, f), 0);
	fclose(f);
	return written;
}

static inline void expect_folded(const struct profile *p, const char *want)
{
	assert_string_equal(text_of(p, profile_put_folded), want);
}

static inline int free_written(void **state)
{
	free(written);
	return 0;
}
