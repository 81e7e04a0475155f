/* SPDX-License-Identifier: GPL-2.0-or-later */
/* features.h: what this kernel and these privileges permit; determined once. */
#pragma once

#include "bpf/model/base.h"

struct features {
	u32 major, minor;	/* of the kernel */
	bool old_kernel;	/* below 5.15 */
	bool procfs;		/* /proc is mounted */
	bool btf;		/* /sys/kernel/btf/vmlinux */
	char missing_caps[96];	/* names of the capabilities that are missing, or "" */
	char lockdown[24];	/* none, integrity, confidentiality, or "?" */
};

void features_read(struct features *f);
/* Why nothing can be observed, and what to do: one line, free() it. NULL: it can. */
char *features_obstacle(const struct features *f);

/* Effect of a time or pid namespace on values (static); NULL: none. Main thread or sampler. */
const char *features_clock_note(void);
const char *features_pid_note(void);
/* Both, in one text; "" where there is none. */
void features_notes(char *buf, size_t cap);
