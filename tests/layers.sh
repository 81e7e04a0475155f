#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# layers.sh: includes point the right way, each foreign library is used in one place
# (design.md section 1, docs/ARCHITECTURE.md), and exported functions carry a prefix.
# First shows with planted violations that it would notice. Prints TAP lines; exit status 1 on failure.
cd "$(dirname "$0")/.." || exit 1

# From the bottom up, as docs/ARCHITECTURE.md lists them.
rooms=$(sed -nE 's,^\| `((bpf|tui)/[a-z]*)/?[^`]*`.*,\1,p' docs/ARCHITECTURE.md | sed 's,^bpf/sampler$,bpf,' | tr '\n' ' ')

# Prints "FAIL file: includes X" for each forbidden include below directory $1.
check() {
	(cd "$1" && find bpf tui exporter symbolizer -name '*.[ch]' 2>/dev/null | sort |
	xargs awk -v rooms="$rooms" '
	function fail(why) { printf "FAIL %s: includes %s (%s)\n", FILENAME, inc, why }

	# A library and the only place that may include it.
	function door(lib, place) {
		if (system_include && inc ~ lib && FILENAME !~ place)
			fail("its door is " place)
	}

	# bpf/collectors/x/y.c is in bpf/collectors, bpf/sampler.c in bpf.
	function room_of(file,   part, n) {
		n = split(file, part, "/")
		return n < 3 ? part[1] : part[1] "/" part[2]
	}

	# A room includes itself and what stands before it.
	BEGIN {
		n = split(rooms, room, " ")
		for (i = 1; i <= n; i++)
			rank[room[i]] = i
	}

	FNR == 1 {
		dir = FILENAME
		sub(/\/.*/, "", dir)
		# the composition root may see everything
		root = FILENAME ~ /^tui\/main\/main(_[a-z]+)?\.[ch]$/
	}

	/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
		system_include = /</
		inc = $0
		sub(/^[^<"]*[<"]/, "", inc)
		sub(/[>"].*/, "", inc)

		door("^(ncursesw/)?(n?curses|term|panel|menu|form)\\.h$", "^tui/term/term(\\.c|_[a-z]+\\.[ch])$")
		door("^json-c/", "^exporter/json\\.c$")
		door("^curl/", "^exporter/otlp/http\\.c$")
		door("^(google/)?protobuf-c/", "^exporter/")
		door("^bpf/", "^bpf/")
		door("^zlib\\.h$", "^(bpf|exporter)/|^symbolizer/debugfile\\.c$")
		door("^lzma\\.h$", "^symbolizer/minidebug\\.c$")
		door("^(libdwarf(-[0-9]+)?/)?(libdwarf|dwarf)\\.h$", "^symbolizer/dwarf(\\.c|_[a-z]+\\.[ch])$")
		door("^(libelf|gelf|elfutils/.*)\\.h$", "^symbolizer/elf\\.c$")
		if (system_include) {
			if (inc ~ /^(tui|exporter|symbolizer)\//)
				fail("our own headers are in quotes")
			next
		}

		other = inc
		if (!sub(/\/.*/, "", other)) {
			# no directory: only what is generated, for its own part
			if (!(dir == "bpf" && inc ~ /\.skel\.h$|^syscall_tables\.h$/) &&
			    !(dir == "exporter" && inc ~ /\.pb-c\.h$/) &&
			    !(FILENAME == "tui/term/terminfo.c" && inc == "terminfo_entries.h"))
				fail("write the directory")
			next
		}
		# rooms: one includes only those below it
		mine = room_of(FILENAME)
		theirs = room_of(inc)
		if (other == dir && rank[mine] < rank[theirs]) {
			fail(mine " is below " theirs)
			next
		}
		if ((dir == "bpf" || dir == "tui") && !rank[mine])
			fail(mine " is no room of docs/ARCHITECTURE.md")
		else if (other == dir && theirs == "bpf/record" && mine != "bpf/record")
			fail("for main only")
		else if (inc == "bpf/model/snapshot_build.h" && dir != "bpf")
			fail("a sealed snapshot never changes")
		else if (inc ~ /^bpf\/collectors\// && dir != "bpf")
			fail("wire structs are private to their collector")
		else if (other == dir || root || inc ~ "^bpf/model/(base|hash|index|thread|grpc_codes)\\.h$")
			next
		else if (inc ~ "^bpf/helpers/(message|sandbox|launch)\\.h$" && dir == "symbolizer")
			next
		else if (inc == "bpf/model/snapshot.h" && dir != "symbolizer")
			next
		else if ((inc == "symbolizer/symbolizer.h" || inc == "symbolizer/unwind.h") && FILENAME ~ /^bpf\//)
			next
		else
			fail("not for " dir "/")
	}')
}

# Prefixes of groups of functions that are named after a struct or a family, by folder.
groups="
bpf/model/row bpf/model/table bpf/model/frame bpf/model/blocked bpf/model/count bpf/model/counter
bpf/model/die bpf/model/died bpf/model/grow bpf/model/u64
bpf/model/xmalloc bpf/model/xcalloc bpf/model/xrealloc bpf/model/xstrdup bpf/model/xasprintf
bpf/record/stored bpf/record/reader bpf/record/snapshot
bpf/protocols/follower bpf/host/errno bpf/stacks/packing
bpf/collectors/processes/task bpf/collectors/processes/thread bpf/collectors/processes/counted
bpf/collectors/waits/task bpf/collectors/waits/answer bpf/collectors/waits/question
symbolizer/static/eu
"

# Prints "FAIL file: function()" for each function below directory $1 that is not static and does not
# begin with a word of its file's name, the name of its folder or of a header there, or a group's
# prefix (waits_fds.c has one group by its ending, _answer). Plurals count as singular.
names() {
	(cd "$1" && find bpf tui exporter symbolizer -name '*.[ch]' 2>/dev/null | sort |
	xargs awk -v groups="$groups" '
	function one(word) {
		return length(word) > 3 && word ~ /s$/ ? substr(word, 1, length(word) - 1) : word
	}

	function is_prefix(word,   i, n, part) {
		n = split(stem, part, "_")
		for (i = 1; i <= n; i++)
			if (word == one(part[i]))
				return 1
		return word == one(folder) || (length(word) > 3 && index(stem, word) == 1) || (dir "/" word) in known
	}

	BEGIN {
		n = split(groups, group, " ")
		for (i = 1; i <= n; i++)
			known[group[i]]
		for (i = 1; i < ARGC; i++) {
			if (ARGV[i] !~ /\.h$/)
				continue
			dir = base = ARGV[i]
			sub(/\/[^\/]*$/, "", dir)
			sub(/.*\//, "", base)
			sub(/[._].*/, "", base)
			known[dir "/" one(base)]
		}
	}

	FNR == 1 {
		dir = folder = stem = FILENAME
		sub(/\/[^\/]*$/, "", dir)
		folder = dir
		sub(/.*\//, "", folder)
		sub(/.*\//, "", stem)
		sub(/\..*/, "", stem)
	}

	# A definition: its type stands at the start of the line.
	FILENAME ~ /\.c$/ && FILENAME !~ /\.bpf\.c$/ && !/^(static|typedef|extern|return|else|__)[ _]/ && !/;$/ &&
	/^[a-z][a-z0-9_ *]*[ *][a-z0-9_]+\(/ {
		name = first = $0
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
		first = last = name
		sub(/_.*/, "", first)
		sub(/.*_/, "", last)
		if (name != "main" && !is_prefix(one(first)) && !(last == "answer" && (dir "/answer") in known))
			printf "FAIL %s: %s() has no prefix of its file, folder or group\n", FILENAME, name
	}')
}

n=0
failed=0
result() {	# $1: 0 is good; $2: what
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# Plants "FILE: LINE" in an empty tree and expects a complaint ($1 bad) or none ($1 good).
plant() {
	tree=$(mktemp -d) || exit 1
	mkdir -p "$tree/$(dirname "$2")"
	printf '%s\n' "$3" > "$tree/$2"
	found=$(check "$tree"; names "$tree")
	rm -rf "$tree"
	case "$1:$found" in
	bad:FAIL*|good:) result 0 "self-test: $1: $2: $3" ;;
	*) result 1 "self-test: $1: $2: $3: $found" ;;
	esac
}

plant bad bpf/model/x.c '#include "bpf/host/procfs.h"'
plant bad bpf/record/x.c '#include "bpf/helpers/message.h"'
plant bad bpf/helpers/x.c '#include "bpf/host/users.h"'
plant bad bpf/protocols/x.c '#include "bpf/host/proctab.h"'
plant good bpf/protocols/x.c '#include "bpf/helpers/message.h"'
plant bad bpf/host/x.c '#include "bpf/kernel/probes.h"'
plant bad bpf/host/x.c '#include "bpf/record/codec.h"'
plant bad bpf/kernel/x.bpf.h '#include "bpf/collectors/syscalls/syscalls.h"'
plant bad bpf/uprobes/x.c '#include "bpf/stacks/files.h"'
plant bad bpf/stacks/x.c '#include "bpf/collectors/collector.h"'
plant bad bpf/collectors/x/x.c '#include "bpf/sampler.h"'
plant bad bpf/sampler.c '#include "bpf/record/recording.h"'
plant bad tui/term/x.c '#include "tui/app/keys.h"'
plant bad tui/engines/x.c '#include "tui/table/format.h"'
plant bad tui/table/x.c '#include "tui/app/app.h"'
plant bad tui/app/x.c '#include "tui/views/card.h"'
plant bad tui/views/x.c '#include "tui/main/options.h"'
plant bad tui/x.c '#include "tui/app/app.h"'
plant bad bpf/attic/x.c '#include "bpf/model/base.h"'
plant good bpf/stacks/x.c '#include "bpf/kernel/probes.h"'
plant good bpf/collectors/x/x.bpf.c '#include "bpf/kernel/net.bpf.h"'
plant good tui/views/x.c '#include "tui/engines/heat.h"'
plant bad tui/views/x.c '#include "bpf/sampler.h"'
plant bad  tui/app/app.c '#include "exporter/json.h"'
plant bad  tui/app/app.c '#include "bpf/model/snapshot_build.h"'
plant bad  tui/app/app.c '#include "bpf/record/history.h"'
plant bad  tui/main/main.c '#include "bpf/model/snapshot_build.h"'
plant bad  tui/main/batch.c '#include "bpf/sampler.h"'
plant bad  tui/main/main.c '#include "bpf/collectors/syscalls/syscalls.h"'
plant bad  tui/term/canvas.c '# include <ncursesw/curses.h>'
plant bad  tui/term/termio.c '#include <term.h>'
plant bad  tui/main/batch.c '#include <json-c/json.h>'
plant bad  tui/main/batch.c '#include <bpf/libbpf.h>'
plant bad  tui/main/batch.c '#include "format.h"'
plant bad  exporter/json.c '#include "tui/table/format.h"'
plant bad  exporter/json.c '#include "bpf/model/hist.h"'
plant bad  tui/main/batch.c '#include <zlib.h>'
plant bad  tui/main/main.c '#include "profile.pb-c.h"'
plant bad  bpf/record/codec.c '#include <protobuf-c/protobuf-c.h>'
plant bad  exporter/otlp/otlp.c '#include <curl/curl.h>'
plant good exporter/otlp/http.c '#include <curl/curl.h>'
plant bad  bpf/sampler.c '#include "tui/app/app.h"'
plant bad  bpf/sampler.c '#include <json-c/json.h>'
plant bad  symbolizer/elf.c '#include "bpf/model/snapshot.h"'
plant bad  symbolizer/elf.c '#include <lzma.h>'
plant bad  symbolizer/lines.c '#include <libdwarf/libdwarf.h>'
plant bad  symbolizer/dwarf.h '#include <libdwarf/libdwarf.h>'
plant good symbolizer/dwarf_lines.c '#include <libdwarf/libdwarf.h>'
plant bad  bpf/kernel/x.c '#include <libelf.h>'
plant good symbolizer/elf.c '#include <gelf.h>'
plant bad  tui/app/x.c '#include <tui/app/app.h>'
plant bad  tui/app/x.c '#include "terminfo_entries.h"'
plant good tui/term/terminfo.c '#include "terminfo_entries.h"'
plant bad  exporter/x.c '#include "bpf/helpers/message.h"'
plant bad  symbolizer/x.c '#include "exporter/json.h"'
plant good symbolizer/x.c '#include "bpf/helpers/launch.h"'
plant bad  tui/app/x.c '#include "symbolizer/symbolizer.h"'
plant bad  bpf/stacks/x.c '#include "symbolizer/elf.h"'
plant good bpf/stacks/x.c '#include "symbolizer/unwind.h"'
plant good symbolizer/elf.c '#include "bpf/model/base.h"'
plant good exporter/profile.c '#include "bpf/model/index.h"'
plant good tui/views/x.c '#include "bpf/model/snapshot.h"'
plant good tui/main/main_headless.c '#include "exporter/json.h"'
plant good tui/term/term.c '#include <curses.h>'
plant good tui/term/term_keys.c '#include "tui/term/term_parts.h"'
plant good tui/term/term_parts.h '#include <curses.h>'
plant good exporter/json.c '#include <json-c/json.h>'
plant good bpf/collectors/x.c '#include "x.skel.h"'
plant good bpf/collectors/x.c '#include <bpf/libbpf.h>'
plant good bpf/record/codec.c '#include <zlib.h>'
plant good exporter/pprof.c '#include <zlib.h>'
plant good exporter/pprof.c '#include "profile.pb-c.h"'
plant bad  exporter/otlp/message.c 'void attribute_text(struct scratch *a)'
plant bad  symbolizer/dwarf_die.c 'const struct range *ranges_find(const struct ranges *r, u64 addr)'
plant bad  tui/app/bars.c 'void frame_draw(struct app *a, struct canvas *c)'
plant bad  bpf/host/users.c 'u64 row_count(void)'
plant good bpf/model/builder.c 'u64 row_count(void)'
plant good tui/app/bars.c 'static void frame_draw(struct app *a, struct canvas *c)'
plant good tui/views/flame_draw.c 'void flame_draw_frame(struct app *a)'
plant good tui/views/heatmap_plot.c 'u64 plot_count(const struct plot *p)'

found=$(check .)
[ -z "$found" ] || printf '%s\n' "$found"
[ -z "$found" ]
result $? "includes point the right way, one place per library"
found=$(names .)
[ -z "$found" ] || printf '%s\n' "$found"
[ -z "$found" ]
result $? "exported functions carry the prefix of their file, folder or group"

# Eight names at the top (design 1), the licence and dot files; what a test leaves there is a fault.
strangers=$(git ls-files 2>/dev/null | cut -d/ -f1 | sort -u |
	grep -vxE 'Makefile|README\.md|LICENSE|bpf|symbolizer|tui|exporter|tests|docs|\..*')
[ -z "$strangers" ] || printf '%s\n' "$strangers"
[ -z "$strangers" ]
result $? "nothing else at the top of the tree"
echo "1..$n"
exit $failed
