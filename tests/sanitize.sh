#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sanitize.sh: everything built with ASan and UBSan: the unit tests and random keys over the data of the
# screen tests. sanitize_live.sh is what it builds at work.
set -u
cd "$(dirname "$0")/.."
. tests/sanitized.sh
# Lines are enough to say where: -g1 takes a quarter of the time less than -g, -Og a quarter less than -O1.
flags="-Og -g1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"

export CMOCKA_MESSAGE_OUTPUT=tap
# Kernel programs are not sanitized: those that are built are taken.
mkdir -p build/san
! [ -d build/gen ] || { cp -a build/gen build/san/ && sed -i 's,build/gen/,build/san/gen/,g' build/san/gen/*.bpf.d; }
make --no-print-directory -j2 BUILD=build/san CFLAGS="$flags" LDFLAGS="-fsanitize=address,undefined" all unit \
	>build/log/san-build.log 2>&1 || { tail -n 20 build/log/san-build.log; say 1 "sanitizer build"; exit 1; }
# As many side by side as elsewhere, the monkey beside them: some wait more than they work.
log_of() { echo "build/log/san-$(basename "$1").log"; }
tests=()
export RANDOM_N=${RANDOM_N:-100000}	# of test_random; without sanitizers they are a million
seconds=${MONKEY_SECONDS:-15}
{
	ASAN_OPTIONS=$ASAN_OPTIONS:abort_on_error=1 UBSAN_OPTIONS=$UBSAN_OPTIONS:abort_on_error=1 \
		timeout $((seconds + 180)) build/san/monkey -t "$seconds" tests/screen/*.snap
	echo $? >build/log/san-monkey.log.status
} >build/log/san-monkey.log 2>&1 &
for t in build/san/unit/test_*; do
	[ -x "$t" ] && case $t in *.d) continue ;; esac || continue
	tests+=("$t")
	[ "$(jobs -rp | wc -l)" -le "$(nproc)" ] || wait -n
	{ timeout 600 "$t"; echo $? >"$(log_of "$t").status"; } >"$(log_of "$t")" 2>&1 &
done
wait
for t in "${tests[@]}"; do say "$(cat "$(log_of "$t").status")" "sanitized $(basename "$t")" "$(log_of "$t")"; done
say "$(cat build/log/san-monkey.log.status)" "sanitized monkey: random keys while rows come and go" build/log/san-monkey.log
grep -aE '^ok ' build/log/san-monkey.log | sed 's/^/# /'
exit $bad
