// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_name.c: the parts of a function's name, as C++, Rust, Go, Java and .NET
 * write it. Nothing is copied: parts point into the name, which may be very long.
 */
#include <ctype.h>
#include <string.h>

#include "tui/engines/flame_name.h"

/* ---- brackets --------------------------------------------------------------------- */

static bool in_word(char c)
{
	return c == '_' || c == '$' || isalnum((u8)c);
}

/* The end of "operator<", "operator->", "operator()" that starts at s, or s. */
static const char *skip_operator(const char *name, const char *s)
{
	if (strncmp(s, "operator", 8) || (s > name && in_word(s[-1])))
		return s;
	s += 8;
	if (!strncmp(s, "()", 2))
		return s + 2;
	return s + strspn(s, "<>=-!&|+*/%^~,");
}

static bool opens(char c)
{
	return c == '<' || c == '(' || c == '[' || c == '{';
}

static bool closes(const char *name, const char *s)
{
	return *s == ')' || *s == ']' || *s == '}' ||
	       (*s == '>' && (s == name || (s[-1] != '-' && s[-1] != '=')));	/* "->" of a function type */
}

/* Behind the bracket that opens at s, at most end; NULL: it does not close. */
static const char *closing(const char *s, const char *end)
{
	const char *name = s;
	int depth = 0;

	while (s < end) {
		const char *op = skip_operator(name, s);

		if (op > s) {
			s = op;
			continue;
		}
		if (opens(*s))
			depth++;
		else if (closes(name, s) && !--depth)
			return s + 1;
		s++;
	}
	return NULL;
}

bool flame_name_is_balanced(const char *name)
{
	int depth = 0;

	for (const char *s = name; *s && depth >= 0;) {
		const char *op = skip_operator(name, s);

		if (op == s) {
			depth += opens(*s) ? 1 : closes(name, s) ? -1 : 0;
			op++;
		}
		s = op;
	}
	return !depth;
}

const char *flame_name_past(const char *name, const char *s, const char *end)
{
	const char *op = skip_operator(name, s), *close;

	if (op > s)
		return min(op, end);
	if (opens(*s) && (close = closing(s, end)))
		return close;
	return s + 1;
}

static bool starts(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && !strncmp(s, with, n);
}

/* ---- arguments and the type that is returned ------------------------------------------- */

/* Is this '(' the start of arguments, not part of the name? */
static bool opens_arguments(const char *s, const char *end)
{
	return !starts(s, end, "(anonymous") && !starts(s, end, "(*") && !starts(s, end, "({");
}

/* What compilers append to the name of a copy: "foo.constprop.0", "foo.llvm.123", "foo.cold". */
static const char *clone_suffix(const char *s, const char *end)
{
	static const char *const suffixes[] = { ".constprop.", ".isra.", ".part.", ".cold", ".llvm.",
						".lto_priv.", ".localalias" };

	for (const char *p = s; p < end; p++)
		for (u32 i = 0; *p == '.' && i < ARRAY_SIZE(suffixes); i++)
			if (starts(p, end, suffixes[i]))
				return p;
	return end;
}

/* A space that divides the returned type from the name. */
static bool divides(const char *s, const char *end)
{
	return *s == ' ' && !starts(s, end, " const") && s + 1 < end && s[1] != '<' && s[1] != '[' &&
	       (s[1] != '(' || starts(s, end, " (anonymous"));
}

void flame_name_core(const char *name, const char **ret_start, const char **ret_args, const char **ret_end)
{
	const char *end = name + strlen(name), *start = name, *space = name, *args = NULL;

	for (const char *s = name; s < end;) {
		const char *op = skip_operator(name, s);

		if (op > s) {	/* "operator new", "operator unsigned long": its spaces are its own */
			if (*op == ' ' && op[1] != '<')
				op += strcspn(op, "(<");
			s = op;
			continue;
		}
		if (*s == '(' && opens_arguments(s, end)) {
			args = s;
			start = space;
		} else if (divides(s, end)) {
			space = s + 1;
		}
		s = flame_name_past(name, s, end);
	}
	*ret_start = args ? start : name;
	*ret_end = end;
	*ret_args = args && args > *ret_start ? args : clone_suffix(*ret_start, end);
}

/* ---- parts ------------------------------------------------------------------------- */

/* Between the packages and names of Go and of what is made at run time there are dots. */
static bool has_dots(u32 kind)
{
	return kind == FLAME_USER || kind == FLAME_JIT || kind == FLAME_LIBRARY;
}

static int separator(const char *s, const char *end, bool dots)
{
	if (s + 2 < end && s[0] == ':' && s[1] == ':')
		return 2;
	return s + 1 < end && (*s == '/' || (dots && *s == '.')) ? 1 : 0;
}

