#!/bin/bash
# Users of the existing controller switch over without touching their resources or their tools, as
# TAP: compat.py is such a tool. Needs Python and its package kubernetes, which is installed into the
# cache; where it cannot be, everything is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
kubernetes=37.0.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kserve-controller
venv=$cache/python-kubernetes-$kubernetes

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

# The venv takes its name last: one that was interrupted is made again.
venv_make() {
	rm -rf "$venv.new" && mkdir -p "$cache" && python3 -m venv "$venv.new" &&
		"$venv.new/bin/python" -m pip install -q --disable-pip-version-check "kubernetes==$kubernetes" &&
		mv "$venv.new" "$venv"
}
command -v python3 > /dev/null || skip "python3 is not installed"
if [ ! -d "$venv" ]; then
	log=$(mktemp)
	venv_make > "$log" 2>&1 || {
		sed 's/^/# /' "$log"
		rm -f "$log"
		skip "python3 cannot install kubernetes $kubernetes (above)"
	}
	rm -f "$log"
fi

# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
if ! { cluster_up && cluster_install; }; then exit 1; fi
localized examples/endpoint-secret.yaml |
	sed -e 's/placeholder-user/demo/' -e 's/placeholder-password/demo/' | k apply -f - > /dev/null
engine_start
until_ok 10 engine_ready || exit 1

localized spec/e2e/compat.yaml > "$work/compat.yaml"
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" spec/e2e/compat.py "$work/compat.yaml"
status=$?
[ $status -eq 0 ] || tail -n 15 "$work/engine.log" | sed 's/^/# engine: /'
exit $status
