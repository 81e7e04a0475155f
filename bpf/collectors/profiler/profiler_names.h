/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profiler_names.h: requests to the symbolizer for names of frames, and all its answers. Never blocks. */
#pragma once

/* Takes all pending answers, of any kind. */
void names_take(void);
/* Asks for names, as far as the pace allows and the symbolizer is not busy. */
void names_ask(void);
