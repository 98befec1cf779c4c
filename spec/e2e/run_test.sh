#!/bin/bash
# The main way of a run, from kubectl to the stored rows, as TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

cluster_up && cluster_install || exit 1
localized examples/endpoint-secret.yaml |
	sed -e 's/placeholder-user/demo/' -e 's/placeholder-password/demo/' | k apply -f - > /dev/null
engine_start
until_ok 10 engine_ready || exit 1

rows_of() {
	curl -sf -u demo:demo "http://$handler/tables/$1" | jq '.rows | length'
}

# ---- the specification's examples ----

apply_examples() {
	local file
	for file in iris-config iris-run triton-config triton-run; do
		localized "examples/$file.yaml" | k apply -f - || return 1
	done
}
check "the specification's examples are accepted" apply_examples
check "the iris run succeeds" becomes Succeeded iris-run-january
check "the triton run succeeds" becomes Succeeded example-inference-run-triton
check "every iris row is stored" is 150 rows_of kserve_controller_output
check "kubectl wait sees the condition" \
	k wait --for=condition=Ready --timeout=5s inferencerun/iris-run-january

# What `kubectl explain` would have no words for; metadata's are the API server's.
undescribed() {
	"$KUBECTL" get crd inferenceruns.ai.krateo.io inferenceconfigs.ai.krateo.io -o json | jq -r '.. | .properties? | objects
		| to_entries[] | select(.key != "metadata" and .value.description == null) | .key'
}
check "every field of ours has a description" is '' undescribed

uid=$(run_field iris-run-january .metadata.uid)
job=inf-iris-run-january-${uid:0:8}
check "jobStatus points to the Job" is "batch/v1 Job $namespace $job" run_field iris-run-january \
	'.status.jobStatus.apiVersion} {.status.jobStatus.kind} {.status.jobStatus.namespace} {.status.jobStatus.name'
check "the Job is the run's" is "InferenceRun $uid true" k get job "$job" -o \
	'jsonpath={.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].uid} {.metadata.ownerReferences[0].controller}'
check "the result is what the runner reported" is "0 150 1" run_field iris-run-january \
	'.status.result.exitCode} {.status.result.rows.stored} {.status.result.attempts'
check "the status names the policies" like '^sha256:[0-9a-f]{12}$' run_field iris-run-january .status.policy.digest
check "kubectl get shows what matters" like 'iris-run-january +Succeeded +iris-inference-config +sklearn-iris' \
	k get irun
check "events tell the story" like 'Completed.*inferencerun/iris-run-january' k get events

# The contract of the specification, with this run's names.
wanted_contract() {
	jq -S --arg id "$(run_field example-inference-run-triton .metadata.uid)" --arg url "$model" '
		.jobId = $id | .jobName = "inf-example-inference-run-triton-" + $id[0:8]
		| .kserve.modelUrl = $url + "/v2/models/granite-timeseries-ttm-r2/infer"' spec/e2e/contract.json
}
same_contract() {
	diff <(wanted_contract) <(contract_of example-inference-run-triton | jq -S .)
}
check "the contract is the specification's" same_contract
same_as_configmap() {
	[ "$(contract_of iris-run-january)" = "$(k get configmap "$job" -o 'jsonpath={.data.contract\.json}')" ]
}
check "the ConfigMap holds the same bytes as the status" same_as_configmap
check "the ConfigMap is immutable" like 'immutable' refused \
	k patch configmap "$job" --type merge -p '{"data":{"contract.json":"{}"}}'

# ---- exact data ----

