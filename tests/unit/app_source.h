/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app_source.h: for tests: a console without a terminal, and a source that records the requests it
 * gets.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"
#include "tui/app/app_state.h"
#include "tui/table/table_state.h"

static struct session session = { .host_name = "test", .kernel = "6.1", .version = "0.1" };
static struct history *history;
static struct app *app;
static const struct snapshot *last;
static struct {
	u64 tables, pid, start_ns, interval_ns;
	int wants, scopes, records, writes, looks;
	u32 looked[16], n_looked;
	bool scoped;
	char path[64];
	const char *problem;
} asked;

/* ---- a source that remembers ------------------------------------------------------ */

static inline void on_want(void *arg, u64 tables, u64 pid, u64 start_ns)
{
	asked.wants++;
	asked.tables = tables;
	asked.pid = pid;
	asked.start_ns = start_ns;
}

static inline void on_scope(void *arg, bool on)
{
	asked.scopes++;
	asked.scoped = on;
}

static inline void on_look(void *arg, const u32 *pids, u32 n)
{
	asked.looks++;
	asked.n_looked = n;
	memcpy(asked.looked, pids, min(n, 16u) * sizeof(*pids));
}

static inline void on_interval(void *arg, u64 ns)
{
	asked.interval_ns = ns;
}

static inline char *on_record(void *arg, bool on, const char *path, bool *ret_on)
{
	asked.records++;
	*ret_on = on;
	strcpy(asked.path, path ? path : "");
	return xstrdup(on ? "recording to x.otr" : "saved 5m02s");
}

static inline u64 record_bytes(void *arg)
{
	return 12 << 20;
}

static inline char *on_write(void *arg, const struct snapshot *s, u64 tables, u64 from_ns, const char *path)
{
	asked.writes++;
	strcpy(asked.path, path ? path : "");
	return xstrdup("written to x.json");
}

static inline const char *problem(void *arg)
{
	return asked.problem;
}

static const struct app_source source = {
	.want = on_want, .look = on_look, .scope = on_scope, .interval = on_interval, .record = on_record,
	.record_bytes = record_bytes, .write = on_write, .problem = problem,
};

/* ---- ticks --------------------------------------------------------------------------- */

static inline struct processes_row *add(struct builder *b, u64 pid, u64 start, const char *comm, float cpu)
{
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->row.first_seen_ns = start;
	p->pid = pid;
	p->start_time_ns = start;
	p->ppid = 1;
	p->comm = str_new(comm);
	p->cpu_pct = cpu;
	return p;
}

/* Tick n: process 10 uses n percent, host 2n; 11 lives from tick 2 to 4; 12 is reused at 6. */
static inline const struct snapshot *make_tick(u64 n)
{
	struct builder *b = builder_new(last, &session);
	struct host_row *h = builder_row(b, TABLE_host);

	builder_time(b, n, (1000 + n) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	h->cpu_pct = 2 * (float)n;
	add(b, 10, 5, "steady", (float)n);
	if (n >= 2 && n <= 4)
		add(b, 11, 6, "short", 50)->row.closed = n == 4;
	add(b, 12, n < 6 ? 7 : 8, n < 6 ? "old" : "new", 1);
	builder_status(b, TABLE_host, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	snapshot_put(last);
	last = builder_seal(b);
	return last;
}

static inline void tick(u64 n)
{
	const struct snapshot *s = make_tick(n);

	history_append(history, s);
	app_tick(app, snapshot_get(s));
	app_time(app, n * NSEC_PER_SEC);
}

static inline void begin(struct app_config config)
{
	memset(&asked, 0, sizeof(asked));
	history = history_new(HISTORY_CAP_BYTES);
	config.history = history;
	config.session = &session;
	config.interval_ns = NSEC_PER_SEC;
	app = app_new(&config, 24, 80);
}

static inline int start(void **state)
{
	begin((struct app_config){ .source = source });
	return 0;
}

static inline int start_replay(void **state)
{
	begin((struct app_config){ .source = { .problem = problem }, .replay = true });
	return 0;
}

static inline int end(void **state)
{
	app_free(app);
	history_free(history);
	snapshot_put(last);
	last = NULL;
	return 0;
}

static inline void keys(const char *s)
{
	for (; *s; s++)
		assert_true(app_key(app, *s == '\n' ? K_ENTER : *s == '\b' ? K_BACKSPACE : (u32)*s));
}

/* Whether the text is on the screen. */
static inline bool sees(const char *text)
{
	struct canvas *c = canvas_new(24, 80, true, false);
	char *dump;
	bool yes;

	app_draw(app, c);
	dump = canvas_dump(c);
	yes = strstr(dump, text) != NULL;
	free(dump);
	canvas_free(c);
	return yes;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
