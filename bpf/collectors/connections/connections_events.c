// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_events.c: see connections_events.h. */
#include <stdio.h>
#include <string.h>

#include "bpf/host/events.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/connections/connections_events.h"

#define EVENTS_PER_TICK 10000	/* busy servers close more; failures have priority */

static u32 room = EVENTS_PER_TICK;

void conn_events_begin(const struct tick *t)
{
	(void)t;
	room = EVENTS_PER_TICK;
}

/* "10.0.0.1:80", "[::1]:80" */
static const char *end_text(const char *addr, u64 port)
{
	char buf[80];
	bool v6 = addr && strchr(addr, ':');

	snprintf(buf, sizeof(buf), v6 ? "[%s]:%llu" : "%s:%llu", addr ?: "?",
		 (unsigned long long)port);
	return str_new(buf);
}

static void set_process(struct events_row *e, const struct conn *c, const struct wire_owner *o)
{
	const struct connections_row *r = c->row;
	struct proc *p = NULL;

	if (o->tgid) {
		e->pid = o->tgid;
		e->start_time_ns = o->start_ns;
		e->comm = str_newn(o->comm, sizeof(o->comm));
	} else if (u64_known(r->pid)) {
		e->pid = r->pid;
		e->start_time_ns = r->start_time_ns;
		e->comm = str_get(r->comm);
	}
	if (u64_known(e->pid))
		p = proctab_find_any((u32)e->pid, e->start_time_ns);
	if (p) {
		e->ppid = p->ppid;
		e->user = str_get(p->user);
		e->container = str_get(p->container);
	}
}

static bool in_scope(const struct conn *c, const struct wire_owner *o)
{
	u64 pid = o->tgid ? o->tgid : c->row->pid;
	u64 start = o->tgid ? o->start_ns : c->row->start_time_ns;
	struct proc *p = u64_known(pid) ? proctab_find_any((u32)pid, start) : NULL;

	return !p || proc_in_scope(p);
}

void conn_events_unlisted(const struct conn *c, u64 n)
{
	const struct wire_owner none = {};

	if (in_scope(c, &none))
		events_not_listed(n);
}

void conn_event(struct conn *c, const char *kind, u64 time_ns, const struct wire_owner *o)
{
	const struct connections_row *r = c->row;
	bool failed = kind[0] == 'f', ended = failed || !strcmp(kind, "close");
	struct events_row *e;

	if (!in_scope(c, o))
		return;
	if (!room && !failed) {
		events_not_listed(1);
		return;
	}
	room -= room > 0;
	e = events_new(kind, time_ns);
	set_process(e, c, o);
	e->cookie = c->cookie;
	e->proto = str_get(r->proto);
	e->local = end_text(r->local_addr, r->local_port);
	e->remote = end_text(r->remote_addr, r->remote_port);
	e->exit_code = e->signal = e->rss_peak_bytes = e->rx_bytes = e->tx_bytes = U64_BLANK;
	e->duration_ns = ended ? r->age_ns : r->connect_ns;
	e->result = str_new(failed && r->end_reason ? r->end_reason : "");
	e->args = str_new("");
	e->end_reason = ended ? str_get(r->end_reason) : str_new("");
	if (!ended)
		return;
	e->rx_bytes = r->rx_bytes;
	e->tx_bytes = r->tx_bytes;
}
