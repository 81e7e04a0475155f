/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profiler_names.h: names of frames, and unwind tables, as the symbolizer answers. Nothing is waited for. */
#ifndef OTTOP_PROFILER_NAMES_H
#define OTTOP_PROFILER_NAMES_H

/* Takes what it has answered, of whatever kind. */
void names_take(void);
/* Asks for names, as far as the pace allows and it is not busy. */
void names_ask(void);

#endif
