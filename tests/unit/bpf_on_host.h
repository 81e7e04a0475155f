/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_on_host.h: lets a test include X.bpf.c and run its logic as ordinary code, with threads as
 * tasks. Include it first; headers of ottop's user side cannot be included with it, because
 * bpf/kernel/kernel.h declares the same short names.
 */
#pragma once

#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#define __BPF_HELPERS__
#define __BPF_TRACING_H__
#define __BPF_CORE_READ_H__
#define __bpf__		/* wire headers take their types from bpf/kernel/kernel.h */
#ifdef __x86_64__
#define __TARGET_ARCH_x86
#else
#define __TARGET_ARCH_arm64
#endif

#define SEC(name)
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))
#define BPF_PROG(name, ...) name(__VA_ARGS__)

struct task_struct;
struct task_struct *bpf_get_current_task_btf(void);
unsigned long long bpf_ktime_get_ns(void);
unsigned long long bpf_ktime_get_boot_ns(void);
void *bpf_task_storage_get(void *map, struct task_struct *t, void *value, unsigned long long flags);
