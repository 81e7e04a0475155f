/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_fresh.h: connections that no pass has seen yet. With so many sockets that a pass
 * takes several ticks, a new connection would appear seconds late; it is read directly, found by
 * its place among the young ones (struct conn_slot). Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/collectors/connections/connections.h"

struct connections;

typedef void (*take_fresh_fn)(const struct wire_sock *w, u64 now_ns);

/* The programs, which the caller keeps until fresh_close(). */
void fresh_open(struct connections *skel);
void fresh_close(void);
/* Reads those not reported yet. Before young_sweep(), which moves those older than a second. */
void fresh_read(u64 now_ns, take_fresh_fn take);
