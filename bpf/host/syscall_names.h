/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syscall_names.h: system calls by ABI and number. */
#pragma once

#include "bpf/model/base.h"

/* Name of the ABI of a call (ABI << 16 | number) on this machine: x86_64, i386, x32, arm64, arm. */
const char *syscall_abi(u32 call);
/* Number of the call in its ABI. */
u32 syscall_nr(u32 call);
/* A new string reference: its name, or "syscall_N" where no table has it. */
const char *syscall_name(u32 call);
/* True for calls that wait by design: epoll_wait, poll, futex, nanosleep, wait4, accept, ... */
bool syscall_waits(const char *name);
/* "EAGAIN" for 11, or NULL. From the C library. */
const char *errno_name(u32 e);
/* Errors that are part of normal work: EAGAIN, EINTR, ENOENT, ETIMEDOUT, EINPROGRESS. */
bool errno_is_soft(u32 e);
