/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording_file.h: recordings of made-up ticks in a folder of their own, for the
 * tests of reading (whole, damaged) and of writing. make_dir() and remove_dir()
 * are the group's set-up and its end.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/record/record_format.h"
#include "bpf/record/history.h"
#include "gen.h"
#include "same.h"

#define TICKS 150

static char dir[64];
static struct session session;
static u8 bytes[8 << 20];

static inline const char *in_dir(const char *name)
{
	static char paths[16][160];
	static u32 next;
	char *p = paths[next++ % 16];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static inline int make_dir(void **state)
{
	strcpy(dir, "/tmp/ottop-rec-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int rc = system(cmd);

	free(cmd);
	return rc;
}

/* Records n random ticks of a seed. Returns the offsets where frames end, if wanted. */
static inline void record(const char *path, u64 seed, u32 n, u64 *ret_ends)
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

static inline struct recording *must_open(const char *path)
{
	char *error = NULL;
	struct recording *r = recording_open(path, &error);

	if (!r)
		fail_msg("%s", error);
	return r;
}

/* Opening must fail with this in the one line. */
static inline void must_refuse(const char *path, const char *why)
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

static inline void must_say(const struct recording *r, const char *what)
{
	const char *problem = recording_problem(r);

	if (!problem || !strstr(problem, what))
		fail_msg("said: %s", problem ? problem : "nothing");
}

static inline size_t read_whole(const char *path, u8 *buf, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, cap);

	close(fd);
	return (size_t)n;
}

static inline void write_whole(const char *path, const void *buf, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, buf, n), n);
	close(fd);
}

/* A writer on the other side of a pipe, a few bytes at a time. */
static inline void write_slowly(const char *path, int fd, size_t most)
{
	static u8 buf[4 << 20];
	size_t n = read_whole(path, buf, sizeof(buf));

	for (size_t at = 0; at < n; at += most)
		if (write(fd, buf + at, min(most, n - at)) < 0)
			_exit(1);
	_exit(0);
}

static inline struct recording *open_pipe(const char *path, size_t most, pid_t *ret_pid)
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
