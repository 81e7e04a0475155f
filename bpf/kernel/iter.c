// SPDX-License-Identifier: GPL-2.0-or-later
/* iter.c: see iter.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/kernel/iter.h"

#define READ_BUF (64 << 10)

int iter_run(const struct bpf_link *link, size_t (*take)(const char *buf, size_t n, void *arg), void *arg)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err;
	size_t have = 0, used;
	ssize_t got;
	char *buf;

	if (fd < 0)
		return -errno;
	buf = xmalloc(READ_BUF);
	while ((got = read(fd, buf + have, READ_BUF - have)) > 0) {
		have += (size_t)got;
		used = take(buf, have, arg);
		have -= used;
		memmove(buf, buf + used, have);
	}
	err = got < 0 ? -errno : 0;
	free(buf);
	close(fd);
	return err;
}
