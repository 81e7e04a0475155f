# SPDX-License-Identifier: GPL-2.0-or-later
# sanitized.sh: what sanitize.sh and sanitize_live.sh have in common; both read it.
# shellcheck shell=bash
n=0 bad=0
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

say() {	# say STATUS TEXT [LOG]: what failed in the log first, for its end may be a finding that follows from it
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; return; fi
	echo "not ok $n - $2: exit status $1"
	bad=1
	[ -z "${3-}" ] || { tests/what-failed "$3"; echo "... end of $3:"; tail -n 30 "$3"; } | sed 's/^/#   /'
}
