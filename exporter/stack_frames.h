/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_frames.h: the frames that the rows of the table stacks name by number. */
#ifndef EXPORTER_STACK_FRAMES_H
#define EXPORTER_STACK_FRAMES_H

#include "bpf/snapshot.h"

struct stack_frames {
	const struct frames_row **by_id;
	u32 n;
};

/* Of one snapshot, which the caller keeps until stack_frames_close(). */
struct stack_frames stack_frames_of(const struct snapshot *s);
void stack_frames_close(struct stack_frames *x);
/*
 * Calls fn for each frame of a stack, leaf first, with what was inlined there before
 * it. ids: as in stacks.frames. f is NULL where the snapshot does not have the frame.
 */
void stack_frames_each(const struct stack_frames *x, const char *ids,
		       void (*fn)(const struct frames_row *f, void *arg), void *arg);

#endif
