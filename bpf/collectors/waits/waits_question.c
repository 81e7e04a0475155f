// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_question.c: from a call and its arguments to the kind of thing it waits on. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/procfs.h"
#include "bpf/host/syscall_id.h"

void answer_add(char *text, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, ANSWER_MAX - n, fmt, ap);
	va_end(ap);
}

void answer_add_foreign(char *text, const char *s)
{
	size_t n = strlen(text);

	for (; *s && n + 1 < ANSWER_MAX; s++)
		text[n++] = *s == PERSON_NAME || *s == PERSON_PID ? '?' : *s;
	text[n] = '\0';
}

int task_read(const struct wait_question *q, const char *file, char *buf, size_t cap)
{
	char path[96];

	snprintf(path, sizeof(path), "%u/task/%u/%s", q->pid, q->tid, file);
	return procfs_read(path, buf, cap);
}

int task_fd_link(const struct wait_question *q, u32 fd, char *buf, size_t cap)
{
	char file[64];

	snprintf(file, sizeof(file), "task/%u/fd/%u", q->tid, fd);
	return procfs_link_pid(q->pid, file, buf, cap);
}

bool task_sleeps_in(const struct wait_question *q, const char *function)
{
	char buf[64];

	/* compilers add suffixes: seccomp_do_user_notification.isra.0 */
	return task_read(q, "wchan", buf, sizeof(buf)) > 0 && !strncmp(buf, function, strlen(function));
}

int task_memory_read(const struct wait_question *q, u64 addr, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)(uintptr_t)addr, n };
	ssize_t got = process_vm_readv((pid_t)q->tid, &local, 1, &remote, 1, 0);

	return got < 0 ? -errno : (size_t)got == n ? 0 : -EFAULT;
}

/* ---- by name of the call ---- */

enum kind { FD_IN, FD_OUT, PATH, EPOLL, POLL, SELECT, FUTEX, FLOCK, FCNTL, SLEEP, CLOCK_SLEEP, CHILD,
	    WAITID, VFORK, CLONE, SIGNALS, SEMAPHORE, QUEUE, RING, SPLICE, POSIX_QUEUE, FUTEXES,
	    CONNECT };

