/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batch.h: snapshots as text for pipes and logs (-b): one table a view, with
 * the view's columns and default order, nothing truncated and no colour.
 *
 *	# processes 2026-11-22T16:42:07Z interval=1s rows=213 lost=0
 *	PID USER     S  CPU% ...
 */
#pragma once

#include <stdio.h>

#include "bpf/model/snapshot.h"

struct batch;

/* Writes to `out`, which the caller keeps. ascii: '?' for non-ASCII characters. */
struct batch *batch_new(FILE *out, u64 tables, bool ascii);
/* Writes and flushes the tables of one snapshot. 0 or -errno. */
int batch_write(struct batch *b, const struct snapshot *s);
void batch_free(struct batch *b);	/* NULL-safe */
