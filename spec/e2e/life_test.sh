#!/bin/bash
# The life of a run after its start, as TAP: schedules and their failures, stopping, clean-up, and
# what is not written when nothing has changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

# The runner does what its arguments say; without any it fails in a Job of a bad name.
cat > "$work/runner" <<-'END'
	#!/bin/sh
	[ $# = 0 ] || exec /bin/sh "$@"
	case $job_name in bad-* | inf-bad-*) printf 'no answer' && exit 4 ;; esac
END
chmod +x "$work/runner"
server_up && podrunner_up --image "*=$work/runner" --no-namespaces yes || exit 1
"$KUBECTL" create namespace team > /dev/null
cluster_install --set 'runner.namespaces={team}' || exit 1
engine_start --polling-interval 1s
until_ok 20 engine_ready || exit 1

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
check "does, too" until_ok 20 is 1 k get cronjob "$cronjob" -o 'jsonpath={.spec.failedJobsHistoryLimit}'

# fire NAME: a Job of the CronJob now, as `kubectl create job --from` makes it where it knows batch/v1
fire() {
	k get cronjob "$cronjob" -o json | jq --arg name "$1" '{apiVersion: "batch/v1", kind: "Job",
		metadata: {name: $name, labels: .spec.jobTemplate.metadata.labels,
			annotations: ({"cronjob.kubernetes.io/instantiate": "manual"} + .spec.jobTemplate.metadata.annotations),
			ownerReferences: [{apiVersion, kind, name: .metadata.name, uid: .metadata.uid, controller: true}]},
		spec: .spec.jobTemplate.spec}' | k create -f -
}
check "a time zone that does not exist" run martian plain 'schedule: "@daily"' 'timeZone: Mars/Phobos'
check "is told in the API server's words" until_ok 20 like '^Pending Refused .*(unknown time zone|timeZone).*' \
	run_field martian '.status.phase} {.status.reason} {.status.message'
check "the run can go" k delete irun martian
failures() { run_field bad-nightly '.status.failures[*].job'; }
for i in 1 2 3 4 5 6; do
	check "firing $i" fire "bad-$i"
	check "fails, and is told" until_ok 20 like "bad-$i$" failures
done
check "the last five stay, whatever is left of their Jobs" is "bad-2 bad-3 bad-4 bad-5 bad-6" failures
left() { k get jobs -o name | grep -c '/bad-'; }
check "which is one" until_ok 20 is 1 left
check "with the runner's words" is "InferenceFailed The model did not answer as it should (exit code 4): no answer" \
	run_field bad-nightly '.status.failures[0].reason} {.status.failures[0].message'
check "the message speaks of it" until_ok 20 like 'failed last at .*, InferenceFailed' run_field bad-nightly .status.message
check "the run stays Scheduled" is Scheduled run_field bad-nightly .status.phase
# One Event each: aggregated ones count.
told() { k get events -o json | jq '[.items[] | select(.reason == "InferenceFailed") | .count // 1] | add'; }
check "each failure is one Event" until_ok 20 is 6 told
engine_stop
engine_start --polling-interval 1s
until_ok 20 engine_ready
check "another firing, after a restart" fire bad-7
check "is told" until_ok 20 is "bad-3 bad-4 bad-5 bad-6 bad-7" failures
check "and no other again" until_ok 20 is 7 told
check "a firing that succeeds" fire good
good_succeeded() { k get cronjob "$cronjob" -o 'jsonpath={.status.lastSuccessfulTime}' | grep .; }
until_ok 20 good_succeeded
check "is no failure" until_ok 20 is 7 told

# ---- nothing is written when nothing has changed ----

metric() { curl -s "http://127.0.0.1:$engine_port/metrics" | grep -E "^$1" | cut -d ' ' -f 2; }
engine_port=$(sed -n 's/.* port=\([0-9]*\)$/\1/p' "$work/engine.log")
passes() { metric 'controller_runtime_reconcile_total{controller="inferencerun",result="success"}'; }
# A PUT is of the Lease.
writes() { metric 'rest_client_requests_total{.*method="(POST|PATCH|DELETE)"' | awk '{ n += $1 } END { print n }'; }
quiet() { local before; before=$(writes) && [ "$before" -gt 0 ] && sleep 4 && [ "$(writes)" = "$before" ]; }
for i in 1 2 3 4 5 6 7 8 9; do run "held-$i" plain 'suspend: true' > /dev/null; done
check "runs that are held" becomes Suspended held-9
check "it gets quiet" until_ok 60 quiet
before_writes=$(writes) before_passes=$(passes)
fifty_more() { [ "$(passes)" -ge $((before_passes + 50)) ]; }
check "fifty passes" until_ok 60 fifty_more
check "write nothing" is "$before_writes" writes
check "the config counts its runs" is "10 10 iris True" k get iconf plain -o \
	'jsonpath={.status.runs.total} {.status.runs.active} {.status.model} {.status.conditions[0].status}'

