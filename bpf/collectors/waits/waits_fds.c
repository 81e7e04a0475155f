// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * waits_fds.c: descriptors, sets and paths, by the links of /proc/PID/fd: no file system may hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/procfs.h"
#include "bpf/host/syscall_id.h"

#define LINK_MAX_BYTES 4096
#define SET_MAX 256		/* members of an epoll or poll set that are examined */
#define FDINFO_MAX (64 << 10)

enum what { W_PIPE, W_SOCKET, W_EPOLL, W_EVENT, W_TIMER, W_SIGNAL, W_INOTIFY, W_PROCESS, W_RING,
	    W_TTY, W_FILE, W_FANOTIFY, W_OTHER, N_WHAT };

static const struct {
	const char *link;	/* how the link begins */
	const char *one, *many;
} whats[N_WHAT] = {
	[W_PIPE] = { "pipe:[", "pipe", "pipes" },
	[W_SOCKET] = { "socket:[", "socket", "sockets" },
	[W_EPOLL] = { "anon_inode:[eventpoll]", "epoll", "epolls" },
	[W_EVENT] = { "anon_inode:[eventfd", "eventfd", "eventfds" },
	[W_TIMER] = { "anon_inode:[timerfd]", "timer", "timers" },
	[W_SIGNAL] = { "anon_inode:[signalfd]", "signalfd", "signalfds" },
	[W_INOTIFY] = { "anon_inode:inotify", "inotify", "inotifies" },
	[W_PROCESS] = { "anon_inode:[pidfd]", "process", "processes" },
	[W_RING] = { "anon_inode:[io_uring]", "io_uring", "io_urings" },
	[W_TTY] = { "/dev/", "tty", "ttys" },
	[W_FILE] = { "/", "file", "files" },
	[W_FANOTIFY] = { "anon_inode:[fanotify]", "fanotify", "fanotifies" },
	[W_OTHER] = { "", "other", "others" },
};

static bool is_master(const char *link)
{
	return !strcmp(link, "/dev/ptmx") || !strcmp(link, "/dev/pts/ptmx");
}

static bool is_tty(const char *link)
{
	return is_master(link) || !strncmp(link, "/dev/pts/", 9) || !strncmp(link, "/dev/tty", 8) ||
	       !strcmp(link, "/dev/console");
}

static enum what what_is(const char *link)
{
	for (int w = 0; w < W_OTHER; w++)
		if (!strncmp(link, whats[w].link, strlen(whats[w].link)) && (w != W_TTY || is_tty(link)))
			return w;
	return W_OTHER;
}

/* ---- one descriptor ---- */

static int read_fdinfo(const struct wait_question *q, u32 fd, char *buf, size_t cap)
{
	char file[32];

	snprintf(file, sizeof(file), "fdinfo/%u", fd);
	return task_read(q, file, buf, cap);
}

/* The text behind "NAME:" of fdinfo, or NULL. */
static const char *info_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? at + strlen(name) + strspn(at + strlen(name), " \t") : NULL;
}

static void add_timer(const struct wait_question *q, u32 fd, struct wait_answer *a)
{
	char buf[1024];
	const char *left;
	unsigned long long s, ns;

	answer_add(a->text, "timer");
	if (read_fdinfo(q, fd, buf, sizeof(buf)) < 0)
		return;
	left = info_of(buf, "it_value:");
	if (!left || sscanf(left, "(%llu, %llu)", &s, &ns) != 2)
		return;
	if (s || ns)
		a->until_ns = kernel_ns(CLOCK_MONOTONIC) + s * NSEC_PER_SEC + ns;
	else
		answer_add(a->text, " (not set)");
}

static void add_signals(const struct wait_question *q, u32 fd, struct wait_answer *a)
{
	char buf[1024];
	const char *mask;
	u64 bits;
	u32 n = 0;

	answer_add(a->text, "signalfd");
	mask = read_fdinfo(q, fd, buf, sizeof(buf)) < 0 ? NULL : info_of(buf, "sigmask:");
	bits = mask ? strtoull(mask, NULL, 16) : 0;
	for (int sig = 1; sig <= 31; sig++)
		if (bits >> (sig - 1) & 1)
			answer_add(a->text, "%sSIG%s", n++ ? ", " : ": ", sigabbrev_np(sig));
}

static void add_process(const struct wait_question *q, u32 fd, struct wait_answer *a)
{
	char buf[1024];
	u64 pid = UINT64_MAX;

	if (read_fdinfo(q, fd, buf, sizeof(buf)) >= 0)
		pid = procfs_value(buf, "Pid");
	if (pid == UINT64_MAX || !pid || pid > UINT32_MAX) {
		answer_add(a->text, "process ? (its pidfd does not say)");
		return;
	}
	a->peer_pid = (u32)pid;
	answer_add(a->text, "process %c%u%c", PERSON_PID, (u32)pid, PERSON_PID);
}