/* `arg`: which argument is the descriptor or the address. */
static const struct rule {
	const char *call;
	enum kind kind;
	u8 arg;
} rules[] = {
	{ "read", FD_IN, 0 }, { "readv", FD_IN, 0 }, { "pread64", FD_IN, 0 }, { "preadv", FD_IN, 0 },
	{ "preadv2", FD_IN, 0 }, { "recvfrom", FD_IN, 0 }, { "recv", FD_IN, 0 },
	{ "recvmsg", FD_IN, 0 }, { "recvmmsg", FD_IN, 0 }, { "recvmmsg_time64", FD_IN, 0 },
	{ "accept", FD_IN, 0 }, { "accept4", FD_IN, 0 }, { "splice", SPLICE, 2 }, { "tee", SPLICE, 1 },
	{ "getdents", FD_IN, 0 }, { "getdents64", FD_IN, 0 }, { "mq_timedreceive", POSIX_QUEUE, 0 },
	{ "fstat", FD_IN, 0 }, { "readahead", FD_IN, 0 }, { "lseek", FD_IN, 0 }, { "ioctl", FD_IN, 0 },
	{ "write", FD_OUT, 0 }, { "writev", FD_OUT, 0 }, { "pwrite64", FD_OUT, 0 },
	{ "pwritev", FD_OUT, 0 }, { "pwritev2", FD_OUT, 0 }, { "sendto", FD_OUT, 0 },
	{ "send", FD_OUT, 0 }, { "sendmsg", FD_OUT, 0 }, { "sendmmsg", FD_OUT, 0 },
	{ "sendfile", FD_OUT, 0 }, { "sendfile64", FD_OUT, 0 }, { "vmsplice", FD_OUT, 0 },
	{ "connect", CONNECT, 0 }, { "fsync", FD_OUT, 0 }, { "fdatasync", FD_OUT, 0 },
	{ "syncfs", FD_OUT, 0 }, { "sync_file_range", FD_OUT, 0 }, { "ftruncate", FD_OUT, 0 },
	{ "fallocate", FD_OUT, 0 }, { "copy_file_range", FD_OUT, 2 }, { "close", FD_OUT, 0 },
	{ "mq_timedsend", POSIX_QUEUE, 0 }, { "mq_timedreceive_time64", POSIX_QUEUE, 0 },
	{ "mq_timedsend_time64", POSIX_QUEUE, 0 },
	{ "open", PATH, 0 }, { "creat", PATH, 0 }, { "openat", PATH, 1 }, { "openat2", PATH, 1 },
	{ "stat", PATH, 0 }, { "lstat", PATH, 0 }, { "stat64", PATH, 0 }, { "lstat64", PATH, 0 },
	{ "newfstatat", PATH, 1 }, { "fstatat64", PATH, 1 }, { "statx", PATH, 1 },
	{ "statfs", PATH, 0 }, { "access", PATH, 0 }, { "faccessat", PATH, 1 },
	{ "faccessat2", PATH, 1 }, { "readlink", PATH, 0 }, { "readlinkat", PATH, 1 },
	{ "unlink", PATH, 0 }, { "unlinkat", PATH, 1 }, { "mkdir", PATH, 0 }, { "mkdirat", PATH, 1 },
	{ "rmdir", PATH, 0 }, { "rename", PATH, 0 }, { "renameat", PATH, 1 },
	{ "renameat2", PATH, 1 }, { "truncate", PATH, 0 }, { "chdir", PATH, 0 },
	{ "execve", PATH, 0 }, { "umount2", PATH, 0 }, { "chown", PATH, 0 }, { "chmod", PATH, 0 },
	{ "epoll_wait", EPOLL, 0 }, { "epoll_pwait", EPOLL, 0 }, { "epoll_pwait2", EPOLL, 0 },
	{ "poll", POLL, 0 }, { "ppoll", POLL, 0 }, { "ppoll_time64", POLL, 0 },
	{ "select", SELECT, 0 }, { "_newselect", SELECT, 0 }, { "pselect6", SELECT, 0 },
	{ "pselect6_time64", SELECT, 0 },
	{ "futex", FUTEX, 0 }, { "futex_time64", FUTEX, 0 }, { "futex_waitv", FUTEXES, 0 },
	{ "flock", FLOCK, 0 }, { "fcntl", FCNTL, 0 }, { "fcntl64", FCNTL, 0 },
	{ "nanosleep", SLEEP, 0 }, { "clock_nanosleep", CLOCK_SLEEP, 2 },
	{ "clock_nanosleep_time64", CLOCK_SLEEP, 2 },
	{ "wait4", CHILD, 0 }, { "waitpid", CHILD, 0 }, { "waitid", WAITID, 0 },
	{ "vfork", VFORK, 0 }, { "clone", CLONE, 0 }, { "clone3", CLONE, 0 },
	{ "pause", SIGNALS, 0 }, { "rt_sigsuspend", SIGNALS, 0 }, { "sigsuspend", SIGNALS, 0 },
	{ "rt_sigtimedwait", SIGNALS, 0 }, { "rt_sigtimedwait_time64", SIGNALS, 0 },
	{ "semop", SEMAPHORE, 0 }, { "semtimedop", SEMAPHORE, 0 },
	{ "semtimedop_time64", SEMAPHORE, 0 },
	{ "msgrcv", QUEUE, 0 }, { "msgsnd", QUEUE, 0 },
	{ "io_uring_enter", RING, 0 },
};

static const struct rule *find_rule(const char *call)
{
	for (u32 i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].call, call))
			return &rules[i];
	return NULL;
}

static void fcntl_answer(const struct wait_question *q, struct wait_answer *a)
{
	/* F_SETLKW, F_SETLKW64 of 32 bits, F_OFD_SETLKW */
	if (q->args[1] == 7 || q->args[1] == 14 || q->args[1] == 38)
		lock_answer(q, (u32)q->args[0], a);
	else
		fd_answer(q, (u32)q->args[0], false, a);
}

static void wait4_answer(const struct wait_question *q, struct wait_answer *a)
{
	int pid = (int)q->args[0];

	a->children = pid > 0 ? CHILDREN_ONE : CHILDREN_ANY;
	a->child = (u32)pid;
}

static void waitid_answer(const struct wait_question *q, struct wait_answer *a)
{
	if (q->args[0] == P_PIDFD) {
		fd_answer(q, (u32)q->args[1], false, a);
		return;
	}
	a->children = q->args[0] == P_PID ? CHILDREN_ONE : CHILDREN_ANY;
	a->child = (u32)q->args[1];
}

/* clone3(2) has its flags in memory; both block only with CLONE_VFORK. */
static void clone_answer(const struct wait_question *q, struct wait_answer *a)
{
	u64 flags = q->args[0];

	if (!strcmp(q->name, "clone3") && task_memory_read(q, q->args[0], &flags, sizeof(flags)))
		flags = 0;
	if (flags & CLONE_VFORK)
		a->children = CHILDREN_VFORK;
	else
		answer_add(a->text, "memory of the new process");
}

