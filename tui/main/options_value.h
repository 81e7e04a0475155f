/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_value.h: one option's text to its value, and the configuration
 * file. Between options.c, options_value.c and config.c only.
 */
#ifndef OTTOP_OPTIONS_VALUE_H
#define OTTOP_OPTIONS_VALUE_H

#include "tui/main/options.h"

/*
 * Sets an option from its text. `label` is how the user wrote its name ("-d",
 * "--interval"). NULL, or one line that says what is wrong (free() it).
 * The text must live as long as the options.
 */
char *option_set(struct options *o, enum option_id id, const char *label, const char *text);
/* Reads a configuration file. NULL, or one line (free() it). */
char *config_read(struct options *o, const char *path);

#endif
