/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coverage.h: included before every file of a coverage build: helpers end with _exit(), which forgets what they counted. */
#include <unistd.h>

#define OTTOP_NO_SANDBOX 1	/* counts are written into files, when a helper ends */

void __gcov_dump(void);
#define _exit(status) (__gcov_dump(), _exit(status))
