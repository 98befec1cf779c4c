#!/bin/bash
# A thousand edits of the policies in a row, good and broken ones, while runs start, as TAP: whatever
# a run is made by, it is the whole of one edit.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
# shellcheck source=spec/e2e/policies.sh
source spec/e2e/policies.sh

edits=1000 # the last one is good

# Both files say which edit they are of. Of each third one is broken, where the other would do.
patches() {
	jq -nr --argjson edits $edits --arg url "$server/api/v1/namespaces/$namespace/configmaps/$map" 'range(1; $edits + 1) as $n
		| {data: {
			"contract.lua": (if $n % 6 == 3 then "return {" else "return { contract = function() return { edit = \($n) } end }" end),
			"job.lua": (if $n % 6 == 0 then "return nothing" else
				"return { shape = function(m) m.metadata.annotations.edit = \"\($n)\" return m end }" end)}}
		| "next", "url = \"\($url)\"", "request = PATCH", "header = \"Content-Type: application/merge-patch+json\"",
			"output = /dev/null", "data = \(tojson | tojson)"' | sed 1d
}

apisim_up --auto-run 20 && cluster_install || exit 1
k apply -f examples/iris-config.yaml > /dev/null
engine_start --max-reconcile-rate 32 --log-level warn
until_ok 5 state '.state == "active"' > /dev/null
patches > "$work/edits"
curl -sf --config "$work/edits" &
editing=$!
runs=0
while kill -0 $editing 2> /dev/null && ((runs < 400)); do
	create_runs $((runs + 1)) $((runs + 10)) 2> /dev/null
	runs=$((runs + 10))
done
check "$edits edits in a row" wait $editing
# The last good one is kept once it is in force: only a run made after that must be of the last edit.
kept() { like "edit = $edits " k get configmap $map-last-good -o 'jsonpath={.data.contract\.lua}'; }
until_ok 10 kept
create_runs $((runs + 1)) $((runs + 1)) 2> /dev/null
runs=$((runs + 1))
ended() { is "$runs Succeeded" phases; }
check "$runs runs succeed meanwhile" until_ok 60 ended

# One line a run: the edit of its contract, of its Job (0: the policies before them), and the digests
# that run and Job tell.
k get jobs -o json > "$work/jobs"
k get inferenceruns -o json | jq -r --slurpfile jobs "$work/jobs" '
	($jobs[0].items | INDEX(.metadata.labels["ai.krateo.io/run"])) as $job
	| .items[] | $job[.metadata.uid].metadata.annotations as $made
	| [(.status.contract | @base64d | fromjson | .edit // 0), ($made.edit // "0" | fromjson),
		.status.policy.digest, $made["ai.krateo.io/policy-digest"]] | @tsv' > "$work/made"
halves() { awk '$1 != $2 || $3 != $4 || $2 > 0 && $2 % 3 == 0' "$work/made"; }
check "each of them is made by one edit, a good one" is '' halves
# The same digest is the same edit.
mixed() { awk '$1 in digest && digest[$1] != $3 { print } { digest[$1] = $3 }' "$work/made"; }
check "and says which" is '' mixed
distinct() { cut -f 1 "$work/made" | sort -u | wc -l; }
several() { [ "$(distinct)" -ge 5 ] || distinct; }
check "they are of several edits" several
last() { contract_of "run-$runs" | jq .edit; }
check "the last one is of the last edit" is $edits last
check "which the annotation tells" until_ok 5 state '.state == "active"'
check "and the last good ConfigMap holds" kept
plan
