// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of -b: title lines, columns, order, and characters that must not reach a terminal. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "tui/main/batch.h"

/* 2026-11-22T16:42:07Z at 10 s after boot */
#define UNIX_OFFSET ((1795365727ll - 10) * (s64)NSEC_PER_SEC)

static struct session session = { .host_name = "h", .boot_id = "b" };

static struct builder *tick(u64 seconds, u64 lost)
{
	struct builder *b = builder_new(NULL, &session);
	struct self_row *self = builder_row(b, TABLE_self);

	self->lost_total = lost;
	builder_status(b, TABLE_self, TS_OK, NULL, NSEC_PER_SEC);
	builder_time(b, seconds, seconds * NSEC_PER_SEC, UNIX_OFFSET, NSEC_PER_SEC);
	return b;
}

static char *text_of(struct batch *w, FILE *f, char **buf, struct builder *b)
{
	const struct snapshot *s = builder_seal(b);
	char *text;

	rewind(f);
	assert_int_equal(batch_write(w, s), 0);
	text = xstrdup(*buf);
	text[ftell(f)] = '\0';
	snapshot_put(s);
	return text;
}

/* What is written of one snapshot; free() it. */
static char *written(struct builder *b, u64 tables, bool ascii)
{
	char *buf, *text;
	size_t size;
	FILE *f = open_memstream(&buf, &size);
	struct batch *w = batch_new(f, tables, ascii);

	text = text_of(w, f, &buf, b);
	batch_free(w);
	fclose(f);
	free(buf);
	return text;
}

static void expect(struct builder *b, u64 tables, const char *want)
{
	char *text = written(b, tables, false);

	assert_string_equal(text, want);
	free(text);
}

static struct processes_row *add_process(struct builder *b, u64 pid, const char *comm, float cpu)
{
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->pid = pid;
	p->start_time_ns = 1;
	p->cpu_pct = cpu;
	p->comm = str_new(comm);
	p->cmdline = str_new(comm);
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	return p;
}

static void columns_are_aligned(void **state)
{
	struct builder *b = tick(10, 0);

	for (u64 i = 0; i < 2; i++) {
		struct cpus_row *c = builder_row(b, TABLE_cpus);

		c->cpu = i;
		c->user_pct = i ? 100 : 1.5f;
		c->system_pct = 0;
		c->irq_pct = F32_BLANK;
	}
	builder_status(b, TABLE_cpus, TS_OK, NULL, NSEC_PER_SEC);
	expect(b, TABLE_BIT(TABLE_cpus),
	       "# cpus 2026-11-22T16:42:07Z interval=1s rows=2 lost=0\n"
	       " CPU USER%  SYS% IOWT%  IRQ% STEAL\n"
	       "   0   1.5     0     ?     -     ?\n"
	       "   1 100.0     0     ?     -     ?\n"
	       "\n");
}

static void texts_are_whole_and_widen_their_column(void **state)
{
	struct builder *b = tick(10, 12);
	struct lost_row *l = builder_row(b, TABLE_lost);

	l->cause = str_new("a cause with a name that is long");
	l->count = 12;
	l = builder_row(b, TABLE_lost);
	l->cause = str_new("\xe6\x97\xa5\xe6\x9c\xac");	/* two columns each */
	l->count = 1200000;
	builder_status(b, TABLE_lost, TS_OK, NULL, NSEC_PER_SEC / 2);
	expect(b, TABLE_BIT(TABLE_lost),
	       "# lost 2026-11-22T16:42:07Z interval=0.5s rows=2 lost=12\n"
	       "CAUSE                              COUNT\n"
	       "a cause with a name that is long      12\n"
	       "\xe6\x97\xa5\xe6\x9c\xac                               1.20M\n"
	       "\n");
}

static void a_blocked_table_says_why_and_has_no_head(void **state)
{
	struct builder *b = tick(10, 0);

	builder_status(b, TABLE_cpus, TS_BLOCKED, "/proc/stat:\n\x1b[2J denied", 0);
	expect(b, TABLE_BIT(TABLE_cpus) | TABLE_BIT(TABLE_threads),
	       "# cpus 2026-11-22T16:42:07Z status=blocked: /proc/stat: \xc2\xb7[2J denied\n"
	       "\n"
	       "# threads 2026-11-22T16:42:07Z status=off\n"
	       "\n");
}

