// SPDX-License-Identifier: GPL-2.0-or-later
/* netns.c: see netns.h; ip-netns(8), network_namespaces(7). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/host/netns.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"

#define TURNS 32	/* a process may change its namespace: each is asked again every so many ticks */
#define MAX_NAMESPACES 256
#define READS_PER_TICK 200	/* links of /proc: about 2 us each */

static struct netns *first;
static u32 n_namespaces, host_inum, reads;
static u64 refreshed_ns;
static u32 turn, n_left_out, n_names_left_out, n_unknown;

static struct netns *find(u32 inum)
{
	struct netns *n = first;

	while (n && n->inum != inum)
		n = n->next;
	return n;
}

static struct netns *get(u32 inum)
{
	struct netns *n = find(inum);

	if (n || n_namespaces == MAX_NAMESPACES)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->inum = inum;
	n->next = first;
	first = n;
	n_namespaces++;
	return n;
}

/* "net:[4026531840]" */
static u32 ask(u32 pid, int *ret_err)
{
	char buf[64];
	unsigned inum;
	int n = procfs_link_pid(pid, "ns/net", buf, sizeof(buf));

	*ret_err = -min(n, 0);
	return n > 0 && sscanf(buf, "net:[%u]", &inum) == 1 ? inum : 0;
}

u32 netns_of(u32 pid)
{
	int err;

	return ask(pid, &err);
}

/* The namespace of the first process, or of kthreadd where a sandbox hides that one; else ours. */
static u32 find_host(void)
{
	return netns_of(1) ?: netns_of(2) ?: netns_of((u32)getpid());
}

static void look_at(struct proc *p, void *arg)
{
	bool again = p->pid % TURNS == turn % TURNS;
	struct netns *n;
	int err;

	if (p->closed || p->exited || p->kthread)
		return;
	if ((!p->netns || again) && reads) {
		reads--;
		p->netns = ask(p->living, &err);
		p->netns_hidden = err == EACCES || err == EPERM || (err && p->unread == UNREAD_TWICE);
	}
	n_unknown += p->netns_hidden && p->state != 'Z';
	n = p->netns ? get(p->netns) : NULL;
	n_left_out += p->netns && !n;
	if (!n)
		return;
	n->seen = true;
	if (!n->pid) {
		n->pid = p->pid;
		n->start_ns = p->start_ns;
	}
	if (!n->name && p->container && p->container[0] && n->inum != host_inum)
		n->name = str_get(p->container);
}

/* A leftover file is no namespace. */
static bool is_namespace(const struct stat *st)
{
	static dev_t nsfs;
	struct stat own;

	if (!nsfs && !stat("/proc/self/ns/net", &own))
		nsfs = own.st_dev;
	return st->st_dev == nsfs;
}

/* Files that `ip netns add` makes: a mount of the namespace each. */
static void read_names(void)
{
	DIR *d = opendir("/run/netns");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[300];
		struct stat st;
		struct netns *n;

		snprintf(path, sizeof(path), "/run/netns/%s", e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) || !is_namespace(&st))
			continue;
		n = get((u32)st.st_ino);
		n_names_left_out += !n;
		if (!n)
			continue;
		n->seen = true;
		str_set(&n->name, str_new(e->d_name));
		snprintf(n->file, sizeof(n->file), "%.63s", e->d_name);
	}
	if (d)
		closedir(d);
}

static void drop_unseen(void)
{
	struct netns **link = &first;

	while (*link) {
		struct netns *n = *link;

		if (n->seen) {
			link = &n->next;
			continue;
		}
		*link = n->next;
		str_put(n->name);
		free(n);
		n_namespaces--;
	}
}

/* Where not all can be read, the host's is. */
static void host_to_front(void)
{
	for (struct netns **link = &first, *n; (n = *link); link = &n->next) {
		if (n->inum != host_inum)
			continue;
		*link = n->next;
		n->next = first;
		first = n;
		str_set(&n->name, str_new("host"));
		return;
	}
}

void netns_refresh(u64 now_ns)
{
	if (now_ns == refreshed_ns)	/* two collectors ask, each tick */
		return;
	refreshed_ns = now_ns;
	turn++;
	if (!host_inum)
		host_inum = find_host();
	reads = READS_PER_TICK;
	n_left_out = n_names_left_out = n_unknown = 0;
	get(host_inum);
	for (struct netns *n = first; n; n = n->next) {
		n->seen = false;
		n->pid = 0;
		n->file[0] = '\0';
	}
	proctab_each(look_at, NULL);
	read_names();
	drop_unseen();
	host_to_front();
}

u32 netns_left_out(u32 *ret_names)
{
	*ret_names = n_names_left_out;
	return n_left_out;
}

u32 netns_unknown(void)
{
	return n_unknown;
}

void netns_left(const struct netns *n)
{
	struct proc *p = proctab_find(n->pid, n->start_ns);

	if (p)
		p->netns = 0;
}

const char *netns_name(u32 inum)
{
	struct netns *n = find(inum);

	return n ? n->name : NULL;
}

int netns_path(const struct netns *n, char *buf, size_t cap)
{
	if (n->file[0])
		snprintf(buf, cap, "/run/netns/%s", n->file);
	else if (n->pid)
		snprintf(buf, cap, "/proc/%u/ns/net", procfs_living(n->pid));
	else
		return -ENOENT;
	return 0;
}

struct netns *netns_first(void)
{
	return first;
}

void netns_clear(void)
{
	for (struct netns *n = first; n; n = n->next)
		n->seen = false;
	drop_unseen();
}
