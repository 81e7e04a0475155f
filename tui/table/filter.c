// SPDX-License-Identifier: GPL-2.0-or-later
/* filter.c: parses and applies filters, see filter.h. */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bpf/model/grpc_codes.h"
#include "tui/table/filter.h"
#include "tui/table/format.h"
#include "tui/table/pattern.h"

#define MAX_TERMS 16
#define TOO_MANY (-2)
#define NO_COLUMN (-3)
#define COLUMNS_NAMED 8	/* limit that fits a line of 80 columns */

struct term {
	int field;	/* -1: the text of the whole row */
	int field2;	/* alternative column ("port"), or -1 */
	char relation;	/* '=', '<', '>' for numbers, 'r' for a regular expression */
	double number;
	regex_t regex;
};

struct filter {
	enum table_id table;
	u32 n;
	struct term terms[MAX_TERMS];
};

static const struct {
	const char *alias, *field, *field2;
} aliases[] = {
	{ "comm", "comm", NULL }, { "cmd", "cmdline", NULL }, { "name", "comm", "cmdline" },
	{ "port", "local_port", "remote_port" }, { "path", "path", "cgroup" },
	{ "dst", "remote_addr", NULL }, { "src", "local_addr", NULL },
	{ "dst", "remote", NULL }, { "src", "local", NULL },	/* in events: including the port */
	{ "cpu", "cpu_pct", NULL }, { "mem", "rss_bytes", NULL }, { "rss", "rss_bytes", NULL },
	{ "sys", "syscall_rate", NULL }, { "call", "syscall", NULL },
	{ "status", "status", NULL }, { "status", "statuses", NULL },
};

static int field_by(enum table_id t, const char *name, size_t n, bool by_title)
{
	const struct table_desc *d = &table_descs[t];

	for (u32 i = 0; i < d->n_fields; i++) {
		const char *s = by_title ? d->fields[i].title : d->fields[i].name;

		if (d->fields[i].kind != FK_INTERNAL && strlen(s) == n && !strncasecmp(s, name, n))
			return (int)i;
	}
	return -1;
}

static int alias_field(enum table_id t, const char *name, size_t n, int *ret_second)
{
	for (u32 i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strlen(aliases[i].alias) != n || strncasecmp(aliases[i].alias, name, n))
			continue;
		if (aliases[i].field2)
			*ret_second = table_field(t, aliases[i].field2);
		if (table_field(t, aliases[i].field) >= 0)
			return table_field(t, aliases[i].field);
	}
	return -1;
}

int filter_field(enum table_id t, const char *name, size_t n)
{
	int second = -1, f = field_by(t, name, n, false);

	if (f < 0)
		f = alias_field(t, name, n, &second);
	if (f < 0)
		f = second;
	return f >= 0 ? f : field_by(t, name, n, true);
}

/* ---- numbers shown as names ---- */

static bool may_have_name(enum table_id t, int field)
{
	return t == TABLE_requests && field == table_field(t, "status");
}

/* NULL: shown as the number. */
static const char *name_of(const struct row *r, const struct field *f)
{
	const struct requests_row *q = requests_row(r);

	if (!may_have_name(r->table, (int)(f - table_descs[r->table].fields)))
		return NULL;
	if (!u64_known(q->status))
		return q->status == U64_BLANK ? "none" : NULL;
	return text_is(q->protocol, "grpc") ? grpc_code_name(q->status) : NULL;
}

/* ---- parsing ---------------------------------------------------------------- */

static const char *regex_error(int err)
{
	switch (err) {
	case REG_EPAREN:
		return "missing )";
	case REG_EBRACK:
		return "missing ]";
	case REG_EEND:
		return "not complete";
	case REG_EBRACE:
		return "missing }";
	case REG_BADBR:
		return "bad {...}";
	case REG_BADRPT:
		return "nothing to repeat";
	case REG_EESCAPE:
		return "\\ at the end";
	case REG_ERANGE:
		return "bad range";
	case REG_ESPACE:
		return "too many repetitions";
	case REG_ECTYPE:
		return "no such class";
	}
	return "not a regular expression";
}

static int term_regex(struct term *t, const char *pattern)
{
	t->relation = 'r';
	return pattern_compile(&t->regex, pattern, false);
}

