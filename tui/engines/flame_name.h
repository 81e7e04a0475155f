/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flame_name.h: parts of a function's name, found by flame_name.c, selected by flame_label.c. */
#pragma once

#include "tui/engines/flame.h"

enum name_part {
	PART_REAL,
	PART_QUALIFIED,	/* "<T as Trait>" */
	PART_CLOSURE,	/* "{{closure}}", "{lambda(int)#1}", "func1": needs its parent */
	PART_NOISE,	/* "(anonymous namespace)" */
};

enum name_form {
	FORM_WHOLE,
	FORM_SHORT,	/* "vector<…>", "<Vec as Iterator>", "{closure}" */
	FORM_BARE,	/* "vector", "Vec", "{…}" */
};

struct name_piece {
	const char *s, *end;
	char sep;	/* separator before it: ':' (for "::"), '.', '/', 0: none */
	u8 kind;	/* enum name_part */
	bool again;	/* a closure within a closure */
};

struct flame_name {
	struct name_piece parts[32];	/* the innermost ones */
	u32 n;
};

/* A text being composed; what does not fit is dropped. */
struct flame_text {
	char s[1024];
	size_t n;
	u32 nested;
};

/* Whether all brackets close; otherwise the name is not parsed. */
bool flame_name_is_balanced(const char *name);
/* Finds a name's start (after the return type), its arguments or clone suffix, and its end. */
void flame_name_core(const char *name, const char **ret_start, const char **ret_args, const char **ret_end);
/* Splits the range from start to end. */
void flame_name_split(struct flame_name *n, const char *start, const char *end, u32 kind);
/* Appends one part. */
void flame_name_part(struct flame_text *t, const struct name_piece *part, enum name_form form);
/* The position after the character, bracketed group or operator at s. */
const char *flame_name_past(const char *name, const char *s, const char *end);
