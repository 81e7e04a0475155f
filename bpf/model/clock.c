// SPDX-License-Identifier: GPL-2.0-or-later
/* clock.c: clock_ahead_ns() of base.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/model/base.h"

static s64 monotonic_ahead, boottime_ahead;

/* The file has the offsets for our children, which differ from ours only after unshare(2). */
static bool is_of_children_only(void)
{
	char own[64] = "", children[64] = "";

	return readlink("/proc/self/ns/time", own, sizeof(own) - 1) < 0 ||
	       readlink("/proc/self/ns/time_for_children", children, sizeof(children) - 1) < 0 ||
	       strcmp(strrchr(own, ':') ?: "", strrchr(children, ':') ?: "");
}

/* "monotonic        86400         0": seconds, ns. At start: helpers may open no file later. */
__attribute__((constructor)) static void read_offsets(void)
{
	FILE *f = is_of_children_only() ? NULL : fopen("/proc/self/timens_offsets", "re");
	long long s, ns;
	char name[16];

	while (f && fscanf(f, "%15s %lld %lld", name, &s, &ns) == 3) {
		s64 ahead = (s64)s * (s64)NSEC_PER_SEC + ns;

		if (!strcmp(name, "monotonic"))
			monotonic_ahead = ahead;
		else if (!strcmp(name, "boottime"))
			boottime_ahead = ahead;
	}
	if (f)
		fclose(f);
}

s64 clock_ahead_ns(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC ? monotonic_ahead : clock == CLOCK_BOOTTIME ? boottime_ahead : 0;
}
