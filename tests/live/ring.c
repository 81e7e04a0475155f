// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring.c: an HTTP server that moves bytes only by io_uring. Prints its port; status 77: not
 * permitted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define must(is) ((is) ? (void)0 : (perror(#is), exit(1)))
#include "../kernels/uring.h"

static char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int listen_here(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	must(s >= 0 && !bind(s, (void *)&a, sizeof(a)) && !listen(s, 16) && !getsockname(s, (void *)&a, &n));
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return s;
}

static void serve(int c)
{
	char buf[4096];

	while (ring_do(IORING_OP_RECV, c, buf, sizeof(buf)) > 0)
		must(ring_do(IORING_OP_SEND, c, answer, sizeof(answer) - 1) == sizeof(answer) - 1);
	close(c);
}

int main(void)
{
	struct io_uring_params p = { 0 };
	int s, c;

	if (syscall(SYS_io_uring_setup, 1, &p) < 0 && (errno == ENOSYS || errno == EPERM))
		return 77;
	ring_open();
	s = listen_here();
	while ((c = accept(s, NULL, NULL)) >= 0)
		serve(c);
	return 1;
}
