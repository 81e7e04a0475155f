// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * opener_work.c: see opener.h. Paths are resolved within the process's root (openat2(2),
 * RESOLVE_IN_ROOT); devices are only opened with O_PATH: no side effects.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bpf/helpers/opener.h"

#define NS_PER_CLOCK_TICK 10000000ull	/* USER_HZ is 100 on both machines */

/* ---- the process ---- */

static ssize_t read_at(int dir, const char *name, char *buf, size_t cap)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, cap - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* /proc/PID of exactly this process, or a living thread's if the main thread has ended; -errno. */
static int open_process(u32 pid, u64 start_ns)
{
	char name[32], stat[1024], *p;
	u64 ticks;
	int dir;

	snprintf(name, sizeof(name), "/proc/%u", pid);
	dir = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	p = read_at(dir, "stat", stat, sizeof(stat)) > 0 ? strrchr(stat, ')') : NULL;
	/* the 20th field after the name: starttime; proc(5) */
	for (int i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	ticks = p ? strtoull(p, NULL, 10) : 0;
	if (!p || ticks != (start_ns + (u64)clock_ahead_ns(CLOCK_BOOTTIME)) / NS_PER_CLOCK_TICK) {
		close(dir);
		return -ESRCH;
	}
	return dir;
}

/* Its pid in its own pid namespace, and its user; from /proc/PID/status. */
static bool read_status(int dir, u32 *ret_pid, u32 *ret_uid, u32 *ret_euid)
{
	char text[8192], *line, *last;

	if (read_at(dir, "status", text, sizeof(text)) <= 0)
		return false;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line, "\nUid: %u %u", ret_uid, ret_euid) != 2)
		return false;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last && sscanf(last, "%u", ret_pid) == 1;
}

