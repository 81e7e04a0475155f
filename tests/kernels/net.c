// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loopback connections with both ends in this process: short TCP connections with known payload,
 * one for each other way to end, UDP between a connected and an unconnected socket, and datagrams
 * to a closed port, which are dropped.
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "sockets.h"

#define SHORT 101
#define BACK 77
#define DATAGRAMS 53
#define DATAGRAM 19
#define TO_NOBODY 7
#define EXIT_CODE 5

/* The opener closes first: no resets. */
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

static int opened(const struct sockaddr_in *sa)
{
	int c = socket(AF_INET, SOCK_STREAM, 0);

	must(!connect(c, (const void *)sa, sizeof(*sa)));
	return c;
}

/* SO_LINGER 0: close() sends a reset. */
static void reset(void)
{
	struct linger now = { .l_onoff = 1 };
	struct sockaddr_in sa;
	int listener = bound(SOCK_STREAM, &sa), c, a;

	must(!listen(listener, 8));
	c = opened(&sa);
	a = accept(listener, NULL, NULL);
	must(a >= 0 && write(c, data, BACK) == BACK);
	read_all(a, BACK);
	must(!setsockopt(a, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) && !close(a));
	must(read(c, data, 1) < 0 && errno == ECONNRESET);
	close(c);
	close(listener);
}

/* The queue of not accepted connections is full: a SYN has no answer. */
static void timed_out(void)
{
	struct sockaddr_in sa;
	int listener = bound(SOCK_STREAM, &sa), c, a, late = socket(AF_INET, SOCK_STREAM, 0), once = 1;

	must(!listen(listener, 0));
	c = opened(&sa);
	must(!setsockopt(late, IPPROTO_TCP, TCP_SYNCNT, &once, sizeof(once)));
	must(connect(late, (void *)&sa, sizeof(sa)) < 0 && errno == ETIMEDOUT);
	close(late);
	a = accept(listener, NULL, NULL);
	must(!shutdown(c, SHUT_WR) && read(a, data, 1) == 0);
	close(a);
	must(read(c, data, 1) == 0);
	close(c);
	close(listener);
}

/* Only lo exists: 198.51.100.0/24 (RFC 5737) is unreachable. */
static void unreachable(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(99),
				  .sin_addr.s_addr = htonl(0xc6336401) };
	int c = socket(AF_INET, SOCK_STREAM, 0);

	must(connect(c, (void *)&sa, sizeof(sa)) < 0 && errno == ENETUNREACH);
	close(c);
}

static void to_nobody(void)
{
	struct sockaddr_in sa;
	int u = socket(AF_INET, SOCK_DGRAM, 0);

	close(bound(SOCK_DGRAM, &sa));
	for (int i = 0; i < TO_NOBODY; i++)
		must(sendto(u, data, DATAGRAM, 0, (void *)&sa, sizeof(sa)) == DATAGRAM);
	close(u);
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

	reset();
	timed_out();
	unreachable();
	to_nobody();
	udp();
	expect_begin("net", "net", getpid());
	expect_add("],\"connections\":[");
	expect_conn("tcp", "opened", "closed", SHORT + 1, SHORT * BACK, sent);
	expect_conn("tcp", "accepted", "closed", SHORT + 1, sent, SHORT * BACK);
	expect_conn("tcp", "opened", "reset", 1, 0, BACK);
	expect_conn("tcp", "accepted", "reset", 1, BACK, 0);
	expect_conn("tcp", "opened", "refused", 1, 0, 0);
	expect_conn("tcp", "opened", "timed_out", 1, 0, 0);
	expect_conn("tcp", "opened", "unreachable", 1, 0, 0);
	expect_conn("udp", "", "", 3, 3L * DATAGRAM * DATAGRAMS,
		    3L * DATAGRAM * DATAGRAMS + DATAGRAM * TO_NOBODY);
	expect_add("],\"dropped\":{\"NO_SOCKET\":%d},\"exit_code\":%d,"
		   "\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n", TO_NOBODY, EXIT_CODE);
	expect_write();
	return EXIT_CODE;
}
