// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_group.c: connections added up by process, remote address, port or container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table/table_state.h"
#include "tui/views/net.h"

#define GROUP_BIT (1ull << 63)	/* in the cookie: real ones count from 1 */
#define NAMES_KEPT 4		/* process names told apart */

/*
 * `row` is the first member and is counted like any other, so whoever still holds
 * it when the group goes may do so. remote_addr is the text of the key, remote_port
 * its number; texts are borrowed from `source`.
 */
struct connection_group {
	struct connections_row row;
	const struct row *source;
	enum connections_by by;
	bool used;
	u32 conns, n_rtts, first_rtt;
	struct { const char *comm; u32 n; } names[NAMES_KEPT];
	u32 n_names, other_names;
	u64 rtt50_ns, rtt99_ns;
};

struct group_key {
	const char *text;
	u64 number, start;
};

static const struct connection_group *group_of(const struct row *r)
{
	return (const struct connection_group *)r;
}

const char *connections_by_title(enum connections_by by)
{
	static const char *const titles[] = { "none", "process", "remote", "port", "container" };

	return titles[by];
}

bool connections_is_group(const struct row *r)
{
	u64 cookie = connection_row(r)->cookie;

	return r->table == TABLE_connections && u64_known(cookie) && (cookie & GROUP_BIT);
}

/* ---- keys ------------------------------------------------------------------------ */

/* The port that names the service: that of the side which was connected to. */
static u64 service_port(const struct connections_row *r)
{
	if (r->direction && !strcmp(r->direction, "accepted"))
		return r->local_port;
	if (r->direction && !strcmp(r->direction, "opened"))
		return r->remote_port;
	return min(r->local_port, r->remote_port);
}

static struct group_key key_of(enum connections_by by, const struct connections_row *r)
{
	switch (by) {
	case BY_PROCESS:
		return (struct group_key){ r->comm, r->pid, r->start_time_ns };
	case BY_PORT:
		return (struct group_key){ "", service_port(r), 0 };
	case BY_CONTAINER:
		return (struct group_key){ r->container, U64_BLANK, 0 };
	default:
		return (struct group_key){ r->remote_addr, U64_BLANK, 0 };
	}
}

static bool is_of(const struct connection_group *g, const struct group_key *k)
{
	if (!g->source || g->row.remote_port != k->number || g->row.start_time_ns != k->start)
		return false;
	/* a process may change its name; the others are what they are called */
	if (g->by == BY_PROCESS && u64_known(k->number))
		return true;
	return g->row.remote_addr && k->text ? !strcmp(g->row.remote_addr, k->text)
					     : g->row.remote_addr == k->text;
}

bool connections_in_group(const struct row *group, const struct connections_row *r)
{
	struct group_key k = key_of(group_of(group)->by, r);

	return is_of(group_of(group), &k);
}

static u32 hash_of(enum connections_by by, const struct group_key *k)
{
	u64 h = k->number ^ k->start << 22;

	for (const char *p = by == BY_PROCESS && u64_known(k->number) ? NULL : k->text; p && *p; p++)
		h = (h ^ (u8)*p) * 0x100000001b3ull;
	return (u32)((h * 0x9e3779b97f4a7c15ull) >> 32);
}

/* Groups by their keys: open addressing, a power of two, index + 1; 0 is free. */
struct index {
	u32 *slots, mask;
};

static void index_add(struct index *x, const struct connection_groups *g, u32 i)
{
	const struct connections_row *r = &g->groups[i]->row;
	struct group_key k = { r->remote_addr, r->remote_port, r->start_time_ns };
	u32 at = hash_of(g->groups[i]->by, &k) & x->mask;

	while (x->slots[at])
		at = (at + 1) & x->mask;
	x->slots[at] = i + 1;
}

static void index_make(struct index *x, const struct connection_groups *g, u32 n)
{
	for (x->mask = 255; x->mask < (g->n + n) * 2; x->mask = x->mask * 2 + 1)
		;
	x->slots = xcalloc((size_t)x->mask + 1, sizeof(*x->slots));
	for (u32 i = 0; i < g->n; i++)
		index_add(x, g, i);
}

static struct connection_group *index_find(const struct index *x, const struct connection_groups *g,
					   enum connections_by by, const struct group_key *k)
{
	u32 at = hash_of(by, k) & x->mask;

	for (; x->slots[at]; at = (at + 1) & x->mask) {
		struct connection_group *group = g->groups[x->slots[at] - 1];

		if (group->by == by && is_of(group, k))
			return group;
	}
	return NULL;
}

/* ---- life of a group ---------------------------------------------------------------- */

