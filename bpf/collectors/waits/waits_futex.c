// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * waits_futex.c: the holder of the lock that a futex belongs to. The kernel does not know it, but
 * glibc, musl and priority-inheritance futexes keep the owner's tid beside the futex word or in it.
 * It is read from the target's memory, so it is used only if it is the tid of a living thread.
 */
#include <dirent.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/procfs.h"
#include "bpf/host/syscall_id.h"

#define THREADS_MAX 512		/* threads of a process in a pid namespace that are searched */
#define LOCK_PI2 13		/* FUTEX_LOCK_PI2, since 5.14 */

/* glibc, sysdeps/x86/nptl/bits/struct_mutex.h and aarch64's: 64 bits. */
struct glibc_mutex {
	s32 lock;
	u32 count;
	s32 owner;
	u32 nusers;
	s32 kind;
};

/* The id of a thread in the innermost namespace: the last of "NSpid:", or 0. */
static u32 inner_tid(u32 pid, const char *tid)
{
	char path[64], buf[4096], *at, *last;

	snprintf(path, sizeof(path), "%u/task/%.12s/status", pid, tid);
	if (procfs_read(path, buf, sizeof(buf)) < 0 || !(at = strstr(buf, "\nNSpid:")))
		return 0;
	at[strcspn(at + 1, "\n") + 1] = '\0';
	last = strrchr(at, '\t');
	return last ? (u32)strtoul(last, NULL, 10) : 0;
}

/* The process's thread with that tid in its own pid namespace; 0: none. */
static u32 nested_thread(const struct wait_question *q, u32 tid)
{
	char path[32];
	u32 found = 0, n = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", q->pid);
	dir = opendir(path);
	while (dir && !found && n++ < THREADS_MAX && (d = readdir(dir)))
		if (d->d_name[0] != '.' && inner_tid(q->pid, d->d_name) == tid)
			found = (u32)strtoul(d->d_name, NULL, 10);
	if (dir)
		closedir(dir);
	return found;
}

static u32 living_thread(const struct wait_question *q, u32 tid)
{
	char path[48];

	if (!tid || tid > 1u << 22)
		return 0;
	if (q->nested)
		return nested_thread(q, tid);
	snprintf(path, sizeof(path), "/proc/%u/task/%u", q->pid, tid);
	return access(path, F_OK) ? 0 : tid;
}

/* The process of a thread; 0: no such thread. */
static u32 process_of(u32 tid)
{
	char buf[4096];
	u64 pid;

	if (!tid || tid > 1u << 22 || procfs_read_pid(tid, "status", buf, sizeof(buf)) < 0)
		return 0;
	pid = procfs_value(buf, "Tgid");
	return pid == UINT64_MAX ? 0 : (u32)pid;
}

static bool held_by(const struct wait_question *q, u32 tid, bool shared, struct wait_answer *a)
{
	u32 own = living_thread(q, tid), other;

	if (own) {
		a->holder = true;
		a->peer_pid = q->pid;
		a->peer_tid = own;
		answer_add(a->text, own == q->tid ? "futex held by itself, tid %u" :
			   "futex held by tid %u", own);
		return true;
	}
	other = shared && !q->nested ? process_of(tid) : 0;
	if (!other)
		return false;
	a->holder = true;
	a->peer_pid = other;
	a->peer_tid = tid;
	answer_add(a->text, "futex held by tid %u of %c%u%c", tid, PERSON_NAME, other, PERSON_NAME);
	return true;
}

static void held_by_ended(const struct wait_question *q, u32 tid, struct wait_answer *a)
{
	a->holder = true;
	answer_add(a->text, q->nested ? "futex held by tid %u of its namespace" :
		   "futex held by tid %u, which has ended", tid);
}

static bool is_glibc_mutex(const struct glibc_mutex *m)
{
	return m->lock == 2 && m->owner > 0 && m->nusers && m->nusers < 1 << 20 && m->kind >= 0 &&
	       m->kind < 1024;
}

