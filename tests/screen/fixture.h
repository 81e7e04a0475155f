/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fixture.h: snapshots from a readable text, for screen tests:
 *
 *	session host_name=shop-web-03 kernel=6.1.0-28 arch=x86_64
 *	tick interval=1s			starts a snapshot; times go on by the interval
 *	host cpus=8 cpu_pct=40.1		one line a row: TABLE member=value ...
 *	processes pid=1 comm=init cmdline="/sbin/init" state=S closed=1
 *	status syscalls blocked "CAP_BPF is missing; run it with sudo"
 *	repeat 3				the last tick again, 3 times
 *
 * A value is a number with an optional unit (K M G T of 1024, us ms s m h d), a text,
 * "?" (unknown), "-" (blank) or "." (pending). A member that is not named is
 * unknown. "age=3d" sets start_time_ns to that long before the tick; hist=1ms*20,40us*3
 * adds values to the histogram. Tables with a row have the status ok.
 */
#pragma once

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"

#define FIXTURE_MAX 400

struct fixture {
	struct session session;
	const struct snapshot *ticks[FIXTURE_MAX];
	u32 n;
};

/* NULL: unreadable or invalid; the error is printed. */
struct fixture *fixture_load(const char *path);
void fixture_free(struct fixture *f);
