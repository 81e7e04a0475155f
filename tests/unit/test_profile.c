// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Profiles: what is merged, what late names do, and the three formats. pprof
 * files are unpacked again and compared by meaning, the others as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "bpf/snapshot_build.h"
#include "exporter/profile.h"
#include "profile.pb-c.h"

#define MS NSEC_PER_MSEC
typedef Perftools__Profiles__Profile PbProfile;
typedef Perftools__Profiles__Location PbLocation;

static struct session session = {
	.host_name = "shop-web-03", .kernel = "6.1.0", .arch = "x86_64", .version = "0.1",
};

/* ---- snapshots ------------------------------------------------------------------- */

static struct builder *tick(u64 seq)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, seq * NSEC_PER_SEC, 1700000000 * (s64)NSEC_PER_SEC, NSEC_PER_SEC);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	return b;
}

static struct frames_row *add_frame(struct builder *b, u64 id, const char *name, const char *module,
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

static struct stacks_row *add_stack(struct builder *b, u64 pid, u64 tid, const char *frames,
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
static void add_frames(struct builder *b)
{
	add_frame(b, 1, "main", "/opt/shop", "user")->build_id = str_new("abcd");
	add_frame(b, 2, "work", "/opt/shop", "user")->build_id = str_new("abcd");
	add_frame(b, 3, "read", "/lib/libc.so.6", "library");
	add_frame(b, 4, "vfs_read", "[kernel]", "kernel")->addr = 0xffffffff81000000;
}

static void add(struct profile *p, struct builder *b)
{
	const struct snapshot *s = builder_seal(b);

	profile_add(p, s);
	snapshot_put(s);
}

static struct profile *cpu_profile(void)
{
	return profile_new("cpu", NULL, 0);
}

/* ---- what was written ------------------------------------------------------------ */

static char *written;
static size_t n_written;

static const char *text_of(const struct profile *p, int (*put)(const struct profile *, FILE *))
{
	FILE *f;

	free(written);
	f = open_memstream(&written, &n_written);
	assert_int_equal(put(p, f), 0);
	fclose(f);
	return written;
}

static void expect_folded(const struct profile *p, const char *want)
{
	assert_string_equal(text_of(p, profile_put_folded), want);
}

/* Free with perftools__profiles__profile__free_unpacked(). */
static PbProfile *unpacked(const struct profile *p)
{
	static u8 data[1 << 20];
	z_stream z = { .next_out = data, .avail_out = sizeof(data) };
	PbProfile *m;

	text_of(p, profile_put_pprof);
	z.next_in = (u8 *)written;
	z.avail_in = (uInt)n_written;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	m = perftools__profiles__profile__unpack(NULL, z.total_out, data);
	inflateEnd(&z);
	assert_non_null(m);
	assert_string_equal(m->string_table[0], "");
	return m;
}

static void done(PbProfile *m, struct profile *p)
{
	perftools__profiles__profile__free_unpacked(m, NULL);
	profile_free(p);
}

/* The functions of a sample, leaf first: "read,work<main" where work was inlined into main. */
static const char *path_of(const PbProfile *m, u32 sample)
{
	static char path[4096];

	path[0] = '\0';
	for (size_t i = 0; i < m->sample[sample]->n_location_id; i++) {
		u64 id = m->sample[sample]->location_id[i];
		const PbLocation *l = m->location[id - 1];

		assert_int_equal(l->id, id);
		for (size_t k = 0; k < l->n_line; k++) {
			u64 fn = l->line[k]->function_id;

			assert_int_equal(m->function[fn - 1]->id, fn);
			strcat(path, k ? "<" : i ? "," : "");
			strcat(path, m->string_table[m->function[fn - 1]->name]);
		}
	}
	return path;
}

static const char *string(const PbProfile *m, s64 i)
{
	assert_true(i >= 0 && i < (s64)m->n_string_table);
	return m->string_table[i];
}

/* The mapping of that file. */
static const Perftools__Profiles__Mapping *mapping(const PbProfile *m, const char *file)
{
	for (size_t i = 0; i < m->n_mapping; i++)
		if (!strcmp(string(m, m->mapping[i]->filename), file))
			return m->mapping[i];
	fail_msg("no mapping of %s", file);
	return NULL;
}

/* ---- collecting ------------------------------------------------------------------ */

static void equal_stacks_of_ticks_add_up(void **state)
{
	struct profile *p = cpu_profile();

	for (u64 i = 1; i <= 3; i++) {
		struct builder *b = tick(i);

		add_frames(b);
		add_stack(b, 7, 7, "2 1", i);
		add_stack(b, 7, 8, "2 1", 1);
		add(p, b);
	}
	assert_int_equal(p->n_stacks, 2);	/* two threads */
	assert_int_equal(p->samples, 9);
	assert_int_equal(p->value, 90 * MS);
	assert_int_equal(p->whole, 9);
	assert_int_equal(p->duration_ns, 3 * NSEC_PER_SEC);
	assert_int_equal(p->start_unix_ns, 1700000000 * NSEC_PER_SEC);
	expect_folded(p, "shop;main;work 90000000\n");
	profile_free(p);
}

static void only_the_kind_and_the_processes_asked_for(void **state)
{
	static const u32 pids[] = { 8, 9 };
	struct profile *p = profile_new("offcpu", pids, 2);
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frames(b);
	add_stack(b, 8, 8, "1", 5);
	r = add_stack(b, 7, 7, "1", 5);
	str_put(r->kind);
	r->kind = str_new("offcpu");
	r = add_stack(b, 9, 9, "4 3 1", 2);
	str_put(r->kind);
	r->kind = str_new("offcpu");
	add(p, b);
	expect_folded(p, "shop;main;read;vfs_read_[k] 20000000\n");
	profile_free(p);
}

static void time_that_was_not_observed_is_not_counted(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const struct snapshot *s;

	add_frames(b);
	add_stack(b, 7, 7, "1", 5);
	builder_status(b, TABLE_stacks, TS_OK, NULL, 0);	/* before the first interval */
	s = builder_seal(b);
	assert_false(profile_add(p, s));
	snapshot_put(s);
	b = tick(2);
	builder_status(b, TABLE_stacks, TS_BLOCKED, "no perf events", 0);
	s = builder_seal(b);
	assert_false(profile_add(p, s));
	assert_int_equal(p->status, TS_BLOCKED);
	assert_string_equal(p->reason, "no perf events");
	snapshot_put(s);
	assert_int_equal(p->samples + p->duration_ns, 0);
	profile_free(p);
}

static void a_name_that_comes_late_counts(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const struct snapshot *s;

	add_frame(b, 1, NULL, "/opt/shop", "user");
	add_frame(b, 2, NULL, "/opt/shop", "user")->reason = str_new("stripped");
	add_frame(b, 3, NULL, "/opt/shop", "user");	/* in no stack */
	add_stack(b, 7, 7, "2 1", 1);
	add(p, b);
	assert_int_equal(profile_pending(p), 1);
	expect_folded(p, "shop;[shop+0x1001];[shop+0x1002] 10000000\n");
	b = tick(2);
	add_frame(b, 1, "main", "/opt/shop", "user");
	add_stack(b, 7, 7, "1", 1);	/* later than the profile */
	s = builder_seal(b);
	profile_learn(p, s);
	snapshot_put(s);
	assert_int_equal(profile_pending(p), 0);
	expect_folded(p, "shop;main;[shop+0x1002] 10000000\n");
	profile_free(p);
}

static void numbers_that_are_given_anew_are_other_frames(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);

	add_frame(b, 1, "old", "/opt/shop", "user");
	add_stack(b, 7, 7, "1", 1);
	add(p, b);
	b = tick(2);
	add_frame(b, 1, "new", "/opt/other", "user")->addr = 5;
	add_stack(b, 7, 7, "1", 2);
	add(p, b);
	expect_folded(p, "shop;new 20000000\nshop;old 10000000\n");
	profile_free(p);
}

static void many_stacks(void **state)
{
	struct profile *p = cpu_profile();
	char frames[32];

	for (u64 t = 1; t <= 2; t++) {
		struct builder *b = tick(t);

		for (u32 i = 1; i <= 3000; i++) {
			snprintf(frames, sizeof(frames), "f%u", i);
			add_frame(b, i, frames, "/opt/shop", "user");
			snprintf(frames, sizeof(frames), "%u 1", i);
			add_stack(b, 7, 7, frames, i);
		}
		add(p, b);
	}
	assert_int_equal(p->n_stacks, 3000);
	assert_int_equal(p->samples, 3000u * 3001);
	profile_free(p);
}

/* ---- folded ---------------------------------------------------------------------- */

static void names_are_safe_and_separators_stay_separators(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frame(b, 1, "L;java/lang;\n\x1b[31m", NULL, "jit");
	add_frame(b, 2, NULL, "/opt/a;b\n", "user");
	add_frame(b, 3, NULL, NULL, "unknown");
	add_frame(b, 4, NULL, "[kernel]", "kernel")->reason = str_new("hidden");
	add_frame(b, 5, "std::get<0>", "/opt/shop", "c++")->inlined = 1;
	r = add_stack(b, 7, 7, "4 5 99 3 2 1", 1);
	str_put(r->comm);
	r->comm = str_new("a;b");
	add(p, b);
	expect_folded(p, "a:b;L:java/lang: \xc2\xb7[31m;[a:b +0x1002];[0x1003];[unknown];"
		      "std::get<0>_[i];[kernel+0x1004]_[k] 10000000\n");
	profile_free(p);
}

static void a_cut_stack_says_so(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frames(b);
	r = add_stack(b, 7, 7, "3", 1);
	str_put(r->whole);
	r->whole = str_new("no CFI");
	add(p, b);
	assert_int_equal(p->whole, 0);
	expect_folded(p, "shop;[cut: no CFI];read 10000000\n");
	profile_free(p);
}

/* ---- pprof ----------------------------------------------------------------------- */

static void pprof_says_what_was_measured(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	PbProfile *m;

	add_frames(b);
	add_stack(b, 7, 7, "2 1", 3);
	add(p, b);
	m = unpacked(p);
	assert_int_equal(m->n_sample_type, 2);
	assert_string_equal(string(m, m->sample_type[0]->type), "samples");
	assert_string_equal(string(m, m->sample_type[0]->unit), "count");
	assert_string_equal(string(m, m->sample_type[1]->type), "cpu");
	assert_string_equal(string(m, m->sample_type[1]->unit), "nanoseconds");
	assert_string_equal(string(m, m->default_sample_type), "cpu");
	assert_string_equal(string(m, m->period_type->type), "cpu");
	assert_string_equal(string(m, m->period_type->unit), "nanoseconds");
	assert_int_equal(m->period, 10 * MS);
	assert_int_equal(m->time_nanos, 1700000000 * NSEC_PER_SEC);
	assert_int_equal(m->duration_nanos, NSEC_PER_SEC);
	assert_string_equal(string(m, m->comment[0]),
			    "ottop 0.1 on shop-web-03, Linux 6.1.0 x86_64");
	done(m, p);
}

static void pprof_has_paths_values_and_labels(void **state)
{
	static const char *const keys[] = { "pid", "tid", "comm", "thread" };
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct processes_row *process;
	PbProfile *m;

	add_frames(b);
	process = builder_row(b, TABLE_processes);
	process->pid = 7;
	process->start_time_ns = 77;
	process->comm = str_new("shop-main");
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	add_stack(b, 7, 9, "4 3 2 1", 3);
	add(p, b);
	m = unpacked(p);
	assert_int_equal(m->n_sample, 1);
	assert_string_equal(path_of(m, 0), "vfs_read,read,work,main");
	assert_int_equal(m->sample[0]->n_value, 2);
	assert_int_equal(m->sample[0]->value[0], 3);
	assert_int_equal(m->sample[0]->value[1], 30 * MS);
	assert_int_equal(m->sample[0]->n_label, 4);
	for (u32 i = 0; i < 4; i++)
		assert_string_equal(string(m, m->sample[0]->label[i]->key), keys[i]);
	assert_int_equal(m->sample[0]->label[0]->num, 7);
	assert_int_equal(m->sample[0]->label[1]->num, 9);
	assert_string_equal(string(m, m->sample[0]->label[2]->str), "shop-main");
	assert_string_equal(string(m, m->sample[0]->label[3]->str), "shop");
	done(m, p);
}

static void pprof_has_a_mapping_for_each_file(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	PbProfile *m;

	add_frames(b);
	add_frame(b, 5, NULL, "/lib/libx.so", "library");	/* not looked up yet */
	add_frame(b, 6, NULL, NULL, "unknown");
	add_stack(b, 7, 7, "6 5 4 3 2 1", 1);
	add(p, b);
	m = unpacked(p);
	assert_int_equal(m->n_mapping, 4);
	assert_string_equal(string(m, m->mapping[0]->filename), "/opt/shop");	/* the program */
	assert_string_equal(string(m, m->mapping[0]->build_id), "abcd");
	assert_true(mapping(m, "[kernel]")->has_functions);
	assert_false(mapping(m, "/lib/libx.so")->has_functions);
	assert_false(mapping(m, "/opt/shop")->has_filenames);
	assert_true(mapping(m, "/opt/shop")->memory_limit == UINT64_MAX);
	assert_int_equal(m->location[0]->mapping_id, 0);
	assert_true(m->location[2]->address == 0xffffffff81000000);
	assert_int_equal(m->location[2]->mapping_id, mapping(m, "[kernel]")->id);
	assert_int_equal(m->location[5]->mapping_id, m->mapping[0]->id);
	done(m, p);
}

static void pprof_puts_inlined_functions_into_one_location(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct frames_row *f;
	PbProfile *m;

	add_frames(b);
	f = add_frame(b, 5, "square", "/opt/shop", "user");
	f->inlined = 1;
	f->file = str_new("shop.c");
	f->line = 12;
	f->build_id = str_new("abcd");
	add_stack(b, 7, 7, "5 2 1", 1);
	add_stack(b, 7, 7, "5", 1);	/* into nothing that is known */
	add(p, b);
	m = unpacked(p);
	assert_string_equal(path_of(m, 0), "square");
	assert_string_equal(path_of(m, 1), "square<work,main");
	assert_int_equal(m->location[1]->line[0]->line, 12);
	assert_int_equal(m->location[1]->line[1]->line, 0);
	assert_string_equal(string(m, m->function[0]->filename), "shop.c");
	assert_true(m->mapping[0]->has_inline_frames && m->mapping[0]->has_line_numbers &&
		    m->mapping[0]->has_filenames);
	done(m, p);
}

/* work (2) has square inlined, and that has twice: known later than the stack is. */
static void late_inlined_functions(struct builder *b)
{
	struct frames_row *f;

	add_frame(b, 1, "main", "/opt/shop", "user");
	f = add_frame(b, 2, "work", "/opt/shop", "user");
	f->inlines = str_new("9 8");
	f->file = str_new("shop.c");
	f->line = 30;
	f->start_line = 25;
	f = add_frame(b, 8, "square", "/opt/shop", "user");
	f->addr = U64_BLANK;
	f->inlined = 1;
	f->line = 12;
	f->start_line = 10;
	f->file = str_new("shop.c");
	f = add_frame(b, 9, "twice", "/opt/shop", "user");
	f->inlined = 1;
	f->file = str_new("twice.h");
}

static void frames_expand_into_what_is_inlined(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	PbProfile *m;
	const char *text;

	add_frame(b, 1, NULL, "/opt/shop", "user");
	add_frame(b, 2, NULL, "/opt/shop", "user");
	add_stack(b, 7, 7, "2 1", 1);
	add(p, b);
	b = tick(2);
	late_inlined_functions(b);
	add_stack(b, 7, 7, "2 1", 2);
	add(p, b);
	expect_folded(p, "shop;main;work;square_[i];twice_[i] 30000000\n");
	text = text_of(p, profile_put_svg);
	assert_non_null(strstr(text, "<title>square_[i] (100.00 %, 0.030 s, 3 samples) at shop.c:10</title>"));
	assert_non_null(strstr(text, "<title>main (100.00 %, 0.030 s, 3 samples)</title>"));
	m = unpacked(p);
	assert_int_equal(m->n_sample, 1);
	assert_string_equal(path_of(m, 0), "twice<square<work,main");
	assert_int_equal(m->location[0]->address, 0x1002);
	assert_int_equal(m->location[0]->line[1]->line, 12);
	assert_int_equal(m->location[0]->line[2]->line, 30);
	assert_string_equal(string(m, m->function[1]->filename), "shop.c");
	assert_int_equal(m->function[1]->start_line, 10);
	assert_int_equal(m->n_mapping, 1);
	done(m, p);
}

static void pprof_shares_functions_and_marks_cuts(void **state)
{
	struct profile *p = profile_new("offcpu", NULL, 0);
	struct builder *b = tick(1);
	struct stacks_row *r;
	PbProfile *m;

	add_frames(b);
	add_frame(b, 5, "main", "/opt/shop", "user");	/* another place in it */
	for (u32 i = 0; i < 2; i++) {
		r = add_stack(b, 7, 7, i ? "2 5" : "2 1", 1);
		str_put(r->kind);
		r->kind = str_new("offcpu");
		str_put(r->whole);
		r->whole = str_new("bad read");
	}
	add(p, b);
	m = unpacked(p);
	assert_string_equal(string(m, m->sample_type[0]->type), "blocks");
	assert_string_equal(string(m, m->default_sample_type), "off_cpu");
	assert_int_equal(m->n_function, 3);	/* work, main, the cut */
	assert_int_equal(m->n_location, 4);
	assert_string_equal(path_of(m, 0), "work,main,[cut: bad read]");
	assert_string_equal(path_of(m, 1), "work,main,[cut: bad read]");
	done(m, p);
}

static void nothing_is_a_valid_profile(void **state)
{
	struct profile *p = cpu_profile();
	PbProfile *m;

	add(p, tick(1));
	m = unpacked(p);
	assert_int_equal(m->n_sample, 0);
	assert_int_equal(m->n_sample_type, 2);
	expect_folded(p, "");
	assert_non_null(strstr(text_of(p, profile_put_svg), "</svg>"));
	done(m, p);
}

/* ---- svg ------------------------------------------------------------------------- */

static void expect_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in %s", part, text);
}

