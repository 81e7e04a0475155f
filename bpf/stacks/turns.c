// SPDX-License-Identifier: GPL-2.0-or-later
/* turns.c: see turns.h. */
#include <stdlib.h>

#include "bpf/stacks/turns.h"

#define LONGEST_EACH 4		/* every so many turns the file that has waited longest */
/* For each ms that its names cost above 100, a file pauses 20 ms, at most 10 s. */
#define COST_FREE_NS (100 * NSEC_PER_MSEC)
#define WAIT_FACTOR 20
#define WAIT_MAX_NS (10 * NSEC_PER_SEC)

static struct file_turns {
	u32 heat;	/* samples in unnamed frames since the last request */
	u64 asked;	/* number of its last turn */
	u64 not_before_ns;
} *files;
static u32 n_files;
static u64 n_turns;

static struct file_turns *of(u32 file)
{
	files = grow_to(files, &n_files, file, sizeof(*files));
	return &files[file];
}

void turns_heat(u32 file)
{
	of(file)->heat++;
}

static bool is_before(u32 a, u32 b, bool longest)
{
	return longest ? of(a)->asked < of(b)->asked : of(a)->heat > of(b)->heat;
}

u32 turns_next(u32 last, bool (*is_ready)(u32 file), u64 now_ns)
{
	bool longest = n_turns % LONGEST_EACH == LONGEST_EACH - 1;
	u32 best = 0;

	for (u32 file = 1; file <= last; file++)
		if (is_ready(file) && now_ns >= of(file)->not_before_ns &&
		    (!best || is_before(file, best, longest)))
			best = file;
	return best;
}

void turns_asked(u32 file)
{
	of(file)->heat = 0;
	of(file)->asked = ++n_turns;
}

void turns_answered(u32 file, u64 cpu_ns, u64 now_ns)
{
	u64 above = cpu_ns > COST_FREE_NS ? cpu_ns - COST_FREE_NS : 0;

	of(file)->not_before_ns = now_ns + min(min(above, WAIT_MAX_NS) * WAIT_FACTOR, WAIT_MAX_NS);
}

void turns_close(void)
{
	free(files);
	files = NULL;
	n_files = 0;
	n_turns = 0;
}
