// SPDX-License-Identifier: GPL-2.0-or-later
/* Filters: terms on columns, a regular expression on the rest, errors with their column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"
#include "tui/table/filter.h"

static struct processes_row *p;
static char error[96];

static int start(void **state)
{
	p = row_new(TABLE_processes);
	p->pid = 2214;
	p->start_time_ns = 5;
	p->comm = str_new("node");
	p->cmdline = str_new("node /app/Server.js --port=80");
	p->user = str_new("shop");
	p->state = str_new("R");
	p->cpu_pct = 111.6f;
	p->rss_bytes = 412u << 20;
	return 0;
}

static int end(void **state)
{
	row_put(&p->row);
	return 0;
}

static bool matches(const char *text)
{
	struct filter *f = filter_new(TABLE_processes, text, error, sizeof(error));
	bool yes;

	if (!f)
		fail_msg("%s: %s", text, error);
	yes = filter_match(f, &p->row);
	filter_free(f);
	return yes;
}

static const char *complaint(const char *text)
{
	struct filter *f = filter_new(TABLE_processes, text, error, sizeof(error));

	if (f) {
		filter_free(f);
		return "none";
	}
	return error;
}

static void terms(void **state)
{
	assert_true(matches("pid:2214"));
	assert_false(matches("pid:221"));
	assert_true(matches("comm:no"));
	assert_false(matches("comm:xz"));
	assert_true(matches("user:^shop$ state:R"));
	assert_false(matches("user:shop state:S"));
	assert_true(matches("CPU%:>100"));	/* by its title too */
	assert_true(matches("cpu:>100"));
	assert_false(matches("cpu_pct:<100"));
	assert_true(matches("rss:>400M"));
	assert_false(matches("rss:>1G"));
	assert_false(matches("rx_rate:>0"));	/* unknown is not more than anything */
	assert_true(matches("comm:"));		/* still being typed */
}

static void expressions(void **state)
{
	assert_true(matches("server"));
	assert_true(matches("Server"));
	assert_false(matches("SERVER"));	/* an upper-case letter: as written */
	assert_true(matches("^|nothing"));
	assert_true(matches("app/s[a-f]rver"));
	assert_true(matches("2214"));
	assert_true(matches("comm:node server\\.js"));
	assert_false(matches("comm:node nginx"));
	assert_true(matches(""));
	assert_false(matches("port\\:80"));	/* a text, which is not there */
	assert_false(matches("a::b http://x :7"));
}

static void errors(void **state)
{
	assert_string_equal(complaint("comm:("), "missing ) at column 7");
	assert_string_equal(complaint("a[b"), "missing ] at column 4");
	assert_string_equal(complaint("user:x pid:abc"), "a number is needed (12, >5, <1.5k) at column 15");
	/* an unknown word before a colon is an error that lists the columns */
	assert_string_equal(complaint("port:80"), "no column port; there are pid: comm: user: state: "
			    "path: cmd: cpu: mem: ...");
	assert_string_equal(complaint("x{2"), "missing } at column 4");
	assert_string_equal(complaint("(x{99}){99}"), "too many repetitions at column 12");
	assert_string_equal(complaint("a+b+c+d+e+f+g+h+i+j+"), "too many repetitions at column 21");
}

/* A run of operators is one; regcomp() would take minutes for some. */
static void repetitions(void **state)
{
	assert_true(matches("(^|x)*+++++++++++++++++++++++"));
	assert_true(matches("no**?+de"));
	assert_true(matches("nodx??e"));
	assert_false(matches("nodx++e"));
	assert_true(matches("nodx+?e"));
	assert_true(matches("[]+*n]++ode"));
	assert_true(matches("[[:alpha:]++]ode"));
	assert_false(matches("server\\.++xjs"));
}

static void many_terms(void **state)
{
	assert_true(matches("comm:n comm:o comm:d comm:e user:s user:h user:o user:p state:R"));
	assert_string_equal(complaint("pid:1 pid:2 pid:3 pid:4 pid:5 pid:6 pid:7 pid:8 pid:9 pid:1 pid:2 "
				      "pid:3 pid:4 pid:5 pid:6 pid:7"), "too many terms at column 96");
}