# Sent as it stands: kubectl would put the numbers through doubles. An API server keeps whole
# numbers of 63 bits and doubles.
exact_config() {
	api "/apis/ai.krateo.io/v1/namespaces/$namespace/inferenceconfigs" \
		-H 'Content-Type: application/json' -d '{
		"apiVersion": "ai.krateo.io/v1", "kind": "InferenceConfig", "metadata": {"name": "exact"},
		"spec": {"image": "nobody.example/has-this:1", "kserve": {"modelUrl": "x/infer"},
			"storage": {"input": {"custom": {"big": 9007199254740993, "long": 0.30000000000000004,
				"exp": 1e+300, "none": null, "list": [], "map": {}, "deep": [{"a": [1, 2.5]}]}}}}}'
}
check "a config with any storage is accepted" exact_config
check "and a run of it" run exact exact
exact_started() { contract_of exact | grep -q jobId; }
check "it starts" until_ok 10 exact_started
check "every digit reaches the contract" like \
	'"custom":\{"big":9007199254740993,"deep":\[\{"a":\[1,2.5\]\}\],"exp":1e\+300,"list":\[\],"long":0.30000000000000004,"map":\{\},"none":null\}' \
	contract_of exact
check "an image that cannot be pulled is named" until_ok 20 like 'image cannot be pulled' run_field exact .status.message

digits() {
	localized examples/iris-config.yaml |
		sed -e 's/iris-inference-config/digits/' -e 's#/models/sklearn-iris/infer#/models/echo/infer#' | k apply -f - &&
		run digits digits 'parameters: {input_table_name: exact_numbers, output_table_name: digits_out}'
}
check "numbers that no double holds" digits
check "go through runner and model" becomes Succeeded digits
check "and are stored digit by digit" like '9007199254740993.*0\.1000000000000000055|0\.1000000000000000055.*9007199254740993' \
	curl -sf -u demo:demo "http://$handler/tables/digits_out"

# ---- what bad input gets ----

check "a run without its config" run early late \
	'parameters: {input_table_name: kserve_controller_input, output_table_name: early_out}'
check "waits, and names it" until_ok 5 is \
	"Pending ConfigNotFound InferenceConfig \"late\" does not exist in namespace \"$namespace\"; the run goes on once it does" \
	run_field early '.status.phase} {.status.reason} {.status.message'
late_config() { localized examples/iris-config.yaml | sed 's/iris-inference-config/late/' | k apply -f -; }
check "the config appears" late_config
check "and the run goes on by itself" becomes Succeeded early

bad_timeout() { refused run bad iris-inference-config 'timeoutSeconds: 0'; }
check "the schema refuses a timeout of 0" like 'spec.timeoutSeconds.*greater than or equal to 1' bad_timeout
bad_schedule() { refused run bad iris-inference-config 'schedule: "99 99 99 99 99"'; }
check "the schema refuses a schedule that never comes" like 'expected five cron fields' bad_schedule
check "a started run's parameters cannot change" like 'parameters cannot change' refused \
	k patch irun iris-run-january --type merge -p '{"spec":{"parameters":{"a":"b"}}}'

check "a run with reserved parameters" run reserved iris-inference-config \
	'parameters: {job_uid: a, pod_uid: b, input_table_name: t}'
check "is rejected with every violation" until_ok 5 like \
	'^Rejected .*job_uid: is reserved.*; .*pod_uid: is reserved' run_field reserved '.status.phase} {.status.message'
check "and makes no Job" is 0 count jobs -l "ai.krateo.io/run=$(run_field reserved .metadata.uid)"
check "once it is edited" k patch irun reserved --type json \
	-p '[{"op":"replace","path":"/spec/parameters","value":{"input_table_name":"kserve_controller_input","output_table_name":"kserve_controller_output"}}]'
check "it is new" becomes Succeeded reserved

# ---- what a config can tell the runner ----