static void group_forget(struct connection_group *g)
{
	struct connections_row *r = &g->row;

	r->remote_addr = r->comm = r->container = r->owners = r->netns_name = r->proto = r->family = NULL;
	r->local_addr = r->state = r->direction = r->end_reason = NULL;
	row_put(g->source);
	g->source = NULL;
	g->n_names = 0;
}

void connection_groups_free(struct connection_groups *g)
{
	for (u32 i = 0; i < g->n; i++) {
		group_forget(g->groups[i]);
		row_put(&g->groups[i]->row.row);
	}
	free(g->groups);
	memset(g, 0, sizeof(*g));
}

static struct connection_group *group_new(struct connection_groups *g, enum connections_by by)
{
	struct connection_group *group = xcalloc(1, sizeof(*group));

	group->row.row.refs = 1;
	group->row.row.table = TABLE_connections;
	group->by = by;
	g->groups = grow(g->groups, g->n, &g->cap, sizeof(*g->groups));
	g->groups[g->n++] = group;
	return group;
}

/* The first connection of a group in this tick: its key, sums from 0. */
static void group_begin(struct connection_group *g, const struct connections_row *r)
{
	struct group_key k = key_of(g->by, r);
	struct connections_row *sum = &g->row;

	group_forget(g);
	g->source = row_get(&r->row);
	g->used = true;
	g->conns = g->n_rtts = g->other_names = 0;
	sum->row.first_seen_ns = r->row.first_seen_ns;
	sum->cookie = GROUP_BIT | g->by;
	sum->remote_addr = k.text;
	sum->remote_port = k.number;
	sum->start_time_ns = k.start;
	sum->pid = g->by == BY_PROCESS ? r->pid : U64_BLANK;
	sum->rx_rate = sum->tx_rate = sum->segments_rate = sum->retransmit_rate = F32_UNKNOWN;
}

static void add_f32(float *sum, float v)
{
	if (f32_known(v))
		*sum = (f32_known(*sum) ? *sum : 0) + v;
}

/* By process it is the peers that are told apart. */
static void add_name(struct connection_group *g, const char *name)
{
	if (!name)
		name = "?";
	for (u32 i = 0; i < g->n_names; i++) {
		if (g->names[i].comm == name || !strcmp(g->names[i].comm, name)) {
			g->names[i].n++;
			return;
		}
	}
	if (g->n_names == NAMES_KEPT) {
		g->other_names++;
		return;
	}
	g->names[g->n_names].comm = name;
	g->names[g->n_names++].n = 1;
}

static void group_add(struct connection_group *g, const struct connections_row *r)
{
	add_f32(&g->row.rx_rate, r->rx_rate);
	add_f32(&g->row.tx_rate, r->tx_rate);
	add_f32(&g->row.segments_rate, r->segments_rate);
	add_f32(&g->row.retransmit_rate, r->retransmit_rate);
	g->n_rtts += u64_known(r->srtt_ns);
	if (r->row.closed)
		return;
	g->conns++;
	add_name(g, g->by == BY_PROCESS ? r->remote_addr : r->comm);
}

static void drop_unused(struct connection_groups *g)
{
	u32 n = 0;

	for (u32 i = 0; i < g->n; i++) {
		struct connection_group *group = g->groups[i];

		if (group->used || group->row.row.refs > 1) {
			g->groups[n++] = group;
			continue;
		}
		group_forget(group);
		row_put(&group->row.row);
	}
	g->n = n;
}

/* ---- round-trip times ------------------------------------------------------------------ */

static int cmp_u64(const void *pa, const void *pb)
{
	u64 a = *(const u64 *)pa, b = *(const u64 *)pb;

	return a < b ? -1 : a > b;
}

/* Medians and 99th percentiles over the connections: those of a group stand together, sorted. */
static void quantiles(struct connection_groups *g, struct connection_group *const *of,
		      const struct table_row *rows, u32 n)
{
	u64 *rtts;
	u32 total = 0;

	for (u32 i = 0; i < g->n; i++) {
		g->groups[i]->first_rtt = total;
		total += g->groups[i]->used ? g->groups[i]->n_rtts : 0;
		g->groups[i]->n_rtts = 0;
	}
	rtts = xcalloc((size_t)total + 1, sizeof(*rtts));
	for (u32 i = 0; i < n; i++) {
		u64 ns = connection_row(rows[i].row)->srtt_ns;

		if (of[i] && u64_known(ns))
			rtts[of[i]->first_rtt + of[i]->n_rtts++] = ns;
	}
	for (u32 i = 0; i < g->n; i++) {
		struct connection_group *group = g->groups[i];
		u64 *first = rtts + group->first_rtt;

		qsort(first, group->n_rtts, sizeof(*rtts), cmp_u64);
		group->rtt50_ns = group->n_rtts ? first[(group->n_rtts - 1) / 2] : U64_BLANK;
		group->rtt99_ns = group->n_rtts ? first[(u32)((u64)(group->n_rtts - 1) * 99 / 100)] : U64_BLANK;
	}
	free(rtts);
}