# ---- a schedule that comes by itself ----

# Within a minute: what follows is done meanwhile. On apisim that is for the clock of spec/torture/day.py.
! is_real || check "a schedule of every minute" run minutely plain 'schedule: "* * * * *"'

# ---- clean-up ----

gone() { ! k get irun "$1"; }
objects_of() { k get jobs,configmaps,pods -l "ai.krateo.io/run=$1" -o name; }
for policy in None DeleteOnSuccess DeleteOnCompletion; do
	name=$(tr '[:upper:]' '[:lower:]' <<< "$policy")
	check "autoDeletePolicy $policy" config "$name" "autoDeletePolicy: $policy" 'ttlSecondsAfterFinished: 0'
	run "good-$name" "$name" > /dev/null
	run "bad-$name" "$name" > /dev/null
done
check "None keeps a success" becomes Succeeded good-none
check "and a failure" becomes Failed bad-none
check "DeleteOnSuccess deletes a success" until_ok 20 gone good-deleteonsuccess
check "and keeps a failure" becomes Failed bad-deleteonsuccess
check "DeleteOnCompletion deletes a success" until_ok 20 gone good-deleteoncompletion
check "and a failure" until_ok 20 gone bad-deleteoncompletion
deletions() { k get events -o json | jq -r '[.items[] | select(.reason == "AutoDeleted") | .involvedObject.name] | sort | join(" ")'; }
check "each leaves an Event" until_ok 20 is 'bad-deleteoncompletion good-deleteoncompletion good-deleteonsuccess' deletions
check "a schedule is never deleted" run nightly deleteoncompletion 'schedule: "@yearly"'
check "and says so" until_ok 20 like '^False Scheduled .*no effect' run_field nightly \
	'.status.conditions[?(@.type=="AutoDelete")].status} {.status.conditions[?(@.type=="AutoDelete")].reason} {.status.conditions[?(@.type=="AutoDelete")].message'

# ---- configs of other namespaces ----

borrow() {
	"$KUBECTL" apply -n team -f - <<-END
		apiVersion: ai.krateo.io/v1
		kind: InferenceRun
		metadata: {name: $1}
		spec: {configRef: {name: $2, namespace: $namespace}}
	END
}
borrowed() { "$KUBECTL" get -n team irun "$1" -o "jsonpath={$2}"; }
check "a run of another namespace" borrow guest plain
check "may not use a config that does not say so" until_ok 20 like \
	"^Pending ConfigNotAllowed .*ai.krateo.io/allow-namespaces with \"team\"" borrowed guest '.status.phase} {.status.reason} {.status.message'
check "nor learn whether there is one" borrow stranger nothing
check "by the words" until_ok 20 like '^ConfigNotAllowed' borrowed stranger .status.reason
check "the owner lets it in" k annotate iconf plain 'ai.krateo.io/allow-namespaces=other, team'
check "and it runs" until_ok 20 is Succeeded borrowed guest .status.phase

# ---- limits ----

# big NAME COUNT LENGTH: a run with so many parameters of so many bytes
big() {
	jq -n --arg name "$1" --argjson count "$2" --argjson length "$3" '{apiVersion: "ai.krateo.io/v1",
		kind: "InferenceRun", metadata: {$name}, spec: {configRef: {name: "plain"},
		parameters: [range($count) | {key: "p\(.)", value: ("x" * $length)}] | from_entries}}' | k create -f -
}
contract_size() { k get configmap "$(job_of "$1")" -o 'jsonpath={.data.contract\.json}' | wc -c; }
check "a run whose contract is as large as one may be" big large 16 63950
check "starts and succeeds" becomes Succeeded large
nearly_full() { local rest=$((1024000 - $(contract_size large))) && [ $rest -ge 0 ] && [ $rest -lt 1000 ]; }
check "with few bytes left" nearly_full
check "its status has the rest" is TooLarge run_field large '.status.conditions[?(@.type=="ContractInStatus")].reason'
check "a larger one" big larger 16 64050
check "is rejected" becomes Rejected larger
check "with the limit and what was found" like '^ContractTooLarge expected a contract of at most 1024000 bytes .* found 10[0-9]{5}: shorten' \
	run_field larger '.status.reason} {.status.message'