static void svg_has_a_rectangle_for_each_frame(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const char *svg;

	add_frames(b);
	add_frame(b, 5, "op<T> & \"x\"", "/opt/shop", "c++");
	add_stack(b, 7, 7, "2 1", 3);
	add_stack(b, 8, 8, "5 1", 1);
	add(p, b);
	svg = text_of(p, profile_put_svg);
	expect_part(svg, "<title>all (100.00 %, 0.040 s, 4 samples)</title><rect x=\"10.00\" y=\"");
	expect_part(svg, "<title>main (100.00 %, 0.040 s, 4 samples)</title>");
	expect_part(svg, "<title>work (75.00 %, 0.030 s, 3 samples)</title><rect x=\"305.00\"");
	expect_part(svg, "width=\"885.00\"");
	expect_part(svg, "<title>op&lt;T&gt; &amp; &quot;x&quot; (25.00 %, 0.010 s, 1 samples)");
	expect_part(svg, "4 samples, 100.0 % of them whole");
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "not drawn"));
	profile_free(p);
}

static void svg_leaves_out_what_nobody_would_see(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const char *svg;

	add_frames(b);
	add_stack(b, 7, 7, "1", 10000);
	add_stack(b, 7, 7, "3 2 1", 1);
	add(p, b);
	svg = text_of(p, profile_put_svg);
	expect_part(svg, "2 frames are narrower than half a pixel and not drawn");
	assert_null(strstr(svg, "<title>work"));
	profile_free(p);
}

