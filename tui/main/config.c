// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config.c: the configuration file: lines of `key = value`, '#' starts a comment. Keys are the long
 * options, `theme`, and the OTEL_* variables read by the exporter, for which the environment takes
 * precedence.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/main/options_value.h"

#define CONFIG_MAX_BYTES 65536

static char *read_file(const char *path, char **ret_error)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;

	if (!f) {
		*ret_error = xasprintf("--config %s: %s", path, strerror(errno));
		return NULL;
	}
	text = xmalloc(CONFIG_MAX_BYTES + 1);
	n = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
	if (ferror(f))
		*ret_error = xasprintf("--config %s: %s", path, strerror(errno));
	else if (n > CONFIG_MAX_BYTES)
		*ret_error = xasprintf("--config %s: more than %d bytes, not a configuration",
				       path, CONFIG_MAX_BYTES);
	else if (memchr(text, '\0', n))
		*ret_error = xasprintf("--config %s: not a text file", path);
	fclose(f);
	text[n > CONFIG_MAX_BYTES ? 0 : n] = '\0';
	return text;
}

/* Trims white space at both ends, in place. */
static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static char *set_theme(struct options *o, const char *value)
{
	o->theme_light = !strcmp(value, "light");
	o->theme_dark = !strcmp(value, "dark");
	if (o->theme_light || o->theme_dark)
		return NULL;
	return xasprintf("theme = %s: neither dark nor light", value);
}

/* ---- OTEL_* ------------------------------------------------------------------------------- */

#define VARIABLES_MAX 64

static struct variable {
	char *name, *value;
} variables[VARIABLES_MAX];
static u32 n_variables;

static void forget_variables(void)
{
	while (n_variables) {
		free(variables[--n_variables].name);
		free(variables[n_variables].value);
	}
}

static char *set_variable(const char *name, const char *value)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (name[n])
		return xasprintf("%s: not the name of a variable", name);
	if (n_variables == VARIABLES_MAX)
		return xasprintf("%s: more than %d variables", name, VARIABLES_MAX);
	variables[n_variables++] = (struct variable){ xstrdup(name), xstrdup(value) };
	return NULL;
}

const char *config_getenv(const char *name)
{
	const char *value = getenv(name);

	for (u32 i = n_variables; (!value || !*value) && i > 0; i--)	/* the last line wins */
		if (!strcmp(variables[i - 1].name, name))
			return variables[i - 1].value;
	return value;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static char *unknown_key(const char *key)
{
	const char *names[N_OPTIONS + 1] = { "theme" }, *nearest;

	for (int i = 0; i < N_OPTIONS; i++)
		names[i + 1] = option_descs[i].long_name;
	nearest = options_nearest(key, names, ARRAY_SIZE(names));
	if (nearest)
		return xasprintf("%s: unknown key; did you mean %s?", key, nearest);
	return xasprintf("%s: unknown key; the keys are the long options, theme and OTEL_*",
			 key);
}

static char *set_key(struct options *o, const char *key, const char *value)
{
	if (!strcmp(key, "theme"))
		return set_theme(o, value);
	if (!strncmp(key, "OTEL_", 5))
		return set_variable(key, value);
	for (int i = 0; i < N_OPTIONS; i++) {
		if (strcmp(key, option_descs[i].long_name))
			continue;
		if (i == OPTION_config || i == OPTION_help || i == OPTION_version)
			return xasprintf("%s: only for the command line", key);
		return option_set(o, (enum option_id)i, key, value);
	}
	return unknown_key(key);
}

static char *read_line(struct options *o, char *line)
{
	char *equals, *comment = strchr(line, '#');

	/* a '#' inside a value (a path, a pattern) starts a comment only after a blank */
	while (comment && comment > line && !isspace((unsigned char)comment[-1]))
		comment = strchr(comment + 1, '#');
	if (comment)
		*comment = '\0';
	line = trim(line);
	if (!*line)
		return NULL;
	equals = strchr(line, '=');
	if (!equals)
		return xasprintf("'%s': expected key = value", line);
	*equals = '\0';
	return set_key(o, trim(line), trim(equals + 1));
}

char *config_read(struct options *o, const char *path)
{
	char *error = NULL, *text = read_file(path, &error), *line, *rest;
	u32 number = 0;

	free(o->config_text);
	o->config_text = text;
	forget_variables();
	if (error)
		return error;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		number++;
		error = read_line(o, line);
		if (error) {
			char *whole = xasprintf("%s:%u: %s", path, number, error);

			free(error);
			return whole;
		}
	}
	return NULL;
}
