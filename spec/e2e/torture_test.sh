#!/bin/bash
# The lives of spec/torture/torture.py on a real API server, as TAP; on apisim `make torture` plays them, and
# many more ways to go wrong.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "${E2E_SERVER:-apisim}" = real ] || { echo '1..0 # SKIP make torture plays them on apisim'; exit; }
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

{ controlplane_up && podrunner_up --image fails=/bin/false --image '*=/bin/true' --no-namespaces yes && cluster_install; } || exit 1
env "${engine_env[@]}" BUILD="$BUILD" spec/torture/torture.py --server "$server" --ca "$server_ca" \
	--cert "$work/pki/admin.crt" --key "$work/pki/admin.key" --kubeconfig "$engine_kubeconfig" --kills "${KILLS:-2}"
