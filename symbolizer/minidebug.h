/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minidebug.h: .gnu_debugdata: a small ELF file, packed with xz, with the
 * symbols that stripping took and .dynsym has not (gdb manual, "MiniDebugInfo";
 * Fedora and its relatives ship it). The one door to liblzma.
 */
#ifndef OTTOP_MINIDEBUG_H
#define OTTOP_MINIDEBUG_H

#include "symbolizer/source.h"

/*
 * Unpacks; the caller frees the bytes. NULL with errno: EBADMSG not xz or
 * broken, EFBIG more than MINIDEBUG_MAX bytes or of memory to unpack.
 */
#define MINIDEBUG_MAX (64u << 20)
u8 *minidebug_unpack(const struct source *packed, size_t *ret_size);

#endif
