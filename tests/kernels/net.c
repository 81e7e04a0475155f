// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections over loopback, both ends of which are this process: short TCP connections with a
 * known payload each, one that is refused, and UDP between a connected and an unconnected socket.
 */
#include "sockets.h"

#define SHORT 101
#define BACK 77
#define DATAGRAMS 53
#define DATAGRAM 19
#define EXIT_CODE 5

/* The opening side ends first, so that both end without a reset. */
static long tcp(void)
{
	struct sockaddr_in sa;
	int listener = bound(SOCK_STREAM, &sa);
	long sent = 0;

	must(!listen(listener, 8));
	for (int i = 0; i < SHORT; i++) {
		int c = socket(AF_INET, SOCK_STREAM, 0), a;

		must(!connect(c, (void *)&sa, sizeof(sa)));
		a = accept(listener, NULL, NULL);
		must(a >= 0 && write(c, data, 100 + i) == 100 + i);
		read_all(a, 100 + i);
		must(write(a, data, BACK) == BACK);
		read_all(c, BACK);
		must(!shutdown(c, SHUT_WR) && read(a, data, 1) == 0);
		close(a);
		must(read(c, data, 1) == 0);
		close(c);
		sent += 100 + i;
	}
	close(listener);
	must(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&sa, sizeof(sa)) < 0);
	return sent;
}

static void udp(void)
{
	struct sockaddr_in sa, from;
	socklen_t len = sizeof(from);
	int u = bound(SOCK_DGRAM, &sa), c = socket(AF_INET, SOCK_DGRAM, 0);

	must(!connect(c, (void *)&sa, sizeof(sa)));
	for (int i = 0; i < DATAGRAMS; i++) {
		must(write(c, data, DATAGRAM) == DATAGRAM);
		must(recvfrom(u, data, sizeof(data), 0, (void *)&from, &len) == DATAGRAM);
		must(sendto(u, data, 2 * DATAGRAM, 0, (void *)&from, len) == 2 * DATAGRAM);
		must(read(c, data, sizeof(data)) == 2 * DATAGRAM);
	}
}

int main(void)
{
	long sent = tcp();

	udp();
	expect_begin("net", "net", getpid());
	expect_add("],\"connections\":[");
	expect_conn("tcp", "opened", "closed", SHORT, SHORT * BACK, sent);
	expect_conn("tcp", "accepted", "closed", SHORT, sent, SHORT * BACK);
	expect_conn("tcp", "opened", "refused", 1, 0, 0);
	expect_conn("udp", "", "", 2, 3L * DATAGRAM * DATAGRAMS, 3L * DATAGRAM * DATAGRAMS);
	expect_add("],\"exit_code\":%d,\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n", EXIT_CODE);
	expect_write();
	return EXIT_CODE;
}
