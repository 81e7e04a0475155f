// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * syscalls.bpf.c: counts every system call of every task and, on request, measures
 * latencies by process and call.
 *
 * With latencies off only on_enter is attached: one addition to a counter of the thread.
 * With latencies on, on_enter notes the time in task storage and on_return adds to the
 * current set; user space swaps the sets once a tick and drains the other one.
 */
#include "bpf/kernel/counted.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/kernel/scope.bpf.h"
#include "bpf/model/hist_index.h"
#include "bpf/collectors/syscalls/syscalls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

u32 generation;		/* of the latency measurement; 0: only counting */
u32 current_set;	/* 0 or 1 */
u64 lost_storage, lost_slots, lost_cells;

/* They exist while latencies are measured: user space makes them, and puts them in. */
struct set_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct sc_set));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct set_map);
} sets SEC(".maps");

static __always_inline struct sc_set *set_of(u32 which)
{
	u32 zero = 0;
	void *map = bpf_map_lookup_elem(&sets, &which);

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

/* ABI << 16 | number of the call; numbers beyond any table become CALL_INVALID. */
static __always_inline u32 call_of(struct task_struct *t, long id)
{
	u32 nr = id, abi = ABI_NATIVE;

#if defined(__TARGET_ARCH_x86)
	if (t->thread_info.status & TS_COMPAT) {
		abi = ABI_COMPAT;
	} else if (nr & 0x40000000) {
		abi = ABI_X32;
		nr &= ~0x40000000u;
	}
#elif defined(__TARGET_ARCH_arm64)
	if ((t->thread_info.flags >> TIF_32BIT_ARM64) & 1)
		abi = ABI_COMPAT;
#endif
	return abi << 16 | (nr < 0x1000 ? nr : CALL_INVALID);
}

static __always_inline bool is_slot(struct sc_slot *slot, u32 call, u32 tgid, u64 start_ns)
{
	return slot->call == call && slot->tgid == tgid && slot->start_ns == start_ns &&
	       slot->ready;
}

/* The slot of process and call; OTHER_SLOT: no room. Global: its loop is verified only once. */
__noinline u32 find_slot(u32 which, u32 call, u32 tgid, u64 start_ns)
{
	struct sc_set *set = set_of(which);
	u64 h = ((u64)tgid << 32 | call) * 0x9e3779b97f4a7c15ull;
	u32 at = h >> (64 - SLOT_BITS);

	if (!set)
		return OTHER_SLOT;
	for (int i = 0; i < MAX_PROBES; i++, at++) {
		struct sc_slot *slot;

		at &= N_SLOTS - 1;
		if (at == OTHER_SLOT)
			continue;
		slot = &set->slots[at];
		if (is_slot(slot, call, tgid, start_ns))
			return at;
		if (!slot->claimed && !__sync_val_compare_and_swap(&slot->claimed, 0, 1)) {
			slot->call = call;
			slot->tgid = tgid;
			slot->start_ns = start_ns;
			__sync_fetch_and_add(&set->used_slots, 1);
			__sync_fetch_and_add(&slot->ready, 1);	/* a barrier too */
			return at;
		}
	}
	__sync_fetch_and_add(&lost_slots, 1);
	return OTHER_SLOT;
}

/* The first place, where nearly all are, without a call. */
static __always_inline u32 slot_of(struct sc_set *set, u32 which, u32 call, u32 tgid, u64 start_ns)
{
	u64 h = ((u64)tgid << 32 | call) * 0x9e3779b97f4a7c15ull;
	u32 at = h >> (64 - SLOT_BITS);
	struct sc_slot *slot = &set->slots[at & (N_SLOTS - 1)];

	if (is_slot(slot, call, tgid, start_ns) && at != OTHER_SLOT)
		return at;
	return find_slot(which, call, tgid, start_ns);
}

__noinline int count_cell(u32 which, u32 slot, u32 what)
{
	struct sc_set *set = set_of(which);
	u32 key = CELL_KEY(slot, what);
	/* an octave of a slot is one cache line; octaves are spread */
	u32 at = CELL_AT(slot, what);

	if (!set)
		return 0;
	for (int i = 0; i < MAX_CELL_PROBES; i++, at++) {
		struct sc_cell *cell;
		u32 found;

		at &= N_CELLS - 1;
		cell = &set->cells[at];
		found = cell->key;
		if (!found) {
			found = __sync_val_compare_and_swap(&cell->key, 0, key);
			if (!found)
				__sync_fetch_and_add(&set->used_cells, 1);
		}
		if (!found || found == key) {
			__sync_fetch_and_add(&cell->n, 1);
			return 0;
		}
	}
	__sync_fetch_and_add(&lost_cells, 1);
	return 0;
}

static __always_inline void count_bucket(struct sc_set *set, u32 which, u32 slot, u32 what)
{
	u32 at = CELL_AT(slot, what) & (N_CELLS - 1);
	struct sc_cell *cell = &set->cells[at];

	if (cell->key == CELL_KEY(slot, what))
		__sync_fetch_and_add(&cell->n, 1);
	else
		count_cell(which, slot, what);
}

static __always_inline void raise(u64 *max, u64 v)
{
	for (int i = 0; i < 4; i++) {
		u64 old = *max;

		if (v <= old || __sync_val_compare_and_swap(max, old, v) == old)
			return;
	}
}

/* One more call of the running thread. Its storage, if it was needed. */
static __always_inline struct task_state *count_call(struct task_struct *t)
{
	struct counted *c = counted_of(t->pid);
	struct task_state *s;

	if (c) {
		c->calls++;
		return NULL;
	}
	s = task_state_make(t);
	if (s)
		count_first(t->pid, s);
	else
		__sync_fetch_and_add(&lost_storage, 1);
	return s;
}

static __always_inline int enter(long id)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct task_state *s = count_call(t);
	u32 gen = generation;

	if (!gen)
		return 0;
	s = s ?: task_state_make(t);
	if (!s)
		return 0;
	if (!in_scope(t->tgid)) {
		s->enter_ns = 0;
		return 0;
	}
	s->call = call_of(t, id);
	s->generation = gen;
	s->enter_ns = bpf_ktime_get_ns();
	return 0;
}

