/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf_sup.S: DWARF 4 of a function of 64 bytes. What is inlined at 16 to 32 has its origin
 * by FORM and VALUE. For test_dwarf_sup.c, and a seed of the fuzzer.
 */
	.text
	.globl f
f:	.skip 64
	.section .debug_abbrev
	.byte 1, 0x11, 1, 0x11, 1, 0x12, 7, 0, 0	/* unit */
	.byte 2, 0x2e, 1, 0x11, 1, 0x12, 7, 3, 8, 0, 0	/* function with a name */
	.byte 3, 0x1d, 0, 0x31	/* inlined */
	.uleb128 FORM
	.byte 0x11, 1, 0x12, 7, 0, 0
	.byte 4, 0x2e, 0, 3, 8, 0, 0	/* a name */
	.byte 5, 0x2e, 0, 0x31	/* it is in the other file */
	.uleb128 0x1f20
	.byte 0, 0, 0
	.section .debug_info
start:	.long end - 1f
1:	.short 4
	.long 0
	.byte 8, 1
	.quad f, 64
	.byte 2
	.quad f, 64
	.asciz "around"
	.byte 3
	VALUE
	.quad f + 16, 16
	.byte 0
name:	.byte 4
	.asciz "there"
other:	.byte 5
	.long name - start
loop:	.byte 5
	.long loop - start
	.byte 0
end:
	.section .gnu_debugaltlink
	.asciz "/usr/lib/debug/.dwz/x.debug"
	.byte 1, 2, 3, 4
