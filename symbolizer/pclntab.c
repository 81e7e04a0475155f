// SPDX-License-Identifier: GPL-2.0-or-later
/* pclntab.c: see pclntab.h. The table is only read through a source, which checks offsets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/pclntab.h"

#define MAGIC_116 0xfffffffau
#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u
#define PTR 8			/* only 64-bit programs are read */
#define MAX_PCVALUE 65536	/* bytes decoded of one function's line table */
#define MAX_TABLE (1ull << 31)

struct pclntab {
	struct source names, cu, files, pc, functions;
	u64 text;
	u32 n, quantum;
	bool old;	/* 1.16: absolute addresses, not offsets */
	u32 flags;	/* index of the field with the flags */
};

/* ---- the table ---- */

/* A part of the table, from the offset in the header's word `word` to the end. */
static struct source part(const struct source *table, u32 word)
{
	u64 at = source_uint(table, 8 + word * PTR, PTR);

	return at < table->size ? source_part(table, at, table->size - at) : (struct source){ .fd = -1 };
}

struct pclntab *pclntab_of(struct source table, u64 text)
{
	u8 head[8];
	struct pclntab *t;
	u32 magic, word;
	u64 n;

	if (!source_get(&table, 0, head, sizeof(head)))
		return NULL;
	memcpy(&magic, head, 4);
	if ((magic != MAGIC_116 && magic != MAGIC_118 && magic != MAGIC_120) || head[4] || head[5] ||
	    (head[6] != 1 && head[6] != 2 && head[6] != 4) || head[7] != PTR)
		return NULL;
	n = source_uint(&table, 8, PTR);
	if (!n || n > table.size / 8 || table.size > MAX_TABLE)
		return NULL;
	word = magic == MAGIC_116 ? 2 : 3;
	t = xcalloc(1, sizeof(*t));
	*t = (struct pclntab){
		.names = part(&table, word), .cu = part(&table, word + 1),
		.files = part(&table, word + 2), .pc = part(&table, word + 3),
		.functions = part(&table, word + 4),
		.text = text, .n = (u32)n, .quantum = head[6], .old = magic == MAGIC_116,
		.flags = magic == MAGIC_120 ? 9 : 8,	/* 1.20 inserted startLine before */
	};
	return t;
}

void pclntab_free(struct pclntab *t)
{
	free(t);
}

u32 pclntab_count(const struct pclntab *t)
{
	return t->n;
}

u64 pclntab_text(const struct pclntab *t)
{
	return t->text;
}

/* Entry i of the sorted table: start of the function, and the offset of its description. */
static u64 entry(const struct pclntab *t, u32 i, u64 *ret_func)
{
	u32 field = t->old ? 8 : 4;
	u64 pair[2] = { 0, 0 };
	u32 small[2] = { 0, 0 };

	if (t->old) {
		if (!source_get(&t->functions, (u64)i * 16, pair, i == t->n ? field : 16))
			return UINT64_MAX;
	} else {
		if (!source_get(&t->functions, (u64)i * 8, small, i == t->n ? field : 8))
			return UINT64_MAX;
		pair[0] = small[0];
		pair[1] = small[1];
	}
	*ret_func = pair[1];
	return pair[0];
}

/* The description of the function that contains addr, and the offset of addr in it. */
static bool find(const struct pclntab *t, u64 addr, u64 *ret_func, u64 *ret_into)
{
	u64 func = 0, start, end, base = t->old ? 0 : t->text;
	u32 after;

	if (addr < base)
		return false;
	addr -= base;
	after = bisect(i, 0, t->n, entry(t, i, &func) <= addr);
	if (!after)
		return false;
	end = entry(t, after, &func);	/* the last entry is followed by the end address */
	start = entry(t, after - 1, &func);
	/* a hostile table may not be sorted */
	if (end == UINT64_MAX || start > addr || addr >= end)
		return false;
	/* the description repeats the start */
	if (source_uint(&t->functions, func, t->old ? 8 : 4) != start)
		return false;
	*ret_func = func;
	*ret_into = addr - start;
	return true;
}

/* Field `i` (of 4 bytes) after the entry address. */
static u32 field(const struct pclntab *t, u64 func, u32 i)
{
	return (u32)source_uint(&t->functions, func + (t->old ? 8 : 4) + 4ull * i, 4);
}

