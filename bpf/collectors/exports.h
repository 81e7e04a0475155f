/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exports.h: state of exporters, reported by their owner; the next tick's table `exports` shows it.
 */
#pragma once

#include "bpf/model/base.h"

#define EXPORTS_MAX 8

/* One signal. Times are CLOCK_BOOTTIME, 0 where there is none; "" where there is nothing to say. */
struct export_state {
	char signal[12], state[12], protocol[16], compression[8];
	char endpoint[256], error[200];
	bool off;		/* it is not sent: nothing but signal, state and error counts */
	u64 sent, refused, dropped, posts, retried;
	u64 queued, queued_bytes, cap_bytes, sent_bytes;
	u32 failed;
	u64 took_ns, last_ns, begun_ns, next_ns, error_ns;
	u64 encode_cpu_ns, send_cpu_ns;
};

/* Copies what n signals (at most EXPORTS_MAX) say now. Never waits; from any thread. */
void exports_report(const struct export_state *states, u32 n);
