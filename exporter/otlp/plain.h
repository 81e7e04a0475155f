/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain.h: metrics of tables whose rows are points of one resource, that of ottop: host, cpus,
 * interfaces, drops, self. A series that was told and is no more is told to have ended, or it would
 * stand there for as long as a back end keeps its last value.
 */
#ifndef OTTOP_OTLP_PLAIN_H
#define OTTOP_OTLP_PLAIN_H

#include "exporter/otlp/message.h"

struct otlp_plain;

/* TABLE_BIT of each of them. */
u64 otlp_plain_tables(void);
struct otlp_plain *otlp_plain_new(void);
/* The points of a snapshot; of the resource that was begun last. */
void otlp_plain_export(struct otlp_plain *p, const struct snapshot *s, struct metrics *m);
void otlp_plain_free(struct otlp_plain *p);	/* NULL-safe */

#endif
