/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user_walk.h: copied stacks of processes not known yet, walked by walk.h once their tables are
 * available. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"

#define WALK_MAX_BYTES (8u << 20)	/* of waiting copies; beyond that new ones are truncated */

/* s is valid during the call only. */
typedef void (*walked_fn)(const struct wire_sample *s);

/* Walks it now, or keeps a copy for later; done is called exactly once for each. */
void walk_copied(const struct wire_copy *c, walked_fn done);
/* Retries waiting copies, if a table has arrived since. */
void walk_waiting(walked_fn done);
/* Finishes all waiting copies with what is known. */
void walk_give_up(walked_fn done);
