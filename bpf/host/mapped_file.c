// SPDX-License-Identifier: GPL-2.0-or-later
/* mapped_file.c: see mapped_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/helpers/opener.h"
#include "bpf/host/mapped_file.h"
#include "bpf/host/procfs.h"

/* From /proc/PID/maps, if map_files/ is not accessible. Its inode number; 0: not found. */
static u64 find_path(u32 pid, u64 start, char *ret, size_t cap)
{
	char *line = NULL, name[64];
	size_t cap_line = 0;
	u64 found = 0, ino;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/maps", pid);
	f = fopen(name, "re");
	while (f && !found && getline(&line, &cap_line, f) > 0) {
		char *path = strchr(line, '/');

		if (!path || strtoull(line, NULL, 16) != start ||
		    sscanf(line, "%*s %*s %*s %*s %" SCNu64, &ino) != 1)
			continue;
		path[strcspn(path, "\n")] = '\0';
		found = (size_t)snprintf(ret, cap, "%s", path) < cap ? ino : 0;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

int mapped_file_open(u32 pid, u64 start, u64 end, char *path, size_t cap)
{
	char name[96];
	ssize_t n;
	u64 ino;

	pid = procfs_living(pid);
	snprintf(name, sizeof(name), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
	n = readlink(name, path, cap - 1);
	if (n > 0) {
		int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		path[n] = '\0';
		if (fd >= 0)
			return fd;
	}
	/* any other error is of the file itself, and its path may lead anywhere by now */
	if (errno != EPERM)
		return -errno;
	ino = find_path(pid, start, path, cap);
	return ino ? opener_mapped(pid, path, ino) : -ENOENT;
}
