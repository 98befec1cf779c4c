#!/bin/bash
# kubectl on apisim, as TAP: every verb that a user of a cluster has. BUILD says where apisim is,
# KUBECTL which kubectl to use.
# shellcheck disable=SC2016 # what stands in quotes is what kubectl prints
set -u

here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$here/build}
kubectl=${KUBECTL:-kubectl}
dir=$(mktemp -d)
tests=0 failures=0 sim_pid=''
export KUBECONFIG=$dir/kubeconfig

stop() {
	[ -z "$sim_pid" ] || kill "$sim_pid" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap stop EXIT

k() {
	"$kubectl" "$@"
}

result() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $2"
	sed 's/^/#   /' "$dir/out"
}

# prints NAME PATTERN COMMAND...: the command's output, errors included, matches the extended
# regular expression.
prints() {
	local name=$1 wanted=$2
	shift 2
	"$@" >"$dir/out" 2>&1
	[ -s "$dir/out" ] || echo >"$dir/out" # so that ^$ matches
	grep -Eq -- "$wanted" "$dir/out"
	result $? "$name"
}

# apply NAME PATTERN: as prints, of kubectl apply of the standard input.
apply() {
	prints "$1" "$2" k apply -f -
}

curl_api() {
	curl -sS -m 10 "$url/$1" "${@:2}"
}

start() {
	"$build/apisim" --port-file "$dir/port" --auto-run "400,fail=^bad,exit=3" \
		--backoff-scale 0.01 >"$dir/log" 2>&1 &
	sim_pid=$!
	for _ in $(seq 100); do
		[ -s "$dir/port" ] && break
		sleep 0.1
	done
	url=http://127.0.0.1:$(cat "$dir/port")
	cat >"$KUBECONFIG" <<-YAML
		apiVersion: v1
		kind: Config
		clusters: [{name: sim, cluster: {server: "$url"}}]
		users: [{name: sim, user: {}}]
		contexts: [{name: sim, context: {cluster: sim, user: sim}}]
		current-context: sim
	YAML
}

crd() {
	cat <<-'YAML'
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: things.test.io}
		spec:
		  group: test.io
		  scope: Namespaced
		  names: {plural: things, singular: thing, kind: Thing, shortNames: [th], categories: [all]}
		  versions:
		  - name: v1
		    served: true
		    storage: true
		    subresources: {status: {}}
		    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
		    schema:
		      openAPIV3Schema:
		        type: object
		        properties:
		          spec:
		            type: object
		            required: [size]
		            properties:
		              size: {type: integer, minimum: 1}
		              color: {type: string, default: red}
		          status:
		            type: object
		            properties: {phase: {type: string}}
	YAML
}

# thing NAME SIZE [MORE]
thing() {
	printf 'apiVersion: test.io/v1\nkind: Thing\nmetadata: {name: %s}\nspec: {size: %s%s}\n' \
		"$1" "$2" "${3:-}"
}

# job NAME [LINE]: LINE goes under spec
job() {
	printf 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: %s}\nspec:\n' "$1"
	[ -z "${2:-}" ] || printf '  %s\n' "$2"
	printf '  template:\n    spec:\n      restartPolicy: Never\n'
	printf '      containers: [{name: main, image: example}]\n'
}

discovery() {
	prints 'version' 'v1\.32\.0-apisim' k version
	prints 'api-resources of a group' 'cronjobs +cj +batch/v1 +true +CronJob' k api-resources
	prints 'api-versions' '^batch/v1$' k api-versions
	prints 'what is not served' "doesn't have a resource type" k get unicorns
}

