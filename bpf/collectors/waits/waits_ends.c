// SPDX-License-Identifier: GPL-2.0-or-later
/* waits_ends.c: finds peers of pipes and sockets, and holders of locked files, in one pass over all open files. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/waits/waits_question.h"
#include "bpf/kernel/iter.h"
#include "bpf/kernel/probes.h"
#include "waits.skel.h"

#define FOUND_MAX 4096		/* descriptors of one pass */
#define MODE_READ 1
#define MODE_WRITE 2

static struct waits *skel;
static struct bpf_link *link_;
static char blocked[128];
static struct wire_end *found;
static u32 n_found, cap_found;

/* ---- the pass ---- */

static size_t take_ends(const char *buf, size_t n, void *arg)
{
	size_t used = 0;

	for (; n - used >= sizeof(*found); used += sizeof(*found)) {
		if (n_found == FOUND_MAX)
			continue;
		found = grow(found, n_found, &cap_found, sizeof(*found));
		memcpy(&found[n_found++], buf + used, sizeof(*found));
	}
	return used;
}

static int run_pass(void)
{
	n_found = 0;
	return iter_run(link_, take_ends, NULL);
}

static void map_clear(struct bpf_map *map, size_t key_size)
{
	u8 key[64];
	int fd = bpf_map__fd(map);

	for (u32 i = 0; i < ENDS_MAX && key_size <= sizeof(key) && !bpf_map_get_next_key(fd, NULL, key); i++)
		bpf_map_delete_elem(fd, key);
}

static void ask_inodes(const struct wait_answer *a, u32 n)
{
	u32 one = 1;

	map_clear(skel->maps.inodes, sizeof(u64));
	map_clear(skel->maps.tuples, sizeof(struct wire_ends));
	skel->bss->n_tuples = 0;
	for (u32 i = 0; i < n; i++)
		if (a[i].end.ino)
			bpf_map_update_elem(bpf_map__fd(skel->maps.inodes), &a[i].end.ino, &one, BPF_ANY);
}

static struct wire_ends mirrored(const struct wire_ends *e)
{
	struct wire_ends m = { .lport = e->rport, .rport = e->lport, .netns = e->netns };

	memcpy(m.local, e->remote, sizeof(m.local));
	memcpy(m.remote, e->local, sizeof(m.remote));
	return m;
}

/* ---- texts ---- */

/* Processes that have it open; one is named. not: the process that is counted only if there is no other. */
struct holders {
	u32 pid, n, fd;
	bool self;
};

static void holder_add(struct holders *h, u32 pid, u32 fd, u32 self)
{
	if (pid == self) {
		h->self = true;
		return;
	}
	if (h->n && h->pid == pid)
		return;
	if (!h->n++) {
		h->pid = pid;
		h->fd = fd;
	}
}

static void add_holders(struct wait_answer *a, const struct holders *h, const char *before)
{
	a->peer_pid = h->n == 1 ? h->pid : 0;	/* of several holders none is the peer */
	a->peer_fd = h->fd;
	answer_add(a->text, "%s%c%u%c", before, PERSON_NAME, h->pid, PERSON_NAME);
	if (h->n > 1)
		answer_add(a->text, " and %u more", h->n - 1);
}

static void pipe_text(const struct wait_question *q, struct wait_answer *a, u32 dev)
{
	u32 mode = a->end.outward ? MODE_READ : MODE_WRITE;
	struct holders h = {};

	for (u32 i = 0; i < n_found; i++)
		if (found[i].kind == WIRE_FIFO && found[i].ino == a->end.ino && found[i].dev == dev &&
		    (found[i].mode & mode))
			holder_add(&h, found[i].pid, found[i].fd, q->pid);
	if (h.n)
		add_holders(a, &h, a->end.outward ? " to " : " from ");
	else if (h.self)
		answer_add(a->text, " (only this process has its other end)");
	else	/* if there were no other end the call would have returned */
		answer_add(a->text, " (? its other end is in no process that ottop sees)");
}

static void address_text(char *buf, size_t cap, const u8 *addr, u16 port, bool v6)
{
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, ip, sizeof(ip));
	snprintf(buf, cap, v6 ? "[%s]:%u" : "%s:%u", ip, port);
}

