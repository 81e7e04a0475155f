// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * interfaces.c: the table interfaces: net/dev of one process of each network namespace (proc(5));
 * without any process the privileged helper (admin.h) opens it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/collectors/collector.h"
#include "bpf/helpers/admin.h"
#include "bpf/host/netns.h"
#include "bpf/host/procfs.h"
#include "bpf/model/hash.h"
#include "bpf/model/rate.h"

#define DEV_MAX (256 << 10)	/* of one file: 2,000 interfaces */
#define MAX_INTERFACES 4096	/* in total: any user may create namespaces with interfaces */

struct interface {
	struct hash_node node;
	u32 netns;
	char name[32];
	const char *netns_name;	/* the last one that it had */
	u64 first_seen_ns;
	bool seen;
	struct counter rx_bytes, tx_bytes, rx_packets, tx_packets, drops, errors;
};

struct reading {
	u64 rx_bytes, rx_packets, rx_errors, rx_drops;
	u64 tx_bytes, tx_packets, tx_errors, tx_drops;
};

static struct hash_table interfaces;	/* by hash of namespace and name */
static char *text;
static u32 unreadable, left_out;	/* namespaces; interfaces, at least; in this tick */

static void interface_free(struct interface *i)
{
	hash_remove(&interfaces, &i->node);
	str_put(i->netns_name);
	free(i);
}

/* NULL: no room. A chain of names with equal hashes has at most MAX_INTERFACES. */
static struct interface *get(u32 netns, const char *name, u64 now_ns)
{
	u32 hash = hash_bytes(name, strlen(name)) ^ netns;
	struct interface *i = hash_find(&interfaces, hash, struct interface, x,
					x->netns == netns && !strcmp(x->name, name));

	if (i || interfaces.n == MAX_INTERFACES)
		return i;
	i = xcalloc(1, sizeof(*i));
	i->netns = netns;
	snprintf(i->name, sizeof(i->name), "%s", name);
	i->first_seen_ns = now_ns;
	hash_add(&interfaces, &i->node, hash);
	return i;
}

static struct interfaces_row *row_of(struct interface *i, const struct tick *t)
{
	struct interfaces_row *r = builder_row(t->b, TABLE_interfaces);

	r->row.first_seen_ns = i->first_seen_ns;
	r->netns = i->netns;
	r->name = str_new(i->name);
	if (netns_name(i->netns))
		str_set(&i->netns_name, str_get(netns_name(i->netns)));
	r->netns_name = str_get(i->netns_name);
	return r;
}

static void add_row(struct interface *i, const struct reading *v, const struct tick *t)
{
	struct interfaces_row *r = row_of(i, t);
	u64 ns = t->interval_ns;

	i->seen = true;
	r->rx_bytes = v->rx_bytes;
	r->tx_bytes = v->tx_bytes;
	r->rx_packets = v->rx_packets;
	r->tx_packets = v->tx_packets;
	r->drops = v->rx_drops + v->tx_drops;
	r->errors = v->rx_errors + v->tx_errors;
	r->rx_rate = rate_per_s(counter_advance(&i->rx_bytes, r->rx_bytes, false), ns);
	r->tx_rate = rate_per_s(counter_advance(&i->tx_bytes, r->tx_bytes, false), ns);
	r->rx_packet_rate = rate_per_s(counter_advance(&i->rx_packets, r->rx_packets, false), ns);
	r->tx_packet_rate = rate_per_s(counter_advance(&i->tx_packets, r->tx_packets, false), ns);
	r->drop_rate = rate_per_s(counter_advance(&i->drops, r->drops, false), ns);
	r->error_rate = rate_per_s(counter_advance(&i->errors, r->errors, false), ns);
}

