#!/bin/bash
# Users of the existing controller switch over without touching their resources or their tools, as
# TAP: compat.py is such a tool. Needs Python and its package kubernetes, which is installed into the
# cache; where it cannot be, everything is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1

# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
python_needs kubernetes==37.0.2
if ! { cluster_up && cluster_install; }; then exit 1; fi
localized examples/endpoint-secret.yaml |
	sed -e 's/placeholder-user/demo/' -e 's/placeholder-password/demo/' | k apply -f - > /dev/null
engine_start
until_ok 10 engine_ready || exit 1

localized spec/e2e/compat.yaml > "$work/compat.yaml"
"$python" spec/e2e/compat.py "$work/compat.yaml"
status=$?
[ $status -eq 0 ] || tail -n 15 "$work/engine.log" | sed 's/^/# engine: /'
exit $status