/* 12, 1.5k, 3M: the output of format_value() is accepted. */
static bool parse_number(const char *s, const struct field *f, double *ret)
{
	double base = f->format == FF_BYTES || f->format == FF_BRATE ? 1024 : 1000;
	static const struct { const char *unit; double ns; } times[] = {
		{ "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
	};
	const char *units = "kmgt", *u;
	char *end;

	*ret = strtod(s, &end);
	if (end == s)
		return false;
	if (f->format == FF_NS || f->format == FF_NSRATE || f->format == FF_AGE) {
		for (u32 i = 0; i < ARRAY_SIZE(times); i++)
			if (!strcmp(end, times[i].unit))
				return *ret *= times[i].ns, true;
		return !*end;
	}
	if (*end && !end[1] && (u = strchr(units, tolower((u8)*end))))
		for (; u >= units; u--)
			*ret *= base;
	else if (*end)
		return false;
	return true;
}

static bool term_number(struct term *t, const struct field *f, const char *value)
{
	t->relation = *value == '<' || *value == '>' ? *value++ : '=';
	return parse_number(value, f, &t->number);
}

/* "key:value" where key is a column; otherwise returns false and adds nothing. */
static bool add_column_term(struct filter *f, const char *word, int *ret_error)
{
	const char *colon = strchr(word, ':');
	struct term *t = &f->terms[f->n];
	size_t n = colon ? (size_t)(colon - word) : 0;
	const struct field *field;

	*ret_error = 0;
	if (!n)
		return false;
	t->field2 = -1;
	t->field = field_by(f->table, word, n, false);
	if (t->field < 0)
		t->field = alias_field(f->table, word, n, &t->field2);
	if (t->field < 0)
		t->field = t->field2;
	if (t->field < 0)
		t->field = field_by(f->table, word, n, true);
	if (t->field < 0)
		return false;
	if (!colon[1])
		return true;	/* still being typed: matches everything */
	field = &table_descs[f->table].fields[t->field];
	if (field->format == FF_COUNTS && term_number(t, field, colon + 1))
		;	/* numbers shown as names also match by number: 503, >499 */
	else if (field->type == FT_STR)
		*ret_error = term_regex(t, colon + 1);
	else if (!term_number(t, field, colon + 1))
		*ret_error = may_have_name(f->table, t->field) ? term_regex(t, colon + 1) : -1;
	if (!*ret_error)
		f->n++;
	return true;
}

static bool add_text_term(struct filter *f, const char *pattern, int *ret_error)
{
	struct term *t = &f->terms[f->n];

	t->field = t->field2 = -1;
	*ret_error = term_regex(t, pattern);
	if (!*ret_error)
		f->n++;
	return !*ret_error;
}

/*
 * "prot:udp" is no column and would match nothing. "std::vector", "http://" and "a\:b" are texts.
 */
static bool is_unknown_column(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

	return n && word[n] == ':' && word[n + 1] != ':' && word[n + 1] != '/';
}

void filter_columns(enum table_id t, char *buf, size_t cap)
{
	static const char *const typed_most[] = {
		"pid", "comm", "user", "state", "port", "src", "dst", "kind", "side", "method", "status", "path",
		"call", "cmd", "cpu", "mem", "name",
	};

	*buf = '\0';
	for (u32 i = 0, named = 0; i < ARRAY_SIZE(typed_most) && named < COLUMNS_NAMED; i++) {
		if (filter_field(t, typed_most[i], strlen(typed_most[i])) < 0)
			continue;
		text_add(buf, cap, " ", "%s:", typed_most[i]);
		named++;
	}
}

static void say_columns(enum table_id t, const char *word, char *error, size_t cap)
{
	char names[96];

	filter_columns(t, names, sizeof(names));
	snprintf(error, cap, "no column %.*s; there are %s ...", (int)strcspn(word, ":"), word, names);
}

static void say_error(char *error, size_t cap, int err, size_t column)
{
	snprintf(error, cap, "%s at column %zu", err == TOO_MANY ? "too many terms" :
		 err < 0 ? "a number is needed (12, >5, <1.5k)" : regex_error(err), column);
}

static struct filter *parse(enum table_id table, const char *text, bool search, char *error, size_t cap)
{
	struct filter *f = xcalloc(1, sizeof(*f));
	char *copy = xstrdup(text), *rest = xcalloc(1, strlen(text) + 2);
	size_t rest_end = 0;
	int err = 0;

	f->table = table;
	for (char *p = copy; *(p += strspn(p, " "));) {
		size_t len = strcspn(p, " "), at = (size_t)(p - copy);
		bool last = !p[len];

		p[len] = '\0';
		if (f->n + 1 >= MAX_TERMS) {
			err = TOO_MANY;
		} else if (!add_column_term(f, p, &err)) {
			if (!search && is_unknown_column(p))
				err = NO_COLUMN;
			if (*rest)
				strcat(rest, " ");
			strcat(rest, p);
			rest_end = at + len;
		}
		if (err == NO_COLUMN)
			say_columns(table, p, error, cap);
		else if (err)
			say_error(error, cap, err, at + len + 1);
		if (err)
			goto fail;
		if (last)
			break;
		p += len + 1;
	}
	if (*rest && !add_text_term(f, rest, &err)) {
		say_error(error, cap, err, rest_end + 1);
		goto fail;
	}
	free(copy);
	free(rest);
	return f;
fail:
	free(copy);
	free(rest);
	filter_free(f);
	return NULL;
}

struct filter *filter_new(enum table_id table, const char *text, char *error, size_t cap)
{
	return parse(table, text, false, error, cap);
}

struct filter *filter_new_search(enum table_id table, const char *text, char *error, size_t cap)
{
	return parse(table, text, true, error, cap);
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (u32 i = 0; i < f->n; i++)
		if (f->terms[i].relation == 'r')
			regfree(&f->terms[i].regex);
	free(f);
}

/* ---- matching ---------------------------------------------------------------- */

/* Cached text of the row matched last; grows to its longest command line. */
static struct {
	char *buf;
	u32 n, cap;
} text;

static void put_word(const char *s)
{
	u32 n = (u32)strlen(s);

	while (text.cap < text.n + n + 2)
		text.buf = grow(text.buf, text.cap, &text.cap, 1);
	memcpy(text.buf + text.n, s, n);
	memcpy(text.buf + text.n + n, " ", 2);
	text.n += n + 1;
}

static const char *row_text(const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	text.n = 0;
	put_word("");	/* a row may have no text */
	text.n = 0;
	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		const char *s = f->type == FT_STR ? row_str(r, f) : NULL;
		char number[24];

		if (f->format == FF_ID && f->type == FT_U64 && u64_known(row_u64(r, f))) {
			snprintf(number, sizeof(number), "%llu", (unsigned long long)row_u64(r, f));
			s = number;
		}
		if (!s && f->type != FT_STR)
			s = name_of(r, f);
		if (s && *s)
			put_word(s);
	}
	text.buf[text.n] = '\0';
	return text.buf;
}

