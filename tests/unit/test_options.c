// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line and the configuration file: values, ranges, and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tui/main/options.h"

#define MAX_ARGS 32

/* Splits at blanks: "ottop -d 2". NULL or the error. */
static char *parse(struct options *o, const char *line)
{
	static char copy[512];
	char *argv[MAX_ARGS + 1] = { "ottop" }, *rest = copy, *word;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	while (argc < MAX_ARGS && (word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	return options_parse(o, argc, argv);
}

static void good(struct options *o, const char *line)
{
	char *error = parse(o, line);

	if (error)
		fail_msg("%s: %s", line, error);
}

/* The line is rejected with a message containing all of `...` (NULL-terminated). */
static void bad(const char *line, ...)
{
	struct options o;
	char *error = parse(&o, line);
	const char *part;
	va_list ap;

	if (!error)
		fail_msg("%s was accepted", line);
	assert_null(strchr(error, '\n'));
	va_start(ap, line);
	while ((part = va_arg(ap, const char *)))
		if (!strstr(error, part))
			fail_msg("%s: '%s' is not in '%s'", line, part, error);
	va_end(ap);
	free(error);
	options_free(&o);
}

static void defaults(void **state)
{
	struct options o;

	good(&o, "");
	assert_int_equal(o.interval_ns, NSEC_PER_SEC);
	assert_int_equal(o.count, 0);
	assert_true(o.budget_pct == 1);
	assert_null(o.comm);
	assert_int_equal(o.given, 0);
	options_free(&o);
}

static void values(void **state)
{
	struct options o;

	good(&o, "-p 1,4711 --comm ngin* --cgroup /system.slice -d 0.5 -n 10 --json"
		 " -v processes,events --ascii --budget=2.5");
	assert_int_equal(o.pids.n, 2);
	assert_int_equal(o.pids.pid[1], 4711);
	assert_string_equal(o.comm, "ngin*");
	assert_string_equal(o.cgroup, "/system.slice");
	assert_int_equal(o.interval_ns, NSEC_PER_SEC / 2);
	assert_int_equal(o.count, 10);
	assert_true(o.json && o.ascii && !o.batch);
	assert_int_equal(o.names.tables, TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_events));
	assert_true(o.budget_pct == 2.5f);
	options_free(&o);

	good(&o, "-d3600 -bn1");
	assert_int_equal(o.interval_ns, 3600 * NSEC_PER_SEC);
	assert_true(o.batch);
	assert_int_equal(o.count, 1);
	options_free(&o);

}

static void numbers_out_of_range(void **state)
{
	bad("-d 0.05", "-d 0.05", "0.1", "3600", NULL);
	bad("-d 3601", "between", NULL);
	bad("-d 1s", "-d 1s", "not a number", NULL);
	bad("-d nan", "not a number", NULL);
	bad("-d 0x10", "not a number", NULL);
	bad("-d -1", "not a number", NULL);
	bad("-d 1.2.3", "not a number", NULL);
	bad("-n 0", "between 1 and 1000000000", NULL);
	bad("-n 1.5", "whole", NULL);
	bad("--budget 0", "--budget 0", "0.01", NULL);
	bad("--budget 101", "100 percent", NULL);
}

static void pids_that_are_none(void **state)
{
	bad("-p abc", "-p abc", "'abc'", NULL);
	bad("-p 1,,2", "''", NULL);
	bad("-p 1,2,", "''", NULL);
	bad("-p 0", "'0'", NULL);
	bad("-p 1.5", "'1.5'", NULL);
	bad("-p 99999999", "'99999999'", NULL);
	bad("-p 11111111111111111111", "11111111111111111111", NULL);
}

static void too_many_pids(void **state)
{
	char line[512] = "-p 1";

	for (int i = 0; i < 64; i++)
		strcat(line, ",1");
	bad(line, "more than 64", NULL);
}

static void unknown_options(void **state)
{
	bad("--jsno", "--jsno", "did you mean --json?", NULL);
	bad("--recrod x", "--record", NULL);
	bad("--zzzzzzzzz", "--zzzzzzzzz", "--help", NULL);
	bad("-x", "-x", "unknown option", NULL);
	bad("-bx", "-x", NULL);
	bad("--json=1", "--json takes no argument", NULL);
	bad("--interval", "--interval needs an argument", NULL);
	bad("-n", "-n needs an argument", NULL);
	bad("nginx", "nginx", "-p PID", NULL);
	bad("--re x", "--re", NULL);	/* record or replay? */
}

static void unknown_tables(void **state)
{
	bad("-v proceses", "proceses", "did you mean processes?", "syscalls", "events", NULL);
	bad("-v processes,", "no such", NULL);
	bad("-v xyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyz", "no such", "host", NULL);
}

static void conflicts(void **state)
{
	bad("--json -b", "--json", "--batch", "exclude", NULL);
	bad("--record a --replay b", "--record", "--replay", NULL);
	bad("--json -v help", "-v help", "without a table", NULL);
	bad("--record - --json", "--json", "stdout", NULL);
	bad("-p 1 --replay b", "--pid", "--replay", NULL);
	bad("-d 1 --replay b", "--interval", NULL);
	bad("--record --json", "", NULL);	/* the file would be called --json */
}

static const char *write_config(const char *text)
{
	static char line[64];
	char path[] = "/tmp/ottop-test-config-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(line, sizeof(line), "--config %s", path);
	return line;
}

static void drop_config(const char *line)
{
	unlink(line + strlen("--config "));
}

static void config_file(void **state)
{
	struct options o;
	const char *line = write_config("# mine\n"
					"  interval = 5   # seconds\n"
					"\n"
					"ascii=yes\r\n"
					"theme = light\n"
					"comm = a#b\n"
					"view = syscalls");

	good(&o, line);
	assert_int_equal(o.interval_ns, 5 * NSEC_PER_SEC);
	assert_true(o.ascii && o.theme_light && !o.theme_dark);
	assert_string_equal(o.comm, "a#b");
	assert_int_equal(o.names.tables, TABLE_BIT(TABLE_syscalls));
	assert_int_equal(o.given, 1u << OPTION_config);
	options_free(&o);
	drop_config(line);
}

static void command_line_wins(void **state)
{
	struct options o;
	const char *config = write_config("interval = 5\nascii = no\n");
	char line[100];

	snprintf(line, sizeof(line), "-d 2 --ascii %s", config);
	good(&o, line);
	assert_int_equal(o.interval_ns, 2 * NSEC_PER_SEC);
	assert_true(o.ascii);
	options_free(&o);
	drop_config(config);
}

static void config_errors(void **state)
{
	static const char *const cases[][2] = {
		{ "x\n\nintervall = 5", ":1: 'x'" },
		{ "\nintervall = 5\n", ":2: intervall: unknown key; did you mean interval?" },
		{ "interval = soon", ":1: interval soon: not a number" },
		{ "theme = blue", "neither dark nor light" },
		{ "ascii = maybe", "neither yes nor no" },
		{ "config = /x", "only for the command line" },
		{ "comm =", "empty" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *line = write_config(cases[i][0]);

		bad(line, cases[i][1], NULL);
		drop_config(line);
	}
	bad("--config /nonexistent/x", "/nonexistent/x", "No such file", NULL);
	bad("--config /dev/zero", "/dev/zero", NULL);
	bad("--config /", "/", NULL);
}

static void nearest_names(void **state)
{
	static const char *const names[] = { "record", "replay", "json" };

	assert_string_equal(options_nearest("recrod", names, 3), "record");
	assert_string_equal(options_nearest("rep", names, 3), "replay");
	assert_string_equal(options_nearest("jsn", names, 3), "json");
	assert_null(options_nearest("budget", names, 3));
}

static void help_fits_a_terminal(void **state)
{
	char *text, *rest, *line;
	size_t size;
	int wide = 0;
	FILE *f = open_memstream(&text, &size);

	options_help(f);
	fclose(f);
	rest = text;
	for (int i = 0; i < N_OPTIONS; i++)
		assert_non_null(strstr(text, option_descs[i].long_name));
	while ((line = strsep(&rest, "\n")))
		if (strlen(line) > 80)
			print_error("%zu columns: %s\n", strlen(line), line), wide++;
	free(text);
	assert_int_equal(wide, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(numbers_out_of_range),
		cmocka_unit_test(pids_that_are_none),
		cmocka_unit_test(too_many_pids),
		cmocka_unit_test(unknown_options),
		cmocka_unit_test(unknown_tables),
		cmocka_unit_test(conflicts),
		cmocka_unit_test(config_file),
		cmocka_unit_test(command_line_wins),
		cmocka_unit_test(config_errors),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(help_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
