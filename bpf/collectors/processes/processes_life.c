// SPDX-License-Identifier: GPL-2.0-or-later
/* processes_life.c: see processes_life.h. Handles fork, exec, exit and OOM events. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/host/events.h"
#include "bpf/host/identity.h"
#include "bpf/host/users.h"
#include "bpf/collectors/processes/processes.h"
#include "bpf/collectors/processes/processes_life.h"

#define EXEC_READS_PER_DRAIN 16

static u64 opened_ns;
static u32 exec_reads;

void life_open(u64 now_ns)
{
	opened_ns = now_ns;
}

bool life_saw_birth(u64 start_ns)
{
	return opened_ns && start_ns >= opened_ns;
}

void life_begin_drain(void)
{
	exec_reads = EXEC_READS_PER_DRAIN;
}

void life_owner(struct proc *p, u32 uid)
{
	u32 version = users_version();

	if (p->user && p->uid == uid && p->user_version == version)
		return;
	p->uid = uid;
	p->user_version = version;
	str_set(&p->user, users_name(uid));
}

/* The process of an event; created if its birth was not seen. */
static struct proc *event_process(const struct wire_event *e)
{
	bool is_new;
	struct proc *p = proctab_get(e->pid, e->start_ns, &is_new);

	if (is_new) {
		p->born_here = life_saw_birth(e->start_ns);
		p->first_seen_ns = p->born_here ? e->start_ns : e->time_ns;
		p->ppid = e->ppid;
		p->threads = 1;
	}
	life_owner(p, e->uid);
	if (!p->comm || strncmp(p->comm, e->comm, sizeof(e->comm)))
		str_set(&p->comm, str_newn(e->comm, sizeof(e->comm)));
	return p;
}

static struct events_row *event_row(const char *kind, const struct wire_event *e, struct proc *p)
{
	struct events_row *r = events_new(kind, e->time_ns);

	r->pid = p->pid;
	r->ppid = p->ppid;
	r->start_time_ns = p->start_ns;
	r->comm = str_get(p->comm);
	r->user = str_get(p->user);
	r->container = str_get(p->container);
	r->args = str_get(p->cmdline);
	r->exit_code = r->signal = r->duration_ns = r->rss_peak_bytes = U64_BLANK;
	r->result = str_new("");
	return r;
}

static void on_fork(const struct wire_event *e)
{
	struct proc *p = event_process(e), *parent = proctab_current(e->ppid);

	if (parent && parent != p)
		identity_inherit(p, parent);
	if (proc_in_scope(p))
		event_row("fork", e, p);
}

static void on_exec(const struct wire_event *e)
{
	struct proc *p = event_process(e);

	identity_args(p, e->args, e->args_len, e->args_len >= ARGS_MAX);
	if (exec_reads) {	/* short processes may be gone before the tick */
		exec_reads--;
		identity_read_exec(p);
	}
	if (proc_in_scope(p))
		event_row("exec", e, p);
}

static void exit_result(struct events_row *r, s32 status)
{
	char buf[32];
	int sig = status & 0x7f;

	if (sig) {
		r->signal = (u64)sig;
		snprintf(buf, sizeof(buf), "SIG%s", sigabbrev_np(sig) ?: "?");
	} else {
		r->exit_code = (u64)(status >> 8 & 0xff);
		snprintf(buf, sizeof(buf), r->exit_code ? "code %llu" : "", (unsigned long long)r->exit_code);
	}
	str_set(&r->result, str_new(buf));
}

static void take_final(struct proc_usage *u, const struct wire_event *e)
{
	u->cpu_ns = max(u->cpu_ns, (u64)e->runtime_ns);
	u->utime_ns = max(u->utime_ns, (u64)e->utime_ns);
	u->stime_ns = max(u->stime_ns, (u64)e->stime_ns);
	u->runq_ns = max(u->runq_ns, (u64)e->runq_ns);
	u->blocked_ns = max(u->blocked_ns, (u64)e->blocked_ns);
	u->read_bytes = max(u->read_bytes, (u64)e->read_bytes);
	u->write_bytes = max(u->write_bytes, (u64)e->write_bytes);
	u->calls = max(u->calls, (u64)e->calls);
}

static void on_exit_event(const struct wire_event *e)
{
	struct proc *p = event_process(e);
	struct events_row *r;

	take_final(&p->now, e);
	if (p->exited)	/* two threads ended last at the same time: one exit */
		return;
	p->exited = true;
	p->main_runtime_ns = e->main_runtime_ns;
	p->exit_ns = e->time_ns;
	p->wait_status = e->exit_code;
	p->rss_peak_bytes = e->rss_peak_pages * (u64)getpagesize();
	if (!proc_in_scope(p))
		return;
	r = event_row("exit", e, p);
	r->duration_ns = e->time_ns - e->start_ns;
	r->rss_peak_bytes = p->rss_peak_bytes;
	exit_result(r, e->exit_code);
}

static void on_dead(const struct wire_event *e)
{
	struct proc *p = proctab_find(e->pid, e->start_ns);

	if (p && p->exited && e->runtime_ns > p->main_runtime_ns) {
		p->now.cpu_ns += e->runtime_ns - p->main_runtime_ns;
		p->main_runtime_ns = e->runtime_ns;
	}
}

static void on_oom(const struct wire_event *e)
{
	struct proc *p = proctab_current(e->pid);
	struct events_row *r;

	if (!p || !proc_in_scope(p))
		return;
	r = event_row("oom", e, p);
	r->duration_ns = e->time_ns - p->start_ns;
	r->rss_peak_bytes = p->rss_bytes;
	str_set(&r->result, str_new("killed"));
}

int life_event(void *ctx, void *data, size_t size)
{
	const struct wire_event *e = data;

	if (size < sizeof(*e) || (e->kind == WIRE_EXEC && size < sizeof(*e) + e->args_len))
		return 0;
	switch (e->kind) {
	case WIRE_FORK:
		on_fork(e);
		break;
	case WIRE_EXEC:
		on_exec(e);
		break;
	case WIRE_EXIT:
		on_exit_event(e);
		break;
	case WIRE_OOM:
		on_oom(e);
		break;
	case WIRE_DEAD:
		on_dead(e);
		break;
	}
	return 0;
}
