// SPDX-License-Identifier: GPL-2.0-or-later
/* elf.c: see elf.h. libelf checks the headers it parses; what it hands out is checked again here. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/elf.h"

#define MAX_SECTION (1ull << 30)
#define MAX_DECOMPRESSED (256u << 20)

#ifdef __x86_64__
#define MY_MACHINE EM_X86_64
#else
#define MY_MACHINE EM_AARCH64
#endif

struct elf_file {
	Elf *elf;
	size_t shstrndx;
};

static struct elf_file *wrap(Elf *elf)
{
	struct elf_file *f;
	GElf_Ehdr eh;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh) ||
	    eh.e_machine != MY_MACHINE || gelf_getclass(elf) != ELFCLASS64) {
		elf_end(elf);
		errno = ENOEXEC;
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->elf = elf;
	if (elf_getshdrstrndx(elf, &f->shstrndx))
		f->shstrndx = 0;
	return f;
}

struct elf_file *elf_open(int fd)
{
	elf_version(EV_CURRENT);
	return wrap(elf_begin(fd, ELF_C_READ_MMAP, NULL));
}

struct elf_file *elf_open_memory(const void *data, size_t n)
{
	elf_version(EV_CURRENT);
	return wrap(elf_memory((char *)data, n));
}

void elf_close(struct elf_file *f)
{
	if (!f)
		return;
	elf_end(f->elf);
	free(f);
}

static Elf_Scn *find_section(struct elf_file *f, const char *name, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *found;

		if (!gelf_getshdr(scn, sh))
			continue;
		found = elf_strptr(f->elf, f->shstrndx, sh->sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

/* ch_size is what a hostile header claims: it is checked before libelf allocates it. */
static bool decompress(Elf_Scn *scn)
{
	GElf_Chdr ch;

	return gelf_getchdr(scn, &ch) && ch.ch_size <= MAX_DECOMPRESSED &&
	       elf_compress(scn, 0, 0) >= 0;
}

bool elf_section(struct elf_file *f, const char *name, struct elf_section *ret)
{
	GElf_Shdr sh;
	Elf_Scn *scn = find_section(f, name, &sh);
	Elf_Data *data;

	if (!scn || sh.sh_type == SHT_NOBITS || sh.sh_size > MAX_SECTION)
		return false;
	if ((sh.sh_flags & SHF_COMPRESSED) && !decompress(scn))
		return false;
	data = elf_rawdata(scn, NULL);
	if (sh.sh_flags & SHF_COMPRESSED)
		data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return false;
	ret->data = data->d_buf;
	ret->size = data->d_size;
	ret->addr = sh.sh_addr;
	return true;
}

u64 elf_entry(struct elf_file *f)
{
	GElf_Ehdr eh;

	return gelf_getehdr(f->elf, &eh) ? eh.e_entry : 0;
}

size_t elf_build_id(struct elf_file *f, u8 *buf, size_t cap)
{
	struct elf_section s;
	Elf64_Nhdr n;
	size_t name, want;

	if (!elf_section(f, ".note.gnu.build-id", &s) || s.size < sizeof(n))
		return 0;
	memcpy(&n, s.data, sizeof(n));
	name = ((size_t)n.n_namesz + 3) & ~(size_t)3;
	want = n.n_descsz;
	if (n.n_type != NT_GNU_BUILD_ID || want > cap || name > s.size ||
	    sizeof(n) + name + want > s.size)
		return 0;
	memcpy(buf, s.data + sizeof(n) + name, want);
	return want;
}

u32 elf_exec_segments(struct elf_file *f, struct symbolizer_segment *ret, u32 cap)
{
	size_t n;
	u32 found = 0;

	if (elf_getphdrnum(f->elf, &n))
		return 0;
	for (size_t i = 0; i < n && i < 1024 && found < cap; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(f->elf, (int)i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X))
			ret[found++] = (struct symbolizer_segment){
				.offset = ph.p_offset, .size = ph.p_memsz, .addr = ph.p_vaddr,
			};
	}
	return found;
}

static void symbols_of(struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *sh,
		       void (*fn)(void *arg, const char *name, u64 addr, u64 size), void *arg)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n && i < INT32_MAX; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF || !sym.st_value ||
		    (GELF_ST_TYPE(sym.st_info) != STT_FUNC &&
		     GELF_ST_TYPE(sym.st_info) != STT_GNU_IFUNC))
			continue;
		name = elf_strptr(f->elf, sh->sh_link, sym.st_name);
		if (name && *name)
			fn(arg, name, sym.st_value, sym.st_size);
	}
}

void elf_symbols(struct elf_file *f, void (*fn)(void *arg, const char *name, u64 addr, u64 size),
		 void *arg)
{
	GElf_Shdr sh;
	Elf_Scn *scn = find_section(f, ".symtab", &sh);

	if (!scn || sh.sh_type != SHT_SYMTAB)
		scn = find_section(f, ".dynsym", &sh);
	if (scn && (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM))
		symbols_of(f, scn, &sh, fn, arg);
}
