/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections_events.h: connections opened, closed and failed as rows of the table events. */
#pragma once

#include "bpf/collectors/connections/connections_table.h"

/* A tick begins: resets the room for its events. */
void conn_events_begin(const struct tick *t);
/* kind: connect, accept, close or fail. o: the process; tgid 0: the connection's owner. */
void conn_event(struct conn *c, const char *kind, u64 time_ns, const struct wire_owner *o);
/* n events of a row that stands for many connections: counted as not listed. */
void conn_events_unlisted(const struct conn *c, u64 n);
