/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jvm.h: unwind tables of the code that JVMs make: of what was compiled, whose frames have known sizes
 * and no frame pointers, and of HotSpot's interpreter (bpf/helpers/hotspot.h). Read anew when a stack goes through
 * code that is not in them, and every few seconds while stacks go through: what is freed is used again.
 * Sampler thread only.
 */
#ifndef OTTOP_JVM_H
#define OTTOP_JVM_H

#include "bpf/model/base.h"

struct jvm;
struct opener_job;

/* base: where its libjvm.so is loaded. */
struct jvm *jvm_new(u32 pid, u64 start_ns, u64 base);
void jvm_free(struct jvm *j);	/* NULL-safe */
/* The table for code at these addresses, as files_table(), and what it counts addresses from. */
u32 jvm_table(const struct jvm *j, u64 start, u64 end, u64 *ret_base);
/* A stack goes through code of which there is no table. True: it will be answered. */
bool jvm_want(struct jvm *j);
/* A stack goes through code. */
void jvm_used(struct jvm *j);
/* Asks, if it is time. Each drain. */
void jvm_drain(struct jvm *j);
/* The answer to that. */
void jvm_opened(struct jvm *j, struct opener_job *job);

#endif
