/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_bytes.h: how much memory a map of the kernel takes. */
#ifndef OTTOP_MAP_BYTES_H
#define OTTOP_MAP_BYTES_H

#include "bpf/model/base.h"

struct bpf_map;

/* As the kernel says or, where it does not, as its type and size make it at least. */
u64 map_bytes(const struct bpf_map *map);

#endif
