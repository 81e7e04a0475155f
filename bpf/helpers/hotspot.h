/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hotspot.h: the code of a HotSpot JVM with its frame sizes, read from the JVM's memory, as compiled code has
 * no frame pointers. Field offsets come from the tables that libjvm.so exports for debuggers (gHotSpotVMStructs,
 * src/hotspot/share/runtime/vmStructs.cpp of OpenJDK). The memory is not trusted: all sizes are bounded.
 */
#pragma once

#include "bpf/model/base.h"

#define HOTSPOT_FIELDS 16

/* Offsets of fields; the first one is an address. All zero: not known yet. */
struct hotspot_layout {
	bool known;
	bool has_offsets;	/* of code in a blob, where JDKs before 23 have addresses */
	bool short_complete;	/* _frame_complete_offset has 16 bits */
	u32 block_header;	/* bytes before a blob */
	u64 at[HOTSPOT_FIELDS];
};

enum hotspot_kind {
	HOTSPOT_COMPILED,	/* the stack pointer does not move between prologue and epilogue */
	HOTSPOT_INTERPRETER,	/* has frame pointers */
	HOTSPOT_OTHER,		/* stubs: those with frames have frame pointers */
};

struct hotspot_code {
	u64 begin, end;
	u32 frame_bytes;	/* with the return address */
	u32 complete;		/* offset from begin at which the frame is set up */
	u32 kind;
};

struct hotspot {
	u64 low, high;		/* bounds of all its code */
	u32 n;
	struct hotspot_code code[];	/* by address */
};

/* base: address of libjvm.so. May hang. The caller frees it; NULL and ENODATA: no known HotSpot. */
struct hotspot *hotspot_read(u32 pid, u64 base, struct hotspot_layout *layout);
