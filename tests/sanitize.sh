#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitize.sh: everything built with ASan and UBSan: the unit tests and random keys over the data of the
# screen tests. sanitize_live.sh is what it builds at work.
set -u
cd "$(dirname "$0")/.."
n=0 bad=0
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
flags="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"

export CMOCKA_MESSAGE_OUTPUT=tap
say() {	# say STATUS TEXT [LOG]: what failed in the log first, for its end may be a finding that follows from it
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; return; fi
	echo "not ok $n - $2: exit status $1"
	bad=1
	[ -z "${3-}" ] || { tests/what-failed "$3"; echo "... end of $3:"; tail -n 30 "$3"; } | sed 's/^/#   /'
}

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
