// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * limit OBJECT NAME [LIBRARY]: attaches the programs of limit.bpf.c with that prefix until stdin
 * ends; those of TLS at that library's reading and writing functions.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

static const char *const functions[] = { "SSL_read", "SSL_write", "SSL_read_ex", "SSL_write_ex" };

static int attach_library(struct bpf_program *prog, const char *library)
{
	bool returns = strstr(bpf_program__name(prog), "return");
	int n = 0;

	for (unsigned int i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, o, .func_name = functions[i], .retprobe = returns);

		n += bpf_program__attach_uprobe_opts(prog, -1, library, 0, &o) != NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *name, *library = argc > 3 ? argv[3] : NULL;
	int attached = 0, wanted = 0;
	struct bpf_program *prog;
	struct bpf_object *obj;
	char c;

	if (argc < 3)
		return 2;
	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj)
		return 1;
	bpf_object__for_each_program(prog, obj) {
		name = bpf_program__name(prog);
		bpf_program__set_autoload(prog, !strncmp(name, argv[2], strlen(argv[2])));
	}
	if (bpf_object__load(obj)) {
		perror("limit: load");
		return 1;
	}
	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__autoload(prog))
			continue;
		wanted += library ? sizeof(functions) / sizeof(*functions) : 1;
		attached += library ? attach_library(prog, library) : bpf_program__attach(prog) != NULL;
	}
	if (!wanted || attached != wanted) {
		fprintf(stderr, "limit: attached %d of %d programs\n", attached, wanted);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
