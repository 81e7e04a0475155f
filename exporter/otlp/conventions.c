// SPDX-License-Identifier: GPL-2.0-or-later
/* conventions.c: see conventions.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/grpc_codes.h"
#include "exporter/otlp/conventions.h"

bool conventions_split_peer(struct scratch *a, const char *peer, char **ret_addr, u64 *ret_port)
{
	const char *colon = peer ? strrchr(peer, ':') : NULL;
	char *addr;

	if (!colon || !isdigit((unsigned char)colon[1]))
		return false;
	addr = scratch_take(a, (size_t)(colon - peer) + 1);
	memcpy(addr, peer, (size_t)(colon - peer));
	addr[colon - peer] = '\0';
	if (*addr == '[' && addr[strlen(addr) - 1] == ']') {
		addr[strlen(addr) - 1] = '\0';
		addr++;
	}
	*ret_addr = addr;
	*ret_port = strtoull(colon + 1, NULL, 10);
	return true;
}

bool conventions_method_known(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT",
					     "OPTIONS", "TRACE", "PATCH" };

	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (text_is(method, known[i]))
			return true;
	return false;
}

const char *conventions_grpc_status(struct scratch *a, u64 status)
{
	return grpc_code_name(status) ?: scratch_printf(a, "%llu", (unsigned long long)status);
}
