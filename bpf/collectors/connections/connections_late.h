/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_late.h: connections reset before their process used them: the owner is reported when
 * it closes the socket. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/collectors/connections/connections.h"

#define LATE_NS (2 * NSEC_PER_SEC)	/* how long an end waits for its owner */

typedef void (*take_end_fn)(const struct wire_end *e);

typedef bool (*knows_listener_fn)(const struct wire_ends *ends);

/*
 * known: takes ends with their owner; unknown: those whose owner was not reported in time.
 * listener: true if a pass has seen who listens there; later passes would not find more.
 */
void late_open(take_end_fn known, take_end_fn unknown, knows_listener_fn listener);
void late_close(void);
/* Keeps it until its owner is reported; where there is no room it goes to `unknown` at once. */
void late_keep(const struct wire_end *e);
/*
 * An owner; ignored if no end waits for it. tgid 0: there is none, as it was never accepted, or closed last by
 * somebody who only looked at it; its end waits on for a pass that finds who listens.
 */
void late_owner(u64 cookie, const struct wire_owner *o);
/* Once a tick: passes those that have waited for LATE_NS to `unknown`. */
void late_sweep(u64 now_ns);
