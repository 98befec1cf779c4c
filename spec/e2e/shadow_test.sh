#!/bin/bash
# Policies on trial, as TAP: they are asked what those in force are asked, what would change is told,
# and nothing comes of it.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
# shellcheck source=spec/e2e/policies.sh
source spec/e2e/policies.sh

cluster_up_bare && cluster_install || exit 1
k apply -f examples/iris-config.yaml > /dev/null
policies_apply --from-literal=contract.lua="$(team blue)"
engine_start
until_ok 10 engine_ready
until_ok 5 state '.state == "active"' > /dev/null

shadow() { # NAME FILE TEXT: a ConfigMap on trial
	k create configmap "$1" --from-literal="$2=$3" --dry-run=client -o json |
		jq '.metadata.labels = {"ai.krateo.io/policy-mode": "shadow"}' | k apply -f -
}
figures() { # NAME JQ: the condition holds for its figures
	k get configmap "$1" -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-shadow}' | tee "$work/figures" | jq -e "$2" || {
		cat "$work/figures"
		return 1
	}
}

shadow same contract.lua "$(team blue)" > /dev/null
shadow green contract.lua "return { contract = function() return { team = 'green', headers = { authorization = 'x' } } end }" > /dev/null
shadow failing contract.lua $'return { contract = function(run)\n return run.spec.nothing.here\nend }' > /dev/null
for name in same green failing; do
	check "$name is on trial" until_ok 5 state '.state == "active"' "$name"
done
run first iris-inference-config > /dev/null
check "a run is judged by the policies in force" becomes Succeeded first
check "with their contract" is '{"team":"blue"}' contract_of first
check "one that would change nothing" until_ok 15 figures same '.evaluated >= 3 and .differing == 0 and .errors == 0 and .differences == []'
check "one that would change the contract" until_ok 15 figures green '.differing == 1 and .differences == [{run: "kserve-controller-system/first",
	hook: "contract", path: "team", active: "\"blue\"", shadow: "\"green\""}]'
check "one that fails" until_ok 15 figures failing '.errors == 1 and (.differences[0].shadow | test("contract.lua:2: "))'
check "both bundles are named" figures green ".shadow == $(policy_state green | jq .active) and .active == $(policy_state | jq .active)"
check "they are counted" like 'kserve_policy_shadow_evaluations_total\{result="differs"\} 1' \
	curl -s "http://127.0.0.1:$(sed -n 's/.* port=\([0-9]*\)$/\1/p' "$work/engine.log")/metrics"

# ---- more than may be ----

shadow fourth contract.lua "$(team four)" > /dev/null
until_ok 5 state '.state == "active"' fourth > /dev/null
shadow fifth contract.lua "$(team five)" > /dev/null
check "one too many is refused" until_ok 5 state '.state == "refused" and (.error | test("there are 4 ConfigMaps"))' fifth
shadow broken contract.lua 'return {' > /dev/null
k delete configmap same > /dev/null
one_of_two() { state '.state == "active"' fifth || state '.error | startswith("contract.lua:1:")' broken; }
check "once another goes, there is a place" until_ok 5 one_of_two

# ---- nothing waits for it ----

k delete configmap fourth fifth broken failing > /dev/null
shadow bomb contract.lua "return { contract = function() return string.rep('a', 30):find(('a*'):rep(30) .. 'b') end }" > /dev/null
until_ok 5 state '.state == "active"' bomb > /dev/null
for i in 1 2 3 4 5 6; do run "beside-$i" iris-inference-config; done > /dev/null
all_done() { for i in 1 2 3 4 5 6; do is Succeeded run_field "beside-$i" .status.phase || return 1; done; }
check "beside one that never ends, runs succeed" until_ok 20 all_done
check "and it is told" until_ok 20 figures bomb '.errors >= 1'

# ---- promotion ----

edit contract.lua "$(team green)" > /dev/null
until_ok 5 state '.state == "active"' > /dev/null
run second iris-inference-config > /dev/null
check "its text in the policies' own ConfigMap" becomes Succeeded second
check "is in force" is '{"team":"green"}' contract_of second
check "and the figures begin anew" until_ok 15 figures green ".active == $(policy_state | jq .active) and .evaluated < 12"
check "SIGTERM ends it with 0" engine_stop
plan
