/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolver_server.h: between ottop and its process "ottop-names": fixed-size messages both ways. */
#pragma once

#include "bpf/helpers/launch.h"

#define RESOLVER_ADDR_MAX 48	/* an IPv6 address with its zero byte has 46 */
#define RESOLVER_NAME_MAX 256

enum resolver_result { RESOLVER_OK, RESOLVER_NONE, RESOLVER_AGAIN, RESOLVER_FAILED, RESOLVER_BAD };

#define RESOLVER_USER "uid "	/* prefix of a decimal user id in place of an address */

struct resolver_question {
	char addr[RESOLVER_ADDR_MAX];	/* an address, or RESOLVER_USER and a number */
};

struct resolver_answer {
	char addr[RESOLVER_ADDR_MAX];
	u32 result;		/* enum resolver_result */
	char name[RESOLVER_NAME_MAX];
};

/* The process. */
extern const struct helper_spec resolver_server;
