// SPDX-License-Identifier: GPL-2.0-or-later
/* grpc.c: see grpc.h. */
#include <string.h>

#include "bpf/protocols/grpc.h"

#define BASE 1		/* 0 is STATUS_NONE; gRPC's 0 is OK */
#define CODE_MAX 999	/* there are 17; a number that is none is shown as it is */

/* https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
enum code {
	OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
	RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE,
	DATA_LOSS, UNAUTHENTICATED, N_CODES
};

static const char *const names[N_CODES] = {
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
};

bool grpc_is_type(const char *content_type)
{
	static const char type[] = "application/grpc";
	size_t n = sizeof(type) - 1;

	return !strncmp(content_type, type, n) &&
	       (!content_type[n] || content_type[n] == '+' || content_type[n] == ';');
}

u32 grpc_status(const char *value)
{
	u32 code = 0;

	if (!*value)
		return UNKNOWN + BASE;
	for (; *value >= '0' && *value <= '9' && code <= CODE_MAX; value++)
		code = code * 10 + (u32)(*value - '0');
	return *value || code > CODE_MAX ? UNKNOWN + BASE : code + BASE;
}

/* https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
u32 grpc_status_of_http(u32 status)
{
	switch (status) {
	case STATUS_UNKNOWN:
		return STATUS_UNKNOWN;
	case 400:
		return INTERNAL + BASE;
	case 401:
		return UNAUTHENTICATED + BASE;
	case 403:
		return PERMISSION_DENIED + BASE;
	case 404:
		return UNIMPLEMENTED + BASE;
	case 429:
	case 502:
	case 503:
	case 504:
		return UNAVAILABLE + BASE;
	}
	return UNKNOWN + BASE;
}

/* https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#grpc-status */
static bool is_error(u32 status, bool server)
{
	switch (status - BASE) {
	case OK:
		return false;
	case UNKNOWN:
	case DEADLINE_EXCEEDED:
	case UNIMPLEMENTED:
	case INTERNAL:
	case UNAVAILABLE:
	case DATA_LOSS:
		return true;
	}
	return !server;
}

static const char *status_name(u32 status)
{
	return status - BASE < N_CODES ? names[status - BASE] : NULL;
}

/* A connection is one of HTTP/2, and says so. */
static enum verdict recognise(const u8 *data, u64 n, enum role *ret_role)
{
	return VERDICT_NO;
}

const struct protocol grpc_protocol = {
	.name = "grpc",
	.recognise = recognise,
	.is_error = is_error,
	.status_base = BASE,
	.status_name = status_name,
};
