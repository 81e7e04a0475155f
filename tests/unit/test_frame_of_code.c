// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_frame_of_code.c: what machine code made at run time says of its frame, at each of its instructions
 * (bpf/stacks/walk.h): whole functions as HotSpot wrote them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"
#include "symbolizer/unwind.h"

#ifdef __x86_64__

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

static const u8 *memory;
static u32 n_memory;
#define MEMORY_AT 0x10000u

static __always_inline const struct arena_line *arena_line(u32 line)
{
	return NULL;
}

static __always_inline const struct unw_info *unwind_rule(u32 number)
{
	return NULL;
}

#include "bpf/stacks/walk.h"

static __always_inline bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr)
{
	u64 at = addr - MEMORY_AT;

	(void)c;
	if (at > n_memory || n > n_memory - at)
		return false;
	memcpy(to, memory + at, n);
	return true;
}

#define IN (-1)		/* within: the code does not say */

/* An instruction, and how far the return address is above the stack pointer before it. */
struct instruction {
	int above;
	const char *bytes;
	u32 n;
};
#define I(above, bytes) { above, bytes, sizeof(bytes) - 1 }

static const struct instruction jdk25_below[] = {
	I(0, "\x89\x84\x24\x00\xc0\xfe\xff"),		/* mov [rsp-0x14000], eax */
	I(0, "\x55"),					/* push rbp */
	I(8, "\x48\x83\xec\x10"),			/* sub rsp, 0x10 */
	I(IN, "\x41\x81\x7f\x20\x01\x00\x00\x00"),	/* cmp dword [r15+0x20], 1 */
	I(IN, "\x0f\x85\x49\x00\x00\x00"),		/* jne */
	I(IN, "\xff\xc6"),				/* inc esi */
	I(IN, "\x66\x66\x90"),
	I(IN, "\xe8\xdc\xfc\xff\xff"),			/* call */
	I(IN, "\x0f\x1f\x84\x00\x1c\x01\x00\x00"),
	I(IN, "\x48\x83\xf0\x05"),			/* xor rax, 5 */
	I(IN, "\x48\x83\xc4\x10"),			/* add rsp, 0x10 */
	I(8, "\x5d"),					/* pop rbp */
	I(0, "\x49\x3b\x67\x28"),			/* cmp rsp, [r15+0x28] */
	I(0, "\x0f\x87\x0e\x00\x00\x00"),		/* ja */
	I(0, "\xc3"),
};

static const struct instruction jdk17_below[] = {
	I(0, "\x89\x84\x24\x00\xc0\xfe\xff"),
	I(0, "\x55"),
	I(8, "\x48\x83\xec\x10"),
	I(IN, "\xff\xc6"),
	I(IN, "\x90"),
	I(IN, "\xe8\x8c\xfb\xff\xff"),
	I(IN, "\x48\x83\xf0\x05"),
	I(IN, "\x48\x83\xc4\x10"),
	I(8, "\x5d"),
	I(0, "\x49\x3b\xa7\x40\x03\x00\x00"),		/* cmp rsp, [r15+0x340] */
	I(0, "\x0f\x87\x0e\x00\x00\x00"),
	I(0, "\xc3"),
};

/* A leaf function without stack space. */
static const struct instruction jdk25_tiny[] = {
	I(0, "\x48\x81\xec\x18\x00\x00\x00"),		/* sub rsp, 0x18 */
	I(IN, "\x48\x89\x6c\x24\x10"),			/* mov [rsp+0x10], rbp */
	I(IN, "\x41\x81\x7f\x20\x01\x00\x00\x00"),
	I(IN, "\x0f\x85\x2a\x00\x00\x00"),
	I(IN, "\x8d\x44\x76\x01"),			/* lea eax, [rsi+rsi*2+1] */
	I(IN, "\x48\x83\xc4\x10"),
	I(8, "\x5d"),
	I(0, "\x49\x3b\x67\x28"),
	I(0, "\x0f\x87\x01\x00\x00\x00"),
	I(0, "\xc3"),
};

/* With -XX:+PreserveFramePointer. */
static const struct instruction framed[] = {
	I(0, "\x55"),
	I(8, "\x48\x8b\xec"),				/* mov rbp, rsp */
	I(IN, "\x48\x83\xec\x10"),
	I(IN, "\xe8\x8c\xfb\xff\xff"),
	I(IN, "\x48\x83\xc4\x10"),
	I(8, "\x5d"),
	I(0, "\x49\x3b\xa7\x40\x03\x00\x00"),
	I(0, "\x0f\x87\x0e\x00\x00\x00"),
	I(0, "\xc3"),
};

static void check(const char *name, const struct instruction *code, u32 n)
{
	static struct walk w;
	struct walk_ctx c = { .w = &w };
	static u8 all[256];		/* "memory" points to it */
	u32 at = 1;

	memset(all, 0, sizeof(all));
	all[0] = 0xf4;			/* hlt before it, as between functions */

	for (u32 i = 0; i < n; i++) {
		assert_true(at + code[i].n < sizeof(all) - CODE_BYTES);
		memcpy(all + at, code[i].bytes, code[i].n);
		at += code[i].n;
	}
	(void)walk_step;
	memory = all;
	n_memory = at + CODE_BYTES;
	at = 1;
	for (u32 i = 0; i < n; i++) {
		walk_begin(&w);
		w.r.pc = MEMORY_AT + at;
		if (frame_of_code(&c) != code[i].above)
			fail_msg("%s: instruction %u: %d instead of %d", name, i, frame_of_code(&c), code[i].above);
		at += code[i].n;
	}
}

static void each_instruction(void **state)
{
	check("JDK 25, below", jdk25_below, ARRAY_SIZE(jdk25_below));
	check("JDK 17, below", jdk17_below, ARRAY_SIZE(jdk17_below));
	check("JDK 25, tiny", jdk25_tiny, ARRAY_SIZE(jdk25_tiny));
	check("with frame pointers", framed, ARRAY_SIZE(framed));
}

#else
static void each_instruction(void **state)
{
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