/* ---- files ----------------------------------------------------------------------- */

static char folder[] = "/tmp/ottop-profile-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void formats_are_known_by_their_suffix(void **state)
{
	assert_int_equal(profile_format("a.pb.gz"), PROFILE_PPROF);
	assert_int_equal(profile_format("/x/a.folded"), PROFILE_FOLDED);
	assert_int_equal(profile_format("-"), PROFILE_FOLDED);
	assert_int_equal(profile_format("a.svg"), PROFILE_SVG);
	assert_int_equal(profile_format(".svg"), PROFILE_UNKNOWN);
	assert_int_equal(profile_format("a.png"), PROFILE_UNKNOWN);
}

static void expect_refused(const struct profile *p, const char *path, const char *why)
{
	char *error = NULL;

	assert_int_equal(profile_write(p, path, &error), -1);
	expect_part(error, path);
	expect_part(error, why);
	free(error);
}

static void a_file_replaces_what_was_there_or_nothing(void **state)
{
	struct profile *p = cpu_profile();
	char *error = NULL, name[300], line[200] = "";
	struct stat st;
	struct builder *b = tick(1);
	FILE *f;

	assert_non_null(mkdtemp(folder));
	add_frames(b);
	add_stack(b, 7, 7, "2 1", 1);
	add(p, b);
	snprintf(name, sizeof(name), "%s", in_folder("a.folded"));
	f = fopen(in_folder("target"), "w");
	fputs("keep\n", f);
	fclose(f);
	assert_int_equal(symlink(in_folder("target"), name), 0);
	assert_int_equal(profile_write(p, name, &error), 0);
	assert_int_equal(profile_write(p, name, &error), 0);
	assert_int_equal(lstat(name, &st), 0);
	assert_true(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	f = fopen(name, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_string_equal(line, "shop;main;work 10000000\n");
	f = fopen(in_folder("target"), "r");
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_string_equal(line, "keep\n");

	expect_refused(p, in_folder("none/a.svg"), "No such file");
	assert_int_equal(mkdir(in_folder("d.svg"), 0700), 0);
	expect_refused(p, in_folder("d.svg"), "is a directory");
	assert_int_equal(mkfifo(in_folder("f.svg"), 0600), 0);
	expect_refused(p, in_folder("f.svg"), "not a regular file");
	rmdir(in_folder("d.svg"));
	unlink(in_folder("f.svg"));
	unlink(in_folder("target"));
	unlink(name);
	assert_int_equal(rmdir(folder), 0);	/* no temporary file is left */
	profile_free(p);
}

static void a_full_disk_is_an_error(void **state)
{
	static int (*const put[])(const struct profile *, FILE *) = {
		profile_put_pprof, profile_put_folded, profile_put_svg,
	};
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);

	add_frames(b);
	add_stack(b, 7, 7, "2 1", 1);
	add(p, b);
	for (u32 i = 0; i < ARRAY_SIZE(put); i++) {
		FILE *f = fopen("/dev/full", "w");

		assert_int_equal(put[i](p, f), -ENOSPC);
		fclose(f);
	}
	profile_free(p);
}

static int free_written(void **state)
{
	free(written);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_stacks_of_ticks_add_up),
		cmocka_unit_test(only_the_kind_and_the_processes_asked_for),
		cmocka_unit_test(time_that_was_not_observed_is_not_counted),
		cmocka_unit_test(a_name_that_comes_late_counts),
		cmocka_unit_test(numbers_that_are_given_anew_are_other_frames),
		cmocka_unit_test(many_stacks),
		cmocka_unit_test(names_are_safe_and_separators_stay_separators),
		cmocka_unit_test(a_cut_stack_says_so),
		cmocka_unit_test(pprof_says_what_was_measured),
		cmocka_unit_test(pprof_has_paths_values_and_labels),
		cmocka_unit_test(pprof_has_a_mapping_for_each_file),
		cmocka_unit_test(frames_expand_into_what_is_inlined),
		cmocka_unit_test(pprof_puts_inlined_functions_into_one_location),
		cmocka_unit_test(pprof_shares_functions_and_marks_cuts),
		cmocka_unit_test(nothing_is_a_valid_profile),
		cmocka_unit_test(svg_has_a_rectangle_for_each_frame),
		cmocka_unit_test(svg_leaves_out_what_nobody_would_see),
		cmocka_unit_test(formats_are_known_by_their_suffix),
		cmocka_unit_test(a_file_replaces_what_was_there_or_nothing),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, free_written);
}