long=$(printf '%0250d' 0 | tr 0 x).ab
check "a run of the longest name" run "$long" plain
check "succeeds" becomes Succeeded "$long"
check "with a Job whose name fits in 63 characters" is 62 expr length "$(job_of "$long")"
check "and with a schedule" run "s${long:1}" plain 'schedule: "@yearly"'
check "is Scheduled" becomes Scheduled "s${long:1}"
check "with a CronJob whose name fits in 52" is 51 expr length "$(job_of "s${long:1}")"
check "a name that is one longer is the API server's to refuse" like '253' refused run "x$long" plain

# ---- stopping ----

pods_of() { k get pods -l "ai.krateo.io/run=$(run_field "$1" .metadata.uid)" -o name | wc -l; }
started() { k get job "$(job_of "$1")" -o 'jsonpath={.status.startTime}'; }
# works NAME SCRIPT: a config whose runner does that
works() { config "$1" "podTemplate: {spec: {containers: [{name: inference, args: [-c, '$2']}]}}"; }
check "a config of much work" works busy 'exec sleep 3600'
check "a run" run long busy 'timeoutSeconds: 3600'
check "is at work" becomes Running long
check "suspended" change long '{"spec": {"suspend": true}}'
check "it is Suspended" becomes Suspended long
check "its Pod ends" until_ok 20 is 0 pods_of long
check "its time starts anew" until_ok 20 is '' started long
check "without suspend in its spec" k patch irun long --type json -p '[{"op": "remove", "path": "/spec/suspend"}]'
check "it goes on" becomes Running long
check "with another Pod" is 1 pods_of long
check "and a new time" like . started long
check "a run that is made suspended" run held busy 'suspend: true'
check "waits" becomes Suspended held
check "without a Pod" is 0 pods_of held
check "until it is resumed" change held '{"spec": {"suspend": false}}'
check "at work" becomes Running held
uid=$(run_field long .metadata.uid)
check "a run that is deleted at work" k delete irun long
ended() { is '' objects_of "$uid"; }
check "takes Job, ConfigMap and Pod with it" until_ok 20 ended

# shellcheck disable=SC2016 # the runner's variable
check "a runner that tells its variable" works names 'echo job $job_name; exit 2'
check "of a run" run named names
check "which fails" becomes Failed named
check "has the name of its Job" like "job $(job_of named)" run_field named .status.message

# A queue of Kueue's: only the labels are ours, and that nobody else resumes the Job.
queued() {
	k create -f - <<-END
		apiVersion: ai.krateo.io/v1
		kind: InferenceRun
		metadata: {name: $1, labels: {kueue.x-k8s.io/queue-name: gpus, kueue.x-k8s.io/priority-class: high}}
		spec: {configRef: {name: busy}}
	END
}
check "a run for a queue" queued queued
check "waits for it" until_ok 20 is "Pending Queued" run_field queued '.status.phase} {.status.reason'
check "its Job has the labels" is "gpus high true" k get job "$(job_of queued)" -o \
	'jsonpath={.metadata.labels.kueue\.x-k8s\.io/queue-name} {.metadata.labels.kueue\.x-k8s\.io/priority-class} {.spec.suspend}'
check "Kueue resumes it" k patch job "$(job_of queued)" --type merge -p '{"spec": {"suspend": false}}'
check "and it is at work" becomes Running queued
check "suspend" change queued '{"spec": {"suspend": true}}'
check "has no effect, and says so" until_ok 20 is Queued run_field queued '.status.conditions[?(@.type=="Suspend")].reason'
check "the Job is left alone" is false k get job "$(job_of queued)" -o 'jsonpath={.spec.suspend}'

succeeded() { run_field minutely .status.lastSuccessfulTime | grep .; }
if is_real; then
	check "the schedule of every minute has come" until_ok 120 succeeded
	check "and none of its Jobs runs on" until_ok 20 is 'Scheduled ' run_field minutely '.status.phase} {.status.active'
fi
plan
