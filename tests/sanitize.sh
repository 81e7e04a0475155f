#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitize.sh: everything built with ASan and UBSan: the unit tests, the screen
# tests, and a live run with a recording and its replay.
set -u
cd "$(dirname "$0")/.."
n=0 bad=0
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
flags="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"

say() {	# say STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi
}

make --no-print-directory -j2 BUILD=build/san CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" all unit \
	>build/log/san-build.log 2>&1 || { tail -n 20 build/log/san-build.log; say 1 "sanitizer build"; exit 1; }
for t in build/san/unit/test_*; do
	[ -x "$t" ] && case $t in *.d) continue ;; esac || continue
	timeout 600 "$t" >"build/log/san-$(basename "$t").log" 2>&1
	status=$?
	[ $status = 0 ] || tail -n 30 "build/log/san-$(basename "$t").log"
	say $status "sanitized $(basename "$t")"
done
seconds=${MONKEY_SECONDS:-60}
ASAN_OPTIONS=$ASAN_OPTIONS:abort_on_error=1 UBSAN_OPTIONS=$UBSAN_OPTIONS:abort_on_error=1 \
	timeout $((seconds + 180)) build/san/monkey -t "$seconds" tests/screen/*.snap >build/log/san-monkey.log 2>&1
status=$?
tail -n 40 build/log/san-monkey.log | sed 's/^ok/# ok/'
say $status "sanitized monkey: random keys while rows come and go"
if [ "$(id -u)" = 0 ] && build/san/ottop --check >/dev/null 2>&1; then
	out=$(mktemp -d)
	timeout 300 build/san/ottop --json -v processes,syscalls,events,self -d 0.3 -n 8 >"$out/live.json" 2>"$out/err" &
	pid=$!
	sleep 1
	for _ in 1 2 3 4 5 6 7 8; do ls -R /etc >/dev/null; done
	wait $pid
	status=$?
	cat "$out/err"
	say $status "sanitized live run"
	timeout 300 build/san/ottop --record "$out/r.otr" -d 0.2 -n 10 </dev/null >"$out/o" 2>"$out/err"
	status=$?
	cat "$out/err"
	say $status "sanitized recording"
	timeout 300 build/san/ottop --replay "$out/r.otr" --json >/dev/null 2>"$out/err"
	status=$?
	cat "$out/err"
	say $status "sanitized replay"
	rm -rf "$out"
	timeout 600 tests/monkey/live -t "${LIVE_MONKEY_SECONDS:-20}" build/san/ottop >build/log/san-live-monkey.log 2>&1
	status=$?
	tail -n 60 build/log/san-live-monkey.log | sed 's/^ok/# ok/; s/^not ok/# not ok/'
	say $status "sanitized live monkey: random keys to ottop in a terminal while processes come and go"
else
	echo "ok $((n + 1)) - sanitized live run # SKIP no root or no BPF here"
fi
exit $bad
