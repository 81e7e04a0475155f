#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitize.sh: everything built with ASan and UBSan: the unit tests and random keys over the data of the
# screen tests. sanitize_live.sh is what it builds at work.
set -u
cd "$(dirname "$0")/.."
. tests/sanitized.sh
# Lines are enough to say where: -g1 takes a quarter of the time less than -g.
flags="-O1 -g1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"

export CMOCKA_MESSAGE_OUTPUT=tap
# Kernel programs are not sanitized: those that are built are taken.
mkdir -p build/san
! [ -d build/gen ] || { cp -a build/gen build/san/ && sed -i 's,build/gen/,build/san/gen/,g' build/san/gen/*.bpf.d; }
make --no-print-directory -j2 BUILD=build/san CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" all unit \
	>build/log/san-build.log 2>&1 || { tail -n 20 build/log/san-build.log; say 1 "sanitizer build"; exit 1; }
for t in build/san/unit/test_*; do
	[ -x "$t" ] && case $t in *.d) continue ;; esac || continue
	timeout 600 "$t" >"build/log/san-$(basename "$t").log" 2>&1
	say $? "sanitized $(basename "$t")" "build/log/san-$(basename "$t").log"
done
seconds=${MONKEY_SECONDS:-15}
ASAN_OPTIONS=$ASAN_OPTIONS:abort_on_error=1 UBSAN_OPTIONS=$UBSAN_OPTIONS:abort_on_error=1 \
	timeout $((seconds + 180)) build/san/monkey -t "$seconds" tests/screen/*.snap >build/log/san-monkey.log 2>&1
say $? "sanitized monkey: random keys while rows come and go" build/log/san-monkey.log
grep -aE '^ok ' build/log/san-monkey.log | sed 's/^/# /'
exit $bad
