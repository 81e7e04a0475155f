/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_unseen.h: processes that may speak HTTP in a way that is not seen, by name: TLS of a library that is
 * not known, io_uring, QUIC. The table http and the list of programs say so.
 */
#ifndef OTTOP_HTTP_UNSEEN_H
#define OTTOP_HTTP_UNSEEN_H

#include "bpf/model/snapshot_build.h"
#include "bpf/protocols/wire.h"

/* It is so, or is not so any more. start_ns: of the process. */
void unseen_note(u32 pid, u64 start_ns, enum http_unseen how);
void unseen_withdraw(u32 pid, u64 start_ns, enum http_unseen how);
/* Once a tick: what kernel programs noted in their map since (its descriptor); who has ended is forgotten. */
void unseen_tick(int map_fd);
/* After the status of the table http is known: what it lacks. */
void unseen_report(struct builder *b);
void unseen_clear(void);

#endif
