/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* waits_wire.h: what waits.bpf.c tells waits_ends.c: who has a pipe, a socket or a locked file open. */
#ifndef OTTOP_WAITS_WIRE_H
#define OTTOP_WAITS_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "bpf/kernel/net.h"

#define END_PATH_MAX 108	/* sun_path */
#define ENDS_MAX 128		/* that are looked for at once */

enum wire_end_kind {
	WIRE_FIFO = 1,		/* a pipe or FIFO that was asked for */
	WIRE_SOCKET,		/* a socket that was asked for */
	WIRE_UNIX_PEER,		/* whose peer was asked for; ino is the peer's */
	WIRE_TUPLE,		/* with the ends that were asked for */
	WIRE_FILE,		/* a regular file that was asked for: it may hold a lock */
};

/* One open descriptor. */
struct wire_end {
	__u64 ino;
	__u32 dev;		/* as the kernel has it: it only tells two file systems apart */
	__u32 pid, fd;
	__u32 kind, mode;	/* enum wire_end_kind; FMODE_READ 1, FMODE_WRITE 2 */
	__u32 peer_pid;		/* unix: who connected, listened or made the pair; 0: not known */
	__u16 family, protocol;
	__u8 state, v6;
	__u16 path_len;		/* unix: its own path, or else the peer's; a NUL first: abstract */
	struct wire_ends ends;	/* of family AF_INET and AF_INET6 */
	char path[END_PATH_MAX];
};

#endif
