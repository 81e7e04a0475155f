/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets.h: shared by the loopback workloads. */
#pragma once

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "expect.h"

static char data[4096];

static inline void must(int good)
{
	if (!good)
		abort();
}

static inline int bound(int type, struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, type, 0);

	memset(sa, 0, sizeof(*sa));
	sa->sin_family = AF_INET;
	sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0 && !bind(fd, (void *)sa, sizeof(*sa)) && !getsockname(fd, (void *)sa, &len));
	return fd;
}

static inline void read_all(int fd, long n)
{
	while (n > 0) {
		long got = read(fd, data, sizeof(data));

		must(got > 0);
		n -= got;
	}
}

static inline void expect_conn(const char *proto, const char *direction, const char *end, int rows,
			long rx, long tx)
{
	expect_add("%s{\"proto\":\"%s\",\"direction\":\"%s\",\"end\":\"%s\",\"rows\":%d,"
		   "\"rx\":%ld,\"tx\":%ld}", expect_text[expect_length - 1] == '[' ? "" : ",",
		   proto, direction, end, rows, rx, tx);
}
