/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groupings.h: how the rows of which tables are added up. */
#ifndef OTTOP_OTLP_GROUPINGS_H
#define OTTOP_OTLP_GROUPINGS_H

#include "exporter/otlp/groups.h"

/* Those that are of no process come first: their points are of the resource of ottop. */
#define N_GROUPINGS 4
extern const struct otlp_grouping otlp_groupings[N_GROUPINGS];

#endif
