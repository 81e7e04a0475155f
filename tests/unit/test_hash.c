// SPDX-License-Identifier: GPL-2.0-or-later
/* test_hash.c: hash.h compared with an array, also with equal hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/model/hash.h"

#define N 1000

struct item {
	struct hash_node node;
	u32 value;
};

static struct hash_table table;
static u32 n_freed;

static u32 hash_for(u32 value, bool same)
{
	return same ? 7 : hash_of(value);
}

static struct item *find(u32 value, bool same)
{
	return hash_find(&table, hash_for(value, same), struct item, x, x->value == value);
}

static void count_and_free(void *item)
{
	n_freed++;
	free(item);
}

static void fill(bool same)
{
	for (u32 i = 0; i < N; i++) {
		struct item *x = malloc(sizeof(*x));

		assert_null(find(i, same));
		x->value = i;
		hash_add(&table, &x->node, hash_for(i, same));
	}
	assert_int_equal(table.n, N);
}

/* Every third is removed during the iteration: each is visited once, the others stay. */
static void goes_through(bool same)
{
	u8 met[N] = { 0 };

	fill(same);
	hash_each(&table, struct item, x) {
		met[x->value]++;
		if (x->value % 3)
			continue;
		hash_remove(&table, &x->node);
		free(x);
	}
	for (u32 i = 0; i < N; i++) {
		struct item *x = find(i, same);

		assert_int_equal(met[i], 1);
		assert_int_equal(x != NULL, i % 3 != 0);
		if (x)
			assert_int_equal(x->value, i);
	}
	n_freed = 0;
	hash_free(&table, count_and_free);
	assert_int_equal(n_freed, N - (N + 2) / 3);
	assert_null(find(1, same));
}

static void different_hashes(void **state)
{
	goes_through(false);
}

static void one_hash(void **state)
{
	goes_through(true);
}

static void every_byte_counts(void **state)
{
	u8 data[21] = { 0 };
	u32 all_zero = hash_bytes(data, sizeof(data));

	for (u32 i = 0; i < sizeof(data); i++) {
		data[i] = 1;
		assert_int_not_equal(hash_bytes(data, sizeof(data)), all_zero);
		data[i] = 0;
	}
	assert_int_not_equal(hash_bytes(data, sizeof(data) - 1), all_zero);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(different_hashes),
		cmocka_unit_test(one_hash),
		cmocka_unit_test(every_byte_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
