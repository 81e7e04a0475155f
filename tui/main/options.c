// SPDX-License-Identifier: GPL-2.0-or-later
/* options.c: the command line, from the table in options.def. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tui/main/options.h"
#include "tui/main/options_value.h"

const struct option_desc option_descs[N_OPTIONS] = {
#define OPTION(m, l, s, a, t, d, lo, hi, h) \
	[OPTION_##m] = { .long_name = l, .arg = a, .fallback = d, .help = h, .short_name = s, \
			 .type = OT_##t, .offset = offsetof(struct options, m), \
			 .min = lo, .max = hi },
#include "tui/main/options.def"
};

#define FILTER "what was recorded is all shown; filter with \\ on the screen"

/* Options that exclude each other, and why. */
static const struct { enum option_id a, b; const char *why; } conflicts[] = {
	{ OPTION_json, OPTION_batch, "write different things to stdout" },
	{ OPTION_record, OPTION_replay, "a recording is copied with cp" },
	{ OPTION_profile, OPTION_json, "write different things" },
	{ OPTION_profile, OPTION_batch, "write different things" },
	{ OPTION_profile, OPTION_record, "record first, then --replay FILE --profile" },
	{ OPTION_profile, OPTION_check, "one observes, the other does not" },
	{ OPTION_profile, OPTION_count, "--duration says how long" },
	{ OPTION_check, OPTION_replay, "a recording needs no privileges" },
	{ OPTION_pids, OPTION_replay, FILTER },
	{ OPTION_comm, OPTION_replay, FILTER },
	{ OPTION_cgroup, OPTION_replay, FILTER },
	{ OPTION_otlp, OPTION_replay, "a collector wants what happens now" },
	{ OPTION_otlp, OPTION_profile, "a profile is a file" },
	{ OPTION_otlp, OPTION_check, "one observes, the other does not" },
	{ OPTION_interval_ns, OPTION_replay, "the intervals are those that were recorded" },
	{ OPTION_budget_pct, OPTION_replay, "replaying observes nothing" },
};

/* ---- suggestions ----------------------------------------------------------- */

