#!/bin/bash
# The Helm chart, as TAP: what it renders for every value, what it refuses, and that a release of it
# works and has the rights that it needs. Needs helm, in PATH or in the cache; without it everything
# is skipped.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kserve-controller
helm=$(command -v helm || compgen -G "$cache/helm" || compgen -G "$cache/*/helm")
helm=${helm%%$'\n'*}
if [ -z "$helm" ]; then
	echo "1..0 # SKIP helm is not installed"
	exit 0
fi
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
chart=charts/chart
schema=$chart/values.schema.json
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm

cluster_up_bare || exit 1

# helm tells at length that it follows a link.
helm() {
	"$helm" "$@" 2> "$work/stderr"
	local status=$?
	grep -v 'found symbolic link' "$work/stderr" >&2
	return $status
}

template() {
	helm template kserve-controller "${source:-$chart}" -n "$namespace" --kube-version 1.32.0 "$@"
}

# objects ARG...: what is rendered, one object of JSON after another
objects() {
	template "$@" > "$work/rendered.yaml" &&
		"$KUBECTL" create --dry-run=client --validate=false -o json -f "$work/rendered.yaml"
}

# renders JQ ARG...: the condition holds for the array of objects; `one` picks by kind and name
renders() {
	local condition=$1
	shift
	objects "$@" > "$work/objects.json" || return 1
	jq -es 'def one($kind; $name): .[] | select(.kind == $kind and .metadata.name == $name);
		def one($kind): one($kind; "kserve-controller");
		def pod: one("Deployment").spec.template.spec;
		def controller: pod.containers[0];
		def environment: one("ConfigMap"; "kserve-controller-environment").data;
		def none($kind): all(.[]; .kind != $kind);
		'"$condition" "$work/objects.json" > "$work/found" || {
		echo "expected: $condition"
		jq -s 'map(select(.kind != "CustomResourceDefinition"))' "$work/objects.json" | head -n 400
		return 1
	}
}

# ---- kinds that are not Kubernetes' own ----

foreign_kind() {
	cat <<-END
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: $1s.$2}
		spec:
		  group: $2
		  scope: Namespaced
		  names: {plural: $1s, singular: $1, kind: $3}
		  versions:
		    - name: v1
		      served: true
		      storage: true
		      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
		---
	END
}
{
	foreign_kind notebook finops.krateo.io Notebook
	foreign_kind servicemonitor monitoring.coreos.com ServiceMonitor
	"$helm" template crds charts/crd-chart
} | "$KUBECTL" apply -f - > /dev/null
for name in "$namespace" krateo-system team-a team-b team-c; do
	"$KUBECTL" create namespace "$name" > /dev/null
done
"$KUBECTL" label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted > /dev/null
until_ok 10 "$KUBECTL" get notebooks,servicemonitors,inferenceruns -A

# ---- the chart itself ----

check "helm lint" helm lint --strict $chart
versions() { awk '/^(version|appVersion):/ {gsub(/"/, "", $2); print $2}' "$1"; }
version=$(cat VERSION)
check "its version is the program's" is "$version"$'\n'"$version" versions $chart/Chart.yaml
check "so is that of the CRDs" is "$version"$'\n'"$version" versions charts/crd-chart/Chart.yaml
check "and the dependency's" like "version: $version\$" grep -A1 'name: kserve-controller-crd' $chart/Chart.yaml
no_copies() { [ -L $chart/scripts ] && [ -z "$(git ls-files 'charts/*.lua')" ]; }
check "there is no copy of the Lua files" no_copies

package() { helm package $chart -d "$work"; }
check "helm package" package
same_from_package() {
	diff <(template) <(source=$work/kserve-controller-$version.tgz template)
}
check "the package renders the same" same_from_package

# ---- defaults ----

check "the pod passes the restricted Pod Security Standard" renders \
	'pod | .securityContext.runAsNonRoot and .securityContext.runAsUser == 65532
		and .securityContext.seccompProfile.type == "RuntimeDefault"
		and (.containers | length == 1) and (.containers[0].securityContext
			| .allowPrivilegeEscalation == false and .capabilities == {drop: ["ALL"]} and .readOnlyRootFilesystem)
		and (has("volumes") or has("hostNetwork") | not)'
