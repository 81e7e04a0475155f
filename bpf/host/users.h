/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users.h: names of user ids from /etc/passwd; the rest from resolver.h: a directory may be slow.
 */
#pragma once

#include "bpf/model/base.h"

/* Reads /etc/passwd again if it changed, and takes answers. Once a tick. */
void users_refresh(u64 now_ns);
/* Changes when users_name() may say something else than before. */
u32 users_version(void);
/* A new string reference: the name, or the number where there is none or not yet. */
const char *users_name(u32 uid);
