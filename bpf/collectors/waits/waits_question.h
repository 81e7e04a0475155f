/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_question.h: one thread in one call, and what it waits on. Answered in another thread
 * (waits_worker.h): /proc and memory of others may hang.
 */
#pragma once

#include "bpf/collectors/waits/waits_wire.h"
#include "bpf/model/base.h"

#define ANSWER_MAX 320
#define CALL_ARGS 6
/*
 * In a text PERSON_NAME and a pid stand for "bash 611", PERSON_PID for "611 (bash)", which the
 * sampler inserts. Foreign text never contains them.
 */
#define PERSON_NAME 1
#define PERSON_PID 2

#define STATE_FROZEN 'F'	/* /proc says D */

struct wait_question {
	u32 pid, tid;
	u32 call;		/* ABI << 16 | number */
	u64 seen;		/* identifies this wait of the thread */
	u64 entered_ns;		/* CLOCK_MONOTONIC of the entry, or when it last got a CPU: approximate */
	char name[24];		/* of the call */
	char state;		/* of the thread; STATE_FROZEN */
	bool nested;		/* in a pid namespace of its own */
	u64 args[CALL_ARGS];
	/* for a wait with a sampled stack, whose arguments are known */
	bool given;
	u32 owner;		/* tid in the lock when the wait began; 0: none */
	u64 ino;		/* of the file of descriptor args[0] */
	u64 key;		/* identifies it to the caller; 0: asked by waits.c itself */
};

/* What identifies the object that a call waits for. */
enum wait_about {
	ABOUT_NOTHING,
	ABOUT_FD,		/* the file of the descriptor args[0] */
	ABOUT_LOCK,		/* the word at args[0] */
	ABOUT_TIME, ABOUT_SIGNAL,
	ABOUT_MEMORY,		/* in memory that is valid only while it waits */
};

/* Children that a wait is for; the sampler resolves them. */
enum children { CHILDREN_NONE, CHILDREN_ONE, CHILDREN_ANY, CHILDREN_VFORK };

/* A descriptor whose peer is to be found. */
struct wait_end {
	u64 ino;		/* 0: none */
	bool outward;		/* it is written to */
	bool maybe_fifo;	/* a path that may be a FIFO */
	u32 fd;
	char lock[96];		/* not "": find the holder of this lock (a line of /proc/locks) */
};

struct wait_answer {
	bool hangs;		/* reading its memory or files hangs */
	bool failed;		/* the thread has left that call */
	bool holder;		/* the peer is the holder of a lock */
	u32 peer_pid, peer_tid;	/* process or thread that it waits for; 0: unknown */
	bool peer_has_fd;
	u32 peer_fd;		/* the peer's descriptor of the socket */
	u64 until_ns;		/* CLOCK_MONOTONIC of its timeout; 0: unknown */
	enum children children;
	u32 child;		/* CHILDREN_ONE: its pid in the process's pid namespace */
	struct wait_end end;
	char text[ANSWER_MAX];	/* "" until it is known */
};

/* Adds to a text of ANSWER_MAX bytes; what does not fit is cut. */
void answer_add(char *text, const char *fmt, ...) __printf(2, 3);
/* The same for foreign text, which is stripped of our marks. */
void answer_add_foreign(char *text, const char *s);

/* Answers from /proc and the process's memory; ends_find() still has to find the peer of a->end. */
void question_answer(const struct wait_question *q, struct wait_answer *a);

enum wait_about question_about(const char *call);

/* ---- by kind; each fills a->text ---- */

/* The descriptor, with "fd 3: " before it; outward: it is written to. */
void fd_answer(const struct wait_question *q, u32 fd, bool outward, struct wait_answer *a);
/* A call with a path in memory at `addr`. */
void path_answer(const struct wait_question *q, u64 addr, u64 flags, struct wait_answer *a);
void epoll_answer(const struct wait_question *q, u32 fd, struct wait_answer *a);
/* Both are false, and say nothing, where there is not one descriptor: then it is a sleep. */
/* pollfd[n] at `addr`. */
bool poll_answer(const struct wait_question *q, u64 addr, u64 n, struct wait_answer *a);
/* The sets of select(2): addresses of bits of n descriptors. */
bool select_answer(const struct wait_question *q, u64 n, const u64 *sets, struct wait_answer *a);
void futex_answer(const struct wait_question *q, struct wait_answer *a);
void lock_answer(const struct wait_question *q, u32 fd, struct wait_answer *a);
/* Adds the holder of the file lock that the process waits for: " held by 77 (postgres)". */
void locks_answer(const struct wait_question *q, u64 ino, struct wait_answer *a);
/* Causes that are not in the arguments: stopped, traced, or a seccomp supervisor must allow the call. False: none. */
bool outside_answer(const struct wait_question *q, struct wait_answer *a);
/* The same of a call with a path: a lease on the file, a listener that has to allow it. */
bool path_outside_answer(const struct wait_question *q, struct wait_answer *a);
/*
 * Finds, in the text of /proc/locks, the holder of the lock that a process waits for on the file with that
 * inode (U64_UNKNOWN: any file). Waiters are listed below the lock. 0, with the holder's pid (-1: an open
 * file description holds it) and the lock's line from its kind on; -ENOENT: it waits for none.
 */
int locks_holder(const char *text, u32 pid, u64 ino, int *ret_pid, char *ret_lock, size_t cap);
/* True where the open file behind that descriptor holds the lock: a line as from locks_holder(). */
bool locks_held_by(u32 pid, u32 fd, const char *lock);
void sleep_answer(const struct wait_question *q, u64 addr, bool absolute, u64 clock,
		  struct wait_answer *a);
/* The same of a call with milliseconds. */
void sleep_ms_answer(const struct wait_question *q, int ms, struct wait_answer *a);

/* ---- shared helpers ---- */

/* Reads exactly n bytes of the process's memory; 0 or -errno. */
int task_memory_read(const struct wait_question *q, u64 addr, void *to, size_t n);
/* Replaces socketcall(2), ipc(2) by the call meant. 0, -errno if the memory cannot be read. */
int question_unwrap(struct wait_question *q);
/* Reads /proc/PID/task/TID/FILE. As procfs_read(). */
int task_read(const struct wait_question *q, const char *file, char *buf, size_t cap);
/* True where the thread sleeps in that function of the kernel. */
bool task_sleeps_in(const struct wait_question *q, const char *function);
/* The target of /proc/PID/task/TID/fd/N. Its length or -errno. */
int task_fd_link(const struct wait_question *q, u32 fd, char *buf, size_t cap);

/* The number of the inode of a descriptor's file, or UINT64_MAX. */
u64 task_fd_inode(const struct wait_question *q, u32 fd);

/* ---- other ends: waits_ends.c ---- */

int ends_open(char *reason, size_t cap);	/* as open() of a collector */
void ends_close(void);
/* One pass over all open files for n answers with a->end.ino; adds the peers to their texts. */
void ends_find(const struct wait_question *q, struct wait_answer *a, u32 n);
