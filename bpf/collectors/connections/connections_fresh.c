// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_fresh.c: see connections_fresh.h. */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/connections/connections_fresh.h"
#include "bpf/collectors/connections/connections_short.h"
#include "connections.skel.h"

#define READS_PER_TICK 2048	/* about a microsecond each */

static struct connections *skel;
static u64 reported[YOUNG_SLOTS];	/* cookies already reported, by place */
static u32 crowded_at;		/* how many were read */
static u32 n_read;		/* in this tick */

void fresh_open(struct connections *s)
{
	skel = bpf_program__fd(s->progs.read_asked) >= 0 ? s : NULL;	/* before 6.1: none */
	crowded_at = 0;
	memset(reported, 0, sizeof(reported));
}

void fresh_close(void)
{
	skel = NULL;
}

/* Runs the program that reads the requested sockets. */
static void ask(u64 now_ns, take_fresh_fn take)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	u32 n = skel->bss->n_asked;

	skel->bss->n_asked = 0;
	if (!n)
		return;
	memset(skel->bss->answers, 0, sizeof(skel->bss->answers));
	skel->bss->n_asked = n;
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.read_asked), &opts))
		n = 0;
	skel->bss->n_asked = 0;
	for (u32 i = 0; i < n; i++) {
		const struct wire_sock *w = &skel->bss->answers[i];

		if (!w->cookie)		/* it has ended */
			continue;
		reported[w->cookie & (YOUNG_SLOTS - 1)] = w->cookie;
		take(w, now_ns);
	}
}

static void ask_for(u64 cookie, u64 sk, u64 now_ns, take_fresh_fn take)
{
	skel->bss->asked[skel->bss->n_asked++] = (struct sock_ref){ cookie, sk };
	n_read++;
	if (skel->bss->n_asked == ASKED_MAX)
		ask(now_ns, take);
}

static void read_places(u64 now_ns, take_fresh_fn take)
{
	for (u32 at = 0; at < YOUNG_SLOTS && n_read < READS_PER_TICK; at++) {
		u64 cookie = __atomic_load_n(&skel->bss->young[at].cookie, __ATOMIC_ACQUIRE);

		if (cookie && cookie != YOUNG_MOVED && cookie != reported[at])
			ask_for(cookie, skel->bss->young_sk[at], now_ns, take);
	}
}

/* Those whose place was taken; of very many only the latest. */
static void read_crowded(u64 now_ns, take_fresh_fn take)
{
	u32 end = __atomic_load_n(&skel->bss->n_crowded, __ATOMIC_ACQUIRE);

	if (end - crowded_at > CROWDED_MAX)
		crowded_at = end - CROWDED_MAX;
	for (; crowded_at != end && n_read < READS_PER_TICK; crowded_at++) {
		const struct sock_ref *r = &skel->bss->crowded[crowded_at & (CROWDED_MAX - 1)];

		ask_for(r->cookie, r->sk, now_ns, take);
	}
}

void fresh_read(u64 now_ns, take_fresh_fn take)
{
	if (!skel)
		return;
	n_read = 0;
	read_places(now_ns, take);
	read_crowded(now_ns, take);
	ask(now_ns, take);
}
