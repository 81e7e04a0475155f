/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_value.h: parsing of a single option and of the configuration file. Private to options.c,
 * options_value.c and config.c.
 */
#ifndef OTTOP_OPTIONS_VALUE_H
#define OTTOP_OPTIONS_VALUE_H

#include "tui/main/options.h"

/*
 * Sets an option from its text. `label` is its name as the user wrote it ("-d", "--interval").
 * NULL, or an error message (free() it). The text must outlive the options.
 */
char *option_set(struct options *o, enum option_id id, const char *label, const char *text);
/* Reads a configuration file. NULL, or an error message (free() it). */
char *config_read(struct options *o, const char *path);

#endif
