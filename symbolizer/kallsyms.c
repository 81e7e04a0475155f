// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms.c: functions of the kernel and its modules; proc(5), /proc/kallsyms. It is read once:
 * most of what that costs is the kernel's own work, for each pass over the file. Half of its
 * names are those of the padding before functions, "__pfx_" and the name of what follows
 * (CONFIG_PREFIX_SYMBOLS): such a one is a number at its function, not a symbol.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/symbolizer.h"

#define PADDING "__pfx_"
#define PADDING_MAX 256		/* bytes */
#define NAME_MAX_ 512		/* linux/kallsyms.h, KSYM_NAME_LEN */
#define MODULES_MAX 65535

struct ksym {
	u64 addr;
	u32 name;	/* in `text` */
	u16 module;	/* 0: the kernel itself */
	u16 before;	/* bytes of padding */
};

static struct ksym *syms;
static u32 n_syms, cap_syms;
static u32 *modules, n_modules, cap_modules;	/* names, in `text` */
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

/* Symbols of a module follow each other. */
static u16 module_number(const char *name)
{
	if (n_modules && !strcmp(text + modules[n_modules - 1], name))
		return (u16)(n_modules - 1);
	if (n_modules > MODULES_MAX)
		return 0;
	modules = grow(modules, n_modules, &cap_modules, sizeof(*modules));
	modules[n_modules++] = put_text(name);
	return (u16)(n_modules - 1);
}

/* The symbol before is the padding of this one: its place and its text are free again. */
static bool take_padding(struct ksym *s, const char *name)
{
	const struct ksym *last = n_syms ? &syms[n_syms - 1] : NULL;
	const char *text_of_last = last ? text + last->name : "";

	if (!last || last->module != s->module || last->addr >= s->addr ||
	    s->addr - last->addr > PADDING_MAX || strncmp(text_of_last, PADDING, strlen(PADDING)) ||
	    strcmp(text_of_last + strlen(PADDING), name))
		return false;
	s->before = (u16)(s->addr - last->addr);
	text_size = last->name;
	n_syms--;
	return true;
}

/* "ffffffff81000000 T _stext\n" or "... t name\t[module]\n"; false: not such a line. */
static bool parse(char *line, u64 *ret_addr, char **ret_name, char **ret_module)
{
	char *end, *name, *module;

	*ret_addr = strtoull(line, &end, 16);
	if (!*ret_addr || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return false;
	name = end + 3;
	end = name + strcspn(name, " \t\n");
	module = strchr(end, '[');
	*end = '\0';
	if (module)
		module[strcspn(module, "]")] = '\0';
	*ret_name = name;
	*ret_module = module ? module + 1 : "";
	return name[0] != '\0';
}

static void take_line(char *line)
{
	struct ksym s = { 0 };
	char *name, *module;

	if (!parse(line, &s.addr, &name, &module) || text_size > UINT32_MAX - 2 * NAME_MAX_)
		return;
	s.module = module_number(module);
	take_padding(&s, name);
	s.name = put_text(name);
	syms = grow(syms, n_syms, &cap_syms, sizeof(*syms));
	syms[n_syms++] = s;
}

int kallsyms_load(const char *path)
{
	char line[NAME_MAX_ + 128];
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	kallsyms_free();
	module_number("");
	while (fgets(line, sizeof(line), f))
		take_line(line);
	fclose(f);
	if (!n_syms)
		return -EPERM;
	syms = xrealloc(syms, n_syms * sizeof(*syms));
	text = xrealloc(text, text_size);
	qsort(syms, n_syms, sizeof(*syms), by_addr);
	return 0;
}

void kallsyms_free(void)
{
	free(syms);
	free(modules);
	free(text);
	syms = NULL;
	modules = NULL;
	text = NULL;
	n_syms = cap_syms = n_modules = cap_modules = 0;
	text_size = text_cap = 0;
}

size_t kallsyms_bytes(void)
{
	return n_syms * sizeof(*syms) + text_size + cap_modules * sizeof(*modules);
}

const char *kallsyms_name(u64 addr, const char **ret_module)
{
	static char padding[NAME_MAX_ + sizeof(PADDING)];
	u32 after = bisect(i, 0, n_syms, syms[i].addr <= addr);
	const struct ksym *s;

	if (after < n_syms && syms[after].addr - addr <= syms[after].before) {
		s = &syms[after];
		snprintf(padding, sizeof(padding), PADDING "%s", text + s->name);
		*ret_module = text + modules[s->module];
		return padding;
	}
	if (!after)
		return NULL;
	s = &syms[after - 1];
	*ret_module = text + modules[s->module];
	return text + s->name;
}
