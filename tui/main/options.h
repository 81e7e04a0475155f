/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h: the command line and the configuration file, both from options.def. Values are checked
 * as far as possible without looking at the machine; strings point into argv or are owned by the
 * options.
 */
#pragma once

#include <stdio.h>

#include "bpf/model/snapshot.h"

#define OPTIONS_MAX_PIDS 64

struct pid_list {
	u32 n, pid[OPTIONS_MAX_PIDS];
};

/* The names given to -v: the first view, and tables. */
struct name_list {
	char first[32];		/* the first name, or "" */
	u64 tables;		/* TABLE_BIT()s of tables, and of those shown by views */
};

#define OPTION_MEMBER_FLAG(m) bool m;
#define OPTION_MEMBER_SECONDS(m) u64 m;
#define OPTION_MEMBER_COUNT(m) u64 m;
#define OPTION_MEMBER_PERCENT(m) float m;
#define OPTION_MEMBER_TEXT(m) const char *m;
#define OPTION_MEMBER_FILE(m) const char *m;
#define OPTION_MEMBER_PIDS(m) struct pid_list m;
#define OPTION_MEMBER_NAMES(m) struct name_list m;

enum option_id {
#define OPTION(m, ...) OPTION_##m,
#include "tui/main/options.def"
	N_OPTIONS
};

struct options {
#define OPTION(m, l, s, a, type, ...) OPTION_MEMBER_##type(m)
#include "tui/main/options.def"
	u32 given;	/* 1 << OPTION_x: set on the command line, not in the file */
	bool theme_light, theme_dark;	/* theme = light, theme = dark */
	char *config_text;	/* storage of strings from the file */
	int argc;		/* kept for reloading */
	char **argv;
};

enum option_type {
	OT_FLAG, OT_SECONDS, OT_COUNT, OT_PERCENT, OT_TEXT, OT_FILE, OT_PIDS, OT_NAMES
};

struct option_desc {
	const char *long_name, *arg, *fallback, *help;
	char short_name;
	enum option_type type;
	u32 offset;
	double min, max;
};

extern const struct option_desc option_descs[N_OPTIONS];

/* Parses argv and --config (argv takes precedence). NULL, or an error message to free(). */
char *options_parse(struct options *o, int argc, char **argv);
/* Frees what the options own, including strings taken from them. */
void options_free(struct options *o);
/* getenv(); else the config file's OTEL_* value. Not while another thread reads the file. */
const char *config_getenv(const char *name);
/* Prints the text of --help. */
void options_help(FILE *out);
/* The closest of n names to a mistyped one, or NULL. */
const char *options_nearest(const char *typed, const char *const *names, u32 n);
