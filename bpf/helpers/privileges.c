// SPDX-License-Identifier: GPL-2.0-or-later
/* privileges.c: see privileges.h. capset(2) directly: it is one call. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/model/base.h"
#include "bpf/helpers/privileges.h"

static const int kept[] = {
	CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYSLOG,
	CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_CHECKPOINT_RESTORE, CAP_SYS_NICE,
};

int privileges_keep(u64 capabilities)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	u64 keep, have;

	if (syscall(SYS_capget, &head, data))
		return -errno;
	have = data[0].permitted | (u64)data[1].permitted << 32;
	keep = capabilities & have;
	data[0] = (struct __user_cap_data_struct){ .effective = (u32)keep, .permitted = (u32)keep };
	data[1] = (struct __user_cap_data_struct){
		.effective = (u32)(keep >> 32), .permitted = (u32)(keep >> 32),
	};
	if (syscall(SYS_capset, &head, data))
		return -errno;
	/* a root process that runs another program must not get them back */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int privileges_drop(void)
{
	u64 keep = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		keep |= 1ull << kept[i];
	return privileges_keep(keep);
}

bool privileges_have(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	return !syscall(SYS_capget, &head, data) &&
	       (data[capability / 32].effective >> (capability % 32) & 1);
}
