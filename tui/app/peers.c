// SPDX-License-Identifier: GPL-2.0-or-later
/* peers.c: finds a remote address with many retransmits, for the note line. */
#include <stdio.h>

#include "tui/app/app_state.h"

#define CANDIDATES 256

struct candidate {
	const struct connections_row *row;
	float segments, retransmits;
};

/* Strings of a snapshot are interned: equal strings are equal pointers. */
static struct candidate *find(struct candidate *all, u32 n, const char *addr)
{
	for (u32 i = 0; i < n; i++)
		if (all[i].row->remote_addr == addr)
			return &all[i];
	return NULL;
}

/* Addresses with a retransmit in this interval: few, however many connections there are. */
static u32 candidates(const struct table *t, struct candidate *all)
{
	u32 n = 0;

	for (u32 i = 0; i < t->n && n < CANDIDATES; i++) {
		const struct connections_row *r = connections_row(t->rows[i]);

		if (r->remote_addr && f32_known(r->retransmit_rate) && r->retransmit_rate > 0 &&
		    !find(all, n, r->remote_addr))
			all[n++] = (struct candidate){ .row = r };
	}
	return n;
}

static void add_up(const struct table *t, struct candidate *all, u32 n)
{
	for (u32 i = 0; n && i < t->n; i++) {
		const struct connections_row *r = connections_row(t->rows[i]);
		struct candidate *c;

		if (!r->remote_addr || !f32_known(r->segments_rate) || !f32_known(r->retransmit_rate) ||
		    r->segments_rate <= 0)
			continue;
		c = find(all, n, r->remote_addr);
		if (!c)
			continue;
		c->segments += r->segments_rate;
		c->retransmits += r->retransmit_rate;
	}
}

/* Searches the shown snapshot, if it changed. */
static void peers_update(struct app *a)
{
	struct candidate all[CANDIDATES];
	struct worst_peer *p = &a->peer;
	const struct table *t;
	u32 n;

	if (!a->shown || p->seq == a->shown->seq)
		return;
	row_put(p->row);
	*p = (struct worst_peer){ .seq = a->shown->seq, .pct = LOSSY_PCT };
	t = &a->shown->tables[TABLE_connections];
	n = candidates(t, all);
	add_up(t, all, n);
	for (u32 i = 0; i < n; i++) {
		float pct = all[i].segments > 0 ? all[i].retransmits / all[i].segments * 100 : 0;

		if (pct <= p->pct)
			continue;
		ROW_KEEP(p->row, &all[i].row->row);
		p->pct = pct;
	}
}

bool app_note_peers(struct app *a, char *buf, size_t cap, const char *key)
{
	peers_update(a);
	if (!a->peer.row)
		return false;
	snprintf(buf, cap, "%s: %.1f %% of segments sent again · %s",
		 connections_row(a->peer.row)->remote_addr, (double)a->peer.pct, key);
	return true;
}
