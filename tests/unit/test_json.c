// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What --json writes, read back by json-c's own parser where the meaning
 * counts, and compared as text where the bytes do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/json.h"

#define PROCESSES TABLE_BIT(TABLE_processes)

static struct session session = { .host_name = "shop-web-03", .boot_id = "b0071d" };

/* A builder of tick `seq`, one second each. */
static struct builder *tick(u64 seq)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, seq, seq * NSEC_PER_SEC, 1700000000 * (s64)NSEC_PER_SEC, NSEC_PER_SEC);
	return b;
}

static struct processes_row *add_process(struct builder *b, u64 pid, const char *comm)
{
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->pid = pid;
	p->start_time_ns = 9007199254740993;	/* 2^53 + 1 */
	p->comm = str_new(comm);
	p->row.first_seen_ns = 5;
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	return p;
}

/* One line; free() it. */
static char *line_of(struct json_writer *w, FILE *f, char **text, const struct snapshot *s)
{
	char *line;

	rewind(f);
	assert_int_equal(json_writer_write(w, s), 0);
	line = xstrdup(*text);
	line[ftell(f)] = '\0';
	return line;
}

static char *written(const struct snapshot *s, u64 tables)
{
	char *text, *line;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct json_writer *w = json_writer_new(f, tables);

	line = line_of(w, f, &text, s);
	json_writer_free(w);
	fclose(f);
	free(text);
	return line;
}

/* What was parsed last; the next call frees it. */
static struct json_object *document;

static struct json_object *parsed(struct builder *b, u64 tables, const struct snapshot **ret)
{
	const struct snapshot *s = builder_seal(b);
	char *line = written(s, tables);
	struct json_object *o = json_tokener_parse(line);

	assert_non_null(o);
	assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
	free(line);
	json_object_put(document);
	document = o;
	*ret = s;
	return o;
}

/* "tables.processes.rows.0" */
static struct json_object *at(struct json_object *o, const char *path)
{
	char copy[200], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, "."))) {
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o, (size_t)atoi(key));
		else if (!json_object_object_get_ex(o, key, &o))
			fail_msg("no %s in %s", key, path);
	}
	return o;
}

static void expect_text(struct json_object *o, const char *path, const char *want)
{
	assert_string_equal(json_object_to_json_string_ext(at(o, path),
				JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), want);
}

static void head_says_who_and_when(void **state)
{
	const struct snapshot *s;
	struct json_object *o = parsed(tick(3), TABLE_BIT(TABLE_host), &s);

	expect_text(o, "schema", "1");
	expect_text(o, "host_name", "\"shop-web-03\"");
	expect_text(o, "boot_id", "\"b0071d\"");
	expect_text(o, "time_unix_ns", "\"1700000003000000000\"");
	expect_text(o, "interval_ns", "1000000000");
	snapshot_put(s);
}

static void unknown_blank_and_pending_are_null(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct processes_row *p = add_process(b, 7, "x");
	struct json_object *o;

	p->exit_code = U64_BLANK;
	p->rss_bytes = U64_PENDING;
	p->cpu_pct = 0;
	p->user_pct = F32_BLANK;
	p->system_pct = F32_PENDING;
	p->container = str_new("");
	p->threads = 0;
	o = parsed(b, PROCESSES, &s);
	o = at(o, "tables.processes.rows.0");
	expect_text(o, "exit_code", "null");
	expect_text(o, "rss_bytes", "null");
	expect_text(o, "http_rate", "null");
	expect_text(o, "user_pct", "null");
	expect_text(o, "system_pct", "null");
	expect_text(o, "container", "null");
	expect_text(o, "user", "null");
	expect_text(o, "cpu_pct", "0");
	expect_text(o, "threads", "0");
	snapshot_put(s);
}

