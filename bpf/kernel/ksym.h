/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ksym.h: the kernel function at an address, from %ps of bpf_snprintf() (5.13). One lookup takes 2 us;
 * /proc/kallsyms is 10 MB of text that the kernel generates on each read: 0.1 s.
 *
 * The BPF side is ksym.bpf.h.
 */
#pragma once

#ifndef __bpf__
#include "bpf/model/base.h"
#include <linux/types.h>
#endif

#define KSYM_BYTES 256		/* of a name with its module; longer ones are cut */

struct ksym_question {
	__u64 addr;
	__u64 text[KSYM_BYTES / 8];	/* the answer: "function" or "function [module]" */
};

#ifndef __bpf__
/* prog: of KSYM(). *ret_module: within text, or "". 0, -ENOENT: not in a function, or -errno. */
int ksym_name(int prog, u64 addr, char *text, const char **ret_module);
/* Splits the kernel's answer, "function [module]", in place. 0 or -ENOENT: not in a function. */
int ksym_split(char *text, const char **ret_module);
#endif
