/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections_short.h: short connections that are counted together. One process may have 20,000 a
 * second with one remote address and port: too many rows to read, and making them costs a tenth of
 * the machine. So SHORT_SINGLES a second get a row each, evenly spread, and the programs count the
 * others in one row, provided they are ordinary: known process, open for less than SHORT_NS, orderly
 * end, no retransmission, and not in the table yet.
 *
 * There are two sets of counts: the programs use one while user space reads the other, after a grace
 * period. The rows in user space persist from tick to tick.
 */
#pragma once

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
	__u16 port;		/* the server's: remote, or local if they were accepted */
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

/* When the next connection of a key (by its hash) gets a row of its own. */
struct short_pace {
	__u64 who, due_ns;
};

#ifndef __bpf__
#include "bpf/collectors/collector.h"

struct connections;

/* The skeleton stays the caller's, and loaded until short_close(). */
void short_open(struct connections *skel);
void short_close(void);
/* Swaps the sets. True: a grace period has to pass before short_read(). */
bool short_swap(void);
/* Updates the rows; closes those of processes that are gone. */
void short_read(const struct tick *t);
#endif
