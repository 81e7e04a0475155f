/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes.h: every kernel program of ottop: attached or not and why, what it
 * costs. What the tables probes and self show; lost is added with them (loss.h).
 */
#ifndef OTTOP_PROBES_H
#define OTTOP_PROBES_H

#include "bpf/kernel/loss.h"
#include "bpf/model/snapshot_build.h"

struct bpf_object;
struct bpf_program;
struct bpf_link;

/*
 * Announces the programs of an opened object as "off", and its maps as ours.
 * The object must outlive probes_forget().
 */
void probes_add(const char *collector, struct bpf_object *obj);
/*
 * Kernels from 6.19 on run tracepoints with preemption on: a tp_btf program that
 * is preempted makes others on its CPU be skipped ("recursion misses"; measured
 * on 7.3: a quarter of all system calls).
 */
bool probes_preemptible(void);
/*
 * There the classic tracepoint, which runs with preemption off, is the right one,
 * where it has the data, and tracefs is there.
 */
bool probes_prefer_classic(void);
/* Two programs that do the same work, once: a miss of one of them is no loss. */
void probes_duplicates(struct bpf_program *one, struct bpf_program *other);
/* Runs that this program misses by recursion are not counted as losses: none are, or others count them. */
void probe_misses_nothing(struct bpf_program *prog);
/* Attaches one. The link, or NULL with errno set; the reason is kept for the table. */
struct bpf_link *probe_attach(struct bpf_program *prog);
/*
 * Attaches each that is loaded; its link gets the same place in links[], NULL
 * where it is blocked. How many are; or -errno where the first is, which the
 * others are nothing without.
 */
int probes_attach(struct bpf_program *const *progs, u32 n, struct bpf_link **links);
/* Destroys them; NULL is fine. */
void probes_detach(struct bpf_link **links, u32 n);
/* Says that a program was attached by other means. */
void probe_attached(struct bpf_program *prog);
/* Says that a program is not attached any more (its link was destroyed), and why. */
void probe_off(struct bpf_program *prog, const char *why);
/* A program that cannot be had, without an object: collector, where, reason. */
void probe_blocked(const char *collector, const char *where, const char *reason);
/* It is not so any more: the row goes. */
void probe_unblocked(const char *collector, const char *where);
void probes_forget(const char *collector);

/* What the collectors count themselves: how often a program runs, per second. */
void probe_runs(struct bpf_program *prog, float per_s);

/*
 * What one run costs whom it interrupts, ns, with the way to the program and back, which run-time
 * statistics leave out: where a collector has measured that. 0: nobody has.
 */
void probe_costs(struct bpf_program *prog, u64 ns);

/* libbpf says nothing on stderr, but with OTTOP_DEBUG all except its debug messages. */
void probes_quiet(void);

/* Why an attach or load failed with -err, as a person would say it. */
const char *probe_why(int err);

/* Waits until no kernel program still uses what was swapped out. About 10 to 30 ms. */
void probes_grace_period(void);

/* Adds the rows of the tables probes and lost. */
void probes_rows(struct builder *b);
/* Cost of all programs, 100 = the machine; unknown until a window was measured. */
float probes_cost_pct(void);
/* Bytes of kernel memory of all maps. tasks: how many tasks have task storage. */
u64 probes_map_bytes(u64 tasks);

/*
 * The measuring window: kernel run-time statistics are on for 100 ms
 * every 2 s, because they cost more than small programs do. Called
 * often; does nothing most of the time. A window opens only just before a tick,
 * so that the programs that run once a tick are in it. admin.h switches them.
 */
void probes_measure(u64 now_ns, bool before_tick);

#endif
