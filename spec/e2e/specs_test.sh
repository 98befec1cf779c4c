#!/bin/bash
# Specs of an operator's own policies, as TAP: what spec/policy-test prints and when it fails.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

# policies NAME: a folder with contract.lua from stdin
policies() {
	mkdir -p "$work/$1/spec"
	cat > "$work/$1/contract.lua"
}
# spec NAME: its spec, the body of one test from stdin
spec() {
	{
		printf 'local policy = require "kserve.policy"\nlocal bundle = policy.load "."\n'
		printf 'it("works", function()\n%s\nend)\n' "$(cat)"
	} > "$work/$1/spec/contract_spec.lua"
}
# policy_test [NAME=VALUE...] FOLDER
policy_test() {
	env BUILD="$BUILD" "${@:1:$#-1}" spec/policy-test "$work/${*: -1}"
}
# ends STATUS COMMAND...
ends() {
	local wanted=$1 status
	shift
	"$@" > /dev/null 2>&1
	status=$?
	[ "$status" = "$wanted" ] || { echo "expected status $wanted, found $status"; return 1; }
}

# ---- coverage ----

policies half <<- 'END'
	local function unused()
	  return 1
	end
	return { contract = function(run)
	  if run.x then
	    return { x = unused() }
	  end
	  return { y = 1 }
	end }
END
spec half <<< 'assert.same({ y = 1 }, bundle:contract({}, {}, {}))'

check "specs that pass, and cover enough" ends 0 policy_test COVERAGE=71 half
check "a file's lines are told" like '^# contract.lua +5 of +7 lines +71.42 %  not run: 2, 6$' policy_test half
check "what a hook costs is told" like '^# contract +1[0-9]{3} +0.02 % +[0-9]+ KiB +0.[0-9]{2} %$' policy_test half
check "too little is a failure" ends 1 policy_test COVERAGE=72 half
check "71.42 % are not 71.43 %" ends 1 policy_test COVERAGE=71.43 half
check "80 % are expected" like 'coverage 71.42 %, expected at least 80 %: too little' policy_test half
check "a threshold that is none" ends 1 policy_test COVERAGE=many half
check "is named" like "COVERAGE: expected a number of percent, found '101'" policy_test COVERAGE=101 half
spec half <<< 'assert.same({ x = 1 }, bundle:contract({ x = 1 }, {}, {})) bundle:contract({}, {}, {})'
check "all is 100 %" ends 0 policy_test COVERAGE=100 half

spec half <<< 'policy.load { ["contract.lua"] = "return { contract = function() return {} end }" }'
check "another bundle's lines do not count" like '^# contract.lua +3 of +7 lines' policy_test half

# ---- failures ----

spec half <<< 'assert.same({ y = 2 }, bundle:contract({ x = 1 }, {}, {})) '
check "a spec that fails" ends 1 policy_test COVERAGE=0 half
check "as TAP" like '^not ok 1 - works' env BUILD="$BUILD" spec/policy-test --tap "$work/half"
rm "$work/half/spec/contract_spec.lua"
check "no spec at all" ends 1 policy_test COVERAGE=0 half
spec half <<< 'bundle:validate({}, {}, {})'
cp scripts/parameters.lua "$work/half/spec/contract.lua"
check "files in a folder inside are no policies" ends 0 policy_test COVERAGE=0 half

policies broken <<< 'return { contract = function() return end'
spec broken <<< ''
check "a policy that cannot be loaded" ends 1 policy_test COVERAGE=0 broken
check "says file and line" like "^contract.lua:2: '}' expected .to close '{' at line 1. near <eof>" policy_test broken

policies sandbox <<< 'return { contract = function() return { time = os.time() } end }'
spec sandbox <<< 'bundle:contract({}, {}, {})'
check "what the cluster does not have fails here" like "contract.lua:1: unknown global 'os'" policy_test sandbox

policies bomb <<< 'return { contract = function() return { x = (("a"):rep(30000)):find((".-"):rep(6) .. "b") } end }'
spec bomb <<< 'bundle:contract({}, {}, {})'
check "what would hang ends" like 'contract.lua:1: the script used more than 500 ms' policy_test bomb

# ---- docs/policies.md ----

# documented FILE: the first block of Lua that starts with this name
documented() {
	awk -v name="-- $1" '
		/^```/ { if (inside) exit; first = 1; next }
		first && $0 == name { inside = 1 }
		{ first = 0 }
		inside' docs/policies.md
}
mkdir -p "$work/first/spec"
documented parameters.lua > "$work/first/parameters.lua"
documented spec/parameters_spec.lua > "$work/first/spec/parameters_spec.lua"
documented spec/reject_spec.lua > "$work/first/spec/reject_spec.lua"
check "the first spec of docs/policies.md covers its policy" like '^# parameters.lua +6 of +6 lines +100.00 %' policy_test first
check "and passes, as the one for errors does" like '^2 successes / 0 failures / 0 errors' policy_test first

# ---- use ----

check "without a folder" ends 2 spec/policy-test
check "with one that is not there" ends 2 spec/policy-test "$work/none"
check "which says so" like "expected a folder of policies, found none at $work/none " spec/policy-test "$work/none"
check "a folder without policies" like 'expected policy files such as contract.lua, found none' \
	env BUILD="$BUILD" spec/policy-test "$work" spec/lua
plain() {
	cd "$work/sandbox" && LUA_PATH="$1/?.lua;;" LUA_CPATH="$1/?.so;;" \
		busted --lua=lua5.4 --pattern=_spec .
}
ldd "$BUILD/lua/kserve/policy.so" | grep -q libasan ||
	check "busted alone, with the two paths" like "unknown global 'os'" plain "$(realpath "$BUILD")/lua"

plan
