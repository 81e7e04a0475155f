// SPDX-License-Identifier: GPL-2.0-or-later
/* symtab.c: see symtab.h. 16 bytes a function and its name. */
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>
#undef ARRAY_SIZE	/* libiberty.h has one too */

#include "symbolizer/symtab.h"

#define MAX_NAMES (256u << 20)
#define MAX_GAP (1u << 20)	/* a symbol without size reaches at most this far */

struct symbol {
	u64 addr;
	u32 size, name;
};

struct symtab {
	struct symbol *symbols;
	char *names;
	u32 n, cap;
	size_t names_size, names_cap;
};

static void add_symbol(void *arg, const char *name, u64 addr, u64 size)
{
	struct symtab *t = arg;
	size_t n = strlen(name) + 1;

	if (t->names_size + n > MAX_NAMES)
		return;
	if (t->names_size + n > t->names_cap) {
		t->names_cap = max(t->names_cap * 2, t->names_size + n + 4096);
		t->names = xrealloc(t->names, t->names_cap);
	}
	t->symbols = grow(t->symbols, t->n, &t->cap, sizeof(*t->symbols));
	t->symbols[t->n++] = (struct symbol){
		.addr = addr, .size = (u32)min(size, (u64)UINT32_MAX), .name = (u32)t->names_size,
	};
	memcpy(t->names + t->names_size, name, n);
	t->names_size += n;
}

/* Of several names of one address the one with a size comes last and wins; else the first. */
static int by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? 1 : -1;
	return x->name > y->name ? -1 : x->name < y->name;
}

struct symtab *symtab_read(struct elf_file *f)
{
	struct symtab *t = xcalloc(1, sizeof(*t));
	u32 n = 0;

	elf_symbols(f, add_symbol, t);
	if (t->n)
		qsort(t->symbols, t->n, sizeof(*t->symbols), by_addr);
	for (u32 i = 0; i < t->n; i++) {
		if (n && t->symbols[n - 1].addr == t->symbols[i].addr)
			n--;
		t->symbols[n++] = t->symbols[i];
	}
	t->n = n;
	return t;
}

const char *symtab_find(const struct symtab *t, u64 addr)
{
	const struct symbol *s;
	u32 lo = 0, hi = t->n;
	u64 reach;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (t->symbols[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	s = &t->symbols[lo - 1];
	reach = s->size ? s->size : MAX_GAP;
	return addr - s->addr < reach ? t->names + s->name : NULL;
}

size_t symtab_bytes(const struct symtab *t)
{
	return sizeof(*t) + t->cap * sizeof(*t->symbols) + t->names_cap;
}

u32 symtab_count(const struct symtab *t)
{
	return t->n;
}

void symtab_free(struct symtab *t)
{
	if (!t)
		return;
	free(t->symbols);
	free(t->names);
	free(t);
}

/* Legacy Rust names end in ::h and 16 hex digits: a hash that tells a person nothing. */
static void cut_rust_hash(char *s)
{
	size_t n = strlen(s);

	if (n > 19 && !strncmp(s + n - 19, "::h", 3) && strspn(s + n - 16, "0123456789abcdef") == 16)
		s[n - 19] = '\0';
}

char *symbol_demangle(const char *name)
{
	char *s = NULL;

	if (strlen(name) < 4096 && (!strncmp(name, "_Z", 2) || !strncmp(name, "_R", 2)))
		s = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
	if (!s)
		return xstrdup(name);
	cut_rust_hash(s);
	return s;
}
