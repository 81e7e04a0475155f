// SPDX-License-Identifier: GPL-2.0-or-later
/* net.c: texts shared by the views of tab 5: ends of connections, states, numbers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tui/views/net.h"

struct connections_state *net_state(const struct app *a)
{
	return app_view_state(a, &connections_view);
}

/* ---- ports ------------------------------------------------------------------------ */

static const struct service {
	u32 port;
	const char *name;
} services[] = {
#define SERVICE(port, name) { port, name },
#include "tui/views/services.def"
};

const char *net_service(u64 port)
{
	u32 at = bisect(i, 0, ARRAY_SIZE(services), services[i].port < port);

	return at < ARRAY_SIZE(services) && services[at].port == port ? services[at].name : NULL;
}

/* ---- names ---------------------------------------------------------------------------- */

/* The name record of an address; NULL: not requested, or pending. */
static const struct names_row *find_name(const struct app *a, const char *addr)
{
	struct names_row like = { .row = { .table = TABLE_names }, .addr = addr };

	return app_snapshot(a) ? names_row(snapshot_find(app_snapshot(a), &like.row)) : NULL;
}

const char *net_name(const struct app *a, const char *addr)
{
	const struct names_row *n;

	if (!net_state(a)->names || !addr || !*addr)
		return NULL;
	n = find_name(a, addr);
	if (!n || !n->name)	/* requested again, but rarely */
		app_ask_name(a, addr);
	return n && n->name && *n->name ? n->name : NULL;
}

void net_explain_name(const struct app *a, const char *addr, char *buf, size_t cap)
{
	const struct names_row *n = addr && *addr ? find_name(a, addr) : NULL;

	if (!addr || !*addr)
		snprintf(buf, cap, "no address");
	else if (n && n->name && *n->name)
		snprintf(buf, cap, "%s is %s", addr, n->name);
	else if (n && n->reason)
		snprintf(buf, cap, "%s has no name: %s", addr, n->reason);
	else if (!net_state(a)->names)
		snprintf(buf, cap, "%s: r asks for its name", addr);
	else if (app_snapshot(a)->tables[TABLE_names].status == TS_BLOCKED)
		snprintf(buf, cap, "%s has no name: %s", addr, app_snapshot(a)->tables[TABLE_names].reason ?: "?");
	else
		snprintf(buf, cap, app_live(a) ? "%s: its name is not known yet" :
			 "%s: its name was not asked for at this moment", addr);
}

void net_names_status(const struct app *a, char *buf, size_t cap)
{
	const struct table *t = app_snapshot(a) ? &app_snapshot(a)->tables[TABLE_names] : NULL;
	u32 known = 0, none = 0;

	if (!t || !net_state(a)->names)
		return;
	for (u32 i = 0; i < t->n; i++) {
		const struct names_row *n = names_row(t->rows[i]);

		known += n->name && *n->name;
		none += n->reason != NULL;
	}
	if (t->status == TS_BLOCKED || t->status == TS_OFF) {
		text_add(buf, cap, "   ", "names ?");
		return;
	}
	text_add(buf, cap, "   ", "names %u of %u", known, t->n);
	if (none)
		text_add(buf, cap, ", ", "%u none", none);
}

u64 net_wants(const struct app *a, const void *state)
{
	return net_state(a)->names ? TABLE_BIT(TABLE_names) : 0;
}

bool net_act(struct app *a, enum action action)
{
	struct connections_state *st = net_state(a);

	if (action == ACTION_names) {
		st->names = !st->names;
		app_say(a, ROLE_text, !st->names ? "addresses" :
			app_live(a) ? "names of the addresses shown, as they become known; i says why one is missing"
				    : "names, where they were asked for at that time");
	} else if (action == ACTION_ports) {
		st->services = !st->services;
		app_say(a, ROLE_text, st->services ? "ports by the name of their service" : "ports as numbers");
	} else {
		return false;
	}
	return true;
}

const char *net_netns(const char *name, u64 inode, char *buf, size_t cap)
{
	if (name)
		return name;
	if (!u64_known(inode))
		return "?";
	snprintf(buf, cap, "%llu", (unsigned long long)inode);
	return buf;
}

/* ---- ends ------------------------------------------------------------------------------- */

