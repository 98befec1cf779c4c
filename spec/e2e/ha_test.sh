#!/bin/bash
# Two controllers on one API server, one of them killed at random again and again while runs come in, as
# TAP. The Lease keeps the other from acting until the dead one's time is over.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

KILLS=${KILLS:-20} PER_KILL=10

cluster_up_bare && cluster_install || exit 1
k apply -f examples/iris-config.yaml > /dev/null
controller_start one
controller_start two

kill_and_create() {
	local i name
	RANDOM=$SRANDOM
	for i in $(seq 0 $((KILLS - 1))); do
		create_runs $((i * PER_KILL + 1)) $(((i + 1) * PER_KILL)) || return 1
		sleep "0.$((RANDOM % 10))"
		if ((RANDOM % 2)); then name=one; else name=two; fi
		stop "$name" KILL
		controller_start "$name"
		sleep $((RANDOM % 3))
	done
}
check "runs come in while one of two controllers is killed $KILLS times" kill_and_create
total=$((KILLS * PER_KILL))
check "all $total succeed" until_ok 120 is "$total Succeeded" phases
check "each has one Job" is "$total $total" one_each jobs
check "and one contract" is "$total $total" one_each configmaps
check "and one Pod" is "$total" count pods -l ai.krateo.io/run

# ---- how fast the other takes over ----

holder() { k get lease kserve-controller -o 'jsonpath={.spec.holderIdentity}'; }
leading() { grep -q ' leading$' "$work/$1.log"; }
settled() { leading one || leading two; }
check "one of them leads" until_ok 20 settled
if leading one; then leader=one other=two; else leader=two other=one; fi
check "the leader is told to end" stop "$leader"
since=$(date +%s%3N)
check "the other leads" until_ok 5 leading "$other"
echo "# taken over after $(($(date +%s%3N) - since)) ms"
controller_start "$leader"
waits() { grep -q 'another controller leads' "$work/$leader.log"; }
until_ok 5 waits
since=$(date +%s%3N)
stop "$other" KILL
check "after a crash the other leads too" until_ok 25 leading "$leader"
echo "# taken over after $(($(date +%s%3N) - since)) ms"
check "both end with 0" stop "$leader"
plan
