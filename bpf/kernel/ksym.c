// SPDX-License-Identifier: GPL-2.0-or-later
/* ksym.c: see ksym.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bpf/kernel/ksym.h"

#define PROGRAM "bpf_prog_"	/* kernel programs are in a module of this name in /proc/kallsyms, here in none */

/* kernel/kallsyms.c, __sprint_symbol(): an address that is in no function comes back as a number. */
int ksym_split(char *text, const char **ret_module)
{
	char *module = strstr(text, " ["), *end;

	if (!*text || !strncmp(text, "0x", 2))
		return -ENOENT;
	*ret_module = strncmp(text, PROGRAM, strlen(PROGRAM)) ? "" : "bpf";
	if (!module)
		return 0;
	*module = '\0';
	*ret_module = module + 2;
	end = strchr(*ret_module, ']');
	if (end)
		*end = '\0';
	return 0;
}

int ksym_name(int prog, u64 addr, char *text, const char **ret_module)
{
	struct ksym_question q = { .addr = addr };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &q, .ctx_size_in = sizeof(q));

	if (bpf_prog_test_run_opts(prog, &opts))
		return -errno;
	memcpy(text, q.text, KSYM_BYTES);
	text[KSYM_BYTES - 1] = '\0';
	return ksym_split(text, ret_module);
}