/* A Java program's class follows its class path. */
static void long_lines(void **state)
{
	static char line[24000];

	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "java -cp ", 9);
	strcpy(line + sizeof(line) - 20, " com.shop.Main");
	str_set(&p->cmdline, str_new(line));
	assert_true(matches("com.shop.Main"));
	assert_true(matches("cmd:com.shop.Main"));
	assert_true(matches("Main$|Main shop"));	/* and what comes after it */
	assert_false(matches("com.shop.Other"));
	str_set(&p->cmdline, str_new("short"));
	assert_false(matches("com.shop.Main"));
}

static void fields(void **state)
{
	assert_int_equal(filter_field(TABLE_processes, "rss", 3), table_field(TABLE_processes, "rss_bytes"));
	assert_int_equal(filter_field(TABLE_processes, "AGE", 3), table_field(TABLE_processes, "start_time_ns"));
	assert_int_equal(filter_field(TABLE_processes, "nothing", 7), -1);
	assert_int_equal(filter_field(TABLE_processes, "kthread", 7), -1);	/* internal */
}

/* A column of counts by name matches by name: an endpoint that ever answered with this status. */
static void counts(void **state)
{
	static const struct { const char *text; bool yes; } cases[] = {
		{ "status:200", true }, { "status:404", true }, { "status:503", false }, { "status:>400", true },
		{ "status:>404", false }, { "status:<200", false }, { "status:", true }, { "status:^4", true },
		{ "status:^5", false }, { "status:NOT_FOUND", true }, { "status:unavail", false }, { "proto:1.1", true },
		{ "proto:h2", false }, { "method:get path:^/a side:server", true },
	};
	struct http_row *r = row_new(TABLE_http);

	(void)state;
	r->statuses = str_new("200 503, 404 7, NOT_FOUND 500");
	r->protocol = str_new("http/1.1");
	r->method = str_new("GET");
	r->path = str_new("/a");
	r->side = str_new("server");
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *f = filter_new(TABLE_http, cases[i].text, error, sizeof(error));

		if (!f || filter_match(f, &r->row) != cases[i].yes)
			fail_msg("%s: %s", cases[i].text, f ? "wrong" : error);
		filter_free(f);
	}
	row_put(&r->row);
}

/* A value shown by name matches by name or number; HTTP statuses have no names. */
static void names(void **state)
{
	static const struct { const char *text; bool grpc, http, unanswered; } cases[] = {
		{ "status:UNAVAILABLE", true, false, false }, { "status:unavail", true, false, false },
		{ "status:^UN", true, false, false }, { "status:NOT_FOUND", false, false, false },
		{ "status:14", true, true, false }, { "status:>13", true, true, false }, { "status:<14", false, false, false },
		{ "status:none", false, false, true }, { "UNAVAILABLE", true, false, false }, { "status:", true, true, true },
		{ "status:UNAVAILABLE path:^/a", true, false, false },
	};
	struct requests_row *r = row_new(TABLE_requests);

	(void)state;
	r->path = str_new("/a.B/C");
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *f = filter_new(TABLE_requests, cases[i].text, error, sizeof(error));

		assert_non_null(f);
		r->status = 14;
		str_set(&r->protocol, str_new("grpc"));
		if (filter_match(f, &r->row) != cases[i].grpc)
			fail_msg("%s: of gRPC", cases[i].text);
		str_set(&r->protocol, str_new("h2"));
		if (filter_match(f, &r->row) != cases[i].http)
			fail_msg("%s: of HTTP", cases[i].text);
		r->status = U64_BLANK;
		if (filter_match(f, &r->row) != cases[i].unanswered)
			fail_msg("%s: not answered", cases[i].text);
		filter_free(f);
	}
	row_put(&r->row);
	assert_null(filter_new(TABLE_requests, "pid:abc", error, sizeof(error)));
	assert_null(filter_new(TABLE_requests, "status:(", error, sizeof(error)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(terms, start, end),
		cmocka_unit_test_setup_teardown(expressions, start, end),
		cmocka_unit_test_setup_teardown(errors, start, end),
		cmocka_unit_test_setup_teardown(repetitions, start, end),
		cmocka_unit_test_setup_teardown(many_terms, start, end),
		cmocka_unit_test_setup_teardown(long_lines, start, end),
		cmocka_unit_test(fields),
		cmocka_unit_test(counts),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
