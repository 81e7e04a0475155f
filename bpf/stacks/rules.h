/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.h: the rules of unwinding that all tables share, in a map that the kernel side reads. Sampler thread only. */
#pragma once

#include "bpf/model/base.h"

struct unw_info;

/* The descriptor of the map stays the caller's. 0 or -errno. */
int rules_open(int fd);
void rules_close(void);
/* The number of a rule, made when it is new; -1: there are too many. */
int rules_number(const struct unw_info *info);
/* A rule by its number in tables; NULL: there is none. */
const struct unw_info *rules_info(u32 number);
