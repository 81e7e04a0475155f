// SPDX-License-Identifier: GPL-2.0-or-later
/* features.c: see features.h. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf/kernel/features.h"
#include "bpf/host/procfs.h"

/* CAP_BPF and CAP_PERFMON are of 5.8 (capabilities(7)); CAP_SYS_ADMIN has both. */
static const struct { int cap; const char *name; } needed[] = {
	{ CAP_BPF, "CAP_BPF" }, { CAP_PERFMON, "CAP_PERFMON" },
};

static u64 effective_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return 0;
	return data[0].effective | (u64)data[1].effective << 32;
}

static void read_caps(struct features *f)
{
	u64 caps = effective_caps();

	f->missing_caps[0] = '\0';
	if (caps >> CAP_SYS_ADMIN & 1)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(caps >> needed[i].cap & 1))
			text_add(f->missing_caps, sizeof(f->missing_caps), " and ", "%s", needed[i].name);
}

static void read_lockdown(struct features *f)
{
	char buf[64] = "", *at, *end;
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");

	snprintf(f->lockdown, sizeof(f->lockdown), "?");
	if (!file)
		return;
	if (fgets(buf, sizeof(buf), file) && (at = strchr(buf, '[')) && (end = strchr(at, ']')))
		snprintf(f->lockdown, sizeof(f->lockdown), "%.*s", (int)(end - at - 1), at + 1);
	fclose(file);
}

void features_read(struct features *f)
{
	struct utsname u;

	memset(f, 0, sizeof(*f));
	uname(&u);
	sscanf(u.release, "%u.%u", &f->major, &f->minor);
	f->old_kernel = f->major < 5 || (f->major == 5 && f->minor < 15);
	f->procfs = access("/proc/self/stat", R_OK) == 0;
	f->btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
	read_caps(f);
	read_lockdown(f);
}

char *features_obstacle(const struct features *f)
{
	if (f->old_kernel)
		return xasprintf("kernel %u.%u: ottop needs Linux 5.15 or newer to observe; "
				 "'ottop --replay FILE' works here", f->major, f->minor);
	if (!f->procfs)
		return xasprintf("/proc: not mounted here: mount it (mount -t proc proc /proc); "
				 "'ottop --replay FILE' works without");
	if (f->missing_caps[0])
		return xasprintf("not permitted: %s missing (uid %u): run 'sudo ottop'; "
				 "'ottop --replay FILE' works without", f->missing_caps,
				 (unsigned)geteuid());
	if (!f->btf)
		return xasprintf("/sys/kernel/btf/vmlinux: missing: the kernel was built without BTF "
				 "(CONFIG_DEBUG_INFO_BTF) or /sys is not mounted; "
				 "'ottop --replay FILE' works here");
	return NULL;
}

const char *features_clock_note(void)
{
	static char text[96];	/* neither offset changes while the process lives (time_namespaces(7)) */

	if (!clock_ahead_ns(CLOCK_BOOTTIME) && !clock_ahead_ns(CLOCK_MONOTONIC))
		return NULL;
	snprintf(text, sizeof(text), "a time namespace: %+lld s; times and ages are the host's",
		 (long long)(clock_ahead_ns(CLOCK_BOOTTIME) / (s64)NSEC_PER_SEC));
	return text;
}

const char *features_pid_note(void)
{
	return !procfs_is_initial() ?
	       "of another pid namespace: pids are the host's, command lines are missing; start ottop on the host" : NULL;
}

void features_notes(char *buf, size_t cap)
{
	const char *clock = features_clock_note(), *pid = features_pid_note();

	snprintf(buf, cap, "%s%s%s%s", clock ?: "", clock && pid ? "; " : "", pid ? "/proc " : "", pid ?: "");
}