static int root_of(int dir, const struct opener_job *job)
{
	char name[32] = "root";
	int fd;

	if (job->thread && job->thread != job->pid)
		snprintf(name, sizeof(name), "task/%u/root", job->thread);
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_root(const struct opener_job *job, u32 *ret_euid)
{
	int dir = open_process(job->pid, job->start_ns), root = -ESRCH;
	u32 own_pid, uid;

	if (dir < 0)
		return dir;
	if (read_status(dir, &own_pid, &uid, ret_euid))
		root = root_of(dir, job);
	close(dir);
	return root;
}

/* The owner of the process controls what we, who may read everything, open for it. */
static bool may_read(u32 euid, const struct stat *st)
{
	return !euid || st->st_uid == euid || st->st_mode & S_IROTH;
}

/* The regular file of that name below root, open for reading; follow: its last part may be a link. */
static int open_below(int root, const char *path, bool follow, struct stat *st)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int at = (int)syscall(SYS_openat2, root, path, &how, sizeof(how)), fd;
	char name[32];

	if (at < 0)
		return -errno;
	if (fstat(at, st) || !S_ISREG(st->st_mode)) {
		close(at);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", at);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	fd = fd < 0 ? -errno : fd;
	close(at);
	return fd;
}

/* ---- debug files ---- */

/* Folder of a path as /proc/PID/maps has it ("/usr/bin/x (deleted)"), with the slash. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return path[0] == '/' && slash ? (int)(slash - path) + 1 : 0;
}

#define DWZ_FOLDER "/.dwz/"

/* The path comes from the (untrusted) file: only paths below the debug directory are accepted. */
static bool sup_place(const struct opener_job *job, u32 place, char *buf, size_t cap)
{
	const char *name = strstr(job->link, DWZ_FOLDER);
	int n;

	if (place < 2) {
		if (!name || strstr(name, "/../"))
			return false;
		n = snprintf(buf, cap, "/usr/lib/debug%s", name);
	} else {
		if (strlen(job->build_id) < 4)
			return false;
		n = snprintf(buf, cap, "/usr/lib/debug/.build-id/%.2s/%s.debug", job->build_id,
			     job->build_id + 2);
	}
	return n > 0 && (size_t)n < cap;
}

bool opener_debug_place(const struct opener_job *job, u32 place, char *buf, size_t cap, bool *ret_own)
{
	int folder = folder_length(job->path), n = 0;

	*ret_own = job->kind == OPEN_SUP ? place % 2 : place == 1;
	if (job->kind == OPEN_SUP)
		return place < SUP_PLACES && sup_place(job, place, buf, cap);
	switch (place) {
	case 0:
	case 1:
		if (strlen(job->build_id) < 4)
			return false;
		n = snprintf(buf, cap, "/usr/lib/debug/.build-id/%.2s/%s.debug", job->build_id,
			     job->build_id + 2);
		break;
	case 2:
	case 3:
	case 4:
		/* it comes from the file: a name, no path */
		if (!job->link[0] || strchr(job->link, '/') || job->link[0] == '.' || !folder)
			return false;
		n = snprintf(buf, cap, "%s%.*s%s%s", place == 4 ? "/usr/lib/debug" : "", folder,
			     job->path, place == 3 ? ".debug/" : "", job->link);
		break;
	default:
		return false;
	}
	return n > 0 && (size_t)n < cap;
}

static int open_debug(struct opener_job *job)
{
	int root = -ESRCH, own, fd = -ENOENT;
	u32 euid = 0;
	u32 places = job->kind == OPEN_DEBUG ? DEBUG_PLACES : SUP_PLACES;
	char path[1024];
	struct stat st;
	bool in_own;

	if (job->pid)
		root = open_root(job, &euid);
	own = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (; fd < 0 && job->from < places; job->from++) {
		if (!opener_debug_place(job, job->from, path, sizeof(path), &in_own))
			continue;
		/* the process may have ended: its build-id is as good in our own root */
		if ((in_own ? own : root) >= 0)
			fd = open_below(in_own ? own : root, path, true, &st);
		if (fd >= 0 && !in_own && !may_read(euid, &st)) {
			close(fd);
			fd = -EPERM;
		}
	}
	file_close(root);
	file_close(own);
	return fd;
}

/* ---- perf maps ---- */

/* Only trusted if owned by the process's user or root: anyone may create files in /tmp. */
static int open_perf_map(const struct opener_job *job)
{
	int dir = open_process(job->pid, job->start_ns), root, fd;
	u32 pid, uid, euid;
	char path[64];
	struct stat st;

	if (dir < 0)
		return -ESRCH;
	root = read_status(dir, &pid, &uid, &euid) ? root_of(dir, job) : -ESRCH;
	close(dir);
	if (root < 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	fd = open_below(root, path, false, &st);
	close(root);
	if (fd >= 0 && ((st.st_uid != uid && st.st_uid != euid && st.st_uid != 0) ||
			!(st.st_uid == uid || may_read(euid, &st)))) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* ---- mapped files ---- */

int opener_mapped(u32 pid, const char *path, u64 ino)
{
	char name[32];
	struct stat st;
	int root, fd;

	snprintf(name, sizeof(name), "/proc/%u/root", pid);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = open_below(root, path, true, &st);
	close(root);
	if (fd >= 0 && st.st_ino != ino) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* ---- stacks ---- */

#define PAGE 4096u		/* or a part of one */
#define STACK_PARTS 32

/* How many bytes of memory are readable from that address on. */
static u32 read_memory(u32 tid, u64 addr, u8 *to, u32 bytes)
{
	struct iovec local = { to, bytes }, remote[STACK_PARTS];
	u32 n = 0;
	ssize_t got;

	/* in pieces: one that cannot be read whole is not read at all */
	while (bytes && n < STACK_PARTS) {
		u32 part = min(PAGE - (u32)(addr % PAGE), bytes);

		remote[n++] = (struct iovec){ (void *)(uintptr_t)addr, part };
		addr += part;
		bytes -= part;
	}
	got = process_vm_readv((pid_t)tid, &local, 1, remote, n, 0);
	return got > 0 ? (u32)got : 0;
}

static int read_stack(struct opener_job *job)
{
	u32 wanted = job->bytes;

	job->stack = xmalloc(wanted);
	job->bytes = read_memory(job->pid, job->addr - job->below, job->stack, wanted);
	if (job->bytes)
		job->addr -= job->below;
	else	/* nothing is below */
		job->bytes = read_memory(job->pid, job->addr, job->stack, wanted);
	if (job->bytes)
		return 0;
	free(job->stack);
	job->stack = NULL;
	return -EFAULT;
}

void opener_work(struct opener_job *job)
{
	switch (job->kind) {
	case OPEN_DEBUG:
	case OPEN_SUP:
		job->fd = open_debug(job);
		break;
	case OPEN_PERF_MAP:
		job->fd = open_perf_map(job);
		break;
	case READ_STACK:
		job->fd = read_stack(job);
		break;
	case READ_HOTSPOT:
		job->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		job->code = hotspot_read(job->pid, job->addr, &job->layout);
		job->fd = job->code ? 0 : -errno;
		job->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - job->cpu_ns;
		break;
	}
}
