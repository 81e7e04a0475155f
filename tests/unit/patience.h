/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h: how long a test waits for what should take a moment. A machine that does ten things
 * at once, under a sanitizer, is slow; only what hangs takes so long.
 */
#ifndef OTTOP_TESTS_PATIENCE_H
#define OTTOP_TESTS_PATIENCE_H

#include <unistd.h>

#define PATIENCE_S 120

/* Until the condition holds, which is evaluated some hundred times a second; assert it afterwards. */
#define wait_until(condition)						\
	do {								\
		for (int i_ = 0; i_ < PATIENCE_S * 500 && !(condition); i_++)	\
			usleep(2000);					\
	} while (0)

#endif
