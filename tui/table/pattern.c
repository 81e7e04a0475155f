// SPDX-License-Identifier: GPL-2.0-or-later
/* pattern.c: user-typed regular expressions, see pattern.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table/pattern.h"
#include "bpf/model/base.h"

#define MAX_COPIES 256		/* limit of copies that regcomp() makes of repeated parts */

static bool has_upper(const char *s)
{
	for (; *s; s++)
		if (isupper((unsigned char)*s))
			return true;
	return false;
}

static double upper_count(const char *p)
{
	p += strcspn(p, ",}");
	return *p == ',' ? strtod(p + 1, NULL) : 0;
}

/* "+" makes two copies, "{n}" n; they multiply where repetitions nest or follow each other. */
static bool too_repetitive(const char *pattern)
{
	double copies = 1;

	for (const char *p = pattern; *p && copies <= MAX_COPIES; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '+')
			copies *= 2;
		else if (*p == '{')
			copies *= max(max(strtod(p + 1, NULL), upper_count(p + 1)), 1.0);
	}
	return copies > MAX_COPIES;
}

/* A run of operators as one: x++ is x+, x?? is x?, others x*. Moves *text past it. */
static char squeeze(const char **text)
{
	char op = **text;

	while (*++*text && strchr("*+?", **text))
		if (**text != op)
			op = '*';
	return op;
}

/* The end of a bracket expression such as "[]+*]" or "[^[:alpha:]+]". */
static const char *behind_bracket(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	for (p += *p == ']'; *p && *p != ']'; p++) {
		const char *end;
		char class[3] = { p[0] == '[' ? p[1] : 0, ']', 0 };

		if (class[0] && strchr(":.=", class[0]) && (end = strstr(p + 2, class)))
			p = end + 1;
	}
	return *p ? p + 1 : p;
}

/* False: no room. */
static bool rewrite(char *out, size_t cap, const char *text, bool literal_braces)
{
	size_t n = 0, len;

	while (*text) {
		const char *from = text;
		char op[3] = { *text };

		if (*text == '\\' && text[1]) {
			text += 2;
		} else if (*text == '[') {
			text = behind_bracket(text);
		} else if (literal_braces && (*text == '{' || *text == '}')) {
			op[0] = '\\', op[1] = *text++;
			from = op;
		} else if (strchr("*+?", *text)) {
			op[0] = squeeze(&text);
			from = op;
		} else {
			text++;
		}
		len = from == op ? strlen(op) : (size_t)(text - from);
		if (n + len >= cap)
			return false;
		memcpy(out + n, from, len);
		n += len;
	}
	out[n] = '\0';
	return true;
}

int pattern_compile(regex_t *ret, const char *text, bool literal_braces)
{
	char pattern[PATTERN_MAX];

	if (!rewrite(pattern, sizeof(pattern), text, literal_braces) || too_repetitive(pattern))
		return REG_ESPACE;
	return regcomp(ret, pattern,
		       REG_EXTENDED | REG_NOSUB | (has_upper(text) ? 0 : REG_ICASE));
}
