#!/bin/bash
# The documentation does what it says, as TAP: each Lua example is a policy that the controller takes,
# each command of README.md and docs/ runs as it stands there.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

# blocks LANGUAGE FILE: write each code block of that language to $work/block.N; prints the paths
blocks() {
	rm -f "$work"/block.*
	awk -v language="$1" -v out="$work/block" '
		/^```/ { if (inside) { close(file); inside = 0 } else if ($0 == "```" language) { inside = 1; file = out "." ++n; print file } ; next }
		inside { print > file }' "$2"
}

apisim_up --auto-run 20 && cluster_install || exit 1
engine_start
until_ok 10 engine_ready

# ---- Lua: every block that names its file ----

taken() {
	k get configmap kserve-controller-policies -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}' |
		jq -e --arg before "$before" '.state == "active" and .active != $before'
}
# A module goes with the hook behind it. Specs and calculations are tested by spec/e2e/specs_test.sh
# and spec/lua/docs_spec.lua.
modules=()
for block in $(blocks lua docs/policies.md); do
	file=$(sed -n '1s/^-- \([a-z]*\.lua\)$/\1/p' "$block")
	case $file in
	contract.lua | parameters.lua | status.lua | job.lua | examples.lua) ;;
	'') continue ;;
	*) modules+=(--from-file="$file=$block") && continue ;;
	esac
	before=$(k get configmap kserve-controller-policies -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}' | jq -r '.active // ""')
	policies_apply "${modules[@]}" --from-file="$file=$block"
	check "docs/policies.md: $file is taken" until_ok 5 taken
	modules=()
done

# ---- YAML of README.md ----

for block in $(blocks yaml README.md); do
	check "README.md: its YAML is accepted" k apply -f "$block"
done
check "and its run succeeds" becomes Succeeded iris-run-january

# ---- diagrams ----

# Mermaid 11 takes a label that begins so for a list, which it cannot draw.
list_labels() { awk '/^```mermaid/ { on = 1; next } /^```/ { on = 0 } on' README.md docs/*.md | grep -E '(["[|]|<br/>)([0-9]+[.)]|[-+*]) '; }
check "no label of a diagram begins like a list" is '' list_labels

# ---- commands ----

export EDITOR=true KUBE_EDITOR=true
PATH=$(realpath "$BUILD"):$PATH
for file in README.md docs/*.md examples/README.md; do
	for block in $(blocks sh "$file"); do
		grep -Eq '^(make|helm) ' "$block" && continue # CI runs make; others have suites of their own
		check "$file: $(head -n 1 "$block" | cut -c 1-60)" bash -eu "$block"
	done
done

plan