bool pclntab_find(const struct pclntab *t, u64 addr, char *buf, size_t cap)
{
	u64 func, into;

	return find(t, addr, &func, &into) &&
	       source_text(&t->names, field(t, func, 0), '\0', buf, cap);
}

void pclntab_ranges(const struct pclntab *t, const char *const *names, u32 n, struct pclntab_range *ret)
{
	u64 base = t->old ? 0 : t->text, func = 0, next = 0, start = entry(t, 0, &func), end;
	char name[64];

	memset(ret, 0, n * sizeof(*ret));
	for (u32 i = 0; i < t->n; i++, start = end, func = next) {
		end = entry(t, i + 1, &next);
		/* a hostile table may not be sorted */
		if (start >= end || end == UINT64_MAX ||
		    !source_text(&t->names, field(t, func, 0), '\0', name, sizeof(name)))
			continue;
		for (u32 k = 0; k < n; k++)
			if (!strcmp(name, names[k]))
				ret[k] = (struct pclntab_range){ base + start, end - start };
	}
}

/* ---- lines ---- */

struct varints {
	const struct source *s;
	u64 at;
	u8 buf[128];
	u32 n, i, total;
};

static u32 next_varint(struct varints *v)
{
	u32 value = 0;

	for (u32 shift = 0; shift < 35; shift += 7) {
		if (v->i == v->n) {
			v->n = (u32)source_read(v->s, v->at, v->buf, sizeof(v->buf));
			v->at += v->n;
			v->i = 0;
			v->total += v->n;
			if (!v->n || v->total > MAX_PCVALUE)
				return 0;
		}
		value |= (shift < 32 ? (u32)(v->buf[v->i] & 0x7f) << shift : 0);
		if (!(v->buf[v->i++] & 0x80))
			break;
	}
	return value;
}

/* A pc-value table: pairs of value delta (zigzag) and number of code bytes. */
static bool pc_value(const struct pclntab *t, u32 table, u64 into, s32 *ret)
{
	struct varints v = { .s = &t->pc, .at = table };
	u32 value = UINT32_MAX;		/* starts at -1 */
	u64 pc = 0;

	for (bool first = true; ; first = false) {
		u32 change = next_varint(&v);

		if (!table || (!change && !first) || !v.n || v.total > MAX_PCVALUE)
			return false;
		value += change & 1 ? ~(change >> 1) : change >> 1;
		pc += (u64)next_varint(&v) * t->quantum;
		if (into < pc) {
			*ret = (s32)value;
			return true;
		}
	}
}

bool pclntab_line(const struct pclntab *t, u64 addr, char *file, size_t cap, u32 *ret_line)
{
	u64 func, into, at;
	s32 number, line;
	u32 unit;

	/* fields: name, args, deferreturn, pcsp, pcfile, pcln, npcdata, cuOffset */
	if (!find(t, addr, &func, &into) || !pc_value(t, field(t, func, 4), into, &number) ||
	    !pc_value(t, field(t, func, 5), into, &line) || number < 0 || line <= 0)
		return false;
	unit = field(t, func, 7);
	if (unit == UINT32_MAX)
		return false;
	at = source_uint(&t->cu, ((u64)unit + (u32)number) * 4, 4);
	*ret_line = (u32)line;
	return at != UINT32_MAX && source_text(&t->files, at, '\0', file, cap);
}

/* ---- frames ---- */

#define MAX_DEPTH (1 << 30)
#define MAX_STEPS (4 * EHFRAME_MAX_ROWS)

/* internal/abi/symtab.go, FuncFlag: has no caller; writes the stack pointer; assembly */
enum { TOP_FRAME = 1, SP_WRITE = 2, ASSEMBLY = 4 };

struct frames {
	struct cfi_row *rows;
	u32 n, cap, steps;
};

static void add_frame(struct frames *r, u64 pc, struct unw_info info)
{
	if (r->n && r->rows[r->n - 1].pc == pc)
		r->n--;
	if (r->n && !memcmp(&r->rows[r->n - 1].info, &info, sizeof(info)))
		return;
	r->rows = grow(r->rows, r->n, &r->cap, sizeof(*r->rows));
	r->rows[r->n++] = (struct cfi_row){ .pc = pc, .info = info };
}

