/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cfi_parts.h: private to cfi.c (entries of .eh_frame) and cfi_program.c (their programs). */
#pragma once

#include "symbolizer/bytes.h"
#include "symbolizer/ehframe.h"

#define CFI_MAX_STATES 64	/* nesting of DW_CFA_remember_state */

/* Common information entry. */
struct cie {
	u64 code_align;
	s64 data_align;
	u8 enc;			/* encoding of addresses in FDEs */
	bool has_aug, signal;
	struct bytes program;
	bool valid;
};

struct cfi_rows {
	struct cfi_row *rows;
	u32 n, cap;
	struct cfi_run *runs;	/* one for each function */
	u32 n_runs, cap_runs;
	bool too_many;
};

struct cfi_state {
	struct unw_info info;
	bool ra_undefined;
	bool eh_return;	/* rax is saved, which only __builtin_eh_return() does */
};

struct cfi_machine {
	const struct cie *cie;
	struct cfi_state now, initial, saved[CFI_MAX_STATES];
	u32 n_saved;
	u64 pc;
};

/* Reads an address encoded by `enc` (DW_EH_PE_*). */
u64 cfi_pointer(const struct cfi_section *s, struct bytes *b, u8 enc);
/* Runs a program up to the address `end`; rows: receives a row for each advance, or NULL. */
void cfi_run(struct cfi_machine *m, const struct cfi_section *s, struct bytes b, u64 end,
	     struct cfi_rows *rows);
void cfi_add_row(struct cfi_rows *r, u64 pc, const struct unw_info *info);
