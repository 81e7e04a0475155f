// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c: reads the options and selects the mode. Exit status: 0 good, 1 the run failed, 2 usage.
 */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/app/app.h"
#include "tui/main/main.h"

static int usage(char *error)
{
	main_report(error);
	return 2;
}

/* With -n, a pipe or no terminal a recording needs no screen. */
static bool records_without_screen(const struct options *o)
{
	return o->record && (o->count || !strcmp(o->record, "-") || !isatty(STDOUT_FILENO));
}

static int run(const struct options *o, bool has_stdout)
{
	bool headless = o->headless || o->json || o->batch || records_without_screen(o);
	bool writes = o->help || o->version || o->check || o->json || o->batch ||
		      text_is(o->record, "-") || (o->profile ? text_is(o->output, "-") : !headless);

	if (!has_stdout && writes) {
		main_say("stdout is closed: there is nowhere to write to");
		return 1;
	}
	if (o->help || o->version) {
		if (o->help)
			options_help(stdout);
		else
			printf("ottop %s\n", OTTOP_VERSION);
		return 0;
	}
	if (text_is(o->record, "-") && isatty(STDOUT_FILENO)) {
		main_say("--record -: stdout is a terminal; give a file, or a pipe to"
			 " ottop --replay -");
		return 2;
	}
	if (o->check)
		return sampler_check(stdout);
	if (o->profile)
		return main_profile(o);
	if (headless || !isatty(STDOUT_FILENO))
		return main_headless(o);
	if (*o->names.first && !app_view_exists(o->names.first)) {
		main_say("-v %s: a table without a view; the views are: %s", o->names.first,
			 app_view_names());
		return 2;
	}
	return main_console(o);
}

/* Snapshots are freed in another thread: with an arena a thread glibc keeps twice the memory. */
static void keep_memory_small(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv)
{
	bool has_stdout = main_fill_fds();
	struct options o;
	char *error;
	int status;

	main_catch_faults();
	keep_memory_small();
	setlocale(LC_CTYPE, "");	/* not LC_NUMERIC: JSON needs a decimal point */
	signal(SIGPIPE, SIG_IGN);	/* a reader that went away is an error of write() */
	error = options_parse(&o, argc, argv);
	status = error ? usage(error) : run(&o, has_stdout);
	options_free(&o);
	return main_close_stdout(status);
}
