// SPDX-License-Identifier: GPL-2.0-or-later
/* main_stdio.c: standard output and error. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/main/main.h"

void main_say(const char *fmt, ...)
{
	char line[1024], clean[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), line, TEXT_SCREEN);
	fprintf(stderr, "ottop: %s\n", clean);
}

void main_report(char *line)
{
	if (line)
		main_say("%s", line);
	free(line);
}

bool main_fill_fds(void)
{
	bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	file_close(fd);
	return has_stdout;
}

int main_close_stdout(int status)
{
	bool failed = ferror(stdout);

	errno = failed ? EIO : 0;
	if (fclose(stdout) && errno != EPIPE && errno != EBADF)
		failed = true;
	if (!failed || status)
		return status;
	main_say("stdout: %s", strerror(errno));
	return 1;
}