# Small requests beside each other, to a model that speaks V1 and has trouble now and then.
v1_config() {
	localized examples/iris-config.yaml |
		sed -e 's/iris-inference-config/iris-v1/' -e 's#/v2/models/sklearn-iris/infer#/v1/models/sklearn-iris:predict#' |
		k apply -f - && k patch iconf iris-v1 --type merge \
		-p '{"spec":{"kserve":{"batch":{"rows":7,"parallel":4},"patienceSeconds":60}}}'
	for fault in '"status":503' '"drop":true' '"status":413'; do
		curl -sf -o /dev/null -d "{\"path\":\"/v1/models/sklearn-iris:predict\",$fault}" "http://$model/faults" || return 1
	done
}
check "a config of V1, in chunks" v1_config
check "and its run" run v1 iris-v1 'parameters: {input_table_name: kserve_controller_input, output_table_name: v1_out}'
check "succeeds through trouble" becomes Succeeded v1 60
predictions_of() {
	curl -sf -u demo:demo "http://$handler/tables/$1" | jq -c '.columns as $c | [.rows[] | [.[$c | index("counter", "prediction")]]]'
}
check "it stores every row" is 150 rows_of v1_out
check "and stores what one request to V2 does" is "$(predictions_of early_out)" predictions_of v1_out

# ---- failures tell their cause ----

failing() {
	localized examples/iris-config.yaml |
		sed -e 's/iris-inference-config/nomodel/' -e 's#/models/sklearn-iris/infer#/models/missing/infer#' |
		k apply -f - && k patch iconf nomodel --type merge -p '{"spec":{"backoffLimit":0}}' &&
		run nomodel nomodel 'parameters: {input_table_name: kserve_controller_input, output_table_name: o}'
}
check "a model that does not exist" failing
check "fails the run" becomes Failed nomodel
check "with the exit code in words" like 'InferenceFailed .*exit code 14' run_field nomodel '.status.reason} {.status.message'
check "and nothing is stored" like '^$|null|0' rows_of o

# ---- schedule, suspend, delete ----

check "a scheduled run" run nightly iris-inference-config 'schedule: "0 9 * * MON-FRI"' 'timeZone: Europe/Rome'
check "is Scheduled" becomes Scheduled nightly
nightly=$(run_field nightly .status.jobStatus.name)
check "and has a CronJob" is "0 9 * * MON-FRI Europe/Rome" k get cronjob "$nightly" -o \
	'jsonpath={.spec.schedule} {.spec.timeZone}'
check "a new schedule" k patch irun nightly --type merge -p '{"spec":{"schedule":"30 8 * * *"}}'
check "is applied" until_ok 5 is "30 8 * * *" k get cronjob "$nightly" -o 'jsonpath={.spec.schedule}'
check "suspend" k patch irun nightly --type merge -p '{"spec":{"suspend":true}}'
check "suspends it" becomes Suspended nightly

check "deleting a run" k delete irun exact --wait=true
gone() { [ "$(count jobs,configmaps,pods | tr -d ' ')" -ge 0 ] && ! k get jobs,configmaps,pods -o name | grep -q inf-exact; }
# A garbage collector looks for kinds that are new to it every 30 s.
check "removes its Job, ConfigMap and Pods" until_ok 60 gone

deleting_config() {
	localized examples/iris-config.yaml | sed -e 's/iris-inference-config/cleaning/' \
		-e 's/autoDeletePolicy: None.*/autoDeletePolicy: DeleteOnSuccess\n  ttlSecondsAfterFinished: 1/' | k apply -f - &&
		run cleaned cleaning 'parameters: {input_table_name: kserve_controller_input, output_table_name: o2}'
}
check "autoDeletePolicy DeleteOnSuccess" deleting_config
cleaned_gone() { ! k get irun cleaned; }
check "deletes the run after its time" until_ok 15 cleaned_gone
check "once it had stored its rows" is 150 rows_of o2
check "and leaves an event" like 'AutoDeleted' k get events

# ---- a Job that vanishes ----

check "a Job deleted after the end" k delete job "$job" --wait=true
sleep 1
check "changes nothing" is Succeeded run_field iris-run-january .status.phase
check "and is not made again" is 0 count jobs -l "ai.krateo.io/run=$uid"

denied() { grep -i 'kind=Denied' "$work/engine.log"; }
check "the controller had every right that it needs" refused denied
check "the controller ends with 0 on SIGTERM" engine_stop
plan
