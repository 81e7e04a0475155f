// SPDX-License-Identifier: GPL-2.0-or-later
/* limit OBJECT empty|clock: attaches that pair of limit.bpf.c until stdin ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

int main(int argc, char **argv)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	int attached = 0;
	char c;

	if (argc != 3)
		return 2;
	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj)) {
		perror("limit: load");
		return 1;
	}
	bpf_object__for_each_program(prog, obj)
		if (!strncmp(bpf_program__name(prog), argv[2], strlen(argv[2])))
			attached += bpf_program__attach(prog) != NULL;
	if (attached != 2) {
		fprintf(stderr, "limit: attached %d of 2 programs\n", attached);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
