/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grpc_codes.h: status codes of gRPC: names, and which are errors. */
#pragma once

#include "bpf/model/base.h"

/* https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
enum grpc_code {
	GRPC_OK, GRPC_CANCELLED, GRPC_UNKNOWN, GRPC_INVALID_ARGUMENT, GRPC_DEADLINE_EXCEEDED, GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS, GRPC_PERMISSION_DENIED, GRPC_RESOURCE_EXHAUSTED, GRPC_FAILED_PRECONDITION, GRPC_ABORTED,
	GRPC_OUT_OF_RANGE, GRPC_UNIMPLEMENTED, GRPC_INTERNAL, GRPC_UNAVAILABLE, GRPC_DATA_LOSS, GRPC_UNAUTHENTICATED,
	N_GRPC_CODES
};

/* "NOT_FOUND"; NULL: unknown. */
const char *grpc_code_name(u64 code);
/* The code for an HTTP status, if a proxy answered instead of gRPC. */
u32 grpc_code_of_http(u32 status);
/* Client: all but OK; server: its own faults. Unknown codes are errors. */
bool grpc_code_failed(bool client, u64 code);
