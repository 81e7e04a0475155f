/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch_limits.h: what the launcher takes away from a helper; for launch.c only. */
#ifndef OTTOP_LAUNCH_LIMITS_H
#define OTTOP_LAUNCH_LIMITS_H

#include "bpf/helpers/launch.h"

/*
 * In the watcher, before the helper is forked: rights, signals, priority. The helper
 * inherits them. 0 or -errno.
 */
int limits_of_watcher(const struct helper_spec *s);
/* In the helper: its name, memory, descriptors and system calls. *work: see helper_work(). */
void limits_of_helper(const struct helper_spec *s, volatile u32 *work);

#endif
