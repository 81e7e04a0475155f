// SPDX-License-Identifier: GPL-2.0-or-later
/* format.c: numbers as text: three significant digits and a unit. */
#include <stdio.h>
#include <string.h>

#include "tui/table/format.h"

#define MINUTE (60ull * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Three digits of v (below 999.5) and a unit: 1.24k 31.2k 842k. */
static char *three(char *buf, double v, const char *unit)
{
	int digits = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	snprintf(buf, FORMAT_MAX, "%.*f%s", digits, v, unit);
	return buf;
}

/* Below the first unit: 0 0.4 18.2 41 842; integers have no decimals. */
static char *small(char *buf, double v)
{
	double whole = round(v);
	bool is_whole = fabs(v - whole) < 0.05 && whole > 0;

	snprintf(buf, FORMAT_MAX, "%.*f", v >= 99.95 || v == 0 || is_whole ? 0 : 1, v);
	return buf;
}

/* Negative values (shrinking) get a sign. */
static char *scaled(char *buf, double v, double base, const char *const *units)
{
	int i = 0;

	if (v < 0) {
		buf[0] = '-';
		scaled(buf + 1, -v, base, units);
		return buf;
	}
	if (v < 999.5)
		return small(buf, v);
	for (v /= base; v >= 999.5 && units[i + 1]; i++)
		v /= base;
	/* No hundredths of a kilobyte. */
	if (base == 1024 && !i && v < 9.95)
		snprintf(buf, FORMAT_MAX, "%.1f%s", v, units[0]);
	else
		three(buf, v, units[i]);
	return buf;
}

char *format_count(char *buf, double v)
{
	static const char *const units[] = { "k", "M", "G", "T", NULL };

	return scaled(buf, v, 1000, units);
}

char *format_bytes(char *buf, double v)
{
	static const char *const units[] = { "K", "M", "G", "T", "P", NULL };

	return scaled(buf, fabs(v) < 999.5 ? trunc(v) : v, 1024, units);
}

char *format_pct(char *buf, double v)
{
	snprintf(buf, FORMAT_MAX, "%.*f", v == 0 || v >= 999.95 ? 0 : 1, v);
	return buf;
}

static char *two_units(char *buf, u64 ns, u64 big, const char *big_unit, u64 small_one,
		       const char *small_unit)
{
	snprintf(buf, FORMAT_MAX, "%llu%s%02llu%s", (unsigned long long)(ns / big), big_unit,
		 (unsigned long long)(ns % big / small_one), small_unit);
	return buf;
}

static char *long_time(char *buf, u64 ns)
{
	if (ns < HOUR)
		return two_units(buf, ns, MINUTE, "m", NSEC_PER_SEC, "s");
	if (ns < DAY)
		return two_units(buf, ns, HOUR, "h", MINUTE, "m");
	if (ns < 100 * DAY)
		return two_units(buf, ns, DAY, "d", HOUR, "h");
	snprintf(buf, FORMAT_MAX, "%llud", (unsigned long long)(ns / DAY));
	return buf;
}

char *format_ns(char *buf, double ns)
{
	if (ns <= 0)
		return strcpy(buf, "0");
	if (ns < 99.5)
		snprintf(buf, FORMAT_MAX, "%.0fns", ns);
	else if (ns < 9950)
		snprintf(buf, FORMAT_MAX, "%.1fus", ns / 1e3);
	else if (ns < 999.5e3)
		return three(buf, ns / 1e3, "us");
	else if (ns < 999.5e6)
		return three(buf, ns / 1e6, "ms");
	else if (ns < 59.95e9)
		return three(buf, ns / 1e9, "s");
	else
		return long_time(buf, (u64)max(ns, 60e9));
	return buf;
}

char *format_age(char *buf, u64 ns)
{
	if (ns >= MINUTE)
		return long_time(buf, ns);
	snprintf(buf, FORMAT_MAX, "%llus", (unsigned long long)(ns / NSEC_PER_SEC));
	return buf;
}

char *format_thousands(char *buf, u64 v)
{
	return text_thousands(buf, v);
}

