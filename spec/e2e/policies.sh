# shellcheck shell=bash disable=SC2154 # work is lib.sh's
# spec/e2e/policies.sh - what the suites about policies share; to be sourced after lib.sh.

map=kserve-controller-policies

policy_state() { # [CONFIGMAP]
	k get configmap "${1:-$map}" -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}'
}

# state JQ [CONFIGMAP]: the condition holds for the annotation; $builtin and $good are digests
state() {
	policy_state "${2:-$map}" | tee "$work/state" |
		jq -e --arg builtin "${builtin:-}" --arg good "${good:-}" "$1" || {
		cat "$work/state"
		return 1
	}
}

# edit FILE TEXT [CONFIGMAP]: one more key of the ConfigMap, or another text for it
edit() {
	k patch configmap "${3:-$map}" --type merge -p "$(jq -n --arg f "$1" --arg t "$2" '{data: {($f): $t}}')"
}

# team NAME: a contract.lua that says so
team() { echo "return { contract = function() return { team = '$1' } end }"; }

# restart [ARG...]: the controller, with these arguments
restart() {
	engine_stop
	engine_start "$@"
	until_ok 10 engine_ready
}

told() { grep -Eq -- "$1" "$work/engine.log"; }
