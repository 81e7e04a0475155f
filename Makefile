# SPDX-License-Identifier: GPL-2.0-or-later
# ottop: everything that can be done here. `make help` prints the list.
#
# No recursion and no list to edit: sources are found by wildcard, each
# X.bpf.c below bpf/collectors/ becomes one skeleton, X.skel.h.

BUILD	?= build
ARCH	?= $(shell uname -m)
CROSS	?=
CC	:= $(CROSS)gcc
CLANG	?= clang
BPFTOOL	?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
PKG	:= $(CROSS)pkg-config
PREFIX	?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR	?= $(PREFIX)/lib/systemd/system
DESTDIR	?=
V	?= 0

# On all CPUs, where make was not told how many.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

ifeq ($(V),0)
Q	:= @
say	= @printf '  %-8s %s\n' $(1) $(2)
endif

BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))
WARN	:= -Wall -Wextra -Wno-unused-parameter
CFLAGS	?= -O2 -g
CFLAGS_	= -std=gnu11 -D_GNU_SOURCE -I. -I$(BUILD)/gen $(WARN) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(EXTRA_CFLAGS)
LDLIBS_	= -lbpf -ldwarf -lelf -lz -llzma -ljson-c -lprotobuf-c -liberty -lncursesw -ltinfo -lpthread -lm $(EXTRA_LDLIBS)

