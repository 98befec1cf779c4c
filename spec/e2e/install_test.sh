#!/bin/bash
# What a new user does, as TAP: the words of README.md from `helm repo add` to a run that has
# Succeeded, then an upgrade, a rollback, the end of it and a second beginning. Of the words only
# addresses are replaced: the chart repository's, the database handler's, the model's.
#
# On a real control plane alone, since it takes a Deployment; podrunner runs its pod.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

skip() {
	echo "1..0 # SKIP $1"
	exit
}
is_real || skip "there are no Deployments without a real control plane (make e2e)"
python3 -c 'import http.server' 2> /dev/null || skip "python3 is not installed; it serves the chart repository"

# All pods share one network, in which port 8080 may be taken, by the pod before if by no other.
CONTROLLERS+=(deployment-controller replicaset-controller)
cluster_up --image ghcr.io/krateoplatformops/kserve-controller="$(realpath "$BUILD/kserve-controller")" \
	--env LISTEN=127.0.0.1:0 || exit 1
until_ok 10 grep -q 'podrunner runs' "$work/podrunner.log"
grep -q 'namespaces=yes' "$work/podrunner.log" || skip "a pod can have a root folder of its own only if root starts it"

export PATH=$programs:$PATH
export HELM_CACHE_HOME=$work/helm/cache HELM_CONFIG_HOME=$work/helm/config HELM_DATA_HOME=$work/helm/data

# readme SECTION LANGUAGE: the first block of that language in this section
readme() {
	awk -v section="## $1" -v language="$2" '
		/^## / { here = $0 == section }
		/^```/ { if (inside) exit; inside = here && $0 == "```" language; next }
		inside' README.md
}

repository_up() {
	helm package charts/crd-chart charts/chart -d "$work/repository" && helm repo index "$work/repository" || return
	start repository python3 -u -m http.server --bind 127.0.0.1 --directory "$work/repository" 0
	until_ok 10 grep -q ' port [0-9]' "$work/repository.log" || return
	repository=http://127.0.0.1:$(sed -En 's/.* port ([0-9]+).*/\1/p;q' "$work/repository.log")
}
repository_up > "$work/last" 2>&1 || {
	cat "$work/last" >&2
	exit 1
}

# ---- README.md, "Install" ----

install() {
	readme Install sh > "$work/install" && grep -q '^helm install ' "$work/install" &&
		sed "s#https://charts\.krateo\.io#$repository#" "$work/install" | bash -eux
}
rolled_out() { k rollout status deployment/kserve-controller --timeout=60s; }
controllers=(pods -l app.kubernetes.io/component=controller)
# The name of the controller's pod, once there is no other.
controller() {
	until_ok 30 is 1 count "${controllers[@]}" && k get "${controllers[@]}" -o 'jsonpath={.items[0].metadata.name}'
}
# leads POD json|text: it has said so, in this format
leads() {
	local -A words=([json]='"msg":"leading"' [text]=' info  leading')
	grep -F -- "${words[$2]}" "$work/pods/${namespace}_$1.log"
}

check "README.md: the commands of Install" install
check "kubectl rollout status" rolled_out
first=$(controller)
check "one pod leads" until_ok 20 leads "$first" json
check "it is the chart's: its account, its user, its settings" is 'kserve-controller 65532 kserve-controller-environment' \
	k get pod "$first" -o 'jsonpath={.spec.serviceAccountName} {.spec.securityContext.runAsUser} {.spec.containers[0].envFrom[0].configMapRef.name}'

# ---- README.md, "Write a config and a run" ----

writing='Write a config and a run'
words() { readme "$writing" "$1" | localized | sed -E 's/placeholder-(user|password)/demo/g'; }
secret() { words sh | bash -eux; }
config_and_run() { words yaml | kubectl apply -f -; }
rows_of() {
	curl -sf -u demo:demo "http://$handler/tables/$1" | jq '.rows | length'
}
check "README.md: the Secret" secret
check "README.md: the config and the run" config_and_run
check "the run succeeds" becomes Succeeded iris-run-january 60
check "its rows are stored" is 150 rows_of kserve_controller_output
check "kubectl shows what README.md shows" like "$(readme "$writing" text | awk '$1 == "iris-run-january" { print $1 " +" $2 " +" $3 " +" $4 " +" }')inf-iris-run-january-[0-9a-f]{8} " \
	k get inferenceruns

# ---- upgrade, rollback ----

# another NAME: one more run, with a table of its own
another() {
	run "$1" iris-inference-config "parameters: {input_table_name: kserve_controller_input, output_table_name: of_${1//-/_}}" &&
		becomes Succeeded "$1" 60 && is 150 rows_of "of_${1//-/_}"
}
# replaced POD: by one other
replaced() { rolled_out && [ "$(controller)" != "$1" ]; }

check "helm upgrade with another value" helm upgrade kserve-controller krateo/kserve-controller -n "$namespace" --set logFormat=text
check "puts another pod in the place of the first" replaced "$first"
second=$(controller)
check "which leads, with that value" until_ok 20 leads "$second" text
check "a run succeeds" another after-upgrade

check "helm rollback" helm rollback kserve-controller -n "$namespace"
check "puts a third pod in its place" replaced "$second"
check "which leads, as the first did" until_ok 20 leads "$(controller)" json
check "a run succeeds" another after-rollback

# ---- the end, and a second beginning ----

survivors() { k get inferenceruns,inferenceconfigs,jobs -o json | jq -S '[.items[] | {kind, uid: .metadata.uid, status}]'; }
before=$(survivors)
check "helm uninstall" helm uninstall kserve-controller -n "$namespace"
check "ends the controller" until_ok 30 is 0 count "${controllers[@]}"
check "leaves the CRDs" kubectl get crd inferenceruns.ai.krateo.io inferenceconfigs.ai.krateo.io
check "and every run, config and Job as it was" is "$before" survivors

helm repo remove krateo > /dev/null
check "README.md: Install once more" install
check "kubectl rollout status" rolled_out
check "a run succeeds" another after-all
no_repeats() { is '4 4' one_each jobs && is '4 Succeeded' phases; }
check "each run has had one Job" no_repeats

plan
