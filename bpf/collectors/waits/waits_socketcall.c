// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_socketcall.c: calls on sockets of 32-bit programs, which glibc makes by socketcall(2). */
#include <stdio.h>
#include <string.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/host/syscall_id.h"

/* include/uapi/linux/net.h; those that may wait. */
static const char *const calls[] = {
	[3] = "connect", [5] = "accept", [9] = "send", [10] = "recv", [11] = "sendto", [12] = "recvfrom",
	[16] = "sendmsg", [17] = "recvmsg", [18] = "accept4", [19] = "recvmmsg", [20] = "sendmmsg",
};

int socketcall_unwrap(struct wait_question *q)
{
	u32 args[3];	/* those that are asked for; connect() has no more */
	int err;

	if (strcmp(q->name, "socketcall") || q->args[0] >= ARRAY_SIZE(calls) || !calls[q->args[0]])
		return 0;
	err = memory_read(q, (u32)q->args[1], args, sizeof(args));
	if (err)
		return err;
	snprintf(q->name, sizeof(q->name), "%s", calls[q->args[0]]);
	for (u32 i = 0; i < ARRAY_SIZE(args); i++)
		q->args[i] = args[i];
	return 0;
}
