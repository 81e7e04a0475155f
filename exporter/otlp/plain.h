/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain.h: metrics of tables whose rows are points of ottop's own resource: host, cpus, interfaces,
 * drops, self. A series that disappears gets an explicit last point, or back ends would show its
 * last value on.
 */
#pragma once

#include "exporter/otlp/message.h"

struct otlp_plain;

/* Mask of their TABLE_BITs. */
u64 otlp_plain_tables(void);
struct otlp_plain *otlp_plain_new(void);
/* Adds the points of a snapshot to the current resource. */
void otlp_plain_export(struct otlp_plain *p, const struct snapshot *s, struct metrics *m);
void otlp_plain_free(struct otlp_plain *p);	/* NULL-safe */
