// SPDX-License-Identifier: GPL-2.0-or-later
/* grpc.c: see grpc.h. */
#include <string.h>

#include "bpf/model/grpc_codes.h"
#include "bpf/protocols/grpc.h"

#define BASE 1		/* 0 is STATUS_NONE; gRPC's 0 is OK */
#define CODE_MAX 999	/* there are 17; unknown numbers are shown as they are */

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
		return GRPC_UNKNOWN + BASE;
	for (; *value >= '0' && *value <= '9' && code <= CODE_MAX; value++)
		code = code * 10 + (u32)(*value - '0');
	return *value || code > CODE_MAX ? GRPC_UNKNOWN + BASE : code + BASE;
}

u32 grpc_status_of_http(u32 status)
{
	return status == STATUS_UNKNOWN ? STATUS_UNKNOWN : grpc_code_of_http(status) + BASE;
}

static bool is_error(u32 status, bool server)
{
	return grpc_code_failed(!server, status - BASE);
}

static const char *status_name(u32 status)
{
	return grpc_code_name(status - BASE);
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