custom_resources() {
	apply 'a CRD is created' 'things.test.io created' < <(crd)
	prints 'the CRD is established' 'condition met' \
		k wait --for=condition=Established crd/things.test.io --timeout=10s
	apply 'the CRD again changes nothing' 'things.test.io unchanged' < <(crd)
	apply 'the schema refuses' 'spec.size.*greater than or equal to 1' < <(thing a 0)
	prints 'apply without a required field' 'spec.size: Required value' k apply -f - <<-'YAML'
		{"apiVersion": "test.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {}}
	YAML
	apply 'create' 'thing.test.io/a created' < <(thing a 2)
	apply 'no change' 'thing.test.io/a unchanged' < <(thing a 2)
	apply 'merge patch' 'thing.test.io/a configured' < <(thing a 3)
	prints 'generation' '^2$' k get thing a -o 'jsonpath={.metadata.generation}'
	prints 'a default' '^red$' k get th a -o 'jsonpath={.spec.color}'
	prints 'printer columns' '^a +3' k get things
	prints 'a category' 'thing.test.io/a' k get all
	prints 'unknown fields are pruned' '^$' k get thing a -o 'jsonpath={.spec.nope}'
	prints 'patch merge' 'patched' k patch thing a --type=merge -p '{"spec":{"size":4}}'
	prints 'patch json' 'patched' k patch thing a --type=json \
		-p '[{"op":"replace","path":"/spec/size","value":5}]'
	prints 'a patch that fails its test' 'request is invalid' k patch thing a --type=json \
		-p '[{"op":"test","path":"/spec/size","value":1}]'
	prints 'the status is left alone by a patch of the object' '^$' \
		k get thing a -o 'jsonpath={.status.phase}'
	curl_api apis/test.io/v1/namespaces/default/things/a/status -X PATCH \
		-H 'Content-Type: application/merge-patch+json' \
		-d '{"status":{"phase":"Done"},"spec":{"size":9}}' >/dev/null
	prints 'the object is left alone by a patch of the status' '^Done 5$' \
		k get thing a -o 'jsonpath={.status.phase} {.spec.size}'
	prints 'describe' 'Phase: +Done' k describe thing a
}

strict_fields() {
	local body='{"apiVersion":"test.io/v1","kind":"Thing","metadata":{"name":"s"},"spec":{"size":1,"nope":1}}'
	local path=apis/test.io/v1/namespaces/default/things

	prints 'fieldValidation=Strict refuses' 'unknown field \\"spec.nope\\"' \
		curl_api "$path?fieldValidation=Strict" -d "$body" -H 'Content-Type: application/json'
	prints 'fieldValidation=Warn warns' '^Warning: 299 - "unknown field' \
		curl_api "$path?fieldValidation=Warn&dryRun=All" -d "$body" \
		-H 'Content-Type: application/json' -i
	prints 'a dry run stores nothing' 'NotFound' k get thing s
}

built_in_kinds() {
	prints 'create configmap' 'created' k create configmap c --from-literal=x=1
	prints 'create secret' 'created' k create secret generic s --from-literal=p=q
	prints 'create again' 'AlreadyExists|already exists' k create configmap c --from-literal=x=1
	prints 'label' 'labeled' k label configmap c app=demo tier=a
	prints 'annotate' 'annotated' k annotate configmap c note=hello
	prints 'labels are shown' 'app=demo,tier=a' k get cm c --show-labels
	prints 'a label selector' '^configmap/c$' k get cm -l 'app in (demo),tier!=b' -o name
	prints 'a label selector that selects nothing' 'No resources' k get cm -l app=other
	prints 'a field selector' '^configmap/c$' k get cm --field-selector metadata.name=c -o name
	prints 'a field that cannot be selected' 'is not a known field selector' \
		k get cm --field-selector data.x=1
	prints 'output as yaml' '^  x: "1"$' k get cm c -o yaml
	prints 'output as json' '"x": "1"' k get cm c -o json
	prints 'all namespaces' '^default +c ' k get cm -A
	EDITOR='sed -i s/x:.*/x:\ two/' prints 'edit' 'edited' k edit configmap c
	prints 'what edit did' '^two$' k get cm c -o 'jsonpath={.data.x}'
	k get cm c -o yaml | sed 's/two/three/' >"$dir/cm.yaml"
	prints 'replace' 'replaced' k replace -f "$dir/cm.yaml"
	prints 'replace of an old version' 'object has been modified' k replace -f "$dir/cm.yaml"
	prints 'a wrong name' 'RFC 1123' k create configmap Wrong_
	prints 'no such namespace' 'namespaces "none" not found' k -n none create configmap c
	prints 'immutable' 'patched' k patch cm c -p '{"immutable":true}'
	prints 'an immutable one stays' 'field is immutable when `immutable` is set' \
		k patch cm c -p '{"data":{"x":"4"}}'
	prints 'a strategic merge patch' 'patched' k patch sa -p '{}' "$(k create sa robot -o name | cut -d/ -f2)"
	prints 'delete' 'deleted' k delete configmap c
	prints 'what is gone' 'configmaps "c" not found' k get cm c
}

jobs() {
	apply 'a Job' 'created' < <(job good)
	prints 'the Job completes' 'condition met' k wait --for=condition=complete job/good --timeout=20s
	prints 'its Pod' '^good-.*Completed' k get pods -l job-name=good
	prints 'Events of a Job' 'SuccessfulCreate.*Created pod: good-' k describe job good
	apply 'a Job that fails' 'created' < <(job bad 'backoffLimit: 1')
	prints 'it fails' 'condition met' k wait --for=condition=failed job/bad --timeout=20s
	prints 'why' '^BackoffLimitExceeded 2$' k get job bad \
		-o 'jsonpath={.status.conditions[?(@.type=="Failed")].reason} {.status.failed}'
	apply 'a Job with a failure policy' 'created' < <(job bad-rule 'podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [3]}}]}')
	prints 'it fails at once' 'condition met' k wait --for=condition=failed job/bad-rule --timeout=20s
	prints 'by the policy' '^PodFailurePolicy 1$' k get job bad-rule \
		-o 'jsonpath={.status.conditions[?(@.type=="Failed")].reason} {.status.failed}'
	apply 'a suspended Job' 'created' < <(job still 'suspend: true')
	prints 'it is suspended' 'condition met' k wait --for=condition=suspended job/still --timeout=20s
	prints 'and resumed' 'patched' k patch job still -p '{"spec":{"suspend":false}}'
	prints 'then it completes' 'condition met' k wait --for=condition=complete job/still --timeout=20s
	prints 'a template cannot change' 'field is immutable' k patch job good --type=json \
		-p '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"other"}]'
	apply 'a Job with a TTL of 0' 'created' < <(job brief 'ttlSecondsAfterFinished: 0')
	prints 'it goes' 'deleted|met|not found' k wait --for=delete job/brief --timeout=20s
	prints 'a Job is deleted' 'deleted' k delete job good
	prints 'its Pods too' 'deleted|met|no matching resources|not found|^$' \
		k wait --for=delete pod -l job-name=good --timeout=20s
	prints 'foreground' 'deleted' k delete job bad --wait --timeout=20s
}

finalizers() {
	prints 'an object with a finalizer' 'created' k create -f - <<-'YAML'
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["test.io/hold"]}}
	YAML
	prints 'is marked' 'deleted' k delete cm held --wait=false
	prints 'and stays' '^20' k get cm held -o 'jsonpath={.metadata.deletionTimestamp}'
	prints 'until its finalizer goes' 'patched' \
		k patch cm held --type=merge -p '{"metadata":{"finalizers":null}}'
	prints 'then it goes' 'NotFound' k get cm held
}

