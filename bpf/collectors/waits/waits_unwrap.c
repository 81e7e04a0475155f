// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_unwrap.c: calls that 32-bit programs make through socketcall(2) or ipc(2), selected by the first argument. */
#include <stdio.h>
#include <string.h>

#include "bpf/collectors/waits/waits_question.h"

/* include/uapi/linux/net.h; those that may wait. */
static const char *const socket_calls[] = {
	[3] = "connect", [5] = "accept", [9] = "send", [10] = "recv", [11] = "sendto", [12] = "recvfrom",
	[16] = "sendmsg", [17] = "recvmsg", [18] = "accept4", [19] = "recvmmsg", [20] = "sendmmsg",
};

/* include/uapi/linux/ipc.h */
static const char *const ipc_calls[] = { [1] = "semop", [4] = "semtimedop", [11] = "msgsnd", [12] = "msgrcv" };

static void set_name(struct wait_question *q, const char *name)
{
	snprintf(q->name, sizeof(q->name), "%s", name);
}

/* Its arguments are in memory; connect() has no more than three. */
static int unwrap_socketcall(struct wait_question *q)
{
	const char *name = q->args[0] < ARRAY_SIZE(socket_calls) ? socket_calls[q->args[0]] : NULL;
	u32 args[3];
	int err = name ? task_memory_read(q, (u32)q->args[1], args, sizeof(args)) : 0;

	if (!name || err)
		return err;
	set_name(q, name);
	for (u32 i = 0; i < ARRAY_SIZE(args); i++)
		q->args[i] = args[i];
	return 0;
}

/* ipc/syscall.c: which, id, a number (of operations), ..., a pointer (to them) */
static void unwrap_ipc(struct wait_question *q)
{
	u32 which = (u32)q->args[0] & 0xffff;
	const char *name = which < ARRAY_SIZE(ipc_calls) ? ipc_calls[which] : NULL;

	if (!name)
		return;
	set_name(q, name);
	q->args[0] = q->args[1];
	q->args[1] = q->args[4];
}

int question_unwrap(struct wait_question *q)
{
	if (!strcmp(q->name, "socketcall"))
		return unwrap_socketcall(q);
	if (!strcmp(q->name, "ipc"))
		unwrap_ipc(q);
	return 0;
}
