/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h: the client and the server span of one call on this host, found by the connection that
 * both used: its two addresses, and that both took the same request at the same time. Whoever comes
 * later is linked to the one before. That is no parent: nobody but the programs knows that.
 */
#ifndef OTTOP_OTLP_LINKS_H
#define OTTOP_OTLP_LINKS_H

#include "exporter/otlp/ids.h"

struct otlp_links;

struct otlp_links *otlp_links_new(void);
/*
 * Takes the span of a request, and says whether its other side is known: then *ret are the ids of
 * that. Where more than one may be it, none is.
 */
bool otlp_links_find(struct otlp_links *l, const struct requests_row *r, const struct otlp_span_ids *own,
		     struct otlp_span_ids *ret);
void otlp_links_free(struct otlp_links *l);	/* NULL-safe */

#endif
