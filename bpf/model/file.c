// SPDX-License-Identifier: GPL-2.0-or-later
/* file.c: what is done to files in more than one place. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/model/base.h"

int file_close(int fd)
{
	if (fd >= 0)
		close(fd);
	return -1;
}

bool file_write_all(int fd, const void *data, size_t n)
{
	const u8 *p = data;

	while (n) {
		ssize_t k = write(fd, p, n);
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };

		if (k < 0 && errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (k < 0 && errno != EINTR)
			return false;
		p += max(k, (ssize_t)0);
		n -= (size_t)max(k, (ssize_t)0);
	}
	return true;
}

static u32 sudo_id(const char *name)
{
	const char *s = getenv(name);
	char *end;
	unsigned long v = s ? strtoul(s, &end, 10) : 0;

	return s && *s >= '0' && *s <= '9' && !*end && v < UINT32_MAX ? (u32)v : UINT32_MAX;
}

void file_give_away(int fd, const char *path)
{
	u32 uid = sudo_id("SUDO_UID"), gid = sudo_id("SUDO_GID");

	if (geteuid() == 0 && uid != UINT32_MAX && fchown(fd, uid, gid))
		log_line("%s: cannot be given to user %u: %s", path, uid, strerror(errno));
}
