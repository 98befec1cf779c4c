# shellcheck shell=bash
# spec/cluster.sh - a cluster on loopback for the demo, the integration suites and the benchmark; to
# be sourced. Everything lives in $work and ends with the shell.
#
#	cluster_up [ARG...]   an API server, podrunner with these ARGs too, and the stand-ins; sets
#	                      KUBECONFIG, handler, model
#	cluster_up_bare       the same without stand-ins: every Pod just succeeds
#	server_up [ARG...]    only the API server, apisim with these ARGs: no Pod starts by itself
#	cluster_install [ARG...]
#	                      CRDs, namespace, policies; on a real API server the chart, with these
#	engine_start [ARG...] the controller; engine_stop [SIGNAL]
#	k ARG...              kubectl in the namespace of the examples
#	api PATH [ARG...]     curl to the API server
#
# The API server is apisim, or with E2E_SERVER=real that of spec/controlplane.sh.

# shellcheck source=spec/controlplane.sh
source spec/controlplane.sh

BUILD=${BUILD:-build}
KUBECTL=${KUBECTL:-kubectl}
namespace=kserve-controller-system
work=$(mktemp -d)
export KUBECONFIG=$work/kubeconfig
server_ca='' curl_auth=() # curl's options and their values
engine_kubeconfig='' engine_env=() # where they are not KUBECONFIG and ours
declare -A pid_of=()

# start NAME COMMAND...: in the background, its output in $work/NAME.log
start() {
	local name=$1
	shift
	: > "$work/$name.log" # now: what waits for a line must not find one of the last program
	"$@" >> "$work/$name.log" 2>&1 &
	pid_of[$name]=$!
}

# stop NAME [SIGNAL]: end it and wait; its exit status
stop() {
	local pid=${pid_of[$1]:-}
	[ -n "$pid" ] || return 0
	unset "pid_of[$1]"
	kill "-${2:-TERM}" "$pid" 2> /dev/null
	wait "$pid" 2> /dev/null
}

cluster_down() {
	local name
	for name in engine podrunner kube-controller-manager kube-apiserver "${!pid_of[@]}"; do
		stop "$name" || true # how it ended is of no interest any more, not even under set -e
	done
	rm -rf "$work"
}

# until_ok SECONDS COMMAND...: again and again until it succeeds
until_ok() {
	local end=$((SECONDS + $1))
	shift
	until "$@" > "$work/last" 2>&1; do
		if ((SECONDS >= end)); then
			echo "timed out: $*" >&2
			cat "$work/last" >&2
			return 1
		fi
		sleep 0.05
	done
}

# port_of NAME: the port that the program has written to $work/NAME.port
port_of() {
	until_ok 10 test -s "$work/$1.port" || return 1
	cat "$work/$1.port"
}

k() {
	"$KUBECTL" -n "$namespace" "$@"
}

# api PATH [CURL ARG...]
api() {
	curl -sf "${curl_auth[@]}" "$server$1" "${@:2}"
}

# write_kubeconfig FILE [USER]: USER in flow style
write_kubeconfig() {
	cat > "$1" <<-END
		apiVersion: v1
		kind: Config
		current-context: local
		contexts: [{name: local, context: {cluster: local, user: local, namespace: $namespace}}]
		clusters: [{name: local, cluster: {server: "$server"${server_ca:+, certificate-authority: $server_ca}}}]
		users: [{name: local, user: {${2:-}}}]
	END
}

# apisim_up [ARG...]: only the API server
apisim_up() {
	start apisim "$BUILD/apisim" --listen 127.0.0.1:0 --port-file "$work/apisim.port" "$@"
	server=http://127.0.0.1:$(port_of apisim) || return 1
	write_kubeconfig "$KUBECONFIG"
}

is_real() {
	[ "${E2E_SERVER:-apisim}" = real ]
}

# server_up [ARG...]
# shellcheck disable=SC2120 # some suites give it some
server_up() {
	if is_real; then controlplane_up; else apisim_up "$@"; fi
}

# podrunner_up ARG...
podrunner_up() {
	start podrunner "$BUILD/podrunner" --kubeconfig "$KUBECONFIG" --root "$work/pods" "$@"
}

cluster_up_bare() {
	if is_real; then
		controlplane_up && podrunner_up --image '*=/bin/true' --no-namespaces yes
	else
		apisim_up --auto-run 50
	fi
}

cluster_up() {
	server_up || return
	start dbhandler "$BUILD/dbhandler" --listen 127.0.0.1:0 --port-file "$work/dbhandler.port" \
		--user demo --password demo
	start model "$BUILD/kserve_model" --listen 127.0.0.1:0 --port-file "$work/model.port"
	handler=127.0.0.1:$(port_of dbhandler) || return 1
	model=127.0.0.1:$(port_of model) || return 1
	podrunner_up \
		--image ghcr.io/krateoplatformops/kserve-krateo-runner="$(realpath "$BUILD/kserve-runner")" "$@"
}

# localized FILE...: examples with the addresses of the stand-ins in place of the cluster's
localized() {
	sed -E -e "s#[a-z-]+\.kserve-test\.svc\.cluster\.local#$model#" \
		-e "s#http://finops-database-handler[a-z.:0-9-]*#http://$handler#" "$@"
}

policies_apply() {
	"$KUBECTL" -n "$namespace" create configmap kserve-controller-policies "$@" \
		--dry-run=client -o yaml | k apply -f - > /dev/null
}

cluster_install() {
	if is_real; then
		controlplane_install "$@"
	else
		"$KUBECTL" apply -f charts/crd-chart/templates -f examples/namespace.yaml > /dev/null
	fi && until_ok 10 "$KUBECTL" get inferenceruns -A && policies_apply --from-file=scripts
}

# controller_start NAME [ARG...]
controller_start() {
	start "$1" env "${engine_env[@]}" "$BUILD/kserve-controller" --kubeconfig "${engine_kubeconfig:-$KUBECONFIG}" \
		--listen 127.0.0.1:0 --log-format text "${@:2}"
}

engine_start() {
	controller_start engine "$@"
}

engine_stop() {
	stop engine "$@"
}
