// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ottop without a screen, as a child process on recordings made here: stdout, stderr and the exit
 * status.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/json.h"
#include "tests/unit/patience.h"
#include "tui/main/main.h"

#define TABLES (TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_self))

static struct session session = { .host_name = "shop-web-03", .boot_id = "b007" };
static char dir[] = "/tmp/ottop-test-XXXXXX";
static char out_path[64], err_path[64], rec_path[64];

/* Tick 1 has no interval yet, as the first one of a live session. */
static const struct snapshot *make_tick(u64 seq)
{
	struct builder *b = builder_new(NULL, &session);
	enum table_status status = seq > 1 ? TS_OK : TS_STARTING;
	struct processes_row *p;

	builder_time(b, seq, seq * NSEC_PER_SEC, 1700000000 * (s64)NSEC_PER_SEC,
		     seq > 1 ? NSEC_PER_SEC : 0);
	((struct host_row *)builder_row(b, TABLE_host))->cpu_pct = (float)seq / 3;
	builder_status(b, TABLE_host, status, NULL, NSEC_PER_SEC);
	for (u64 pid = 1; pid <= 300; pid++) {
		p = builder_row(b, TABLE_processes);
		p->pid = pid;
		p->start_time_ns = pid;
		p->comm = str_new("w\x1b[31m\xff");
		p->cpu_pct = (float)(pid * seq % 97);
	}
	builder_status(b, TABLE_processes, status, NULL, NSEC_PER_SEC);
	builder_row(b, TABLE_self);
	builder_status(b, TABLE_self, status, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

/* Records ticks 1..n and returns what --json says of them; free() it. */
static char *record(u64 n)
{
	char *error = NULL, *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct recorder *r = recorder_open(rec_path, &session, &error);
	struct json_writer *w = json_writer_new(f, TABLES);

	assert_non_null(r);
	for (u64 seq = 1; seq <= n; seq++) {
		const struct snapshot *s = make_tick(seq);

		assert_int_equal(recorder_write(r, s), 0);
		if (seq > 1)
			assert_int_equal(json_writer_write(w, s), 0);
		snapshot_put(s);
	}
	assert_int_equal(recorder_close(r), 0);
	json_writer_free(w);
	fclose(f);
	return text;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 4 << 20);
	size_t n = fread(text, 1, (4 << 20) - 1, f);

	text[n] = '\0';
	fclose(f);
	return text;
}

/* The child: options, then the way main() goes without a terminal. */
static void run_child(char **argv, int argc, int in, int out, int err)
{
	struct options o;
	char *error;
	int status;

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	/* there is no exec: our ends of the pipes would keep them open */
	close_range(STDERR_FILENO + 1, ~0u, 0);
	alarm(PATIENCE_S);	/* a hang is a failure, not a wait */
	signal(SIGPIPE, SIG_IGN);
	error = options_parse(&o, argc, argv);
	if (error)
		main_say("%s", error);
	status = error ? 2 : main_headless(&o);
	free(error);
	options_free(&o);
	exit(main_close_stdout(status));
}

static pid_t start(const char *line, int in, int out)
{
	static char copy[512];
	char *argv[16] = { "ottop" }, *rest = copy, *word;
	int argc = 1, err = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", line);
	while (argc < 15 && (word = strsep(&rest, " ")))
		argv[argc++] = word;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_child(argv, argc, in, out, err);
	close(err);
	return pid;
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs with stdin and stdout as files; returns the exit status. */
static int run(const char *line, const char *in_path)
{
	int in = open(in_path, O_RDONLY);
	int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int status = wait_for(start(line, in, out));

	close(in);
	close(out);
	return status;
}

static void expect_file(const char *path, const char *want)
{
	char *text = slurp(path);

	assert_string_equal(text, want);
	free(text);
}

/* stderr is one line, and says `part`. */
static void expect_error(const char *part)
{
	char *text = slurp(err_path);

	assert_int_equal(strncmp(text, "ottop: ", 7), 0);
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
	free(text);
}

static const char *replay(const char *rest)
{
	static char line[256];

	snprintf(line, sizeof(line), "--replay %s%s", rec_path, rest);
	return line;
}

static void a_replay_writes_the_lines_of_the_live_run(void **state)
{
	char *want = record(5);

	assert_int_equal(run(replay(" --json"), "/dev/null"), 0);
	expect_file(out_path, want);
	expect_file(err_path, "");
	assert_int_equal(run("--replay - --json", rec_path), 0);
	expect_file(out_path, want);
	free(want);
}

static void n_counts_intervals(void **state)
{
	char *want = record(5);

	strchr(strchr(want, '\n') + 1, '\n')[1] = '\0';
	assert_int_equal(run(replay(" --json -n 2"), "/dev/null"), 0);
	expect_file(out_path, want);
	free(want);
}

static void a_recording_that_comes_slowly(void **state)
{
	int in[2], out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char *want = record(3), *bytes;
	struct stat st;
	pid_t pid;
	int fd;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	pid = start("--replay - --json", in[0], out);
	close(in[0]);
	fd = open(rec_path, O_RDONLY);
	fstat(fd, &st);
	bytes = xmalloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	for (off_t at = 0; at < st.st_size; at += 701) {
		size_t n = (size_t)min(st.st_size - at, (off_t)701);

		assert_int_equal(write(in[1], bytes + at, n), n);
		usleep(1000);
	}
	close(in[1]);
	assert_int_equal(wait_for(pid), 0);
	expect_file(out_path, want);
	close(out);
	free(bytes);
	free(want);
}

static void text_without_an_option(void **state)
{
	char *text;

	free(record(3));
	assert_int_equal(run(replay(""), "/dev/null"), 0);
	text = slurp(out_path);
	assert_ptr_equal(strstr(text, "# processes 2023-11-14T22:13:22Z interval=1s rows=300 "),
			 text);
	assert_non_null(strstr(text, "\n# processes 2023-11-14T22:13:23Z "));
	for (char *p = text; *p; p++)
		assert_true(*p == '\n' || (u8)*p >= 0x20);
	free(text);
}

/* | head -1 */
static void a_reader_that_leaves_is_no_failure(void **state)
{
	char buf[100];
	int out[2];
	pid_t pid;

	free(record(40));
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = start(replay(" --json"), STDIN_FILENO, out[1]);
	close(out[1]);
	assert_int_equal(read(out[0], buf, sizeof(buf)), sizeof(buf));
	close(out[0]);
	assert_int_equal(wait_for(pid), 0);
	expect_file(err_path, "");
}

static void a_full_disk_is_said_once(void **state)
{
	int full = open("/dev/full", O_WRONLY);

	free(record(3));
	assert_int_equal(wait_for(start(replay(" --json"), STDIN_FILENO, full)), 1);
	expect_error("stdout: No space left on device");
	assert_int_equal(wait_for(start(replay(" -b"), STDIN_FILENO, full)), 1);
	expect_error("No space left on device");
	close(full);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void a_signal_ends_it_with_whole_lines(void **state)
{
	int in[2], out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), fd;
	char *want = record(3), *bytes = xmalloc(1 << 20);
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	pid = start("--replay - --json", in[0], out);
	fd = open(rec_path, O_RDONLY);
	n = read(fd, bytes, 1 << 20) - 1;	/* the end mark does not come */
	close(fd);
	assert_int_equal(write(in[1], bytes, (size_t)n), n);
	wait_until(size_of(out_path) >= (off_t)strlen(want));
	kill(pid, SIGTERM);
	assert_int_equal(wait_for(pid), 0);
	expect_file(out_path, want);
	close(in[0]);
	close(in[1]);
	close(out);
	free(bytes);
	free(want);
}

/* | less, which shows the first page: SIGTERM must end it all the same. */
static void a_reader_that_sleeps_does_not_stop_a_signal(void **state)
{
	struct pollfd room = { .events = POLLOUT };
	int out[2];
	pid_t pid;

	free(record(40));
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = start(replay(" --json"), STDIN_FILENO, out[1]);
	room.fd = out[1];
	wait_until(poll(&room, 1, 0) == 0);	/* full: it has begun to write, and hangs there */
	close(out[1]);
	kill(pid, SIGTERM);
	assert_int_equal(wait_for(pid), 1);
	expect_error("nobody reads it");
	close(out[0]);
}

static void what_cannot_be_replayed(void **state)
{
	assert_int_equal(run("--replay /nonexistent --json", "/dev/null"), 1);
	expect_error("/nonexistent");
	assert_int_equal(run("--replay /etc/passwd --json", "/dev/null"), 1);
	expect_error("not an ottop recording");
	assert_int_equal(run("--replay - --json", "/dev/null"), 1);
	expect_error("empty");
	expect_file(out_path, "");
}

static void of_a_cut_recording_what_is_whole_is_shown(void **state)
{
	char *want = record(5), *text;
	struct stat st;

	stat(rec_path, &st);
	assert_int_equal(truncate(rec_path, st.st_size - 60), 0);
	assert_int_equal(run(replay(" --json"), "/dev/null"), 1);
	text = slurp(out_path);
	assert_true(*text && text[strlen(text) - 1] == '\n');
	assert_int_equal(strncmp(want, text, strlen(text)), 0);
	expect_error("recording ends in the middle");
	free(text);
	free(want);
}

static void a_process_that_does_not_exist(void **state)
{
	assert_int_equal(run("-p 4194303 --json", "/dev/null"), 1);
	expect_error("-p 4194303: no such process");
}

static void a_cgroup_that_does_not_exist(void **state)
{
	assert_int_equal(run("--cgroup system.slice --json", "/dev/null"), 1);
	expect_error("--cgroup system.slice: not a path");
	if (access("/sys/fs/cgroup", F_OK))
		skip();
	assert_int_equal(run("--cgroup /no/such/ottop --json -n 1", "/dev/null"), 1);
	expect_error("--cgroup /no/such/ottop: no such cgroup");
}

static void usage_is_status_2(void **state)
{
	assert_int_equal(run("--jsno", "/dev/null"), 2);
	expect_error("did you mean --json?");
}

/* Through the exporter, as main_headless() and the console do it. */
static struct record_sink *record_by_sink(u64 n, char **ret_report)
{
	struct exporter *e = exporter_start(64, 1 << 30);
	char *error = NULL;
	struct record_sink *r = record_sink_open(rec_path, &session, &error);

	assert_non_null(r);
	assert_int_equal(exporter_add(e, &r->sink), 0);
	for (u64 seq = 1; seq <= n; seq++) {
		const struct snapshot *s = make_tick(seq);

		exporter_push(e, s);
		snapshot_put(s);
	}
	exporter_stop(e);
	*ret_report = record_sink_report(r);
	return r;
}

static void a_sink_records(void **state)
{
	char *want = record(4), *report;
	struct record_sink *r = record_by_sink(4, &report);

	assert_non_null(strstr(report, "recorded 4 intervals to /tmp/ottop-test-"));
	assert_int_equal(run(replay(" --json"), "/dev/null"), 0);
	expect_file(out_path, want);
	record_sink_free(r);
	free(report);
	free(want);
}

/* Like a full disk: no file may grow beyond 7 kB. */
static void a_recording_that_does_not_fit_says_so(void **state)
{
	struct rlimit before, small;
	struct record_sink *r;
	char *report;

	free(record(1));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){ 7000, before.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	r = record_by_sink(30, &report);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(r->sink.error, -EFBIG);
	assert_true(r->sink.written > 0 && r->sink.written < 30);
	assert_non_null(strstr(report, "File too large"));
	record_sink_free(r);
	free(report);
	/* and what is there can be shown */
	assert_int_equal(run(replay(" --json"), "/dev/null"), 1);
	expect_error("File too large");
}

static void no_recording_over_something_else(void **state)
{
	char *error = NULL;

	assert_int_equal(run("-b --replay /etc/passwd", "/dev/null"), 1);
	assert_null(record_sink_open(out_path, &session, &error));
	assert_non_null(strstr(error, "not overwritten"));
	free(error);
}

static int make_dir(void **state)
{
	assert_non_null(mkdtemp(dir));
	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	snprintf(err_path, sizeof(err_path), "%s/err", dir);
	snprintf(rec_path, sizeof(rec_path), "%s/rec.otr", dir);
	return 0;
}

static int drop_dir(void **state)
{
	unlink(out_path);
	unlink(err_path);
	unlink(rec_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replay_writes_the_lines_of_the_live_run),
		cmocka_unit_test(n_counts_intervals),
		cmocka_unit_test(a_recording_that_comes_slowly),
		cmocka_unit_test(text_without_an_option),
		cmocka_unit_test(a_reader_that_leaves_is_no_failure),
		cmocka_unit_test(a_full_disk_is_said_once),
		cmocka_unit_test(a_signal_ends_it_with_whole_lines),
		cmocka_unit_test(a_reader_that_sleeps_does_not_stop_a_signal),
		cmocka_unit_test(what_cannot_be_replayed),
		cmocka_unit_test(of_a_cut_recording_what_is_whole_is_shown),
		cmocka_unit_test(a_process_that_does_not_exist),
		cmocka_unit_test(a_cgroup_that_does_not_exist),
		cmocka_unit_test(usage_is_status_2),
		cmocka_unit_test(a_sink_records),
		cmocka_unit_test(a_recording_that_does_not_fit_says_so),
		cmocka_unit_test(no_recording_over_something_else),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