static u32 edit_distance(const char *a, const char *b)
{
	u32 la = (u32)strlen(a), lb = (u32)strlen(b), row[65];

	if (lb > 64)
		return UINT32_MAX;
	for (u32 j = 0; j <= lb; j++)
		row[j] = j;
	for (u32 i = 1; i <= la; i++) {
		u32 diagonal = row[0];

		row[0] = i;
		for (u32 j = 1; j <= lb; j++) {
			u32 above = row[j], swap = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = min(swap, min(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[lb];
}

const char *options_nearest(const char *typed, const char *const *names, u32 n)
{
	u32 best = (u32)strlen(typed) / 3 + 1;
	const char *found = NULL;

	for (u32 i = 0; i < n; i++) {
		u32 d = edit_distance(typed, names[i]);

		/* an unfinished name is as good a match as a typing error */
		if (strlen(typed) >= 3 && !strncmp(typed, names[i], strlen(typed)))
			d = 1;
		if (d < best || (d == best && !found)) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

/* ---- reading argv ------------------------------------------------------------ */

/* Fills the tables for getopt_long(); shorts needs room for 2 * N_OPTIONS + 2. */
static void getopt_tables(struct option *longs, char *shorts)
{
	*shorts++ = ':';	/* makes getopt_long() return ':' for a missing argument */
	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_desc *d = &option_descs[i];

		longs[i] = (struct option){ d->long_name, d->arg ? required_argument : no_argument,
					    NULL, 256 + i };
		if (!d->short_name)
			continue;
		*shorts++ = d->short_name;
		if (d->arg)
			*shorts++ = ':';
	}
	longs[N_OPTIONS] = (struct option){ 0 };
	*shorts = '\0';
}

static char *unknown_option(const char *typed)
{
	const char *names[N_OPTIONS], *nearest;
	char name[40];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(typed + strspn(typed, "-"), "="),
		 typed + strspn(typed, "-"));
	for (int i = 0; i < N_OPTIONS; i++) {
		names[i] = option_descs[i].long_name;
		if (!strcmp(names[i], name))
			return xasprintf("--%s takes no argument", name);
	}
	nearest = options_nearest(name, names, N_OPTIONS);
	if (nearest)
		return xasprintf("%s: unknown option; did you mean --%s?", typed, nearest);
	return xasprintf("%s: unknown option; ottop --help lists them", typed);
}

/* Error message for getopt_long()'s result: '?' unknown option, ':' missing argument. */
static char *refused(int c, char **argv, int was)
{
	char typed[3] = { '-', (char)optopt, '\0' };
	const char *name = optopt > 0 && optopt < 256 ? typed : argv[was];

	if (c == ':')
		return xasprintf("%s needs an argument; ottop --help lists the options", name);
	return unknown_option(name);
}

static int option_of(int c)
{
	if (c >= 256)
		return c - 256;
	for (int i = 0; i < N_OPTIONS; i++)
		if (option_descs[i].short_name == c)
			return i;
	return -1;
}

static char *read_argv(struct options *o, int argc, char **argv)
{
	struct option longs[N_OPTIONS + 1];
	char shorts[2 * N_OPTIONS + 2];
	int c, was;

	getopt_tables(longs, shorts);
	opterr = 0;
	for (optind = 0, was = 1; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;
	     was = optind) {
		char label[40], *error;
		int i = option_of(c);

		if (c == '?' || c == ':' || i < 0)
			return refused(c, argv, was);
		if (c >= 256)
			snprintf(label, sizeof(label), "--%s", option_descs[i].long_name);
		else
			snprintf(label, sizeof(label), "-%c", c);
		error = option_set(o, (enum option_id)i, label, optarg);
		if (error)
			return error;
		o->given |= 1u << i;
	}
	if (optind < argc)
		return xasprintf("%s: not an option; to observe one process: -p PID", argv[optind]);
	return NULL;
}

static char *find_conflict(const struct options *o)
{
	for (u32 i = 0; i < ARRAY_SIZE(conflicts); i++) {
		u32 both = 1u << conflicts[i].a | 1u << conflicts[i].b;

		/* with a profile from a recording, pids do filter */
		if (conflicts[i].a == OPTION_pids && o->profile)
			continue;
		if ((o->given & both) == both)
			return xasprintf("--%s and --%s exclude each other: %s",
					 option_descs[conflicts[i].a].long_name,
					 option_descs[conflicts[i].b].long_name, conflicts[i].why);
	}
	if (!o->profile && o->given & (1u << OPTION_output | 1u << OPTION_duration_ns))
		return xasprintf("--%s goes with --profile cpu or --profile offcpu",
				 o->given & 1u << OPTION_output ? "output" : "duration");
	if (o->headless && !o->otlp && !o->record && !o->json && !o->batch)
		return xstrdup("--headless: nothing to do; add --otlp URL");
	if (*o->names.first && !o->names.tables && (o->json || o->batch))
		return xasprintf("-v %s: a view without a table; nothing of it can be written",
				 o->names.first);
	if (text_is(o->record, "-") && (o->json || o->batch))
		return xasprintf("--record - and --%s both write to stdout; record to a file",
				 o->json ? "json" : "batch");
	return NULL;
}

static char *set_defaults(struct options *o)
{
	char *error = NULL;

	*o = (struct options){ 0 };
	for (int i = 0; i < N_OPTIONS && !error; i++)
		if (option_descs[i].fallback)
			error = option_set(o, (enum option_id)i, option_descs[i].long_name,
					   option_descs[i].fallback);
	return error;
}

char *options_parse(struct options *o, int argc, char **argv)
{
	const char *config;
	char *error = set_defaults(o);

	if (!error)
		error = read_argv(o, argc, argv);
	config = o->config;
	if (!error && config && !o->help && !o->version) {
		/* again, so that the command line overrides the file */
		error = set_defaults(o);
		if (!error)
			error = config_read(o, config);
		if (!error)
			error = read_argv(o, argc, argv);
	}
	o->argc = argc;
	o->argv = argv;
	return error ? error : find_conflict(o);
}

void options_free(struct options *o)
{
	free(o->config_text);
	o->config_text = NULL;
}

/* ---- help ----------------------------------------------------------------------- */

static void help_line(FILE *out, const struct option_desc *d)
{
	char left[40], extra[64] = "";

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", d->short_name ? '-' : ' ',
		 d->short_name ? d->short_name : ' ', d->short_name ? "," : " ", d->long_name,
		 d->arg ? " " : "", d->arg ? d->arg : "");
	if (d->fallback)
		snprintf(extra, sizeof(extra), " (%s)", d->fallback);
	fprintf(out, "  %-22s  %s%s\n", left, d->help, extra);
}

/* The names of the tables, in lines that fit a terminal. */
static void help_tables(FILE *out)
{
	int column = fprintf(out, "Tables:");

	for (int t = 0; t < N_TABLES; t++) {
		if (column + 1 + (int)strlen(table_descs[t].name) > 79)
			column = fprintf(out, "\n       ") - 1;
		column += fprintf(out, " %s", table_descs[t].name);
	}
	putc('\n', out);
}

void options_help(FILE *out)
{
	fputs("usage: ottop [options]               live console\n"
	      "       ottop -b | --json [options]   text, or one JSON object an interval\n"
	      "       ottop --record FILE [-n N]    record; --replay FILE shows it again\n"
	      "       ottop --profile cpu -o FILE   stacks as pprof, folded or flame graph\n"
	      "\n"
	      "What this machine is doing now: processes, stacks, connections, system calls.\n"
	      "\n", out);
	for (int i = 0; i < N_OPTIONS; i++)
		help_line(out, &option_descs[i]);
	putc('\n', out);
	help_tables(out);
	fputs("On the screen ? is help, q ends. NO_COLOR is honoured. See also: man ottop\n", out);
}
