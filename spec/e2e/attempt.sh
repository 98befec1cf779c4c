# shellcheck shell=bash
# spec/e2e/attempt.sh - the runner without a cluster: Secrets from apisim, stand-ins around it. To be
# sourced behind lib.sh, which has the variables.
# shellcheck disable=SC2154

# secret NAME URL: an endpoint Secret
secret() {
	k create secret generic "$1" --from-literal=server-url="$2" --from-literal=username=demo \
		--from-literal=password=demo -n "$namespace" > /dev/null
}

# notebook SECRET PATH [MEMBER,...]: a storage section
notebook() {
	printf '{"krateo": {%s"api": {"endpointRef": {"name": "%s", "namespace": "%s"}, "path": "%s", "verb": "POST"}}}' \
		"${3:-}" "$1" "$namespace" "$2"
}

# contract DIR MODEL INPUT OUTPUT TABLE: from table TABLE to table stored
contract() {
	cat > "$1/contract.json" <<-END
		{"jobId": "job", "jobName": "inf-job",
		 "kserve": {"modelUrl": "$2", "modelInputName": "x", "datatype": "FP64", "batch": {"rows": 1000}},
		 "input": $3, "output": $4,
		 "parameters": {"input_table_name": "$5", "output_table_name": "stored"}}
	END
}

# attempt DIR POD: one of the Job whose contract is there; prints reason, exit code, result, rows stored
attempt() {
	: > "$1/report"
	mkdir -p "$work/account"
	env KUBERNETES_SERVICE_HOST="$server" KSERVE_SERVICEACCOUNT_DIR="$work/account" pod_uid="$2" \
		KSERVE_RETRY_DELAY=10ms KSERVE_CALL_TIMEOUT="${call_timeout:-30s}" KSERVE_PATIENCE="${patience:-30s}" \
		KSERVE_TERMINATION_LOG="$1/report" \
		timeout 60 "$BUILD/kserve-runner" --contract "$1/contract.json" 2> "$1/runner.log"
	jq -r '"\(.reason) \(.exit) \(.result) \(.rows.stored)"' "$1/report"
}

# sql FILE STATEMENT: what the notebooks have stored (spec/standins/crate.py)
sql() {
	python3 - "$@" <<-'END'
		import sqlite3, sys
		for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):
		    print(*row)
	END
}
