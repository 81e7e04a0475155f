// SPDX-License-Identifier: GPL-2.0-or-later
/* symtab.c: see symtab.h. */
#include <elf.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>
#undef ARRAY_SIZE	/* also defined by libiberty.h */

#include "symbolizer/symbolizer.h"
#include "symbolizer/symtab.h"

#define DEMANGLED_MAX (32u << 10)	/* longer names are shown mangled */
#define MAX_DEPTH 4096		/* of nesting in a name: about 2 MB of stack */
#define MAX_SYMBOLS (4u << 20)
#define MAX_GAP (64u << 10)	/* maximum extent of a symbol without size */
#define MAX_OVERLAP 8		/* nested functions searched */
#define CHUNK 1024		/* symbols read at once */

/* Of several names of one address the highest rank is shown. */
enum { RANK_LOCAL, RANK_WEAK, RANK_GLOBAL };

struct symbol {
	u32 addr;		/* relative to the table's base */
	u32 size;
	u32 name;
};

struct symtab {
	struct symbol *symbols;
	struct source names;
	u64 base;
	u32 n, cap;
};

/* A symbol as read; the table keeps only part of it. */
struct raw {
	u64 addr, end;
	u32 name, rank;
};

struct raws {
	struct raw *all;
	u32 n, cap;
};

static u32 rank_of(const Elf64_Sym *sym)
{
	u8 bind = ELF64_ST_BIND(sym->st_info);

	return bind == STB_GLOBAL ? RANK_GLOBAL : bind == STB_WEAK ? RANK_WEAK : RANK_LOCAL;
}

static void take_symbol(struct raws *r, struct elf_file *f, const Elf64_Sym *sym, bool dynamic)
{
	u8 type = ELF64_ST_TYPE(sym->st_info);
	u64 end = sym->st_value + sym->st_size;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym->st_shndx == SHN_UNDEF ||
	    !sym->st_value || end < sym->st_value)
		return;
	if (!sym->st_size) {
		/* unexported functions may follow: without size the end is unknown */
		if (dynamic)
			return;
		end = elf_section_end(f, sym->st_shndx);
		if (end <= sym->st_value || end - sym->st_value > MAX_GAP)
			end = sym->st_value + MAX_GAP;
	}
	r->all = grow(r->all, r->n, &r->cap, sizeof(*r->all));
	/* no size: the lowest rank, whatever its binding */
	r->all[r->n++] = (struct raw){ sym->st_value, end, sym->st_name,
				       sym->st_size ? 1 + rank_of(sym) : 0 };
}

static void read_symbols(struct raws *r, struct elf_file *f, const struct source *s, bool dynamic)
{
	Elf64_Sym *chunk = xmalloc(CHUNK * sizeof(*chunk));
	size_t n;

	for (u64 at = 0; r->n < MAX_SYMBOLS; at += CHUNK * sizeof(*chunk)) {
		n = source_read(s, at, chunk, CHUNK * sizeof(*chunk)) / sizeof(*chunk);
		for (size_t i = 0; i < n; i++)
			take_symbol(r, f, &chunk[i], dynamic);
		if (n < CHUNK)
			break;
	}
	free(chunk);
}

static int by_addr(const void *a, const void *b)
{
	const struct raw *x = a, *y = b;

	return cmp(x->addr, y->addr) ?: cmp(x->rank, y->rank) ?: cmp(y->name, x->name);
}

/* Number of leading underscores: of two aliases the one with fewer is better known. */
static u32 underscores(const struct symtab *t, u32 name)
{
	char text[8] = "";
	u32 n = 0;

	source_read(&t->names, name, text, sizeof(text));
	while (n < sizeof(text) && text[n] == '_')
		n++;
	return n;
}

/* Selects the alias to show of all[from..to); those with a size come last. */
static u32 best_alias(const struct symtab *t, const struct raw *all, u32 from, u32 to)
{
	u32 best = to - 1, least;

	if (to - from == 1 || !all[best].rank)
		return best;
	least = underscores(t, all[best].name);
	for (u32 i = best; i-- > from && best - i < 8 && all[i].rank > 1 && least; ) {
		u32 n = underscores(t, all[i].name);

		if (n < least) {
			least = n;
			best = i;
		}
	}
	return best;
}

static void add_symbol(struct symtab *t, const struct raw *r, u64 next)
{
	u64 end = r->rank ? r->end : min(r->end, next);

	if (r->addr - t->base > UINT32_MAX)
		return;
	t->symbols = grow(t->symbols, t->n, &t->cap, sizeof(*t->symbols));
	t->symbols[t->n++] = (struct symbol){
		.addr = (u32)(r->addr - t->base), .name = r->name,
		.size = (u32)min(end - r->addr, (u64)UINT32_MAX),
	};
}

struct symtab *symtab_read(struct elf_file *f, bool dynamic)
{
	struct elf_symbols from;
	struct raws r = {};
	struct symtab *t;

	if (!elf_symbols(f, dynamic, &from))
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->names = from.names;
	read_symbols(&r, f, &from.symbols, dynamic);
	if (r.n)
		qsort(r.all, r.n, sizeof(*r.all), by_addr);
	t->base = r.n ? r.all[0].addr : 0;
	for (u32 i = 0, k; i < r.n; i = k) {
		for (k = i + 1; k < r.n && r.all[k].addr == r.all[i].addr; k++)
			;
		add_symbol(t, &r.all[best_alias(t, r.all, i, k)], k < r.n ? r.all[k].addr : UINT64_MAX);
	}
	free(r.all);
	if (t->n)
		t->symbols = xrealloc(t->symbols, t->n * sizeof(*t->symbols));
	t->cap = t->n;
	return t;
}

