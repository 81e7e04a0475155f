#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The runner itself (tests/run), in a tree of tests made for it: what counts as passed, failed and
# skipped, and that a second try is one, only of live and terminal tests, alone, and never hidden.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d /tmp/ottop-runner-XXXXXX) || exit 1
trap 'rm -rf "$tree"' EXIT
number=0 bad=0

ok() {	# ok STATUS TEXT
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		bad=1
		echo "not ok $number - $2"
		sed 's/^/#   /' "$tree/out"
	fi
}

fresh() {
	rm -rf "$tree/tests" "$tree/build" "$tree"/ran.*
	mkdir -p "$tree/tests/live" "$tree/tests/terminal" "$tree/build/unit"
	cp tests/run tests/what-failed "$tree/tests/"
}

script() {	# script FILE [HEAD]: stdin is its body; "tries" is how often it has run before
	mkdir -p "$(dirname "$tree/$1")"
	{
		printf '#!/bin/bash\n%s\n' "${2:-}"
		# shellcheck disable=SC2016
		printf 'ran=%s/ran.%s; tries=$(cat "$ran" 2>/dev/null || echo 0)\n' "$tree" "${1//\//.}"
		# shellcheck disable=SC2016
		printf 'echo $((tries + 1)) >"$ran"\n'
		cat
	} >"$tree/$1"
	chmod +x "$tree/$1"
}

tries() { cat "$tree/ran.${1//\//.}" 2>/dev/null || echo 0; }
go() { "$tree/tests/run" "$@" >"$tree/out" 2>&1; }
says() { grep -qE "$1" "$tree/out"; }
last() { [ "$(tail -n 1 "$tree/out")" = "$1" ]; }

good='echo "ok 1 - fine"'
fails_once='echo "ok 1 - fine"; [ $tries -ge 1 ] && echo "ok 2 - of noise" || { echo "not ok 2 - of noise"; exit 1; }'
fails_always='echo "not ok 1 - broken"; exit 1'

fresh
script tests/live/a.test <<<"$good"
script tests/live/b.test <<<'echo "ok 1 - there is none # SKIP no such thing"'
script tests/live/c.test <<<'echo "no BPF here"; exit 77'
go live; ok $? "what passes or is skipped passes"
last "1 passed, 0 failed, 2 skipped"; ok $? "passed and skipped are counted"
! says "again|second"; ok $? "no second try where nothing failed"
[ "$(tries tests/live/a.test)$(tries tests/live/c.test)" = 11 ]; ok $? "each ran once"

fresh
script tests/live/a.test <<<"$good; echo 'not ok 2 # SKIP as_cmocka_says_it'"
go live; ok $? "what cmocka skips is no failure"
last "1 passed, 0 failed, 1 skipped"; ok $? "and is counted"

fresh
script tests/live/a.test <<<"$fails_once"
script tests/live/slow.test <<<"sleep 1; $good; touch $tree/ran.all"
script tests/terminal/t.test <<<"$fails_once"
go live terminal; ok $? "a live and a terminal test that fail once pass"
last "5 passed, 0 failed, 0 skipped"; ok $? "the checks of the second try are counted, the first ones are not"
says '^# live-a failed, and is tried again at the end: not ok 2 - of noise'; ok $? "said when it fails"
says '^# tried again: live-a: not ok 2 - of noise'; ok $? "said when it is tried again, with what failed"
says '^# passed only at the second try: 2$' && says '^#   terminal-t: not ok 2 - of noise'
ok $? "listed at the end with their number"
grep -q 'not ok 2' "$tree/build/log/live-a.first.log"; ok $? "the log of the first try stays"
[ "$(grep -nE '^# tried again' "$tree/out" | head -n 1 | cut -d: -f1)" -gt \
	"$(grep -nE '^# live-slow \(' "$tree/out" | cut -d: -f1)" ]
ok $? "the second try comes when everything else is done"

fresh
script tests/live/a.test <<<"$fails_always"
script tests/live/crash.test <<<'echo "ok 1 - so far"; kill -SEGV $$'
script tests/live/none.test <<<'true'
go live; [ $? != 0 ]; ok $? "what fails twice fails"
last "1 passed, 3 failed, 0 skipped"; ok $? "a failed check, a crash and a file without a check"
[ "$(tries tests/live/a.test)$(tries tests/live/crash.test)$(tries tests/live/none.test)" = 222 ]
ok $? "two tries, not three"
! says 'passed only'; ok $? "none of them is said to have passed"

fresh
script tests/live/long.test <<'end'
echo "ok 1 - fine"; echo "# ours: 1"; echo "not ok 2 - broken"; echo "#     got 3"
seq 3 90 | sed 's/.*/ok & - fine/'; seq 40 | sed 's/^/    leaked /'; exit 1
end
go tests/live/long.test; says '^# ours: 1$' && says '^#     got 3$'
ok $? "what a check that failed said is printed, however long the log goes on"

fresh
script tests/layers.sh <<<"$fails_once"
script tests/generated.sh <<<"$fails_once"
script tests/sanitize.sh <<<"$fails_once"
script tests/fuzz/run <<<"$fails_once"
mkdir "$tree/tests/unit" && touch "$tree/tests/unit/test_x.c"
script build/unit/test_x <<<"$fails_once"
script build/unit/test_old <<<"$fails_always"
script build/screen-run <<<"$fails_once"
go layers generated sanitize fuzz unit screen; [ $? != 0 ]; ok $? "the other kinds have no second try"
last "6 passed, 6 failed, 0 skipped"; ok $? "each of the six failed"
! says '# tried again'; ok $? "and none is tried again"
script tests/live/a.test <<<"$fails_once"
go tests/live/a.test; [ $? != 0 ] && last "1 passed, 1 failed, 0 skipped"
ok $? "a file that is named has no second try either"
script tests/live/a.test <<<"$good"
script tests/terminal/a.test <<<"sleep 0.3; $good; echo 'ok 2 - slower'"
go tests/live/a.test tests/terminal/a.test
last "3 passed, 0 failed, 0 skipped" && grep -q slower "$tree/build/log/terminal-a.log"
ok $? "two files of one name have a log each"

