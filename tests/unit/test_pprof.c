// SPDX-License-Identifier: GPL-2.0-or-later
/* Profiles as pprof: files are unpacked again and compared by meaning. */
#include <zlib.h>

#include "profile_data.h"
#include "profile.pb-c.h"

typedef Perftools__Profiles__Profile PbProfile;
typedef Perftools__Profiles__Location PbLocation;

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pprof_says_what_was_measured),
		cmocka_unit_test(pprof_has_paths_values_and_labels),
		cmocka_unit_test(pprof_has_a_mapping_for_each_file),
		cmocka_unit_test(frames_expand_into_what_is_inlined),
		cmocka_unit_test(pprof_puts_inlined_functions_into_one_location),
		cmocka_unit_test(pprof_shares_functions_and_marks_cuts),
		cmocka_unit_test(nothing_is_a_valid_profile),
	};

	return cmocka_run_group_tests(tests, NULL, free_written);
}
