/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grpc.h: gRPC, which HTTP/2 carries: what its messages are called and what became of them. */
#pragma once

#include "bpf/protocols/protocol.h"

/* Whether a content-type is that of gRPC. */
bool grpc_is_type(const char *content_type);
/* The status, from status_base on, of the value of grpc-status. */
u32 grpc_status(const char *value);
/* That of an answer that has none, from its HTTP status; STATUS_UNKNOWN where that is. */
u32 grpc_status_of_http(u32 status);