static bool only_digits(const char *s, const char *end)
{
	while (s < end && isdigit((u8)*s))
		s++;
	return s == end;
}

/* Names that Go makes: "func1", "gowrap2", "deferwrap1", "1", "2-range3". */
static bool is_made_up(const char *s, const char *end)
{
	static const char *const stems[] = { "func", "gowrap", "deferwrap", "-range", "" };

	for (u32 i = 0; i < ARRAY_SIZE(stems); i++)
		if (starts(s, end, stems[i]) && end > s + strlen(stems[i]) &&
		    only_digits(s + strlen(stems[i]), end))
			return true;
	return false;
}

static enum name_part kind_of(const struct flame_name *n, const char *s, const char *end, char sep)
{
	bool after_closure = n->n && n->parts[n->n - 1].kind == PART_CLOSURE;

	if (*s == '{')
		return PART_CLOSURE;
	if (*s == '<')
		return PART_QUALIFIED;
	if (starts(s, end, "(anonymous"))
		return PART_NOISE;
	if (after_closure && starts(s, end, "operator()"))
		return PART_CLOSURE;
	return sep == '.' && n->n && is_made_up(s, end) ? PART_CLOSURE : PART_REAL;
}

static void add_part(struct flame_name *n, const char *s, const char *end, char sep)
{
	struct name_piece part = { .s = s, .end = end, .sep = sep, .kind = (u8)kind_of(n, s, end, sep) };
	struct name_piece *last = n->n ? &n->parts[n->n - 1] : NULL;

	/* "collect::<Vec<u8>>": what it was made for belongs to the name. */
	if (last && *s == '<' && sep == ':' && !starts(s, end, "<impl ")) {
		last->end = end;
		return;
	}
	/* "{closure#0}::{closure#1}": which one it is nobody can tell. */
	part.again = last && last->kind == PART_CLOSURE && part.kind == PART_CLOSURE;
	if (n->n == ARRAY_SIZE(n->parts)) {	/* the outermost say least */
		memmove(n->parts, n->parts + 1, sizeof(n->parts) - sizeof(n->parts[0]));
		n->n--;
	}
	n->parts[n->n++] = part;
}

void flame_name_split(struct flame_name *n, const char *start, const char *end, u32 kind)
{
	const char *slash = start, *from = start;
	char sep = 0;

	n->n = 0;
	for (const char *s = start; s < end; s = flame_name_past(start, s, end))
		if (*s == '/')
			slash = s;
	for (const char *s = start; s < end;) {
		int len = separator(s, end, has_dots(kind) && s >= slash);

		if (!len || s == from) {
			s = flame_name_past(start, s, end);
			continue;
		}
		add_part(n, from, s, sep);
		sep = *s;
		from = s += len;
	}
	if (from < end)
		add_part(n, from, end, sep);
}

/* ---- what stays of a type ------------------------------------------------------------------ */

static const char *skip_sigils(const char *s, const char *end)
{
	static const char *const sigils[] = { "&", "*const ", "*mut ", "mut ", " " };
	bool any;

	do {
		any = false;
		if (*s == '\'' && memchr(s, ' ', (size_t)(end - s)))	/* a lifetime */
			s = (const char *)memchr(s, ' ', (size_t)(end - s)) + 1;
		for (u32 i = 0; i < ARRAY_SIZE(sigils); i++) {
			if (!starts(s, end, sigils[i]))
				continue;
			s += strlen(sigils[i]);
			any = true;
		}
	} while (any && s < end);
	return s;
}

/* The place of `word` at the top level between s and end, or NULL. */
static const char *find_word(const char *s, const char *end, const char *word)
{
	for (const char *p = s; p < end; p = flame_name_past(s, p, end))
		if (starts(p, end, word))
			return p;
	return NULL;
}

