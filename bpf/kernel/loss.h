/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loss.h: every loss, by cause: what the table lost shows. */
#ifndef OTTOP_LOSS_H
#define OTTOP_LOSS_H

#include "bpf/model/snapshot_build.h"

/* Total of one cause since ottop started. The text must live for ever. */
void loss_set(const char *cause, u64 total);
/* The same of something of which there were `of` in all: fewer than 1 %, or than 10, are minor. */
void loss_set_of(const char *cause, u64 total, u64 of);
u64 loss_total(void);
/* Those that a user is told of without asking: what was lost by causes that were not minor then. */
u64 loss_alarming(void);

/* Adds the rows of the table lost. */
void loss_rows(struct builder *b);

#endif
