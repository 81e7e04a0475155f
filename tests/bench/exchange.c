// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exchange.c: a request and its answer on a local connection, both ends in this thread: the cost of
 * programs on the calls, without scheduler or server.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/bench/exchange.h"

#define CONNECTIONS 16
#define BODY 500

static const char request[] = "GET /small HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: loop\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nServer: loop\r\nDate: Mon, 30 Nov 2026 04:00:00 GMT\r\n"
			     "Content-Type: application/octet-stream\r\nContent-Length: 500\r\n"
			     "Connection: keep-alive\r\nETag: \"692bc5a1-1f4\"\r\nAccept-Ranges: bytes\r\n\r\n";
static const char ask[] = "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n", value[] = "$3\r\nxxx\r\n";

static struct { int client, server; SSL *asks, *answers; } c[CONNECTIONS];

static int connect_both(int listener, const struct sockaddr_in *a, int i)
{
	c[i].client = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c[i].client, (const struct sockaddr *)a, sizeof(*a)))
		return -1;
	c[i].server = accept(listener, NULL, NULL);
	return c[i].server < 0 ? -1 : 0;
}

static int handshake(SSL_CTX *asks, SSL_CTX *answers, int i)
{
	int both = 0;

	c[i].asks = SSL_new(asks);
	c[i].answers = SSL_new(answers);
	SSL_set_fd(c[i].asks, c[i].client);
	SSL_set_fd(c[i].answers, c[i].server);
	for (int k = 0; k < 1000 && both != 2; k++)	/* neither may block */
		both = (SSL_connect(c[i].asks) == 1) + (SSL_accept(c[i].answers) == 1);
	return both == 2 ? 0 : -1;
}

/* How long reads at both ends wait, us; 0: for ever. */
static void wait_us(int i, int us)
{
	struct timeval t = { .tv_usec = us };

	setsockopt(c[i].client, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(c[i].server, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

int exchange_open(const char *certificate, const char *key)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	SSL_CTX *asks = NULL, *answers = NULL;

	if (bind(listener, (struct sockaddr *)&a, n) || listen(listener, CONNECTIONS) ||
	    getsockname(listener, (struct sockaddr *)&a, &n))
		return -1;
	if (certificate) {
		asks = SSL_CTX_new(TLS_client_method());
		answers = SSL_CTX_new(TLS_server_method());
		SSL_CTX_set_num_tickets(answers, 0);
		if (SSL_CTX_use_certificate_file(answers, certificate, SSL_FILETYPE_PEM) != 1 ||
		    SSL_CTX_use_PrivateKey_file(answers, key, SSL_FILETYPE_PEM) != 1)
			return -1;
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		if (connect_both(listener, &a, i))
			return -1;
		if (!certificate)
			continue;
		wait_us(i, 1000);
		if (handshake(asks, answers, i))
			return -1;
		wait_us(i, 0);
	}
	return close(listener);
}

void exchange_http(void)
{
	static char body[BODY], buf[4096];
	static int i;
	struct iovec v[2] = { { (void *)answer, sizeof(answer) - 1 }, { body, BODY } };

	i = (i + 1) % CONNECTIONS;
	if (write(c[i].client, request, sizeof(request) - 1) != sizeof(request) - 1 ||
	    recv(c[i].server, buf, sizeof(buf), 0) != sizeof(request) - 1 ||
	    writev(c[i].server, v, 2) != sizeof(answer) - 1 + BODY ||
	    read(c[i].client, buf, sizeof(buf)) != sizeof(answer) - 1 + BODY)
		_exit(1);
}

void exchange_https(void)
{
	static char buf[4096], all[sizeof(answer) - 1 + BODY];
	static int i;

	if (!all[0])
		memcpy(all, answer, sizeof(answer) - 1);
	i = (i + 1) % CONNECTIONS;
	if (SSL_write(c[i].asks, request, sizeof(request) - 1) != sizeof(request) - 1 ||
	    SSL_read(c[i].answers, buf, sizeof(buf)) != sizeof(request) - 1 ||
	    SSL_write(c[i].answers, all, sizeof(all)) != sizeof(all) ||
	    SSL_read(c[i].asks, buf, sizeof(buf)) != sizeof(all))
		_exit(1);
}

void exchange_other(void)
{
	static char buf[4096];
	static int i;

	i = (i + 1) % CONNECTIONS;
	if (write(c[i].client, ask, sizeof(ask) - 1) != sizeof(ask) - 1 ||
	    read(c[i].server, buf, sizeof(buf)) != sizeof(ask) - 1 ||
	    write(c[i].server, value, sizeof(value) - 1) != sizeof(value) - 1 ||
	    read(c[i].client, buf, sizeof(buf)) != sizeof(value) - 1)
		_exit(1);
}