/* A path: no thread sleeps interruptibly (S) on a regular file, so it may be a FIFO. */
static void add_path(const struct wait_question *q, u32 fd, const char *link, struct wait_answer *a)
{
	char buf[1024];

	answer_add_foreign(a->text, link);
	if (q->state != 'S' || is_tty(link) || read_fdinfo(q, fd, buf, sizeof(buf)) < 0)
		return;
	a->end.ino = procfs_value(buf, "ino");
	if (a->end.ino == UINT64_MAX)
		a->end.ino = 0;
	a->end.maybe_fifo = true;
}

/* drivers/tty/pty.c: the fdinfo of the master has the number of the slave. */
static void add_tty(const struct wait_question *q, u32 fd, const char *link, struct wait_answer *a)
{
	char buf[1024];
	u64 n = UINT64_MAX;

	answer_add(a->text, "tty ");
	if (is_master(link) && read_fdinfo(q, fd, buf, sizeof(buf)) >= 0)
		n = procfs_value(buf, "tty-index");
	if (n == UINT64_MAX)
		answer_add_foreign(a->text, link);
	else
		answer_add(a->text, "/dev/pts/%llu (its master)", (unsigned long long)n);
}

static void add_fd(const struct wait_question *q, u32 fd, const char *link, struct wait_answer *a)
{
	enum what w = what_is(link);

	switch (w) {
	case W_PIPE:
	case W_SOCKET:	/* the name follows when the other end is found */
		a->end.ino = strtoull(link + strlen(whats[w].link), NULL, 10);
		answer_add(a->text, "%s", whats[w].one);
		break;
	case W_TIMER:
		add_timer(q, fd, a);
		break;
	case W_SIGNAL:
		add_signals(q, fd, a);
		break;
	case W_PROCESS:
		add_process(q, fd, a);
		break;
	case W_TTY:
		add_tty(q, fd, link, a);
		break;
	case W_FILE:
		add_path(q, fd, link, a);
		break;
	case W_EPOLL:
		epoll_answer(q, fd, a);
		break;
	case W_OTHER:
		answer_add_foreign(a->text, link);
		break;
	default:
		answer_add(a->text, "%s", whats[w].one);
	}
}

void fd_answer(const struct wait_question *q, u32 fd, bool outward, struct wait_answer *a)
{
	char link[LINK_MAX_BYTES];
	int n = task_fd_link(q, fd, link, sizeof(link));

	answer_add(a->text, "fd %d: ", (int)fd);
	a->end.outward = outward;
	a->end.fd = fd;
	if (n < 0)
		answer_add(a->text, "? (%s)", n == -ENOENT ? "closed meanwhile" : strerror(-n));
	else
		add_fd(q, fd, link, a);
}

/* ---- sets ---- */

struct set {
	u32 n[N_WHAT], all, first;
};

static void set_add(const struct wait_question *q, struct set *s, u32 fd)
{
	char link[LINK_MAX_BYTES];

	if (!s->all++)
		s->first = fd;
	if (s->all > SET_MAX)
		return;
	if (task_fd_link(q, fd, link, sizeof(link)) < 0)
		s->n[W_OTHER]++;
	else
		s->n[what_is(link)]++;
}

/* "epoll: 3 sockets, 1 timer" */
static void set_text(const struct set *s, const char *name, struct wait_answer *a)
{
	u32 n = 0;

	answer_add(a->text, "%s: ", name);
	for (int w = 0; w < N_WHAT; w++)
		if (s->n[w])
			answer_add(a->text, "%s%u %s", n++ ? ", " : "", s->n[w],
				   s->n[w] == 1 ? whats[w].one : whats[w].many);
	if (!s->all)
		answer_add(a->text, "of nothing");
	if (s->all > SET_MAX)
		answer_add(a->text, ", %u more", s->all - SET_MAX);
}

/* fs/eventpoll.c, ep_show_fdinfo(): "tfd: FD events: ..." for each member. */
void epoll_answer(const struct wait_question *q, u32 fd, struct wait_answer *a)
{
	char *buf = xmalloc(FDINFO_MAX);
	int n = read_fdinfo(q, fd, buf, FDINFO_MAX);
	struct set s = {};

	if (n < 0)
		answer_add(a->text, "epoll: ? (%s)", strerror(-n));
	for (const char *at = buf; n >= 0 && (at = strstr(at, "tfd:")); at += 4)
		set_add(q, &s, (u32)strtoul(at + 4, NULL, 10));
	if (n >= 0)
		set_text(&s, "epoll", a);
	free(buf);
}

static bool set_or_one(const struct wait_question *q, const struct set *s, const char *name,
		       bool outward, struct wait_answer *a)
{
	if (s->all == 1)
		fd_answer(q, s->first, outward, a);
	else if (s->all)
		set_text(s, name, a);
	return s->all;
}