static const char *protocol_name(u16 protocol)
{
	static const struct { u16 protocol; const char *name; } names[] = {
		{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" }, { IPPROTO_SCTP, "sctp" },
		{ IPPROTO_MPTCP, "mptcp" }, { IPPROTO_ICMP, "icmp" }, { IPPROTO_UDPLITE, "udplite" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].protocol == protocol)
			return names[i].name;
	return "ip socket";
}

static void inet_text(const struct wait_question *q, struct wait_answer *a, const struct wire_end *e)
{
	struct wire_ends want = mirrored(&e->ends);
	struct holders h = {};
	char addr[64];

	if (e->ends.rport)
		address_text(addr, sizeof(addr), e->ends.remote, e->ends.rport, e->v6);
	else
		address_text(addr, sizeof(addr), e->ends.local, e->ends.lport, e->v6);
	answer_add(a->text, "%s %s", protocol_name(e->protocol), addr);
	if (!e->ends.rport)
		answer_add(a->text, e->protocol == IPPROTO_TCP && e->state == 10 ? " (listens)" :
			   " (own port)");
	if (e->protocol == IPPROTO_TCP && e->state == 2)
		answer_add(a->text, " (connecting)");
	for (u32 i = 0; e->ends.rport && i < n_found; i++)
		/* a socket that was itself requested is reported as WIRE_SOCKET */
		if ((found[i].kind == WIRE_TUPLE || found[i].kind == WIRE_SOCKET) && !memcmp(&found[i].ends, &want, sizeof(want)))
			holder_add(&h, found[i].pid, found[i].fd, q->pid);
	if (h.n) {
		add_holders(a, &h, " (");
		answer_add(a->text, ")");
	} else if (h.self) {
		answer_add(a->text, " (this process itself)");
	}
}

static void unix_path(struct wait_answer *a, const struct wire_end *e)
{
	char path[END_PATH_MAX + 2] = "";
	bool abstract = e->path_len && !e->path[0];
	size_t n = min((size_t)e->path_len, (size_t)END_PATH_MAX);

	memcpy(path, e->path, n);
	if (abstract)
		path[0] = '@';
	if (*path) {
		answer_add(a->text, " ");
		answer_add_foreign(a->text, path);
	}
}

static void unix_text(const struct wait_question *q, struct wait_answer *a, const struct wire_end *e)
{
	struct holders h = {};

	answer_add(a->text, "unix socket");
	unix_path(a, e);
	for (u32 i = 0; i < n_found; i++)
		if (found[i].kind == WIRE_UNIX_PEER && found[i].ino == a->end.ino)
			holder_add(&h, found[i].pid, found[i].fd, q->pid);
	if (!h.n && !h.self && e->state != 10 && e->peer_pid)
		holder_add(&h, e->peer_pid, UINT32_MAX, q->pid);	/* not accepted yet: the listening process */
	if (h.n)
		add_holders(a, &h, a->end.outward ? " to " : " from ");
	else if (e->state == 10)
		answer_add(a->text, " (listens)");
	else if (h.self)
		answer_add(a->text, " (this process itself)");
}

static void other_text(struct wait_answer *a, u16 family)
{
	if (family == AF_NETLINK || family == AF_PACKET || family == AF_VSOCK || family == AF_ALG)
		answer_add(a->text, family == AF_NETLINK ? "netlink socket" :
			   family == AF_PACKET ? "packet socket" :
			   family == AF_VSOCK ? "vsock" : "crypto socket");
	else
		answer_add(a->text, "socket of family %u", family);
}

static const struct wire_end *own_end(const struct wait_question *q, const struct wait_answer *a)
{
	for (u32 i = 0; i < n_found; i++)
		if (found[i].pid == q->pid && found[i].fd == a->end.fd && found[i].ino == a->end.ino &&
		    (found[i].kind == WIRE_FIFO || found[i].kind == WIRE_SOCKET))
			return &found[i];
	return NULL;
}

/* Removes the word "socket" that fd_answer() added, as more is known now. */
static void drop_word(char *text, const char *word)
{
	size_t n = strlen(text), len = strlen(word);

	if (n >= len && !strcmp(text + n - len, word))
		text[n - len] = '\0';
}

/* Adds the processes that have the lock's open file: several, if it was inherited. */
static void lock_text(const struct wait_question *q, struct wait_answer *a)
{
	struct holders h = {};

	for (u32 i = 0; i < n_found; i++)
		if (found[i].kind == WIRE_FILE && found[i].ino == a->end.ino &&
		    locks_held_by(found[i].pid, found[i].fd, a->end.lock))
			holder_add(&h, found[i].pid, found[i].fd, q->pid);
	if (h.n) {
		a->holder = h.n == 1;
		a->peer_pid = h.n == 1 ? h.pid : 0;
		answer_add(a->text, " held by %c%u%c", PERSON_PID, h.pid, PERSON_PID);
	}
	if (h.n > 1)
		answer_add(a->text, " and %u more", h.n - 1);
	if (!h.n)
		answer_add(a->text, h.self ? " held by this process itself" :
			   " held by ? (its file is open in no process that ottop sees)");
}

static void end_text(const struct wait_question *q, struct wait_answer *a)
{
	const struct wire_end *e = own_end(q, a);
	char path[ANSWER_MAX], *at;

	if (!e && a->end.maybe_fifo)
		return;		/* no FIFO: its path is all there is */
	if (!e) {
		answer_add(a->text, " (? its other end is not known)");
		return;
	}
	if (e->kind == WIRE_FIFO) {
		at = strstr(a->text, ": ");
		if (a->end.maybe_fifo && at) {
			snprintf(path, sizeof(path), "%s", at + 2);
			at[2] = '\0';
			answer_add(a->text, "fifo %s", path);
		}
		pipe_text(q, a, e->dev);
		return;
	}
	drop_word(a->text, "socket");
	a->peer_has_fd = true;
	if (e->family == AF_INET || e->family == AF_INET6)
		inet_text(q, a, e);
	else if (e->family == AF_UNIX)
		unix_text(q, a, e);
	else
		other_text(a, e->family);
}

/* ---- from outside ---- */

/* Requests the reversed addresses of the sockets found. True: some peer may be local. */
static bool ask_tuples(const struct wait_answer *a, u32 n)
{
	u32 one = 1, asked = 0;

	for (u32 i = 0; i < n_found && asked < ENDS_MAX; i++) {
		struct wire_ends want = mirrored(&found[i].ends);

		if (found[i].kind == WIRE_SOCKET && found[i].ends.rport && found[i].ends.lport)
			asked += !bpf_map_update_elem(bpf_map__fd(skel->maps.tuples), &want, &one, BPF_ANY);
	}
	skel->bss->n_tuples = asked;
	return asked;
}

static bool wants_any(const struct wait_answer *a, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (a[i].end.ino)
			return true;
	return false;
}

void ends_find(const struct wait_question *q, struct wait_answer *a, u32 n)
{
	int err;

	if (!wants_any(a, n))
		return;
	err = link_ ? 0 : -ENOSYS;
	if (!err) {
		ask_inodes(a, n);
		err = run_pass();
	}
	if (!err && ask_tuples(a, n))
		err = run_pass();
	for (u32 i = 0; i < n; i++) {
		if (!a[i].end.ino)
			continue;
		if (!err && *a[i].end.lock)
			lock_text(&q[i], &a[i]);
		else if (!err)
			end_text(&q[i], &a[i]);
		else if (*a[i].end.lock)
			answer_add(a[i].text, " held by ? (a lock of an open file; who has it: %s)",
				   link_ ? probe_why(-err) : blocked);
		else if (!a[i].end.maybe_fifo)
			answer_add(a[i].text, " (? its other end: %s)",
				   link_ ? probe_why(-err) : blocked);
	}
}

int ends_open(char *reason, size_t cap)
{
	int err;

	skel = waits__open_and_load();
	err = skel ? 0 : -errno;
	if (!err) {
		probes_add("waits", skel->obj);
		link_ = probe_attach(skel->progs.ends_iter);
		err = link_ ? 0 : -errno;
	}
	if (err)
		snprintf(blocked, sizeof(blocked), "%s", probe_why(-err));
	return err;
}

void ends_close(void)
{
	bpf_link__destroy(link_);
	link_ = NULL;
	probes_forget("waits");
	waits__destroy(skel);
	skel = NULL;
	free(found);
	found = NULL;
	n_found = cap_found = 0;
}
