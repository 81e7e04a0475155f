/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h: time limits of tests that wait. Generous, because a loaded machine with a sanitizer
 * is slow; only a hang takes this long.
 */
#pragma once

#include <unistd.h>

#define PATIENCE_S 120

/* Waits until the condition holds, evaluated some hundred times a second; assert it afterwards. */
#define wait_until(condition)						\
	do {								\
		for (int i_ = 0; i_ < PATIENCE_S * 500 && !(condition); i_++)	\
			usleep(2000);					\
	} while (0)
