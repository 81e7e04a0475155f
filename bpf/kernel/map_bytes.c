// SPDX-License-Identifier: GPL-2.0-or-later
/* map_bytes.c: see map_bytes.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bpf/kernel/features.h"
#include "bpf/kernel/map_bytes.h"

/*
 * fdinfo: actual memory since 6.4; before, the maximum, useless for maps that allocate on demand.
 */
static u64 map_memlock(int fd)
{
	char path[64], line[128];
	struct features kernel;
	u64 bytes = 0;
	FILE *f;

	features_read(&kernel);
	if (kernel.major < 6 || (kernel.major == 6 && kernel.minor < 4))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtoull(line + 8, NULL, 10);
	fclose(f);
	return bytes;
}

u64 map_bytes(const struct bpf_map *map)
{
	u64 told = map_memlock(bpf_map__fd(map)), count;

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_RINGBUF:
		count = bpf_map__max_entries(map);
		break;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		count = (u64)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u) *
			(u64)libbpf_num_possible_cpus();
		break;
	case BPF_MAP_TYPE_ARRAY:
		count = (u64)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u);
		break;
	default:
		count = 0;
	}
	return max(told, count);
}
