// SPDX-License-Identifier: GPL-2.0-or-later
/* fixture.c: reads snapshots from text, see fixture.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/screen/fixture.h"

#define START_NS (20ull * 86400 * NSEC_PER_SEC)		/* the machine runs for 20 days */
#define UNIX_START_NS (1795365727ull * NSEC_PER_SEC)	/* 2026-11-22 16:42:07 UTC */

struct reader {
	struct fixture *f;
	struct builder *b;
	u64 seq, time_ns, interval_ns;
	u64 with_rows;		/* TABLE_BIT()s of the tick being read */
	u64 with_status;
	const char *path;
	int line;
};

static bool fail(const struct reader *r, const char *what, const char *word)
{
	fprintf(stderr, "%s:%d: %s: %s\n", r->path, r->line, what, word);
	return false;
}

/* ---- words --------------------------------------------------------------------------- */

/* The next word of *p; a value may be quoted. Cuts the line in place. */
static char *next_word(char **p)
{
	char *s = *p + strspn(*p, " \t"), *w = s, *out = s;
	bool quoted = false;

	if (!*s || *s == '#')
		return NULL;
	for (; *s && (quoted || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (*s == '\\' && s[1] == 'e')
			*out++ = 27, s++;
		else if (*s == '\\' && s[1] == 'n')
			*out++ = '\n', s++;
		else
			*out++ = *s;
	}
	*p = *s ? s + 1 : s;
	*out = '\0';
	return w;
}

static double number(const char *s, const char **ret_end)
{
	static const struct { const char *unit; double by; } units[] = {
		{ "us", 1e3 }, { "ms", 1e6 }, { "ns", 1 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
		{ "d", 86400e9 }, { "K", 1024.0 }, { "M", 1048576.0 }, { "G", 1073741824.0 },
		{ "T", 1099511627776.0 },
	};
	char *end;
	double v = strtod(s, &end);

	for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].unit);

		if (!strncmp(end, units[i].unit, n) && !(end[n] >= 'a' && end[n] <= 'z')) {
			*ret_end = end + n;
			return v * units[i].by;
		}
	}
	*ret_end = end;
	return v;
}

/* ---- members ---------------------------------------------------------------------------- */

static void set_u64(u64 *to, const char *value)
{
	const char *end;

	*to = !strcmp(value, "?") ? U64_UNKNOWN : !strcmp(value, "-") ? U64_BLANK :
	      !strcmp(value, ".") ? U64_PENDING : (u64)number(value, &end);
}

static void set_f32(float *to, const char *value)
{
	const char *end;

	*to = !strcmp(value, "?") ? F32_UNKNOWN : !strcmp(value, "-") ? F32_BLANK :
	      !strcmp(value, ".") ? F32_PENDING : (float)number(value, &end);
}

static void set_hist(const struct hist **to, const char *value)
{
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));

	for (const char *p = value; *p;) {
		u64 ns = (u64)number(p, &p), n = 1;

		if (*p == '*')
			n = strtoull(p + 1, (char **)&p, 10);
		for (; n; n--)
			hist_acc_value(acc, ns);
		p += *p == ',';
	}
	to[0] = hist_seal(acc);
	to[1] = hist_seal(acc);
	free(acc);
}

static void set_member(void *row, const struct field *f, const char *value)
{
	char *at = (char *)row + f->offset;

	if (f->type == FT_U64)
		set_u64((u64 *)at, value);
	else if (f->type == FT_F32)
		set_f32((float *)at, value);
	else if (f->type == FT_STR)
		*(const char **)at = !strcmp(value, "?") ? NULL : str_new(strcmp(value, "-") ? value : "");
	else if (f->type == FT_HIST)
		set_hist((const struct hist **)at, value);
}

/* Members of every row, not declared by the table: closed, new, age. */
static bool set_common(struct reader *r, void *row, enum table_id t, const char *name, const char *value)
{
	struct row *base = row;
	int start = table_field(t, "start_time_ns");
	const char *end;

	if (!strcmp(name, "closed"))
		base->closed = *value == '1';
	else if (!strcmp(name, "new"))
		base->first_seen_ns = r->time_ns;
	else if (!strcmp(name, "age") && start >= 0)
		*(u64 *)((char *)row + table_descs[t].fields[start].offset) =
			START_NS - (u64)number(value, &end);
	else
		return false;
	return true;
}

static bool read_row(struct reader *r, enum table_id t, char *p)
{
	struct row *row;
	char *word;

	if (!r->b)
		return fail(r, "a row before the first tick", table_descs[t].name);
	row = builder_row(r->b, t);
	row->first_seen_ns = START_NS - NSEC_PER_SEC;
	r->with_rows |= TABLE_BIT(t);
	while ((word = next_word(&p))) {
		char *eq = strchr(word, '=');
		int f;

		if (!eq)
			return fail(r, "member=value is needed", word);
		*eq = '\0';
		if (set_common(r, row, t, word, eq + 1))
			continue;
		f = table_field(t, word);
		if (f < 0)
			return fail(r, "no such member", word);
		set_member(row, &table_descs[t].fields[f], eq + 1);
	}
	return true;
}

