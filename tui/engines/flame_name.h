/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flame_name.h: the parts of a function's name, between flame_name.c (which finds
 * them) and flame_label.c (which chooses those that fit).
 */
#ifndef OTTOP_FLAME_NAME_H
#define OTTOP_FLAME_NAME_H

#include "tui/engines/flame.h"

enum name_part {
	PART_REAL,
	PART_QUALIFIED,	/* "<T as Trait>" */
	PART_CLOSURE,	/* "{{closure}}", "{lambda(int)#1}", "func1": nothing without what it is in */
	PART_NOISE,	/* "(anonymous namespace)" */
};

enum name_form {
	FORM_WHOLE,
	FORM_SHORT,	/* "vector<…>", "<Vec as Iterator>", "{closure}" */
	FORM_BARE,	/* "vector", "Vec", "{…}" */
};

struct name_piece {
	const char *s, *end;
	char sep;	/* what stands before it: ':' (for "::"), '.', '/', 0: nothing */
	u8 kind;	/* enum name_part */
	bool again;	/* a closure in a closure */
};

struct flame_name {
	struct name_piece parts[32];	/* the last ones */
	u32 n;
};

/* A short text that is being put together; what does not fit is left out. */
struct flame_text {
	char s[1024];
	size_t n;
	u32 nested;
};

/* Does each bracket close? Else nothing is known of the name. */
bool flame_name_is_balanced(const char *name);
/*
 * Where the name itself starts (behind the type that is returned), where its
 * arguments or the mark of a compiler's copy start, and its end.
 */
void flame_name_core(const char *name, const char **ret_start, const char **ret_args, const char **ret_end);
/* The parts of what is between start and end. */
void flame_name_split(struct flame_name *n, const char *start, const char *end, u32 kind);
/* Appends one part. */
void flame_name_part(struct flame_text *t, const struct name_piece *part, enum name_form form);
/* Behind the character, the bracket (with all in it) or the operator at s. */
const char *flame_name_past(const char *name, const char *s, const char *end);

#endif
