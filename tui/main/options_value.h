/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options_value.h: parses single options and the config file. Private to options*.c, config.c. */
#pragma once

#include "tui/main/options.h"

/*
 * Sets an option to `text`, which must outlive it. label: as written. NULL, or an error to free().
 */
char *option_set(struct options *o, enum option_id id, const char *label, const char *text);
/* Reads a configuration file. NULL, or an error message (free() it). */
char *config_read(struct options *o, const char *path);