/* ---- ticks ---------------------------------------------------------------------------------- */

static void finish_tick(struct reader *r)
{
	if (!r->b)
		return;
	for (u32 t = 0; t < N_TABLES; t++)
		if ((r->with_rows & ~r->with_status) & TABLE_BIT(t))
			builder_status(r->b, t, TS_OK, NULL, r->interval_ns);
	if (r->f->n < FIXTURE_MAX)
		r->f->ticks[r->f->n++] = builder_seal(r->b);
	r->b = NULL;
}

static void start_tick(struct reader *r, char *p)
{
	const struct snapshot *prev = r->f->n ? r->f->ticks[r->f->n - 1] : NULL;
	const char *end;
	char *word;

	finish_tick(r);
	while ((word = next_word(&p)))
		if (!strncmp(word, "interval=", 9))
			r->interval_ns = (u64)number(word + 9, &end);
	r->seq++;
	r->time_ns += r->interval_ns;
	r->with_rows = r->with_status = 0;
	r->b = builder_new(prev, &r->f->session);
	builder_time(r->b, r->seq, r->time_ns, (s64)(UNIX_START_NS - START_NS), r->interval_ns);
}

static bool read_status(struct reader *r, char *p)
{
	static const char *const names[] = { "off", "starting", "ok", "partial", "blocked" };
	char *table = next_word(&p), *status = next_word(&p), *reason = next_word(&p);
	int t = table ? table_by_name(table) : -1;

	for (u32 i = 0; t >= 0 && status && i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], status))
			continue;
		builder_status(r->b, t, i, reason, r->interval_ns);
		r->with_status |= TABLE_BIT(t);
		return true;
	}
	return fail(r, "status TABLE off|starting|ok|partial|blocked", table ? table : "");
}

static bool repeat(struct reader *r, char *p)
{
	char *word = next_word(&p);
	int n = word ? atoi(word) : 1;

	finish_tick(r);
	while (n-- > 0 && r->f->n && r->f->n < FIXTURE_MAX) {
		const struct snapshot *last = r->f->ticks[r->f->n - 1];
		char nothing[] = "";

		start_tick(r, nothing);
		for (u32 t = 0; t < N_TABLES; t++) {
			const struct table *table = &last->tables[t];

			for (u32 i = 0; i < table->n; i++)
				if (!table->rows[i]->closed)
					builder_add(r->b, row_get(table->rows[i]));
			builder_status(r->b, t, table->status, table->reason, table->interval_ns);
		}
		finish_tick(r);
	}
	return true;
}

static void read_session(struct reader *r, char *p)
{
	char *word;

	while ((word = next_word(&p))) {
		struct session *s = &r->f->session;

		if (!strncmp(word, "host_name=", 10))
			snprintf(s->host_name, sizeof(s->host_name), "%s", word + 10);
		else if (!strncmp(word, "kernel=", 7))
			snprintf(s->kernel, sizeof(s->kernel), "%s", word + 7);
		else if (!strncmp(word, "arch=", 5))
			snprintf(s->arch, sizeof(s->arch), "%s", word + 5);
	}
}

static bool read_line(struct reader *r, char *p)
{
	char *word = next_word(&p);
	int t;

	if (!word)
		return true;
	if (!strcmp(word, "session"))
		return read_session(r, p), true;
	if (!strcmp(word, "tick"))
		return start_tick(r, p), true;
	if (!strcmp(word, "status"))
		return read_status(r, p);
	if (!strcmp(word, "repeat"))
		return repeat(r, p);
	t = table_by_name(word);
	return t < 0 ? fail(r, "no such table", word) : read_row(r, t, p);
}

struct fixture *fixture_load(const char *path)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct reader r = { .f = f, .time_ns = START_NS - NSEC_PER_SEC, .interval_ns = NSEC_PER_SEC,
			    .path = path };
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	bool ok = in != NULL;

	if (!in)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	f->session.start_ns = START_NS;
	while (ok && getline(&line, &cap, in) > 0) {
		r.line++;
		line[strcspn(line, "\n")] = '\0';
		ok = read_line(&r, line);
	}
	finish_tick(&r);
	free(line);
	if (in)
		fclose(in);
	if (ok)
		return f;
	fixture_free(f);
	return NULL;
}

void fixture_free(struct fixture *f)
{
	if (!f)
		return;
	for (u32 i = 0; i < f->n; i++)
		snapshot_put(f->ticks[i]);
	free(f);
}
