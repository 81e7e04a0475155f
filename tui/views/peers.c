// SPDX-License-Identifier: GPL-2.0-or-later
/* peers.c: peers of one process: a line for each address, most traffic first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/net.h"
#include "tui/views/peers.h"

#define MAX_PEERS 64

/* For outgoing connections the port is part of the peer, for incoming ones it is not. */
struct peer {
	const char *addr;
	u64 port;
	char dir;		/* 'a' accepted, 'o' opened, '?' unknown */
	u32 conns;
	float bytes, segments, retransmits;
};

struct peers {
	struct peer list[MAX_PEERS];
	u32 n, others;		/* others: connections to addresses beyond MAX_PEERS */
};

static struct peer *find_peer(struct peers *p, const struct connections_row *r)
{
	char dir = !r->direction || !*r->direction ? '?' : *r->direction;
	u64 port = dir == 'a' ? U64_BLANK : r->remote_port;

	for (u32 i = 0; i < p->n; i++)	/* strings of a snapshot are interned */
		if (p->list[i].addr == r->remote_addr && p->list[i].port == port && p->list[i].dir == dir)
			return &p->list[i];
	if (p->n == MAX_PEERS)
		return NULL;
	p->list[p->n] = (struct peer){ .addr = r->remote_addr, .port = port, .dir = dir };
	return &p->list[p->n++];
}

static float known(float v)
{
	return f32_known(v) ? v : 0;
}

static void add(struct peers *p, const struct connections_row *r)
{
	struct peer *peer = find_peer(p, r);

	if (!peer) {
		p->others++;
		return;
	}
	peer->conns++;
	peer->bytes += known(r->rx_rate) + known(r->tx_rate);
	peer->segments += known(r->segments_rate);
	peer->retransmits += known(r->retransmit_rate);
}

static int cmp_peers(const void *pa, const void *pb)
{
	const struct peer *a = pa, *b = pb;

	return cmp(b->bytes, a->bytes) ?: cmp(b->conns, a->conns);
}

static void collect(struct peers *p, const struct snapshot *s, const struct processes_row *of)
{
	const struct table *t = &s->tables[TABLE_connections];

	p->n = p->others = 0;
	for (u32 i = 0; i < t->n; i++) {
		const struct connections_row *r = connections_row(t->rows[i]);

		if (!r->row.closed && r->pid == of->pid && r->start_time_ns == of->start_time_ns && r->remote_addr && *r->remote_addr)
			add(p, r);
	}
	qsort(p->list, p->n, sizeof(*p->list), cmp_peers);
}

/* "› 10.0.0.7:8443    46.0K/s !3.1 % resent" */
static void draw_peer(struct app *a, struct canvas *c, struct rect r, const struct peer *peer)
{
	float pct = net_retransmit_pct(peer->retransmits, peer->segments);
	bool lossy = f32_known(pct) && pct > LOSSY_PCT;
	char end[NET_END_MAX], rate[FORMAT_MAX], text[FORMAT_MAX * 2];
	int width;

	snprintf(text, sizeof(text), "%s/s", format_bytes(rate, (double)peer->bytes));
	if (lossy)
		snprintf(text, sizeof(text), "%s/s !%.1f%%", rate, (double)pct);
	width = (int)strlen(text);
	canvas_text(c, r.row, r.col + 1, 1, ROLE_accent, peer->dir == 'a' ? "‹" : peer->dir == 'o' ? "›" : "?");
	canvas_right(c, r.row, r.col + r.cols - width - 1, width, lossy ? ROLE_bad : ROLE_text, text);
	canvas_cut(c, r.row, r.col + 3, r.cols - width - 5, ROLE_text, net_end(a, end, peer->addr, peer->port));
}

int peers_draw(struct app *a, struct canvas *c, struct rect r, const struct snapshot *s,
	       const struct processes_row *p)
{
	const struct table *t = &s->tables[TABLE_connections];
	struct peers peers;
	char title[64], none[320];
	int lines;

	if (t->status == TS_OFF || t->status == TS_STARTING || t->status == TS_BLOCKED) {
		canvas_rule(c, r.row, r.col, r.cols, "5 peers");
		canvas_printf(c, r.row + 1, r.col + 1, r.cols - 1, ROLE_dim, t->status == TS_BLOCKED ? "blocked: %s" :
			      t->status == TS_STARTING ? "starting" : p->row.closed ? "were not collected when it ended"
			      : "off: press 5", t->reason ? t->reason : "?");
		return 0;
	}
	collect(&peers, s, p);
	lines = min((int)peers.n, r.rows - 1);
	if (lines < (int)peers.n || peers.others)
		snprintf(title, sizeof(title), peers.others ? "5 peers, %d of more than %u" : "5 peers, %d of %u",
			 lines, peers.n);
	else
		snprintf(title, sizeof(title), "5 peers");
	canvas_rule(c, r.row, r.col, r.cols, title);
	if (!peers.n)
		canvas_cut(c, r.row + 1, r.col + 1, r.cols - 1, ROLE_dim,
			   app_none(a, TABLE_connections, p->pid, "none is open", none, sizeof(none)));
	for (int i = 0; i < lines; i++)
		draw_peer(a, c, (struct rect){ r.row + 1 + i, r.col, 1, r.cols }, &peers.list[i]);
	return lines;
}
