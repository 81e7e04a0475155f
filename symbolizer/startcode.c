// SPDX-License-Identifier: GPL-2.0-or-later
/* startcode.c: see startcode.h. glibc, sysdeps/x86_64/start.S; LSB 10.6.2 (.eh_frame_hdr). */
#include <string.h>

#include "symbolizer/startcode.h"

#ifdef __x86_64__

#define MAX_CODE 80
#define FDE_SORTED 0x3b		/* DW_EH_PE_datarel | DW_EH_PE_sdata4 */

/* ---- extent of a function ---- */

static s32 read_s32(const struct source *s, u64 at)
{
	return (s32)source_uint(s, at, 4);
}

/* The entry of the sorted table that starts at addr. */
static bool find_entry(const struct source *hdr, u64 hdr_addr, u64 addr, u64 *ret_fde)
{
	u64 low = 0, high = source_uint(hdr, 8, 4);

	if (source_uint(hdr, 0, 1) != 1 || source_uint(hdr, 2, 1) != 3 ||
	    source_uint(hdr, 3, 1) != FDE_SORTED || high > hdr->size / 8)
		return false;
	while (low < high) {
		u64 mid = (low + high) / 2, at = hdr_addr + (u64)read_s32(hdr, 12 + 8 * mid);

		if (at == addr) {
			*ret_fde = hdr_addr + (u64)read_s32(hdr, 16 + 8 * mid);
			return true;
		}
		if (at < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* End of the function that starts at addr; 0: unknown. Pointers are four bytes and pc-relative. */
static u64 function_end(struct elf_file *f, u64 addr)
{
	struct source hdr, frames;
	u64 hdr_addr, frames_addr, fde;

	if (!elf_section_source(f, ".eh_frame_hdr", &hdr, &hdr_addr) ||
	    !elf_section_source(f, ".eh_frame", &frames, &frames_addr) ||
	    !find_entry(&hdr, hdr_addr, addr, &fde) || fde < frames_addr)
		return 0;
	fde -= frames_addr;
	if (frames_addr + fde + 8 + (u64)read_s32(&frames, fde + 8) != addr)
		return 0;
	return addr + source_uint(&frames, fde + 12, 4);
}

/* ---- decoding _start ---- */

struct code {
	u8 bytes[MAX_CODE];
	u64 addr;
	size_t n, at;
};

static bool skip(struct code *c, const void *bytes, size_t n)
{
	if (c->n - c->at < n || memcmp(c->bytes + c->at, bytes, n))
		return false;
	c->at += n;
	return true;
}

/* Skips an instruction that ends in a number of four bytes. */
static bool skip_with(struct code *c, const void *bytes, s32 *ret)
{
	if (c->n - c->at < 7 || memcmp(c->bytes + c->at, bytes, 3))
		return false;
	memcpy(ret, c->bytes + c->at + 3, 4);
	c->at += 7;
	return true;
}

/* The value of rdi at the call of __libc_start_main; 0: other code. */
static u64 main_of(struct code *c)
{
	u64 addr = 0;
	s32 v;

	skip(c, "\xf3\x0f\x1e\xfa", 4);	/* endbr64 */
	/* xor ebp,ebp; mov r9,rdx; pop rsi; mov rdx,rsp; and rsp,-16; push rax; push rsp */
	if (!skip(c, "\x31\xed\x49\x89\xd1\x5e\x48\x89\xe2\x48\x83\xe4\xf0\x50\x54", 15))
		return 0;
	while (!addr) {
		if (skip_with(c, "\x48\x8d\x3d", &v))			/* lea rdi,[rip+v] */
			addr = c->addr + c->at + (u64)v;
		else if (skip_with(c, "\x48\xc7\xc7", &v))		/* mov rdi,v */
			addr = (u64)v;
		else if (!skip(c, "\x45\x31\xc0", 3) && !skip(c, "\x31\xc9", 2) &&	/* r8, rcx: 0 */
			 !skip_with(c, "\x4c\x8d\x05", &v) && !skip_with(c, "\x48\x8d\x0d", &v) &&
			 !skip_with(c, "\x49\xc7\xc0", &v) && !skip_with(c, "\x48\xc7\xc1", &v))
			return 0;
	}
	/* call [rip+v]; call v */
	return skip(c, "\xff\x15", 2) || skip(c, "\xe8", 1) || skip(c, "\x67\xe8", 2) ? addr : 0;
}

bool startcode_read(struct elf_file *f, struct startcode *ret)
{
	struct code c = { .addr = elf_entry(f) };
	struct source text;
	u64 text_addr;

	memset(ret, 0, sizeof(*ret));
	if (!elf_section_source(f, ".text", &text, &text_addr) || c.addr < text_addr)
		return false;
	c.n = source_read(&text, c.addr - text_addr, c.bytes, sizeof(c.bytes));
	ret->main = main_of(&c);
	ret->start = c.addr;
	ret->main_end = ret->main ? function_end(f, ret->main) : 0;
	ret->start_end = ret->main ? function_end(f, ret->start) : 0;
	return ret->main_end || ret->start_end;
}

#else

bool startcode_read(struct elf_file *f, struct startcode *ret)
{
	memset(ret, 0, sizeof(*ret));
	return false;
}

#endif

const char *startcode_find(const struct startcode *s, u64 addr)
{
	if (addr >= s->main && addr < s->main_end)
		return "main";
	return addr >= s->start && addr < s->start_end ? "_start" : NULL;
}
