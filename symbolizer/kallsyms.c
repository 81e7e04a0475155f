// SPDX-License-Identifier: GPL-2.0-or-later
/* kallsyms.c: functions of the kernel and its modules; proc(5), /proc/kallsyms. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/symbolizer.h"

struct ksym {
	u64 addr;
	u32 name, module;	/* in `text`; module 0: the kernel itself */
};

static struct ksym *syms;
static u32 n_syms, cap_syms;
static char *text;
static size_t text_size, text_cap;

static u32 put_text(const char *s)
{
	size_t n = strlen(s) + 1;
	u32 at = (u32)text_size;

	if (text_size + n > text_cap) {
		text_cap = max(text_cap * 2, text_size + n + 4096);
		text = xrealloc(text, text_cap);
	}
	memcpy(text + text_size, s, n);
	text_size += n;
	return at;
}

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* "ffffffff81000000 T _stext" or "... t name	[module]". */
static void take_line(char *line, u32 *module, char *module_name, size_t cap)
{
	char name[256], in_module[64] = "", type;
	unsigned long long addr;

	if (sscanf(line, "%llx %c %255s [%63[^]]]", &addr, &type, name, in_module) < 3 ||
	    !addr || !strchr("tTwW", type))
		return;
	if (strcmp(in_module, module_name)) {
		snprintf(module_name, cap, "%s", in_module);
		*module = in_module[0] ? put_text(in_module) : 0;
	}
	syms = grow(syms, n_syms, &cap_syms, sizeof(*syms));
	syms[n_syms++] = (struct ksym){ addr, put_text(name), *module };
}

int kallsyms_load(void)
{
	char line[512], module_name[64] = "";
	FILE *f = fopen("/proc/kallsyms", "re");
	u32 module = 0;

	if (!f)
		return -errno;
	kallsyms_free();
	put_text("");
	while (fgets(line, sizeof(line), f))
		take_line(line, &module, module_name, sizeof(module_name));
	fclose(f);
	if (!n_syms)
		return -EPERM;
	qsort(syms, n_syms, sizeof(*syms), by_addr);
	return 0;
}

void kallsyms_free(void)
{
	free(syms);
	free(text);
	syms = NULL;
	text = NULL;
	n_syms = cap_syms = 0;
	text_size = text_cap = 0;
}

const char *kallsyms_name(u64 addr, const char **ret_module)
{
	u32 after = bisect(i, 0, n_syms, syms[i].addr <= addr);

	if (!after)
		return NULL;
	*ret_module = text + syms[after - 1].module;
	return text + syms[after - 1].name;
}
