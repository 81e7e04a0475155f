// SPDX-License-Identifier: GPL-2.0-or-later
/* processes_row.c: see processes_row.h. */
#include "bpf/collectors/processes/processes_row.h"
#include "bpf/collectors/waits/waits.h"
#include "bpf/host/syscall_names.h"

static void fill_identity(struct processes_row *r, const struct proc *p)
{
	r->row.first_seen_ns = p->first_seen_ns;
	r->row.closed = p->closed;
	r->pid = p->pid;
	r->start_time_ns = p->start_ns;
	r->ppid = p->ppid;
	r->comm = str_get(p->comm);
	r->cmdline = str_get(p->cmdline);
	r->user = str_get(p->user);
	r->container = str_get(p->container);
	r->service = str_get(p->service);
	r->cgroup = str_get(p->cgroup);
	r->unit = str_get(p->unit);
	r->cwd = str_get(p->cwd);
	r->ns_pid = p->ns_pid ? p->ns_pid : U64_UNKNOWN;
	r->state = str_newn(p->closed ? "X" : &p->state, 1);
	r->threads = p->threads;
	r->kthread = p->kthread;
	r->exit_code = r->signal = U64_BLANK;
	if (p->exited || p->state == 'Z') {
		if (p->wait_status & 0x7f)
			r->signal = (u64)(p->wait_status & 0x7f);
		else
			r->exit_code = (u64)(p->wait_status >> 8 & 0xff);
	} else if (p->closed) {
		r->exit_code = r->signal = U64_UNKNOWN;
	}
}

/* User and system time are sampled by the kernel; like /proc it scales them to the exact sum. */
static void split_cpu(struct processes_row *r, u64 user, u64 sys, const struct proc_usage *u)
{
	double share;

	if (!f32_known(r->cpu_pct)) {
		r->user_pct = r->system_pct = r->cpu_pct;
		return;
	}
	if (u64_known(user) && u64_known(sys) && user + sys)
		share = (double)user / (double)(user + sys);
	else	/* no timer tick in this interval: uses the ratio so far */
		share = u->utime_ns + u->stime_ns ?
			(double)u->utime_ns / (double)(u->utime_ns + u->stime_ns) : 1;
	r->user_pct = (float)(r->cpu_pct * share);
	r->system_pct = r->cpu_pct - r->user_pct;
}

/* From its thread with the longest call that is not meant to wait. */
static void fill_call(struct processes_row *r, const struct proc *p)
{
	const struct wire_thread *w = p->longest;

	if (!w || p->closed || p->exited) {
		r->in_call = str_new("");
		r->waits_on = str_new("");
		r->in_call_ns = U64_BLANK;
		return;
	}
	r->in_call = syscall_name(w->call);
	r->in_call_ns = w->call_age_ns;
	r->waits_on = waits_of(w);
}

static void fill_usage(struct processes_row *r, struct proc *p, u64 interval_ns)
{
	const struct proc_usage *u = &p->now;
	bool zero = p->born_here;
	u64 user, sys;

	r->cpu_pct = rate_pct(counter_advance(&p->cpu, u->cpu_ns, zero), interval_ns);
	user = counter_advance(&p->utime, u->utime_ns, zero);
	sys = counter_advance(&p->stime, u->stime_ns, zero);
	split_cpu(r, user, sys, u);
	r->runq_wait_pct = proc_runq_pct(counter_advance(&p->runq, u->runq_ns, zero), interval_ns, p->threads);
	r->blocked_pct = rate_pct(counter_advance(&p->blocked, u->blocked_ns, zero), interval_ns);
	r->read_rate = rate_per_s(counter_advance(&p->read, u->read_bytes, zero), interval_ns);
	r->write_rate = rate_per_s(counter_advance(&p->written, u->write_bytes, zero), interval_ns);
	r->syscall_rate = rate_per_s(p->calls_delta, interval_ns);
	r->cpu_ns = u->cpu_ns;
	r->syscalls = u->calls;
	r->read_bytes = u->read_bytes;
	r->write_bytes = u->write_bytes;
	if (p->closed) {	/* its memory is freed; the event has the peak */
		r->rss_bytes = U64_UNKNOWN;
		r->rss_rate = F32_UNKNOWN;
	} else {
		r->rss_bytes = p->rss_bytes;
		r->rss_rate = rate_of_level(&p->rss, p->rss_bytes, interval_ns);
	}
}

void processes_row_fill(struct processes_row *r, struct proc *p, u64 interval_ns)
{
	fill_identity(r, p);
	fill_call(r, p);
	fill_usage(r, p, interval_ns);
}

void processes_row_join(struct processes_row *r, const struct proc *p, u64 interval_ns)
{
	r->rx_rate = p->rx_rate;
	r->tx_rate = p->tx_rate;
	r->http_rate = rate_per_s(p->http_requests, interval_ns);
	if (u64_known(p->http_requests))
		r->http_p99_ns = p->http_hist ? hist_quantile(p->http_hist, 0.99) : U64_BLANK;
}
