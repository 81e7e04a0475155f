// SPDX-License-Identifier: GPL-2.0-or-later
/* procfs.c: see procfs.h. */
#include <dirent.h>
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

/* The root link of an ended process gives ENOENT (proc_root_link()), as if it did not exist. */
static bool has_ended(u32 tid)
{
	char path[32], to[1];

	snprintf(path, sizeof(path), "/proc/%u/root", tid);
	return readlink(path, to, sizeof(to)) < 0 && errno == ENOENT;
}

u32 procfs_living(u32 pid)
{
	char path[32];
	struct dirent *e;
	u32 tid = pid;
	DIR *d;

	if (!has_ended(pid))
		return pid;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	d = opendir(path);
	while (d && tid == pid && (e = readdir(d)))
		if (e->d_name[0] != '.' && !has_ended((u32)atoi(e->d_name)))
			tid = (u32)atoi(e->d_name);
	if (d)
		closedir(d);
	return tid;
}

static int read_file(u32 pid, const char *file, char *buf, size_t cap)
{
	char path[64];

	snprintf(path, sizeof(path), "%u/%s", pid, file);
	return procfs_read(path, buf, cap);
}

static int read_link(u32 pid, const char *file, char *buf, size_t cap)
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

/* A file, unlike a link, exists as long as the process does, even as a zombie. */
static bool is_gone(int n, int (*read)(u32, const char *, char *, size_t))
{
	return n == -ENOENT && read == read_file;
}

static int by_living(int (*read)(u32, const char *, char *, size_t), u32 pid, const char *file,
		     char *buf, size_t cap)
{
	int n = read(pid, file, buf, cap);
	u32 tid = n > 0 || is_gone(n, read) ? pid : procfs_living(pid);

	return tid == pid ? n : read(tid, file, buf, cap);
}

int procfs_read_pid(u32 pid, const char *file, char *buf, size_t cap)
{
	return by_living(read_file, pid, file, buf, cap);
}

int procfs_link_pid(u32 pid, const char *file, char *buf, size_t cap)
{
	return by_living(read_link, pid, file, buf, cap);
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

u32 procfs_cpus(void)
{
	static u64 looked_ns;
	static u32 n;
	u64 now = boottime_ns();

	if (!n || now - looked_ns >= NSEC_PER_SEC) {
		n = (u32)max(sysconf(_SC_NPROCESSORS_ONLN), 1l);
		looked_ns = now;
	}
	return n;
}