static void put(struct flame_text *t, const char *s, const char *end)
{
	size_t n = min((size_t)(end - s), sizeof(t->s) - 1 - t->n);

	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

static void puts_to(struct flame_text *t, const char *s)
{
	put(t, s, s + strlen(s));
}

static void put_qualified(struct flame_text *t, const char *s, const char *end, enum name_form form);

#define NESTED_MAX 8	/* types in types of which the last name is looked for */

/* "alloc::vec::Vec<u8>" as "Vec", "main::{{closure}}" as "main::{closure}". */
static void put_last_name(struct flame_text *t, const char *s, const char *end)
{
	const char *from = s, *before = NULL, *p, *plus;

	s = from = skip_sigils(s, end);
	if (starts(s, end, "dyn ") || starts(s, end, "impl ")) {
		p = memchr(s, ' ', (size_t)(end - s));
		put(t, s, p + 1);
		s = from = p + 1;
		plus = find_word(s, end, " + ");
		plus = plus ? plus : find_word(s, end, "+");
		end = plus ? plus : end;
	}
	for (p = s; p < end; p = flame_name_past(s, p, end))
		if (p > s && p[0] == ':' && p[1] == ':' && p + 2 < end && p[2] != '<') {
			before = from;
			from = ++p + 1;
		}
	if (*from == '{' && before) {
		put_last_name(t, s, from - 2);
		puts_to(t, "::{closure}");
		return;
	}
	if (from == s && *s == '<' && closing(s, end)) {
		if (t->nested++ < NESTED_MAX)
			put_qualified(t, s, end, FORM_BARE);
		t->nested--;
		return;
	}
	if (*from == '(' && end - from > 2) {	/* a tuple */
		puts_to(t, "(…)");
		return;
	}
	if (*from == '[' && end - from > 12) {
		puts_to(t, "[…]");
		return;
	}
	for (p = from; p < end && *p != '<' && !(p[0] == ':' && p[1] == ':'); p++)
		;
	put(t, from, p);
}

/* "F", "&mut I": a parameter of what was compiled says nothing. */
static bool is_parameter(const char *s, const char *end)
{
	s = skip_sigils(s, end);
	return end - s == 1 && isupper((u8)*s);
}

/* "<T as Trait>", "<impl Trait for T>", "<impl [T]>", "<Vec<T>>". */
static void put_qualified(struct flame_text *t, const char *s, const char *end, enum name_form form)
{
	const char *close = closing(s, end), *inner = s + 1, *stop = close ? close - 1 : end;
	const char *as = find_word(inner, stop, " as "), *type_end = as ? as : stop;
	const char *trait = as ? as + 4 : NULL, *trait_end = stop, *with;

	if (starts(inner, stop, "impl ")) {
		inner += 5;
		with = find_word(inner, stop, " for ");
		trait = with ? inner : NULL;
		trait_end = with ? with : stop;
		inner = with ? with + 5 : inner;
		type_end = stop;
	}
	if (trait && form == FORM_BARE && is_parameter(inner, type_end)) {
		put_last_name(t, trait, trait_end);
	} else if (trait && form != FORM_BARE) {
		puts_to(t, "<");
		put_last_name(t, inner, type_end);
		puts_to(t, " as ");
		put_last_name(t, trait, trait_end);
		puts_to(t, ">");
	} else {
		put_last_name(t, inner, type_end);
	}
}

static void put_closure(struct flame_text *t, const struct name_piece *part, enum name_form form)
{
	const char *s = part->s + strspn(part->s, "{"), *stop = s;

	if (*part->s != '{') {	/* Go's "func1" */
		put(t, part->s, part->end);
		return;
	}
	if (form == FORM_BARE) {
		puts_to(t, "{…}");
		return;
	}
	while (stop < part->end && isalpha((u8)*stop))
		stop++;
	puts_to(t, "{");
	put(t, s, stop);
	puts_to(t, "}");
}

/* A real name, with what it was made for as "<…>" or without. */
static void put_real(struct flame_text *t, const struct name_piece *part, enum name_form form)
{
	bool drops = starts(part->s, part->end, "drop_in_place");
	const char *end;

	if (form == FORM_BARE && starts(part->s, part->end, "(*")) {	/* Go's receiver */
		for (end = part->s + 2; end < part->end && *end != ')' && *end != '['; end++)
			;
		put(t, part->s + 2, end);
		return;
	}
	for (const char *s = part->s; s < part->end;) {
		const char *past = flame_name_past(part->s, s, part->end);
		bool bracket = opens(*s) && past > s + 1, turbofish = starts(s, part->end, "::<");

		if (bracket && s > part->s) {
			if (*s == '<' && drops) {
				puts_to(t, "<");
				put_last_name(t, s + 1, past - 1);
				puts_to(t, ">");
			} else if (*s == '<' && s[-1] != ':' && form != FORM_BARE) {
				puts_to(t, "<…>");
			} else if (*s == '[' && form != FORM_BARE && !starts(s, part->end, "[abi:")) {
				puts_to(t, "[…]");
			}
		} else if (turbofish) {
			past = s + 2;
		} else if (starts(s, part->end, " const") || (*s == ';' && past == part->end)) {
			break;
		} else if (*s != ' ' || s + 1 >= part->end || s[1] != '<' || form != FORM_BARE) {
			put(t, s, past);
		}
		s = past;
	}
}

void flame_name_part(struct flame_text *t, const struct name_piece *part, enum name_form form)
{
	if (form == FORM_WHOLE || part->kind == PART_NOISE)
		put(t, part->s, part->end);
	else if (part->kind == PART_CLOSURE)
		put_closure(t, part, form);
	else if (part->kind == PART_QUALIFIED)
		put_qualified(t, part->s, part->end, form);
	else
		put_real(t, part, form);
}
