// SPDX-License-Identifier: GPL-2.0-or-later
/* Views name members of tables and actions by text: each is there, as a wrong letter is no error of the compiler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tui/app/keys.h"
#include "tui/engines/heat.h"
#include "tui/table/table.h"

/* A member, or no name at all. */
static void has_member(const struct view *v, enum table_id t, const char *name)
{
	if (name && table_field(t, name) < 0)
		fail_msg("view %s: table %s has no member %s", v->name, table_descs[t].name, name);
}

/* A table is sorted by a member, or by a column that is none and has a title of its own. */
static bool is_title(const struct table_spec *spec, const char *name)
{
	for (u32 i = 0; i < spec->n_columns; i++)
		if (spec->columns[i].title && !strcmp(spec->columns[i].title, name))
			return true;
	return false;
}

static void check_columns(const struct view *v, const struct table_spec *spec)
{
	for (u32 i = 0; i < spec->n_columns; i++) {
		has_member(v, spec->table, spec->columns[i].field);
		has_member(v, spec->table, spec->columns[i].also);
	}
	if (spec->sort && !is_title(spec, spec->sort))
		has_member(v, spec->table, spec->sort);
}

static void check_grouping(const struct view *v, enum table_id t, const struct grouping *g)
{
	assert_non_null(g->title);
	for (u32 i = 0; i < GROUP_FIELDS; i++)
		has_member(v, t, g->fields[i]);
	has_member(v, t, g->counts);
	has_member(v, t, g->names);
	has_member(v, t, g->spread);
	if (g->counts && (!g->noun || table_descs[t].fields[table_field(t, g->counts)].type != FT_STR))
		fail_msg("view %s: grouping %s counts a text and has a noun for it", v->name, g->title);
	if (g->spec)
		check_columns(v, g->spec);
}

static void members_of_tables(void **state)
{
	u32 n_groupings = 0;

	for (u32 i = 0; i < N_VIEWS; i++) {
		const struct table_spec *spec = app_views[i]->table;

		if (!spec)
			continue;
		check_columns(app_views[i], spec);
		for (u32 k = 0; k < spec->n_groupings; k++)
			check_grouping(app_views[i], spec->table, &spec->groupings[k]);
		n_groupings += spec->n_groupings;
	}
	assert_true(n_groupings);
}

static void members_of_maps(void **state)
{
	static const char *const process[] = { "pid", "start_time_ns", "comm" };
	u32 n = 0;

	for (u32 i = 0; i < N_VIEWS; i++) {
		const struct heat_source *src = app_views[i]->map;

		if (!src)
			continue;
		n++;
		for (u32 k = 0; k < ARRAY_SIZE(process); k++)
			has_member(app_views[i], src->table, process[k]);
		for (u32 k = 0; k < HEAT_WHAT; k++)
			has_member(app_views[i], src->table, src->what[k]);
		has_member(app_views[i], src->table, src->hist);
		assert_int_equal(table_descs[src->table].fields[table_field(src->table, src->hist)].type, FT_HIST);
		assert_string_equal(src->view, app_views[i]->name);
	}
	assert_true(n);
}

static void check_hints(const struct view *v, const char *hints)
{
	for (const char *p = hints; p && *p;) {
		size_t len = strcspn(p, " ");

		if (key_action_by_name(p, len) == ACTION_none)
			fail_msg("view %s: no action %.*s in keys.def", v->name, (int)len, p);
		p += len + strspn(p + len, " ");
	}
}

static void actions_of_hints(void **state)
{
	for (u32 i = 0; i < N_VIEWS; i++) {
		check_hints(app_views[i], app_views[i]->hints);
		check_hints(app_views[i], app_views[i]->hints_wide);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_of_tables), cmocka_unit_test(members_of_maps), cmocka_unit_test(actions_of_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