check "its user is that of the image" grep -q '^USER 65532:65532$' Dockerfile
check "its probes and its port are the engine's" renders 'controller
	| .livenessProbe.httpGet == {path: "/healthz", port: "http"}
	and .readinessProbe.httpGet == {path: "/readyz", port: "http"}
	and .ports == [{name: "http", containerPort: 8080}]'
check "a rollout keeps the old pod until the new one is ready" renders \
	'one("Deployment").spec.strategy.rollingUpdate == {maxUnavailable: 0, maxSurge: 1}'
check "selectors select the pod" renders '[one("Service").spec.selector, one("Deployment").spec.selector.matchLabels]
	- [one("Deployment").spec.template.metadata.labels] == []'
check "nobody may read Secrets but runners, by name" renders \
	'[.[] | select(.rules) | {name: .metadata.name, rule: .rules[]} | select(.rule.resources | index("secrets"))]
	== [{name: "kserve-controller-runner", rule: {apiGroups: [""], resources: ["secrets"],
		resourceNames: ["finops-database-handler-endpoint"], verbs: ["get"]}}]'
check "no right is a wildcard" renders '[.[] | .rules[]? | .verbs[], .resources[], .apiGroups[]] | index("*") == null'
check "nothing optional is there" renders \
	'none("NetworkPolicy") and none("PodDisruptionBudget") and none("ServiceMonitor") and none("Notebook")'
check "no policy ConfigMap is rendered: the operator's stays as it is" renders \
	'[one("ConfigMap"; "kserve-controller-policies")] == []'

shown_policies='.metadata.labels["app.kubernetes.io/component"] == "default-policies"'
same_policies() {
	local file
	objects | jq "select($shown_policies) | .data" > "$work/shown" &&
		[ "$(jq -r 'keys[]' "$work/shown")" = "$(cd scripts && printf '%s\n' *.lua)" ] || return 1
	for file in scripts/*.lua; do
		jq -j --arg name "${file##*/}" '.[$name]' "$work/shown" | cmp - "$file" || return 1
	done
}
check "the shown policies are those of scripts/" same_policies
check "and cannot be edited by mistake" renders "map(select($shown_policies) | .immutable) == [true]"

# ---- every value ----

covered=()
# value PATH JQ ARG...: with these arguments the condition holds
value() {
	local path=$1 condition=$2
	shift 2
	covered+=("$path")
	check "value $path" renders "$condition" "$@"
}

value image.repository 'controller.image == "local/other:'"$version"'"' --set image.repository=local/other
value image.tag 'controller.image | endswith("/kserve-controller:9.9")' --set-string image.tag=9.9
value image.pullPolicy 'controller.imagePullPolicy == "Always"' --set image.pullPolicy=Always
value imagePullSecrets 'pod.imagePullSecrets == [{name: "mine"}]' --set 'imagePullSecrets[0].name=mine'
value replicas 'one("Deployment").spec.replicas == 2' --set replicas=2
value pollingInterval 'environment.POLLING_INTERVAL == "90s"' --set pollingInterval=90s
check "a bare number of seconds" renders 'environment.POLLING_INTERVAL == "1000000"' --set pollingInterval=1000000
value pendingTimeout 'environment.PENDING_TIMEOUT == "1h"' --set pendingTimeout=1h
check "no pending timeout" renders 'environment.PENDING_TIMEOUT == "0"' --set pendingTimeout=0
value maxReconcileRate 'environment.MAX_RECONCILE_RATE == "1000"' --set maxReconcileRate=1000
value logLevel 'environment.LOG_LEVEL == "debug"' --set logLevel=debug
value logFormat 'environment.LOG_FORMAT == "text"' --set logFormat=text
value policies.files 'one("ConfigMap"; "kserve-controller-policies").data == {"job.lua": "return {}"}' \
	--set 'policies.files.job\.lua=return {}'
value policies.perConfig 'environment.CONFIG_POLICIES == "true" and (one("ClusterRole"; "kserve-controller-system-kserve-controller")
	| [.rules[] | select(.resources == ["configmaps"]) | .verbs[]] | sort == ["create", "get", "list", "patch", "watch"])' \
	--set policies.perConfig=true
