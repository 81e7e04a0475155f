// SPDX-License-Identifier: GPL-2.0-or-later
/* typeahead.c: keys go through our own pipe, filled as far as keys are pending. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tui/term/typeahead.h"

#define PIPE_BYTES (1 << 20)
#define PAGES_SHARE 4		/* short writes waste parts of the pipe's pages */
#define SEQUENCE_MS 25		/* between the bytes of one key, over a slow line */
#define CTRL_C 3
#define ESCAPE 27

int typeahead_open(struct typeahead *t, int in_fd)
{
	int fds[2], size;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);	/* on failure the size stays unchanged */
	size = fcntl(fds[1], F_GETPIPE_SZ);
	*t = (struct typeahead){
		.in_fd = in_fd, .from = fds[0], .to = fds[1], .room = (size_t)max(size, 0) / PAGES_SHARE,
	};
	return 0;
}

void typeahead_close(struct typeahead *t)
{
	close(t->to);
	close(t->from);
}

/* Whether these bytes end within an escape sequence. */
static bool is_cut(const char *bytes, size_t n)
{
	const char *end = bytes + n, *p = memrchr(bytes, ESCAPE, n);

	if (!p)
		return false;
	if (++p == end)
		return true;
	if (*p == ']')		/* an answer: ends with BEL or another escape */
		return !memchr(p, '\a', (size_t)(end - p));
	if (*p != '[')
		return *p == 'O' && p + 1 == end;
	for (p++; p < end && *p >= ' ' && *p < '@'; p++)
		;
	return p == end;
}

static bool is_readable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0 && (p.revents & POLLIN);
}

static size_t waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) < 0 ? 0 : (size_t)max(n, 0);
}

bool typeahead_take(struct typeahead *t)
{
	char bytes[4096];
	int wait_ms = 0;

	while (!t->ended && waiting(t->from) + sizeof(bytes) <= t->room && is_readable(t->in_fd, wait_ms)) {
		ssize_t n = read(t->in_fd, bytes, sizeof(bytes));

		if (n <= 0 || write(t->to, bytes, (size_t)n) != n)
			break;
		t->ended = memchr(bytes, CTRL_C, (size_t)n) != NULL;
		wait_ms = is_cut(bytes, (size_t)n) ? SEQUENCE_MS : 0;
	}
	return !t->ended;
}
