/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h: links client and server span of a call within this host. They are matched by connection
 * (both addresses), request and time. The later span links to the earlier one; it is not made its
 * child, because only the programs know the parent.
 */
#pragma once

#include "exporter/otlp/ids.h"

struct otlp_links;

struct otlp_links *otlp_links_new(void);
/* Registers a request's span. True: *ret has its counterpart's ids; false: none, or ambiguous. */
bool otlp_links_find(struct otlp_links *l, const struct requests_row *r, const struct otlp_span_ids *own,
		     struct otlp_span_ids *ret);
void otlp_links_free(struct otlp_links *l);	/* NULL-safe */
