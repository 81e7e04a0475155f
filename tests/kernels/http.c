// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HTTP/1.1 over loopback between this process, which answers, and its child. Each path uses other
 * calls, so that an unseen call is a missing row.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "sockets.h"

#define ROUNDS 41	/* on successive connections, some requests on each */
#define PER_CONNECTION 8
#define BODY 3000	/* of POST, in separate calls */
#define CHUNK 700

struct endpoint {
	const char *method, *path;
	int status, body;	/* body: bytes sent with the request */
	char how;		/* write, send, vectors, messages */
	int answer;		/* bytes of the answer's body */
	long rx, tx, n;		/* received and sent by the server, head and body */
};

static struct endpoint endpoints[] = {
	{ "GET", "/by-write", 200, 0, 'w', 5, 0, 0, 0 },
	{ "GET", "/by-send", 200, 0, 's', 6000, 0, 0, 0 },
	{ "GET", "/by-vector", 404, 0, 'v', 70, 0, 0, 0 },
	{ "GET", "/by-message", 503, 0, 'm', 2, 0, 0, 0 },
	{ "POST", "/upload", 201, BODY, 'w', 0, 0, 0, 0 },
};

#define N_ENDPOINTS (sizeof(endpoints) / sizeof(*endpoints))

static char head[512], body[8192];

static void put(int fd, char how, struct iovec *iov, int n_iov)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
	long total = 0, n = 0;

	for (int i = 0; i < n_iov; i++)
		total += iov[i].iov_len;
	if (how == 'v') {
		n = writev(fd, iov, n_iov);
	} else if (how == 'm') {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} else {
		for (int i = 0; i < n_iov; i++)
			n += how == 's' ? send(fd, iov[i].iov_base, iov[i].iov_len, MSG_NOSIGNAL) :
					  write(fd, iov[i].iov_base, iov[i].iov_len);
	}
	must(n == total);
}

static long get(int fd, char how, char *at, size_t room)
{
	struct iovec iov[2] = { { at, room < 100 ? room : 100 }, { at + iov[0].iov_len, room - iov[0].iov_len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (how == 'v')
		return readv(fd, iov, 2);
	if (how == 'm')
		return recvmsg(fd, &msg, 0);
	return how == 's' ? recv(fd, at, room, 0) : read(fd, at, room);
}

/* Reads a head and the `n_body` bytes after it; returns the bytes, 0: end of the connection. */
static long get_message(int fd, char how, long n_body)
{
	char text[16384];
	long have = 0, got, all = -1;
	char *end;

	while (all < 0 || have < all) {
		got = get(fd, how, text + have, sizeof(text) - 1 - have);
		if (!got && !have)
			return 0;
		must(got > 0);
		have += got;
		text[have] = 0;
		end = all < 0 ? strstr(text, "\r\n\r\n") : NULL;
		if (end)
			all = end + 4 - text + n_body;
	}
	must(have == all);
	return all;
}

static void ask(int fd, struct endpoint *e)
{
	int n = snprintf(head, sizeof(head), "%s %s?round=%ld HTTP/1.1\r\nHost: kernel\r\nContent-Length: %d\r\n\r\n",
			 e->method, e->path, e->n, e->body);
	struct iovec iov[2] = { { head, n }, { NULL, 0 } };

	put(fd, e->how, iov, 1);
	for (int sent = 0; sent < e->body; sent += iov[0].iov_len) {
		iov[0] = (struct iovec){ body, e->body - sent < CHUNK ? e->body - sent : CHUNK };
		put(fd, e->how, iov, 1);
	}
	e->tx += n + e->body;
	n = get_message(fd, e->how, e->answer);
	must(n > 0);
	e->rx += n;
	e->n++;
}

static void answer(int fd, struct endpoint *e)
{
	long got = get_message(fd, e->how, e->body), n;
	struct iovec iov[2] = { { head, 0 }, { body, e->answer } };

	must(got > 0);
	n = snprintf(head, sizeof(head), "HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n\r\n", e->status, e->answer);
	iov[0].iov_len = n;
	put(fd, e->how, iov, e->answer ? 2 : 1);
	e->rx += got;
	e->tx += n + e->answer;
	e->n++;
}

/* Both sides know the order: endpoint after endpoint, so many on each connection. */
static void for_each(int listener, const struct sockaddr_in *sa, void (*act)(int fd, struct endpoint *e))
{
	int fd = -1;

	for (unsigned i = 0; i < ROUNDS * N_ENDPOINTS; i++) {
		if (i % PER_CONNECTION == 0) {
			if (fd >= 0)
				close(fd);
			fd = listener >= 0 ? accept(listener, NULL, NULL) : socket(AF_INET, SOCK_STREAM, 0);
			must(fd >= 0 && (listener >= 0 || !connect(fd, (const void *)sa, sizeof(*sa))));
		}
		act(fd, &endpoints[i % N_ENDPOINTS]);
	}
	close(fd);
}

static void say(const char *side, int forked_only, int exit_code)
{
	const char *comma = "";

	expect_length = 0;
	expect_begin(side, program_invocation_short_name, getpid());
	expect_add("],\"http\":[");
	for (unsigned i = 0; i < N_ENDPOINTS; i++, comma = ",") {
		struct endpoint *e = &endpoints[i];

		expect_add("%s{\"side\":\"%s\",\"method\":\"%s\",\"path\":\"%s\",\"status\":%d,\"count\":%ld,"
			   "\"rx\":%ld,\"tx\":%ld}", comma, side, e->method, e->path, e->status, e->n, e->rx, e->tx);
	}
	expect_add("],\"exit_code\":%d,\"events\":{\"fork\":1,\"exec\":%d,\"exit\":1}}\n", exit_code, !forked_only);
	expect_write();
}

int main(void)
{
	struct sockaddr_in sa;
	int listener = bound(SOCK_STREAM, &sa);
	pid_t child;

	must(!listen(listener, 8));
	child = fork();
	must(child >= 0);
	if (!child) {
		close(listener);
		for_each(-1, &sa, ask);
		say("client", 1, 3);
		return 3;
	}
	for_each(listener, NULL, answer);
	must(waitpid(child, NULL, 0) == child);
	say("server", 0, 4);
	return 4;
}
