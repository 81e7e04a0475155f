// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_outside.c: threads that are stopped or need another's permission: by /proc/TID/wchan. */
#include <string.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/procfs.h"

static void tracer_answer(const struct wait_question *q, struct wait_answer *a)
{
	char buf[4096];
	u64 pid = task_read(q, "status", buf, sizeof(buf)) < 0 ? UINT64_MAX : procfs_value(buf, "TracerPid");

	if (!pid || pid > UINT32_MAX) {
		a->failed = true;	/* it already continues */
		return;
	}
	a->peer_pid = (u32)pid;
	answer_add(a->text, "stopped by its tracer, %c%u%c", PERSON_PID, (u32)pid, PERSON_PID);
}

/* fs/locks.c, __break_lease(): open() waits until a lease on the file is released. */
static void lease_answer(const struct wait_question *q, struct wait_answer *a)
{
	answer_add(a->text, " (a lease on it");
	locks_answer(q, UINT64_MAX, a);
	answer_add(a->text, ")");
}

/* fs/notify/fanotify/fanotify.c: fanotify_get_response() is inlined in its caller. */
bool path_outside_answer(const struct wait_question *q, struct wait_answer *a)
{
	if (task_sleeps_in(q, "__break_lease"))
		lease_answer(q, a);
	else if (task_sleeps_in(q, "fanotify_"))
		answer_add(a->text, " (leave of a fanotify listener)");
	else
		return false;
	return true;
}

/* kernel/signal.c, do_freezer_trap() of cgroup 2: compilers may put it into its only caller. */
static bool sleeps_in_trap(const struct wait_question *q)
{
	return q->state == 'S' && (task_sleeps_in(q, "do_freezer_trap") || task_sleeps_in(q, "get_signal"));
}

bool outside_answer(const struct wait_question *q, struct wait_answer *a)
{
	if (q->state == 'T')
		answer_add(a->text, "SIGCONT (stopped by a signal)");
	else if (q->state == 't')
		tracer_answer(q, a);
	else if (q->state == STATE_FROZEN || sleeps_in_trap(q))
		answer_add(a->text, "thaw (frozen by its cgroup)");
	else if (task_sleeps_in(q, "seccomp_do_user_notification"))	/* kernel/seccomp.c */
		answer_add(a->text, "leave of its seccomp supervisor");
	else
		return false;
	return true;
}
