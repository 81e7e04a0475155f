// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * connections_holders.c: see connections_holders.h. Only the further holders of a socket are kept.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host/proctab.h"
#include "bpf/collectors/connections/connections_calls.h"
#include "bpf/collectors/connections/connections_holders.h"

#define MAX_OTHERS 65536
#define OWNERS_TEXT 400

struct other {
	u64 cookie;
	u32 generation;
	struct wire_ends peer;		/* remote end alone */
	struct wire_owner owner;
};

static struct other *others;
static u32 n_others, cap_others;
static u64 unfollowed;

static bool is_owner(const struct conn *c, const struct wire_owner *o)
{
	return c->row->pid == o->tgid && c->row->start_time_ns == o->start_ns;
}

void holders_seen(struct conn *c, const struct wire_owner *o, u32 pass)
{
	struct other *e;

	if (!o->tgid)
		return;
	if (!u64_known(c->row->pid))
		conn_set_owner(c, o, false);
	if (is_owner(c, o)) {
		conn_set_owner(c, o, false);	/* its name may have changed */
		c->owner_pass = pass;
		return;
	}
	if (n_others && others[n_others - 1].cookie == c->cookie &&
	    others[n_others - 1].owner.tgid == o->tgid)
		return;
	if (n_others == MAX_OTHERS) {
		unfollowed += !c->shared;
		return;
	}
	others = grow(others, n_others, &cap_others, sizeof(*others));
	e = &others[n_others++];
	memset(e, 0, sizeof(*e));
	e->cookie = c->cookie;
	e->generation = c->generation;
	e->peer.rport = c->rport;
	memcpy(e->peer.remote, c->remote, sizeof(c->remote));
	e->owner = *o;
}

static int by_socket(const void *a, const void *b)
{
	const struct other *x = a, *y = b;

	return cmp(x->cookie, y->cookie) ?: cmp(x->generation, y->generation) ?:
	       memcmp(&x->peer, &y->peer, sizeof(x->peer)) ?: cmp(x->owner.tgid, y->owner.tgid);
}

static struct wire_owner owner_of(const struct conn *c)
{
	struct wire_owner o = { .tgid = (u32)c->row->pid, .start_ns = c->row->start_time_ns };

	snprintf(o.comm, sizeof(o.comm), "%s", c->row->comm ?: "");
	return o;
}

/* The owner among the holders: the last user, or else the youngest process. */
static struct wire_owner choose(struct conn *c, const struct other *o, u32 n, u32 pass)
{
	bool seen = c->owner_pass == pass;
	struct wire_owner best = seen ? owner_of(c) : o->owner, user;

	if (calls_user(c->cookie, &user) && user.tgid) {
		if (seen && is_owner(c, &user))
			return best;
		for (u32 i = 0; i < n; i++)
			if (o[i].owner.tgid == user.tgid && o[i].owner.start_ns == user.start_ns)
				return user;
	}
	if (seen && c->used)
		return best;
	for (u32 i = 0; i < n; i++)
		if (o[i].owner.start_ns > best.start_ns)
			best = o[i].owner;
	return best;
}

static void append(char *text, const char *comm, u64 pid)
{
	size_t n = strlen(text);

	snprintf(text + n, OWNERS_TEXT - n, "%s%.16s %llu", n ? ", " : "", comm,
		 (unsigned long long)pid);
}

static void set_owners(struct conn *c, const char *text)
{
	if (!c->row->owners || strcmp(c->row->owners, text))
		str_set(&conn_row(c)->owners, str_new(text));
}

/* `o`: the n holders other than the row's current owner. */
static void settle(struct conn *c, const struct other *o, u32 n, u32 pass)
{
	bool seen = c->owner_pass == pass;
	struct wire_owner old = owner_of(c), best;
	char text[OWNERS_TEXT] = "";

	if (c->proto == IPPROTO_TCP && n + seen > 1 && !calls_share(c->cookie))
		unfollowed += !c->shared && !calls_by_descriptor();
	best = choose(c, o, n, pass);
	c->shared = n + seen > 1;
	if (seen)
		append(text, old.comm, old.tgid);
	for (u32 i = 0; i < n; i++)
		append(text, o[i].owner.comm, o[i].owner.tgid);
	set_owners(c, c->shared ? text : "");
	if (best.tgid != old.tgid || best.start_ns != old.start_ns) {
		c->used = false;
		conn_set_owner(c, &best, false);
	}
	c->shared_pass = pass;
}

/* Stops tracking a socket that is no longer shared. */
static void end_sharing(struct conn *c, void *arg)
{
	if (!c->shared || c->shared_pass == *(u32 *)arg || c->closed)
		return;
	c->shared = false;
	set_owners(c, "");
	calls_unshare(c->cookie);
}

void holders_settle(u32 pass)
{
	if (n_others)
		qsort(others, n_others, sizeof(*others), by_socket);
	for (u32 i = 0, n; i < n_others; i += n) {
		struct conn *c = conn_find(others[i].cookie, others[i].generation,
					   &others[i].peer);

		for (n = 1; i + n < n_others && others[i + n].cookie == others[i].cookie &&
		     others[i + n].generation == others[i].generation &&
		     !memcmp(&others[i + n].peer, &others[i].peer, sizeof(others[i].peer)); n++)
			;
		if (c)
			settle(c, &others[i], n, pass);
	}
	n_others = 0;
	conn_each(end_sharing, &pass);
}

u64 holders_unfollowed(void)
{
	return unfollowed;
}

void holders_clear(void)
{
	free(others);
	others = NULL;
	n_others = cap_others = 0;
}