/* depth: return address - stack pointer. Since 1.7 a frame begins with the caller's rbp (amd64). */
static struct unw_info frame_of(s32 depth)
{
	if (depth < 0 || depth > MAX_DEPTH || depth % PTR)
		return (struct unw_info){ .cfa = UNW_CFA_NONE };
	return (struct unw_info){ .cfa = UNW_CFA_SP, .reg = UNW_SP_CHAIN, .cfa_off = depth + PTR,
				  .fp = depth ? UNW_FP_CFA : UNW_FP_SAME, .fp_off = depth ? -2 * PTR : 0 };
}

/* Assembly that the table cannot describe: runtime/asm_amd64.s, rt0_linux_amd64.s. */
static bool special(const struct pclntab *t, u64 func, u32 flags, struct unw_info *ret)
{
	char name[64] = "";

	if (!source_text(&t->names, field(t, func, 0), '\0', name, sizeof(name)))
		name[0] = '\0';
	if (!strncmp(name, "runtime.sigtramp", 16))	/* called by a signal */
		return false;
	if (!strncmp(name, "runtime.sigreturn", 17))
		*ret = (struct unw_info){ .cfa = UNW_CFA_SIGNAL };
	else if (flags & TOP_FRAME)	/* goexit: the apparent caller of all goroutines */
		*ret = (struct unw_info){ .cfa = UNW_CFA_END, .reg = !strncmp(name, "runtime.goexit", 14) };
	else if (!strncmp(name, "_rt0_", 5))
		*ret = (struct unw_info){ .cfa = UNW_CFA_END };
	else if (flags & SP_WRITE)
		*ret = (struct unw_info){ .cfa = UNW_CFA_NONE };
	else
		return false;
	return true;
}

/* Adds the rows of one function from its pairs of depth delta and number of code bytes. */
static u64 add_depths(const struct pclntab *t, struct frames *r, u64 func, u64 start, u64 end)
{
	struct varints v = { .s = &t->pc, .at = field(t, func, 3) };
	u32 depth = UINT32_MAX;		/* starts at -1 */
	u64 pc = start;

	for (bool first = true; v.at && pc < end && r->steps < MAX_STEPS; first = false) {
		u32 change = next_varint(&v);
		u64 bytes = (u64)next_varint(&v) * t->quantum;

		r->steps++;
		if ((!change && !first) || !v.n || v.total > MAX_PCVALUE)
			break;
		depth += change & 1 ? ~(change >> 1) : change >> 1;
		if (bytes)
			add_frame(r, t->text + pc, frame_of((s32)depth));
		pc += bytes;
	}
	return min(pc, end);
}

static void add_function(const struct pclntab *t, struct frames *r, u32 i)
{
	u64 func = 0, next = 0, start = entry(t, i, &func), end = entry(t, i + 1, &next);
	u64 last = r->n ? r->rows[r->n - 1].pc : 0;
	struct unw_info info, none = {};
	u32 flags;

	/* a hostile table may not be sorted */
	if (end == UINT64_MAX || start >= end || t->text + start < last ||
	    source_uint(&t->functions, func, 4) != start)
		return;
	flags = field(t, func, t->flags) >> 8 & 0xff;
	if (flags & (TOP_FRAME | SP_WRITE | ASSEMBLY) && special(t, func, flags, &info)) {
		/* a signal handler's return address was not called: looked up one byte before */
		bool before = info.cfa == UNW_CFA_SIGNAL && start && t->text + start - 1 > last;

		add_frame(r, t->text + start - before, info);
	} else {
		end = add_depths(t, r, func, start, end);
	}
	add_frame(r, t->text + end, none);
}

struct cfi_row *pclntab_rows(const struct pclntab *t, u32 *ret_n)
{
	struct frames r = {};

	errno = ENODATA;
	if (t->old || t->text >> 62)
		return NULL;
	for (u32 i = 0; i < t->n && r.n < EHFRAME_MAX_ROWS && r.steps < MAX_STEPS; i++)
		add_function(t, &r, i);
	if (r.n >= EHFRAME_MAX_ROWS || r.steps >= MAX_STEPS) {
		free(r.rows);
		errno = EFBIG;
		return NULL;
	}
	*ret_n = r.n;
	return r.rows;
}