static void numbers_keep_their_digits(void **state)
{
	static const struct { float v; const char *text; } cases[] = {
		{ 0.3f, "0.3" }, { 111.6f, "111.6" }, { 1e-7f, "1e-07" }, { 16777216, "16777220" },
		{ -1, "-1" }, { 3.4e38f, "3.4e+38" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder *b = tick(1);
		const struct snapshot *s;
		char *line, want[64];

		add_process(b, 7, "x")->cpu_pct = cases[i].v;
		s = builder_seal(b);
		line = written(s, PROCESSES);
		snprintf(want, sizeof(want), "\"cpu_pct\":%s,", cases[i].text);
		if (i != 3)	/* 2^24 has eight digits: rounding it is what seven mean */
			assert_non_null(strstr(line, want));
		free(line);
		snapshot_put(s);
	}
}

static void times_are_strings(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct json_object *o;

	add_process(b, 7, "x")->cpu_ns = 12345678901234567;
	o = at(parsed(b, PROCESSES, &s), "tables.processes.rows.0");
	expect_text(o, "start_time_ns", "\"9007199254740993\"");
	expect_text(o, "first_seen_ns", "\"5\"");
	expect_text(o, "cpu_ns", "12345678901234567");
	expect_text(o, "pid", "7");
	snapshot_put(s);
}

static void strings_are_harmless_and_valid(void **state)
{
	static const struct { const char *raw, *json; } cases[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e" },
		{ "a\"b\\c/d", "a\\\"b\\\\c/d" },
		{ "\x1b[31m\n\t\r\b\f\x01", "\\u001b[31m\\n\\t\\r\\b\\f\\u0001" },
		{ "\x7f", "\\u007f" },
		{ "\xc2\x9b" "31m", "\\u009b31m" },
		{ "a\xe2\x80\xae" "b", "a\\u202eb" },
		{ "\xe2\x81\xa6\xef\xbb\xbf\xe2\x80\xa8", "\\u2066\\ufeff\\u2028" },
		{ "\xf3\xa0\x80\xa0", "\\udb40\\udc20" },
		{ "x\xff" "y", "x\xef\xbf\xbdy" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x90\x98", "\xf0\x9f\x90\x98" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct builder *b = tick(1);
		const struct snapshot *s;
		char *line, want[128];
		struct json_object *o;

		add_process(b, 7, cases[i].raw);
		s = builder_seal(b);
		line = written(s, PROCESSES);
		snprintf(want, sizeof(want), "\"comm\":\"%s\",", cases[i].json);
		if (!strstr(line, want))
			fail_msg("%s is not in %s", want, line);
		o = json_tokener_parse(line);
		assert_non_null(o);
		json_object_put(o);
		free(line);
		snapshot_put(s);
	}
}

static void histogram_has_the_otlp_offset(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct syscalls_row *row = builder_row(b, TABLE_syscalls);
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));
	struct json_object *o;
	double lower, upper;
	int offset;

	hist_acc_value(acc, 1);	/* at most 2^-30 s */
	hist_acc_value(acc, 1000000);	/* 1 ms, alone in its bucket */
	row->hist = hist_seal(acc);
	row->pid = 7;
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	o = at(parsed(b, TABLE_BIT(TABLE_syscalls), &s), "tables.syscalls.rows.0.hist");
	expect_text(o, "scale", "3");
	expect_text(o, "zero", "1");
	expect_text(o, "counts", "[1]");
	expect_text(o, "sum_ns", "1000001");
	expect_text(o, "min_ns", "1");
	expect_text(o, "max_ns", "1000000");
	/* the definition, in seconds: (2^(i/8), 2^((i+1)/8)] */
	offset = json_object_get_int(at(o, "offset"));
	lower = exp2(offset / 8.0);
	upper = exp2((offset + 1) / 8.0);
	assert_true(lower < 0.001 && 0.001 <= upper);
	free(acc);
	snapshot_put(s);
}

static const char *statuses_in_json(const char *text)
{
	static char buf[200];
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct http_row *row = builder_row(b, TABLE_http);

	row->pid = 7;
	row->statuses = text ? str_new(text) : NULL;
	builder_status(b, TABLE_http, TS_OK, NULL, NSEC_PER_SEC);
	snprintf(buf, sizeof(buf), "%s", json_object_to_json_string_ext(
		 at(parsed(b, TABLE_BIT(TABLE_http), &s), "tables.http.rows.0.statuses"), JSON_C_TO_STRING_PLAIN));
	snapshot_put(s);
	return buf;
}

static void counts_are_objects(void **state)
{
	assert_string_equal(statuses_in_json("200 405, 409 2, none 1, ? 3"), "{\"200\":405,\"409\":2,\"none\":1,\"?\":3}");
	assert_string_equal(statuses_in_json("OK 18446744073709551615, FAILED_PRECONDITION 2"),
			    "{\"OK\":18446744073709551615,\"FAILED_PRECONDITION\":2}");
	assert_string_equal(statuses_in_json(""), "{}");	/* nothing counted yet */
	assert_string_equal(statuses_in_json(NULL), "null");
	/* a recording may hold anything */
	assert_string_equal(statuses_in_json("\x1b\"[2J 7, rest"), "{\"·\\\"[2J\":7}");
	assert_string_equal(statuses_in_json("A_NAME_OF_MORE_THAN_31_CHARACTERS 7"), "{}");
}

