// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_label.c: shortens function names: arguments first, then namespaces and paths, then the end.
 */
#include <stdio.h>
#include <string.h>

#include "tui/term/canvas.h"
#include "tui/engines/flame_name.h"

#define CUT "…"

static int width_of(const char *s)
{
	int w = 0;

	while (*s) {
		u32 ch = (u8)*s, n = text_decode(s, &ch);

		w += n ? canvas_char_width(ch) : 1;
		s += n ? n : 1;
	}
	return w;
}

/* "liblzma.so.5.4.1+0x15bc9" as "liblzma+0x15bc9". False: not an address in a library. */
static bool drop_version(char *out, size_t cap, const char *name)
{
	const char *so = strstr(name, ".so"), *plus = so ? strrchr(so, '+') : NULL;

	if (!plus || strncmp(plus, "+0x", 3) || strchr(name, ' '))
		return false;
	snprintf(out, cap, "%.*s%s", (int)(so - name), name, plus);
	return true;
}

/*
 * Java and .NET methods have types ("void shop.Order.pay(int)"), script functions a position
 * ("validate schema.js:17").
 */
static bool has_signature(const char *name)
{
	const char *paren = strchr(name, '('), *s = paren;

	if (!paren || paren == name || paren[-1] == ' ' || name[0] == '<')
		return false;
	while (s > name && s[-1] != ' ')
		s--;
	return memchr(s, '.', (size_t)(paren - s)) && !memchr(s, '/', (size_t)(paren - s));
}

/* Names in scripts may have any form: "<regexp> /^(\w+)$/", "validate schema.js:17". */
static bool has_grammar(const char *name, u32 kind)
{
	if (kind == FLAME_INTERP || kind >= FLAME_UNKNOWN)
		return false;
	return kind != FLAME_JIT || !strchr(name, ' ') || has_signature(name);
}

/* The end of the indivisible piece at s: a bracketed group, or one character. */
static const char *past_piece(const char *name, const char *s, bool grammar)
{
	u32 ch = (u8)*s, len;

	if (grammar && (*s == '<' || *s == '(' || *s == '[' || *s == '{'))
		return flame_name_past(name, s, s + strlen(s));
	len = text_decode(s, &ch);
	return s + (len ? len : 1);
}

static int width_between(const char *s, const char *end)
{
	int w = 0;

	while (s < end) {
		u32 ch = (u8)*s, len = text_decode(s, &ch);

		w += len ? canvas_char_width(ch) : 1;
		s += len ? len : 1;
	}
	return w;
}

static int cut_right(char *buf, size_t cap, const char *s, int width, bool grammar)
{
	const char *name = s;
	int x = 0, w = width_of(s);
	size_t n = strlen(s);

	if (w <= width && n < cap) {
		memcpy(buf, s, n + 1);
		return w;
	}
	n = 0;
	while (*s) {
		const char *past = past_piece(name, s, grammar);
		size_t len = (size_t)(past - s);

		w = width_between(s, past);
		if (x + w > width - 1 || n + len + sizeof(CUT) > cap)
			break;
		memcpy(buf + n, s, len);
		n += len;
		s += len;
		x += w;
	}
	strcpy(buf + n, width > 0 ? CUT : "");
	return x + (width > 0);
}

/* ---- the parts that fit ------------------------------------------------------------------- */

static bool is_real(const struct name_piece *part)
{
	return part->kind == PART_REAL || part->kind == PART_QUALIFIED;
}

static u32 count_real(const struct flame_name *n, u32 from)
{
	u32 real = 0;

	for (u32 i = from; i < n->n; i++)
		real += is_real(&n->parts[i]);
	return real;
}

static void put_separator(struct flame_text *t, char sep)
{
	t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s",
				 sep == ':' ? "::" : sep == '.' ? "." : sep == '/' ? "/" : "");
	t->n = min(t->n, sizeof(t->s) - 1);
}

/* The parts from `from` on, after a mark if others precede them. */
static bool try_parts(struct flame_text *t, const struct flame_name *n, u32 from, enum name_form form,
		      bool mark, int width)
{
	t->n = 0;
	*t->s = '\0';
	if (mark && from) {
		strcpy(t->s, CUT);
		t->n = strlen(CUT);
	}
	for (u32 i = from; i < n->n; i++) {
		if (n->parts[i].again && form != FORM_WHOLE)
			continue;
		if (i > from || (mark && from))
			put_separator(t, n->parts[i].sep);
		flame_name_part(t, &n->parts[i], form);
	}
	return width_of(t->s) <= width;
}

/* The last real part that is followed by no more than `real` real ones. */
static u32 last_real(const struct flame_name *n, u32 real)
{
	u32 i = n->n;

	while (i > 0 && real) {
		i--;
		real -= is_real(&n->parts[i]);
	}
	return i;
}

/* Drops leading parts while two real ones remain: "…::vec::Vec::push". */
static bool drop_left(struct flame_text *t, const struct flame_name *n, enum name_form form, int width)
{
	for (u32 i = 0; i < n->n && count_real(n, i) >= 2; i++)
		if ((!i || is_real(&n->parts[i])) && try_parts(t, n, i, form, true, width))
			return true;
	return false;
}

static void fit(struct flame_text *t, const struct flame_name *n, int width)
{
	u32 last = last_real(n, 1), two = last_real(n, 2);

	if (try_parts(t, n, 0, FORM_SHORT, false, width) || drop_left(t, n, FORM_SHORT, width) ||
	    try_parts(t, n, two, FORM_BARE, false, width) ||
	    try_parts(t, n, last, FORM_SHORT, true, width) || try_parts(t, n, last, FORM_BARE, true, width))
		return;
	try_parts(t, n, last, FORM_BARE, false, width);	/* a mark would take more room */
}

int flame_label(char *buf, size_t cap, const char *name, u32 kind, int width)
{
	const char *start, *args, *end;
	struct flame_name parts;
	struct flame_text text = { .n = 0 };
	char plain[256];

	if (kind == FLAME_UNKNOWN && width_of(name) > width && drop_version(plain, sizeof(plain), name))
		return cut_right(buf, cap, plain, width, false);
	if (!has_grammar(name, kind) || !flame_name_is_balanced(name))
		return cut_right(buf, cap, name, width, false);
	flame_name_core(name, &start, &args, &end);
	if (width_between(start, end) <= width || start == args)
		return cut_right(buf, cap, start, width, true);
	flame_name_split(&parts, start, args, kind);
	if (!try_parts(&text, &parts, 0, FORM_WHOLE, false, width) || text.n + 1 >= sizeof(text.s))
		fit(&text, &parts, width);
	return cut_right(buf, cap, text.s, width, true);
}
