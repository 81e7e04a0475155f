// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_locks.c: file locks, from /proc/locks: each lock is followed by its waiters, marked with "->". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/procfs.h"

#define LOCKS_MAX (4 << 20)	/* only pages read into it take memory */
#define FDINFO_MAX (64 << 10)

/* fs/locks.c, lock_get_status(): "1: -> FLOCK  ADVISORY  WRITE 611 fe:00:1234 0 EOF". */
struct lock_line {
	int pid;	/* -1: held by an open file description */
	bool waits;
	char inode[64];
	const char *text;	/* the line from its kind on: equal to that in the holder's fdinfo */
};

static bool parse_line(const char *line, struct lock_line *l)
{
	char arrow[4] = "", rest[200];
	int at = 0;

	l->text = NULL;
	if (sscanf(line, "%*u: %n", &at) == EOF || !at)
		return false;
	l->waits = sscanf(line + at, " %3s", arrow) == 1 && !strcmp(arrow, "->");
	l->text = l->waits ? strstr(line + at, "->") + 2 : line + at;
	snprintf(rest, sizeof(rest), "%.*s", (int)strcspn(l->text, "\n"), l->text);
	return sscanf(rest, " %*s %*s %*s %d %63s", &l->pid, l->inode) == 2;
}

int locks_holder(const char *text, u32 pid, u64 ino, int *ret_pid, char *ret_lock, size_t cap)
{
	struct lock_line l, held = { .pid = -1 };

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *colon;

		line += *line == '\n';
		if (!parse_line(line, &l)) {
			held = (struct lock_line){ .pid = -1 };	/* waiters below do not wait for the lock before */
			continue;
		}
		if (!l.waits) {
			held = l;
			continue;
		}
		colon = strrchr(l.inode, ':');
		if (!colon || (l.pid != (int)pid && l.pid != -1))
			continue;
		/* waiters for OFD and flock locks have no reliable pid: matched by file alone */
		if (ino == UINT64_MAX ? l.pid == (int)pid : strtoull(colon + 1, NULL, 10) == ino) {
			*ret_pid = held.pid;
			snprintf(ret_lock, cap, "%.*s", held.text ? (int)strcspn(held.text, "\n") : 0,
				 held.text ?: "");
			return 0;
		}
	}
	return -ENOENT;
}

/* fs/proc/fd.c, seq_show(): "lock:" and the line of /proc/locks for each lock that is held by the open file. */
bool locks_held_by(u32 pid, u32 fd, const char *lock)
{
	char file[32], *buf = xmalloc(FDINFO_MAX), *at;
	bool is_its = false;

	snprintf(file, sizeof(file), "fdinfo/%u", fd);
	if (procfs_read_pid(pid, file, buf, FDINFO_MAX) < 0)
		*buf = '\0';
	for (at = buf; !is_its && (at = strstr(at, "\nlock:")); at++) {
		const char *text = strstr(at, ": ");
		size_t n = text ? strcspn(text, "\n") : 0;

		is_its = n == strlen(lock) + 2 && !strncmp(text + 2, lock, n - 2);
	}
	free(buf);
	return is_its;
}

u64 task_fd_inode(const struct wait_question *q, u32 fd)
{
	char file[32], buf[2048];

	snprintf(file, sizeof(file), "fdinfo/%u", fd);
	return task_read(q, file, buf, sizeof(buf)) < 0 ? UINT64_MAX : procfs_value(buf, "ino");
}

void locks_answer(const struct wait_question *q, u64 ino, struct wait_answer *a)
{
	char *text = xmalloc(LOCKS_MAX);
	int holder = -1, n = procfs_read("locks", text, LOCKS_MAX);

	if (n < 0)
		answer_add(a->text, " held by ? (/proc/locks: %s)", strerror(-n));
	else if (locks_holder(text, q->pid, ino, &holder, a->end.lock, sizeof(a->end.lock)))
		answer_add(a->text, n < LOCKS_MAX - 1 ? " held by ? (not in /proc/locks)" :
			   " held by ? (/proc/locks is too long)");
	else if (holder <= 0) {	/* an open file description: its processes are found by inode */
		const char *colon = strrchr(a->end.lock, ':');

		a->end.ino = colon ? strtoull(colon + 1, NULL, 10) : 0;
		if (!a->end.ino)
			answer_add(a->text, " held by ? (a lock of an open file)");
	} else {
		a->end.lock[0] = '\0';
		a->holder = true;
		a->peer_pid = (u32)holder;
		answer_add(a->text, " held by %c%d%c", PERSON_PID, holder, PERSON_PID);
	}
	free(text);
}

void lock_answer(const struct wait_question *q, u32 fd, struct wait_answer *a)
{
	char path[4096];

	answer_add(a->text, "lock on ");
	if (task_fd_link(q, fd, path, sizeof(path)) >= 0)
		answer_add_foreign(a->text, path);
	else
		answer_add(a->text, "fd %u", fd);
	locks_answer(q, task_fd_inode(q, fd), a);
}