static void queue_answer(const struct wait_question *q, struct wait_answer *a)
{
	answer_add(a->text, "message queue %d (%s)", (int)q->args[0],
		   !strcmp(q->name, "msgrcv") ? "no message for it" : "full");
}

static void semaphore_answer(const struct wait_question *q, struct wait_answer *a)
{
	struct { u16 num; s16 op, flg; } op;

	if (q->args[2] == 1 && !task_memory_read(q, q->args[1], &op, sizeof(op)))
		answer_add(a->text, "semaphore %u of set %d%s", op.num, (int)q->args[0],
			   op.op ? "" : " to become 0");
	else
		answer_add(a->text, "semaphore set %d", (int)q->args[0]);
}

static void posix_queue_answer(const struct wait_question *q, struct wait_answer *a)
{
	char name[4096];

	answer_add(a->text, "fd %d: message queue ", (int)q->args[0]);
	if (task_fd_link(q, (u32)q->args[0], name, sizeof(name)) >= 0)
		answer_add_foreign(a->text, name);
	answer_add(a->text, strncmp(q->name, "mq_timedr", 9) ? " (full)" : " (empty)");
}

/* fs/splice.c: one end is a pipe; if it does not sleep in the pipe, it waits for the other end. */
static void splice_answer(const struct wait_question *q, u32 out, struct wait_answer *a)
{
	char link[64];
	u32 in = (u32)q->args[0];
	bool from_pipe = task_fd_link(q, in, link, sizeof(link)) >= 0 && !strncmp(link, "pipe:", 5);

	if (task_sleeps_in(q, "pipe_wait_writable") || (from_pipe && !task_sleeps_in(q, "pipe_wait_readable")))
		fd_answer(q, out, true, a);
	else
		fd_answer(q, in, false, a);
}

static void select_rule(const struct wait_question *q, struct wait_answer *a)
{
	struct timeval tv;

	if (select_answer(q, q->args[0], &q->args[1], a))
		return;
	if (!q->args[4])
		answer_add(a->text, "a signal");
	else if (!strncmp(q->name, "pselect", 7))
		sleep_answer(q, q->args[4], false, CLOCK_MONOTONIC, a);
	else if (CALL_ABI(q->call) == ABI_NATIVE && !task_memory_read(q, q->args[4], &tv, sizeof(tv)) &&
		 tv.tv_sec >= 0 && tv.tv_sec < INT32_MAX / 1000)
		sleep_ms_answer(q, (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000), a);
	else
		answer_add(a->text, "time");
}

static void poll_rule(const struct wait_question *q, struct wait_answer *a)
{
	if (poll_answer(q, q->args[0], q->args[1], a))
		return;
	if (!strcmp(q->name, "poll"))
		sleep_ms_answer(q, (int)q->args[2], a);
	else if (q->args[2])
		sleep_answer(q, q->args[2], false, CLOCK_MONOTONIC, a);
	else
		answer_add(a->text, "a signal");
}

/* unix(7): connect() waits while the listener's backlog is full. */
static void connect_answer(const struct wait_question *q, struct wait_answer *a)
{
	struct sockaddr_un to = {};
	size_t n = min((size_t)q->args[2], sizeof(to));

	if (q->given || n <= offsetof(struct sockaddr_un, sun_path) || task_memory_read(q, q->args[1], &to, n) ||
	    to.sun_family != AF_UNIX) {
		fd_answer(q, (u32)q->args[0], true, a);
		return;
	}
	if (!to.sun_path[0])
		to.sun_path[0] = '@';
	answer_add(a->text, "fd %d: unix socket ", (int)q->args[0]);
	answer_add_foreign(a->text, strndupa(to.sun_path, sizeof(to.sun_path)));
	answer_add(a->text, " (who listens there accepts nobody)");
}

static void fd_rule(const struct wait_question *q, const struct rule *r, struct wait_answer *a)
{
	fd_answer(q, (u32)q->args[r->arg], r->kind == FD_OUT, a);
}

static u64 open_flags(const struct wait_question *q, const struct rule *r)
{
	u64 flags = 0;

	if (!strcmp(q->name, "openat2"))
		return task_memory_read(q, q->args[2], &flags, sizeof(flags)) ? UINT64_MAX : flags;
	return strncmp(q->name, "open", 4) ? UINT64_MAX : q->args[r->arg + 1];
}

static void clock_sleep_answer(const struct wait_question *q, struct wait_answer *a)
{
	sleep_answer(q, q->args[2], q->args[1] & TIMER_ABSTIME, q->args[0], a);
}

