// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_calls.c: see connections_calls.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/kernel/features.h"
#include "bpf/helpers/admin.h"
#include "bpf/kernel/probes.h"
#include "bpf/kernel/map_ops.h"
#include "bpf/collectors/connections/connections_calls.h"
#include "connections_calls.skel.h"

static struct connections_calls *skel;
static struct bpf_link *links[16];
static u32 n_links;
static struct map_ops shared;

struct connections_calls *calls_skel(void)
{
	return skel;
}

bool calls_by_descriptor(void)
{
	return skel && skel->rodata->by_descriptor;
}

u64 calls_lost_ring(void)
{
	return skel ? skel->bss->lost_ring : 0;
}

/* ---- shared sockets ---- */

bool calls_share(u64 cookie)
{
	struct wire_owner none = {};
	int err;

	if (!skel || skel->rodata->by_descriptor || skel->bss->n_shared >= SHARED_MAX)
		return false;
	err = map_ops_update(&shared, &cookie, &none, BPF_NOEXIST);
	skel->bss->n_shared += !err;
	return !err || err == -EEXIST;
}

void calls_unshare(u64 cookie)
{
	if (skel && !map_ops_delete(&shared, &cookie))
		skel->bss->n_shared--;
}

bool calls_user(u64 cookie, struct wire_owner *ret)
{
	return skel && !map_ops_lookup(&shared, &cookie, ret);
}

/* ---- open and close ---- */

/* The program that runs at every return. */
static bool is_return(const struct bpf_program *prog)
{
	return prog == skel->progs.on_return || prog == skel->progs.on_return_tp;
}

/* If only 32-bit programs need it, it is attached when one of them has used UDP. */
void calls_follow(void)
{
	struct bpf_program *prog;

	if (!skel || skel->bss->compat_traced || !skel->bss->compat_seen)
		return;
	prog = bpf_program__autoload(skel->progs.on_return) ? skel->progs.on_return :
							      skel->progs.on_return_tp;
	skel->bss->compat_seen = false;	/* if attaching fails, the next use tries again */
	links[n_links] = probe_attach(prog);
	if (!links[n_links])
		return;
	n_links++;
	skel->bss->compat_traced = true;
}

static int attach_all(char *why, size_t cap)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj) {
		if (!bpf_program__autoload(prog) || bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL ||
		    (is_return(prog) && skel->rodata->compat_only))
			continue;
		links[n_links] = probe_attach(prog);
		if (!links[n_links] && prog == skel->progs.on_ring)
			continue;
		if (!links[n_links]) {
			snprintf(why, cap, "%s: %s", bpf_program__name(prog), probe_why(errno));
			return -errno;
		}
		n_links++;
	}
	return 0;
}

/* Has this kernel events for the return of each call, and may we have them? */
static bool has_call_events(void)
{
	int fd = admin_tracepoint("syscalls", "sys_exit_recvfrom");

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * include/trace/events/sock.h: sock_send_length and sock_recv_length came with 6.3. On kernels
 * that preempt programs the events of single system calls are affected, too, though they are
 * classic tracepoints (7.3: 1 in 100 returns was missed).
 */
static void choose_programs(void)
{
	struct features f;
	bool classic = probes_prefer_classic(), traced, by_call;

	features_read(&f);
	traced = f.major > 6 || (f.major == 6 && f.minor >= 3);
	by_call = traced && !classic && has_call_events();
	skel->rodata->by_descriptor = !traced;
	bpf_program__set_autoload(skel->progs.on_send, traced && !classic);
	bpf_program__set_autoload(skel->progs.on_receive, traced && !classic);
	bpf_program__set_autoload(skel->progs.number_on_send, traced && classic);
	bpf_program__set_autoload(skel->progs.number_on_receive, traced && classic);
	bpf_program__set_autoload(skel->progs.number_on_send_again, traced && classic);
	bpf_program__set_autoload(skel->progs.number_on_receive_again, traced && classic);
	bpf_program__set_autoload(skel->progs.on_send_tp, traced && classic);
	bpf_program__set_autoload(skel->progs.on_receive_tp, traced && classic);
	bpf_program__set_autoload(skel->progs.on_ring, !traced && f.major == 6);
	bpf_program__set_autoload(skel->progs.on_recvfrom, by_call);
	bpf_program__set_autoload(skel->progs.on_recvmsg, by_call);
	bpf_program__set_autoload(skel->progs.on_recvmmsg, by_call);
	bpf_program__set_autoload(skel->progs.on_sendmmsg, by_call);
	bpf_program__set_autoload(skel->progs.on_connect, by_call);
	map_ops_choose(skel->progs.take_flows0);
	map_ops_choose(skel->progs.take_flows1);
	map_ops_choose(skel->progs.serve_shared);
	skel->rodata->compat_only = by_call;
	skel->bss->compat_traced = !by_call;
	bpf_program__set_autoload(skel->progs.on_return, !classic);
	bpf_program__set_autoload(skel->progs.on_return_tp, classic);
}

int calls_open(int ring_fd, char *why, size_t cap)
{
	int err;

	skel = connections_calls__open();
	if (!skel)
		return -errno;
	choose_programs();
	err = bpf_map__reuse_fd(skel->maps.ends, ring_fd);
	if (!err)
		err = connections_calls__load(skel);
	if (err) {
		snprintf(why, cap, "%s", probe_why(-err));
	} else {
		probes_add("connections", skel->obj);
		shared = map_ops_of(skel->maps.shared, skel->progs.serve_shared);
		probe_misses_nothing(skel->progs.number_on_send);	/* on_send_tp counts sockets left without a cookie */
		probe_misses_nothing(skel->progs.number_on_receive);
		probe_misses_nothing(skel->progs.number_on_send_again);
		probe_misses_nothing(skel->progs.number_on_receive_again);
		err = attach_all(why, cap);
	}
	return err;
}

/* The caller must have called probes_forget() for the whole collector before. */
void calls_close(void)
{
	while (n_links)
		bpf_link__destroy(links[--n_links]);
	connections_calls__destroy(skel);
	skel = NULL;
}