bool poll_answer(const struct wait_question *q, u64 addr, u64 n, struct wait_answer *a)
{
	struct pollfd fds[SET_MAX];
	struct set s = {};
	u32 known = (u32)min(n, (u64)SET_MAX);
	int err = n ? task_memory_read(q, addr, fds, known * sizeof(*fds)) : 0;

	if (err) {
		answer_add(a->text, "poll: ? (its memory: %s)", strerror(-err));
		return true;
	}
	for (u32 i = 0; i < known; i++)
		if (fds[i].fd >= 0)
			set_add(q, &s, (u32)fds[i].fd);
	set_or_one(q, &s, "poll", known && fds[0].events == POLLOUT, a);
	if (n > SET_MAX)
		answer_add(a->text, ", %llu more", (unsigned long long)n - SET_MAX);
	return s.all || n > SET_MAX;
}

bool select_answer(const struct wait_question *q, u64 n, const u64 *sets, struct wait_answer *a)
{
	u8 bits[3][FD_SETSIZE / 8] = {};
	struct set s = {};
	u32 fds = (u32)min(n, (u64)FD_SETSIZE);
	int err = 0;

	for (int i = 0; i < 3 && fds; i++)
		if (sets[i] && !err)
			err = task_memory_read(q, sets[i], bits[i], (fds + 63) / 64 * 8);
	if (err) {
		answer_add(a->text, "select: ? (its memory: %s)", strerror(-err));
		return true;
	}
	for (u32 fd = 0; fd < fds; fd++)
		if ((bits[0][fd / 8] | bits[1][fd / 8] | bits[2][fd / 8]) >> fd % 8 & 1)
			set_add(q, &s, fd);
	return set_or_one(q, &s, "select", s.all && bits[1][s.first / 8] >> s.first % 8 & 1, a);
}

/* ---- paths ---- */

/* The text at addr, up to its NUL, in pieces that end with a page. */
static bool read_string(const struct wait_question *q, u64 addr, char *buf, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap) {
		size_t part = min(cap - 1 - n, (size_t)(4096 - (addr + n) % 4096));

		if (task_memory_read(q, addr + n, buf + n, part))
			return false;
		if (memchr(buf + n, 0, part))
			return true;
		n += part;
	}
	buf[n] = '\0';
	return true;
}

void path_answer(const struct wait_question *q, u64 addr, u64 flags, struct wait_answer *a)
{
	char path[ANSWER_MAX];
	/* fs/pipe.c, fifo_open(): opening a FIFO waits until its other end is opened, too */
	bool fifo = task_sleeps_in(q, "wait_for_partner");

	if (fifo)
		answer_add(a->text, "fifo ");
	if (read_string(q, addr, path, sizeof(path)))
		answer_add_foreign(a->text, path);
	else
		answer_add(a->text, "? (its path cannot be read)");
	if (fifo && flags != UINT64_MAX)
		answer_add(a->text, (flags & O_ACCMODE) == O_WRONLY ? " (no reader)" : " (no writer)");
	else if (!fifo && !path_outside_answer(q, a) && q->state == 'D')
		answer_add(a->text, " (its file system)");
}

/* ---- time ---- */

/* A timespec has 32-bit members in 32-bit programs, except for calls named "..._time64". */
static int read_time(const struct wait_question *q, u64 addr, struct timespec *ts)
{
	s32 half[2];
	int err;

	if (CALL_ABI(q->call) != ABI_COMPAT || strstr(q->name, "time64"))
		return task_memory_read(q, addr, ts, sizeof(*ts));
	err = task_memory_read(q, addr, half, sizeof(half));
	if (!err)
		*ts = (struct timespec){ .tv_sec = half[0], .tv_nsec = half[1] };
	return err;
}

void sleep_answer(const struct wait_question *q, u64 addr, bool absolute, u64 clock,
		  struct wait_answer *a)
{
	struct timespec ts;
	u64 ns, now;

	answer_add(a->text, "time");
	if (read_time(q, addr, &ts) ||
	    ts.tv_sec < 0 || ts.tv_sec > 1ll << 33 || (u64)ts.tv_nsec >= NSEC_PER_SEC)
		return;
	ns = (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
	a->until_ns = q->entered_ns + ns;
	if (!absolute)
		return;
	now = kernel_ns(clock == CLOCK_REALTIME || clock == CLOCK_TAI ? CLOCK_REALTIME :
		       clock == CLOCK_BOOTTIME ? CLOCK_BOOTTIME : CLOCK_MONOTONIC);
	a->until_ns = kernel_ns(CLOCK_MONOTONIC) + (ns > now ? ns - now : 0);
}

void sleep_ms_answer(const struct wait_question *q, int ms, struct wait_answer *a)
{
	if (ms < 0) {
		answer_add(a->text, "a signal");
		return;
	}
	answer_add(a->text, "time");
	a->until_ns = q->entered_ns + (u64)ms * NSEC_PER_MSEC;
}
