/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_question.h: one thread in one call, and what it waits on. Answers are
 * found in a thread of their own (waits_worker.h): what other processes have in
 * /proc and in their memory may make a reader hang.
 */
#ifndef OTTOP_WAITS_QUESTION_H
#define OTTOP_WAITS_QUESTION_H

#include "bpf/collectors/waits/waits_wire.h"
#include "bpf/model/base.h"

#define ANSWER_MAX 320
#define CALL_ARGS 6
/*
 * In a text, PERSON_NAME and a pid stand for "bash 611", PERSON_PID for "611 (bash)":
 * the name is put in where the process table is. Texts from outside have no such bytes.
 */
#define PERSON_NAME 1
#define PERSON_PID 2

#define STATE_FROZEN 'F'	/* /proc says D */

struct wait_question {
	u32 pid, tid;
	u32 call;		/* ABI << 16 | number */
	u64 seen;		/* thread and moment: which stay of which thread is meant */
	u64 entered_ns;		/* CLOCK_MONOTONIC, or when it last got a CPU: about */
	char name[24];		/* of the call */
	char state;		/* of the thread; STATE_FROZEN */
	bool nested;		/* in a pid namespace of its own */
	u64 args[CALL_ARGS];
	/* of a wait that a stack was taken of, whose arguments are known */
	bool given;
	bool over;		/* it has ended: memory says nothing of it any more */
	u32 owner;		/* of a lock in memory, when the wait began: the tid in it; 0: none */
	u64 ino;		/* of the file of descriptor args[0] */
	u64 key;		/* who asked knows it by this; 0: waits.c itself */
};

/* What tells which thing a call waits for. */
enum wait_about {
	ABOUT_NOTHING,		/* nothing does */
	ABOUT_FD,		/* the file of the descriptor args[0] */
	ABOUT_LOCK,		/* the word at args[0] */
	ABOUT_TIME, ABOUT_SIGNAL,
	ABOUT_MEMORY,		/* what can be seen only while it waits */
};

/* What a wait for children is for; the sampler knows who they are. */
enum children { CHILDREN_NONE, CHILDREN_ONE, CHILDREN_ANY, CHILDREN_VFORK };

/* A descriptor whose other end is to be found. */
struct wait_end {
	u64 ino;		/* 0: none */
	bool outward;		/* it is written to */
	bool maybe_fifo;	/* a path of which it is not known what it is */
	u32 fd;
	char lock[96];		/* not "": who has an open file that holds this lock, as /proc/locks has it */
};

struct wait_answer {
	bool hangs;		/* reading its memory or files does not end */
	bool failed;		/* the thread is in that call no more */
	bool holder;		/* of a lock: it is another's fault that this one waits */
	u32 peer_pid, peer_tid;	/* for whom it waits; 0: not known */
	bool peer_has_fd;
	u32 peer_fd;		/* at the other end of its socket */
	u64 until_ns;		/* CLOCK_MONOTONIC: when it ends by itself; 0: not known */
	enum children children;
	u32 child;		/* CHILDREN_ONE: its pid as the process knows it */
	struct wait_end end;
	char text[ANSWER_MAX];	/* "" until it is known */
};

/* Adds to a text of ANSWER_MAX bytes; what does not fit is cut. */
void answer_add(char *text, const char *fmt, ...) __printf(2, 3);
/* The same for a string from outside, which must not have our marks in it. */
void answer_add_foreign(char *text, const char *s);

/*
 * Answers what a call waits on as far as /proc and memory tell; a->end says which
 * other end is still to be looked for.
 */
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
/* Adds who holds the lock on a file that the process waits for: " held by 77 (postgres)". */
void locks_answer(const struct wait_question *q, u64 ino, struct wait_answer *a);
/* What no argument tells: stopped, traced, or a supervisor has to allow the call. False: none of these. */
bool outside_answer(const struct wait_question *q, struct wait_answer *a);
/* The same of a call with a path: a lease on the file, a listener that has to allow it. */
bool path_outside_answer(const struct wait_question *q, struct wait_answer *a);
/*
 * Of the text of /proc/locks: who holds the lock for which a process waits on the file with that
 * inode number (U64_UNKNOWN: on any file). The kernel lists who waits below the lock that is held. 0 and
 * a pid (-1: an open file holds it, whoever has that open) with the lock's line from its kind on, or
 * -ENOENT: it waits for none.
 */
int locks_holder(const char *text, u32 pid, u64 ino, int *ret_pid, char *ret_lock, size_t cap);
/* True where the open file behind that descriptor holds the lock: a line as from locks_holder(). */
bool locks_held_by(u32 pid, u32 fd, const char *lock);
void sleep_answer(const struct wait_question *q, u64 addr, bool absolute, u64 clock,
		  struct wait_answer *a);
/* The same of a call with milliseconds. */
void sleep_ms_answer(const struct wait_question *q, int ms, struct wait_answer *a);

/* ---- what they share ---- */

/* Reads memory of the process whole; 0 or -errno. */
int task_memory_read(const struct wait_question *q, u64 addr, void *to, size_t n);
/*
 * Of socketcall(2) and ipc(2) name and arguments of the call that is meant; others stay as they
 * are. 0, or -errno where the arguments are in memory that cannot be read.
 */
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

int ends_open(char *reason, size_t cap);
void ends_close(void);
/*
 * One pass over the open files of all processes for those of n answers that want an
 * end (a->end.ino); adds to their texts. In the worker.
 */
void ends_find(const struct wait_question *q, struct wait_answer *a, u32 n);

#endif
