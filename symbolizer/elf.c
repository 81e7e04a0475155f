// SPDX-License-Identifier: GPL-2.0-or-later
/* elf.c: see elf.h. libelf checks the headers it parses; its results are checked again here. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "symbolizer/elf.h"
#include "symbolizer/mapped.h"

#define MAX_SECTION (1ull << 30)
#define MAX_PACKED 32

#ifdef __x86_64__
#define MY_MACHINE EM_X86_64
#else
#define MY_MACHINE EM_AARCH64
#endif

struct elf_file {
	Elf *elf;
	struct source whole;
	size_t shstrndx;
	struct mapped *mapped;	/* uncompressed sections, mapped */
	Elf_Scn *packed[MAX_PACKED];	/* decompressed sections, owned by libelf */
	u32 n_packed;
	size_t unpacked;	/* bytes of those */
};

static struct elf_file *wrap(Elf *elf, struct source whole)
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
	f->whole = whole;
	if (elf_getshdrstrndx(elf, &f->shstrndx))
		f->shstrndx = 0;
	return f;
}

struct elf_file *elf_file_open(int fd)
{
	struct source whole = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		errno = ENOEXEC;
		return NULL;
	}
	whole.size = (u64)st.st_size;
	elf_version(EV_CURRENT);
	/* libelf must not mmap: a file truncated while being read would raise SIGBUS */
	return wrap(elf_begin(fd, ELF_C_READ, NULL), whole);
}

struct elf_file *elf_file_open_memory(const void *data, size_t n)
{
	elf_version(EV_CURRENT);
	return wrap(elf_memory((char *)data, n), (struct source){ .mem = data, .fd = -1, .size = n });
}

void elf_file_close(struct elf_file *f)
{
	if (!f)
		return;
	elf_end(f->elf);
	mapped_free(&f->mapped);
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
		if (text_is(found, name))
			return scn;
	}
	return NULL;
}

/* libelf replaces the header of a decompressed section, so compare with the file. */
static bool was_packed(const struct elf_file *f, const Elf_Scn *scn)
{
	for (u32 i = 0; i < f->n_packed; i++)
		if (f->packed[i] == scn)
			return true;
	return false;
}

/* Checks ch_size, which a hostile header may claim to be anything, before libelf allocates it. */
static bool decompress(struct elf_file *f, Elf_Scn *scn)
{
	GElf_Chdr ch;

	if (!gelf_getchdr(scn, &ch))
		return false;
	if (ch.ch_size > SYMBOLIZER_UNPACKED_BYTES - f->unpacked || f->n_packed == MAX_PACKED) {
		errno = EFBIG;
		return false;
	}
	if (elf_compress(scn, 0, 0) < 0)
		return false;
	f->packed[f->n_packed++] = scn;
	f->unpacked += ch.ch_size;
	return true;
}

static bool unpacked(struct elf_file *f, Elf_Scn *scn, struct elf_section *ret)
{
	Elf_Data *data;

	if (!was_packed(f, scn) && !decompress(f, scn))
		return false;
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return false;
	ret->data = data->d_buf;
	ret->size = data->d_size;
	return true;
}

/* Maps an uncompressed section. */
static bool plain(struct elf_file *f, const GElf_Shdr *sh, struct elf_section *ret)
{
	struct source part = source_part(&f->whole, sh->sh_offset, sh->sh_size);

	if (!part.size)
		return false;
	ret->data = part.mem ? part.mem : mapped_add(&f->mapped, part.fd, part.start, part.size);
	ret->size = part.size;
	return ret->data;
}

bool elf_section(struct elf_file *f, const char *name, struct elf_section *ret)
{
	GElf_Shdr sh;
	Elf_Scn *scn = find_section(f, name, &sh);

	errno = 0;
	if (!scn || sh.sh_type == SHT_NOBITS || sh.sh_size > MAX_SECTION)
		return false;
	ret->addr = sh.sh_addr;
	return sh.sh_flags & SHF_COMPRESSED || was_packed(f, scn) ? unpacked(f, scn, ret) : plain(f, &sh, ret);
}

void elf_rest(const struct elf_file *f)
{
	mapped_rest(f->mapped);
}

size_t elf_bytes(const struct elf_file *f)
{
	return f->unpacked;
}

u64 elf_entry(struct elf_file *f)
{
	GElf_Ehdr eh;

	return gelf_getehdr(f->elf, &eh) ? eh.e_entry : 0;
}

