// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers as screens draw them: three significant digits in a fixed width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"
#include "tui/table/format.h"

static char buf[FORMAT_MAX];

static void counts(void **state)
{
	assert_string_equal(format_count(buf, 0), "0");
	assert_string_equal(format_count(buf, 0.42), "0.4");
	assert_string_equal(format_count(buf, 0.02), "0.0");	/* little is not nothing */
	assert_string_equal(format_count(buf, 18.23), "18.2");
	assert_string_equal(format_count(buf, 40.99), "41");
	assert_string_equal(format_count(buf, 842.4), "842");
	assert_string_equal(format_count(buf, 999.6), "1.00k");
	assert_string_equal(format_count(buf, 1240), "1.24k");
	assert_string_equal(format_count(buf, 61900), "61.9k");
	assert_string_equal(format_count(buf, 318000), "318k");
	assert_string_equal(format_count(buf, 14.2e6), "14.2M");
	assert_string_equal(format_count(buf, -1240), "-1.24k");
}

static void bytes(void **state)
{
	assert_string_equal(format_bytes(buf, 912), "912");
	assert_string_equal(format_bytes(buf, 1.2 * 1024), "1.2K");
	assert_string_equal(format_bytes(buf, 86.2 * 1024), "86.2K");
	assert_string_equal(format_bytes(buf, 9.31 * (1 << 20)), "9.31M");
	assert_string_equal(format_bytes(buf, 412.0 * (1 << 20)), "412M");
	assert_string_equal(format_bytes(buf, 18.4 * (1 << 30)), "18.4G");
	assert_string_equal(format_bytes(buf, 1000), "1.0K");
	assert_string_equal(format_bytes(buf, -2.0 * (1 << 20)), "-2.00M");
}

static void percents(void **state)
{
	assert_string_equal(format_pct(buf, 0), "0");
	assert_string_equal(format_pct(buf, 0.04), "0.0");
	assert_string_equal(format_pct(buf, 111.6), "111.6");
	assert_string_equal(format_pct(buf, 1600), "1600");
}

static void durations(void **state)
{
	assert_string_equal(format_ns(buf, 0), "0");
	assert_string_equal(format_ns(buf, 40), "40ns");
	assert_string_equal(format_ns(buf, 600), "0.6us");
	assert_string_equal(format_ns(buf, 98000), "98.0us");
	assert_string_equal(format_ns(buf, 612e3), "612us");
	assert_string_equal(format_ns(buf, 999.7e3), "1.00ms");
	assert_string_equal(format_ns(buf, 28.1e6), "28.1ms");
	assert_string_equal(format_ns(buf, 1.31e9), "1.31s");
	assert_string_equal(format_ns(buf, 59.99e9), "1m00s");
	assert_string_equal(format_ns(buf, 124e9), "2m04s");
	assert_string_equal(format_ns(buf, 11460e9), "3h11m");
	assert_string_equal(format_ns(buf, 12 * 86400e9 + 4 * 3600e9), "12d04h");
	assert_string_equal(format_ns(buf, 400 * 86400e9), "400d");
	assert_string_equal(format_age(buf, 4 * NSEC_PER_SEC), "4s");
	assert_string_equal(format_age(buf, 61 * NSEC_PER_SEC), "1m01s");
}

/* Every text has to fit its column: 5 for counts and bytes, 6 for times. */
static void widths(void **state)
{
	for (double v = 0.001; v < 1e15; v *= 1.07) {
		assert_in_range(strlen(format_count(buf, v)), 1, 5);
		assert_in_range(strlen(format_bytes(buf, v)), 1, 5);
		assert_in_range(strlen(format_ns(buf, v)), 1, 6);
	}
}

static void thousands(void **state)
{
	assert_string_equal(format_thousands(buf, 7), "7");
	assert_string_equal(format_thousands(buf, 1204), "1,204");
	assert_string_equal(format_thousands(buf, 1234567), "1,234,567");
}

static const struct field *member(const char *name)
{
	return &table_descs[TABLE_processes].fields[table_field(TABLE_processes, name)];
}

/* Unknown, blank, pending and zero are four different things. */
static void states(void **state)
{
	struct processes_row *p = row_new(TABLE_processes);
	enum value_state s;

	assert_string_equal(format_value(buf, member("cpu_pct"), &p->row, NULL, &s), "?");
	assert_int_equal(s, VALUE_UNKNOWN);
	p->cpu_pct = F32_PENDING;
	assert_string_equal(format_value(buf, member("cpu_pct"), &p->row, NULL, &s), "·");
	p->cpu_pct = F32_BLANK;
	assert_string_equal(format_value(buf, member("cpu_pct"), &p->row, NULL, &s), "");
	p->cpu_pct = 0;
	assert_string_equal(format_value(buf, member("cpu_pct"), &p->row, NULL, &s), "0");
	assert_int_equal(s, VALUE_ZERO);
	p->http_p99_ns = U64_BLANK;
	assert_string_equal(format_value(buf, member("http_p99_ns"), &p->row, NULL, &s), "");
	assert_true(format_number(member("http_p99_ns"), &p->row) < -1e299);
	assert_string_equal(format_value(buf, member("comm"), &p->row, NULL, &s), "?");
	p->pid = 1234567;
	assert_string_equal(format_value(buf, member("pid"), &p->row, NULL, &s), "1234567");
	row_put(&p->row);
}

static void clocks(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(format_clock(buf, 5 * NSEC_PER_SEC + 118 * NSEC_PER_MSEC,
					 (s64)(60122 * NSEC_PER_SEC), true), "16:42:07.118");
	assert_string_equal(format_clock(buf, 0, 0, false), "00:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts), cmocka_unit_test(bytes), cmocka_unit_test(percents),
		cmocka_unit_test(durations), cmocka_unit_test(widths), cmocka_unit_test(thousands),
		cmocka_unit_test(states), cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
