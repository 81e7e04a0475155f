// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resolver_server.c: the process "ottop-names": a few threads that each take a
 * question, wait for getnameinfo(3) or getpwuid_r(3), and answer. Whatever is slow or hostile out
 * there meets a process of nobody that can be killed at any time.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/helpers/message.h"
#include "bpf/helpers/resolver_server.h"
#include "bpf/helpers/sandbox.h"

#define NOBODY 65534
#define THREADS 8
#define STACK_BYTES (256 << 10)
#define SOCK 3
#define PASSWD_BYTES (16 << 10)	/* an entry with all its texts */

/*
 * Weak: a static program does not get it from libc.a, where it would load modules of
 * a C library that may be another one; there user ids stay numbers.
 */
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

	while (message_receive(SOCK, &q, sizeof(q), &fd, 0) == sizeof(q)) {
		struct resolver_answer a = { 0 };

		if (fd >= 0)
			close(fd);
		q.addr[sizeof(q.addr) - 1] = '\0';
		memcpy(a.addr, q.addr, sizeof(a.addr));
		a.result = look_up(q.addr, a.name, sizeof(a.name));
		if (message_send(SOCK, &a, sizeof(a), -1, 0))
			break;
	}
	_exit(0);
	return arg;
}

/* ---- giving everything up ------------------------------------------------------------ */

static void take_only(int sock)
{
	int null;

	if (dup2(sock, SOCK) < 0)
		_exit(1);
	close_range(SOCK + 1, ~0u, 0);
	/* what a name service module prints must not go into a socket of another */
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < SOCK && null >= 0; fd++)
		dup2(null, fd);
	if (null > SOCK)
		close(null);
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	struct rlimit memory = { 512ull << 20, 512ull << 20 }, files = { 128, 128 }, none = {};

	prctl(PR_SET_NAME, "ottop-names");
	setpriority(PRIO_PROCESS, 0, 5);	/* names may be late */
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &none);
	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			       setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(1);
	syscall(SYS_capset, &head, data);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* after the change of user id, which clears it */
	sandbox_lookups();	/* a kernel without filters: the rest has to do */
}

void resolver_server_main(int sock)
{
	struct rlimit none = {};
	struct pollfd hang_up = { .fd = SOCK };
	pthread_attr_t attr;
	pthread_t thread;

	take_only(sock);
	signal(SIGINT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	drop_privileges();
	/* resolv.conf(5): a second for each try, so that a dead server does not hold a thread for long */
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, &attr, worker, NULL))
			break;	/* fewer at once, then */
	setrlimit(RLIMIT_NPROC, &none);
	/* ottop has gone: so does this, in the middle of a lookup too */
	while (poll(&hang_up, 1, -1) < 0 && errno == EINTR)
		;
	_exit(0);
}