/* The build-id in a section of notes; its length, 0: none. */
static size_t build_id_note(const struct source *s, u8 *buf, size_t cap)
{
	for (u64 at = 0; at < s->size && at < 65536; ) {
		Elf64_Nhdr n;
		char name[4];
		u64 desc;

		if (!source_get(s, at, &n, sizeof(n)))
			return 0;
		desc = at + sizeof(n) + (((u64)n.n_namesz + 3) & ~3ull);
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && n.n_descsz <= cap &&
		    source_get(s, at + sizeof(n), name, 4) && !memcmp(name, "GNU", 4) &&
		    source_get(s, desc, buf, n.n_descsz))
			return n.n_descsz;
		at = desc + (((u64)n.n_descsz + 3) & ~3ull);
	}
	return 0;
}

/* Searches all note sections: the vDSO's is called .note. */
size_t elf_build_id(struct elf_file *f, u8 *buf, size_t cap)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn))) {
		struct source s;
		size_t n;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_NOTE)
			continue;
		s = source_part(&f->whole, sh.sh_offset, sh.sh_size);
		n = build_id_note(&s, buf, cap);
		if (n)
			return n;
	}
	return 0;
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

/* ---- ranges of the file ---- */

static struct source range(const struct elf_file *f, u64 at, u64 size)
{
	return source_part(&f->whole, at, size);
}

bool elf_section_source(struct elf_file *f, const char *name, struct source *ret, u64 *ret_addr)
{
	GElf_Shdr sh;

	if (!find_section(f, name, &sh) || sh.sh_type == SHT_NOBITS || (sh.sh_flags & SHF_COMPRESSED))
		return false;
	*ret = range(f, sh.sh_offset, sh.sh_size);
	*ret_addr = sh.sh_addr;
	return ret->size != 0;
}

u64 elf_section_end(struct elf_file *f, u32 number)
{
	Elf_Scn *scn = elf_getscn(f->elf, number);
	GElf_Shdr sh;

	return scn && gelf_getshdr(scn, &sh) ? sh.sh_addr + sh.sh_size : 0;
}

size_t elf_read(const struct elf_file *f, u64 offset, void *buf, size_t n)
{
	return source_read(&f->whole, offset, buf, n);
}

u64 elf_size(const struct elf_file *f)
{
	return f->whole.size;
}

bool elf_symbols(struct elf_file *f, bool dynamic, struct elf_symbols *ret)
{
	GElf_Shdr sh, names;
	Elf_Scn *scn = find_section(f, dynamic ? ".dynsym" : ".symtab", &sh);

	if (!scn || sh.sh_type != (dynamic ? SHT_DYNSYM : SHT_SYMTAB) ||
	    sh.sh_entsize != sizeof(Elf64_Sym) || (sh.sh_flags & SHF_COMPRESSED))
		return false;
	scn = elf_getscn(f->elf, sh.sh_link);
	if (!scn || !gelf_getshdr(scn, &names) || names.sh_type != SHT_STRTAB ||
	    (names.sh_flags & SHF_COMPRESSED))
		return false;
	ret->symbols = range(f, sh.sh_offset, sh.sh_size);
	ret->names = range(f, names.sh_offset, names.sh_size);
	return ret->symbols.size && ret->names.size;
}

bool elf_debuglink(struct elf_file *f, char *name, size_t cap, u32 *ret_crc)
{
	struct source s;
	u64 addr;

	if (!elf_section_source(f, ".gnu_debuglink", &s, &addr) || s.size < 8 || s.size > cap ||
	    !source_text(&s, 0, '\0', name, cap))
		return false;
	*ret_crc = (u32)source_uint(&s, s.size - 4, 4);	/* after the padded name */
	return strlen(name) <= s.size - 5;
}

size_t elf_altlink(struct elf_file *f, char *name, size_t cap, u8 *id, size_t id_cap)
{
	struct source s;
	size_t n;
	u64 addr;

	if (!elf_section_source(f, ".gnu_debugaltlink", &s, &addr) ||
	    !source_text(&s, 0, '\0', name, cap) || strlen(name) >= min(s.size, cap - 1))
		return 0;	/* not terminated within the limit */
	n = s.size - strlen(name) - 1;
	return n <= id_cap && source_get(&s, s.size - n, id, n) ? n : 0;
}