/* Two ways to the same place: see probes_prefer_classic(). */
SEC("?tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long id)
{
	return enter(id);
}

/* include/trace/events/syscalls.h: after the common header the number, then arguments or result. */
struct syscall_args {
	u64 common;
	long id, ret;
};

SEC("?tp/raw_syscalls/sys_enter")
int on_enter_tp(struct syscall_args *ctx)
{
	return enter(ctx->id);
}

/* As syscall_get_nr() of include/asm/syscall.h. */
static __always_inline long call_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (long)regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

static __always_inline void count_error(struct sc_set *set, u32 which, u32 at, long ret)
{
	if (ret >= 0 || ret < -4095)
		return;
	__sync_fetch_and_add(&set->slots[at].errors, 1);
	count_cell(which, at, CELL_ERRNO + (u32)-ret);
}

/*
 * A return without an entry: seccomp (or a tracer) did not let the call in, and
 * kernel/entry/common.c leaves the entry's tracepoint out then. It is counted, without a latency.
 * The first return of a thread may be of a call from before we looked, or a fork's in the child.
 */
static __always_inline int denied(struct task_struct *t, struct task_state *s, long id, long ret)
{
	u32 at, which = current_set & 1;
	struct sc_set *set;

	if (s->generation != generation) {
		s->generation = generation;
		s->enter_ns = 0;
		return 0;
	}
	if (id < 0 || !in_scope(t->tgid))
		return 0;
	count_call(t);
	set = set_of(which);
	if (!set)
		return 0;
	at = find_slot(which, call_of(t, id), t->tgid, s->start_ns) & (N_SLOTS - 1);
	__sync_fetch_and_add(&set->slots[at].died, 1);
	count_error(set, which, at, ret);
	return 0;
}

/* regs, where the tracepoint has them; else the number of the call. */
static __always_inline int leave(struct pt_regs *regs, long id, long ret)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct task_state *s = task_state(t);
	struct sc_slot *slot;
	struct sc_set *set;
	u32 at, which;
	u64 ns;
	int b;

	if (!s)
		return 0;
	if (!s->enter_ns || s->generation != generation)
		return denied(t, s, regs ? call_number(regs) : id, ret);
	ns = bpf_ktime_get_ns() - s->enter_ns;
	s->enter_ns = 0;
	which = current_set & 1;
	set = set_of(which);
	if (!set)
		return 0;
	at = slot_of(set, which, s->call, t->tgid, s->start_ns) & (N_SLOTS - 1);
	slot = &set->slots[at];
	__sync_fetch_and_add(&slot->count, 1);
	__sync_fetch_and_add(&slot->total_ns, ns);
	if (ns > slot->max_ns)
		raise(&slot->max_ns, ns);
	if (~ns > slot->inv_min_ns)
		raise(&slot->inv_min_ns, ~ns);
	b = hist_index(ns);
	if (b < 0)
		__sync_fetch_and_add(&slot->zero, 1);
	else
		count_bucket(set, which, at, b);
	count_error(set, which, at, ret);
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	return leave(regs, 0, ret);
}

SEC("?tp/raw_syscalls/sys_exit")
int on_return_tp(struct syscall_args *ctx)
{
	return leave(NULL, ctx->id, ctx->ret);
}

/* exit, exit_group, and whatever else never returns: entered, so it counts. */
static __always_inline int thread_end(struct task_struct *t)
{
	struct task_state *s = task_state(t);
	struct sc_set *set;
	u32 at, which;

	if (!s || !s->enter_ns || s->generation != generation)
		return 0;
	s->enter_ns = 0;
	which = current_set & 1;
	set = set_of(which);
	if (!set)
		return 0;
	at = find_slot(which, s->call, t->tgid, s->start_ns) & (N_SLOTS - 1);
	__sync_fetch_and_add(&set->slots[at].died, 1);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(on_thread_end, struct task_struct *t)
{
	return thread_end(t);
}

SEC("?tp/sched/sched_process_exit")
int on_thread_end_tp(void *ctx)
{
	return thread_end(bpf_get_current_task_btf());
}
