// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tls.c: HTTP inside TLS by OpenSSL or BoringSSL, of which it calls only what both have.
 *
 *     tls serve PEM [memory]           prints its port, serves one connection after the other
 *     tls ask PORT PATH N [memory]     for each line of stdin a connection with N requests, which prints
 *                                      its own port, and the bytes of text that it sent and received
 *
 * memory: the library reads and writes memory, and the program moves the records by read() and write().
 * The answer of /no is 404, that of /big is long, all others are "ok".
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define must(is) ((is) ? (void)0 : (perror(#is), exit(1)))
#define BIG 100000

static bool in_memory;

struct end {
	int fd;
	SSL *ssl;
	BIO *in, *out;
};

/* ---- a session ---- */

static struct end end_of(SSL_CTX *context, int fd)
{
	struct end e = { .fd = fd, .ssl = SSL_new(context) };

	must(e.ssl);
	if (!in_memory) {
		SSL_set_fd(e.ssl, fd);
		return e;
	}
	e.in = BIO_new(BIO_s_mem());
	e.out = BIO_new(BIO_s_mem());
	must(e.in && e.out);
	BIO_set_mem_eof_return(e.in, -1);	/* empty means: retry */
	SSL_set_bio(e.ssl, e.in, e.out);
	return e;
}

static void end(struct end *e)
{
	SSL_free(e->ssl);
	close(e->fd);
}

/* Sends records made by the library. */
static void flush(struct end *e)
{
	char records[20000];
	int n;

	while (e->out && (n = BIO_read(e->out, records, sizeof(records))) > 0)
		for (ssize_t at = 0, did; at < n; at += did) {
			did = write(e->fd, records + at, (size_t)(n - at));
			must(did > 0);
		}
}

/* Reads records for the library, which returned ret; false: that is its result. */
static bool fill(struct end *e, int ret)
{
	char records[20000];
	ssize_t n;

	if (!e->in || SSL_get_error(e->ssl, ret) != SSL_ERROR_WANT_READ)
		return false;
	n = read(e->fd, records, sizeof(records));
	return n > 0 && BIO_write(e->in, records, (int)n) == n;
}

static bool shake(struct end *e)
{
	int ret;

	do {
		ret = SSL_do_handshake(e->ssl);
		flush(e);
	} while (ret != 1 && fill(e, ret));
	return ret == 1;
}

static int take(struct end *e, char *to, int cap)
{
	int n;

	do {
		n = SSL_read(e->ssl, to, cap);
		flush(e);
	} while (n <= 0 && fill(e, n));
	return n;
}

static void give(struct end *e, const char *text, int n)
{
	must(SSL_write(e->ssl, text, n) == n);
	flush(e);
}

/* ---- both sides ---- */

/* Reads a head and the beginning of the body; length of that, 0: end. */
static int take_head(struct end *e, char *to, int cap)
{
	int n = 0, more;

	memset(to, 0, (size_t)cap);
	while (!strstr(to, "\r\n\r\n")) {
		more = take(e, to + n, cap - 1 - n);
		if (more <= 0)
			return 0;
		n += more;
	}
	return n;
}

static void serve_one(SSL_CTX *context, int fd)
{
	static char body[BIG] = "ok";
	struct end e = end_of(context, fd);
	char asked[4096], head[200];

	SSL_set_accept_state(e.ssl);
	if (shake(&e))
		while (take_head(&e, asked, sizeof(asked))) {
			bool big = !strncmp(asked, "GET /big ", 9), no = !strncmp(asked, "GET /no ", 8);

			snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", no ? "404 Not Found" : "200 OK",
				 big ? BIG : 2, big ? "" : "ok");
			give(&e, head, (int)strlen(head));
			if (big)
				give(&e, body, BIG);
		}
	end(&e);
}

static void serve(const char *pem)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0), c;

	must(SSL_CTX_use_certificate_chain_file(context, pem) == 1 &&
	     SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) == 1);
	must(s >= 0 && !bind(s, (void *)&a, sizeof(a)) && !listen(s, 16) && !getsockname(s, (void *)&a, &n));
	printf("%d\n", ntohs(a.sin_port));
	while ((c = accept(s, NULL, NULL)) >= 0)
		serve_one(context, c);
}

static void ask(SSL_CTX *context, int port, const char *path, int times)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	long sent = 0, received = 0;
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[4096];
	struct end e;

	must(fd >= 0 && !connect(fd, (void *)&a, sizeof(a)) && !getsockname(fd, (void *)&a, &n));
	e = end_of(context, fd);
	SSL_set_connect_state(e.ssl);
	must(shake(&e));
	for (int i = 0; i < times; i++) {
		int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path), got;
		long left;

		give(&e, text, len);
		sent += len;
		got = take_head(&e, text, sizeof(text));
		must(got);
		received += got;
		left = strstr(text, "\r\n\r\n") + 4 - text + atol(strstr(text, "Length: ") + 8) - got;
		for (; left > 0; left -= got, received += got)
			must((got = take(&e, text, sizeof(text))) > 0);
	}
	end(&e);
	printf("%d %ld %ld\n", ntohs(a.sin_port), sent, received);
}

int main(int argc, char **argv)
{
	char line[100];

	setvbuf(stdout, NULL, _IOLBF, 0);
	in_memory = argc > 1 && !strcmp(argv[argc - 1], "memory");
	argc -= in_memory;
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		serve(argv[2]);
	} else if (argc == 5 && !strcmp(argv[1], "ask")) {
		SSL_CTX *context = SSL_CTX_new(TLS_client_method());

		while (fgets(line, sizeof(line), stdin))
			ask(context, atoi(argv[2]), argv[3], atoi(argv[4]));
	} else {
		return 2;
	}
	return 0;
}