value serviceAccount.create '[one("ServiceAccount")] == [] and pod.serviceAccountName == "mine"' \
	--set serviceAccount.create=false,serviceAccount.name=mine
value serviceAccount.name 'one("ServiceAccount"; "mine") and pod.serviceAccountName == "mine"
	and one("ClusterRoleBinding"; "kserve-controller-system-kserve-controller").subjects[0].name == "mine"' \
	--set serviceAccount.name=mine
value serviceAccount.annotations 'one("ServiceAccount").metadata.annotations == {a: "b"}' --set serviceAccount.annotations.a=b
value resources 'controller.resources.limits.cpu == "2"' --set-string resources.limits.cpu=2
value nodeSelector 'pod.nodeSelector == {a: "b"}' --set nodeSelector.a=b
value tolerations 'pod.tolerations == [{operator: "Exists"}]' --set 'tolerations[0].operator=Exists'
value affinity 'pod.affinity.nodeAffinity == {}' --set-json 'affinity={"nodeAffinity":{}}'
value topologySpreadConstraints 'pod.topologySpreadConstraints[0].maxSkew == 1' \
	--set 'topologySpreadConstraints[0].maxSkew=1'
value priorityClassName 'pod.priorityClassName == "high"' --set priorityClassName=high
value podAnnotations 'one("Deployment").spec.template.metadata.annotations
	| .a == "b" and has("checksum/environment")' --set podAnnotations.a=b
value podLabels 'one("Deployment").spec.template.metadata.labels
	| .a == "b" and .["app.kubernetes.io/name"] == "kserve-controller"' \
	--set podLabels.a=b,podLabels.app\\.kubernetes\\.io/name=mine
value runner.serviceAccount.create '[one("ServiceAccount"; "kserve-controller-runner")] == []
	and environment.SA_RUNNER == "default" and [one("Role"; "default")] == []' --set runner.serviceAccount.create=false
value runner.serviceAccount.name 'one("ServiceAccount"; "mine") and one("Role"; "mine") and environment.SA_RUNNER == "mine"' \
	--set runner.serviceAccount.name=mine
value runner.serviceAccount.annotations 'one("ServiceAccount"; "kserve-controller-runner").metadata.annotations == {a: "b"}' \
	--set runner.serviceAccount.annotations.a=b
runner_bindings='[.[] | select(.metadata.name == "kserve-controller-runner" and .kind == "RoleBinding")
	| {at: .metadata.namespace, of: [.subjects[].namespace]}] | sort_by(.at)'
value runner.namespaces "$runner_bindings"' == [{at: "kserve-controller-system",
	of: ["kserve-controller-system", "team-c"]}, {at: "team-c", of: ["team-c"]}]' --set 'runner.namespaces={team-c}'
value runner.secrets 'one("Role"; "kserve-controller-runner").rules[0].resourceNames == ["a", "b"]' --set 'runner.secrets={a,b}'
check "no Secret, no right" renders '[one("Role"; "kserve-controller-runner")] == []' --set-json 'runner.secrets=[]'
value rbac.create 'none("Role") and none("RoleBinding") and none("ClusterRoleBinding")' --set rbac.create=false
value rbac.userRoles '[.[] | select(.kind == "ClusterRole") | .metadata.name] == ["kserve-controller-system-kserve-controller"]' \
	--set rbac.userRoles=false
value crds.install 'none("CustomResourceDefinition")' --set crds.install=false
value nameOverride 'one("Deployment"; "kserve-controller-short").metadata.labels["app.kubernetes.io/name"] == "short"' \
	--set nameOverride=short
value fullnameOverride 'one("Deployment"; "short") and one("ConfigMap"; "short-environment").data.LEASE == "short"' \
	--set fullnameOverride=short
value podDisruptionBudget.enabled 'one("PodDisruptionBudget").spec.maxUnavailable == 1' --set podDisruptionBudget.enabled=true
value serviceMonitor.enabled 'one("ServiceMonitor").spec.endpoints == [{port: "http", path: "/metrics", interval: "30s"}]' \
	--set serviceMonitor.enabled=true
