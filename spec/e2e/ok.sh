# shellcheck shell=bash
# spec/e2e/ok.sh - TAP for suites that do without lib.sh. To be sourced by one that has a function
# clues, which prints what helps to see why something failed, and ends with `plan`.
tests=0 failures=0

# ok NAME: the status before it decides.
ok() {
	local passed=$? # of the command before
	tests=$((tests + 1))
	if [ $passed -eq 0 ]; then
		echo "ok $tests - $1"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $1"
	clues 2>&1 | sed 's/^/#   /'
}

# plan: the last line; it fails if a test has.
plan() {
	echo "1..$tests"
	[ $failures -eq 0 ]
}
