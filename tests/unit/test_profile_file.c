// SPDX-License-Identifier: GPL-2.0-or-later
/* Profiles as pictures, and as files: what is left if writing fails. */
#include "profile_data.h"
#include "bpf/record/history.h"
#include "tui/main/main.h"

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
	expect_part(svg, "<title>op&lt;T&gt; &amp; &quot;x&quot; (25.00 %, 0.010 s, 1 sample)");
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
	expect_part(svg, "2 frames narrower than half a pixel not drawn");
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

static struct history *history_of(struct builder *b)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	const struct snapshot *s = builder_seal(b);

	history_append(h, s);
	snapshot_put(s);
	return h;
}

/* `w` in an empty flame graph writes no file, which would look like a measurement. */
static void nothing_is_not_written(void **state)
{
	char dir[] = "/tmp/ottop-nothing-XXXXXX", path[64];
	struct builder *b = tick(1);
	struct history *h;
	char *line;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/nothing.folded", dir);
	add_frames(b);
	add_stack(b, 7, 7, "2 1", 1);
	h = history_of(b);
	line = main_write_stacks(h, 1, 0, "cpu", 8, NULL, path);
	assert_string_equal(line, "nothing written: no sample of 8 in the 1.0 s shown");
	free(line);
	line = main_write_stacks(h, 1, 0, "offcpu", 0, NULL, path);
	expect_part(line, "nothing written: no block in the");
	free(line);
	assert_int_not_equal(access(path, F_OK), 0);
	line = main_write_stacks(h, 1, 0, "cpu", 7, NULL, path);
	expect_part(line, "nothing.folded: cpu, 1.0 s, 1 sample");
	free(line);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	rmdir(dir);
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svg_has_a_rectangle_for_each_frame),
		cmocka_unit_test(svg_leaves_out_what_nobody_would_see),
		cmocka_unit_test(formats_are_known_by_their_suffix),
		cmocka_unit_test(a_file_replaces_what_was_there_or_nothing),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(nothing_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, free_written);
}
