# shellcheck shell=bash
# spec/controlplane.sh - a real control plane on loopback: etcd, kube-apiserver with RBAC and the
# default admission, kube-controller-manager with what Jobs need. No scheduler and no kubelet:
# podrunner binds and runs the Pods. To be sourced after spec/cluster.sh, whose $work it lives in.
#
#	controlplane_up       sets server, curl_auth; writes KUBECONFIG, of a member of system:masters
#	controlplane_install [ARG...]
#	                      the chart, with these arguments of Helm's; sets engine_kubeconfig and
#	                      engine_env, so that the engine has the account, the rights and the
#	                      settings that the chart gives it
#
# cluster_down ends it. controlplane_up returns 3 if there are no binaries: see controlplane/build.
# shellcheck disable=SC2034,SC2154 # variables are set here and read in cluster.sh, and vice versa

CONTROLLERS=(job-controller cronjob-controller ttl-after-finished-controller
	garbage-collector-controller namespace-controller serviceaccount-controller
	serviceaccount-token-controller root-ca-certificate-publisher-controller
	clusterrole-aggregation-controller resourcequota-controller)

# ---- certificates, in $work/pki ----

pki_key() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# pki_cert NAME SUBJECT [EXTENSION]: a key, and a certificate of our CA
pki_cert() {
	pki_key "$1" &&
		openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" &&
		openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
			-extfile <(echo "${3:-extendedKeyUsage=clientAuth}") -out "$1.crt"
}

pki_make() (
	mkdir -p "$work/pki" && cd "$work/pki" || exit 1
	pki_key ca &&
		openssl req -new -x509 -key ca.key -subj /CN=kserve-local-ca -days 2 -out ca.crt &&
		pki_cert server /CN=kube-apiserver \
			'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc' &&
		pki_cert admin /O=system:masters/CN=admin &&
		pki_cert controller-manager /CN=system:kube-controller-manager &&
		pki_key accounts && openssl pkey -in accounts.key -pubout -out accounts.pub
)

# cert_user NAME: for a kubeconfig, who has the certificate of this name
cert_user() {
	echo "client-certificate: $work/pki/$1.crt, client-key: $work/pki/$1.key"
}

# ---- the programs ----

# One that nothing listens on, below those that the kernel hands out: kube-apiserver cannot choose
# one by itself.
free_port() {
	local port
	while port=$((20000 + RANDOM % 12000)); (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
	echo "$port"
}

etcd_up() {
	etcd=http://127.0.0.1:$(free_port)
	start etcd "$programs/etcd" --data-dir "$work/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
		--listen-peer-urls http://127.0.0.1:0
}

apiserver_up() {
	local pki=$work/pki port
	port=$(free_port)
	start kube-apiserver "$programs/kube-apiserver" --etcd-servers "$etcd" --endpoint-reconciler-type none \
		--bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$port" \
		--tls-cert-file "$pki/server.crt" --tls-private-key-file "$pki/server.key" \
		--client-ca-file "$pki/ca.crt" --authorization-mode RBAC \
		--service-account-issuer https://kubernetes.default.svc \
		--service-account-key-file "$pki/accounts.pub" \
		--service-account-signing-key-file "$pki/accounts.key" \
		--service-cluster-ip-range 10.0.0.0/24
	server=https://127.0.0.1:$port server_ca=$pki/ca.crt
	curl_auth=(--cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key")
}

controller_manager_up() {
	local IFS=,
	write_kubeconfig "$work/controller-manager.kubeconfig" "$(cert_user controller-manager)"
	start kube-controller-manager "$programs/kube-controller-manager" \
		--kubeconfig "$work/controller-manager.kubeconfig" --controllers "${CONTROLLERS[*]}" \
		--use-service-account-credentials --leader-elect=false --secure-port 0 \
		--service-account-private-key-file "$work/pki/accounts.key" \
		--root-ca-file "$work/pki/ca.crt" --concurrent-job-syncs 20 \
		--kube-api-qps 500 --kube-api-burst 1000
}

# What every new Pod needs is there once the controllers run.
controllers_work() {
	"$KUBECTL" -n default get serviceaccount/default configmap/kube-root-ca.crt
}

controlplane_up() {
	programs=$(spec/controlplane/build) || return
	[ ! -x "$programs/kubectl" ] || KUBECTL=$programs/kubectl
	pki_make > "$work/pki.log" 2>&1 || {
		cat "$work/pki.log" >&2
		return 1
	}
	etcd_up
	apiserver_up
	write_kubeconfig "$KUBECONFIG" "$(cert_user admin)"
	until_ok 60 "$KUBECTL" get --raw /readyz || return 1
	controller_manager_up
	until_ok 60 controllers_work
}

controlplane_install() {
	HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm \
		"$programs/helm" install kserve-controller charts/chart -n "$namespace" --create-namespace \
		"$@" > "$work/helm.log" 2>&1 || {
		cat "$work/helm.log" >&2
		return 1
	}
	k create token kserve-controller --duration 24h > "$work/engine.token" || return 1
	engine_kubeconfig=$work/engine.kubeconfig
	write_kubeconfig "$engine_kubeconfig" "tokenFile: $work/engine.token"
	mapfile -t engine_env < <(k get configmap kserve-controller-environment -o json |
		jq -r '.data | to_entries[] | "\(.key)=\(.value)"')
}
