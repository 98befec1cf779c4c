#!/bin/bash
# Nothing is lost and nothing is done twice: many runs, and a controller that is killed in between.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

RUNS=${RUNS:-1000} KILLS=${KILLS:-5}

cluster_up_bare && cluster_install || exit 1
k apply -f examples/iris-config.yaml > /dev/null

engine_start --max-reconcile-rate 32
check "$RUNS runs are created" create_runs 1 "$RUNS"
for _ in $(seq "$KILLS"); do
	sleep 0.1
	stop engine KILL
	engine_start --max-reconcile-rate 32 --leader-elect=false
done
check "with $KILLS kills in between, all succeed" until_ok 90 is "$RUNS Succeeded" phases
check "each has one Job" is "$RUNS $RUNS" one_each jobs
check "and one contract" is "$RUNS $RUNS" one_each configmaps
check "and one Pod" is "$RUNS" count pods -l ai.krateo.io/run

versions() { k get irun,jobs,configmaps -o jsonpath='{range .items[*]}{.metadata.resourceVersion} {end}' | md5sum; }
quiet() {
	local before
	before=$(versions)
	sleep 2
	[ "$(versions)" = "$before" ]
}
check "once all is done, writes stop" quiet
check "the last one ends with 0 on SIGTERM" engine_stop

# ---- the lease: two controllers, one works ----

engine_start
leads() { grep -q leading "$work/$1.log"; }
check "the first controller leads, once the lease of the killed ones is over" until_ok 20 leads engine
controller_start second
waits() { grep -q 'another controller leads' "$work/second.log"; }
check "the second waits" until_ok 10 waits
check "the first ends" engine_stop
check "the second leads soon" until_ok 6 leads second
check "and ends with 0" stop second
plan
