// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * other.c: connections of unobserved protocols, each with a listener and both ends open. Prints the
 * number of descriptors of each (0: not in this kernel), then waits to be killed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif

static int pair(int family, int protocol)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	int s = socket(family, SOCK_STREAM, protocol), c = socket(family, SOCK_STREAM, protocol);

	if (s < 0 || c < 0)
		return 0;
	if (bind(s, (struct sockaddr *)&to, sizeof(to)) || listen(s, 5) ||
	    getsockname(s, (struct sockaddr *)&to, &len) || connect(c, (struct sockaddr *)&to, sizeof(to))) {
		perror("other");
		return 2;
	}
	return accept(s, NULL, NULL) < 0 ? 2 : 3;
}

int main(void)
{
	printf("SCTP %d\n", pair(AF_INET, IPPROTO_SCTP));
	/* without hardware both ends fall back to TCP, with rows */
	printf("SMC %d\n", pair(AF_SMC, 0) ? 1 : 0);
	fflush(stdout);
	pause();
	return 0;
}