bool symtab_find(const struct symtab *t, u64 addr, char *buf, size_t cap)
{
	u32 at;

	if (addr < t->base || addr - t->base > UINT32_MAX)
		return false;
	addr -= t->base;
	at = bisect(i, 0, t->n, t->symbols[i].addr <= addr);
	/* the last one that starts before it, or one that encloses that */
	for (u32 i = 0; at-- > 0 && i < MAX_OVERLAP; i++)
		if (addr - t->symbols[at].addr < t->symbols[at].size)
			return source_text(&t->names, t->symbols[at].name, '\0', buf, cap);
	return false;
}

size_t symtab_bytes(const struct symtab *t)
{
	return sizeof(*t) + t->cap * sizeof(*t->symbols);
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
	free(t);
}

/* Legacy Rust names end in ::h and a hash of 16 hex digits, which is cut. */
static void cut_rust_hash(char *s)
{
	size_t n = strlen(s);

	if (n > 19 && !strncmp(s + n - 19, "::h", 3) && strspn(s + n - 16, "0123456789abcdef") == 16)
		s[n - 19] = '\0';
}

/* "_RNv...", or "_R" with an encoding number: then the tag of a path (RFC 2603). */
static bool is_rust_v0(const char *name)
{
	size_t digits = strncmp(name, "_R", 2) ? 0 : strspn(name + 2, "0123456789");

	return !strncmp(name, "_R", 2) && name[2 + digits] && strchr("CMXYNIB", name[2 + digits]);
}

/* The hash ends the name; it may be followed by a version or ".llvm.123" (a clone). */
bool symbol_is_rust(const char *name)
{
	if (strncmp(name, "_ZN", 3))
		return is_rust_v0(name);
	for (const char *s = name; (s = strstr(s, "17h")); s++)
		if (strspn(s + 3, "0123456789abcdef") == 16 && s[19] == 'E' && (!s[20] || s[20] == '.' || s[20] == '@'))
			return true;
	return false;
}

/* Output of a demangler; longjmp() aborts it beyond DEMANGLED_MAX. */
struct demangled {
	char *s;
	size_t n;
	jmp_buf too_much;
};

/*
 * A name of 300 bytes may expand to gigabytes: each substitution (C++) or back reference (Rust) can
 * name the previous one twice. libiberty's callback demanglers use no heap, so they can be left by
 * longjmp().
 */
static void take_part(const char *part, size_t n, void *arg)
{
	struct demangled *d = arg;

	if (d->n + n >= DEMANGLED_MAX)
		longjmp(d->too_much, 1);
	memcpy(d->s + d->n, part, n);
	d->n += n;
}

/* Upper bound of the nesting of a name: its characters outside of identifiers ("3foo"). */
static size_t most_depth(const char *name)
{
	size_t n = 0;

	while (*name) {
		char *end;
		unsigned long len = *name >= '0' && *name <= '9' ? strtoul(name, &end, 10) : 0;

		if (len && len <= strlen(end)) {
			name = end + len;
		} else {
			name++;
			n++;
		}
	}
	return n;
}

/* libiberty rejects names longer than 1 kB, lest recursion overflow the stack. */
static int options_for(const char *name)
{
	return DMGL_PARAMS | DMGL_ANSI | (most_depth(name) < MAX_DEPTH ? DMGL_NO_RECURSE_LIMIT : 0);
}

/* 0, or the reason for failure: SYMBOLIZER_LONG, ... */
static u8 demangle(struct demangled *d, const char *name, int options)
{
	if (setjmp(d->too_much))
		return SYMBOLIZER_LONG;
	if (rust_demangle_callback(name, options, take_part, d) ||
	    (d->n = 0, cplus_demangle_v3_callback(name, options, take_part, d)))
		return 0;
	if (strlen(name) + 1 >= SYMBOL_NAME_MAX)
		return SYMBOLIZER_LONG;
	return options & DMGL_NO_RECURSE_LIMIT ? SYMBOLIZER_ODD : SYMBOLIZER_DEEP;
}

/* The result is preceded by one free byte. */
static char *demangled(const char *name, u8 *ret_why)
{
	size_t n = name[0] == '@' ? strlen(name) : strcspn(name, "@");	/* memcpy@@GLIBC_2.14 */
	char *plain = xmalloc(n + 2);
	struct demangled d = { .n = 0 };

	memcpy(plain + 1, name, n);
	plain[n + 1] = '\0';
	*ret_why = 0;
	if (strncmp(plain + 1, "_Z", 2) && !is_rust_v0(plain + 1))
		return plain;
	d.s = xmalloc(1 + DEMANGLED_MAX);
	d.s++;
	*ret_why = demangle(&d, plain + 1, options_for(plain + 1));
	if (*ret_why) {
		free(d.s - 1);
		return plain;
	}
	free(plain);
	d.s[d.n] = '\0';
	cut_rust_hash(d.s);
	return xrealloc(d.s - 1, d.n + 2);
}

char *symbol_marked(const char *name)
{
	u8 marks;
	char *s = demangled(name, &marks);

	marks |= symbol_is_rust(name) ? SYMBOLIZER_RUST : 0;
	s[0] = (char)marks;
	return marks ? s : memmove(s, s + 1, strlen(s + 1) + 1);
}

char *symbol_demangle(const char *name)
{
	u8 why;
	char *s = demangled(name, &why);

	return memmove(s, s + 1, strlen(s + 1) + 1);
}
