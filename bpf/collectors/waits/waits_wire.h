/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* waits_wire.h: records of waits.bpf.c for waits_ends.c: open descriptors of pipes, sockets and locked files. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "bpf/kernel/net.h"

#define END_PATH_MAX 108	/* sun_path */
#define ENDS_MAX 128		/* searched at once */

enum wire_end_kind {
	WIRE_FIFO = 1,		/* a requested pipe or FIFO */
	WIRE_SOCKET,		/* a requested socket */
	WIRE_UNIX_PEER,		/* the peer of a requested socket; ino is that of the requested one */
	WIRE_TUPLE,		/* a socket with requested addresses */
	WIRE_FILE,		/* a requested regular file: it may hold a lock */
};

/* One open descriptor. */
struct wire_end {
	__u64 ino;
	__u32 dev;		/* in the kernel's encoding; only compared */
	__u32 pid, fd;
	__u32 kind, mode;	/* enum wire_end_kind; FMODE_READ 1, FMODE_WRITE 2 */
	__u32 peer_pid;		/* unix: process that connected, listened or created the pair; 0: unknown */
	__u16 family, protocol;
	__u8 state, v6;
	__u16 path_len;		/* unix: its own path, or else the peer's; a NUL first: abstract */
	struct wire_ends ends;	/* of family AF_INET and AF_INET6 */
	char path[END_PATH_MAX];
};
