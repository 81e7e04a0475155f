#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitize_live.sh: what sanitize.sh has built with ASan and UBSan, live: a run, a recording and its replay,
# random keys in a terminal.
set -u
cd "$(dirname "$0")/.."
. tests/sanitized.sh

if [ "$(id -u)" = 0 ] && build/ottop --check >/dev/null 2>&1; then
	out=$(mktemp -d)
	timeout 300 build/san/ottop --json -v processes,syscalls,events,self -d 0.3 -n 8 >"$out/live.json" 2>"$out/err" &
	pid=$!
	sleep 1
	for _ in 1 2 3 4 5 6 7 8; do ls -R /etc >/dev/null; done
	wait $pid
	say $? "sanitized live run" "$out/err"
	timeout 300 build/san/ottop --record "$out/r.otr" -d 0.2 -n 10 </dev/null >"$out/o" 2>"$out/err"
	say $? "sanitized recording" "$out/err"
	timeout 300 build/san/ottop --replay "$out/r.otr" --json >/dev/null 2>"$out/err"
	say $? "sanitized replay" "$out/err"
	rm -rf "$out"
	timeout 600 tests/monkey/live -t "${LIVE_MONKEY_SECONDS:-12}" build/san/ottop >build/log/san-live-monkey.log 2>&1
	say $? "sanitized live monkey: random keys to ottop in a terminal while processes come and go" \
		build/log/san-live-monkey.log
	grep -aE '^ok ' build/log/san-live-monkey.log | sed 's/^/# /'
else
	echo "ok $((n + 1)) - sanitized live run # SKIP no root or no BPF here"
fi
exit $bad
