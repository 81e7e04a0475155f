// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * serve.c: an HTTP server whose requests are blocked in known functions.
 *
 *	serve PORT	prints "OWN-PORT HOLDER" and serves one connection, a line to stdin ends it
 *
 * /sleep sleeps in takes_a_nap(), /lock waits in waits_for_lock() for a mutex that thread HOLDER
 * has, /ask sends a byte to 127.0.0.1:PORT in asks_peer() and waits there for one that comes back.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noipa))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int orders[2], has[2], peer;
static volatile int holder;

static void doze(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

/* Takes the lock on request, reports it, and releases it after a while. */
static void *hold(void *arg)
{
	char c;

	(void)arg;
	holder = (int)syscall(SYS_gettid);
	while (read(orders[0], &c, 1) == 1) {
		pthread_mutex_lock(&lock);
		if (write(has[1], &c, 1) != 1)
			break;
		doze(150);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

NOINLINE void takes_a_nap(void)
{
	doze(150);
}

NOINLINE void waits_for_lock(void)
{
	char c = 0;

	if (write(orders[1], &c, 1) != 1 || read(has[0], &c, 1) != 1)
		exit(1);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

NOINLINE void asks_peer(void)
{
	char c = 0;

	if (send(peer, &c, 1, 0) != 1 || recv(peer, &c, 1, 0) != 1)
		exit(1);
}

static void serve(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		if (strstr(buf, " /sleep"))
			takes_a_nap();
		else if (strstr(buf, " /lock"))
			waits_for_lock();
		else
			asks_peer();
		if (write(fd, answer, sizeof(answer) - 1) < 0)
			break;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(a);
	pthread_t t;

	peer = socket(AF_INET, SOCK_STREAM, 0);
	if (argc < 2 || pipe(orders) || pipe(has) || bind(l, (void *)&a, n) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &n) || pthread_create(&t, NULL, hold, NULL))
		return 1;
	while (!holder)
		usleep(1000);
	printf("%d %d\n", ntohs(a.sin_port), holder);
	fflush(stdout);
	a.sin_port = htons((unsigned short)atoi(argv[1]));
	if (connect(peer, (void *)&a, n))
		return 1;
	serve(accept(l, NULL, NULL));
	getchar();
	return 0;
}
