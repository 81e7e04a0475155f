// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * profiler.bpf.c: samples of running threads (a perf event a CPU) and of waiting ones
 * (profiler_off.bpf.h), sent one by one; user space aggregates.
 */
#include "bpf/kernel/ksym.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/kernel/scope.bpf.h"
#include "bpf/stacks/unwind.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

u64 lost_samples;
bool sampling;	/* user space is ready */

#define SAMPLES_BYTES (1 << 21)
RING(samples, SAMPLES_BYTES);

KSYM(name_of_kernel)

/* A sample being built; w.frames must follow s without a gap. */
struct record {
	struct wire_sample s;
	struct walk w;
};

PERCPU_ARRAY(records, 1, struct record);

#include "bpf/collectors/profiler/profiler_lost.bpf.h"

/* r is a sample of t. */
static __always_inline void send(struct record *r, struct task_struct *t, u64 flags)
{
	u32 n = r->s.n_user + r->s.n_kernel;

	if (n > 2 * MAX_FRAMES)
		return;
	if (bpf_ringbuf_output(&samples, r, sizeof(r->s) + n * sizeof(u64), flags)) {
		lose_time(t, r->s.kind, r->s.value);
		__sync_fetch_and_add(&lost_samples, 1);
	}
}

#include "bpf/collectors/profiler/profiler_copy.bpf.h"

/* Appends the kernel stack to the user frames; 0 frames where it was in user code. */
static __always_inline u32 kernel_stack(void *ctx, struct walk *w, u32 n_user)
{
	long bytes;

	if (n_user > MAX_FRAMES)
		return 0;
	bytes = bpf_get_stack(ctx, &w->frames[n_user], MAX_FRAMES * sizeof(u64), 0);
	return bytes > 0 ? bytes / sizeof(u64) : 0;
}

/* The result of walk_user(), and the identity of t. */
static __always_inline void fill(struct record *r, struct task_struct *t, u64 now)
{
	r->s.copied = 0;
	r->s.tgid = t->tgid;
	r->s.tid = t->pid;
	r->s.time_ns = now;
	r->s.start_ns = t->group_leader->start_boottime;
	r->s.exec_id = t->self_exec_id;
	bpf_core_read_str(r->s.comm, sizeof(r->s.comm), &t->comm);
	r->s.miss = r->w.miss;
	r->s.end = r->w.end;
	r->s.n_user = r->w.n;
}

SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct record *r;
	u32 zero = 0;
	bool ask;

	if (!sampling || !t->pid || !in_scope(t->tgid))
		return 0;
	r = bpf_map_lookup_elem(&records, &zero);
	if (!r)
		return 0;
	walk_user(&r->w, t);
	fill(r, t, bpf_ktime_get_boot_ns());
	r->s.kind = SAMPLE_CPU;
	r->s.waker = 0;
	r->s.value = 1;
	r->s.kernel_only = 0;
	r->s.n_kernel = kernel_stack(ctx, &r->w, r->w.n);
	ask = must_ask(&r->w, t, r->s.time_ns);
	if (!ask || !send_copy(r, 0, r->s.time_ns))
		send(r, t, ask ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	return 0;
}

#include "bpf/collectors/profiler/profiler_off.bpf.h"
