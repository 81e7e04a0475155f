// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_table.c: see connections_table.h. */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bpf/host/netns.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/connections/connections_table.h"

#define AGES_PER_TICK 2000u
#define MANY 10000u		/* about 5 MB */

static struct hash_table table;
/*
 * All connections: the first n_sorted in the order of rows, then those added since the last tick.
 */
static struct conn **all;
static u32 n_all, cap_all, n_sorted;
static u32 age_cursor;
static bool scoped;		/* not every process is observed */
static u64 secret[2];
static u64 refused, unseen;

/* ---- finding ---- */

static u64 mix(u64 a, u64 b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (u64)m ^ (u64)(m >> 64);
}

/* Keyed with a secret: users choose their datagrams' peers and must not make them collide. */
static u32 hash_of_conn(u64 cookie, const u8 *remote, u16 rport)
{
	u64 h[2];

	if (!secret[0]) {
		if (getrandom(secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
			secret[0] = boottime_ns() * 0x9e3779b97f4a7c15ull;	/* early in the boot */
		secret[0] |= 1;
	}
	memcpy(h, remote, sizeof(h));
	h[0] = mix(h[0] ^ secret[0], h[1] ^ secret[1]);
	return (u32)mix(h[0] ^ secret[1], cookie ^ (u64)rport << 48 ^ secret[0]);
}

static bool is_peer(const struct conn *c, const struct wire_ends *e)
{
	return c->rport == e->rport && !memcmp(c->remote, e->remote, sizeof(c->remote));
}

#define find(cookie_, peer, is_it) \
	hash_find(&table, hash_of_conn(cookie_, (peer)->remote, (peer)->rport), struct conn, c, \
		  c->cookie == (cookie_) && is_peer(c, peer) && (is_it))

struct conn *conn_find(u64 cookie, u32 generation, const struct wire_ends *peer)
{
	return find(cookie, peer, c->generation == generation && !c->closed);
}

struct conn *conn_find_flow(u64 cookie, const struct wire_ends *peer)
{
	return find(cookie, peer, !c->closed);
}

/* ---- the last ends ---- */

#define ENDS_NOTED 1024		/* cookies count up: by their low bits, those of the last 1024 sockets */

static struct noted_end { u64 cookie, time_ns; u32 generation; } noted_ends[ENDS_NOTED];

void conn_note_end(const struct wire_sock *w, u64 time_ns)
{
	noted_ends[w->cookie % ENDS_NOTED] = (struct noted_end){ w->cookie, time_ns, w->generation };
}

bool conn_ended(const struct wire_sock *w)
{
	const struct noted_end *e = &noted_ends[w->cookie % ENDS_NOTED];

	/* of a connect() that fails before its SYN cookie and generation are always the same */
	return e->cookie == w->cookie && e->generation == w->generation &&
	       max(w->begun_ns, w->open_ns) <= e->time_ns;
}

/* ---- rows ---- */

static const char *addr_text(const u8 *addr, bool v6)
{
	static const u8 zero[16];
	char buf[INET6_ADDRSTRLEN];

	if (!memcmp(addr, zero, v6 ? 16 : 4))
		return str_new("*");
	return str_new(inet_ntop(v6 ? AF_INET6 : AF_INET, addr, buf, sizeof(buf)));
}

void conn_set_direction(struct conn *c, struct conn_verdict v)
{
	struct connections_row *r;

	if (v.by < c->direction_by || (v.by == c->direction_by && v.direction == c->direction))
		return;
	c->direction = (u8)v.direction;
	c->direction_by = (u8)v.by;
	r = conn_row(c);
	str_set(&r->direction, str_new(conn_direction_name(v.direction)));
	str_set(&r->direction_by, str_new(conn_evidence_name(v.by)));
}

const char *conn_proto_name(u8 proto, u16 flags)
{
	if (proto == IPPROTO_TCP)
		return flags & WS_MPTCP ? "mptcp" : "tcp";
	return proto == IPPROTO_UDPLITE ? "udplite" : "udp";
}

static struct connections_row *row_begin(const struct conn *c, u16 flags,
					 const struct wire_ends *e, u64 now_ns)
{
	struct connections_row *r = row_new(TABLE_connections);
	bool v6 = flags & WS_V6;

	r->row.first_seen_ns = now_ns;
	r->cookie = c->cookie;
	r->generation = c->generation;
	r->proto = str_new(conn_proto_name(c->proto, flags));
	r->family = str_new(v6 ? "ipv6" : "ipv4");
	r->local_addr = addr_text(e->local, v6);
	r->local_port = e->lport;
	r->remote_addr = addr_text(e->remote, v6);
	r->remote_port = e->rport;
	r->netns = e->netns;
	r->netns_name = str_get(netns_name(e->netns));
	r->connections = 1;
	r->connections_rate = F32_BLANK;
	r->end_reason = str_new("");
	r->owners = str_new("");
	return r;
}

struct connections_row *conn_row(struct conn *c)
{
	c->row = row_own(&c->row->row);
	c->changed = true;
	return c->row;
}

struct conn *conn_get(u64 cookie, u32 generation, u8 proto, u16 flags, const struct wire_ends *ends,
		      u64 now_ns, bool *ret_new)
{
	struct conn *c = conn_find(cookie, generation, ends);

	*ret_new = !c;
	if (c)
		return c;
	if (n_all >= CONNS_MAX) {
		refused++;
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->cookie = cookie;
	c->generation = generation;
	c->proto = proto;
	c->rport = ends->rport;
	memcpy(c->remote, ends->remote, sizeof(c->remote));
	memcpy(c->local, ends->local, sizeof(c->local));
	c->row = row_begin(c, flags, ends, now_ns);
	hash_add(&table, &c->node, hash_of_conn(cookie, c->remote, c->rport));
	all = grow(all, n_all, &cap_all, sizeof(*all));
	all[n_all++] = c;
	return c;
}

void conn_set_owner(struct conn *c, const struct wire_owner *o, bool used)
{
	const struct connections_row *old = c->row;
	struct connections_row *r;
	struct proc *p;

	if (!o->tgid || (c->used && !used && old->pid != o->tgid))
		return;
	c->used = c->used || used;
	c->guessed = false;
	if (old->pid == o->tgid && old->start_time_ns == o->start_ns && old->comm &&
	    !strncmp(old->comm, o->comm, sizeof(o->comm)))
		return;
	r = conn_row(c);
	p = proctab_find_any(o->tgid, o->start_ns);
	r->pid = o->tgid;
	r->start_time_ns = o->start_ns;
	str_set(&r->comm, str_newn(o->comm, sizeof(o->comm)));
	str_set(&r->container, p ? str_get(p->container) : NULL);
}

void conn_close(struct conn *c, enum conn_reason reason, bool failed, u64 time_ns)
{
	struct connections_row *r = conn_row(c);

	str_set(&r->end_reason, str_new(conn_reason_name(reason)));
	str_set(&r->state, str_new(conn_reason_state(reason, failed)));
	/* seen only at its end: its age is unknown */
	r->age_ns = !c->begun_ns && r->row.first_seen_ns >= time_ns ? U64_UNKNOWN :
		    time_ns - min(r->row.first_seen_ns, time_ns);
	r->row.closed = true;
	c->closed = true;
}

void conn_each(void (*fn)(struct conn *c, void *arg), void *arg)
{
	for (u32 i = 0; i < n_all; i++)
		fn(all[i], arg);
}

u32 conn_count(void)
{
	return n_all;
}

u32 conn_longest(void)
{
	u32 longest = 0;

	for (u32 i = 0; i < table.n_heads; i++) {
		u32 n = 0;

		for (struct hash_node *c = table.heads[i]; c; c = c->next)
			n++;
		longest = max(longest, n);
	}
	return longest;
}

u64 conn_refused(void)
{
	return refused;
}

u64 conn_rows_dropped(void)
{
	return unseen;
}

/* ---- one tick ---- */

/* Its counters come with events only while it is active; they are not read by the pass. */
static bool is_event_driven(const struct conn *c)
{
	return c->proto != IPPROTO_TCP || c->many;
}

/*
 * Rates from one reading of the socket to the next. A connection that began or ended in
 * this tick is rated over the whole tick: over its lifetime of milliseconds, the sum over a
 * server's short connections would be a multiple of what it sent.
 */
static void fill_rates(struct conn *c, const struct tick *t)
{
	struct connections_row *r = conn_row(c);
	u64 since = c->rated_ns ? c->rated_ns : t->prev_ns;
	u64 until = is_event_driven(c) || c->closed ? t->now_ns : c->read_ns;
	u64 interval = until > since && since ? until - since : 0;
	bool zero = c->begun_ns != 0;

	r->rx_rate = rate_per_s(counter_advance(&c->rx, r->rx_bytes, zero), interval);
	r->tx_rate = rate_per_s(counter_advance(&c->tx, r->tx_bytes, zero), interval);
	r->segments_rate = c->proto == IPPROTO_TCP ?
		rate_per_s(counter_advance(&c->segs, r->tx_packets, zero), interval) : F32_BLANK;
	r->retransmit_rate = c->proto == IPPROTO_TCP ?
		rate_per_s(counter_advance(&c->retransmits, r->retransmits, zero), interval) :
		F32_BLANK;
	if (c->many)
		r->connections_rate = rate_per_s(counter_advance(&c->connections, r->connections, zero), interval);
	c->rated_ns = until;
	c->updated = false;
}

/*
 * Ages of unchanged rows are updated AGES_PER_TICK a tick, not to copy 50,000 idle rows each tick.
 */
static void fill_age(struct conn *c, u32 at, const struct tick *t)
{
	u64 since = c->row->row.first_seen_ns;	/* perhaps after the tick began: a fresh one */
	bool turn = at - age_cursor < AGES_PER_TICK || at + n_all - age_cursor < AGES_PER_TICK;

	if (c->changed || turn)
		conn_row(c)->age_ns = t->now_ns - min(since, t->now_ns);
}

/* The names of namespaces and containers may become known after the row was made. */
static void fill_names(struct conn *c, const struct proc *p)
{
	const char *name = netns_name((u32)c->row->netns);

	if (name != c->row->netns_name)
		str_set(&conn_row(c)->netns_name, str_get(name));
	if (p && p->container != c->row->container)
		str_set(&conn_row(c)->container, str_get(p->container));
}

/* An event-driven connection that has become idle: its rates must go back to 0. */
static bool rests(const struct conn *c)
{
	const struct connections_row *r = c->row;

	return is_event_driven(c) && c->rated_ns &&
	       ((f32_known(r->rx_rate) && r->rx_rate > 0) || (f32_known(r->tx_rate) && r->tx_rate > 0));
}

static void add_to_process(struct proc *p, const struct connections_row *r)
{
	if (f32_known(r->rx_rate))
		p->rx_rate += r->rx_rate;
	if (f32_known(r->tx_rate))
		p->tx_rate += r->tx_rate;
}

static bool has_rates(const struct connections_row *r)
{
	return (f32_known(r->rx_rate) && r->rx_rate > 0) || (f32_known(r->tx_rate) && r->tx_rate > 0);
}

/* Updates the row. False: its process is not in scope. */
static bool finish_row(struct conn *c, u32 at, const struct tick *t)
{
	struct proc *p = NULL;

	if (c->updated || rests(c))
		fill_rates(c, t);
	if (!c->closed)
		fill_age(c, at, t);
	if (!c->changed && !scoped && !has_rates(c->row))
		return true;
	if (u64_known(c->row->pid))
		p = proctab_find((u32)c->row->pid, c->row->start_time_ns);
	if (c->changed)
		fill_names(c, p);
	if (p)
		add_to_process(p, c->row);
	return p ? proc_in_scope(p) : !scoped;
}

static void add_row(struct conn *c, const struct tick *t)
{
	builder_add(t->b, row_get(&c->row->row));
	c->changed = false;
}

/* ---- order ---- */

static int cmp_conns(const void *a, const void *b)
{
	const struct conn *x = *(struct conn *const *)a, *y = *(struct conn *const *)b;

	return cmp(x->cookie, y->cookie) ?: row_cmp_keys(&x->row->row, &y->row->row);
}

/* The new ones are few and nearly in order: sorted separately, then merged from the end. */
static void sort_all(void)
{
	u32 n_new = n_all - n_sorted, i = n_sorted, j = n_new, to = n_all;
	struct conn **fresh;

	if (!n_new)
		return;
	qsort(all + n_sorted, n_new, sizeof(*all), cmp_conns);
	fresh = xmalloc(n_new * sizeof(*fresh));
	memcpy(fresh, all + n_sorted, n_new * sizeof(*fresh));
	while (j) {
		if (i && cmp_conns(&all[i - 1], &fresh[j - 1]) > 0)
			all[--to] = all[--i];
		else
			all[--to] = fresh[--j];
	}
	free(fresh);
	n_sorted = n_all;
}

/* ---- the rows of a tick ---- */

static void conn_free(struct conn *c)
{
	row_put(&c->row->row);
	free(c);
}

static u32 count_open(void)
{
	u32 n = 0;

	for (u32 i = 0; i < n_all; i++)
		n += !all[i]->closed;
	return n;
}

/* After many have ended; free() alone does not: rows lie between strings that others share. */
static void give_memory_back(u32 n_before)
{
	static u32 most, ticks;

	most = max(most, n_before);
	if (most < MANY || n_all > most / 2) {
		ticks = 0;
	} else if (++ticks == CONNS_TRIM_TICKS) {
		malloc_trim(0);
		most = n_all;
		ticks = 0;
	}
}

/* Where not all fit, the open ones come first, and of the closed ones the youngest sockets. */
u32 conn_rows(const struct tick *t)
{
	u32 open = count_open(), closed = n_all - open, room = CONNS_KEPT, hidden = 0, n = 0;
	u32 closed_room = room > open ? room - open : 0;
	u32 too_old = closed > closed_room ? closed - closed_room : 0, n_before = n_all;

	scoped = t->scope->n_pids || t->scope->comm_glob || t->scope->cgroup;
	sort_all();
	for (u32 i = 0; i < n_all; i++) {
		struct conn *c = all[i];
		bool fits = c->closed ? !too_old : room > 0;

		too_old -= c->closed && !fits;
		room -= !c->closed && fits;
		if (finish_row(c, i, t)) {
			if (fits)
				add_row(c, t);
			hidden += !fits;
			unseen += !fits && c->closed;
		}
		if (c->closed) {
			hash_remove(&table, &c->node);
			conn_free(c);
		} else {
			all[n++] = c;
		}
	}
	n_all = n_sorted = n;
	give_memory_back(n_before);
	age_cursor = n ? (age_cursor + AGES_PER_TICK) % n : 0;
	return hidden;
}

void conn_clear(void)
{
	for (u32 i = 0; i < n_all; i++)
		conn_free(all[i]);
	free(all);
	hash_free(&table, NULL);
	all = NULL;
	n_all = cap_all = n_sorted = 0;
	memset(noted_ends, 0, sizeof(noted_ends));
}
