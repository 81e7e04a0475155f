// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kallsyms.c: functions of the kernel and its modules; proc(5), /proc/kallsyms. It is read once:
 * most of what that costs is the kernel's own work, for each pass over the file. Half of its
 * names are those of the padding before functions, "__pfx_" and the name of what follows
 * (CONFIG_PREFIX_SYMBOLS): such a one is a number at its function, not a symbol. Then it is packed,
 * in order and in blocks of which a question unpacks one: a quarter of the size, for 10 us a
 * question, and nobody asks for an address twice.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "symbolizer/symbolizer.h"

#define PADDING "__pfx_"
#define PADDING_MAX 256		/* bytes */
#define NAME_MAX_ 512		/* linux/kallsyms.h, KSYM_NAME_LEN */
#define MODULES_MAX 65535
#define BLOCK_SYMS 64		/* twice as many pack 4 % better, and cost a question twice as much */
#define PACK_LEVEL 1

/* While it is read. */
struct ksym {
	u64 addr;
	u32 name;	/* in `text` */
	u16 module;	/* 0: the kernel itself */
	u16 before;	/* bytes of padding */
};

/* In a block, before the names. */
struct packed_sym {
	u32 offset;	/* from where the block begins */
	u16 module, before;
};

struct block {
	u64 addr;	/* where it begins: with the padding of its first symbol */
	u32 at;		/* among the packed bytes */
	u16 n;
	u32 size;	/* unpacked */
};

static struct ksym *syms;	/* while it is read; as text */
static u32 n_syms, cap_syms;
static char *text;
static size_t text_size, text_cap;

static char **modules;
static u32 n_modules, cap_modules;
static struct block *blocks;
static u32 n_blocks, cap_blocks, largest;	/* largest: bytes of one, unpacked */
static u8 *packed;
static size_t packed_size, packed_cap;
static u8 *unpacked;	/* block number `unpacked_block` */
static u32 unpacked_block;

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
	if (n_modules && !strcmp(modules[n_modules - 1], name))
		return (u16)(n_modules - 1);
	if (n_modules > MODULES_MAX)
		return 0;
	modules = grow(modules, n_modules, &cap_modules, sizeof(*modules));
	modules[n_modules++] = xstrdup(name);
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

/* ---- packing ---- */

/* The first symbol that is not in the block that begins with `first`: offsets have 32 bits. */
static u32 block_end(u32 first)
{
	u32 end = first + 1;

	while (end < n_syms && end - first < BLOCK_SYMS && syms[end].addr - syms[first].addr < UINT32_MAX / 2)
		end++;
	return end;
}

/* The symbols from first to end as one run of bytes, which the caller frees. */
static u8 *block_bytes(const struct block *b, u32 first, u32 end, u32 *ret_size)
{
	size_t n = end - first, size = n * sizeof(struct packed_sym);
	struct packed_sym *to;
	char *name;

	for (u32 i = first; i < end; i++)
		size += strlen(text + syms[i].name) + 1;
	to = xmalloc(size);
	name = (char *)(to + n);
	for (u32 i = first; i < end; i++) {
		*to++ = (struct packed_sym){ (u32)(syms[i].addr - b->addr), syms[i].module, syms[i].before };
		name = stpcpy(name, text + syms[i].name) + 1;
	}
	*ret_size = (u32)size;
	return (u8 *)(to - n);
}

static bool pack_block(z_stream *z, u32 first, u32 end)
{
	struct block b = { .addr = syms[first].addr - syms[first].before, .n = (u16)(end - first),
			   .at = (u32)packed_size };
	u8 *bytes = block_bytes(&b, first, end, &b.size);
	size_t most = deflateBound(z, b.size);
	bool ok;

	if (packed_size + most > packed_cap)
		packed = xrealloc(packed, packed_cap = (packed_size + most) * 3 / 2);
	z->next_in = bytes;
	z->avail_in = b.size;
	z->next_out = packed + packed_size;
	z->avail_out = (u32)most;
	ok = deflateReset(z) == Z_OK && deflate(z, Z_FINISH) == Z_STREAM_END;
	packed_size += z->total_out;
	free(bytes);
	largest = max(largest, b.size);
	blocks = grow(blocks, n_blocks, &cap_blocks, sizeof(*blocks));
	blocks[n_blocks++] = b;
	return ok;
}

