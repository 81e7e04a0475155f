/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections_short.h: short connections that are counted together. Of one process with one
 * remote address and one port there may be 20,000 a second: no one can read so many rows, and to
 * make them costs the machine a tenth of what it does. So SHORT_SINGLES a second have a row
 * each, evenly spread over it, and the others are counted by the programs in one row, where
 * nothing is remarkable about them: their process is known, they were open for less than
 * SHORT_NS, ended in order, lost no segment, and no row of them has been made.
 *
 * The counts are in two sets: the programs use one, user space reads the other one, which is at
 * rest after a grace period. A row of user space goes on from tick to tick.
 */
#ifndef OTTOP_CONNECTIONS_SHORT_H
#define OTTOP_CONNECTIONS_SHORT_H

#include "bpf/collectors/connections/connections.h"

#define SHORT_NS 100000000ull
#define SHORT_SINGLES 128	/* a second */
#define SHORT_STEP_NS (1000000000ull / SHORT_SINGLES)
#define SHORT_PLACES 512	/* of each set */
#define SHORT_PROBES 4
#define SHORT_PACES 1024

struct short_key {
	__u64 start_ns;		/* of the process */
	__u8 remote[16];
	__u32 tgid, netns;
	__u16 port;		/* the one that was connected to: there, or here where they were accepted */
	__u8 v6, accepted;
	__u32 pad;
};

enum { SHORT_FREE, SHORT_CLAIMED, SHORT_READY };

struct short_count {
	__u32 state;		/* SHORT_* */
	__u32 srtt_8us;		/* of the last one */
	struct short_key key;
	__u64 n, rx_bytes, tx_bytes, rx_packets, tx_packets;
	__u64 first_ns, last_ns;	/* when they began or ended */
	__u8 local[16];		/* of the first one */
	char comm[16];
};

/* When the next one of a key (by its hash) may have a row of its own. */
struct short_pace {
	__u64 who, due_ns;
};

#ifndef __bpf__
#include "bpf/collectors/collector.h"

struct connections;

/* The skeleton stays the caller's, and loaded until short_close(). */
void short_open(struct connections *skel);
void short_close(void);
/* Begins the other set. True when a grace period has to pass before short_read(). */
bool short_swap(void);
/* Brings the rows up to date; those of processes that are gone end. */
void short_read(const struct tick *t);
#endif

#endif
