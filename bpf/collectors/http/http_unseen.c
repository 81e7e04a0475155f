// SPDX-License-Identifier: GPL-2.0-or-later
/* http_unseen.c: see http_unseen.h. */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bpf/collectors/http/http_unseen.h"
#include "bpf/host/proctab.h"
#include "bpf/kernel/probes.h"

#define NAMED 3		/* in the reason of the table; the list of programs has all */
#define MISSING_MAX 2	/* ticks without the process, as a new one is not in the table yet */

struct unseen {
	u32 pid;
	enum http_unseen how;
	u64 start_ns;
	u32 missing;
	char name[48];		/* in the table probes; "": not reported */
};

static const struct {
	const char *what, *why;
} kinds[N_UNSEEN] = {
	[UNSEEN_TLS] = { "TLS", "it has no functions of OpenSSL, BoringSSL, GnuTLS or Go: what is inside is not seen" },
	[UNSEEN_SOME_TLS] = { "some TLS", "it also moves TLS that is not by the OpenSSL, BoringSSL, GnuTLS or Go that it has: that is not seen" },
	[UNSEEN_RING] = { "io_uring", "what it sends and receives over TCP by io_uring is not seen, but for what is in TLS" },
	[UNSEEN_QUIC] = { "QUIC", "it sends or receives UDP of port 443: if that is QUIC, HTTP/3 inside is not seen" },
};

static struct unseen list[HTTP_UNSEEN_PROCESSES];
static u32 n_list;
static u32 n_more;	/* of the last tick with such: those that the list has no room for, at least */
static u32 n_more_now;

static struct unseen *find(u32 pid, u64 start_ns, enum http_unseen how)
{
	for (u32 i = 0; i < n_list; i++)
		if (list[i].pid == pid && list[i].start_ns == start_ns && list[i].how == how)
			return &list[i];
	return NULL;
}

static void drop(struct unseen *u)
{
	if (*u->name)
		probe_unblocked("http", u->name);
	*u = list[--n_list];
}

void unseen_note(u32 pid, u64 start_ns, enum http_unseen how)
{
	if (find(pid, start_ns, how))
		return;
	if (n_list == ARRAY_SIZE(list)) {
		n_more_now++;
		return;
	}
	list[n_list++] = (struct unseen){ .pid = pid, .start_ns = start_ns, .how = how };
}

void unseen_withdraw(u32 pid, u64 start_ns, enum http_unseen how)
{
	struct unseen *u = find(pid, start_ns, how);

	if (u)
		drop(u);
}

static void take(int fd)
{
	struct http_unseen_key key;
	u64 start_ns;

	for (u32 i = 0; i < HTTP_UNSEEN_PROCESSES && !bpf_map_get_next_key(fd, NULL, &key); i++) {
		if (!bpf_map_lookup_elem(fd, &key, &start_ns) && key.how < N_UNSEEN)
			unseen_note(key.tgid, start_ns, key.how);
		bpf_map_delete_elem(fd, &key);
	}
}

static void name(struct unseen *u, const struct proc *p)
{
	if (*u->name || !proc_in_scope(p))
		return;
	snprintf(u->name, sizeof(u->name), "%s of %.16s %u", kinds[u->how].what, p->comm ? p->comm : "?", u->pid);
	probe_blocked("http", u->name, kinds[u->how].why);
}

void unseen_tick(int map_fd)
{
	n_more_now = 0;
	take(map_fd);
	if (n_more_now || n_list < ARRAY_SIZE(list))
		n_more = n_more_now;
	for (u32 i = n_list; i--;) {
		struct unseen *u = &list[i];
		const struct proc *p = proctab_find(u->pid, u->start_ns);

		u->missing = p ? 0 : u->missing + 1;
		if (p && !p->closed)
			name(u, p);
		else if (p || u->missing >= MISSING_MAX)
			drop(u);
	}
}

void unseen_report(struct builder *b)
{
	char text[256];
	u32 n = 0;
	int at = 0;

	for (u32 i = 0; i < n_list; i++) {
		if (!*list[i].name || ++n > NAMED)
			continue;
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%s", at ? ", " : "", list[i].name);
	}
	if (n > NAMED)
		at += snprintf(text + at, sizeof(text) - (size_t)at, " and %s%u more", n_more ? "at least " : "",
			       n - NAMED + n_more);
	if (!n)
		return;
	snprintf(text + at, sizeof(text) - (size_t)at, " cannot be seen (!)");
	builder_lacks(b, TABLE_http, text);
}

void unseen_clear(void)
{
	n_list = n_more = 0;	/* their rows of probes go with those of the collector */
}
