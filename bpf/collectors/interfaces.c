// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * interfaces.c: the table interfaces: /proc/PID/net/dev (proc(5)) of one process
 * of each network namespace; of a namespace without any the keeper opens it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/collector.h"
#include "bpf/keeper.h"
#include "bpf/netns.h"
#include "bpf/procfs.h"
#include "bpf/proctab.h"
#include "bpf/rate.h"

#define DEV_MAX (256 << 10)	/* of one file: 2,000 interfaces */

struct interface {
	struct interface *next;
	u32 netns;
	char name[32];
	const char *netns_name;	/* as long as it had one */
	u64 first_seen_ns;
	bool seen;
	struct counter rx_bytes, tx_bytes, rx_packets, tx_packets, drops, errors;
};

struct reading {
	u64 rx_bytes, rx_packets, rx_errors, rx_drops;
	u64 tx_bytes, tx_packets, tx_errors, tx_drops;
};

static struct interface *first, **expected;
static char *text;
static u32 unreadable;		/* namespaces, this tick */

static void interface_free(struct interface *i)
{
	str_put(i->netns_name);
	free(i);
}

static bool is_it(const struct interface *i, u32 netns, const char *name)
{
	return i->netns == netns && !strcmp(i->name, name);
}

/* They are read in the same order each tick: nearly always it is the one after the last. */
static struct interface *get(u32 netns, const char *name, u64 now_ns)
{
	struct interface **link = expected, *i;

	if (!*link || !is_it(*link, netns, name))
		for (link = &first; *link && !is_it(*link, netns, name); link = &(*link)->next)
			;
	i = *link;
	if (!i) {
		i = *link = xcalloc(1, sizeof(*i));
		i->netns = netns;
		snprintf(i->name, sizeof(i->name), "%s", name);
		i->first_seen_ns = now_ns;
	}
	expected = &i->next;
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

	if (!colon || sscanf(colon + 1, "%llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu",
			     &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return;
	*colon = '\0';
	add_row(get(netns, name, t->now_ns), &(struct reading){
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

/*
 * The process may have left the namespace, or be another one by now: its link
 * is read before and after.
 */
static int read_by_process(const struct netns *n)
{
	int got;

	if (!n->pid || netns_of(n->pid) != n->inum)
		return -ESRCH;
	got = procfs_read_pid(n->pid, "net/dev", text, DEV_MAX);
	return got > 0 && netns_of(n->pid) == n->inum ? got : -ESRCH;
}

static int read_namespace(const struct netns *n)
{
	char path[KEEPER_PATH];
	int got = read_by_process(n), fd;

	if (got > 0)
		return got;
	if (netns_path(n, path, sizeof(path)))
		return -ENOENT;
	fd = keeper_netns_dev(path);
	return fd < 0 ? fd : read_fd(fd);
}

static void sweep(const struct tick *t)
{
	struct interface **link = &first;

	while (*link) {
		struct interface *i = *link;

		if (i->seen) {
			i->seen = false;
			link = &i->next;
			continue;
		}
		row_of(i, t)->row.closed = true;
		*link = i->next;
		interface_free(i);
	}
}

static int interfaces_read(const struct tick *t)
{
	char why[80];

	unreadable = 0;
	expected = &first;
	netns_refresh(t->now_ns);
	for (struct netns *n = netns_first(); n; n = n->next) {
		if (read_namespace(n) > 0)
			take_text(text, n->inum, t);
		else
			unreadable++;
	}
	sweep(t);
	snprintf(why, sizeof(why), "%u network namespaces cannot be read", unreadable);
	builder_status(t->b, TABLE_interfaces, unreadable ? TS_PARTIAL : TS_OK,
		       unreadable ? why : NULL, t->interval_ns);
	return 0;
}

static int interfaces_open(char *reason, size_t cap)
{
	(void)reason;
	(void)cap;
	text = xmalloc(DEV_MAX);
	return 0;
}

static void interfaces_close(void)
{
	for (struct interface *i = first, *next; i; i = next) {
		next = i->next;
		interface_free(i);
	}
	first = NULL;
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
