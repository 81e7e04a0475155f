// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_late.c: see connections_late.h. */

#include "bpf/collectors/connections/connections_late.h"

/* Indexed by the low bits of the cookie, which counts up: entries that collide are 1024 sockets apart. */
#define PLACES 1024

static struct wire_end waiting[PLACES];	/* cookie 0: free */
static u32 n_waiting;
static take_end_fn take_known, take_unknown;
static knows_listener_fn knows_listener;

static struct wire_end *place_of(u64 cookie)
{
	return &waiting[cookie & (PLACES - 1)];
}

static void finish(struct wire_end *at, take_end_fn take)
{
	struct wire_end e = *at;

	at->sock.cookie = 0;
	n_waiting--;
	take(&e);
}

void late_open(take_end_fn known, take_end_fn unknown, knows_listener_fn listener)
{
	take_known = known;
	take_unknown = unknown;
	knows_listener = listener;
}

void late_close(void)
{
	for (u32 i = 0; i < PLACES; i++)
		waiting[i].sock.cookie = 0;
	n_waiting = 0;
}

void late_keep(const struct wire_end *e)
{
	struct wire_end *at = place_of(e->sock.cookie);

	if (at->sock.cookie) {	/* the older one is accepted first, so it stays */
		take_unknown(e);
		return;
	}
	*at = *e;
	n_waiting++;
}

void late_owner(u64 cookie, const struct wire_owner *o)
{
	struct wire_end *at = place_of(cookie);

	if (!cookie || at->sock.cookie != cookie)
		return;
	if (!o->tgid && !knows_listener(&at->sock.ends))
		return;
	at->sock.owner = *o;
	finish(at, take_known);
}

void late_sweep(u64 now_ns)
{
	for (u32 i = 0; i < PLACES && n_waiting; i++)
		if (waiting[i].sock.cookie && now_ns > waiting[i].time_ns &&
		    now_ns - waiting[i].time_ns > LATE_NS)
			finish(&waiting[i], take_unknown);
}