char *format_clock(char *buf, u64 time_ns, s64 unix_offset_ns, bool ms)
{
	u64 ns = time_ns + (u64)unix_offset_ns;
	time_t sec = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;
	size_t n;

	localtime_r(&sec, &tm);
	n = strftime(buf, FORMAT_MAX, "%H:%M:%S", &tm);
	if (ms)
		snprintf(buf + n, FORMAT_MAX - n, ".%03u", (u32)(ns % NSEC_PER_SEC / NSEC_PER_MSEC));
	return buf;
}

/* ---- members -------------------------------------------------------------- */

static enum value_state state_u64(u64 v)
{
	switch (v) {
	case U64_UNKNOWN:
		return VALUE_UNKNOWN;
	case U64_BLANK:
		return VALUE_BLANK;
	case U64_PENDING:
		return VALUE_PENDING;
	case 0:
		return VALUE_ZERO;
	}
	return VALUE_KNOWN;
}

static enum value_state state_f32(float v)
{
	if (isnan(v))
		return VALUE_UNKNOWN;
	if (isinf(v))
		return v > 0 ? VALUE_PENDING : VALUE_BLANK;
	return v == 0 ? VALUE_ZERO : VALUE_KNOWN;
}

enum value_state format_state(const struct field *f, const struct row *r)
{
	const char *s;

	switch (f->type) {
	case FT_U64:
		return state_u64(row_u64(r, f));
	case FT_F32:
		return state_f32(row_f32(r, f));
	case FT_STR:
		s = row_str(r, f);
		return !s ? VALUE_UNKNOWN : *s ? VALUE_KNOWN : VALUE_BLANK;
	case FT_HIST:
		return row_hist(r, f) ? VALUE_KNOWN : VALUE_UNKNOWN;
	case FT_SUB:
		break;
	}
	return VALUE_BLANK;
}

double format_number(const struct field *f, const struct row *r)
{
	enum value_state state = format_state(f, r);

	if (state != VALUE_KNOWN && state != VALUE_ZERO)
		return state == VALUE_BLANK ? -2e300 : -1e300;
	if (f->type == FT_U64)
		return (double)row_u64(r, f);
	if (f->type == FT_F32)
		return (double)row_f32(r, f);
	if (f->type == FT_HIST)
		return (double)row_hist(r, f)->count;
	return 0;
}

static char *format_known(char *buf, const struct field *f, double v, u64 raw,
			  const struct snapshot *s)
{
	switch (f->format) {
	case FF_COUNT:
	case FF_RATE:
		return format_count(buf, v);
	case FF_PCT:
		return format_pct(buf, v);
	case FF_BYTES:
	case FF_BRATE:
		return format_bytes(buf, v);
	case FF_NS:
	case FF_NSRATE:
		return format_ns(buf, v);
	case FF_TIME:
		return format_clock(buf, raw, s ? s->unix_offset_ns : 0, true);
	case FF_AGE:
		return format_age(buf, s && s->time_ns > raw ? s->time_ns - raw : 0);
	case FF_PCT3:
	case FF_FLOAT2:
		snprintf(buf, FORMAT_MAX, "%.*f", f->format == FF_PCT3 ? 3 : 2, v);
		return buf;
	default:
		if (f->type == FT_U64)
			snprintf(buf, FORMAT_MAX, "%llu", (unsigned long long)raw);
		else
			snprintf(buf, FORMAT_MAX, "%.0f", v);
		return buf;
	}
}

const char *format_value(char buf[FORMAT_MAX], const struct field *f, const struct row *r,
			 const struct snapshot *s, enum value_state *ret_state)
{
	enum value_state state = format_state(f, r);

	if (ret_state)
		*ret_state = state;
	if (state == VALUE_UNKNOWN)
		return "?";
	if (state == VALUE_PENDING)
		return "·";
	if (state == VALUE_BLANK || f->type == FT_HIST || f->type == FT_SUB)
		return "";
	if (f->type == FT_STR)
		return row_str(r, f);
	return format_known(buf, f, format_number(f, r), f->type == FT_U64 ? row_u64(r, f) : 0, s);
}

const char *format_member(char buf[FORMAT_MAX], const struct row *r, const char *member, const struct snapshot *s)
{
	return format_value(buf, schema_field(r->table, member), r, s, NULL);
}

bool format_is_number(enum field_format format)
{
	return format < FF_TIME || format == FF_AGE;
}
