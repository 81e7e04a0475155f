// SPDX-License-Identifier: GPL-2.0-or-later
/* procfs.c: see procfs.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/host/procfs.h"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO */
#define INITIAL_PID_NS 0xEFFFFFFCu

int procfs_read(const char *path, char *buf, size_t cap)
{
	char full[128];
	size_t n = 0;
	ssize_t got = 0;
	int fd;

	snprintf(full, sizeof(full), "/proc/%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (n < cap - 1 && (got = read(fd, buf + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	got = got < 0 ? -errno : 0;
	close(fd);
	buf[n] = '\0';
	return n || !got ? (int)n : (int)got;
}

/* "ffffffff82400000 D name" */
static bool is_symbol(const char *line, const char *name)
{
	const char *at = strchr(line, ' ');
	size_t len = strlen(name);

	return at && strlen(at) == len + 4 && !strncmp(at + 3, name, len);
}

bool procfs_seek_symbol(struct symbol_search *s, const char *name, u32 lines)
{
	char line[512];
	bool more = false;

	if (!s->f)
		s->f = fopen("/proc/kallsyms", "re");
	while (s->f && lines-- && (more = fgets(line, sizeof(line), s->f)) && !s->addr)
		if (is_symbol(line, name))
			s->addr = strtoull(line, NULL, 16);
	if (more && !s->addr)
		return false;
	procfs_seek_end(s);
	return true;
}

void procfs_seek_end(struct symbol_search *s)
{
	if (s->f)
		fclose(s->f);
	s->f = NULL;
}

int procfs_read_pid(u32 pid, const char *file, char *buf, size_t cap)
{
	char path[64];

	snprintf(path, sizeof(path), "%u/%s", pid, file);
	return procfs_read(path, buf, cap);
}

int procfs_link_pid(u32 pid, const char *file, char *buf, size_t cap)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	n = readlink(path, buf, cap - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return (int)n;
}

u64 procfs_value(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, name, len) && (line[len] == ':' || line[len] == ' '))
			return strtoull(line + len + 1, NULL, 10);
	}
	return UINT64_MAX;
}

bool procfs_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == INITIAL_PID_NS;
}
