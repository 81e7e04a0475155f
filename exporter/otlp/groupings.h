/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groupings.h: which tables are aggregated for export, and by what. */
#pragma once

#include "exporter/otlp/groups.h"

/* Groupings that belong to no process come first: their points are of ottop's resource. */
#define N_GROUPINGS 4
extern const struct otlp_grouping otlp_groupings[];
