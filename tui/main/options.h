/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h: the command line and the configuration file, both from
 * options.def. The values are checked as far as they can be without looking
 * at the machine; strings belong to argv or to the options.
 */
#ifndef OTTOP_OPTIONS_H
#define OTTOP_OPTIONS_H

#include <stdio.h>

#include "bpf/model/snapshot.h"

#define OPTIONS_MAX_PIDS 64

struct pid_list {
	u32 n, pid[OPTIONS_MAX_PIDS];
};

/* What -v named: a view to begin with, and tables. */
struct name_list {
	char first[32];		/* the first name, or "" */
	u64 tables;		/* TABLE_BIT()s of the tables, and of those that views show */
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
	u32 given;	/* 1 << OPTION_x: on the command line, not in the file */
	bool theme_light, theme_dark;	/* theme = light, theme = dark */
	char *config_text;	/* what strings from the file point into */
	int argc;		/* as they were parsed: for reading all again */
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

/*
 * Reads argv, and the file that --config names (the command line wins). NULL
 * when all is well, else one line that says what is wrong (free() it).
 */
char *options_parse(struct options *o, int argc, char **argv);
/* Frees what the options hold; strings taken from them are gone. */
void options_free(struct options *o);
/*
 * getenv(), and for names OTEL_* that are not in the environment what the file said when it
 * was read last. Not while another thread reads the file.
 */
const char *config_getenv(const char *name);
/* Prints what --help prints, from the table. */
void options_help(FILE *out);
/* The nearest of n names to one that was mistyped, or NULL if none is near. */
const char *options_nearest(const char *typed, const char *const *names, u32 n);

#endif
