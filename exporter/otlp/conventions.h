/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conventions.h: rules of the semantic conventions for HTTP and RPC that spans and metrics share. */
#ifndef OTTOP_OTLP_CONVENTIONS_H
#define OTTOP_OTLP_CONVENTIONS_H

#include <string.h>

#include "exporter/otlp/message.h"

/* Both are the same text; NULL is none. */
static inline bool text_is(const char *s, const char *want)
{
	return s && !strcmp(s, want);
}

/* "1.2.3.4:80" or "[::1]:80" as address and port; false: it is neither. */
bool peer_split(struct scratch *a, const char *peer, char **ret_addr, u64 *ret_port);
/* Another method is _OTHER. */
bool http_method_known(const char *method);
/* "OK", "NOT_FOUND"; the number where it has no name. */
const char *grpc_status_name(struct scratch *a, u64 status);

#endif
