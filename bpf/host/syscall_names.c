// SPDX-License-Identifier: GPL-2.0-or-later
/* syscall_names.c: lookups in the tables that bpf/host/syscall_names.sh generated. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/host/syscall_id.h"
#include "bpf/model/snapshot_build.h"
#include "bpf/host/syscall_names.h"

#include "syscall_tables.h"	/* build/gen */

#define TABLE_OF(abi) { #abi, syscall_names_##abi, ARRAY_SIZE(syscall_names_##abi) }

static const struct names {
	const char *abi;
	const char *const *names;
	u32 n;
} tables[] = {
#if defined(__x86_64__)
	[ABI_NATIVE] = TABLE_OF(x86_64),
	[ABI_COMPAT] = TABLE_OF(i386),
	[ABI_X32] = TABLE_OF(x32),
#else
	[ABI_NATIVE] = TABLE_OF(arm64),
	[ABI_COMPAT] = { "arm", NULL, 0 },
#endif
};

/* Tables of the other architectures: tests check them, recordings carry names. */
static const struct names others[] __attribute__((unused)) = {
#if defined(__x86_64__)
	TABLE_OF(arm64),
#else
	TABLE_OF(x86_64), TABLE_OF(i386), TABLE_OF(x32),
#endif
};

static const struct names *table_of(u32 call)
{
	return CALL_ABI(call) < ARRAY_SIZE(tables) ? &tables[CALL_ABI(call)] : &tables[0];
}

const char *syscall_abi(u32 call)
{
	return table_of(call)->abi;
}

u32 syscall_nr(u32 call)
{
	return CALL_NR(call);
}

const char *syscall_name(u32 call)
{
	const struct names *t = table_of(call);
	u32 nr = CALL_NR(call);
	char buf[24];

	if (nr < t->n && t->names[nr])
		return str_new(t->names[nr]);
	if (nr == CALL_INVALID)
		return str_new("invalid");
	snprintf(buf, sizeof(buf), "syscall_%u", nr);
	return str_new(buf);
}

bool syscall_waits(const char *name)
{
	static const char *const waits[] = {
		"accept", "accept4", "clock_nanosleep", "clock_nanosleep_time64", "epoll_pwait",
		"epoll_pwait2", "epoll_wait", "futex", "futex_time64", "futex_wait", "futex_waitv",
		"io_getevents", "io_pgetevents", "io_uring_enter", "membarrier", "msgrcv",
		"mq_timedreceive", "nanosleep", "_newselect", "pause", "poll", "ppoll", "ppoll_time64", "pselect6",
		"pselect6_time64", "restart_syscall", "rt_sigsuspend", "rt_sigtimedwait",
		"rt_sigtimedwait_time64", "select", "semop", "semtimedop", "sigsuspend", "wait4",
		"waitid", "waitpid",
	};

	for (u32 i = 0; i < ARRAY_SIZE(waits); i++)
		if (!strcmp(waits[i], name))
			return true;
	return false;
}

const char *errno_name(u32 e)
{
	/*
	 * Kernel-internal (include/linux/errno.h): a signal came: EINTR, or the call is restarted.
	 */
	if (e == 513)
		return "restarted";
	if (e == 512 || e == 514 || e == 516)
		return "EINTR or restarted";
	return strerrorname_np((int)e);
}

bool errno_is_soft(u32 e)
{
	return e == EAGAIN || e == EINTR || e == ENOENT || e == ETIMEDOUT || e == EINPROGRESS ||
	       (e >= 512 && e <= 516);	/* ERESTARTSYS and its kin: restarted or EINTR */
}
