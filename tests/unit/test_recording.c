// SPDX-License-Identifier: GPL-2.0-or-later
/* test_recording.c: valid recordings are read back complete; other files are rejected. */
#include "recording_file.h"

/* ---- whole ones ---- */

static void file_round_trips(void **state)
{
	const char *path = in_dir("whole");
	const struct snapshot *s = NULL;
	struct recording *r;
	struct history *h;
	struct gen g;

	record(path, 11, TICKS, NULL);
	r = must_open(path);
	h = recording_history(r);
	assert_null(recording_problem(r));
	assert_true(recording_done(r));
	assert_int_equal(recording_fd(r), -1);
	assert_int_equal(history_len(h), TICKS);
	assert_string_equal(recording_session(r)->host_name, "gen");
	assert_string_equal(recording_session(r)->kernel, "6.1.0");
	assert_int_equal(recording_session(r)->start_ns, 5 * NSEC_PER_SEC);
	assert_true(recording_session(r)->replay);
	gen_init(&g, 11, 6);
	for (u32 i = 0; i < TICKS; i++) {
		snapshot_put(s);
		s = history_snapshot(h, i);
		assert_same_snapshot(gen_random(&g), s);
	}
	for (u32 i = 0; i < 100; i++) {	/* anywhere, backwards too */
		u32 k = gen_rand(&g, TICKS);

		snapshot_put(s);
		s = history_snapshot(h, k);
		assert_non_null(s);
		assert_int_equal(s->seq, history_seq(h, k));
	}
	recording_close(r);
	assert_string_equal(s->session->host_name, "gen");	/* snapshots outlive it */
	snapshot_put(s);
	gen_end(&g);
}

static void pipe_round_trips(void **state)
{
	const char *path = in_dir("pipe");
	struct recording *r;
	struct history *h;
	u32 ticks = 0;
	struct gen g;
	pid_t pid;

	record(path, 12, TICKS, NULL);
	r = open_pipe(path, 997, &pid);
	ticks = history_len(recording_history(r));	/* may have come with the header */
	while (!recording_done(r)) {
		struct pollfd pfd = { .fd = recording_fd(r), .events = POLLIN };
		int n;

		assert_true(pfd.fd >= 0);
		poll(&pfd, 1, 5000);
		n = recording_read(r);
		assert_true(n >= 0);
		ticks += (u32)n;
	}
	waitpid(pid, NULL, 0);
	assert_null(recording_problem(r));
	h = recording_history(r);
	assert_int_equal(ticks, TICKS);
	assert_int_equal(history_len(h), TICKS);
	gen_init(&g, 12, 6);
	for (u32 i = 0; i < TICKS; i++) {
		const struct snapshot *s = history_snapshot(h, i);

		assert_same_snapshot(gen_random(&g), s);
		snapshot_put(s);
	}
	recording_close(r);
	gen_end(&g);
}

static void dash_is_standard_output_and_input(void **state)
{
	int out = dup(1), in = dup(0), fd;
	const char *path = in_dir("dash");
	struct recording *r;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fflush(stdout);
	dup2(fd, 1);
	record("-", 13, 70, NULL);
	dup2(out, 1);
	lseek(fd, 0, SEEK_SET);
	dup2(fd, 0);
	r = must_open("-");
	while (!recording_done(r))
		assert_true(recording_read(r) >= 0);
	assert_int_equal(history_len(recording_history(r)), 70);
	assert_null(recording_problem(r));
	recording_close(r);
	dup2(in, 0);
	close(in);
	close(out);
	close(fd);
}

/* ---- what is none ---- */

static void strangers_are_refused(void **state)
{
	const char *path = in_dir("stranger");
	u8 head[REC_PREAMBLE] = REC_MAGIC "\x02";

	write_whole(path, "hello, world", 12);
	must_refuse(path, "not an ottop recording");
	write_whole(path, head, sizeof(head));
	must_refuse(path, "recording format 2, this ottop reads 1; update ottop");
	must_refuse(in_dir("nothing-there"), "No such file");
	must_refuse(dir, "is a directory");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	must_refuse(in_dir("fifo"), "is a pipe");
	must_refuse("/dev/null", "not a regular file");
	record(path, 1, 2, NULL);
	read_whole(path, bytes, 4096);
	bytes[REC_PREAMBLE + CHUNK_HEAD + 3] ^= 1;
	write_whole(path, bytes, 4096);
	must_refuse(path, "header of the recording is damaged");
	if (geteuid() != 0) {
		chmod(path, 0);
		must_refuse(path, "Permission denied");
	}
}

static void recording_without_ticks_says_so(void **state)
{
	const char *path = in_dir("noticks");
	struct recording *r;

	record(path, 1, 0, NULL);
	r = must_open(path);
	assert_int_equal(history_len(recording_history(r)), 0);
	must_say(r, "no ticks");
	recording_close(r);
}

/* A chunk type of the future is passed over. */
static void unknown_frames_are_skipped(void **state)
{
	const char *path = in_dir("future");
	struct buf_out o = { 0 };
	struct recording *r;
	u64 ends[10];
	size_t n;

	record(path, 31, 10, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	buf_put_bytes(&o, bytes, ends[4]);
	buf_put_u32(&o, CHUNK_TYPE('z'));
	buf_put_u32(&o, 5);
	buf_put_u32(&o, chunk_crc(CHUNK_TYPE('z'), (const u8 *)"names", 5));
	buf_put_bytes(&o, "names", 5);
	buf_put_bytes(&o, bytes + ends[4], n - ends[4]);
	write_whole(path, o.data, o.n);
	free(o.data);
	r = must_open(path);
	assert_null(recording_problem(r));
	assert_int_equal(history_len(recording_history(r)), 10);
	recording_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_round_trips),
		cmocka_unit_test(pipe_round_trips),
		cmocka_unit_test(dash_is_standard_output_and_input),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(recording_without_ticks_says_so),
		cmocka_unit_test(unknown_frames_are_skipped),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
