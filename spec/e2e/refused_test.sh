#!/bin/bash
# What a real API server's admission refuses, as TAP: a quota of Jobs, a quota of Pods, a LimitRange, a
# ServiceAccount that is not there. Each is told in its words, and the run goes on by itself once it may.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "${E2E_SERVER:-apisim}" = real ] || { echo '1..0 # SKIP apisim has no such admission'; exit; }
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

cluster_up_bare && cluster_install || exit 1
engine_start
until_ok 20 engine_ready || exit 1

# config NAME [LINE...]: create an InferenceConfig; each LINE goes under spec
config() {
	local name=$1
	shift
	{
		printf 'apiVersion: ai.krateo.io/v1\nkind: InferenceConfig\nmetadata: {name: %s, namespace: %s}\n' "$name" "$namespace"
		printf 'spec:\n  image: runner:1\n  kserve: {modelName: iris, modelUrl: model/infer}\n'
		[ $# = 0 ] || printf '  %s\n' "$@"
	} | k apply -f -
}
said() { run_field "$1" '.status.phase} {.status.reason} {.status.message'; }

check "a config" config plain
check "a quota without a Job" k create quota jobs --hard=count/jobs.batch=0
counted() { k get quota "$1" -o 'jsonpath={.status.hard}' | grep .; }
until_ok 20 counted jobs
check "a run" run no-job plain
check "waits for its Job, in the API server's words" until_ok 20 like '^Pending QuotaExceeded .*exceeded quota: jobs' said no-job
check "the quota goes" k delete quota jobs
check "and it runs by itself" becomes Succeeded no-job 60

check "a quota without a Pod" k create quota pods --hard=pods=0
until_ok 20 counted pods
check "a run" run no-pod plain
check "waits for its Pod, in the Job controller's words" until_ok 40 like '^Pending (FailedCreate|QuotaExceeded) .*exceeded quota: pods' said no-pod
check "the quota goes" k delete quota pods
check "and it runs by itself" becomes Succeeded no-pod 90

limit() {
	k apply -f - <<-END
		apiVersion: v1
		kind: LimitRange
		metadata: {name: tight}
		spec: {limits: [{type: Container, max: {memory: 1Ki}}]}
	END
}
check "a LimitRange" limit
check "a config that asks for more" config hungry \
	'podTemplate: {spec: {containers: [{name: inference, resources: {limits: {memory: 64Mi}}}]}}'
check "a run" run too-big hungry
check "waits, in its words" until_ok 40 like '^Pending FailedCreate .*maximum memory usage per Container is 1Ki' said too-big
check "the LimitRange goes" k delete limitrange tight
check "and it runs by itself" becomes Succeeded too-big 90

check "a config whose ServiceAccount is not there" config ghost 'podTemplate: {spec: {serviceAccountName: ghost}}'
check "a run" run no-account ghost
check "waits, in the API server's words" until_ok 40 like '^Pending FailedCreate .*serviceaccount "ghost" not found' said no-account
check "the ServiceAccount comes" k create serviceaccount ghost
check "and it runs by itself" becomes Succeeded no-account 90

check "SIGTERM ends it with 0" engine_stop
plan
