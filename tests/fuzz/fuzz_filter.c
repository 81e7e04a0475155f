// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_filter.c: what a person may type as a filter, on rows with every kind of
 * value. (Found: a+++++++ and (a{99}){99}, for which regcomp() takes all memory;
 * $*+++++++, for which it takes minutes.)
 */
#include <string.h>

#include "tests/unit/gen.h"
#include "tui/table/filter.h"

#define MAX_TYPED 200

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct snapshot *s;
	static struct gen g;
	char text[MAX_TYPED + 1], error[80];
	struct filter *f;
	int t;

	if (!s) {
		gen_init(&g, 1, 6);
		s = gen_random(&g);
	}
	if (size < 2 || size > MAX_TYPED)
		return 0;
	t = data[0] % N_TABLES;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	memset(error, 'x', sizeof(error));
	f = filter_new(t, text, error, sizeof(error));
	if (!f && (!memchr(error, '\0', sizeof(error)) || !error[0]))
		abort();	/* refused, and no word why */
	for (u32 i = 0; f && i < s->tables[t].n; i++)
		filter_match(f, s->tables[t].rows[i]);
	filter_free(f);
	return 0;
}
