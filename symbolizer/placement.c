// SPDX-License-Identifier: GPL-2.0-or-later
/* placement.c: see placement.h. Encodings: Intel SDM, volume 2. */
#include <string.h>

#include "symbolizer/placement.h"

#define CODE 256	/* bytes of a function that are decoded */
#define ENDBR64 4
#define CALL 5
#define MAX_FUNCTION 65536	/* functions larger than this are not searched for calls */

#ifdef __x86_64__

static const u8 endbr64[ENDBR64] = { 0xf3, 0x0f, 0x1e, 0xfa };

static size_t read_code(struct elf_file *f, u64 offset, u8 *code)
{
	memset(code, 0, CODE);
	return elf_read(f, offset, code, CODE);
}

/* Length of a push of a register, which the kernel emulates; 0: not one. */
static u32 push_at(const u8 *p)
{
	if (p[0] >= 0x50 && p[0] <= 0x57)
		return 1;
	return p[0] == 0x41 && p[1] >= 0x50 && p[1] <= 0x57 ? 2 : 0;
}

/* Length of sub $imm,%rsp; 0: not one. */
static u32 sub_at(const u8 *p)
{
	if (p[0] != 0x48 || p[2] != 0xec)
		return 0;
	return p[1] == 0x83 ? 4 : p[1] == 0x81 ? 7 : 0;
}

static u64 target_of(u64 offset, const u8 *call)
{
	s32 distance;

	memcpy(&distance, call + 1, sizeof(distance));
	return offset + CALL + (u64)(s64)distance;
}

u64 placement_of(struct elf_file *f, u64 offset)
{
	u8 code[CODE];

	if (read_code(f, offset, code) > ENDBR64 && !memcmp(code, endbr64, ENDBR64) && push_at(code + ENDBR64))
		return offset + ENDBR64;
	return offset;
}

/* The function called before any register except the stack pointer changed; 0: none. */
static u64 called_at_once(struct elf_file *f, u64 offset)
{
	u8 code[CODE];
	u32 at = 0, n = 1;

	read_code(f, offset, code);
	if (!memcmp(code, endbr64, ENDBR64))
		at = ENDBR64;
	while (n && at < CODE / 2) {
		n = push_at(code + at) ?: sub_at(code + at);
		at += n;
	}
	return code[at] == 0xe8 ? target_of(offset + at, code + at) : 0;
}

static bool calls(struct elf_file *f, u64 offset, u64 target)
{
	u8 code[CODE];
	size_t n = read_code(f, offset, code);

	for (size_t at = 0; at + CALL <= n; at++)
		if (code[at] == 0xe8 && target_of(offset + at, code + at) == target)
			return true;
	return false;
}

/* In the same executable segment, so their distance is the same in file and memory. */
static bool same_segment(struct elf_file *f, u64 a, u64 b)
{
	struct symbolizer_segment s[8];
	u32 n = elf_exec_segments(f, s, ARRAY_SIZE(s));

	for (u32 i = 0; i < n; i++)
		if (a - s[i].offset < s[i].size && b - s[i].offset < s[i].size)
			return true;
	return false;
}

u64 placement_inner(struct elf_file *f, u64 outer, u64 other)
{
	u64 inner = outer && other ? called_at_once(f, outer) : 0;
	u8 code[CODE];

	if (!inner || !same_segment(f, outer, inner) || !calls(f, other, inner))
		return 0;
	inner = placement_of(f, inner);
	return read_code(f, inner, code) && push_at(code) ? inner : 0;
}

/* Go's stack check (cmd/internal/obj/x86, stacksplit()); large frames use R12. Length; 0: none. */
static u32 stack_check_at(const u8 *p)
{
	static const u8 small[] = { 0x49, 0x3b, 0x66, 0x10 };	/* cmp 16(%r14),%rsp */
	static const u8 large[] = { 0x4d, 0x3b, 0x66, 0x10 };	/* cmp 16(%r14),%r12 */
	u32 n = 0;

	if (!memcmp(p, "\x4c\x8d\x64\x24", 4))		/* lea imm8(%rsp),%r12 */
		n = 5;
	else if (!memcmp(p, "\x4c\x8d\xa4\x24", 4))		/* the same with imm32 */
		n = 8;
	return memcmp(p + n, n ? large : small, sizeof(small)) ? 0 : n + sizeof(small);
}

/* Length of jbe; 0: not one. */
static u32 below_at(const u8 *p)
{
	return p[0] == 0x76 ? 2 : p[0] == 0x0f && p[1] == 0x86 ? 6 : 0;
}

u64 placement_go(struct elf_file *f, u64 offset)
{
	u8 code[CODE];
	u32 at, jump;

	read_code(f, offset, code);
	at = stack_check_at(code);
	jump = at ? below_at(code + at) : 0;
	if (!jump)
		return 0;
	return offset + at + (push_at(code + at + jump) ? jump : 0);
}

u64 placement_call(struct elf_file *f, u64 offset, u64 size, u64 target)
{
	u64 found = 0;
	u8 code[CODE];

	if (size > MAX_FUNCTION)
		return 0;
	for (u64 at = 0; at + CALL <= size; at += CODE - CALL + 1) {
		size_t n = min((u64)read_code(f, offset + at, code), size - at);

		for (size_t i = 0; i + CALL <= n; i++) {
			if (code[i] != 0xe8 || target_of(offset + at + i, code + i) != target)
				continue;
			if (found)
				return 0;
			found = offset + at + i;
		}
	}
	return found;
}

#else

u64 placement_of(struct elf_file *f, u64 offset)
{
	return offset;
}

u64 placement_inner(struct elf_file *f, u64 outer, u64 other)
{
	return 0;
}

u64 placement_go(struct elf_file *f, u64 offset)
{
	return 0;
}

u64 placement_call(struct elf_file *f, u64 offset, u64 size, u64 target)
{
	return 0;
}

#endif
