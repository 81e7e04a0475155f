// SPDX-License-Identifier: GPL-2.0-or-later
/* tables.c FILE: CPU milliseconds to compile its unwind table, rows, bytes, different rules. */
#include <fcntl.h>
#include <stdio.h>

#include "symbolizer/ehframe.h"

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	u64 begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end;
	struct unwind_table *t = unwind_table_read(fd, NULL);

	end = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!t) {
		perror(argc == 2 ? argv[1] : "tables FILE");
		return 1;
	}
	printf("%.3f %u %zu %u\n", (double)(end - begin) / 1e6, t->n_rows,
	       (size_t)t->n_words * sizeof(u64), t->n_infos);
	unwind_table_free(t);
	return 0;
}
