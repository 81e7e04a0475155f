/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup.h: what the path of a cgroup says: container and systemd unit. */
#pragma once

#include "bpf/model/base.h"

/*
 * The most telling path of a /proc/PID/cgroup text: the one of cgroup 2 ("0::"), or, where that is
 * the root, of version 1's systemd or first controller. Returns its length; buf ends with NUL. What
 * the kernel cut ends with "…", where buf has room for PATH_MAX bytes and that.
 */
size_t cgroup_path(const char *text, char *buf, size_t cap);
/*
 * "runtime:id" of the innermost container that a path names (cgroup 1 or 2); "" when it
 * names none. A hash is cut to 12 characters, as docker ps prints it; names are decoded as
 * systemd escapes them. container.c has the shapes, and where each comes from.
 */
void container_of_cgroup(const char *path, char *buf, size_t cap);
/* The innermost systemd unit (.service, .scope, ...) of a path, or "". */
void cgroup_unit(const char *path, char *buf, size_t cap);
