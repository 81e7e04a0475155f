// SPDX-License-Identifier: GPL-2.0-or-later
/* test_recording.c: written, read, cut, damaged, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/frame.h"
#include "bpf/history.h"
#include "gen.h"
#include "same.h"

#define TICKS 150

static char dir[64];
static struct session session;

static const char *in_dir(const char *name)
{
	static char paths[16][160];
	static u32 next;
	char *p = paths[next++ % 16];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/ottop-rec-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int rc = system(cmd);

	free(cmd);
	return rc;
}

/* Records n random ticks of a seed. Returns the offsets where frames end, if wanted. */
static void record(const char *path, u64 seed, u32 n, u64 *ret_ends)
{
	char *error = NULL;
	struct recorder *r;
	struct gen g;

	gen_init(&g, seed, 6);
	session = g.session;
	r = recorder_open(path, &session, &error);
	if (!r)
		fail_msg("%s", error);
	for (u32 i = 0; i < n; i++) {
		assert_int_equal(recorder_write(r, gen_random(&g)), 0);
		if (ret_ends)
			ret_ends[i] = recorder_bytes(r);
	}
	assert_int_equal(recorder_close(r), 0);
	gen_end(&g);
}

static struct recording *must_open(const char *path)
{
	char *error = NULL;
	struct recording *r = recording_open(path, &error);

	if (!r)
		fail_msg("%s", error);
	return r;
}

/* Opening must fail with this in the one line. */
static void must_refuse(const char *path, const char *why)
{
	char *error = NULL;
	struct recording *r = recording_open(path, &error);

	assert_null(r);
	assert_non_null(error);
	if (!strstr(error, why) || strchr(error, '\n'))
		fail_msg("said: %s", error);
	assert_non_null(strstr(error, strrchr(path, '/')));
	free(error);
}

static void must_say(const struct recording *r, const char *what)
{
	const char *problem = recording_problem(r);

	if (!problem || !strstr(problem, what))
		fail_msg("said: %s", problem ? problem : "nothing");
}

static size_t read_whole(const char *path, u8 *buf, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, cap);

	close(fd);
	return (size_t)n;
}

static void write_whole(const char *path, const void *buf, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, buf, n), n);
	close(fd);
}

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

/* A writer on the other side of a pipe, a few bytes at a time. */
static void write_slowly(const char *path, int fd, size_t most)
{
	static u8 buf[4 << 20];
	size_t n = read_whole(path, buf, sizeof(buf));

	for (size_t at = 0; at < n; at += most)
		if (write(fd, buf + at, min(most, n - at)) < 0)
			_exit(1);
	_exit(0);
}

static struct recording *open_pipe(const char *path, size_t most, pid_t *ret_pid)
{
	char *error = NULL;
	struct recording *r;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	*ret_pid = fork();
	if (!*ret_pid) {
		close(fds[0]);
		write_slowly(path, fds[1], most);
	}
	close(fds[1]);
	r = recording_open_fd(fds[0], "pipe", true, &error);
	if (!r)
		fail_msg("%s", error);
	return r;
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

/* ---- cut and damaged ones ---- */

static u8 bytes[8 << 20];

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
		snprintf(line, sizeof(line), "ends in the middle of a frame at byte %llu "
			 "(%u ticks read)", (unsigned long long)ends[whole - 1], whole);
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

/* Flips a bit at every some place: never wrong data, and the loss is named. */
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
		snprintf(line, sizeof(line), "%s: 1 damaged place skipped, %u ticks missing",
			 path, TICKS - len);
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

/* The length of a frame points beyond the end of the file. */
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

/* Whole frames in a wrong order: time goes forward, and what builds on them is left out. */
static void repeated_frame_is_damage(void **state)
{
	const char *path = in_dir("twice");
	struct wire_out o = { 0 };
	struct recording *r;
	u64 ends[TICKS];
	size_t n;

	record(path, 26, TICKS, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	wire_put_bytes(&o, bytes, ends[20]);
	wire_put_bytes(&o, bytes + ends[19], n - ends[19]);
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
	bytes[REC_PREAMBLE + FRAME_HEAD + 3] ^= 1;
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

/* A frame type of the future is passed over. */
static void unknown_frames_are_skipped(void **state)
{
	const char *path = in_dir("future");
	struct wire_out o = { 0 };
	struct recording *r;
	u64 ends[10];
	size_t n;

	record(path, 31, 10, ends);
	n = read_whole(path, bytes, sizeof(bytes));
	wire_put_bytes(&o, bytes, ends[4]);
	wire_put_u32(&o, FRAME_TYPE('z'));
	wire_put_u32(&o, 5);
	wire_put_u32(&o, frame_crc(FRAME_TYPE('z'), (const u8 *)"names", 5));
	wire_put_bytes(&o, "names", 5);
	wire_put_bytes(&o, bytes + ends[4], n - ends[4]);
	write_whole(path, o.data, o.n);
	free(o.data);
	r = must_open(path);
	assert_null(recording_problem(r));
	assert_int_equal(history_len(recording_history(r)), 10);
	recording_close(r);
}

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
		cmocka_unit_test(file_round_trips),
		cmocka_unit_test(pipe_round_trips),
		cmocka_unit_test(dash_is_standard_output_and_input),
		cmocka_unit_test(cut_anywhere_shows_what_is_whole),
		cmocka_unit_test(cut_header_shows_nothing),
		cmocka_unit_test(flipped_bits_cost_a_group_at_most),
		cmocka_unit_test(too_long_frame_is_damage),
		cmocka_unit_test(repeated_frame_is_damage),
		cmocka_unit_test(pipe_survives_damage),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(recording_without_ticks_says_so),
		cmocka_unit_test(unknown_frames_are_skipped),
		cmocka_unit_test(nothing_else_is_overwritten),
		cmocka_unit_test(sudo_user_owns_the_file),
		cmocka_unit_test(file_size_limit_leaves_whole_frames),
		cmocka_unit_test(full_disk_leaves_whole_frames),
		cmocka_unit_test(closed_pipe_is_an_error),
		cmocka_unit_test(killed_writer_loses_nothing_written),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
