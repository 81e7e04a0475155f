// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys: names to codes, and no key with two meanings in one view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tui/app/keys.h"

static void codes(void **state)
{
	assert_int_equal(key_code("q"), 'q');
	assert_int_equal(key_code("\\"), '\\');
	assert_int_equal(key_code("Space"), ' ');
	assert_int_equal(key_code("F1"), K_F1);
	assert_int_equal(key_code("F10"), K_F1 + 9);
	assert_int_equal(key_code("F12"), K_F12);
	assert_int_equal(key_code("C-l"), K_CTRL + 'l');
	assert_int_equal(key_code("Enter"), K_ENTER);
	assert_int_equal(key_code("nothing"), K_NONE);
	assert_int_equal(key_code("F13"), K_NONE);
}

static void actions(void **state)
{
	assert_int_equal(key_action('q', &processes_view), ACTION_quit);
	assert_int_equal(key_action(K_F1 + 9, &processes_view), ACTION_quit);
	assert_int_equal(key_action('t', &processes_view), ACTION_tree);
	assert_int_equal(key_action('t', &events_view), ACTION_none);
	assert_int_equal(key_action('\\', &events_view), ACTION_filter);
	assert_int_equal(key_action('\\', &help_view), ACTION_none);
	assert_int_equal(key_action('+', &processes_view), ACTION_unfold);
	assert_int_equal(key_action('0', &processes_view), ACTION_view);
}

/* Does `key` stand in the list of keys of this line? */
static bool has(const struct key_desc *k, const char *key)
{
	char list[128], *save, *word;

	snprintf(list, sizeof(list), "%s", k->keys);
	for (word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (!strcmp(word, key))
			return true;
	return false;
}

static void one_key_one_meaning(void **state)
{
	for (u32 v = 0; v < N_VIEWS; v++)
		for (u32 i = 1; i < N_ACTIONS; i++)
			for (u32 k = i + 1; k < N_ACTIONS; k++) {
				const struct key_desc *a = &key_descs[i], *b = &key_descs[k];
				char first[32];

				sscanf(a->keys, "%31s", first);
				if (strcmp(a->where, b->where) || !key_applies(i, app_views[v]) ||
				    !key_applies(k, app_views[v]))
					continue;
				if (has(b, first))
					fail_msg("%s: %s and %s are both on %s", app_views[v]->name,
						 a->action, b->action, first);
			}
}

/* Every word of a view's hints is an action that works there and has a label. */
static void hints(void **state)
{
	for (u32 v = 0; v < N_VIEWS; v++) {
		const char *lists[] = { app_views[v]->hints, app_views[v]->hints_wide };

		for (u32 l = 0; l < 2; l++)
			for (const char *p = lists[l]; p && *p;) {
				size_t n = strcspn(p, " ");
				enum action action = key_action_by_name(p, n);

				if (!action || !key_applies(action, app_views[v]))
					fail_msg("%s: hint %.*s", app_views[v]->name, (int)n, p);
				p += n + strspn(p + n, " ");
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes), cmocka_unit_test(actions),
		cmocka_unit_test(one_key_one_meaning), cmocka_unit_test(hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
