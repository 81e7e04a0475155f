/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hotspot.h: the code that a HotSpot JVM has made, with the size of its frames, read from the JVM's
 * memory: its code keeps no frame pointer. Where things are is what libjvm.so says for debuggers (gHotSpotVMStructs,
 * src/hotspot/share/runtime/vmStructs.cpp of OpenJDK). All of it may be senseless: sizes are bounded, nothing is trusted.
 */
#ifndef OTTOP_HOTSPOT_H
#define OTTOP_HOTSPOT_H

#include "bpf/model/base.h"

#define HOTSPOT_FIELDS 16

/* Where fields are; the first one is an address. Zeros: not known yet. */
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
	HOTSPOT_OTHER,		/* stubs: has them where it has frames */
};

struct hotspot_code {
	u64 begin, end;
	u32 frame_bytes;	/* with the return address */
	u32 complete;		/* so many bytes after begin the frame is there */
	u32 kind;
};

struct hotspot {
	u64 low, high;		/* all its code is between them */
	u32 n;
	struct hotspot_code code[];	/* by address */
};

/*
 * base: where libjvm.so is loaded. May hang, as all that reads memory of others. The caller frees it;
 * NULL with errno: ENODATA where it is no HotSpot that is known.
 */
struct hotspot *hotspot_read(u32 pid, u64 base, struct hotspot_layout *layout);

#endif
