// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_young.c: see connections_young.h. */
#include <stdlib.h>

#include <linux/bpf.h>

#include "bpf/collectors/connections/connections_young.h"

#define YOUNG_NS NSEC_PER_SEC

/* A connection that was moved since the last tick, as it was then. */
struct move {
	u64 cookie;
	u32 at;
	struct conn_state state;
};

static struct conn_slot *slots;
static u32 *spilled;
static struct map_ops conns;
static struct move *moves;
static u32 n_moves, cap_moves;

void young_open(struct conn_slot *s, u32 *n, struct map_ops map)
{
	slots = s;
	spilled = n;
	conns = map;
}

void young_close(void)
{
	free(moves);
	moves = NULL;
	n_moves = cap_moves = 0;
	slots = NULL;
}

bool young_moving(void)
{
	return n_moves > 0;
}

/* Not that of the socket's next connection. */
static void take_back(u32 at, u64 cookie, u32 generation)
{
	struct conn_state now;

	if (!map_ops_lookup(&conns, &cookie, &now) && now.generation == generation &&
	    !map_ops_delete(&conns, &cookie))
		__atomic_fetch_sub(&spilled[at], 1, __ATOMIC_SEQ_CST);
}

static bool same_owner(const struct wire_owner *a, const struct wire_owner *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

/*
 * Adds to the entry in `conns` what programs have written to the old place since m->state was
 * copied from there. They may have changed the new entry, too, and that is newer.
 */
static void carry_over(struct move *m)
{
	const struct conn_state old = slots[m->at].state;
	struct conn_state now;

	if ((old.writes == m->state.writes && old.generation == m->state.generation) ||
	    map_ops_lookup(&conns, &m->cookie, &now) || now.generation > old.generation)
		return;
	if (now.generation < old.generation)	/* it was connected again while its old state was copied */
		now = old;
	if (!now.open_ns)
		now.open_ns = old.open_ns;
	if (same_owner(&now.owner, &m->state.owner))
		now.owner = old.owner;
	now.flags |= old.flags;
	map_ops_update(&conns, &m->cookie, &now, BPF_EXIST);
	m->state = old;
}

/*
 * First into the map, then out of its place, so that it can be found at any time. If it ends between the
 * two, its end is reported twice, as on_destroy then finds the copy: the second one is ignored, see
 * conn_ended(). What is written between the two is carried over at once, as its end may come before
 * the next tick.
 */
static void move_out(u32 at, u64 cookie)
{
	struct move m = { .cookie = cookie, .at = at, .state = slots[at].state };

	__atomic_fetch_add(&spilled[at], 1, __ATOMIC_SEQ_CST);
	if (map_ops_update(&conns, &cookie, &m.state, BPF_NOEXIST)) {
		__atomic_fetch_sub(&spilled[at], 1, __ATOMIC_SEQ_CST);
		return;	/* full: it stays where it is */
	}
	if (!__atomic_compare_exchange_n(&slots[at].cookie, &cookie, YOUNG_MOVED, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		take_back(at, m.cookie, m.state.generation);	/* it has ended meanwhile */
		return;
	}
	carry_over(&m);
	moves = grow(moves, n_moves, &cap_moves, sizeof(*moves));
	moves[n_moves++] = m;
}

/* After the grace period: no program still uses the old place. */
static void settle(struct move *m)
{
	struct conn_slot *s = &slots[m->at];

	carry_over(m);
	s->state.begun_ns = 0;
	__atomic_store_n(&s->cookie, 0, __ATOMIC_SEQ_CST);
}

void young_sweep(u64 now_ns)
{
	for (u32 i = 0; i < n_moves; i++)
		settle(&moves[i]);
	n_moves = 0;
	for (u32 at = 0; at < YOUNG_SLOTS; at++) {
		u64 cookie = __atomic_load_n(&slots[at].cookie, __ATOMIC_ACQUIRE);
		u64 begun_ns = slots[at].state.begun_ns;

		if (cookie && cookie != YOUNG_MOVED && begun_ns && now_ns - begun_ns > YOUNG_NS &&
		    begun_ns < now_ns)
			move_out(at, cookie);
	}
}

void young_forget(u64 cookie, u32 generation)
{
	u32 at = cookie & (YOUNG_SLOTS - 1);
	u64 here = cookie;

	if (__atomic_load_n(&slots[at].cookie, __ATOMIC_ACQUIRE) == cookie) {
		if (slots[at].state.generation != generation)
			return;		/* the socket has connected again */
		slots[at].state.begun_ns = 0;
	}
	if (!__atomic_compare_exchange_n(&slots[at].cookie, &here, 0, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		take_back(at, cookie, generation);
}

bool young_tracked(u64 cookie, u32 generation)
{
	const struct conn_slot *s = &slots[cookie & (YOUNG_SLOTS - 1)];
	struct conn_state state;

	if (__atomic_load_n(&s->cookie, __ATOMIC_ACQUIRE) == cookie)
		return s->state.generation == generation;
	return !map_ops_lookup(&conns, &cookie, &state) && state.generation == generation;
}
