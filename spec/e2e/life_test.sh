#!/bin/bash
# The life of a run after its start, as TAP: schedules and their failures, stopping, clean-up, and
# what is not written when nothing has changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

apisim_up --auto-run '50,fail=bad,exit=4,message=no answer' && cluster_install || exit 1
engine_start --polling-interval 1s
until_ok 10 engine_ready || exit 1

# config NAME [LINE...]: create an InferenceConfig; each LINE goes under spec
config() {
	local name=$1
	shift
	{
		printf 'apiVersion: ai.krateo.io/v1\nkind: InferenceConfig\nmetadata: {name: %s, namespace: %s}\n' "$name" "$namespace"
		printf 'spec:\n  image: runner:1\n  backoffLimit: 0\n  kserve: {modelName: iris, modelUrl: model/infer}\n'
		[ $# = 0 ] || printf '  %s\n' "$@"
	} | k apply -f -
}
change() { k patch irun "$1" --type merge -p "$2"; }
job_of() { run_field "$1" .status.jobStatus.name; }

# ---- schedules ----

check "a config" config plain
check "a schedule that never comes by itself" run bad-nightly plain 'schedule: "0 0 1 1 *"' \
	'startingDeadlineSeconds: 60' 'successfulJobsHistoryLimit: 0' 'failedJobsHistoryLimit: 2'
check "is Scheduled" becomes Scheduled bad-nightly
cronjob=$(job_of bad-nightly)
check "its limits reach the CronJob" is "60 0 2" k get cronjob "$cronjob" -o \
	'jsonpath={.spec.startingDeadlineSeconds} {.spec.successfulJobsHistoryLimit} {.spec.failedJobsHistoryLimit}'
check "a changed limit" change bad-nightly '{"spec": {"failedJobsHistoryLimit": 1}}'
check "does, too" until_ok 5 is 1 k get cronjob "$cronjob" -o 'jsonpath={.spec.failedJobsHistoryLimit}'

# fire NAME: a Job of the CronJob now (sent as JSON)
fire() { k create job "$1" --from="cronjob/$cronjob" --dry-run=client -o json | k create -f -; }
failures() { run_field bad-nightly '.status.failures[*].job'; }
for i in 1 2 3 4 5 6; do
	check "firing $i" fire "bad-$i"
	check "fails, and is told" until_ok 10 like "bad-$i$" failures
done
check "the last five stay, whatever is left of their Jobs" is "bad-2 bad-3 bad-4 bad-5 bad-6" failures
left() { k get jobs -o name | grep -c '/bad-'; }
check "which is one" until_ok 5 is 1 left
check "with the runner's words" is "InferenceFailed The model did not answer as it should (exit code 4): no answer" \
	run_field bad-nightly '.status.failures[0].reason} {.status.failures[0].message'
check "the message speaks of it" until_ok 5 like 'failed last at .*, InferenceFailed' run_field bad-nightly .status.message
check "the run stays Scheduled" is Scheduled run_field bad-nightly .status.phase
# One Event each: aggregated ones count.
told() { k get events -o json | jq '[.items[] | select(.reason == "InferenceFailed") | .count // 1] | add'; }
check "each failure is one Event" until_ok 10 is 6 told
engine_stop
engine_start --polling-interval 1s
until_ok 10 engine_ready
check "another firing, after a restart" fire bad-7
check "is told" until_ok 10 is "bad-3 bad-4 bad-5 bad-6 bad-7" failures
check "and no other again" until_ok 5 is 7 told
check "a firing that succeeds" fire good
good_succeeded() { k get cronjob "$cronjob" -o 'jsonpath={.status.lastSuccessfulTime}' | grep .; }
until_ok 5 good_succeeded
check "is no failure" until_ok 5 is 7 told

# ---- nothing is written when nothing has changed ----

metric() { curl -s "http://127.0.0.1:$engine_port/metrics" | grep "^$1" | cut -d ' ' -f 2; }
engine_port=$(sed -n 's/.* port=\([0-9]*\)$/\1/p' "$work/engine.log")
passes() { metric 'controller_runtime_reconcile_total{controller="inferencerun",result="success"}'; }
writes() { curl -s "$server/apisim/requests" | jq '[.requests[] | select(.client | startswith("kserve-controller/"))
	| select(.verb == "create" or .verb == "patch" or .verb == "delete") | select(.resource != "leases") | .count] | add // 0'; }
quiet() { local before; before=$(writes) && sleep 4 && [ "$(writes)" = "$before" ]; }
for i in 1 2 3 4 5 6 7 8 9; do run "held-$i" plain 'suspend: true' > /dev/null; done
check "runs that are held" becomes Suspended held-9
check "it gets quiet" until_ok 30 quiet
before_writes=$(writes) before_passes=$(passes)
fifty_more() { [ "$(passes)" -ge $((before_passes + 50)) ]; }
check "fifty passes" until_ok 60 fifty_more
check "write nothing" is "$before_writes" writes
check "the config counts its runs" is "10 10 iris True" k get iconf plain -o \
	'jsonpath={.status.runs.total} {.status.runs.active} {.status.model} {.status.conditions[0].status}'

plan
