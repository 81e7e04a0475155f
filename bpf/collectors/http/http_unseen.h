/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_unseen.h: processes, by name, that may speak HTTP in a way that we cannot observe: an unknown TLS library,
 * io_uring, QUIC. Reported in the status of the table http and in the table probes.
 */
#ifndef OTTOP_HTTP_UNSEEN_H
#define OTTOP_HTTP_UNSEEN_H

#include "bpf/model/snapshot_build.h"
#include "bpf/protocols/wire.h"

/* Adds or removes a process. start_ns: of the process. */
void unseen_note(u32 pid, u64 start_ns, enum http_unseen how);
void unseen_withdraw(u32 pid, u64 start_ns, enum http_unseen how);
/* Once a tick: takes what BPF programs noted in their map (map_fd), and drops ended processes. */
void unseen_tick(int map_fd);
/* After the status of the table http is set: adds what it lacks. */
void unseen_report(struct builder *b);
void unseen_clear(void);

#endif
