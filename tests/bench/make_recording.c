// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make_recording FILE PROCESSES TICKS: a machine with so many processes, a tenth of
 * them active, and two rows of system calls for each active one.
 */
#include <stdlib.h>

#include "bpf/history.h"
#include "tests/unit/gen.h"

int main(int argc, char **argv)
{
	u32 processes = argc == 4 ? (u32)atoi(argv[2]) : 0, active = processes / 10;
	int err = 0, ticks = argc == 4 ? atoi(argv[3]) : 0;
	struct recorder *r;
	char *error = NULL;
	struct gen g;

	if (!processes || ticks < 1)
		return 2;
	gen_init(&g, 1, 0);
	r = recorder_open(argv[1], &g.session, &error);
	if (!r) {
		fprintf(stderr, "make_recording: %s\n", error);
		return 1;
	}
	for (int i = 0; i < ticks && !err; i++)
		err = recorder_write(r, gen_load(&g, processes, active, active * 2, active));
	gen_end(&g);
	return err || recorder_close(r);
}
