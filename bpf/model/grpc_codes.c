// SPDX-License-Identifier: GPL-2.0-or-later
/* grpc_codes.c: see grpc_codes.h. */
#include "bpf/model/grpc_codes.h"

static const char *const names[N_GRPC_CODES] = {
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
};

const char *grpc_code_name(u64 code)
{
	return code < N_GRPC_CODES ? names[code] : NULL;
}

/* https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
u32 grpc_code_of_http(u32 status)
{
	switch (status) {
	case 400:
		return GRPC_INTERNAL;
	case 401:
		return GRPC_UNAUTHENTICATED;
	case 403:
		return GRPC_PERMISSION_DENIED;
	case 404:
		return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return GRPC_UNAVAILABLE;
	}
	return GRPC_UNKNOWN;
}

/* https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#grpc-status */
bool grpc_code_failed(bool client, u64 code)
{
	switch (code) {
	case GRPC_OK:
		return false;
	case GRPC_UNKNOWN:
	case GRPC_DEADLINE_EXCEEDED:
	case GRPC_UNIMPLEMENTED:
	case GRPC_INTERNAL:
	case GRPC_UNAVAILABLE:
	case GRPC_DATA_LOSS:
		return true;
	}
	return client || code >= N_GRPC_CODES;
}
