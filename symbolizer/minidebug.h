/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minidebug.h: .gnu_debugdata: an xz-compressed ELF file with symbols that were stripped and are
 * not in .dynsym (gdb manual, "MiniDebugInfo"; shipped by Fedora and its relatives). The only user
 * of liblzma.
 */
#pragma once

#include "symbolizer/source.h"

/* Decompresses, to be freed. NULL: EBADMSG, or EFBIG: beyond MINIDEBUG_MAX (output, decoder). */
#define MINIDEBUG_MAX (64u << 20)
u8 *minidebug_unpack(const struct source *packed, size_t *ret_size);