static bool match_number(const struct term *t, double v)
{
	return t->relation == '<' ? v < t->number : t->relation == '>' ? v > t->number : v == t->number;
}

/* Matches the names, not the counts: "200 503" does not contain status 503. */
static bool match_counts(const struct term *t, const char *at)
{
	char name[COUNT_NAME_MAX], *end;
	u64 n;

	while (at && count_next(&at, name, &n)) {
		double v = strtod(name, &end);

		if (t->relation == 'r' ? !regexec(&t->regex, name, 0, NULL, 0) :
		    end != name && !*end && match_number(t, v))
			return true;
	}
	return false;
}

static bool match_field(const struct term *t, const struct field *f, const struct row *r)
{
	enum value_state state = format_state(f, r);

	if (f->format == FF_COUNTS)
		return match_counts(t, row_str(r, f));
	if (t->relation == 'r') {
		const char *s = f->type == FT_STR ? row_str(r, f) : name_of(r, f);

		return s && !regexec(&t->regex, s, 0, NULL, 0);
	}
	if (state != VALUE_KNOWN && state != VALUE_ZERO)
		return false;
	return match_number(t, format_number(f, r));
}

bool filter_match(const struct filter *f, const struct row *r)
{
	const struct table_desc *d = &table_descs[f->table];

	for (u32 i = 0; i < f->n; i++) {
		const struct term *t = &f->terms[i];

		if (t->field < 0) {
			if (regexec(&t->regex, row_text(r), 0, NULL, 0))
				return false;
		} else if (!match_field(t, &d->fields[t->field], r) &&
			   (t->field2 < 0 || !match_field(t, &d->fields[t->field2], r))) {
			return false;
		}
	}
	return true;
}