/* glibc, sysdeps/nptl/bits/struct_rwlock.h: has two futex words. 64 bits. */
struct glibc_rwlock {
	u32 readers, writers, wrphase_futex, writers_futex, pad[2];
	s32 cur_writer, shared;
};

#define RWLOCK_USED 2		/* nptl/pthread_rwlock_common.c: bit of a futex with waiters */
#define RWLOCK_READER_SHIFT 3

static bool read_rwlock(const struct wait_question *q, u32 val, struct glibc_rwlock *l)
{
	static const size_t words[] = { offsetof(struct glibc_rwlock, wrphase_futex),
					offsetof(struct glibc_rwlock, writers_futex) };

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		if ((val & ~1u) != RWLOCK_USED || task_memory_read(q, q->args[0] - words[i], l, sizeof(*l)))
			continue;
		if ((u32)l->shared > 1 || l->wrphase_futex > 3 || l->writers_futex > 3 || l->pad[0] || l->pad[1] ||
		    l->writers > 1u << 22 || l->readers >> RWLOCK_READER_SHIFT > 1u << 22)
			continue;
		/* the holder, or the readers that a writer waits for */
		if (living_thread(q, (u32)l->cur_writer) ||
		    (!l->cur_writer && !i && !(val & 1) && l->readers >> RWLOCK_READER_SHIFT))
			return true;
	}
	return false;
}

static bool rwlock_answer(const struct wait_question *q, u32 val, bool shared, struct wait_answer *a)
{
	struct glibc_rwlock l;

	if (!read_rwlock(q, val, &l))
		return false;
	if (l.cur_writer)
		return held_by(q, (u32)l.cur_writer, shared, a);
	a->holder = true;
	answer_add(a->text, "futex held by %u reader%s", l.readers >> RWLOCK_READER_SHIFT,
		   l.readers >> RWLOCK_READER_SHIFT == 1 ? "" : "s");
	return true;
}

/* The futex word contains the owner: priority-inheritance and robust locks, and most of musl's. */
static bool word_has_owner(u32 word, u32 op)
{
	return op == FUTEX_LOCK_PI || op == LOCK_PI2 || (word & FUTEX_WAITERS);
}

void futex_answer(const struct wait_question *q, struct wait_answer *a)
{
	u32 op = (u32)q->args[1] & FUTEX_CMD_MASK, val = (u32)q->args[2], word;
	bool shared = !(q->args[1] & FUTEX_PRIVATE_FLAG), waits;
	struct glibc_mutex m;
	int err;

	if (q->owner) {
		if (!held_by(q, q->owner, shared, a))
			held_by_ended(q, q->owner, a);
		return;
	}
	err = task_memory_read(q, q->args[0], &word, sizeof(word));
	if (err) {
		answer_add(a->text, "futex held by ? (its memory: %s)", strerror(-err));
		return;
	}
	waits = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
	if (word_has_owner(word, op) && held_by(q, word & FUTEX_TID_MASK, shared, a))
		return;
	if (waits && val == 2 && !task_memory_read(q, q->args[0], &m, sizeof(m)) && is_glibc_mutex(&m)) {
		if (!held_by(q, (u32)m.owner, shared, a))
			held_by_ended(q, (u32)m.owner, a);
		return;
	}
	if (waits && CALL_ABI(q->call) == ABI_NATIVE && rwlock_answer(q, val, shared, a))
		return;
	/* pthread_join() waits for the kernel to clear the tid of the thread that ends */
	if (waits && word == val && living_thread(q, word)) {
		a->peer_pid = q->pid;
		a->peer_tid = living_thread(q, word);
		answer_add(a->text, "the end of tid %u", a->peer_tid);
		return;
	}
	answer_add(a->text, "futex, ? (no owner: a condition, a semaphore or a parked thread)");
}
