/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ksym.bpf.h: see ksym.h. */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_helpers.h>

#include "bpf/kernel/ksym.h"

/* Defines the lookup program `name`. Before 6.1 a helper cannot write to the program's context. */
#define KSYM(name)								\
SEC("syscall")									\
int name(struct ksym_question *q)						\
{										\
	u64 text[KSYM_BYTES / 8] = {};						\
										\
	BPF_SNPRINTF((char *)text, sizeof(text), "%ps", q->addr);		\
	for (int i = 0; i < KSYM_BYTES / 8; i++)				\
		q->text[i] = text[i];						\
	return 0;								\
}
