// SPDX-License-Identifier: GPL-2.0-or-later
/* test_recording_damage.c: truncated and damaged recordings: intact parts are shown. */
#include "recording_file.h"

/* ---- cut and damaged ones ---- */

static void cut_anywhere_shows_what_is_whole(void **state)
{
	const char *path = in_dir("cut");
	u64 ends[TICKS];
	size_t n;

	record(path, 21, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	assert_true(n > ends[TICKS - 1]);
	for (u64 at = n - 1; at > ends[0]; at -= at > ends[TICKS - 1] ? 1 : n / 97) {
		struct recording *r;
		char line[128];
		u32 whole = 0;

		while (whole < TICKS && ends[whole] <= at)
			whole++;
		assert_int_equal(truncate(path, (off_t)at), 0);
		r = must_open(path);
		assert_int_equal(history_len(recording_history(r)), whole);
		snprintf(line, sizeof(line), "ends in the middle of a chunk at byte %llu "
			 "(%u tick%s read)", (unsigned long long)ends[whole - 1], whole, text_plural(whole, "s"));
		must_say(r, at == ends[whole - 1] ? "no end mark" : line);
		for (u32 i = 0; i < whole; i += 13) {
			const struct snapshot *s = history_snapshot(recording_history(r), i);

			assert_non_null(s);
			snapshot_put(s);
		}
		recording_close(r);
	}
}

static void cut_header_shows_nothing(void **state)
{
	const char *path = in_dir("cuthead");

	record(path, 22, 1, NULL);
	assert_int_equal(truncate(path, 100), 0);
	must_refuse(path, "ends inside its header");
	assert_int_equal(truncate(path, 12), 0);
	must_refuse(path, "ends inside its header");
	assert_int_equal(truncate(path, 3), 0);
	must_refuse(path, "ends inside its header");
	assert_int_equal(truncate(path, 0), 0);
	must_refuse(path, "empty");
}

/* Flips bits at intervals: never wrong data, and the loss is reported. */
static void flipped_bits_cost_a_group_at_most(void **state)
{
	const char *path = in_dir("flip");
	const struct snapshot *good[TICKS], *s;
	u64 ends[TICKS];
	struct gen g;
	size_t n;

	record(path, 23, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	gen_init(&g, 23, 6);
	for (u32 i = 0; i < TICKS; i++)
		good[i] = snapshot_get(gen_random(&g));
	for (u64 at = ends[0] - 40; at < n;
	     at += at < ends[TICKS - 1] - 20 ? 1 + gen_rand(&g, (u32)n / 100) : 1) {
		struct recording *r;
		char line[200];
		u32 len, k = 0;
		u8 was = bytes[at];

		bytes[at] ^= (u8)(1 << gen_rand(&g, 8));
		write_whole(path, bytes, n);
		bytes[at] = was;
		r = must_open(path);
		len = history_len(recording_history(r));
		assert_true(len >= TICKS - CODEC_GROUP_TICKS);
		snprintf(line, sizeof(line), "%s: 1 damaged place skipped, %u tick%s missing",
			 path, TICKS - len, text_plural(TICKS - len, "s"));
		if (at < ends[TICKS - 1])
			assert_string_equal(recording_problem(r), line);
		else	/* in the end mark, its length included */
			must_say(r, "(150 ticks read)");
		for (u32 i = 0; i < len; i++, k++) {
			s = history_snapshot(recording_history(r), i);
			while (k < TICKS && good[k]->seq < s->seq)
				k++;
			assert_same_snapshot(good[k], s);
			snapshot_put(s);
		}
		recording_close(r);
	}
	for (u32 i = 0; i < TICKS; i++)
		snapshot_put(good[i]);
	gen_end(&g);
}

/* The length of a chunk points beyond the end of the file. */
static void too_long_frame_is_damage(void **state)
{
	const char *path = in_dir("long");
	struct recording *r;
	u64 ends[TICKS];
	char line[200];
	size_t n;

	record(path, 25, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	bytes[ends[50] + 6] ^= 0x80;
	write_whole(path, bytes, n);
	r = must_open(path);
	snprintf(line, sizeof(line), "%s: 1 damaged place skipped, 9 ticks missing", path);
	assert_string_equal(recording_problem(r), line);
	recording_close(r);
}

/* Whole chunks in a wrong order: time goes forward, and chunks without their base are skipped. */
static void repeated_frame_is_damage(void **state)
{
	const char *path = in_dir("twice");
	struct buf_out o = { 0 };
	struct recording *r;
	u64 ends[TICKS];
	size_t n;

	record(path, 26, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	buf_put_bytes(&o, bytes, ends[20]);
	buf_put_bytes(&o, bytes + ends[19], n - ends[19]);
	write_whole(path, o.data, o.n);
	free(o.data);
	r = must_open(path);
	must_say(r, "1 damaged place skipped, 39 ticks missing");
	for (u32 i = 0; i < history_len(recording_history(r)); i++) {
		const struct snapshot *s = history_snapshot(recording_history(r), i);

		assert_non_null(s);
		if (i)
			assert_true(s->seq > history_seq(recording_history(r), i - 1));
		snapshot_put(s);
	}
	recording_close(r);
}

static void pipe_survives_damage(void **state)
{
	const char *path = in_dir("pipeflip");
	struct recording *r;
	u64 ends[TICKS];
	pid_t pid;
	size_t n;

	record(path, 24, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	bytes[ends[30] + 20] ^= 4;
	write_whole(path, bytes, n);
	r = open_pipe(path, 5000, &pid);
	while (!recording_done(r))
		recording_read(r);
	waitpid(pid, NULL, 0);
	must_say(r, "1 damaged place skipped, 29 ticks missing");
	assert_int_equal(history_len(recording_history(r)), TICKS - 29);
	recording_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere_shows_what_is_whole),
		cmocka_unit_test(cut_header_shows_nothing),
		cmocka_unit_test(flipped_bits_cost_a_group_at_most),
		cmocka_unit_test(too_long_frame_is_damage),
		cmocka_unit_test(repeated_frame_is_damage),
		cmocka_unit_test(pipe_survives_damage),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
