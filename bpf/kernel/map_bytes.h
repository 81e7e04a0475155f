/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_bytes.h: memory of a BPF map. */
#pragma once

#include "bpf/model/base.h"

struct bpf_map;

/* As reported by the kernel, else a lower bound from its type and size. */
u64 map_bytes(const struct bpf_map *map);