SRC	:= $(sort $(wildcard bpf/*.c bpf/*/*.c bpf/collectors/*/*.c tui/*/*.c exporter/*.c exporter/*/*.c symbolizer/*.c))
SRC	:= $(filter-out %.bpf.c,$(SRC))
MAIN	:= tui/main/main.c
BPFSRC	:= $(sort $(wildcard bpf/collectors/*.bpf.c bpf/collectors/*/*.bpf.c))
SKEL	:= $(patsubst %.bpf.c,$(BUILD)/gen/%.skel.h,$(notdir $(BPFSRC)))
OBJ	:= $(SRC:%.c=$(BUILD)/obj/%.o)
PROTO	:= $(sort $(wildcard exporter/proto/*.proto))
PBH	:= $(PROTO:exporter/proto/%.proto=$(BUILD)/gen/%.pb-c.h)
OBJ	+= $(PROTO:exporter/proto/%.proto=$(BUILD)/obj/gen/%.pb-c.o)
LIBOBJ	:= $(filter-out $(MAIN:%.c=$(BUILD)/obj/%.o),$(OBJ))
LIB	:= $(BUILD)/libottop.a
GEN	:= $(BUILD)/gen/syscall_tables.h $(BUILD)/gen/terminfo_entries.h
UNIT	:= $(sort $(wildcard tests/unit/test_*.c))
UNITBIN	:= $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps run test check help clean install uninstall deb static arm64 bench coverage test-kernels test-interop docs insns unit

all: $(BUILD)/ottop	## build build/ottop (the default)

help:			## this list
	@echo 'make TARGET; the targets are:'
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

deps:			## install what is missing to build (apt; elsewhere: name it)
	@tests/deps build

run:			## set up, build, open the console (batch text without a terminal)
	@tests/deps build
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@tests/as-root $(BUILD)/ottop $(ARGS)

check:			## set up, build, the quick half of the tests: no root, no load, two minutes
	@tests/deps build test
	@$(MAKE) --no-print-directory $(PARALLEL) all unit
	@RANDOM_N=100000 tests/run fuzz-short runner unit layers generated screen monkey

test:			## set up, build, run every test
	@tests/deps build test
	@$(MAKE) --no-print-directory $(PARALLEL) all unit
	@tests/as-root tests/run

unit: $(UNITBIN) $(BUILD)/screen-run $(BUILD)/monkey	## build the unit tests and the drivers of the screen tests

test-kernels: static	## boot 5.10, 6.1, 6.12 and 7.x under qemu and count known work there
	@tests/deps build test kernels
	@tests/kernels/run

test-interop: all	## build the OpenTelemetry Collector and Prometheus (with Go), send them what ottop sees
	@tests/deps build test
	@tests/as-root tests/interop/run

bench: all		## cost tables; asserts nothing
	@tests/deps build bench
	@tests/as-root tests/bench/run

coverage:		## line coverage of the tests
	@tests/deps build test
	@tests/coverage

docs: $(BUILD)/docgen	## regenerate what docs/ has from the tables
	$(Q)$(BUILD)/docgen docs

insns: $(SKEL)		## instructions of each BPF program
	@for o in $(BUILD)/gen/*.bpf.o; do llvm-objdump -h $$o | while read -r n name size rest; do \
	  case $$name in .rel*) ;; [?a-z]*_btf/* | iter/* | *tp/* | perf_event) \
	  printf '%-20s %-34s %6d\n' $$(basename $$o) $$name $$((0x$$size / 8)) ;; esac; done; done

install: all		## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/ottop $(DESTDIR)$(PREFIX)/sbin/ottop
	install -D -m 644 docs/ottop.1 $(DESTDIR)$(PREFIX)/share/man/man8/ottop.8
	install -D -m 644 docs/ottop.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ottop
	install -D -m 644 docs/_ottop $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ottop
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/ottop README.md LICENSE docs/deploy.md docs/metrics.md docs/keys.md
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/ottop/examples $(filter-out %.service %.conf %/debian,$(wildcard docs/deploy/*))
	install -d $(DESTDIR)$(UNITDIR)
	sed 's,@PREFIX@,$(PREFIX),; s,@SYSCONFDIR@,$(SYSCONFDIR),' docs/deploy/ottop.service > $(DESTDIR)$(UNITDIR)/ottop.service
	chmod 644 $(DESTDIR)$(UNITDIR)/ottop.service
	[ -e $(DESTDIR)$(SYSCONFDIR)/ottop/ottop.conf ] || \
		install -D -m 640 docs/deploy/ottop.conf $(DESTDIR)$(SYSCONFDIR)/ottop/ottop.conf

uninstall:		## remove what install installed; the configuration stays
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/ottop share/man/man8/ottop.8 \
		share/bash-completion/completions/ottop share/zsh/site-functions/_ottop) \
		$(DESTDIR)$(UNITDIR)/ottop.service
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/ottop

deb:			## a Debian package in build/ (dpkg-buildpackage, in a copy: it writes beside its folder)
	@tests/deps build package
	rm -rf $(BUILD)/deb
	mkdir -p $(BUILD)/deb/ottop
	tar -c --exclude=./.git --exclude=./build . | tar -x -C $(BUILD)/deb/ottop
	cp -a docs/deploy/debian $(BUILD)/deb/ottop/
	cd $(BUILD)/deb/ottop && dpkg-buildpackage -us -uc -b
	mv $(BUILD)/deb/*.deb $(BUILD)/

static: $(BUILD)/ottop-static	## one file that needs nothing, not even a C library

arm64:			## cross-build build/arm64/ottop
	@tests/deps build arm64
	@tests/build-arm64

clean:			## remove build/
	rm -rf $(BUILD)

# ---- how ----

$(BUILD)/ottop: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $^ $(LDLIBS_)

# As where libcurl's headers are not (exporter/otlp/http.c); for its test.
$(BUILD)/ottop-without-curl: $(filter-out $(BUILD)/obj/exporter/otlp/http.o,$(OBJ)) $(BUILD)/obj/without-curl.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $^ $(LDLIBS_)

$(BUILD)/obj/without-curl.o: exporter/otlp/http.c | $(PBH)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_) -DOTTOP_WITHOUT_CURL -c -o $@ $<

# The archive at the end gives what is still missing then: see there.
$(BUILD)/ottop-static: $(OBJ) $(BUILD)/libeu_missing.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -static -o $@ $(OBJ) $(LDLIBS_) $(STATIC_LIBS) $(BUILD)/libeu_missing.a

$(BUILD)/libeu_missing.a: symbolizer/static/libeu_missing.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_) -c -o $(BUILD)/obj/libeu_missing.o $<
	$(Q)$(CROSS)ar rcs $@ $(BUILD)/obj/libeu_missing.o

STATIC_LIBS = $(shell $(PKG) --static --libs-only-l libelf libbpf 2>/dev/null)

$(BUILD)/obj/%.o: %.c | $(SKEL) $(GEN) $(PBH)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_) -c -o $@ $<

vpath %.bpf.c $(sort $(dir $(BPFSRC)))

$(BUILD)/gen/%.bpf.o: %.bpf.c
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -g -O2 -mcpu=v3 -Wall \
	  -Wno-gnu-variable-sized-type-not-at-end -I. \
	  $(BPF_INC) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(BUILD)/gen/%.skel.h: $(BUILD)/gen/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

$(BUILD)/gen/%.pb-c.h: exporter/proto/%.proto
	$(call say,PROTO,$<)
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=exporter/proto --c_out=$(BUILD)/gen $<

$(BUILD)/obj/gen/%.pb-c.o: $(BUILD)/gen/%.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_) -c -o $@ $(<:.h=.c)

$(BUILD)/gen/terminfo_entries.h: tui/term/terminfo.sh
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tui/term/terminfo.sh > $@

$(BUILD)/gen/syscall_tables.h: bpf/host/syscall_names.sh bpf/host/syscalls_new.def
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)bpf/host/syscall_names.sh $(HDR_ROOT) > $@

# Everything but main(), as names of the objects: a test is linked with those that it uses, in a third of the time.
$(LIB): $(LIBOBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcsT $@ $^

# What programs of the kernel do, as a part of its own: their headers and those of the user side do not go together.
$(BUILD)/unit/test_random $(BUILD)/unit/test_http_lost: tests/unit/http_on_host.c
$(BUILD)/unit/test_connections_young: tests/unit/connections_on_host.c

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	$(call say,UNIT,$*)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $< $(filter tests/unit/%_on_host.c,$^) $(LIB) -lcmocka $(LDLIBS_)

$(BUILD)/screen-run: $(wildcard tests/screen/*.c tests/screen/*.h) $(LIB)
	$(call say,UNIT,$@)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS_)

$(BUILD)/monkey: $(wildcard tests/monkey/*.c tests/monkey/*.h) tests/screen/fixture.c tests/screen/fixture.h tests/unit/gen.h $(LIB)
	$(call say,UNIT,$@)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS_)

$(BUILD)/docgen: docs/gen.c $(LIB)
	$(Q)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS_)

-include $(OBJ:.o=.d) $(SKEL:.skel.h=.bpf.d) $(UNITBIN:=.d)