static void end_text(char buf[NET_END_MAX], const char *host, bool brackets, u64 port, bool services)
{
	const char *service = services ? net_service(port) : NULL;
	bool any = !strcmp(host, "*") && !port;	/* an unconnected socket */

	snprintf(buf, NET_END_MAX, brackets && port != U64_BLANK ? "[%.255s]" : "%.255s", host);
	if (any)
		return;
	if (service)
		text_add(buf, NET_END_MAX, ":", "%s", service);
	else if (u64_known(port))
		text_add(buf, NET_END_MAX, ":", "%llu", (unsigned long long)port);
	else if (port != U64_BLANK)
		text_add(buf, NET_END_MAX, ":", "?");
}

char *net_address(char buf[NET_END_MAX], const char *addr, u64 port)
{
	end_text(buf, !addr ? "?" : *addr ? addr : "*", addr && strchr(addr, ':'), port, false);
	return buf;
}

char *net_end(struct app *a, char buf[NET_END_MAX], const char *addr, u64 port)
{
	const char *name = net_name(a, addr);

	if (name)
		end_text(buf, name, false, port, net_state(a)->services);
	else
		end_text(buf, !addr ? "?" : *addr ? addr : "*", addr && strchr(addr, ':'), port,
			 net_state(a)->services);
	return buf;
}

char *net_end_fit(struct app *a, const struct canvas *c, char buf[NET_END_MAX], const char *addr, u64 port, int width)
{
	net_end(a, buf, addr, port);
	if (canvas_width(c, buf) > width && !net_name(a, addr))
		net_address(buf, addr, port);
	return buf;
}

int net_address_cols(const char *addr, u64 port)
{
	int n = addr && *addr ? (int)strlen(addr) + (strchr(addr, ':') ? 2 : 0) : 1;

	if (port == U64_BLANK)
		return n;
	return n + 1 + (port < 10 || !u64_known(port) ? 1 : port < 100 ? 2 : port < 1000 ? 3 : port < 10000 ? 4 : 5);
}

/* ---- numbers and states --------------------------------------------------------------------- */

char *net_rtt(char *buf, double ns)
{
	double v = ns >= 999.5e3 ? ns / 1e6 : ns / 1e3;

	if (ns < 999.5e6 && v >= 9.95)
		snprintf(buf, FORMAT_MAX, "%.0f%s", v, ns >= 999.5e3 ? "ms" : "us");
	else if (ns >= 999.5e3 && ns < 999.5e6)
		snprintf(buf, FORMAT_MAX, "%.1fms", v);
	else
		format_ns(buf, ns);
	return buf;
}

const char *net_value(char buf[FORMAT_MAX], const struct row *r, const char *member)
{
	const struct field *field = schema_field(r->table, member);

	if (!field)
		return "";
	if (!strcmp(member, "srtt_ns") && format_state(field, r) == VALUE_KNOWN)
		return net_rtt(buf, format_number(field, r));
	return format_value(buf, field, r, NULL, NULL);
}

double net_traffic(const struct row *row)
{
	const struct connections_row *r = connections_row(row);

	return (f32_known(r->rx_rate) ? (double)r->rx_rate : 0) +
	       (f32_known(r->tx_rate) ? (double)r->tx_rate : 0);
}

float net_retransmit_pct(float retransmit_rate, float segments_rate)
{
	if (!f32_known(retransmit_rate) || !f32_known(segments_rate))
		return F32_UNKNOWN;
	return segments_rate > 0 ? retransmit_rate / segments_rate * 100 : retransmit_rate > 0 ? 100 : 0;
}

bool net_is_lossy(const struct row *r)
{
	const struct connections_row *c = connections_row(r);
	float pct = net_retransmit_pct(c->retransmit_rate, c->segments_rate);

	return f32_known(pct) && pct > LOSSY_PCT;
}

bool net_has_failed(const char *end_reason)
{
	return end_reason && *end_reason && strcmp(end_reason, "closed");
}

const char *net_state_text(const struct connections_row *r, char *buf, size_t cap)
{
	const char *from = r->row.closed && r->end_reason && *r->end_reason ? r->end_reason : r->state;
	size_t n;

	if (!from)
		return "?";
	if (f32_known(r->connections_rate) && !r->row.closed) {	/* MANY */
		char rate[FORMAT_MAX];

		snprintf(buf, cap, "%s new/s", format_count(rate, (double)r->connections_rate));
		return buf;
	}
	for (n = 0; from[n] && n + 1 < cap; n++)
		buf[n] = (char)toupper((u8)from[n]);
	buf[n] = '\0';
	return buf;
}