value serviceMonitor.interval 'one("ServiceMonitor").spec.endpoints[0].interval == "5s"' \
	--set serviceMonitor.enabled=true,serviceMonitor.interval=5s
value serviceMonitor.labels 'one("ServiceMonitor").metadata.labels.release == "prometheus"' \
	--set serviceMonitor.enabled=true,serviceMonitor.labels.release=prometheus
value networkPolicy.enabled 'one("NetworkPolicy").spec.ingress == [{ports: [{protocol: "TCP", port: "http"}]}]' \
	--set networkPolicy.enabled=true
value networkPolicy.metricsFrom 'one("NetworkPolicy").spec.ingress[0].from == [{podSelector: {}}]' \
	--set networkPolicy.enabled=true --set-json 'networkPolicy.metricsFrom=[{"podSelector":{}}]'
value networkPolicy.apiServerPorts 'one("NetworkPolicy").spec.egress[1].ports == [{protocol: "TCP", port: 16443}]' \
	--set 'networkPolicy.enabled=true,networkPolicy.apiServerPorts={16443}'
notebook_names='[.[] | select(.kind == "Notebook") | .metadata.name] | sort'
value notebooks.enabled "$notebook_names"' == ["kserveinput", "kserveoutput", "tritoninput", "tritonoutput"]' \
	--set notebooks.enabled=true
value notebooks.namespace 'one("Notebook"; "kserveinput").metadata.namespace == "team-a"' \
	--set notebooks.enabled=true,notebooks.namespace=team-a
for name in sklearn.input sklearn.output triton.input triton.output; do
	value notebooks.$name "$notebook_names"' | length == 4 and index("mine") != null' \
		--set notebooks.enabled=true,notebooks.$name=mine
done
value watchNamespaces 'environment.WATCH_NAMESPACE == "team-a,team-b" and none("ClusterRoleBinding")
	and ([.[] | select(.kind == "RoleBinding" and .metadata.name == "kserve-controller-runs") | .metadata.namespace]
		== ["team-a", "team-b"])
	and ('"$runner_bindings"' | map(.at) == ["kserve-controller-system", "team-a", "team-b"])' \
	--set 'watchNamespaces={team-a,team-b}'
same_rules() {
	renders '[.[] | select(.metadata.name == "kserve-controller-runs" and .kind == "Role") | .rules]
		| unique | length == 1' --set 'watchNamespaces={team-a,team-b}' || return 1
	jq -s '[.[] | select(.metadata.name == "kserve-controller-runs" and .kind == "Role")][0].rules' \
		"$work/objects.json" > "$work/namespaced"
	renders 'one("ClusterRole"; "kserve-controller-system-kserve-controller")' || return 1
	diff "$work/namespaced" <(jq '.rules' "$work/found")
}
check "the rights in a namespace are those over the cluster" same_rules

# Paths of the schema that hold a value of the chart.
leaves() {
	jq -r '. as $root | def walk_($path): if .["$ref"] then . as $r
			| $root.definitions[$r["$ref"] | ltrimstr("#/definitions/")] | walk_($path)
		elif .type == "object" and .properties then .properties | to_entries[] as $e
			| $e.value | walk_($path + [$e.key])
		else $path | join(".") end;
		walk_([])' $schema | grep -vxE 'global|kserve-controller-crd' | sort
}
check "each value of the schema is tested above" diff <(leaves) <(printf '%s\n' "${covered[@]}" | sort)
check "and stands in values.yaml with its default" renders 'true' --set replicas=1
documented() {
	local path
	for path in $(leaves); do
		printf '{{ $v := .Values }}{{ range splitList "." "%s" }}{{ if not (hasKey $v .) }}{{ fail "%s" }}{{ end }}{{ $v = index $v . }}{{ end }}\n' \
			"$path" "$path"
	done > "$work/documented.yaml"
	rm -rf "$work/copy" && cp -rL $chart "$work/copy" && cp "$work/documented.yaml" "$work/copy/templates/" &&
		source=$work/copy template > /dev/null
}
check "each has a default in values.yaml" documented