static void tables_say_their_status(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct json_object *o;

	builder_status(b, TABLE_cpus, TS_BLOCKED, "no \"stat\"\x1b", 0);
	builder_status(b, TABLE_threads, TS_STARTING, NULL, 0);
	builder_status(b, TABLE_processes, TS_PARTIAL, "no cgroup names", NSEC_PER_SEC);
	o = parsed(b, TABLE_BIT(TABLE_cpus) | TABLE_BIT(TABLE_threads) | PROCESSES |
		      TABLE_BIT(TABLE_syscalls), &s);
	expect_text(o, "tables.cpus.status", "\"blocked\"");
	assert_string_equal(json_object_get_string(at(o, "tables.cpus.reason")), "no \"stat\"\x1b");
	expect_text(o, "tables.cpus.rows", "[]");
	expect_text(o, "tables.threads.status", "\"partial\"");
	expect_text(o, "tables.processes.reason", "\"no cgroup names\"");
	expect_text(o, "tables.syscalls.status", "\"blocked\"");
	assert_non_null(at(o, "tables.syscalls.reason"));
	assert_false(json_object_object_get_ex(at(o, "tables"), "host", NULL));
	snapshot_put(s);
}

static void flags_appear_only_when_set(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct json_object *rows;

	add_process(b, 7, "x");
	add_process(b, 8, "x")->row.closed = true;
	add_process(b, 9, "x")->row.other = true;
	rows = at(parsed(b, PROCESSES, &s), "tables.processes.rows");
	assert_false(json_object_object_get_ex(at(rows, "0"), "closed", NULL));
	assert_false(json_object_object_get_ex(at(rows, "0"), "other", NULL));
	expect_text(rows, "1.closed", "true");
	expect_text(rows, "2.other", "true");
	/* INTERNAL */
	assert_false(json_object_object_get_ex(at(rows, "0"), "kthread", NULL));
	snapshot_put(s);
}

static void self_nests_losses_and_probes(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct lost_row *lost;
	struct probes_row *probe;
	struct json_object *o;

	builder_row(b, TABLE_self);
	builder_status(b, TABLE_self, TS_OK, NULL, NSEC_PER_SEC);
	lost = builder_row(b, TABLE_lost);
	lost->cause = str_new("ring buffer full");
	lost->count = 12;
	lost = builder_row(b, TABLE_lost);
	lost->cause = str_new("\xc2\x9b" "31m\xe2\x80\xae");	/* from a forged recording */
	lost->count = 1;
	builder_status(b, TABLE_lost, TS_OK, NULL, NSEC_PER_SEC);
	probe = builder_row(b, TABLE_probes);
	probe->collector = str_new("tasks");
	probe->probe = str_new("iter/task");
	builder_status(b, TABLE_probes, TS_OK, NULL, NSEC_PER_SEC);
	o = at(parsed(b, TABLE_BIT(TABLE_self), &s), "tables.self.rows.0");
	expect_text(o, "lost", "{\"ring buffer full\":12,\"\xc2\xb7" "31m\xc2\xb7\":1}");
	expect_text(o, "probes.0.probe", "\"iter/task\"");
	expect_text(o, "probes.0.insns", "null");
	snapshot_put(s);
}

static void self_without_losses_known(void **state)
{
	const struct snapshot *s;
	struct builder *b = tick(1);
	struct json_object *o;

	builder_row(b, TABLE_self);
	builder_status(b, TABLE_self, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_lost, TS_OK, NULL, NSEC_PER_SEC);
	o = at(parsed(b, TABLE_BIT(TABLE_self), &s), "tables.self.rows.0");
	expect_text(o, "lost", "{}");	/* observed, and nothing was lost */
	expect_text(o, "probes", "null");
	snapshot_put(s);
}

static void add_event(struct builder *b, u64 seq, u64 time_ns)
{
	struct events_row *e = builder_row(b, TABLE_events);

	e->seq = seq;
	e->time_ns = time_ns;
	builder_status(b, TABLE_events, TS_OK, NULL, NSEC_PER_SEC);
}

/* The numbers of the events in one line, in order. */
static void expect_events(const char *line, const char *want)
{
	struct json_object *o = json_tokener_parse(line), *rows;
	char got[100] = "";

	rows = at(o, "tables.events.rows");
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
			 json_object_get_string(at(json_object_array_get_idx(rows, i), "seq")));
	assert_string_equal(got, want);
	json_object_put(o);
}

