/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_copy.bpf.h: copies of user stacks that the kernel could not walk yet, because user space
 * does not have the process or its tables.
 */
#pragma once

#define COPIES_PER_WINDOW 192
#define OFF_COPIES_PER_WINDOW 16	/* waits are many: they must not displace CPU samples */
#define COPY_WINDOW_NS 100000000ull

/* [0] for on_sample, [1] and [2] for the ends of waits. */
PERCPU_ARRAY(copies, 3, struct wire_copy);

/*
 * Must user space look at this process: new, exec, new mappings, table pending or in part? Address
 * misses are reported at most once in wait_ns.
 */
static __always_inline bool must_ask(struct walk *w, struct task_struct *t, u64 now)
{
	struct unw_process *p;

	if (w->end == WALK_NEW_PROCESS || w->end == WALK_NEW_FILE || w->end == WALK_NO_ROOM ||
	    w->end == WALK_NEW_CODE)
		return true;
	if (!w->miss)
		return false;
	p = known_process(t);
	if (!p || now - p->asked_ns < p->wait_ns)
		return false;
	p->asked_ns = now;
	return true;
}

u64 window_began_ns[2], window_copies[2];	/* [0] for CPU samples, [1] for waits */

/*
 * Limits copying when everything is new at once. If the reader is late a few dozen copies fill the ring, so a
 * quarter of it is kept for plain samples. Copies of waits may use only the first quarter: in the first tick,
 * when all programs are new and the ring is read late, they outnumber those of CPU samples.
 */
static __always_inline bool may_copy(u64 now, bool off_cpu)
{
	u64 used = bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA);

	if (used > (off_cpu ? SAMPLES_BYTES / 4 : SAMPLES_BYTES / 4 * 3))
		return false;
	if (now - window_began_ns[off_cpu] > COPY_WINDOW_NS) {
		window_began_ns[off_cpu] = now;
		window_copies[off_cpu] = 0;
	}
	return __sync_fetch_and_add(&window_copies[off_cpu], 1) <
	       (off_cpu ? OFF_COPIES_PER_WINDOW : COPIES_PER_WINDOW);
}

struct copying {
	struct wire_copy *c;
	u64 at;
	u32 n, missing;
};

/*
 * Copies one page; 1: done. After COPY_MAX_HOLE missing pages (untouched arrays) the stack ended.
 */
static int copy_page(u32 i, void *arg)
{
	struct copying *to = arg;
	u32 n = to->n, size = 4096 - (to->at & 4095);

	if (n > COPY_BYTES - 4096)
		return 1;
	to->missing++;
	if (bpf_probe_read_user(&to->c->stack[n], size, (const void *)to->at)) {
		to->c->holes |= 1u << (i & 31);
	} else {
		to->c->bytes = n + size;
		to->missing = 0;
	}
	to->n = n + size;
	to->at += size;
	return to->missing == COPY_MAX_HOLE;
}

static __always_inline u32 copy_stack(struct wire_copy *c)
{
	u64 at = c->regs.sp - COPY_BELOW, word;
	struct copying to = { .c = c };

	if (bpf_probe_read_user(&word, sizeof(word), (const void *)at))
		at = c->regs.sp;
	c->from = to.at = at;
	c->bytes = c->holes = 0;
	bpf_loop(COPY_PAGES, copy_page, &to, 0);
	return c->bytes;
}

/* Sends r with a copy of its stack memory. False: not sent; the caller sends it as walked. */
static __always_inline bool send_copy(struct record *r, u32 which, u64 now)
{
	u32 n_kernel, n_user, bytes;
	struct wire_copy *c;

	if (!may_copy(now, which != 0))
		return false;
	/* read after the calls in may_copy(), across which the verifier of 6.1 forgets the bounds */
	n_kernel = r->s.n_kernel;
	n_user = r->s.n_user;
	/* keeps the compiler from reading them again after the check */
	asm volatile("" : "+r"(n_kernel), "+r"(n_user));
	if (n_user > MAX_FRAMES || n_kernel > MAX_FRAMES)
		return false;
	c = bpf_map_lookup_elem(&copies, &which);
	if (!c || !walk_registers(&c->regs, bpf_get_current_task_btf()))
		return false;
	c->s = r->s;
	c->s.copied = 1;
	c->s.n_user = 0;
	if (bpf_probe_read_kernel(c->kernel, n_kernel * sizeof(u64), &r->w.frames[n_user]))
		c->s.n_kernel = 0;
	/* after the use of n_kernel, whose bounds 6.1 forgets across a call */
	c->code_bytes = bpf_probe_read_user(c->code, sizeof(c->code), (const void *)(c->regs.pc - 1)) ? 0 : CODE_BYTES;
	bytes = copy_stack(c);
	asm volatile("" : "+r"(bytes));
	if (!bytes || bytes > COPY_BYTES)
		return false;
	/* the sooner tables are loaded the fewer stacks are truncated: worth a wake-up */
	return !bpf_ringbuf_output(&samples, c, offsetof(struct wire_copy, stack) + bytes,
				   BPF_RB_FORCE_WAKEUP);
}
