#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# generated.sh: what docs/ has from the tables is what the tables say now, and what
# docs/ARCHITECTURE.md names is there.
# Prints TAP lines; exit status 1 when one differs (`make docs` repairs it).
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
fresh=$(mktemp -d) || exit 1
trap 'rm -rf "$fresh"' EXIT

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

make --no-print-directory -s BUILD="$build" "$build/docgen" >&2 && "$build/docgen" "$fresh"
result $? "docgen builds and runs"
if [ $failed = 1 ]; then
	echo "1..$n"
	exit 1
fi
for file in metrics.md keys.md ottop.1 ottop.bash _ottop; do
	diff -u "docs/$file" "$fresh/$file" > "$fresh/diff" 2>&1
	status=$?
	[ $status = 0 ] || sed 's/^/# /' "$fresh/diff" | head -20
	result $status "docs/$file is what the tables say (else: make docs)"
done

# A test that cannot fail is none: a changed file must be found.
printf 'x\n' >> "$fresh/metrics.md"
! diff -q docs/metrics.md "$fresh/metrics.md" > /dev/null 2>&1
result $? "self-test: a difference is seen"

bash -n "$fresh/ottop.bash"
result $? "docs/ottop.bash is valid bash"
if command -v man > /dev/null; then
	[ -z "$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 \
		"$fresh/ottop.1" 2>&1 > /dev/null)" ]
	result $? "docs/ottop.1 has no roff warnings"
fi

# Each option of the table is in each text that is made for people.
for option in $(sed -n 's/^OPTION([a-z_]*, *"\([a-z]*\)".*/\1/p' tui/main/options.def); do
	grep -q -- "--$option" "$fresh/ottop.bash" && grep -q -- "--$option" "$fresh/_ottop" &&
		grep -q -- "-$option" "$fresh/ottop.1" || missing="$missing $option"
done
[ -z "$missing" ]
result $? "every option is in the man page and the completions$missing"

# Names in `quotes` of a text, beside its examples, that are no file, folder or word of the tree's code.
# By find and grep: who unpacked an archive may have no git.
strangers() {
	sed '/^```/,/^```/d' "$1" | grep -o '`[^` ]*`' | tr -d '`' | sort -u | grep -v 'X\.' | while read -r name; do
		case $name in
		/* | .* | lib*.so) ;;
		*/ | *.c | *.h | *.def | *.md | *.sh | *.test | *.screen | tests/*)
			find ./* -path ./build -prune -o -path "*/$name*" -print -quit | grep -q . || echo "$name" ;;
		*) word=$(expr "$name" : '[^a-zA-Z_]*\([a-zA-Z_]*\)')
			[ ${#word} -lt 3 ] || grep -rqwF -e "$word" bpf tui exporter symbolizer || echo "$name" ;;
		esac
	done
}
gone=$(strangers docs/ARCHITECTURE.md | tr '\n' ' ')
[ -z "$gone" ]
result $? "files and functions that docs/ARCHITECTURE.md names are there $gone"
printf '`bpf/model/base.h` `hash_add()` `bpf/model/nothing.h` `never_written()`\n' > "$fresh/text"
[ "$(strangers "$fresh/text" | tr '\n' ' ')" = "bpf/model/nothing.h never_written() " ]
result $? "self-test: names of nothing are seen"
echo "1..$n"
exit $failed
