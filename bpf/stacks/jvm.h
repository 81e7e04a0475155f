/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jvm.h: unwind tables of JVM code: compiled methods, whose frames have known sizes and no frame pointers,
 * and HotSpot's interpreter (bpf/helpers/hotspot.h). Read again when a stack has code that is not in the
 * table, and every few seconds while stacks use it, as freed memory is reused. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

struct jvm;
struct opener_job;

/* base: load address of its libjvm.so. */
struct jvm *jvm_new(u32 pid, u64 start_ns, u64 base);
void jvm_free(struct jvm *j);	/* NULL-safe */
/* The table for code at these addresses, as files_table(), and its base address. */
u32 jvm_table(const struct jvm *j, u64 start, u64 end, u64 *ret_base);
/* A stack has code that is in no table. True: an answer will come. */
bool jvm_want(struct jvm *j);
void jvm_used(struct jvm *j);
/* Asks for the code again, if it is time. Each drain. */
void jvm_drain(struct jvm *j);
/* The answer to that. */
void jvm_opened(struct jvm *j, struct opener_job *job);
