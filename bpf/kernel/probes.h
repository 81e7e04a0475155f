/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probes.h: every BPF program: attached or why not, and its cost (tables probes, self, lost). */
#pragma once

#include "bpf/kernel/loss.h"
#include "bpf/model/snapshot_build.h"

struct bpf_object;
struct bpf_program;
struct bpf_link;

/* Registers an object's programs, as "off", and maps. It must live until probes_forget(). */
void probes_add(const char *collector, struct bpf_object *obj);
/*
 * Kernels from 6.19 on run tracepoints with preemption on: while a tp_btf program is
 * preempted, its further invocations on that CPU are skipped ("recursion misses";
 * measured on 7.3: a quarter of all system calls).
 */
bool probes_preemptible(void);
/*
 * They still run classic tracepoints with preemption off: preferred where data and tracefs suffice.
 */
bool probes_prefer_classic(void);
/* Two programs that do the same work, once: a miss of one of them is no loss. */
void probes_duplicates(struct bpf_program *one, struct bpf_program *other);
/* Runs that this program misses by recursion are not counted as losses: none are, or others count them. */
void probe_misses_nothing(struct bpf_program *prog);
/* Attaches one. The link, or NULL with errno; the reason goes to the table. */
struct bpf_link *probe_attach(struct bpf_program *prog);
/*
 * Attaches each that is loaded; its link gets the same index in links[], NULL if it is blocked.
 * Returns how many are blocked; -errno if the first one is, without which the others are useless.
 */
int probes_attach(struct bpf_program *const *progs, u32 n, struct bpf_link **links);
/* Destroys the links; NULL entries are skipped. */
void probes_detach(struct bpf_link **links, u32 n);
/* Marks a program as attached by other means. */
void probe_attached(struct bpf_program *prog);
/* Marks a program as detached (its link was destroyed), and why. */
void probe_off(struct bpf_program *prog, const char *why);
/* Adds a row for a blocked program that has no object. */
void probe_blocked(const char *collector, const char *where, const char *reason);
/* Removes that row. */
void probe_unblocked(const char *collector, const char *where);
void probes_forget(const char *collector);

/* Sets how often a program runs per second, where a collector counts that. */
void probe_runs(struct bpf_program *prog, float per_s);

/* Cost of a run to the task, ns, with entry and exit, unlike run-time statistics. 0: unmeasured. */
void probe_costs(struct bpf_program *prog, u64 ns);

/* Silences libbpf on stderr; with OTTOP_DEBUG only its debug messages. */
void probes_quiet(void);

/* A readable reason for an attach or load that failed with -err. */
const char *probe_why(int err);

/* Waits until no BPF program still uses the swapped-out set: about 10 to 30 ms. */
void probes_grace_period(void);

/* Adds the rows of the tables probes and lost. */
void probes_rows(struct builder *b);
/* Cost of all programs, 100 = the machine; unknown until a window was measured. */
float probes_cost_pct(void);
/* Bytes of kernel memory of all maps. tasks: how many tasks have task storage. */
u64 probes_map_bytes(u64 tasks);

/*
 * The measuring window: kernel run-time statistics are on for 100 ms every 2 s, because they cost
 * more than small programs do. Called often; does nothing most of the time. A window opens only
 * just before a tick, so that the programs that run once a tick are in it. admin.h switches them.
 */
void probes_measure(u64 now_ns, bool before_tick);
