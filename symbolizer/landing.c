// SPDX-License-Identifier: GPL-2.0-or-later
/* landing.c: see landing.h. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/landing.h"

#define MAX_STEPS 256	/* code bytes from the restoring of registers to the jump */
#define REG_CX 2

/* mov of 64 bits, [rbp+disp32] to a register */
static bool is_load(const u8 *code)
{
	return (code[0] & 0xfb) == 0x48 && code[1] == 0x8b && (code[2] & 0xc7) == 0x85;
}

/*
 * gcc compiles uw_install_context() to: call uw_install_context_1; then, for
 * _Unwind_DebugHook(context.cfa, context.ra), mov rsi,[rbp+ra] (gcc 14: to r9 first) and mov
 * rdi,[rbp+cfa], which is the word before. False: other code.
 */
static bool is_install(const u8 *code, s32 *ret_context)
{
	s32 cfa, ra;

	if (code[0] != 0xe8 || !is_load(code + 5) || !is_load(code + 12))
		return false;
	memcpy(&ra, code + 8, sizeof(ra));
	memcpy(&cfa, code + 15, sizeof(cfa));
	*ret_context = (s32)((u32)cfa - UNW_CONTEXT_CFA);
	return (u32)ra - (u32)cfa == 8 && cfa < 0 && *ret_context < 0;
}

#define INSTALL_BYTES 19

/* The last such code before pc; 0: none. */
static u64 find_install(const struct source *text, u64 text_addr, u64 pc, s32 *ret_context)
{
	u64 from = pc - min(pc - text_addr, (u64)MAX_STEPS);
	u8 code[MAX_STEPS];
	size_t n = source_read(text, from - text_addr, code, (size_t)(pc - from));

	while (n-- > INSTALL_BYTES)
		if (is_install(code + n - INSTALL_BYTES, ret_context))
			return from + n - INSTALL_BYTES;
	return 0;
}

/* rcx becomes the stack pointer, after a row based on the frame pointer. */
static bool is_jump(const struct cfi_row *rows, u32 i)
{
	const struct unw_info *info = &rows[i].info;

	return i && info->lands && info->cfa == UNW_CFA_REG && info->reg == REG_CX &&
	       rows[i - 1].info.cfa == UNW_CFA_FP;
}

static u32 count_jumps(const struct cfi_row *rows, u32 n)
{
	u32 jumps = 0;

	for (u32 i = 0; i < n; i++)
		jumps += is_jump(rows, i);
	return jumps;
}

struct cfi_row *landing_mark(struct elf_file *f, struct cfi_row *rows, u32 *n)
{
	u32 jumps = count_jumps(rows, *n), out = 0;
	struct cfi_row *all;
	struct source text;
	u64 text_addr;

	if (!jumps || !elf_section_source(f, ".text", &text, &text_addr))
		return rows;
	all = xcalloc((size_t)*n + jumps, sizeof(*all));
	for (u32 i = 0; i < *n; i++) {
		s32 context = 0;
		u64 pc = rows[i].pc > text_addr && is_jump(rows, i) ?
			find_install(&text, text_addr, rows[i].pc, &context) : 0;

		if (pc && pc > rows[i - 1].pc)
			all[out++] = (struct cfi_row){ .pc = pc, .info = {
				.cfa = UNW_CFA_LANDING, .cfa_off = context } };
		all[out++] = rows[i];
	}
	free(rows);
	*n = out;
	return all;
}
