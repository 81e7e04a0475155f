/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls_totals.h: process x call in user space: what the drained sets add
 * up to, and the rows made of it. Order of a tick: syscalls_totals_slot() for each slot,
 * syscalls_totals_cell() for each cell, syscalls_totals_in_flight() for each thread, syscalls_totals_rows().
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/collectors/processes/processes.h"
#include "bpf/collectors/syscalls/syscalls.h"
#include "bpf/collectors/totals.h"

/* Resets all counters: rows are cumulative since now_ns (or the birth of their process). */
void syscalls_totals_begin(u64 now_ns);
void syscalls_totals_slot(u32 index, const struct sc_slot *s);
void syscalls_totals_cell(u32 slot, u32 what, u32 n);
/* The slots of this set are done with; another set may follow in the same tick. */
void syscalls_totals_set_done(void);
void syscalls_totals_in_flight(const struct wire_thread *t);
/* Adds the rows of the table and gets ready for the next tick. */
void syscalls_totals_rows(const struct tick *t);
void syscalls_totals_clear(void);
