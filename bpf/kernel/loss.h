/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loss.h: counters of losses by cause, for the table lost. */
#pragma once

#include "bpf/model/snapshot_build.h"

/* Sets the total of one cause since ottop started. The text must be static. */
void loss_set(const char *cause, u64 total);
/* The same, out of `of` in all: fewer than 1 %, or than 10, are minor. */
void loss_set_of(const char *cause, u64 total, u64 of);
u64 loss_total(void);	/* of all causes */
/* Sum of losses that are shown unasked: those whose cause was not minor at the time. */
u64 loss_alarming(void);

/* Adds the rows of the table lost. */
void loss_rows(struct builder *b);
