/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_unseen.h: processes that may speak HTTP unobserved (unknown TLS library, io_uring, QUIC),
 * for the status of the table http and the table probes.
 */
#pragma once

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
