#!/bin/bash
# The controller as a program, as TAP: wrong use, health, metrics, TLS, live policies, and an API
# server that misbehaves.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

controller=$BUILD/kserve-controller

# exits STATUS PATTERN COMMAND...: ends with this status and says this on one line
exits() {
	local wanted=$1 pattern=$2 out status=0
	shift 2
	out=$("$@" 2>&1 < /dev/null) || status=$?
	[ "$status" = "$wanted" ] && [ "$(wc -l <<< "$out")" = 1 ] && grep -Eq -- "$pattern" <<< "$out" || {
		echo "expected: status $wanted, one line like $pattern"
		echo "found:    status $status, $out"
		return 1
	}
}

# ---- wrong use ----

check "--version" exits 0 '^kserve-controller [0-9]+\.[0-9]+\.[0-9]+$' "$controller" --version
check "--help" like 'MAX_RECONCILE_RATE' "$controller" --help
check "an unknown flag" exits 2 '"--frobnicate": see --help' "$controller" --frobnicate
check "a bad duration names its variable" exits 2 'POLLING_INTERVAL: expected a duration.*found "soon"' \
	env POLLING_INTERVAL=soon "$controller"
check "a bad rate names its variable" exits 2 'MAX_RECONCILE_RATE: .*from 1 to 1000, found "0"' \
	env MAX_RECONCILE_RATE=0 "$controller"
check "a bad namespace names its variable" exits 2 'WATCH_NAMESPACE: .*"Not_One"' \
	env WATCH_NAMESPACE=ok,Not_One "$controller"
printf 'apiVersion: v1\nclusters: [' > "$work/broken"
check "a broken kubeconfig names file and place" exits 1 "$work/broken: line [23], column" \
	"$controller" --kubeconfig "$work/broken"
check "a missing kubeconfig is named" exits 1 '/nowhere: No such file' "$controller" --kubeconfig /nowhere
printf 'apiVersion: v1\ncurrent-context: a\ncontexts: [{name: b, context: {cluster: c, user: u}}]\n' > "$work/context"
check "an unknown context lists those that exist" exits 1 '"?a"?.*\bb\b' "$controller" --kubeconfig "$work/context"
check "the runner says what is wrong with its contract" exits 2 '/nowhere: No such file' \
	"$BUILD/kserve-runner" --check --contract /nowhere

# ---- health, metrics, secrets ----

apisim_up --auto-run 20 && cluster_install || exit 1
localized() { cat "$@"; } # no stand-ins here: the pods are not real
k apply -f examples/endpoint-secret.yaml -f examples/iris-config.yaml > /dev/null
engine_start --log-level debug
until_ok 10 engine_ready
engine_port=$(sed -n 's/.* port=\([0-9]*\)$/\1/p' "$work/engine.log")
page() { curl -s "http://127.0.0.1:$engine_port/$1"; }
code() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$engine_port/$1"; }
check "/healthz" is 200 code healthz
check "/readyz" until_ok 5 is 200 code readyz
check "another path is 404" is 404 code secrets
curl -sf -o /dev/null -X DELETE "$server/apisim/requests"
check "a run" run first iris-inference-config
check "succeeds" becomes Succeeded first
cheap() { # three statuses and a Job; beside them it has a contract
	api /apisim/requests | jq -e '[.requests[] | select(.client | startswith("kserve-controller"))
		| select((.resource == "inferenceruns/status") or (.verb == "create" and .resource == "jobs")) | .count] | add <= 4'
}
check "in five writes" cheap
check "passes are counted" like 'controller_runtime_reconcile_total\{controller="inferencerun",result="success"\} [1-9]' page metrics
check "under the names that dashboards know" like "workqueue_queue_duration_seconds_count\{name=\"inferencerun\"\} [1-9]" page metrics
check "so is the way from event to Job" like "kserve_run_start_seconds_count 1" page metrics
check "so are outcomes" like 'kserve_runs_finished_total\{phase="Succeeded"\} 1' page metrics
check "and leadership" like 'leader_election_master_status\{name="kserve-controller"\} 1' page metrics
no_secret() { ! grep -e placeholder -e "$(k get secret finops-database-handler-endpoint -o 'jsonpath={.data.password}')" "$work/engine.log"; }
check "the log at its loudest holds no secret" no_secret

# ---- policies, live ----

policy_state() {
	k get configmap kserve-controller-policies -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}'
}
edit() { # edit FILE TEXT: one more key of the policy ConfigMap, or another text for it
	k patch configmap kserve-controller-policies --type merge -p "$(jq -n --arg f "$1" --arg t "$2" '{data: {($f): $t}}')"
}
check "the bundle in force is told on the ConfigMap" until_ok 5 like '"state":"active","active":"sha256:' policy_state
active=$(policy_state | jq -r .active)
check "a bundle that does not compile" edit contract.lua 'return { contract = function( }'
check "is refused with file and line" until_ok 5 like '"state":"refused".*contract.lua:1:' policy_state
check "the one before stays in force" is "$active" jq -r .active <<< "$(policy_state)"
check "an event says so" until_ok 5 like 'PolicyRefused' k get events
check "a run under a refused edit" run second iris-inference-config
check "is made by the policies in force" becomes Succeeded second
check "and its status says which" is "$active" run_field second .status.policy.digest
check "a key that is no policy is refused by name" edit paramters.txt 'x'
check "and named" until_ok 5 like 'paramters.txt' policy_state
k patch configmap kserve-controller-policies --type json -p '[{"op":"remove","path":"/data/paramters.txt"}]' > /dev/null
check "a contract that carries another field" edit contract.lua \
	'return { contract = function(run, config, job) return { jobId = job.id, team = "blue" } end }'
