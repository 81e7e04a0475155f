// SPDX-License-Identifier: GPL-2.0-or-later
/* main_notify.c: sd_notify(3): NAME=VALUE lines to NOTIFY_SOCKET, a path or abstract ('@'). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tui/main/main.h"

/* The socket's address; 0: none, or invalid. */
static socklen_t find_manager(struct sockaddr_un *to)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t n = name ? strlen(name) : 0;

	if (n < 2 || n >= sizeof(to->sun_path) || (*name != '/' && *name != '@'))
		return 0;
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(to->sun_path, name, n);
	if (*name == '@')	/* abstract: not NUL-terminated */
		to->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
}

void main_notify(const char *fmt, ...)
{
	struct sockaddr_un to;
	socklen_t len = find_manager(&to);
	char text[600];
	va_list args;
	int fd, n;

	if (!len)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, (size_t)min(n, (int)sizeof(text) - 1), MSG_NOSIGNAL,
		   (struct sockaddr *)&to, len) < 0)
		log_line("NOTIFY_SOCKET: %s", strerror(errno));
	close(fd);
}

u64 main_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * NSEC_PER_USEC;
}