# A line with a value ends with a comment, or follows one or a line that is explained so.
unexplained() {
	awk '/^ *#/ {explained = 1; next} /^ *$/ {explained = 0; next}
		/[^ ] +# / {next} /^ *[a-zA-Z]+:$/ {next} !explained' $chart/values.yaml
}
check "each line of values.yaml is explained" is '' unexplained

# ---- what is refused ----

refuses() {
	local wanted=$1
	shift
	like "$wanted" refused template "$@"
}
for path in '' $(leaves | grep -F . | sed 's/\.[^.]*$//' | sort -u); do
	check "a misspelt value is refused: ${path:+$path.}typo" refuses "additional properties 'typo' not allowed" \
		--set "${path:+$path.}typo=1"
done
check "a wrong duration" refuses pollingInterval --set pollingInterval=soon
check "a rate of 0" refuses maxReconcileRate --set maxReconcileRate=0
check "a rate of 1001" refuses maxReconcileRate --set maxReconcileRate=1001
check "a namespace that cannot be" refuses watchNamespaces --set 'watchNamespaces={Team_A}'
check "64 namespaces" renders 'environment' --set "watchNamespaces={$(seq -s, -f 'n%g' 64)}"
check "65 namespaces" refuses watchNamespaces --set "watchNamespaces={$(seq -s, -f 'n%g' 65)}"
check "a policy file of another kind" refuses "'job' does not match" --set policies.files.job=x
check "a list that is text" refuses tolerations --set tolerations=x
check "no account to use" refuses 'serviceAccount.name: expected a name' --set serviceAccount.create=false
check "an old cluster" like 'incompatible with Kubernetes' refused \
	helm template kserve-controller $chart --kube-version 1.28.0

# ---- a release ----

everything=(--set 'watchNamespaces={team-a,team-b},runner.namespaces={team-c},podDisruptionBudget.enabled=true'
	--set 'networkPolicy.enabled=true,serviceMonitor.enabled=true,notebooks.enabled=true,replicas=2'
	--set 'policies.files.job\.lua=return {}' --set fullnameOverride=everything)
applied() { template "$@" | "$KUBECTL" apply -f -; }
check "kubectl applies what is rendered" applied
check "and with everything on" applied "${everything[@]}"
admitted() {
	k get deployment kserve-controller -o json | jq '.spec.template
		| {apiVersion: "v1", kind: "Pod", metadata: {name: "one", namespace: "'$namespace'"}, spec}' |
		"$KUBECTL" apply --dry-run=server -f -
}
check "the namespace's Pod Security admits the pod" admitted
template "${everything[@]}" | "$KUBECTL" delete -f - > /dev/null 2>&1
template --set crds.install=false | "$KUBECTL" delete -f - > /dev/null 2>&1
"$KUBECTL" delete crd inferenceruns.ai.krateo.io inferenceconfigs.ai.krateo.io > /dev/null 2>&1

install() { helm install kserve-controller $chart -n "$namespace" "$@"; }
upgrade() { helm upgrade kserve-controller $chart -n "$namespace" "$@"; }
policies() { k get configmap kserve-controller-policies -o 'jsonpath={.data}'; }
check "helm install says how to go on" like 'create configmap kserve-controller-policies' install
check "the CRDs are there" until_ok 10 "$KUBECTL" get inferenceruns -A

# The command that the notes name.
copy_policy() {
	local name
	name=$(k get configmap -l app.kubernetes.io/component=default-policies -o name) &&
		k get "$name" -o 'jsonpath={.data.parameters\.lua}' > "$work/parameters.lua" &&
		cmp "$work/parameters.lua" scripts/parameters.lua &&
		echo '-- edited' >> "$work/parameters.lua" &&
		k create configmap kserve-controller-policies --from-file="$work/parameters.lua"
}
check "a policy is copied and edited" copy_policy
edited=$(policies)
check "an edit of the shown policies is refused" like 'immutable' refused k patch --type merge -p '{"data":{"x":"y"}}' \
	"$(k get configmap -l app.kubernetes.io/component=default-policies -o name)"
