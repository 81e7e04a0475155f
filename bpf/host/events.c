// SPDX-License-Identifier: GPL-2.0-or-later
/* events.c: see events.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bpf/host/events.h"
#include "bpf/model/event_log.h"

enum event_class { CLASS_PROCESS, CLASS_CONNECTION, CLASS_FAILURE };

/* A web server's connections must not push out what processes did, nor what failed. */
static u32 class_of(const struct row *r)
{
	const struct events_row *e = events_row(r);

	if (!strcmp(e->kind, "fail"))
		return CLASS_FAILURE;
	if (!strcmp(e->kind, "close") && e->end_reason && *e->end_reason && strcmp(e->end_reason, "closed"))
		return CLASS_FAILURE;
	return !strcmp(e->kind, "connect") || !strcmp(e->kind, "accept") || !strcmp(e->kind, "close") ?
		CLASS_CONNECTION : CLASS_PROCESS;
}

static struct event_log event_log = { .keep = EVENTS_KEPT, .class_of = class_of };
static u64 not_listed;	/* since the last tick */

struct events_row *events_new(const char *kind, u64 time_ns)
{
	struct events_row *e = row_new(TABLE_events);

	e->kind = str_new(kind);
	e->time_ns = time_ns;
	e->seq = event_log_add(&event_log, &e->row);
	e->row.first_seen_ns = time_ns;
	return e;
}

void events_not_listed(u64 n)
{
	not_listed += n;
}

void events_rows(struct builder *b, u64 interval_ns)
{
	char why[96];

	snprintf(why, sizeof(why), "%" PRIu64 " connection event%s more than are listed: their connections are in 5",
		 not_listed, text_plural(not_listed, "s"));
	builder_status(b, TABLE_events, not_listed ? TS_PARTIAL : TS_OK, not_listed ? why : NULL, interval_ns);
	not_listed = 0;
	event_log_rows(&event_log, b);
}

void events_clear(void)
{
	not_listed = 0;
	event_log_clear(&event_log);
}
