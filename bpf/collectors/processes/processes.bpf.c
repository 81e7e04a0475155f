// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* processes.bpf.c: task iterator, once a tick; life of processes; uninterruptible sleep. */
#include "bpf/collectors/processes/processes_task.bpf.h"
#include "bpf/collectors/processes/processes_switch.bpf.h"
#include "bpf/collectors/processes/processes_life.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/task")
int tasks_iter(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct wire_process p = {};
	struct wire_thread w = {};
	struct task_state *s;
	u64 since;

	if (!t)
		return 0;
	s = task_state_make(t);
	w.tid = t->pid;
	w.tgid = t->tgid;
	w.start_ns = t->start_boottime;
	w.process_start_ns = t->group_leader->start_boottime;
	w.runtime_ns = t->se.sum_exec_runtime;
	w.utime_ns = t->utime;
	w.stime_ns = t->stime;
	w.read_bytes = t->ioac.read_bytes;
	w.write_bytes = t->ioac.write_bytes;
	w.arrived_ns = t->sched_info.last_arrival;
	w.cpu = task_cpu(t);
	w.state = state_letter(t);
	w.runq_ns = run_delay_ns(t, s, w.state == 'R' ? still_queued_ns(t) : 0);
	w.kthread = !!(t->flags & PF_KTHREAD);
	w.frozen = !!(t->__state & TASK_FROZEN);
	w.leader = w.tid == w.tgid;
	bpf_core_read_str(w.comm, sizeof(w.comm), &t->comm);
	if (s) {
		w.calls = calls_of(t->pid, s);
		w.blocked_ns = s->blocked_ns;
		/* stale if the wake-up overtook the switch; frozen tasks are in D, too, but not blocked */
		since = s->blocked_since_ns;
		if (since && is_blocked_state(t->__state))
			w.blocked_ns += bpf_ktime_get_ns() - since;
	}
	fill_call(&w, t, s);
	bpf_seq_write(seq, &w, sizeof(w));
	if (w.leader) {
		fill_process(&p, t, s);
		bpf_seq_write(seq, &p, sizeof(p));
	}
	return 0;
}
