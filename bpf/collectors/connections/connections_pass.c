// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_pass.c: see connections_pass.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/helpers/admin.h"
#include "bpf/host/netns.h"
#include "bpf/host/procfs.h"
#include "bpf/collectors/connections/connections_calls.h"
#include "bpf/collectors/connections/connections_holders.h"
#include "bpf/collectors/connections/connections_pass.h"
#include "bpf/collectors/connections/connections_udp.h"
#include "bpf/collectors/connections/connections_young.h"

#define READ_BUF (32 << 10)
#define FIRST_NS (2 * NSEC_PER_SEC)
#define MIN_SLICE_NS (2 * NSEC_PER_MSEC)
#define PASSES_UNSEEN 3		/* unseen for so many, a connection that no program tracks is gone */
#define MAX_LISTENERS 16384	/* each accepted connection may look through them */
#define OWNERLESS_EVERY 4	/* passes: most sockets have an owner */

/* A listening socket: the owner of connections that are not accepted yet. */
struct listener {
	struct wire_ends ends;
	struct wire_owner owner;
};

static int files_link = -1, tcp_link = -1, iter_fd = -1;
static enum { FILES, OWNERLESS } stage;
static u32 pass;		/* number of the one that runs */
static u32 netns_turn, ownerless_period;	/* passes until each namespace had its turn */
static u64 pass_start_ns, lost, listeners_refused;
static bool whole, ended, seen_all;
static u16 first_port, last_port;	/* ephemeral range of our own network namespace */
static struct listener *listeners, *next_listeners;
static u32 n_listeners, cap_listeners, n_next, cap_next;
static char buf[READ_BUF] __attribute__((aligned(8)));
static size_t have;

/* ---- listeners ---- */

static void take_listener(const struct wire_sock *w)
{
	if (n_next == MAX_LISTENERS) {
		listeners_refused++;
		return;
	}
	next_listeners = grow(next_listeners, n_next, &cap_next, sizeof(*listeners));
	next_listeners[n_next++] = (struct listener){ w->ends, w->owner };
}

static void swap_listeners(void)
{
	exchange(listeners, next_listeners);
	exchange(cap_listeners, cap_next);
	n_listeners = n_next;
	n_next = 0;
}

static bool listens_for(const struct listener *l, const struct wire_ends *e)
{
	static const u8 any[16];

	return l->ends.lport == e->lport && l->ends.netns == e->netns &&
	       (!memcmp(l->ends.local, any, 16) || !memcmp(l->ends.local, e->local, 16));
}

bool pass_has_listener(const struct wire_ends *ends)
{
	for (u32 i = 0; i < n_listeners; i++)
		if (listens_for(&listeners[i], ends))
			return true;
	return false;
}

/* Direction of connections from before ottop, now that a pass has seen all listening sockets. */
static void weigh_direction(struct conn *c, void *arg)
{
	struct wire_ends e = { .netns = (u32)c->row->netns, .lport = (u16)c->row->local_port };

	(void)arg;
	if (c->proto != IPPROTO_TCP || c->closed || c->weighed || c->direction_by == BY_SEEN)
		return;
	c->weighed = true;
	memcpy(e.local, c->local, sizeof(e.local));
	for (u32 i = 0; i < n_listeners && c->direction_by < BY_LISTENER; i++)
		if (listens_for(&listeners[i], &e))
			conn_set_direction(c, (struct conn_verdict){ DIR_ACCEPTED, BY_LISTENER });
	conn_set_direction(c, conn_ports_direction(e.lport, c->rport, first_port, last_port));
}

void pass_listener_owner(struct conn *c, const struct wire_ends *ends, bool only)
{
	const struct listener *found = NULL;

	if (c->direction != DIR_ACCEPTED || u64_known(c->row->pid))
		return;
	for (u32 i = 0; i < n_listeners && (!found || only); i++) {
		if (!listens_for(&listeners[i], ends))
			continue;
		if (found && found->owner.tgid != listeners[i].owner.tgid)
			return;
		found = &listeners[i];
	}
	if (!found)
		return;
	conn_set_owner(c, &found->owner, false);
	c->guessed = u64_known(c->row->pid);
}

/* ---- the pass ---- */

static void take_record(const struct wire_sock *w, u64 now_ns, take_socket_fn take_tcp)
{
	struct conn *c;

	if (w->state == TCPS_LISTEN && w->proto == IPPROTO_TCP) {
		take_listener(w);
		return;
	}
	c = w->proto == IPPROTO_TCP ? take_tcp(w, now_ns) : udp_socket(w, pass, now_ns);
	if (!c)
		return;
	if (stage == FILES) {
		holders_seen(c, &w->owner, pass);
	} else {
		conn_set_owner(c, &w->owner, false);
		pass_listener_owner(c, &w->ends, false);
	}
	c->pass = pass;
}

/* What a tick may use: CPU time of ours, and wall time, in case others have the CPU. */
struct slice {
	u64 cpu_until_ns, until_ns;
};

static struct slice slice_from_now(u64 cpu_ns, u64 wall_ns)
{
	return (struct slice){ clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns, boottime_ns() + wall_ns };
}

