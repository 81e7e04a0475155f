/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.h: private to tab 5: connections*.c, interfaces.c, drops.c, failures.c, net.c (texts). */
#pragma once

#include "tui/app/app.h"
#include "tui/engines/past.h"

#define NET_END_MAX 320		/* bytes: a name has up to 253, then a port */

/* Members of `connections` that a page or preview shows over time. */
enum net_past { PAST_TX, PAST_RX, PAST_RTT, PAST_RETR, PAST_CWND, N_NET_PAST };

struct connections_state {
	bool hide_closed, names, services;
	int remote_cols, local_cols;	/* width of the longest addresses so far, */
	int screen_cols;		/* until the screen is resized */
	struct past past;		/* of the row in the preview */
};

struct connections_state *net_state(const struct app *a);

/* ---- net.c ---- */

/* The service on a port, or NULL. */
const char *net_service(u64 port);
/*
 * "10.0.0.7:8443", "[2001:db8::1]:443", "*:53" (no address), "api.example.org:https". Returns buf.
 */
char *net_end(struct app *a, char buf[NET_END_MAX], const char *addr, u64 port);
/* In `width` columns: an address is not truncated to show the service's name. */
char *net_end_fit(struct app *a, const struct canvas *c, char buf[NET_END_MAX], const char *addr, u64 port, int width);
/* Without names: never truncated. */
char *net_address(char buf[NET_END_MAX], const char *addr, u64 port);
/* Columns of net_address(), in time linear in the length of addr. */
int net_address_cols(const char *addr, u64 port);
/* The name of an address; NULL if not known yet, or names are off. */
const char *net_name(const struct app *a, const char *addr);
/* One line about an address's name: the name, "not yet", or why there is none. */
void net_explain_name(const struct app *a, const char *addr, char *buf, size_t cap);
/* r and s: toggles names and services; true: handled. */
bool net_act(struct app *a, enum action action);
/* TABLE_BIT(TABLE_names) while names are shown: for a view's wants(). */
u64 net_wants(const struct app *a, const void *state);
/* "   names 12 of 31 known, 3 have none" appended, while names are shown. */
void net_names_status(const struct app *a, char *buf, size_t cap);

/* Name of a network namespace; its number if it has no name (in buf), "?" if unknown. */
const char *net_netns(const char *name, u64 inode, char *buf, size_t cap);

/* A round-trip time in at most 5 columns: 24us 9.9ms 214ms 1.31s. */
char *net_rtt(char *buf, double ns);
/* A member of a connection as text, including "?" and "·". */
const char *net_value(char buf[FORMAT_MAX], const struct row *r, const char *member);
/* Percentage of retransmitted segments; NAN: unknown. */
float net_retransmit_pct(float retransmit_rate, float segments_rate);
/* Payload bytes a second in both directions, for sorting; unknown counts as 0. */
double net_traffic(const struct row *r);
/* More than LOSSY_PCT retransmits. */
bool net_is_lossy(const struct row *r);
/* Ended other than by being closed. */
bool net_has_failed(const char *end_reason);
/* "ESTABLISHED", "REFUSED", "CLOSED": the text of column STATE; may use buf. */
const char *net_state_text(const struct connections_row *r, char *buf, size_t cap);

/* ---- connections.c ---- */

bool connections_keep(struct app *a, void *state, const struct row *r);
/* Addresses are never truncated: records the width of the row's. */
void connections_measure(void *state, const struct row *r);

/* ---- connections_group.c ---- */

#define N_CONNECTIONS_GROUPINGS 4
extern const struct grouping connections_groupings[N_CONNECTIONS_GROUPINGS];

/* ---- connection.c ---- */

/* Enters the page of a connection. */
void connection_open(struct app *a, const struct connections_row *r);
/* Facts and sparklines of a connection, at most `rows` lines; `past` may be incomplete. */
void connection_draw_past(struct app *a, struct canvas *c, struct rect r, const struct connections_row *row,
			  const struct past *past);
void connection_past_update(struct app *a, struct past *past, const struct row *row);

/* ---- drops.c ---- */

/* The reasons with most drops, in the lines of r. */
void drops_draw_list(struct app *a, struct canvas *c, struct rect r);