check "helm upgrade" upgrade --set pollingInterval=1m
check "has left the operator's policies alone" is "$edited" policies
check "policies in the values do not overwrite them either" like 'kserve-controller-policies.*exists' \
	refused upgrade --set 'policies.files.job\.lua=return {}'
check "they are still there" is "$edited" policies
to_values() { k delete configmap kserve-controller-policies && upgrade --set 'policies.files.job\.lua=return {}'; }
check "once they are deleted, those of the values are installed" to_values
check "as the values have them" is '{"job.lua":"return {}"}' policies
check "without policies in the values" upgrade --reset-values
check "the ConfigMap is gone" like 'NotFound' refused policies

# ---- rights: what the engine does is what it may do ----

# The environment of the pod, as the chart makes it.
engine_environment() {
	k get configmap kserve-controller-environment -o json | jq -r '.data | to_entries[] | "\(.key)=\(.value)"'
}
fault() { # RESOURCE NAME FAULT
	is_real || api /apisim/faults > /dev/null -d '{"match": {"verb": "create", "resource": "'"$1"'",
		"name": "'"$2"'", "client": "^kserve-controller"}, "fault": "'"$3"'"}'
}
config() { # NAME POLICY
	printf 'apiVersion: ai.krateo.io/v1\nkind: InferenceConfig\nmetadata: {name: %s}\n' "$1"
	printf 'spec: {image: none, modelUrl: x/infer, autoDeletePolicy: %s, backoffLimit: 0, ttlSecondsAfterFinished: 0}\n---\n' "$2"
}
patch_run() {
	k patch inferencerun "$1" --type merge -p "{\"spec\": $2}"
}
policy_state() {
	k get configmap kserve-controller-policies -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}'
}
gone() {
	[ -z "$(k get inferencerun "$1" -o name 2> /dev/null)" ]
}
# A real server asks who we are: the engine is then its ServiceAccount, with the chart's rights.
account_kubeconfig() {
	k create token kserve-controller > "$work/token" &&
		"$KUBECTL" config view --raw --flatten -o json | jq --rawfile token "$work/token" \
			'.users[0].user = {token: $token | rtrimstr("\n")}' > "$work/account"
}
start_engine() {
	local kubeconfig=$KUBECONFIG
	if is_real; then
		account_kubeconfig || return 1
		kubeconfig=$work/account
	fi
	mapfile -t environment < <(engine_environment)
	start engine env "${environment[@]}" POD_NAMESPACE=$namespace "$BUILD/kserve-controller" \
		--kubeconfig "$kubeconfig" --listen 127.0.0.1:0
	until_ok 10 engine_ready
}
check "the engine takes the chart's environment" start_engine

good_edit() {
	k patch configmap kserve-controller-policies --type merge \
		-p "{\"data\": {\"job.lua\": \"return { shape = function(m) return m end } -- $1\"}}"
	until_ok 10 like "$1" k get configmap kserve-controller-policies-last-good -o yaml
}

# Everything that a right is for: runs that succeed, wait, have schedules, are deleted, whose objects
# exist already or whose start is interrupted.
live() {
	{ config keep None; config drop DeleteOnCompletion; } | k apply -f - || return 1
	# Refused twice for the same reason: one Event, counted.
	k create configmap kserve-controller-policies --from-literal=job.lua='return {}'
	until_ok 10 like refused policy_state || return 1
	k patch configmap kserve-controller-policies --type merge -p '{"data": {"job.lua": "return  {}"}}'
	# Two that are taken: the last good one is made, then replaced.
	good_edit one && good_edit two || return 1
	fault configmaps ^inf-twice commit-reset
	fault jobs ^inf-twice commit-reset
	fault cronjobs ^inf-cron commit-reset
	fault jobs ^inf-late 500
	run plain keep
	run twice keep
	run late keep
	run brief drop
	run held keep 'suspend: true'
	run cron keep 'schedule: "0 0 1 1 *"'
	run nothing none
	until_ok 20 becomes Succeeded plain && until_ok 20 becomes Succeeded twice &&
		until_ok 30 becomes Succeeded late && until_ok 20 gone brief &&
		until_ok 20 becomes Suspended held && until_ok 20 becomes Scheduled cron &&
		until_ok 20 becomes Pending nothing || return 1
	patch_run held '{"suspend": false}'
	patch_run cron '{"suspend": true}'
	until_ok 20 becomes Succeeded held && until_ok 20 becomes Suspended cron &&
		k wait --for=condition=Ready --timeout=20s inferenceconfig/keep
}
check "it lives through all that it needs rights for" live
check "and stops cleanly, giving up the lease" engine_stop