u32 connections_group(struct connections_state *st, enum connections_by by, struct table_row *rows, u32 n)
{
	struct connection_groups *g = &st->groups;
	struct connection_group **of = xcalloc((size_t)n + 1, sizeof(struct connection_group *));
	struct index x;
	u32 made = 0;

	for (u32 i = 0; i < g->n; i++)
		g->groups[i]->used = false;
	st->n_grouped = 0;
	index_make(&x, g, n);
	for (u32 i = 0; i < n; i++) {
		const struct connections_row *r = connection_row(rows[i].row);
		struct group_key k = key_of(by, r);
		struct connection_group *group = rows[i].past ? NULL : index_find(&x, g, by, &k);
		bool is_new = !group;

		if (rows[i].past)	/* ended before this tick */
			continue;
		if (is_new)
			group = group_new(g, by);
		if (!group->used)
			group_begin(group, r);
		if (is_new)
			index_add(&x, g, g->n - 1);
		group_add(group, r);
		of[i] = group;
		st->n_grouped += !r->row.closed;
	}
	free(x.slots);
	quantiles(g, of, rows, n);
	free(of);
	drop_unused(g);
	for (u32 i = 0; i < g->n; i++) {
		if (!g->groups[i]->used)
			continue;
		rows[made] = (struct table_row){ .row = &g->groups[i]->row.row, .order = made };
		made++;
	}
	return made;
}

/* ---- columns ----------------------------------------------------------------------------- */

static u32 style_of(const struct table_row *tr)
{
	return tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
}

static void draw_key(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct connection_group *g = group_of(tr->row);
	const char *text = g->row.remote_addr, *service;
	char buf[NET_END_MAX];

	switch (g->by) {
	case BY_PROCESS:
		snprintf(buf, sizeof(buf), u64_known(g->row.pid) ? "%.64s %llu" : "%.64s", text ? text : "?",
			 (unsigned long long)g->row.pid);
		break;
	case BY_PORT:
		service = net_service(g->row.remote_port);
		if (u64_known(g->row.remote_port))
			snprintf(buf, sizeof(buf), "%5llu %s", (unsigned long long)g->row.remote_port,
				 service ? service : "");
		else
			snprintf(buf, sizeof(buf), "    ?");
		break;
	case BY_CONTAINER:
		snprintf(buf, sizeof(buf), "%.255s", !text ? "?" : *text ? text : "none");
		break;
	default:
		net_end(a, buf, text, U64_BLANK);
	}
	canvas_cut(c, row, col, width, style_of(tr), buf);
}

static void draw_conns(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	char buf[FORMAT_MAX];

	canvas_right(c, row, col, width, style_of(tr), format_count(buf, group_of(tr->row)->conns));
}

static double number_conns(const struct row *r)
{
	return group_of(r)->conns;
}

/* "node(4)", "node nginx redis", "node nginx redis sshd +3": whole names; only the first may be cut. */
static void draw_names(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct connection_group *g = group_of(tr->row);
	int x = 0, more_cols = 5;	/* " +12" and a blank */
	u32 i;

	for (i = 0; i < g->n_names; i++) {
		char buf[96], times[16] = "";
		bool last = i + 1 == g->n_names && !g->other_names;

		if ((g->n_names == 1 || g->by == BY_PROCESS) && g->names[i].n > 1)
			snprintf(times, sizeof(times), "(%u)", g->names[i].n);
		snprintf(buf, sizeof(buf), "%s%.50s%s", i ? " " : "", g->names[i].comm, times);
		if (i && x + canvas_width(c, buf) > width - (last ? 0 : more_cols))
			break;
		x += canvas_cut(c, row, col + x, width - x, style_of(tr), buf);
	}
	if (g->n_names - i + g->other_names)
		canvas_printf(c, row, col + x, max(width - x, 0), style_of(tr), " +%u",
			      g->n_names - i + g->other_names);
}

/* The rest of a narrow line; on a wide one no more, so that the numbers stay near. */
static int fit_names(struct app *a, int width)
{
	return app_cols(a) >= 160 ? 46 : app_wide(a) ? 38 : width;
}

static void draw_rtt(struct canvas *c, int row, int col, int width, u64 ns)
{
	char buf[FORMAT_MAX];

	if (u64_known(ns))
		canvas_right(c, row, col, width, ROLE_text, net_rtt(buf, (double)ns));
}

static void draw_rtt50(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_rtt(c, row, col, width, group_of(tr->row)->rtt50_ns);
}