watches() {
	k get cm -w --output-watch-events >"$dir/watch" 2>&1 &
	local watch=$!

	for _ in $(seq 100); do
		k get --raw /apisim/watches | grep -q '"watches":[1-9]' && break
		sleep 0.1
	done
	k create configmap seen >/dev/null
	k delete configmap seen >/dev/null
	for _ in $(seq 100); do
		grep -q DELETED "$dir/watch" && break
		sleep 0.1
	done
	kill $watch 2>/dev/null
	wait $watch 2>/dev/null
	prints 'get -w: added' '^ADDED +seen' cat "$dir/watch"
	prints 'get -w: deleted' '^DELETED +seen' cat "$dir/watch"
	curl_api 'apisim/watches/close?forget=true' -X POST >/dev/null
	prints 'a version that is forgotten' '"code":410' \
		curl_api 'api/v1/configmaps?watch=true&resourceVersion=1'
}

pages() {
	for i in 1 2 3 4 5; do
		k create configmap "page-$i" >/dev/null
	done
	prints 'a list in pages' '^configmap/page-5$' k get cm --chunk-size=2 -o name
}

# fault NAME: the next creation of a ConfigMap meets it.
fault() {
	curl_api apisim/faults -d "{\"match\":{\"verb\":\"create\",\"resource\":\"configmaps\"},\"fault\":\"$1\"}" \
		>/dev/null
}

faults() {
	fault 409
	prints 'an injected 409' 'already exists' k create configmap f1
	fault commit-reset
	k create configmap f2 >/dev/null 2>&1
	prints 'done, but the connection was cut' '^configmap/f2$' k get cm f2 -o name
	prints 'requests are counted' '"verb":"create","resource":"configmaps"' \
		curl_api apisim/requests
}

namespaces() {
	prints 'a namespace' 'created' k create namespace n
	k -n n create configmap c >/dev/null
	job good | k -n n apply -f - >/dev/null
	prints 'is deleted with its contents' 'deleted' k delete namespace n --timeout=20s
	prints 'nothing is left' 'No resources' k -n n get cm,jobs,pods
	prints 'default stays' 'Forbidden' k delete namespace default
	prints 'a CRD takes its objects along' 'deleted' k delete crd things.test.io
	prints 'and its kind' '404 page not found' curl_api apis/test.io/v1/things
}

the_end() {
	kill "$sim_pid"
	wait "$sim_pid"
	local status=$?

	cp "$dir/log" "$dir/out"
	sim_pid=''
	result $status 'SIGTERM ends apisim cleanly'
}

start
discovery
custom_resources
strict_fields
built_in_kinds
jobs
finalizers
watches
pages
faults
namespaces
the_end
echo "1..$tests"
[ $failures -eq 0 ]
