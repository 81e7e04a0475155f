/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* net.h: addresses and owner of a socket, shared by BPF programs (net.bpf.h) and user space. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Both ends of a socket, and its network namespace. v4-mapped addresses are stored as v4. */
struct wire_ends {
	__u8 local[16], remote[16];
	__u16 lport, rport;	/* host order */
	__u32 netns;		/* inode number */
};

/* A process. tgid 0: none. */
struct wire_owner {
	__u64 start_ns;
	__u32 tgid, pad;
	char comm[16];
};