# "resource verb" of all that it has asked for, and of all that the chart allows.
asked() {
	api /apisim/requests | jq -r '.requests[] | select(.client | startswith("kserve-controller/"))
		| "\(.resource) \(.verb)"' | sort -u
}
allowed() {
	k get role kserve-controller -o json > "$work/roles"
	"$KUBECTL" get clusterrole kserve-controller-system-kserve-controller -o json >> "$work/roles"
	jq -r '.rules[] | .resources[] as $r | .verbs[] as $v | "\($r) \($v)"' "$work/roles" | sort -u
}
no_refusal() {
	! grep -iE 'forbidden|HTTP 40[13]|"kind":"Denied"' "$work/engine.log"
}
if is_real; then
	check "nothing that it asks for is refused" no_refusal
else
	check "it asks for nothing that it may not do" is '' comm -23 <(asked) <(allowed)
	# A finalizer is never asked for: it is what blockOwnerDeletion needs.
	check "it may do nothing that it does not ask for" is 'inferenceruns/finalizers update' \
		comm -13 <(asked) <(allowed)
fi
uninstall() { helm uninstall kserve-controller -n "$namespace"; }
if is_real; then # whose Helm sends what apisim cannot read
	check "helm uninstall" uninstall
	check "leaves the operator's policies" like 'job.lua' policies
	check "and the runs" becomes Succeeded plain
	check "and another install takes them over" install
fi

# ---- notebooks, on a database that understands the same SQL ----

