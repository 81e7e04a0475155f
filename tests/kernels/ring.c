// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams between two connected sockets, moved only by io_uring_enter(). */
#include "sockets.h"
#include "uring.h"

#define DATAGRAMS 101
#define SIZE 23

int main(void)
{
	struct sockaddr_in a, b;
	int u = bound(SOCK_DGRAM, &a), c = bound(SOCK_DGRAM, &b);

	must(!connect(c, (void *)&a, sizeof(a)) && !connect(u, (void *)&b, sizeof(b)));
	ring_open();
	for (int i = 0; i < DATAGRAMS; i++) {
		must(ring_do(IORING_OP_SEND, c, data, SIZE) == SIZE);
		must(ring_do(IORING_OP_RECV, u, data, SIZE) == SIZE);
	}
	expect_begin("ring", "ring", getpid());
	expect_add("],\"connections\":[");
	expect_conn("udp", "", "", 2, (long)SIZE * DATAGRAMS, (long)SIZE * DATAGRAMS);
	expect_add("],\"exit_code\":0,\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n");
	expect_write();
	return 0;
}