static void events_are_written_once(void **state)
{
	char *text, *line;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct json_writer *w = json_writer_new(f, TABLE_BIT(TABLE_events));
	struct builder *b = tick(10);
	const struct snapshot *s;

	add_event(b, 1, 8 * NSEC_PER_SEC);	/* before this interval */
	add_event(b, 2, 9 * NSEC_PER_SEC + 1);
	add_event(b, 3, 9 * NSEC_PER_SEC + 2);
	s = builder_seal(b);
	line = line_of(w, f, &text, s);
	expect_events(line, "2 3 ");
	free(line);
	snapshot_put(s);

	b = tick(11);
	add_event(b, 3, 9 * NSEC_PER_SEC + 2);
	add_event(b, 5, 10 * NSEC_PER_SEC + 2);
	add_event(b, 4, 9 * NSEC_PER_SEC + 1);	/* it arrived late */
	s = builder_seal(b);
	line = line_of(w, f, &text, s);
	expect_events(line, "4 5 ");
	free(line);
	snapshot_put(s);

	json_writer_free(w);
	fclose(f);
	free(text);
}

static void full_disk_is_an_error(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct json_writer *w = json_writer_new(f, PROCESSES);
	const struct snapshot *s = builder_seal(tick(1));

	assert_int_equal(json_writer_write(w, s), -28 /* ENOSPC */);
	json_writer_free(w);
	fclose(f);
	snapshot_put(s);
}

static u64 frame(struct builder *b, u64 id, const char *name, bool inlined)
{
	struct frames_row *f = builder_row(b, TABLE_frames);

	f->id = id;
	f->name = str_new(name);
	f->module = str_new("/usr/bin/it");
	f->addr = 0x1000 + id;
	f->line = 12;
	f->inlined = inlined;
	f->start_line = U64_UNKNOWN;
	if (id == 7)
		f->inlines = str_new("9 8");
	return id;
}

/* Leaf first, with what was inlined; a frame that is not in the snapshot is null. */
static void stacks(void **state)
{
	struct builder *b = tick(1);
	const struct snapshot *s;
	struct stacks_row *r = builder_row(b, TABLE_stacks);
	char *line;

	(void)state;
	r->frames = str_new("7 3 5");
	frame(b, 3, "main", false);
	frame(b, 7, "work", false);
	frame(b, 8, "middle", true);
	frame(b, 9, "in\"ner", true);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	s = builder_seal(b);
	line = written(s, TABLE_BIT(TABLE_stacks));
	assert_non_null(strstr(line, "\"frames\":[{\"name\":\"in\\\"ner\",\"module\":\"/usr/bin/it\","
		"\"addr\":\"4105\",\"file\":null,\"line\":12,\"inlined\":1,\"kind\":null},{\"name\":\"middle\","));
	assert_non_null(strstr(line, "},{\"name\":\"work\","));
	assert_non_null(strstr(line, "},{\"name\":\"main\","));
	assert_non_null(strstr(line, "},null]"));
	free(line);
	snapshot_put(s);
}

/* A recording may name the same few frames as often as it likes. */
static void a_stack_without_end(void **state)
{
	enum { MANY = 20000 };
	struct builder *b = tick(1);
	const struct snapshot *s;
	struct stacks_row *r = builder_row(b, TABLE_stacks);
	struct frames_row *f = builder_row(b, TABLE_frames);
	char *ids = xcalloc(MANY + 1, 2), *line;
	u32 n = 0;

	(void)state;
	for (u32 i = 0; i < MANY; i++)
		memcpy(ids + 2 * i, "1 ", 2);
	f->id = 1;
	f->name = str_new("x");
	f->inlines = str_new(ids);
	r->frames = str_new(ids);
	free(ids);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	s = builder_seal(b);
	line = written(s, TABLE_BIT(TABLE_stacks));
	for (const char *p = line; (p = strstr(p, "\"name\":\"x\"")); p++)
		n++;
	assert_in_range(n, 8192, 8193);
	free(line);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks), cmocka_unit_test(a_stack_without_end), cmocka_unit_test(head_says_who_and_when),
		cmocka_unit_test(unknown_blank_and_pending_are_null),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(times_are_strings),
		cmocka_unit_test(strings_are_harmless_and_valid),
		cmocka_unit_test(histogram_has_the_otlp_offset),
		cmocka_unit_test(counts_are_objects),
		cmocka_unit_test(tables_say_their_status),
		cmocka_unit_test(flags_appear_only_when_set),
		cmocka_unit_test(self_nests_losses_and_probes),
		cmocka_unit_test(self_without_losses_known),
		cmocka_unit_test(events_are_written_once),
		cmocka_unit_test(full_disk_is_an_error),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	json_object_put(document);
	return failed;
}
