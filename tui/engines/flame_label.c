// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_label.c: names of functions made shorter where that costs least: first
 * what says least (arguments, template arguments), then where it is from
 * (namespaces, package paths), and only then the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/term/canvas.h"
#include "tui/engines/flame.h"

#define NAME_MAX_BYTES 1024	/* a demangled name can be longer than any screen */
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

/* The end of "operator<", "operator->", "operator()" that starts at s, or s. */
static const char *skip_operator(const char *name, const char *s)
{
	if (strncmp(s, "operator", 8) || (s > name && (s[-1] == '_' || (s[-1] >= 'a' && s[-1] <= 'z'))))
		return s;
	s += 8;
	if (!strncmp(s, "()", 2))
		return s + 2;
	return s + strspn(s, "<>=-!&|+*/%^~");
}

/* The end of the bracket that opens at s (">" of "->" does not count), or NULL. */
static const char *closing(const char *s, char open, char close)
{
	int depth = 0;

	for (; *s; s++) {
		if (*s == open)
			depth++;
		else if (*s == close && !(close == '>' && s[-1] == '-') && !--depth)
			return s + 1;
	}
	return NULL;
}

/* Is this '(' the start of arguments, not part of the name? */
static bool opens_arguments(const char *s)
{
	return strncmp(s, "(anonymous", 10) && strncmp(s, "(*", 2) && strncmp(s, "({", 2);
}

/* Replaces each outermost open..close by `with`; false: there was none. */
static bool drop_brackets(char *out, size_t cap, const char *name, char open, char close, const char *with)
{
	size_t n = 0;
	bool any = false;

	for (const char *p = name; *p && n + 8 < cap;) {
		const char *op = skip_operator(name, p), *end;

		while (p < op && n + 8 < cap)
			out[n++] = *p++;
		if (*p != open || (open == '(' && !opens_arguments(p)) || !(end = closing(p, open, close))) {
			if (*p)
				out[n++] = *p++;
			continue;
		}
		n += (size_t)snprintf(out + n, cap - n, "%s", with);
		p = end;
		any = true;
		if (open == '(' && !strcmp(p, " const"))
			break;
	}
	out[n] = '\0';
	return any;
}

/*
 * The next place after `from` where a name may be cut off at the left:
 * "std::chrono::now" at each "::", Go's "github.com/x/pkg.Func" at each "/", Java's
 * "com.example.Shop.order" at each ".". NULL: there is none.
 */
static const char *next_part(const char *name, const char *from, u32 kind)
{
	int depth = 0;

	for (const char *p = name; *p; p++) {
		p = skip_operator(name, p);
		if (!*p)
			break;
		if (*p == '(' || *p == '{' || *p == '<')
			depth++;
		else if ((*p == ')' || *p == '}' || *p == '>') && depth)
			depth--;
		else if (depth || p <= from)
			continue;
		else if ((p[0] == ':' && p[1] == ':' && p[2]) || (*p == '/' && p[1]) ||
			 (*p == '.' && kind == FLAME_JIT && p[1]))
			return p;
	}
	return NULL;
}

/* From the left as little as is needed; *ret_bare is the last part, without its dots. */
static const char *drop_left(char *out, size_t cap, const char *name, u32 kind, int width,
			     const char **ret_bare)
{
	const char *part = name;

	while ((part = next_part(name, part, kind))) {
		*ret_bare = part + (*part == ':' ? 2 : 1);
		snprintf(out, cap, CUT "%s", part);
		if (width_of(out) <= width)
			return out;
		part += *part == ':';
	}
	return NULL;
}

/*
 * "liblzma.so.5.4.1+0x15bc9" as "liblzma+0x15bc9": the version says least. False: it
 * is not the name of a place in a library.
 */
static bool drop_version(char *out, size_t cap, const char *name)
{
	const char *so = strstr(name, ".so"), *plus = so ? strrchr(so, '+') : NULL;

	if (!plus || strncmp(plus, "+0x", 3) || strchr(name, ' '))
		return false;
	snprintf(out, cap, "%.*s%s", (int)(so - name), name, plus);
	return true;
}

/* Scripts have names of any form: "<regexp> /^(\w+)$/", "validate schema.js:17". */
static bool has_grammar(const char *name, u32 kind)
{
	if (kind == FLAME_INTERP || kind >= FLAME_GROUP)
		return false;
	return kind != FLAME_JIT || !strchr(name, ' ');
}

static int cut_right(char *buf, size_t cap, const char *s, int width)
{
	size_t n = 0;
	int x = 0;

	if (width_of(s) <= width) {
		snprintf(buf, cap, "%s", s);
		return width_of(s);
	}
	while (*s) {
		u32 ch = (u8)*s, len = text_decode(s, &ch);
		int w = len ? canvas_char_width(ch) : 1;

		len = len ? len : 1;
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

int flame_label(char *buf, size_t cap, const char *name, u32 kind, int width)
{
	char head[NAME_MAX_BYTES], plain[NAME_MAX_BYTES], bare[NAME_MAX_BYTES], shorter[NAME_MAX_BYTES];
	const char *best, *last = NULL, *fits;

	if (strnlen(name, sizeof(head)) == sizeof(head)) {	/* nobody sees more of it */
		snprintf(head, sizeof(head), "%s", name);
		name = head;
	}
	best = name;
	if (width_of(name) > width && kind == FLAME_UNKNOWN && drop_version(plain, sizeof(plain), name))
		return cut_right(buf, cap, plain, width);
	if (width_of(name) <= width || !has_grammar(name, kind))
		return cut_right(buf, cap, name, width);
	if (drop_brackets(plain, sizeof(plain), name, '(', ')', ""))
		best = plain;
	if (width_of(best) > width && drop_brackets(bare, sizeof(bare), best, '<', '>', "<…>"))
		best = bare;
	if (width_of(best) <= width)
		return cut_right(buf, cap, best, width);
	fits = drop_left(shorter, sizeof(shorter), best, kind, width, &last);
	/* Where even that is too long, its dots would only take more of it. */
	return cut_right(buf, cap, fits ? fits : last ? last : best, width);
}
