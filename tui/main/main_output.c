// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main_output.c: standard output for headless runs. A reader that stopped reading (less, a stuck
 * pipe) must not make ottop ignore SIGTERM, and stdio restarts interrupted writes: so each write
 * waits in poll() first.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/main/main.h"

#define BUFFER_BYTES 65536
#define ATOMIC_BYTES 4096	/* PIPE_BUF: guaranteed by POLLOUT on a pipe */
#define GRACE_MS 1000		/* to finish the line after a signal */

struct output {
	int fd, wake_fd;
	bool file, socket;	/* file: never blocks; socket: has MSG_DONTWAIT */
	int error;		/* errno of the fatal error */
};

/* Waits until writable; false: a signal arrived and the reader does not read. */
static bool wait_writable(const struct output *o)
{
	struct pollfd fds[] = {
		{ .fd = o->fd, .events = POLLOUT },
		{ .fd = o->wake_fd, .events = POLLIN },
	};

	while (!fds[0].revents && !fds[1].revents)
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return true;	/* write() will return the error */
	if (!fds[0].revents)
		poll(fds, 1, GRACE_MS);
	return fds[0].revents;
}

static ssize_t write_some(const struct output *o, const char *data, size_t n)
{
	if (o->file)
		return write(o->fd, data, n);
	if (o->socket)
		return send(o->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(o->fd, data, min(n, (size_t)ATOMIC_BYTES));
}

/* A cookie_write_function_t: writes everything, or returns 0 on error. */
static ssize_t output_write(void *cookie, const char *data, size_t n)
{
	struct output *o = cookie;
	size_t done = 0;

	while (!o->error && done < n) {
		ssize_t k;

		if (!o->file && !wait_writable(o)) {
			o->error = EINTR;
			break;
		}
		k = write_some(o, data + done, n - done);
		if (k < 0 && errno != EINTR && errno != EAGAIN)
			o->error = errno;
		done += k > 0 ? (size_t)k : 0;
	}
	errno = o->error;
	return o->error ? 0 : (ssize_t)n;
}

static int output_close(void *cookie)
{
	free(cookie);
	return 0;
}

FILE *output_open(int fd, int wake_fd)
{
	struct output *o = xcalloc(1, sizeof(*o));
	cookie_io_functions_t io = { .write = output_write, .close = output_close };
	struct stat st;
	FILE *f;

	o->fd = fd;
	o->wake_fd = wake_fd;
	o->file = !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
	o->socket = S_ISSOCK(st.st_mode);
	f = fopencookie(o, "w", io);
	if (f)
		setvbuf(f, NULL, _IOFBF, BUFFER_BYTES);
	else
		free(o);
	return f;
}
