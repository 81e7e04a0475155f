/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * format.h: numbers with three significant digits and a unit. All return buf (FORMAT_MAX bytes),
 * NUL-terminated, without padding.
 */
#pragma once

#include "bpf/model/snapshot.h"

#define FORMAT_MAX 48

char *format_count(char *buf, double v);	/* 0.4 41 842 1.24k 14.2M */
char *format_bytes(char *buf, double v);	/* 912 1.2K 86.2K 9.31M 18.4G */
char *format_pct(char *buf, double v);		/* 0 0.4 111.6 1600 */
char *format_ns(char *buf, double ns);		/* 0.6us 28.1ms 1.31s 2m04s 3h11m 12d04h */
char *format_age(char *buf, u64 ns);		/* 4s 2m04s 3h11m 12d04h */
char *format_thousands(char *buf, u64 v);	/* 1,204 */
/* Wall-clock time of a CLOCK_BOOTTIME time: 16:42:07, or 16:42:07.118 with ms. */
char *format_clock(char *buf, u64 time_ns, s64 unix_offset_ns, bool ms);

enum value_state { VALUE_KNOWN, VALUE_ZERO, VALUE_UNKNOWN, VALUE_BLANK, VALUE_PENDING };

/* State of a member: known, zero, unknown ('?'), blank or pending ('·'). */
enum value_state format_state(const struct field *f, const struct row *r);
/* A member as number for sorting; unknown, blank and pending sort below 0. STR: 0. */
double format_number(const struct field *f, const struct row *r);

/* A member as drawn ("?", "", "·": unknown), for STR the row's own. s: base of ages and times. */
const char *format_value(char buf[FORMAT_MAX], const struct field *f, const struct row *r,
			 const struct snapshot *s, enum value_state *ret_state);
/* The same, of the member of that name, which the row's table must have. */
const char *format_member(char buf[FORMAT_MAX], const struct row *r, const char *member, const struct snapshot *s);
/* Numbers are right-aligned in their column, texts left-aligned. */
bool format_is_number(enum field_format format);