touch "$tree/tests/unit/test_y.c"
go unit; [ $? != 0 ] && says '^not ok - unit-test_y: exit status 127' && last "2 passed, 1 failed, 0 skipped"
ok $? "a unit test that was not built fails"

fresh
for name in a b c d e; do script tests/live/$name.test <<<"$fails_once"; done
go live; [ $? != 0 ]; ok $? "many that fail are no noise"
last "5 passed, 5 failed, 0 skipped" && [ "$(tries tests/live/a.test)" = 1 ]
ok $? "none of them is tried again"

fresh
script tests/live/a.test '# alone' <<<"[ -e $tree/busy ] && echo 'not ok 1 - not alone' || $good"
script tests/live/b.test <<<"touch $tree/busy; sleep 1; rm $tree/busy; $fails_once"
go live; ok $? "tests that run alone do"
last "3 passed, 0 failed, 0 skipped"; ok $? "and are counted"

fresh
script tests/terminal/a.test '# alone' <<<"[ -e $tree/ran.tests.live.b.test ] || echo 'not ok 1 - too early'; $good"
script tests/live/b.test <<<"[ -e $tree/ran.tests.live.c.test ] || echo 'not ok 1 - before the long one'; $good"
script tests/live/c.test '# long' <<<"$good"
JOBS=1 go terminal live; ok $? "those alone run when everything else is done, the long ones first"
last "3 passed, 0 failed, 0 skipped"; ok $? "each once"

# Each waits until the other one is there, and fails beside one of its own lane.
beside() {	# beside LANE OTHER
	cat <<end
[ -e $tree/ran.tests.live.c.test ] || echo "not ok 1 - before one without a mark"
mkdir $tree/$1 || echo "not ok 1 - two of a lane at once"
for i in \$(seq 300); do [ -e $tree/ran.tests.live.$2.test ] && break; sleep 0.1; done
[ -e $tree/ran.tests.live.$2.test ] || echo "not ok 1 - lanes wait for one another"
sleep 0.3; rmdir $tree/$1; $good
end
}
fresh
script tests/live/a.test '# alone' <<<"[ \$(cat $tree/ran.tests.live.* | wc -l) = 5 ] || echo 'not ok 1 - not the last'; $good"
script tests/live/b.test '# lane one: why' <<<"$(beside one e)"
script tests/live/c.test <<<"sleep 0.5; $good"
script tests/live/d.test '# lane one: why' <<<"$(beside one e)"
script tests/live/e.test '# lane two: why' <<<"$(beside two b)"
script tests/terminal/f.test '# lane two: why' <<<"$good"
JOBS=2 go live terminal; ok $? "lanes run beside one another, the tests of each one after the other"
last "6 passed, 0 failed, 0 skipped" && ! says again; ok $? "each once"
script tests/terminal/f.test '# lane two: why' <<<"$fails_once"
rm -f "$tree/ran.tests.terminal.f.test"
JOBS=2 go terminal; says 'passed only at the second try: 1'; ok $? "a test of a lane has a second try, too"

# What computes and the lane http need one another here; the rest of the lane waits for what has no mark.
fresh
until_ran() { echo "for i in \$(seq 300); do [ -e $tree/ran.$1 ] && break; sleep 0.1; done; [ -e $tree/ran.$1 ] || echo 'not ok 1 - not beside it'"; }
script tests/layers.sh <<<"$(until_ran tests.live.h.test); $good"
script tests/live/h.test '# lane http: why' <<<"mkdir $tree/http; $(until_ran tests.layers.sh); sleep 1; rmdir $tree/http; $good"
script tests/live/i.test '# lane http: why' <<<"[ -e $tree/ran.tests.live.b.test ] || echo 'not ok 1 - too early'; $good"
script tests/live/b.test <<<"[ ! -e $tree/http ] || echo 'not ok 1 - beside the lane'; $good"
JOBS=1 go layers live && ! says again; ok $? "the lane http runs beside what computes, and not beside others"
last "4 passed, 0 failed, 0 skipped"; ok $? "each once"

fresh
script tests/sanitize.sh <<<"sleep 0.5; touch $tree/ran.san; $good"
script tests/sanitize_live.sh <<<"[ -e $tree/ran.san ] || echo 'not ok 1 - not built yet'; $good"
script tests/live/b.test <<<"$good"
go sanitize live && last "3 passed, 0 failed, 0 skipped"; ok $? "what sanitize builds runs when it is built"

fresh
script tests/live/a.test '# idle' <<<"for i in \$(seq 300); do [ -e $tree/ran.tests.live.b.test ] && break; sleep 0.1; done; [ -e $tree/ran.tests.live.b.test ] || echo 'not ok 1 - it takes a place'; $good"
script tests/live/b.test <<<"$good"
JOBS=1 go live && ! says again; ok $? "what only waits takes no place"
says '^# live-a \([0-9]+ s, [0-9.]+ \+ [0-9.]+ s of CPU\)'; ok $? "the CPU time of each is said"

echo "1..$number"
exit $bad
