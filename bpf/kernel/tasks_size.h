/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tasks_size.h: what task storage costs, since the kernel does not count it:
 * one element (struct bpf_local_storage_elem, 64 bytes before the value, and
 * the value: the kmalloc-256 class) and the task's own struct bpf_local_storage
 * (kernel/bpf/bpf_local_storage.c: 16 cache slots and some: kmalloc-192).
 */
#pragma once

#define TASK_STORAGE_BYTES (256 + 192)
