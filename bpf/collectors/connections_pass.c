// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_pass.c: see connections_pass.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/probes.h"
#include "bpf/proctab.h"
#include "bpf/collectors/connections_pass.h"
#include "bpf/collectors/connections_udp.h"

#define READ_BUF (32 << 10)
#define MIN_SLICE_NS (2 * NSEC_PER_MSEC)

/* A listening socket: whose the connections are that wait to be accepted. */
struct listener {
	u64 cookie;
	struct wire_ends ends;
	struct wire_owner owner;
};

/* Who holds a socket, where it is more than one process. */
struct holder {
	struct holder *next;
	u64 cookie, start_ns;
	u32 tgid;
};

static int link_fd = -1, iter_fd = -1;
static u32 pass;		/* number of the one that runs */
static u64 pass_start_ns;
static struct listener *listeners, *next_listeners;
static u32 n_listeners, cap_listeners, n_next, cap_next;
static char buf[READ_BUF] __attribute__((aligned(8)));
static size_t have;

/* ---- listeners ---- */

static void take_listener(const struct wire_sock *w)
{
	next_listeners = grow(next_listeners, n_next, &cap_next, sizeof(*listeners));
	next_listeners[n_next++] = (struct listener){ w->cookie, w->ends, w->owner };
}

static void swap_listeners(void)
{
	struct listener *l = listeners;
	u32 cap = cap_listeners;

	listeners = next_listeners;
	n_listeners = n_next;
	cap_listeners = cap_next;
	next_listeners = l;
	cap_next = cap;
	n_next = 0;
}

static bool listens_for(const struct listener *l, const struct wire_ends *e)
{
	static const u8 any[16];

	return l->ends.lport == e->lport && l->ends.netns == e->netns &&
	       (!memcmp(l->ends.local, any, 16) || !memcmp(l->ends.local, e->local, 16));
}

void pass_listener_owner(struct conn *c, const struct wire_ends *ends)
{
	if (c->direction != DIR_ACCEPTED || u64_known(c->row->pid))
		return;
	for (u32 i = 0; i < n_listeners; i++)
		if (listens_for(&listeners[i], ends)) {
			conn_set_owner(c, &listeners[i].owner, false);
			return;
		}
}

/* ---- holders ---- */

static void add_owner_text(struct conn *c, const struct wire_owner *o)
{
	struct connections_row *r = conn_row(c);
	char text[400], one[40];
	bool empty = !r->owners || !r->owners[0];

	if (empty)
		snprintf(text, sizeof(text), "%s %llu", r->comm ?: "?", (unsigned long long)r->pid);
	else
		snprintf(text, sizeof(text), "%s", r->owners);
	snprintf(one, sizeof(one), "%.16s %u", o->comm, o->tgid);
	if (strstr(text, one) || strlen(text) + strlen(one) + 3 > sizeof(text))
		return;
	strcat(text, ", ");
	strcat(text, one);
	proc_set(&r->owners, str_new(text));
}

/*
 * Several processes may hold one socket: a parent that accepted it and the
 * child that serves it. Where nothing tells who uses it, it is the youngest.
 */
static void take_holder(struct conn *c, const struct wire_owner *o)
{
	bool younger = !u64_known(c->row->pid) || o->start_ns > c->row->start_time_ns;

	if (c->pass != pass) {
		c->pass = pass;
		c->holders = 0;
		younger = true;
		if (c->row->owners && c->row->owners[0] && c->row->pid == o->tgid)
			younger = false;
	}
	if (!o->tgid)
		return;
	if (c->holders++ && c->row->pid != o->tgid)
		add_owner_text(c, o);
	if (younger)
		conn_set_owner(c, o, false);
}

/* ---- the pass ---- */

static void take_record(const struct wire_sock *w, u64 now_ns, take_socket_fn take_tcp)
{
	struct conn *c;

	if (w->proto == IPPROTO_UDP) {
		c = udp_socket(w, pass, now_ns);
		if (c)
			take_holder(c, &w->owner);
		return;
	}
	if (w->state == TCPS_LISTEN) {
		take_listener(w);
		return;
	}
	c = take_tcp(w, now_ns);
	take_holder(c, &w->owner);
}

/* Reads for at most `slice_ns`. True at the end of the pass. */
static int read_slice(u64 slice_ns, take_socket_fn take_tcp)
{
	u64 start = boottime_ns(), now = start;

	while (now - start < slice_ns) {
		ssize_t got = read(iter_fd, buf + have, sizeof(buf) - have);
		size_t used = 0;

		if (got <= 0)
			return got ? -errno : 1;
		have += (size_t)got;
		now = boottime_ns();
		for (; have - used >= sizeof(struct wire_sock); used += sizeof(struct wire_sock))
			take_record((const void *)(buf + used), now, take_tcp);
		have -= used;
		memmove(buf, buf + used, have);
	}
	return 0;
}

/* Of what a tick may cost, half is for this pass. */
static u64 slice_of(const struct tick *t)
{
	double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
	u64 interval = t->interval_ns ? t->interval_ns : NSEC_PER_SEC;
	u64 share = (u64)((double)interval * (double)t->budget_pct / 100 * cpus / 2);

	return max(share, (u64)MIN_SLICE_NS);
}

static int begin_pass(void)
{
	iter_fd = bpf_iter_create(link_fd);
	if (iter_fd < 0)
		return -errno;
	pass++;
	pass_start_ns = boottime_ns();
	have = 0;
	return 0;
}

int pass_run(const struct tick *t, take_socket_fn take_tcp)
{
	int err = iter_fd < 0 ? begin_pass() : 0;

	if (err)
		return err;
	/* the first pass is read whole: until then nothing can be shown */
	err = read_slice(pass == 1 ? 2 * NSEC_PER_SEC : slice_of(t), take_tcp);
	if (!err)
		return 0;
	close(iter_fd);
	iter_fd = -1;
	if (err < 0)
		return err;
	swap_listeners();
	udp_unmet(pass, pass_start_ns, t->now_ns);
	return 0;
}

void pass_open(int fd)
{
	link_fd = fd;
	pass = 0;
}

void pass_close(void)
{
	if (iter_fd >= 0)
		close(iter_fd);
	iter_fd = link_fd = -1;
	free(listeners);
	free(next_listeners);
	listeners = next_listeners = NULL;
	n_listeners = cap_listeners = n_next = cap_next = 0;
}
