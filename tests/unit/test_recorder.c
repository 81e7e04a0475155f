// SPDX-License-Identifier: GPL-2.0-or-later
/* test_recorder.c: writing recordings: never over another kind of file, never half a frame. */
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "recording_file.h"

/* ---- writing ---- */

static void must_not_record(const char *path, const char *why)
{
	char *error = NULL;
	struct recorder *r = recorder_open(path, &session, &error);

	assert_null(r);
	assert_non_null(error);
	if (!strstr(error, why) || strchr(error, '\n'))
		fail_msg("said: %s", error);
	free(error);
}

static void nothing_else_is_overwritten(void **state)
{
	const char *path = in_dir("mine"), *link = in_dir("link");
	struct stat st;

	write_whole(path, "my thesis", 9);
	must_not_record(path, "exists and is not an ottop recording");
	assert_int_equal(read_whole(path, bytes, 100), 9);
	write_whole(path, "", 0);
	must_not_record(path, "exists and is not an ottop recording");
	unlink(path);
	record(path, 1, 3, NULL);
	assert_int_equal(symlink(path, link), 0);
	must_not_record(link, "symbolic link");
	assert_int_equal(symlink(in_dir("dangling"), in_dir("link2")), 0);
	must_not_record(in_dir("link2"), "symbolic link");
	assert_int_not_equal(access(in_dir("dangling"), F_OK), 0);
	must_not_record(dir, "exists and is not");
	must_not_record(in_dir("no/such/dir"), "No such file or directory");
	must_not_record("/dev/full", "exists and is not");
	record(path, 2, 5, NULL);	/* an old recording is replaced */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void sudo_user_owns_the_file(void **state)
{
	const char *path = in_dir("owned");
	struct stat st;

	if (geteuid() != 0)
		skip();
	setenv("SUDO_UID", "1234", 1);
	setenv("SUDO_GID", "2345", 1);
	record(path, 1, 1, NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 2345);
	setenv("SUDO_UID", "12x", 1);
	record(path, 1, 1, NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
}

/* Writes until it fails; the file must end after a whole frame and say why. */
static void record_until_full(const char *path, int expect, const char *say)
{
	struct recording *rec;
	struct recorder *r;
	char *error = NULL;
	int err = 0, n = 0;
	struct stat st;
	struct gen g;

	gen_init(&g, 51, 6);
	r = recorder_open(path, &g.session, &error);
	assert_non_null(r);
	for (; n < 1000 && !err; n++)
		err = recorder_write(r, gen_random(&g));
	assert_int_equal(err, expect);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, recorder_bytes(r));
	assert_int_equal(recorder_write(r, g.prev), expect);	/* and it stays so */
	assert_int_equal(recorder_close(r), expect);
	rec = must_open(path);
	assert_int_equal(history_len(recording_history(rec)), n - 1);
	must_say(rec, say);
	recording_close(rec);
	gen_end(&g);
}

static void file_size_limit_leaves_whole_frames(void **state)
{
	struct rlimit old, lim;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	lim = old;
	lim.rlim_cur = 60000;
	setrlimit(RLIMIT_FSIZE, &lim);
	record_until_full(in_dir("limited"), -EFBIG, "recording stopped early: File too large");
	setrlimit(RLIMIT_FSIZE, &old);
}

static void full_disk_leaves_whole_frames(void **state)
{
	const char *path = in_dir("disk");

	mkdir(path, 0700);
	if (mount("none", path, "tmpfs", 0, "size=128k"))
		skip();
	record_until_full(in_dir("disk/rec"), -ENOSPC, "");
	umount(path);
}

static void closed_pipe_is_an_error(void **state)
{
	int out = dup(1), fds[2], err = 0;
	struct recorder *r;
	char *error = NULL;
	struct gen g;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	dup2(fds[1], 1);
	close(fds[1]);
	gen_init(&g, 3, 6);
	r = recorder_open("-", &g.session, &error);
	dup2(out, 1);
	close(out);
	assert_non_null(r);
	assert_int_equal(recorder_write(r, gen_random(&g)), 0);
	close(fds[0]);
	for (int i = 0; i < 3 && !err; i++)
		err = recorder_write(r, gen_random(&g));
	assert_int_equal(err, -EPIPE);
	assert_int_equal(recorder_close(r), -EPIPE);
	gen_end(&g);
}

/* kill -9 between two ticks loses the end mark only. */
static void killed_writer_loses_nothing_written(void **state)
{
	const char *path = in_dir("killed");
	struct recording *rec;
	pid_t pid = fork();

	if (!pid) {
		char *error = NULL;
		struct gen g;
		struct recorder *r;

		gen_init(&g, 61, 6);
		r = recorder_open(path, &g.session, &error);
		for (u32 i = 0; i < 77; i++)
			recorder_write(r, gen_random(&g));
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	rec = must_open(path);
	assert_int_equal(history_len(recording_history(rec)), 77);
	must_say(rec, "recording has no end mark, its writer was killed (77 ticks read)");
	recording_close(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_else_is_overwritten),
		cmocka_unit_test(sudo_user_owns_the_file),
		cmocka_unit_test(file_size_limit_leaves_whole_frames),
		cmocka_unit_test(full_disk_leaves_whole_frames),
		cmocka_unit_test(closed_pipe_is_an_error),
		cmocka_unit_test(killed_writer_loses_nothing_written),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