static void answer_rule(const struct wait_question *q, const struct rule *r, struct wait_answer *a)
{
	switch (r->kind) {
	case FD_IN:
	case FD_OUT:
		fd_rule(q, r, a);
		break;
	case PATH:
		path_answer(q, q->args[r->arg], open_flags(q, r), a);
		break;
	case EPOLL:
		epoll_answer(q, (u32)q->args[0], a);
		break;
	case POLL:
		poll_rule(q, a);
		break;
	case SELECT:
		select_rule(q, a);
		break;
	case FUTEX:
		futex_answer(q, a);
		break;
	case FLOCK:
		lock_answer(q, (u32)q->args[0], a);
		break;
	case FCNTL:
		fcntl_answer(q, a);
		break;
	case SLEEP:
		sleep_answer(q, q->args[0], false, CLOCK_MONOTONIC, a);
		break;
	case CLOCK_SLEEP:
		clock_sleep_answer(q, a);
		break;
	case CHILD:
		wait4_answer(q, a);
		break;
	case WAITID:
		waitid_answer(q, a);
		break;
	case VFORK:
		a->children = CHILDREN_VFORK;
		break;
	case CLONE:
		clone_answer(q, a);
		break;
	case SIGNALS:
		answer_add(a->text, "a signal");
		break;
	case SEMAPHORE:
		semaphore_answer(q, a);
		break;
	case QUEUE:
		queue_answer(q, a);
		break;
	case RING:
		fd_answer(q, (u32)q->args[0], false, a);
		break;
	case SPLICE:
		splice_answer(q, (u32)q->args[r->arg], a);
		break;
	case POSIX_QUEUE:
		posix_queue_answer(q, a);
		break;
	case FUTEXES:
		answer_add(a->text, "any of %u futexes", (u32)q->args[1]);
		break;
	case CONNECT:
		connect_answer(q, a);
		break;
	}
}

/* ---- the arguments ---- */

/* /proc/PID/task/TID/syscall (fs/proc/base.c). 0, -EAGAIN if it is not in that call, or -errno. */
static int read_arguments(struct wait_question *q)
{
	char buf[256], *at = buf;
	int n = task_read(q, "syscall", buf, sizeof(buf));
	long nr;

	if (n < 0)
		return n;
	nr = strtol(buf, &at, 10);
	if (at == buf || nr < 0)
		return -EAGAIN;
	if ((u32)(nr & ~0x40000000l) != CALL_NR(q->call) && strcmp(q->name, "restart_syscall"))
		return -EAGAIN;
	for (u32 i = 0; i < CALL_ARGS; i++)
		q->args[i] = strtoull(at, &at, 16);
	return question_unwrap(q);
}

enum wait_about question_about(const char *call)
{
	const struct rule *r = find_rule(call);

	if (!r)
		return ABOUT_NOTHING;
	switch (r->kind) {
	case FD_IN:
	case FD_OUT:
		return r->arg ? ABOUT_NOTHING : ABOUT_FD;
	case EPOLL:
	case RING:
	case POSIX_QUEUE:
	case CONNECT:
		return ABOUT_FD;
	case FUTEX:
		return ABOUT_LOCK;
	case SLEEP:
	case CLOCK_SLEEP:
		return ABOUT_TIME;
	case SIGNALS:
		return ABOUT_SIGNAL;
	default:
		return ABOUT_MEMORY;
	}
}

/* The stack was sampled a moment ago. False: the object of the call is gone. */
static bool is_there(struct wait_question *q, struct wait_answer *a)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%u/task/%u", q->pid, q->tid);
	if (access(path, F_OK))		/* the thread has ended: its process has the same files and memory */
		q->tid = q->pid;
	if (question_about(q->name) != ABOUT_FD || task_fd_inode(q, (u32)q->args[0]) == q->ino)
		return true;
	answer_add(a->text, "fd %d: closed before it was looked at", (int)q->args[0]);
	return false;
}

void question_answer(const struct wait_question *asked, struct wait_answer *a)
{
	struct wait_question q = *asked;
	const struct rule *r;
	int err;

	if (!q.given && outside_answer(&q, a))
		return;
	err = q.given ? 0 : read_arguments(&q);
	r = find_rule(q.name);
	if (q.given && !is_there(&q, a))
		return;
	if (err == -EAGAIN || err == -ESRCH || err == -ENOENT) {
		a->failed = true;
		return;
	}
	if (err)
		answer_add(a->text, "? (its arguments: %s)", strerror(-err));
	else if (r)
		answer_rule(&q, r, a);
	else if (q.state == 'D')
		answer_add(a->text, "the kernel, uninterruptible");
	else
		answer_add(a->text, "? (not known for this call)");
}
