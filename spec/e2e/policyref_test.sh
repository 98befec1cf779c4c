#!/bin/bash
# Policies of one config's own, as TAP: who may have them, what becomes of their runs when they are
# broken, missing or edited, and that nobody else's runs notice.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
# shellcheck source=spec/e2e/policies.sh
source spec/e2e/policies.sh

cluster_up_bare && cluster_install --set policies.perConfig=true || exit 1
k apply -f examples/iris-config.yaml > /dev/null
k get inferenceconfig iris-inference-config -o json | jq '.metadata = {name: "own"} | .spec.policyRef = {name: "own-policies"}' |
	k apply -f - > /dev/null

says() { # RUN PATTERN: phase, reason and message of the run
	like "$2" run_field "$1" '.status.phase} {.status.reason} {.status.message'
}
label() { k label configmap "${2:-own-policies}" "ai.krateo.io/policy-mode=$1" --overwrite; }

# ---- not allowed ----

engine_start --config-policies false
until_ok 10 engine_ready
run refused own > /dev/null
check "a config may not have policies of its own unless that is switched on" until_ok 5 says refused \
	'^Pending PolicyRefNotAllowed .*--config-policies=true'
restart --config-policies true

# ---- not there, broken ----

check "then its runs wait for them" until_ok 10 says refused '^Pending PolicyUnavailable .*no ConfigMap "own-policies" with the label ai.krateo.io/policy-mode=config'
k create configmap own-policies --from-literal=contract.lua='return {' > /dev/null
sleep 0.3
check "a ConfigMap without the label is none" says refused '^Pending PolicyUnavailable .*with the label'
label config > /dev/null
check "a broken one is told at the run" until_ok 5 says refused '^Pending PolicyUnavailable .*"own-policies": contract.lua:1: '
check "and at the ConfigMap" until_ok 5 state '.state == "refused" and .active == "" and .kept == "none"' own-policies
check "in an Event too" until_ok 5 like 'PolicyRefused' k get events --field-selector involvedObject.name=own-policies
check "nothing was made" is 0 count jobs
run other iris-inference-config > /dev/null
check "runs of other configs go on" becomes Succeeded other

# ---- in force ----

edit contract.lua "$(team own)" own-policies > /dev/null
check "once it is mended" until_ok 5 state '.state == "active"' own-policies
check "the run that waited goes on" becomes Succeeded refused
check "judged by it" is '{"team":"own"}' contract_of refused
digest=$(policy_state own-policies | jq -r .active)
check "and says so" is "$digest" run_field refused .status.policy.digest
check "as does its Job" is "$digest" k get jobs -l "ai.krateo.io/run=$(run_field refused .metadata.uid)" \
	-o 'jsonpath={.items[*].metadata.annotations.ai\.krateo\.io/policy-digest}'
edit status.lua 'return { status = function(run, job) return { phase = job.status.completionTime and "Succeeded" or "Pending", reason = "ForAll" } end }' > /dev/null
until_ok 5 state '.state == "active"' > /dev/null
run laid own > /dev/null
check "hooks that it leaves out are those for all" until_ok 10 is 'Succeeded ForAll' run_field laid '.status.phase} {.status.reason'
check "whose change shows in its digest" until_ok 5 state ".active != \"$digest\"" own-policies
check "which is the run's" is "$(policy_state own-policies | jq -r .active)" run_field laid .status.policy.digest
good=$(policy_state own-policies | jq -r .active)
edit contract.lua 'return nil' own-policies > /dev/null
check "a broken edit leaves it as it was" until_ok 5 state '.state == "refused" and .active == $good and .kept == "edit"' own-policies
run kept own > /dev/null
check "for runs too" becomes Succeeded kept
check "with its contract" is '{"team":"own"}' contract_of kept

# ---- gone ----

label none > /dev/null
run orphan own > /dev/null
check "without its label it is gone, and runs wait" until_ok 5 says orphan '^Pending PolicyUnavailable '
edit contract.lua "$(team later)" own-policies > /dev/null
label config > /dev/null
check "with it they go on" becomes Succeeded orphan
check "by what it holds now" is '{"team":"later"}' contract_of orphan
restart --config-policies true
run again own > /dev/null
check "after a restart too" becomes Succeeded again
check "without having waited" is '' k get events --field-selector reason=PolicyUnavailable,involvedObject.name=again -o name
check "SIGTERM ends it with 0" engine_stop
plan
