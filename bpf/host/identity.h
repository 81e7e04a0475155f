/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.h: attributes of a process that only /proc has: command line, cgroup, working directory. */
#pragma once

#include "bpf/host/proctab.h"

/* Reads what is missing or changed. On failure it keeps its values; p->unread counts failures. */
void identity_read(struct proc *p);
/* The same right after identity_args(): reads the command line only if that was cut. */
void identity_read_exec(struct proc *p);
/* Reads the command line alone. 0 or -errno. */
int identity_title(struct proc *p);
/* The command line of an exec event: `len` bytes, NULs between the arguments; cut: there was more. */
void identity_args(struct proc *p, const char *args, u32 len, bool cut);
/* Copies what a fork inherits from its parent. */
void identity_inherit(struct proc *child, const struct proc *parent);
/* Before p is freed: releases its share of the memory for long command lines. */
void identity_forget(struct proc *p);
void identity_cwd(struct proc *p);
/* Whether identity_read() also reads environments (64 kB) for the name of the service. */
void identity_want_services(bool on);
/*
 * The service in an environment of n bytes: OTEL_SERVICE_NAME, or service.name (percent-decoded) of
 * OTEL_RESOURCE_ATTRIBUTES, at most cap - 1 bytes. False: none.
 */
bool identity_service(const char *environment, size_t n, char *buf, size_t cap);
