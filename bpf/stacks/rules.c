// SPDX-License-Identifier: GPL-2.0-or-later
/* rules.c: see rules.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/stacks/rules.h"
#include "symbolizer/unwind.h"

#define INDEX_SIZE (2 * UNW_MAX_INFOS)

/*
 * Shared with the kernel side by mapping it: a bpf(2) update switches classic
 * tracepoint programs off on its CPU for as long as it runs (or is preempted).
 */
static struct unw_info *infos;
static u32 n_infos;
static u16 *info_index;	/* open addressing; 0: free */

int rules_number(const struct unw_info *info)
{
	u64 w[2];
	u32 at;

	memcpy(w, info, sizeof(w));
	at = (u32)((w[0] * 0x9e3779b97f4a7c15ull ^ w[1] * 0xc2b2ae3d27d4eb4full) >> 32);
	for (at &= INDEX_SIZE - 1; info_index[at]; at = (at + 1) & (INDEX_SIZE - 1))
		if (!memcmp(&infos[info_index[at]], info, sizeof(*info)))
			return info_index[at];
	if (!memcmp(&infos[UNW_INFO_NONE], info, sizeof(*info)))
		return UNW_INFO_NONE;
	if (n_infos == UNW_MAX_INFOS)
		return -1;
	infos[n_infos] = *info;
	info_index[at] = (u16)n_infos;
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
	info_index = xcalloc(INDEX_SIZE, sizeof(*info_index));
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
	free(info_index);
	info_index = NULL;
	n_infos = 0;
}
