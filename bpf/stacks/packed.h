/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packed.h: the rows of a page of an unwind table (symbolizer/unwind.h) in a fifth of their size. */
#pragma once

#include "bpf/model/base.h"

#define PACKED_MAX_ROWS 65536	/* of a page: one for each of its addresses */

struct packing;

/* NULL: out of memory. */
struct packing *packing_new(void);
void packing_free(struct packing *p);	/* NULL-safe */
/*
 * Packs n rows (up to PACKED_MAX_ROWS) from `first` on; bytes valid until the next call. 0: failed.
 */
u32 packing_rows(struct packing *p, const u64 *words, u32 first, u32 n, const u8 **ret);
/* Unpacks n rows. False: these bytes are not n rows that were packed. */
bool packed_rows(const u8 *bytes, u32 n_bytes, u32 *rows, u32 n);