static void a_partial_table_says_what_is_missing(void **state)
{
	struct builder *b = tick(10, 0);
	char *text;

	add_process(b, 1, "init", 0);
	builder_status(b, TABLE_processes, TS_PARTIAL, "no cgroup names", NSEC_PER_SEC);
	text = written(b, TABLE_BIT(TABLE_processes), false);
	assert_non_null(strstr(text, "rows=1 lost=0 status=partial: no cgroup names\n"));
	assert_non_null(strstr(text, "init"));
	free(text);
}

/* As on the screen: the busiest process first. */
static void rows_have_the_order_of_the_view(void **state)
{
	struct builder *b = tick(10, 0);
	char *text, *idle, *busy, *busiest, *unknown;

	add_process(b, 1, "p-idle", 0);
	add_process(b, 2, "p-busiest", 150);
	add_process(b, 3, "p-unknown", F32_UNKNOWN);
	add_process(b, 4, "p-busy", 20);
	text = written(b, TABLE_BIT(TABLE_processes), false);
	idle = strstr(text, "p-idle");
	busy = strstr(text, "p-busy\n");
	busiest = strstr(text, "p-busiest");
	unknown = strstr(text, "p-unknown");
	assert_true(idle && busy && busiest && unknown);
	assert_true(busiest < busy && busy < idle && idle < unknown);
	free(text);
}

static void nothing_raw_reaches_the_terminal(void **state)
{
	struct builder *b = tick(10, 0);
	char *text, *ascii;

	add_process(b, 1, "\x1b]0;pwned\x07\xe2\x80\xae\xff\n# processes\r", 1);
	text = written(b, TABLE_BIT(TABLE_processes), false);
	for (char *p = text; *p; p++)
		assert_true((u8)*p >= 0x20 || *p == '\n');
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_null(strstr(text, "\n# processes\n"));
	assert_null(strchr(text, 0xff));
	free(text);

	b = tick(10, 0);
	add_process(b, 1, "gr\xc3\xbcn\x1b", 1);
	ascii = written(b, TABLE_BIT(TABLE_processes), true);
	assert_non_null(strstr(ascii, "gr?n."));
	for (char *p = ascii; *p; p++)
		assert_true((u8)*p < 0x80);
	free(ascii);
}

static void add_event(struct builder *b, u64 seq, u64 time_ns, const char *comm)
{
	struct events_row *e = builder_row(b, TABLE_events);

	e->seq = seq;
	e->time_ns = time_ns;
	e->comm = str_new(comm);
	builder_status(b, TABLE_events, TS_OK, NULL, NSEC_PER_SEC);
}

static void events_are_written_once(void **state)
{
	char *buf, *text;
	size_t size;
	FILE *f = open_memstream(&buf, &size);
	struct batch *w = batch_new(f, TABLE_BIT(TABLE_events), false);
	struct builder *b = tick(10, 0);

	add_event(b, 1, 8 * NSEC_PER_SEC, "old");
	add_event(b, 2, 9 * NSEC_PER_SEC + 1, "new");
	text = text_of(w, f, &buf, b);
	assert_non_null(strstr(text, "rows=1 "));
	assert_null(strstr(text, "old"));
	assert_non_null(strstr(text, "new"));
	free(text);

	b = tick(11, 0);
	add_event(b, 2, 9 * NSEC_PER_SEC + 1, "new");
	add_event(b, 3, 10 * NSEC_PER_SEC + 1, "newer");
	text = text_of(w, f, &buf, b);
	assert_non_null(strstr(text, "rows=1 "));
	assert_non_null(strstr(text, "newer"));
	free(text);

	batch_free(w);
	fclose(f);
	free(buf);
}

static void full_disk_is_an_error(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct batch *w = batch_new(f, TABLE_BIT(TABLE_self), false);
	const struct snapshot *s = builder_seal(tick(1, 0));

	assert_int_equal(batch_write(w, s), -28 /* ENOSPC */);
	batch_free(w);
	fclose(f);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(texts_are_whole_and_widen_their_column),
		cmocka_unit_test(a_blocked_table_says_why_and_has_no_head),
		cmocka_unit_test(a_partial_table_says_what_is_missing),
		cmocka_unit_test(rows_have_the_order_of_the_view),
		cmocka_unit_test(nothing_raw_reaches_the_terminal),
		cmocka_unit_test(events_are_written_once),
		cmocka_unit_test(full_disk_is_an_error),
	};

	setlocale(LC_CTYPE, "C.UTF-8");	/* for the width of characters */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
