// SPDX-License-Identifier: GPL-2.0-or-later
/* main_record.c: a recording as a sink of the exporter. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table/format.h"
#include "tui/main/main.h"

static int record_write(struct sink *sink, const struct snapshot *s)
{
	struct record_sink *r = (struct record_sink *)sink;
	int err = recorder_write(r->recorder, s);

	atomic_store(&r->bytes, recorder_bytes(r->recorder));
	return err;
}

static int record_close(struct sink *sink)
{
	struct record_sink *r = (struct record_sink *)sink;
	int err = recorder_close(r->recorder);

	r->recorder = NULL;
	return err;
}

struct record_sink *record_sink_open(const char *path, const struct session *session,
				     char **ret_error)
{
	struct record_sink *r;
	struct recorder *recorder;

	recorder = recorder_open(path, session, ret_error);
	if (!recorder)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->sink.name = "record";
	r->sink.write = record_write;
	r->sink.close = record_close;
	r->recorder = recorder;
	r->path = xstrdup(path);
	r->bytes = recorder_bytes(recorder);
	return r;
}

void record_push(struct record_sink *r, struct exporter *e, const struct snapshot *s)
{
	/* do not delay a viewer at the other end of a pipe by a tick */
	bool hold = s->tables[TABLE_frames].n && !s->session->replay && strcmp(r->path, "-");

	if (r->held)
		exporter_push(e, r->held);
	snapshot_put(r->held);
	r->held = hold ? snapshot_get(s) : NULL;
	if (!hold)
		exporter_push(e, s);
}

bool record_wants_names(const struct record_sink *r)
{
	return r->held != NULL;
}

void record_end(struct record_sink *r, struct exporter *e, const struct snapshot *named)
{
	const struct snapshot *last = r->held;

	if (!last)
		return;
	r->held = NULL;
	if (named) {
		const struct snapshot *s = snapshot_with_table(last, named, TABLE_frames);

		snapshot_put(last);
		last = s;
	}
	exporter_push(e, last);
	snapshot_put(last);
}

char *record_sink_report(const struct record_sink *r)
{
	u64 written = atomic_load(&r->sink.written), dropped = atomic_load(&r->sink.dropped);
	int error = atomic_load(&r->sink.error);
	const char *to = strcmp(r->path, "-") ? r->path : "stdout";
	char size[FORMAT_MAX], lost[80] = "";

	format_bytes(size, (double)atomic_load(&r->bytes));
	if (dropped)
		snprintf(lost, sizeof(lost), "; %llu more %s not, writing was too slow",
			 (unsigned long long)dropped, dropped == 1 ? "was" : "were");
	if (error)
		return xasprintf("--record %s: %s; %llu interval%s written before that, %s%s",
				 r->path, strerror(-error), (unsigned long long)written,
				 text_plural(written, "s"), size,
				 lost);
	return xasprintf("recorded %llu interval%s to %s, %s%s", (unsigned long long)written,
			 text_plural(written, "s"), to,
			 size, lost);
}

void record_sink_free(struct record_sink *r)
{
	if (!r)
		return;
	snapshot_put(r->held);
	free(r->path);
	free(r);
}

u64 record_tables(const struct options *o)
{
	u64 always = TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_cpus) | TABLE_BIT(TABLE_processes) |
		     TABLE_BIT(TABLE_events) | TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_lost) |
		     TABLE_BIT(TABLE_probes);

	return o->names.tables ? o->names.tables | always : MAIN_ALL_TABLES;
}