/* 0 or -ENOMEM. */
static int pack_all(void)
{
	z_stream z = { 0 };
	bool ok = deflateInit2(&z, PACK_LEVEL, Z_DEFLATED, -MAX_WBITS, 5, Z_DEFAULT_STRATEGY) == Z_OK;

	if (!ok)
		return -ENOMEM;
	for (u32 i = 0, end; i < n_syms && ok; i = end)
		ok = pack_block(&z, i, end = block_end(i));
	deflateEnd(&z);
	packed = xrealloc(packed, packed_size);
	packed_cap = packed_size;
	blocks = xrealloc(blocks, n_blocks * sizeof(*blocks));
	cap_blocks = n_blocks;
	unpacked = xmalloc(largest);
	unpacked_block = n_blocks;
	return ok ? 0 : -ENOMEM;
}

static void forget_read(void)
{
	free(syms);
	free(text);
	syms = NULL;
	text = NULL;
	n_syms = cap_syms = 0;
	text_size = text_cap = 0;
}

int kallsyms_load(const char *path)
{
	char line[NAME_MAX_ + 128];
	FILE *f = fopen(path, "re");
	int err = -EPERM;

	if (!f)
		return -errno;
	kallsyms_free();
	module_number("");
	while (fgets(line, sizeof(line), f))
		take_line(line);
	fclose(f);
	if (n_syms) {
		qsort(syms, n_syms, sizeof(*syms), by_addr);
		err = pack_all();
	}
	forget_read();
	if (err)
		kallsyms_free();
	return err;
}

void kallsyms_free(void)
{
	forget_read();
	while (n_modules)
		free(modules[--n_modules]);
	free(modules);
	free(blocks);
	free(packed);
	free(unpacked);
	modules = NULL;
	blocks = NULL;
	packed = unpacked = NULL;
	n_blocks = cap_blocks = cap_modules = largest = 0;
	packed_size = packed_cap = 0;
}

size_t kallsyms_bytes(void)
{
	return packed_size + n_blocks * sizeof(*blocks) + largest + cap_modules * sizeof(*modules);
}

/* ---- questions ---- */

/* Its symbols; their names follow. NULL: there is no memory. */
static const struct packed_sym *block_open(u32 i)
{
	const struct block *b = &blocks[i];
	z_stream z = { .next_in = packed + b->at, .next_out = unpacked, .avail_out = b->size };
	bool ok;

	z.avail_in = (u32)((i + 1 < n_blocks ? b[1].at : packed_size) - b->at);
	if (unpacked_block == i)
		return (const struct packed_sym *)unpacked;
	unpacked_block = n_blocks;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return NULL;
	ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == b->size;
	inflateEnd(&z);
	unpacked_block = ok ? i : n_blocks;
	return ok ? (const struct packed_sym *)unpacked : NULL;
}

static const char *name_in(const struct packed_sym *of_block, u32 n, u32 i)
{
	const char *name = (const char *)(of_block + n);

	while (i--)
		name += strlen(name) + 1;
	return name;
}

const char *kallsyms_name(u64 addr, const char **ret_module)
{
	static char padding[NAME_MAX_ + sizeof(PADDING)];
	u32 block = bisect(i, 0, n_blocks, blocks[i].addr <= addr), n, after;
	const struct packed_sym *s = block-- ? block_open(block) : NULL;
	u64 offset;

	if (!s)
		return NULL;
	n = blocks[block].n;
	offset = addr - blocks[block].addr;
	after = bisect(i, 0, n, s[i].offset <= offset);
	if (after < n && s[after].offset - offset <= s[after].before) {
		snprintf(padding, sizeof(padding), PADDING "%s", name_in(s, n, after));
		*ret_module = modules[s[after].module];
		return padding;
	}
	*ret_module = modules[s[after - 1].module];
	return name_in(s, n, after - 1);
}
