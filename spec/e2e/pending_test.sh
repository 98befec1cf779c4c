#!/bin/bash
# The life of a run, as TAP: what its Pod and its Job meet, told here in the words of a kubelet and of
# a Job controller, and what the run says of it. No kubelet is at work.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

server_up --backoff-scale 0.001 && cluster_install || exit 1
localized() { cat "$@"; }
k apply -f examples/iris-config.yaml > /dev/null
engine_start --pending-timeout 10s
until_ok 20 engine_ready || exit 1

said() { run_field "$1" '.status.phase} {.status.reason} {.status.message'; }
job_of() { run_field "$1" .status.jobStatus.name; }
pod_of() { # the Pod of the run's Job that has not failed
	k get pods -l "job-name=$(job_of "$1")" --field-selector status.phase!=Failed -o name
}
has_pod() { [ -n "$(pod_of "$1")" ]; }
patch_status() { # patch_status PATH STATUS-JSON: kubectl has --subresource since 1.24 only
	api "$1/status" -X PATCH -H 'Content-Type: application/merge-patch+json' -d "{\"status\": $2}" > /dev/null
}
pod_status() { # pod_status RUN STATUS-JSON
	local pod
	pod=$(pod_of "$1")
	patch_status "/api/v1/namespaces/$namespace/pods/${pod#pod/}" "$2"
}
waits() { # waits RUN REASON MESSAGE
	pod_status "$1" "{\"containerStatuses\": [{\"name\": \"inference\", \"state\": {\"waiting\": {\"reason\": \"$2\", \"message\": \"$3\"}}}]}"
}
ends() { # ends RUN CODE MESSAGE
	pod_status "$1" "{\"phase\": \"Failed\", \"containerStatuses\": [{\"name\": \"inference\", \"state\": {\"terminated\": {\"exitCode\": $2, \"reason\": \"Error\", \"message\": \"$3\", \"finishedAt\": \"$(date -u +%FT%TZ)\"}}}]}"
}
config() { # config NAME LINE...: as the example's, with more under spec
	local name=$1
	shift
	{ sed "s/name: iris-inference-config/name: $name/" examples/iris-config.yaml; printf '  %s\n' "$@"; } | k apply -f -
}

# ---- a run that cannot start ----

check "a run whose image nobody can pull" run noimage iris-inference-config
until_ok 20 has_pod noimage
waits noimage ErrImagePull 'manifest unknown'
check "says so" until_ok 20 is 'Pending ErrImagePull The runner image cannot be pulled: manifest unknown' said noimage
waits noimage ImagePullBackOff 'Back-off pulling image'
check "and fails after its time" becomes Failed noimage
check "with the cause" is 'Failed StartTimeout The runner did not start within 10 seconds. The runner image cannot be pulled: manifest unknown' \
	said noimage
check "as an event tells too" until_ok 20 like 'StartTimeout' k get events
check "its Job has ended" until_ok 20 is DeadlineExceeded k get job "$(job_of noimage)" -o \
	'jsonpath={.status.conditions[?(@.type=="Failed")].reason}'
no_pod() { ! has_pod "$1"; }
check "and its Pod is gone" no_pod noimage
check "that is the end of it" is StartTimeout run_field noimage .status.reason

check "a run without a node" run nonode iris-inference-config
until_ok 20 has_pod nonode
pod_status nonode '{"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}'
check "says so" until_ok 20 is 'Pending Unschedulable No node can take the pod: 0/3 nodes are available' said nonode
check "a config that does not wait for ever" config hasty 'pendingTimeoutSeconds: 1'
check "a run of it" run hasty hasty
check "fails for any reason" becomes Failed hasty
check "in the words of that reason" like '^Failed StartTimeout The runner did not start within 1 seconds. ' said hasty
check "the other one still waits" is Unschedulable run_field nonode .status.reason

