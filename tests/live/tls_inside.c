// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tls_inside.c: an HTTP server inside TLS by an OpenSSL that is part of the program, whose functions are named in
 * .symtab alone; or in nothing, if it is stripped. tls_inside PEM: prints its port.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define must(is) ((is) ? (void)0 : (perror(#is), exit(1)))

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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

static void serve(SSL_CTX *context, int c)
{
	SSL *session = SSL_new(context);
	char asked[4096];

	SSL_set_fd(session, c);
	if (SSL_accept(session) == 1)
		while (SSL_read(session, asked, sizeof(asked)) > 0)
			SSL_write(session, answer, sizeof(answer) - 1);
	SSL_free(session);
	close(c);
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int s, c;

	must(argc == 2 && SSL_CTX_use_certificate_chain_file(context, argv[1]) == 1 &&
	     SSL_CTX_use_PrivateKey_file(context, argv[1], SSL_FILETYPE_PEM) == 1);
	s = listen_here();
	while ((c = accept(s, NULL, NULL)) >= 0)
		serve(context, c);
	return 0;
}
