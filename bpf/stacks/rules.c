// SPDX-License-Identifier: GPL-2.0-or-later
/* rules.c: see rules.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/model/hash.h"
#include "bpf/model/index.h"
#include "bpf/stacks/rules.h"
#include "symbolizer/unwind.h"

/* Mapped: a bpf(2) update switches classic tracepoint programs off on its CPU meanwhile. */
static struct unw_info *infos;
static u32 n_infos;
static struct index numbers;

int rules_number(const struct unw_info *info)
{
	u32 hash = hash_bytes(info, sizeof(*info)), at = 0, i;

	while ((i = index_next(&numbers, hash, &at)) != INDEX_NONE)
		if (!memcmp(&infos[i], info, sizeof(*info)))
			return (int)i;
	if (n_infos == UNW_MAX_INFOS)
		return -1;
	infos[n_infos] = *info;
	index_add(&numbers, hash, n_infos);
	return (int)n_infos++;
}

int rules_open(int fd)
{
	void *shared = mmap(NULL, UNW_MAX_INFOS * sizeof(*infos), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		return -errno;
	infos = shared;
	infos[UNW_INFO_LEFT_OUT].cfa = UNW_CFA_LEFT_OUT;
	n_infos = UNW_INFO_LEFT_OUT + 1;	/* [0] is "none": all zero */
	index_add(&numbers, hash_bytes(&infos[UNW_INFO_NONE], sizeof(*infos)), UNW_INFO_NONE);
	return 0;
}

const struct unw_info *rules_info(u32 number)
{
	return number < n_infos ? &infos[number] : NULL;
}

void rules_close(void)
{
	if (infos)
		munmap(infos, UNW_MAX_INFOS * sizeof(*infos));
	infos = NULL;
	index_free(&numbers);
	n_infos = 0;
}
