/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ksym.h: which function of the kernel an address is in, as the kernel itself says it (%ps of
 * bpf_snprintf(), 5.13). A question takes 2 us; /proc/kallsyms is 10 MB of text, of which the kernel makes
 * each line anew for whoever reads it: 0.1 s.
 *
 * The program's side is ksym.bpf.h.
 */
#ifndef OTTOP_KSYM_H
#define OTTOP_KSYM_H

#ifndef __bpf__
#include "bpf/model/base.h"
#include <linux/types.h>
#endif

#define KSYM_BYTES 256		/* of a name with its module; what is longer is cut */

struct ksym_question {
	__u64 addr;
	__u64 text[KSYM_BYTES / 8];	/* the answer: "function" or "function [module]" */
};

#ifndef __bpf__
/*
 * prog: of KSYM(). The function's name in text[KSYM_BYTES] and the module's at *ret_module there, "" where it is
 * the kernel itself. 0, -ENOENT where no function has the address, or -errno.
 */
int ksym_name(int prog, u64 addr, char *text, const char **ret_module);
/* The same out of what the kernel said: splits it. */
int ksym_split(char *text, const char **ret_module);
#endif

#endif
