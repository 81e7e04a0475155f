/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users.h: names of user ids, from /etc/passwd only: asking a directory
 * service could hold up a tick for seconds.
 */
#ifndef OTTOP_USERS_H
#define OTTOP_USERS_H

#include "bpf/base.h"

/* Reads /etc/passwd again if it changed. Once a tick. */
void users_refresh(void);
/* A new string reference: the name, or the number where there is none. */
const char *users_name(u32 uid);

#endif
