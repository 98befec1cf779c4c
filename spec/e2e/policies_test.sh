#!/bin/bash
# The life of policies in the cluster, as TAP: broken edits, restarts, the last good bundle, edits in
# a row while runs start.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

# shellcheck source=spec/e2e/policies.sh
source spec/e2e/policies.sh
kept=$map-last-good
last_good() { k get configmap $kept -o json; }

apisim_up --auto-run 20 && cluster_install || exit 1
k apply -f examples/iris-config.yaml > /dev/null
engine_start
until_ok 10 engine_ready
until_ok 5 state '.state == "active"' > /dev/null
builtin=$(policy_state | jq -r .active)

# ---- the last good bundle ----

edit contract.lua "$(team blue)" > /dev/null
check "an edit is in force" until_ok 5 state '.state == "active" and .active != $builtin'
good=$(policy_state | jq -r .active)
like_the_edit() {
	diff <(last_good | jq -S .data) <(k get configmap $map -o json | jq -S .data) &&
		last_good | jq -e --arg good "$good" --arg uid "$(k get configmap $map -o 'jsonpath={.metadata.uid}')" '.metadata
			| .annotations["ai.krateo.io/policy-digest"] == $good and .ownerReferences[0].uid == $uid
			and .labels["app.kubernetes.io/managed-by"] == "kserve-controller"'
}
check "and is kept" until_ok 5 like_the_edit
edit contract.lua 'return { contract = function( }' > /dev/null
check "a broken one is refused, the edit before stays" until_ok 5 state \
	'.state == "refused" and .active == $good and .kept == "edit" and (.refused | startswith("sha256:")) and (.error | startswith("contract.lua:1:"))'
restart
check "after a restart the last good one is in force, and it says so" until_ok 5 state \
	'.state == "refused" and .active == $good and .kept == "last-good"'
run kept iris-inference-config > /dev/null
check "a run under it succeeds" becomes Succeeded kept
check "made by it" is "$good" run_field kept .status.policy.digest
check "with its contract" is '{"team":"blue"}' contract_of kept
last_good_is_blue() { last_good | jq -e '.data["contract.lua"] | contains("blue")'; }
check "the broken one is not kept" last_good_is_blue

annotation_patches() { api /apisim/requests | jq '[.requests[] | select(.resource == "configmaps" and .verb == "patch" and (.client | startswith("kserve-controller"))) | .count] | add // 0'; }
before=$(annotation_patches)
restart
sleep 0.5
check "another restart with nothing new writes nothing" is "$before" annotation_patches
k annotate configmap $map ai.krateo.io/policy-status- > /dev/null
check "an annotation that is taken away is put back" until_ok 5 state '.kept == "last-good"'

k patch configmap $kept --type merge -p '{"data": {"contract.lua": "return 7"}}' > /dev/null
restart
check "a broken last good one is not used, and told" until_ok 5 state \
	'.state == "refused" and .active == $builtin and .kept == "built-in"'
check "in the log" told 'the last good policies are refused too: contract.lua'

k patch configmap $kept --type merge -p "$(jq -n --arg t "$(team red)" '{data: {"contract.lua": $t}, metadata: {ownerReferences: null}}')" > /dev/null
restart
check "one of somebody else is not used" until_ok 5 state '.active == $builtin and .kept == "built-in"'
check "and told" told "$kept.*belongs to the policy ConfigMap"
k label configmap $kept app.kubernetes.io/managed-by=me --overwrite > /dev/null
edit contract.lua "$(team green)" > /dev/null
check "a good edit" until_ok 5 state '.state == "active"'
check "does not overwrite it" until_ok 5 told "$kept.*is not this controller"
still_red() { last_good | jq -e '.data["contract.lua"] | contains("red")'; }
check "it is left as it was" still_red
k delete configmap $kept > /dev/null
last_good_is() { last_good | jq -e --arg t "$1" '.data["contract.lua"] | contains($t)'; }
check "once it is away, the edit is kept" until_ok 10 last_good_is green

printf 'return "\xe9"' > "$work/parameters.lua"
k create configmap $map --from-file="$work/parameters.lua" --dry-run=client -o json | jq '.data = {}' | k replace -f - > /dev/null
check "a file that is no text is refused by name" until_ok 5 state '.state == "refused" and (.error | startswith("parameters.lua: "))'

# ---- no ConfigMap ----

k delete configmap $map > /dev/null
run bare iris-inference-config > /dev/null
check "without a ConfigMap the built-in policies are in force" becomes Succeeded bare
check "at once" is "$builtin" run_field bare .status.policy.digest
gone() { ! k get configmap $kept; }
check "and the last good one is gone with it" until_ok 5 gone
restart
run bare-again iris-inference-config > /dev/null
check "after a restart too" becomes Succeeded bare-again
check "by their digest" is "$builtin" run_field bare-again .status.policy.digest
k create configmap $map --from-literal=contract.lua='return nil' > /dev/null
check "a broken one in its place: the built-in ones stay" until_ok 5 state '.state == "refused" and .active == $builtin and .kept == "built-in"'
k delete configmap $map > /dev/null

# ---- a status that never stays ----

policies_apply --from-literal=status.lua='return { status = function(run)
	return { phase = "Suspended", reason = run.status.reason == "Tick" and "Tock" or "Tick" } end }'
until_ok 5 state '.state == "active"' > /dev/null
writes() { api /apisim/requests | jq '[.requests[] | select(.resource == "inferenceruns/status" and .verb == "patch") | .count] | add // 0'; }
before=$(writes) began=$SECONDS
run restless iris-inference-config 'suspend: true' > /dev/null
flooded() { (($(writes) - before >= 20)); }
check "is written as it comes" until_ok 20 flooded
sleep 1
paced() { (($(writes) - before <= 22 + (SECONDS - began) / 5)) || writes; }
check "but not without end" paced
k delete irun restless > /dev/null

# ---- an API server that has trouble while the controller starts ----

engine_stop
policies_apply --from-literal=contract.lua="$(team blue)"
engine_start
until_ok 5 last_good_is blue > /dev/null
edit contract.lua 'return nil' > /dev/null
until_ok 5 state '.state == "refused"' > /dev/null
engine_stop
curl -sf -o /dev/null -d "{\"match\": {\"verb\": \"get\", \"resource\": \"configmaps\", \"name\": \"$kept\"}, \"times\": 2, \"fault\": \"500\"}" "$server/apisim/faults"
engine_start
check "the last good one is asked for until there is an answer" until_ok 15 state '.kept == "last-good"'

plan
