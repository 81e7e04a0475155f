// SPDX-License-Identifier: GPL-2.0-or-later
/* options_value.c: parses the text of an option by its type. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tui/main/options_value.h"
#include "tui/app/view.h"
#include "tui/table/table.h"

/* Parses the whole text as a number; false for anything else, including "1x" and "nan". */
static bool parse_number(const char *text, double *ret)
{
	char *end;
	double v;

	if (text[strspn(text, "0123456789.")] || !*text)
		return false;	/* strtod() also accepts hex, "inf" and exponents */
	v = strtod(text, &end);
	if (*end || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

static char *set_number(void *value, const struct option_desc *d, const char *label,
			const char *text)
{
	static const char *const units[] = { [OT_SECONDS] = " seconds", [OT_PERCENT] = " percent",
					     [OT_COUNT] = "" };
	double v;

	if (!parse_number(text, &v))
		return xasprintf("%s %s: not a number", label, text);
	if (d->type == OT_COUNT && v != floor(v))
		return xasprintf("%s %s: not a whole number", label, text);
	if (v < d->min || v > d->max)
		return xasprintf("%s %s: not between %g and %.10g%s", label, text, d->min, d->max,
				 units[d->type]);
	if (d->type == OT_SECONDS)
		*(u64 *)value = (u64)llround(v * NSEC_PER_SEC);
	else if (d->type == OT_COUNT)
		*(u64 *)value = (u64)v;
	else
		*(float *)value = (float)v;
	return NULL;
}

static char *set_flag(bool *value, const char *label, const char *text)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (u32 i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!text || !strcmp(text, yes[i])) {
			*value = true;
			return NULL;
		}
		if (!strcmp(text, no[i])) {
			*value = false;
			return NULL;
		}
	}
	return xasprintf("%s %s: neither yes nor no", label, text);
}

/* The next item of a comma-separated list; its length is 0 for "a,,b" and at the end. */
static const char *next_item(const char **pos, size_t *ret_len)
{
	const char *item = *pos;

	*ret_len = strcspn(item, ",");
	*pos = item[*ret_len] ? item + *ret_len + 1 : NULL;
	return item;
}

static char *set_pids(struct pid_list *list, const struct option_desc *d, const char *label,
		      const char *text)
{
	const char *pos = text;

	list->n = 0;
	while (pos) {
		char buf[16];
		double v = 0;
		size_t len;
		const char *item = next_item(&pos, &len);

		snprintf(buf, sizeof(buf), "%.*s", (int)len, item);
		if (len >= sizeof(buf) || strchr(buf, '.') || !parse_number(buf, &v) ||
		    v < d->min || v > d->max)
			return xasprintf("%s %s: '%.*s' is not a process id; give numbers,"
					 " separated by commas", label, text, (int)len, item);
		if (list->n == OPTIONS_MAX_PIDS)
			return xasprintf("%s: more than %d processes; use --comm or --cgroup",
					 label, OPTIONS_MAX_PIDS);
		list->pid[list->n++] = (u32)v;
	}
	return NULL;
}

/* Names of tables, then of views not named like their table. */
static u32 known_names(const char *names[N_TABLES + N_VIEWS])
{
	u32 n = 0;

	for (int t = 0; t < N_TABLES; t++)
		names[n++] = table_descs[t].name;
	for (u32 i = 0; i < N_VIEWS; i++)
		if (table_by_name(app_views[i]->name) < 0 && !(app_views[i]->flags & VIEW_PAGE))
			names[n++] = app_views[i]->name;
	return n;
}

static char *unknown_name(const char *label, const char *name)
{
	const char *names[N_TABLES + N_VIEWS], *nearest;
	u32 n = known_names(names);
	char list[400] = "";

	for (u32 i = 0; i < n; i++)
		text_add(list, sizeof(list), ", ", "%s", names[i]);
	nearest = options_nearest(name, names, n);
	return xasprintf("%s %s: no such view or table%s%s%s; there are: %s", label, name,
			 nearest ? ", did you mean " : "", nearest ? nearest : "",
			 nearest ? "?" : "", list);
}

/* The tables of a name; false: neither a table nor a view. */
static bool find_tables(const char *name, u64 *ret_tables)
{
	int t = table_by_name(name);

	if (t >= 0) {
		*ret_tables = TABLE_BIT(t) | (t == TABLE_stacks ? WANT_OFFCPU : 0);
		return true;
	}
	for (u32 i = 0; i < N_VIEWS; i++) {
		if (strcmp(app_views[i]->name, name))
			continue;
		*ret_tables = app_views[i]->table ? TABLE_BIT(app_views[i]->table->table) : app_views[i]->needs;
		return true;
	}
	return false;
}

static char *set_names(struct name_list *list, const char *label, const char *text)
{
	const char *pos = text;

	*list = (struct name_list){ .tables = 0 };
	while (pos) {
		char name[sizeof(list->first)];
		u64 tables;
		size_t len;
		const char *item = next_item(&pos, &len);

		snprintf(name, sizeof(name), "%.*s", (int)len, item);
		if (len >= sizeof(name) || !find_tables(name, &tables))
			return unknown_name(label, name);
		list->tables |= tables;
		if (item == text)
			memcpy(list->first, name, sizeof(name));
	}
	if (!(~list->tables & (TABLE_BIT(TABLE_requests) | TABLE_BIT(TABLE_frames))))
		list->tables |= WANT_REQUEST_WAITS;	/* they refer to frames */
	return NULL;
}

char *option_set(struct options *o, enum option_id id, const char *label, const char *text)
{
	const struct option_desc *d = &option_descs[id];
	void *value = (char *)o + d->offset;

	switch (d->type) {
	case OT_FLAG:
		return set_flag(value, label, text);
	case OT_SECONDS:
	case OT_COUNT:
	case OT_PERCENT:
		return set_number(value, d, label, text);
	case OT_PIDS:
		return set_pids(value, d, label, text);
	case OT_NAMES:
		return set_names(value, label, text);
	case OT_TEXT:
	case OT_FILE:
		if (!*text)
			return xasprintf("%s: empty; give %s", label, d->arg);
		if (!strncmp(text, "--", 2))	/* the argument is missing */
			return xasprintf("%s %s: not a %s; write ./%s if it is called so", label,
					 text, d->arg, text);
		*(const char **)value = text;
	}
	return NULL;
}