static void draw_rtt99(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_rtt(c, row, col, width, group_of(tr->row)->rtt99_ns);
}

static double number_rtt50(const struct row *r)
{
	return u64_known(group_of(r)->rtt50_ns) ? (double)group_of(r)->rtt50_ns : -1;
}

static double number_rtt99(const struct row *r)
{
	return u64_known(group_of(r)->rtt99_ns) ? (double)group_of(r)->rtt99_ns : -1;
}

static float retransmit_pct(const struct row *r)
{
	return net_retransmit_pct(connection_row(r)->retransmit_rate, connection_row(r)->segments_rate);
}

static void draw_retransmits(struct app *a, struct canvas *c, int row, int col, int width,
			     const struct table_row *tr)
{
	float pct = retransmit_pct(tr->row);
	char buf[FORMAT_MAX], text[FORMAT_MAX + 1];

	snprintf(text, sizeof(text), "%s%s", net_is_lossy(tr->row) ? "!" : "", format_pct(buf, (double)pct));
	if (f32_known(pct))
		canvas_right(c, row, col, width, *text == '!' ? ROLE_bad : ROLE_text, text);
}

/* Worst first; those that lose nothing by what they carry. */
static double number_retransmits(const struct row *r)
{
	double bytes = net_traffic(connection_row(r));
	float pct = retransmit_pct(r);

	return f32_known(pct) && pct > 0 ? 1e15 * (double)pct + bytes : bytes;
}

static int fit_key(struct app *a, int width)
{
	int longest = net_state(a)->by == BY_REMOTE || net_state(a)->inside == BY_REMOTE ?
		net_state(a)->remote_cols - 2 : 0;

	/* the address alone: at least the colon and one digit of the port are not there */
	return max(app_cols(a) >= 160 ? 45 : app_wide(a) ? 26 : width, min(longest, 41));
}

#define COLUMNS(name, key_field, key_title, names_title) \
static const struct column name##_columns[] = { \
	{ key_field, .title = key_title, .width = 20, .priority = 1, .draw = draw_key, .fit = fit_key, \
	  .number = NULL }, \
	{ NULL, .title = "CONNS", .width = 5, .priority = 1, .draw = draw_conns, .number = number_conns }, \
	{ NULL, .title = names_title, .priority = 3, .draw = draw_names, .fit = fit_names }, \
	{ "rx_rate", .width = 5, .priority = 1 }, \
	{ "tx_rate", .width = 5, .priority = 1 }, \
	{ NULL, .title = "RTT50", .width = 5, .priority = 2, .draw = draw_rtt50, .number = number_rtt50 }, \
	{ NULL, .title = "RTT99", .width = 5, .priority = 4, .draw = draw_rtt99, .number = number_rtt99 }, \
	{ NULL, .title = "RETR%", .width = 6, .priority = 2, .draw = draw_retransmits, \
	  .number = number_retransmits }, \
};

COLUMNS(process, "remote_addr", "PROCESS", "REMOTES")
COLUMNS(remote, "remote_addr", "REMOTE", "PROCESSES")
COLUMNS(port, "remote_port", "PORT", "PROCESSES")
COLUMNS(container, "remote_addr", "CONTAINER", "PROCESSES")

const struct table_spec *connections_group_spec(enum connections_by by)
{
	static struct table_spec specs[N_CONNECTIONS_BY];
	static const struct column *const columns[] = {
		NULL, process_columns, remote_columns, port_columns, container_columns,
	};
	struct table_spec *s = &specs[by];

	if (s->columns)
		return s;
	*s = connections_spec;
	s->columns = columns[by];
	s->n_columns = ARRAY_SIZE(remote_columns);
	s->sort = "RETR%";
	s->arrange_first = true;
	s->no_ghosts = true;
	s->sinks = NULL;
	return s;
}

/* ---- going into one ------------------------------------------------------------------------- */

void connections_open_group(struct app *a, const struct row *row)
{
	const struct connection_group *g = group_of(row);
	const struct context *ctx = app_context(a);
	const char *text = g->row.remote_addr;
	char label[96];

	if (g->by == BY_PROCESS && u64_known(g->row.pid)) {
		app_enter_process(a, g->row.pid, u64_known(g->row.start_time_ns) ? g->row.start_time_ns : 0,
				  "connections");
		return;
	}
	if (g->by == BY_PORT && u64_known(g->row.remote_port))
		snprintf(label, sizeof(label), "port %llu", (unsigned long long)g->row.remote_port);
	else
		snprintf(label, sizeof(label), "%.80s", !text ? "?" : *text ? text : "no container");
	app_enter(a, "connections", ctx->pid, ctx->start_time_ns, row, label);
}