check "is in force" until_ok 5 like '"state":"active"' policy_state
check "a run after it" run third iris-inference-config
check "succeeds" becomes Succeeded third
check "and has it" is blue jq -r .team <<< "$(contract_of third)"
check "a policy that fails when it runs" edit contract.lua \
	$'return { contract = function(run)\n  return run.spec.nothing.here\nend }'
until_ok 5 like '"state":"active"' policy_state
sleep 0.3
check "a run under it" run fourth iris-inference-config
check "waits with file and line" until_ok 5 like '^Pending PolicyError contract.lua:2: ' run_field fourth '.status.phase} {.status.reason} {.status.message'
check "makes nothing" is 0 count jobs,configmaps -l "ai.krateo.io/run=$(run_field fourth .metadata.uid)"
check "an Event says so, with a traceback" like 'contract.lua:2: .*contract.lua:2: in ' echo "$(k get events \
	--field-selector reason=PolicyError,involvedObject.name=fourth -o 'jsonpath={.items[0].message}' | tr '\n' ' ')"
check "an endless policy" edit parameters.lua 'return { validate = function() while true do end end }'
until_ok 5 like '"state":"active"' policy_state
check "a run under it" run fifth iris-inference-config
check "waits, and the limit is named" until_ok 10 like '^Pending PolicyLimit parameters.lua:1: .*(limit|budget|instructions)' \
	run_field fifth '.status.phase} {.status.reason} {.status.message'
restore() { policies_apply --from-file=scripts; }
check "the default policies again" restore
check "and the runs go on" becomes Succeeded fourth 30
check "both of them" becomes Succeeded fifth 30

# ---- an API server that misbehaves ----

fault() { # fault FAULT VERB RESOURCE [TIMES]
	curl -sf -o /dev/null -d "{\"match\": {\"verb\": \"$2\", \"resource\": \"$3\", \"client\": \"kserve-controller\"}, \"times\": ${4:-1}, \"fault\": \"$1\"}" \
		"$server/apisim/faults"
}
one_job() { is 1 count jobs -l "ai.krateo.io/run=$(run_field "$1" .metadata.uid)"; }
for at in 'create jobs' 'create configmaps' 'patch inferenceruns/status'; do
	for what in reset commit-reset truncate 409 429 500 403; do
		name=$(tr -c 'a-z0-9\n' - <<< "$what-$at")
		# shellcheck disable=SC2086 # two words
		fault "$what" $at
		run "$name" iris-inference-config > /dev/null
		check "$what on $at: the run succeeds" becomes Succeeded "$name" 30
		check "$what on $at: once" one_job "$name"
	done
done
curl -sf -o /dev/null -X POST "$server/apisim/watches/close"
check "after all watches are cut" run cut iris-inference-config
check "a run succeeds" becomes Succeeded cut 30
curl -sf -o /dev/null -X POST "$server/apisim/watches/close?forget=true"
check "after 410 Gone" run gone iris-inference-config
check "a run succeeds" becomes Succeeded gone 40
check "SIGTERM ends it with 0" engine_stop
stop apisim

# ---- TLS, tokens, client certificates ----

certificates() {
	cd "$work" || return 1
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca &&
		openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1 &&
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 \
			-extfile <(echo subjectAltName=IP:127.0.0.1) &&
		openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=me &&
		openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 2
}
(certificates) > "$work/openssl" 2>&1 || cat "$work/openssl"
printf s3cret-token > "$work/token"
rm -f "$work/apisim.port"
start apisim "$BUILD/apisim" --listen 127.0.0.1:0 --port-file "$work/apisim.port" --auto-run 20 \
	--tls-cert "$work/server.crt" --tls-key "$work/server.key" --token "$work/token"
tls_port=$(port_of apisim)
# kubeconfig NAME USER-YAML [CA FILE]: for the controller from now on
kubeconfig() {
	engine_kubeconfig=$work/$1.kubeconfig
	cat > "$engine_kubeconfig" <<-END
		apiVersion: v1
		current-context: tls
		contexts: [{name: tls, context: {cluster: tls, user: tls, namespace: $namespace}}]
		clusters: [{name: tls, cluster: {server: "https://127.0.0.1:$tls_port", certificate-authority: ${3:-ca.crt}}}]
		users: [{name: tls, user: $2}]
	END
}
kubeconfig token '{tokenFile: token}'
export KUBECONFIG=$engine_kubeconfig # for kubectl too: an old one knows no exec plugin of version v1
check "over TLS with a token from a file" cluster_install
k apply -f examples/iris-config.yaml > /dev/null
engine_start
check "a run" run secure iris-inference-config
check "succeeds" becomes Succeeded secure
token_hidden() { ! grep -q s3cret "$work/engine.log"; }
check "and the token is in no log" token_hidden
check "it ends" engine_stop
printf '#!/bin/sh\necho %s\n' "'{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"s3cret-token\"}}'" > "$work/plugin"
chmod +x "$work/plugin"
kubeconfig exec "{exec: {apiVersion: client.authentication.k8s.io/v1, command: $work/plugin, interactiveMode: Never}}"
engine_start
check "with an exec plugin, a run" run plugged iris-inference-config
check "succeeds" becomes Succeeded plugged
engine_stop
kubeconfig wrong '{token: wrong}'
engine_start
denied() { grep -q 'kind=Denied' "$work/engine.log"; }
check "a wrong token is told" until_ok 10 denied
check "and does not end it" engine_stop
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" -out "$work/other.crt" -days 2 -subj /CN=other 2> /dev/null
kubeconfig distrust '{tokenFile: token}' other.crt
engine_start
distrusted() { grep -Eq 'certificate' "$work/engine.log"; }
check "a server that its CA does not know is not trusted" until_ok 10 distrusted
check "and that does not end it either" engine_stop
plan