/* "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"; a name may have colons (aliases). */
static void take_line(char *line, u32 netns, const struct tick *t)
{
	unsigned long long v[12];
	char *colon = strrchr(line, ':'), *name = line + strspn(line, " ");
	struct interface *i;

	if (!colon || sscanf(colon + 1, "%llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
			     &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return;
	*colon = '\0';
	i = get(netns, name, t->now_ns);
	if (!i) {
		left_out++;
		return;
	}
	add_row(i, &(struct reading){
		.rx_bytes = v[0], .rx_packets = v[1], .rx_errors = v[2], .rx_drops = v[3],
		.tx_bytes = v[4], .tx_packets = v[5], .tx_errors = v[6], .tx_drops = v[7],
	}, t);
}

static void take_text(char *at, u32 netns, const struct tick *t)
{
	for (char *save, *line = strtok_r(at, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(line, netns, t);
}

static int read_fd(int fd)
{
	size_t n = 0;
	ssize_t got = 0;

	while (n < DEV_MAX - 1 && (got = read(fd, text + n, DEV_MAX - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return got < 0 ? -errno : (int)n;
}

/* Its link is read before and after: the process may have left the namespace, or be another one. */
static int read_by_process(const struct netns *n)
{
	int got;

	if (!n->pid)
		return -ESRCH;
	got = netns_of(n->pid) == n->inum ? procfs_read_pid(n->pid, "net/dev", text, DEV_MAX) : -ESRCH;
	if (got > 0 && netns_of(n->pid) == n->inum)
		return got;
	netns_left(n);
	return -ESRCH;
}

static int read_namespace(const struct netns *n)
{
	char path[ADMIN_PATH];
	int got, fd;

	if (n->inum == netns_of((u32)getpid()))
		return procfs_read("self/net/dev", text, DEV_MAX);
	got = read_by_process(n);
	if (got > 0)
		return got;
	if (netns_path(n, path, sizeof(path)))
		return -ENOENT;
	fd = admin_netns_dev(path, n->inum);
	return fd < 0 ? fd : read_fd(fd);
}

static void sweep(const struct tick *t)
{
	hash_each(&interfaces, struct interface, i) {
		if (!i->seen) {
			row_of(i, t)->row.closed = true;
			interface_free(i);
			continue;
		}
		i->seen = false;
	}
}

/* What is missing; "": nothing. */
static void say_what_is_missing(char *why, size_t cap)
{
	u32 names, processes = netns_left_out(&names);

	why[0] = '\0';
	if (unreadable)
		text_add(why, cap, "; ", "%u network namespace%s cannot be read", unreadable, text_plural(unreadable, "s"));
	if (netns_unknown())
		text_add(why, cap, "; ", "the namespaces of %u processes may not be read (CAP_SYS_PTRACE)", netns_unknown());
	if (left_out)
		text_add(why, cap, "; ", "more than %u interfaces: %u and more are not shown", MAX_INTERFACES, left_out);
	if (names || processes)
		text_add(why, cap, "; ", "too many network namespaces: not read are %u with a name and those "
			 "of %u process%s", names, processes, text_plural(processes, "es"));
}

/* Reading is expensive: stops when much more has no room. */
static void read_all(const struct tick *t)
{
	unreadable = left_out = 0;
	for (struct netns *n = netns_first(); n; n = n->next) {
		int got;

		if (left_out > MAX_INTERFACES / 4) {
			left_out++;
			continue;
		}
		got = read_namespace(n);
		if (got > 0)
			take_text(text, n->inum, t);
		unreadable += got <= 0;
		left_out += got == DEV_MAX - 1;	/* truncated */
	}
}

static int interfaces_read(const struct tick *t)
{
	char why[240];

	netns_refresh(t->now_ns);
	read_all(t);
	sweep(t);
	say_what_is_missing(why, sizeof(why));
	builder_status(t->b, TABLE_interfaces, why[0] ? TS_PARTIAL : TS_OK, why[0] ? why : NULL,
		       t->interval_ns);
	return 0;
}

static int interfaces_open(char *reason, size_t cap)
{
	text = xmalloc(DEV_MAX);
	return 0;
}

static void interfaces_close(void)
{
	hash_each(&interfaces, struct interface, i)
		interface_free(i);
	hash_free(&interfaces, NULL);
	free(text);
	text = NULL;
}

const struct collector interfaces_collector = {
	.name = "interfaces",
	.tables = TABLE_BIT(TABLE_interfaces),
	.open = interfaces_open,
	.read = interfaces_read,
	.close = interfaces_close,
};