check "a run that is given up by a controller that is killed" run killed iris-inference-config
until_ok 20 has_pod killed
stop engine KILL
waits killed CreateContainerConfigError 'secret \"token\" not found'
sleep 10
engine_start --pending-timeout 10s --leader-elect=false
check "is given up by the next one" becomes Failed killed
check "with the cause" is 'Failed StartTimeout The runner did not start within 10 seconds. Something that the pod refers to is missing: secret "token" not found' \
	said killed

# warns KIND NAME UID REASON MESSAGE: an Event, as of a kubelet or the Job controller
warns() {
	k apply -f - > /dev/null <<-END
		apiVersion: v1
		kind: Event
		metadata: {name: told-$RANDOM, namespace: $namespace}
		involvedObject: {kind: $1, name: $2, namespace: $namespace, uid: $3}
		type: $([ "$4" = SuccessfulCreate ] && echo Normal || echo Warning)
		reason: $4
		message: '$5'
		lastTimestamp: $(date -u -d '+1 min' +%FT%TZ)
	END
}
check "a run whose volume is missing" run novolume iris-inference-config
until_ok 20 has_pod novolume
pod=$(pod_of novolume)
waits novolume ContainerCreating ''
warns Pod "${pod#pod/}" "$(k get "$pod" -o 'jsonpath={.metadata.uid}')" FailedMount 'secret "model-key" not found'
check "says what only an Event tells" until_ok 30 is 'Pending FailedMount The pod cannot be set up: secret "model-key" not found' \
	said novolume

# ---- a start that was interrupted ----

# interrupted NAME: a run whose start got as far as its status
interrupted() {
	run "$1" iris-inference-config > /dev/null
	interrupted_uid=$(run_field "$1" .metadata.uid)
	interrupted_job=inf-$1-${interrupted_uid:0:8}
	patch_status "/apis/ai.krateo.io/v1/namespaces/$namespace/inferenceruns/$1" "{\"phase\": \"Pending\",
		\"contract\": \"e30=\", \"jobStatus\": {\"kind\": \"Job\", \"name\": \"$interrupted_job\"}}"
}
stop engine KILL
interrupted unmade
interrupted deleted
warns Job "$interrupted_job" gone SuccessfulCreate 'Created pod: x'
engine_start --pending-timeout 10s --leader-elect=false
check "a Job that was never made is made" until_ok 20 has_pod unmade
check "with the contract that was promised" is '{}' k get configmap "$(job_of unmade)" -o 'jsonpath={.data.contract\.json}'
check "a Job that has run and was deleted is not made again" becomes Failed deleted
check "but told" like '^Failed JobLost ' said deleted
check "and there is none" is 0 count jobs -l "ai.krateo.io/run=$interrupted_uid"

# ---- attempts ----

check "a config with one more attempt" config twice 'backoffLimit: 1'
check "a run of it" run twice twice
until_ok 20 has_pod twice
first=$(pod_of twice)
pod_status twice '{"phase": "Running"}'
check "runs" becomes Running twice
check "in its first attempt" is 1 run_field twice .status.result.attempts
ends twice 4 'no route to the model'
another() { has_pod twice && [ "$(pod_of twice)" != "$first" ]; }
check "another attempt is made" until_ok 30 another # a Job waits 10 s
k delete "$first" --wait=false > /dev/null
pod_status twice '{"phase": "Running"}'
check "which counts" until_ok 20 is 2 run_field twice .status.result.attempts
check "the first is remembered, though its Pod is gone" is "${first#pod/} 4 no route to the model" run_field twice \
	'.status.result.lastAttempts[0].pod} {.status.result.lastAttempts[0].exitCode} {.status.result.lastAttempts[0].message'
ends twice 137 ''
check "and the last one is the end" becomes Failed twice
check "which is told" is 'Failed RunnerKilled Given up after 2 attempts. The runner was ended by signal 9 (exit code 137).' said twice
check "SIGTERM ends it with 0" engine_stop
plan
