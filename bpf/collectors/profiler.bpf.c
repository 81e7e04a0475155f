// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * profiler.bpf.c: stack samples of what runs: a perf event on every CPU. The
 * samples are few (99 a second and CPU) and go out one by one; user space adds
 * them up.
 */
#include "bpf/unwind.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ASK_AGAIN_NS 20000000ull	/* for mappings of one process: at most every 20 ms */
#define MAX_SCOPE 64

u64 lost_samples;
u32 scope_n;		/* 0: everybody; else only the processes of scope_tgids */
u32 scope_tgids[MAX_SCOPE];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

/* A sample in the making; w.frames follows s without a gap. */
struct record {
	struct wire_sample s;
	struct walk w;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct record);
} records SEC(".maps");

static __always_inline bool in_scope(u32 tgid)
{
	u32 n = scope_n;

	if (!n)
		return true;
	for (u32 i = 0; i < MAX_SCOPE; i++) {
		if (i >= n)
			break;
		if (scope_tgids[i] == tgid)
			return true;
	}
	return false;
}

/* Appends the kernel stack to the user frames; 0 frames where it was in user code. */
static __always_inline u32 kernel_stack(void *ctx, struct walk *w, u32 n_user)
{
	long bytes;

	if (n_user > MAX_FRAMES)
		return 0;
	bytes = bpf_get_stack(ctx, &w->frames[n_user], MAX_FRAMES * sizeof(u64), 0);
	return bytes > 0 ? bytes / sizeof(u64) : 0;
}

/*
 * User space has to look at this process: it is new, another program, or has
 * mapped something. True at most once in ASK_AGAIN_NS.
 */
static __always_inline bool must_ask(struct walk *w, u32 tgid, u64 now)
{
	struct unw_process *p;

	if (w->end == WALK_NEW_PROCESS)
		return true;
	if (!w->miss)
		return false;
	p = bpf_map_lookup_elem(&unw_processes, &tgid);
	if (!p || now - p->asked_ns < ASK_AGAIN_NS)
		return false;
	p->asked_ns = now;
	return true;
}

static __always_inline void send(struct record *r, u64 flags)
{
	u32 n = r->s.n_user + r->s.n_kernel;

	if (n > 2 * MAX_FRAMES)
		return;
	if (bpf_ringbuf_output(&samples, r, sizeof(r->s) + n * sizeof(u64), flags))
		__sync_fetch_and_add(&lost_samples, 1);
}

SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct record *r;
	u32 zero = 0;

	if (!t->pid || !in_scope(t->tgid))
		return 0;
	r = bpf_map_lookup_elem(&records, &zero);
	if (!r)
		return 0;
	walk_user(&r->w, t);
	r->s.kind = SAMPLE_CPU;
	r->s.tgid = t->tgid;
	r->s.tid = t->pid;
	r->s.waker = 0;
	r->s.time_ns = bpf_ktime_get_boot_ns();
	r->s.start_ns = t->group_leader->start_boottime;
	r->s.exec_id = t->self_exec_id;
	r->s.value = 1;
	r->s.miss = r->w.miss;
	r->s.end = r->w.end;
	r->s.kernel_only = 0;
	bpf_get_current_comm(r->s.comm, sizeof(r->s.comm));
	r->s.n_user = r->w.n;
	r->s.n_kernel = kernel_stack(ctx, &r->w, r->w.n);
	/* a wake-up costs, but the sooner tables are there the fewer samples are cut */
	send(r, must_ask(&r->w, t->tgid, r->s.time_ns) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	return 0;
}
