/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iter.h: reads what a BPF iterator writes: one pass over all tasks, files or sockets. */
#pragma once

#include "bpf/model/base.h"

struct bpf_link;

/*
 * Runs the iterator of the link once. take() gets what has been read and not used so far, aligned
 * for any record, and returns how many bytes it has used: whole records. 0 or -errno. Any thread.
 */
int iter_run(const struct bpf_link *link, size_t (*take)(const char *buf, size_t n, void *arg), void *arg);
