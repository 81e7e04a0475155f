// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resolver_server.c: the process "ottop-names": a few threads that each take a
 * question, wait for getnameinfo(3) or getpwuid_r(3), and answer. A slow or hostile server only
 * affects this process, which runs as user nobody and can be killed at any time.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/helpers/message.h"
#include "bpf/helpers/resolver_server.h"
#include "bpf/model/thread.h"

#define THREADS 8
#define STACK_BYTES (256 << 10)
#define LOOKUP_CPU_S 5
#define LOOKUP_STUCK_S 60	/* a name service that hangs takes a thread with it */
#define PASSWD_BYTES (16 << 10)	/* an entry with all its texts */

/* Weak: static programs must not link it from libc.a, with NSS modules of another C library. */
#pragma weak getpwuid_r

/* ---- one lookup -------------------------------------------------------------------- */

static socklen_t parse(const char *addr, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, addr, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		return sizeof(*v6);
	}
	return 0;
}

static u32 look_up_user(const char *number, char *name, size_t cap)
{
	char texts[PASSWD_BYTES], *end;
	unsigned long uid = strtoul(number, &end, 10);
	struct passwd pw, *found = NULL;
	int err;

	if (!isdigit((u8)*number) || *end || uid > UINT32_MAX)
		return RESOLVER_BAD;
	if (!getpwuid_r)
		return RESOLVER_NONE;
	err = getpwuid_r((uid_t)uid, &pw, texts, sizeof(texts), &found);
	if (!found)	/* "none" has many numbers, see getpwnam(3) */
		return !err || err == ENOENT || err == ESRCH ? RESOLVER_NONE :
		       err == EAGAIN ? RESOLVER_AGAIN : RESOLVER_FAILED;
	if (strlen(pw.pw_name) >= cap)
		return RESOLVER_FAILED;	/* half a name is another one's */
	strcpy(name, pw.pw_name);
	return RESOLVER_OK;
}

static u32 look_up(const char *addr, char *name, socklen_t cap)
{
	struct sockaddr_storage sa;
	socklen_t n = parse(addr, &sa);

	if (!strncmp(addr, RESOLVER_USER, strlen(RESOLVER_USER)))
		return look_up_user(addr + strlen(RESOLVER_USER), name, cap);
	if (!n)
		return RESOLVER_BAD;
	switch (getnameinfo((struct sockaddr *)&sa, n, name, cap, NULL, 0, NI_NAMEREQD)) {
	case 0:
		return RESOLVER_OK;
	case EAI_NONAME:
		return RESOLVER_NONE;
	case EAI_AGAIN:
		return RESOLVER_AGAIN;
	default:
		return RESOLVER_FAILED;
	}
}

static void *worker(void *arg)
{
	struct resolver_question q;
	int fd;

	while (message_receive(HELPER_SOCK, &q, sizeof(q), &fd, 0) == sizeof(q)) {
		struct resolver_answer a = { 0 };

		file_close(fd);
		q.addr[sizeof(q.addr) - 1] = '\0';
		memcpy(a.addr, q.addr, sizeof(a.addr));
		helper_work(1);
		a.result = look_up(q.addr, a.name, sizeof(a.name));
		helper_work(0);
		if (message_send(HELPER_SOCK, &a, sizeof(a), -1, 0))
			break;
	}
	_exit(0);
	return arg;
}

/* ---- the process ------------------------------------------------------------------- */

static void resolver_serve(const void *arg)
{
	struct pollfd hang_up = { .fd = HELPER_SOCK };
	struct rlimit none = {};
	pthread_attr_t attr;
	pthread_t thread;

	/* resolv.conf(5): a second for each try, so that a dead server does not hold a thread for long */
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (int i = 0; i < THREADS; i++)
		if (thread_start(&thread, &attr, worker, NULL))
			break;	/* fewer at once, then */
	setrlimit(RLIMIT_NPROC, &none);
	/* ottop has gone: so does this, in the middle of a lookup too */
	while (poll(&hang_up, 1, -1) < 0 && errno == EINTR)
		;
	_exit(0);
}

const struct helper_spec resolver_server = {
	.name = "ottop-names", .serve = resolver_serve, .rights = HELPER_LOOKS_UP,
	.memory_bytes = 512ull << 20, .files = 128, .nice = 5,	/* names may be late */
	.cpu_s = LOOKUP_CPU_S, .stuck_s = LOOKUP_STUCK_S,
};