python=$(command -v python3) || python=''
if [ -n "$python" ]; then
	export DATABASE=$work/database
	objects --set notebooks.enabled=true > "$work/objects.json"
	for name in kserveinput kserveoutput tritoninput tritonoutput; do
		{
			cat spec/standins/crate.py
			jq -r --arg name $name 'select(.kind == "Notebook" and .metadata.name == $name).spec.inline' \
				"$work/objects.json"
		} > "$work/$name.py"
	done
	notebook() {
		local name=$1
		shift
		"$python" "$work/$name.py" host 4200 user password "$@"
	}
	sql() {
		"$python" - "$1" <<-'END'
			import os, sqlite3, sys
			for row in sqlite3.connect(os.environ["DATABASE"], isolation_level=None).execute(sys.argv[1]):
			    print(*row)
		END
	}
	store() { # JOB POD PREDICTIONS [ARG...]
		notebook kserveoutput output_table_name=rows job_uid="$1" pod_uid="$2" predictions="$3" "${@:4}"
	}

	for bad in 'a; DROP TABLE b' 'a"b' "a' OR '1'='1" 'a.b.c' '1a' 'a b' 'ä' $'a\n' '' "$(printf 'a%.0s' {1..129})"; do
		check "not a table: $(printf %q "${bad:0:20}")" like '^\{"error": "input_table_name: expected ' \
			notebook kserveinput "input_table_name=$bad"
	done
	check "not a column" like '^\{"error": "key_name: expected the name of a column' notebook tritoninput \
		input_data_length=1 input_table_name=t input_table_column_name=c "key_name=k = 'a' OR k" key_value=x
	check "not a length" like '^\{"error": "input_data_length: expected a whole number from 1 to 1000000' \
		notebook tritoninput input_data_length=0
	check "no argument" like '^\{"error": "input_table_name: expected a value' notebook kserveinput
	check "predictions that are no list" like '^\{"error": "predictions: expected a list' store j p '{"a":1}'
	check "predictions that are no JSON" like '^\{"error": "predictions: expected JSON' store j p '[1,'
	check "a prediction that is no number" like '^\{"error": "predictions\[1\]: expected a number or null' \
		store j p '[1,"x"]'
	check "a flag that is none" like '^\{"error": "output_keep_history: expected true or false' \
		store j p '[1]' output_keep_history=yes

	sql 'CREATE TABLE features (id INTEGER, a REAL, b TEXT)'
	check "no rows" is '{"result": []}' notebook kserveinput input_table_name=features
	sql 'INSERT INTO features VALUES (2, 0.5, "7"), (1, 9007199254740993, "-1e3")'
	check "rows, in order, with their digits" is '{"result": [[1, 9007199254740992.0, -1000.0], [2, 0.5, 7.0]]}' \
		notebook kserveinput input_table_name=features input_order_by=id
	sql 'INSERT INTO features VALUES (3, NULL, "1")'
	check "a cell without a number" is '{"error": "row 2, column a: expected a number, found '"'None'"'"}' \
		notebook kserveinput input_table_name=features input_order_by=id

	sql 'CREATE TABLE series (timestamp INTEGER, average REAL, resourceid TEXT)'
	sql "INSERT INTO series VALUES (5000, 5, 'vm'), (1000, 1, 'vm'), (2000, NULL, 'vm'), (4000, 4, 'vm'), (3000, 9, 'it''s=other')"
	series() { # LENGTH KEY
		notebook tritoninput input_table_name=series input_table_column_name=average key_name=resourceid \
			key_value="$2" input_data_length="$1"
	}
	check "a series, holes filled" is '{"result": [[1.0, 0.0, 0.0, 4.0, 5.0]]}' series 512 vm
	check "its end" is '{"result": [[4.0, 5.0]]}' series 2 vm
	check "a key with a quote and an equal sign" is '{"result": [[9.0]]}' series 2 "it's=other"
	sql "INSERT INTO series VALUES (9000, 'many', 'words')"
	check "a value that is no number" is '{"error": "average at 9000: expected a number, found '"'many'"'"}' series 2 words
	check "no such key" is '{"result": []}' series 2 nobody

	rows() { sql 'SELECT jobuid, firing, counter, prediction, poduid FROM rows ORDER BY 1, 2, 3'; }
	check "a store says nothing" is '' store j p1 '[0.5, null, 2]'
	check "its rows" is $'j  0 0.5 p1\nj  1 None p1\nj  2 2.0 p1' rows
	check "the same again" is '' store j p1 '[0.5, null, 2]'
	check "and the next try of the Job, with a row less" is '' store j p2 '[1, NaN]'
	check "leave each row once" is $'j  0 1.0 p2\nj  1 None p2' rows
	check "each pod has its rows with history" is '' store j p3 '[7]' output_keep_history=true
	check "beside the others" is $'j  0 1.0 p2\nj  1 None p2\nj p3 0 7.0 p3' rows
	check "an offset that is none" like '^\{"error": "offset: expected a whole number' store j p '[1]' offset=-1
	check "a piece" is '' store cut p1 '[0, 1]' job_name=a offset=0 total=5
	check "the last, from another pod, before the one between" is '' store cut p2 '[4]' job_name=a offset=4 total=5
	check "and that" is '' store cut p2 '[2, 3]' job_name=a offset=2 total=5
	cut() { sql "SELECT firing, counter, prediction FROM rows WHERE jobuid = 'cut' ORDER BY 1, 2"; }
	check "are the rows, each once" is $' 0 0.0\n 1 1.0\n 2 2.0\n 3 3.0\n 4 4.0' cut
	check "fewer rows than the try before" is '' store cut p3 '[7, 8]' job_name=a offset=0 total=2
	check "leave none of it" is $' 0 7.0\n 1 8.0' cut
	check "with history, the pods of a Job" is '' store cut p4 '[1]' job_name=b offset=0 total=2 output_keep_history=true
	check "share its rows" is '' store cut p5 '[2]' job_name=b offset=1 total=2 output_keep_history=true
	check "beside the others" is $' 0 7.0\n 1 8.0\nb 0 1.0\nb 1 2.0' cut
	check "2500 rows at once" is '' store many p "[$(seq -s, 2500)]"
	check "are all there" is '2500 2500.0' sql "SELECT count(*), max(prediction) FROM rows WHERE jobuid = 'many'"
fi
plan
