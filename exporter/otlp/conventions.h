/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conventions.h: semantic conventions for HTTP and RPC, for spans and metrics. */
#pragma once

#include "exporter/otlp/message.h"

/* Splits "1.2.3.4:80" or "[::1]:80" into address and port; false: neither form. */
bool conventions_split_peer(struct scratch *a, const char *peer, char **ret_addr, u64 *ret_port);
/* Unknown methods are exported as _OTHER. */
bool conventions_method_known(const char *method);
/* "OK", "NOT_FOUND"; the number of an unknown code. */
const char *conventions_grpc_status(struct scratch *a, u64 status);
