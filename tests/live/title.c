// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * title N ROOM: a process among N sleeping ones, which takes each line on stdin as its title. ROOM:
 * length of the longest title, as with setproctitle(3). Prints "ready", and "done" after each.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void sleep_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	char line[4096];
	size_t room;

	if (argc < 3)
		return 2;
	room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
	for (long i = 0, n = atol(argv[1]); i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 77;
		if (!pid)
			sleep_with_parent();
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		strncpy(argv[0], line, room);	/* pads with zeros */
		puts("done");
		fflush(stdout);
	}
	return 0;
}
