// SPDX-License-Identifier: GPL-2.0-or-later
/* pairs.c: see pairs.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/pairs.h"
#include "exporter/otlp/protobuf.h"

#define LIST_MAX 64		/* maximum number of headers or attributes */

/* Percent-decodes in place; false: malformed, or a control byte, which could split a header. */
static bool decode_value(char *s)
{
	char *out = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s;
		} else {
			high = hex_digit(s[1]);
			low = high < 0 ? -1 : hex_digit(s[2]);
			if (low < 0)
				return false;
			*out++ = (char)(high << 4 | low);
			s += 2;
		}
		if ((unsigned char)out[-1] < 0x20 || out[-1] == 0x7f)
			return false;
	}
	*out = '\0';
	return true;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

void otlp_pairs_add(struct otlp_pairs *p, const char *key, const char *value)
{
	p->pairs = grow(p->pairs, p->n, &p->cap, sizeof(*p->pairs));
	p->pairs[p->n++] = (struct otlp_pair){ xstrdup(key), xstrdup(value) };
}

static bool is_token(const char *s)
{
	const char *others = "!#$&'*+-.^_`|~";	/* tchar of RFC 9110, without % */

	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(others, *s))
			return false;
	return true;
}

/* Adds one key=value (modified); NULL, or what is wrong with it. */
static const char *add_item(struct otlp_pairs *pairs, char *item, bool is_header)
{
	char *equals = strchr(item, '='), *key, *value;

	if (!equals)
		return "not of the form key=value";
	*equals = '\0';
	key = trim(item);
	value = trim(equals + 1);
	if (!*key)
		return "a value without a key";
	if (is_header && !is_token(key))
		return "a name that no header may have";
	if (!decode_value(value) || !decode_value(key))
		return "percent-encoding that is none, or a control character";
	if (pairs->n == LIST_MAX)
		return "too many entries";
	otlp_pairs_add(pairs, key, value);
	return NULL;
}

void otlp_pairs_read(struct otlp_pairs *pairs, const char *text, bool is_header, const char *from)
{
	char *copy = text ? xstrdup(text) : NULL, *rest = copy, *item;

	while ((item = strsep(&rest, ","))) {
		const char *why;

		item = trim(item);
		why = *item ? add_item(pairs, item, is_header) : NULL;
		if (why)	/* the value may be a password: do not log it */
			log_line("%s: %.60s: %s; ignored", from, is_token(item) ? item : "an entry", why);
	}
	free(copy);
}

void otlp_pairs_free(struct otlp_pairs *p)
{
	for (u32 i = 0; i < p->n; i++) {
		free(p->pairs[i].key);
		free(p->pairs[i].value);
	}
	free(p->pairs);
	*p = (struct otlp_pairs){ 0 };
}