static bool is_over(const struct slice *s)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) >= s->cpu_until_ns || boottime_ns() >= s->until_ns;
}

/* 1: the iterator is at its end; 0: not yet; or -errno. */
static int read_slice(const struct slice *s, take_socket_fn take_tcp)
{
	while (!is_over(s)) {
		ssize_t got = read(iter_fd, buf + have, sizeof(buf) - have);
		size_t used = 0;
		u64 now;

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

/* Two fifths of the budget are for this pass; the rows of many connections cost, too. */
static struct slice slice_of(const struct tick *t)
{
	double cpus = (double)procfs_cpus();
	u64 interval = t->interval_ns ? t->interval_ns : NSEC_PER_SEC;
	u64 share = max((u64)((double)interval * (double)t->budget_pct / 250 * cpus), (u64)MIN_SLICE_NS);

	/* the first pass is read whole, if it can: until then nothing can be shown */
	if (pass <= 1)
		return slice_from_now(FIRST_NS, FIRST_NS);
	return slice_from_now(share, max(min(4 * share, interval / 2), share));
}

static int begin_files(void)
{
	iter_fd = bpf_iter_create(files_link);
	if (iter_fd < 0)
		return -errno;
	stage = FILES;
	pass++;
	pass_start_ns = boottime_ns();
	have = 0;
	return 0;
}

/* One namespace a pass, in turn: each walk goes through the hash table of all namespaces. */
static bool begin_ownerless(void)
{
	struct netns *n = netns_first();
	char path[ADMIN_PATH];
	u32 count = 0;

	for (; n; n = n->next)
		count++;
	ownerless_period = count * OWNERLESS_EVERY;
	if (!count || tcp_link < 0 || (pass - 1) % OWNERLESS_EVERY)
		return false;
	n = netns_first();
	for (u32 i = netns_turn++ % count; i; i--)
		n = n->next;
	if (netns_path(n, path, sizeof(path)))
		return false;
	iter_fd = n->inum == netns_of((u32)getpid()) ? bpf_iter_create(tcp_link) :
						      admin_netns_iter(path, n->inum, tcp_link);
	stage = OWNERLESS;
	have = 0;
	return iter_fd >= 0;
}

/* Neither seen by passes nor tracked by the programs: it ended without a report. */
static void forget_unseen(struct conn *c, void *arg)
{
	(void)arg;
	if (c->proto != IPPROTO_TCP || c->closed || !c->pass || pass - c->pass < PASSES_UNSEEN + 2 * ownerless_period)
		return;
	if (young_tracked(c->cookie, c->generation))
		return;
	lost++;
	pass_last_user(c);
	conn_close(c, END_CLOSED, false, pass_start_ns);
}

static void end_files(const struct tick *t)
{
	swap_listeners();
	conn_each(weigh_direction, NULL);
	holders_settle(pass);
	udp_close_unseen(pass, pass_start_ns, t->now_ns);
	conn_each(forget_unseen, NULL);
}

int pass_run(const struct tick *t, take_socket_fn take_tcp)
{
	struct slice s = slice_of(t);
	bool begins = iter_fd < 0;
	int err = begins ? begin_files() : 0;

	whole = ended = false;
	while (!err && iter_fd >= 0) {
		err = read_slice(&s, take_tcp);
		if (!err)
			return 0;	/* the rest at the next tick */
		close(iter_fd);
		iter_fd = -1;
		if (err < 0)
			return err;
		err = 0;
		if (stage == OWNERLESS)
			return 0;
		end_files(t);
		ended = true;
		whole = begins;
		seen_all = true;
		begin_ownerless();
	}
	return err;
}

void pass_last_user(struct conn *c)
{
	struct wire_owner o;

	if (!c->shared)
		return;
	if (calls_user(c->cookie, &o))
		conn_set_owner(c, &o, true);
	calls_unshare(c->cookie);
}

bool pass_was_whole(void)
{
	return whole;
}

bool pass_ended(void)
{
	return ended;
}

bool pass_seen_all(void)
{
	return seen_all;
}

u64 pass_lost(void)
{
	return lost;
}

u64 pass_listeners_refused(void)
{
	return listeners_refused;
}

static void read_port_range(void)
{
	char text[64];
	unsigned from, to;

	first_port = last_port = 0;
	if (procfs_read("sys/net/ipv4/ip_local_port_range", text, sizeof(text)) > 0 &&
	    sscanf(text, "%u %u", &from, &to) == 2) {
		first_port = (u16)from;
		last_port = (u16)to;
	}
}

void pass_open(int files, int tcp)
{
	read_port_range();
	files_link = files;
	tcp_link = tcp;
	pass = 0;
	seen_all = false;
}

void pass_close(void)
{
	if (iter_fd >= 0)
		close(iter_fd);
	iter_fd = files_link = tcp_link = -1;
	holders_clear();
	free(listeners);
	free(next_listeners);
	listeners = next_listeners = NULL;
	n_listeners = cap_listeners = n_next = cap_next = 0;
}
