#!/bin/bash
# How the runner ends and what becomes of its Job, as TAP: what another Pod cannot mend ends it after
# one, everything else is tried again, and the run says why in words.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

cluster_up --env KSERVE_RETRY_DELAY=100ms &&
	cluster_install --set 'runner.secrets={finops-database-handler-endpoint,wrong-password,nobody-there,no-such-secret}' ||
	exit 1
# endpoint NAME URL PASSWORD
endpoint() {
	k create secret generic "$1" --from-literal=server-url="$2" --from-literal=username=demo \
		--from-literal=password="$3" > /dev/null
}
endpoint finops-database-handler-endpoint "http://$handler" demo
endpoint wrong-password "http://$handler" not-the-password
endpoint nobody-there http://127.0.0.1:1 demo
localized examples/iris-config.yaml | "$KUBECTL" create --dry-run=client -o json -f - > "$work/config.json"
engine_start
until_ok 10 engine_ready || exit 1

# start_run NAME CHANGES: a run of the iris config with these changes (jq), one Pod at most after the first
start_run() {
	jq ".metadata.name = \"$1\" | .spec.backoffLimit = 1 | .spec |= ($2)" "$work/config.json" | k apply -f - &&
		run "$1" "$1" 'parameters: {input_table_name: kserve_controller_input, output_table_name: exits_out}'
}
# fault ADDRESS JSON: what strikes the next requests there
fault() { curl -sf -d "$2" "http://$1/faults"; }
# told NAME: phase, exit code, reason and attempts
told() {
	run_field "$1" '.status.phase} {.status.result.exitCode} {.status.result.reason} {.status.result.attempts'
}
words() { run_field "$1" .status.message; }
endpoints() { printf '.storage.%s.krateo.api.endpointRef.name = "%s"' "$1" "$2"; }
# to_volume FILE: the output is a file of a volume, which is our folder data
mkdir -m 777 "$work/data"
to_volume() {
	printf '.storage.output = {file: {path: "/data/%s"}}
		| .podTemplate.spec = {volumes: [{name: "data", hostPath: {path: "%s"}}],
			containers: [{name: "inference", volumeMounts: [{name: "data", mountPath: "/data"}]}]}' \
		"$1" "$work/data"
}
# Each runs beside the others; a model or a notebook that gets a fault is that of one run only.
begin() {
	start_run code2 '.storage.input = {carrier: {pigeon: "white"}}' &&
		start_run code8 "$(endpoints output no-such-secret)" &&
		start_run password "$(endpoints input wrong-password) | $(endpoints output wrong-password)" &&
		start_run code13 '.storage.input.krateo.api.path = "/compute/nobody"' &&
		start_run code14 '.modelUrl |= sub("sklearn-iris/infer"; "nobody/infer")' &&
		start_run code15 '.storage.output.krateo.api.path = "/compute/nobody"' &&
		start_run code3 "$(endpoints input nobody-there)" &&
		start_run code4 '.kserve = {modelUrl: "127.0.0.1:1/v2/models/sklearn-iris/infer", patienceSeconds: 1}' &&
		fault "$handler" '{"path": "/compute/sklearnoutput", "method": "POST", "status": 503}' &&
		start_run code5 '.storage.output.krateo.api.path = "/compute/sklearnoutput"'
}
check "runs that must fail" begin

# ---- what another Pod cannot mend ----

# ends NAME CODE REASON WORDS: after one Pod
ends() {
	check "$1" becomes Failed "$1" 60
	check "$1: exit code $2, $3, one Pod" is "Failed $2 $3 1" told "$1"
	check "$1: and its Job has no other" is 1 count pods -l "ai.krateo.io/run=$(run_field "$1" .metadata.uid)"
	check "$1: in words" like "$4.*Trying again would not help" words "$1"
}
ends code2 2 ContractInvalid 'exit code 2.*expected a storage provider.*carrier'
ends code8 8 SecretNotFound 'exit code 8.*no-such-secret'
ends password 13 InputRejected 'exit code 13.*password authentication failed'
ends code13 13 NotebookMissing 'exit code 13.*nobody'
ends code14 14 ModelRejected 'exit code 14.*Model with name nobody does not exist'
ends code15 15 NotebookMissing 'exit code 15.*nobody'

# ---- what it may ----

# A Job waits 10 s before the second.
retried() {
	check "$1" becomes "$2" "$1" 90
	check "$1: $3" is "$2 $3" told "$1"
	check "$1: the first attempt is told" like "Error $4 " run_field "$1" \
		'range .status.result.lastAttempts[*]}{.reason} {.exitCode} {.message} {end'
}
retried code3 Failed '3 InputUnavailable 2' 3
check "code3: in words" like 'Given up after 2 attempts.*exit code 3' words code3
retried code4 Failed '4 ModelUnavailable 2' 4
retried code5 Succeeded '0 Completed 2' 5

# ---- files of a volume ----

if unshare --mount true 2> /dev/null; then
	check "the output is a file of a volume" start_run volume "$(to_volume '{job}.jsonl') | .kserve = {batch: {rows: 50}}"
	check "that run succeeds" becomes Succeeded volume 30
	check "its last words are in the status" is '150 150 3' run_field volume \
		'.status.result.rows.in} {.status.result.rows.stored} {.status.result.requests'
	flowers() { jq -c .row "$work/data/$(run_field volume .status.jobStatus.name).jsonl"; }
	check "each row is in the file, in order" is "$(seq 150)" flowers

	# The first two rows are refused, once they are alone.
	check "a model that refuses rows" fault "$model" '{"path": "/v2/models/echo/infer", "status": 400, "times": 5}'
	check "where one may fail" start_run code6 "$(to_volume all.jsonl) | .runner = {maxFailedRows: 1}
		| .kserve = {modelUrl: (.modelUrl | sub(\"sklearn-iris/infer\"; \"echo/infer\")), batch: {rows: 10}}"
	ends code6 6 RowsFailed 'exit code 6.*2 of 150 rows failed'
	check "code6: the others are stored, four values each" is 592 run_field code6 .status.result.rows.stored
fi
check "the controller ends with 0 on SIGTERM" engine_stop
plan
