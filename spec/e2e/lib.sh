# shellcheck shell=bash
# spec/e2e/lib.sh - what the integration suites share: a cluster, TAP, waiting. To be sourced from
# the top of the repository. A suite ends with `plan`.
# shellcheck source=spec/cluster.sh
source spec/cluster.sh
trap cluster_down EXIT

if is_real; then
	reason=$(spec/controlplane/build 2>&1 > /dev/null)
	case $? in
	0) ;;
	3) echo "1..0 # SKIP $reason" && exit ;;
	*) echo "$reason" && exit 1 ;;
	esac
fi

tests=0

# check NAME COMMAND...: one test, that the command succeeds
check() {
	local name=$1
	shift
	tests=$((tests + 1))
	if "$@" > "$work/check" 2>&1; then
		echo "ok $tests - $name"
		return
	fi
	echo "not ok $tests - $name"
	sed 's/^/# /' "$work/check"
	[ ! -s "$work/engine.log" ] || tail -n 15 "$work/engine.log" | sed 's/^/# engine: /'
}

# skipped NAME REASON: a test that cannot be made here
skipped() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# python_needs PACKAGE==VERSION... | FILE: sets python to an interpreter that has them, or skips the
# suite, also where installing them takes too long for a suite (`make e2e` does it beforehand)
python_needs() {
	local venv status
	venv=$(timeout 120 spec/venv "$@" 2> "$work/venv.log")
	status=$?
	[ $status -ne 124 ] || echo "installing $* takes more than 120 s" >> "$work/venv.log"
	if [ $status -ne 0 ]; then
		sed 's/^/# /' "$work/venv.log"
		echo "1..0 # SKIP $(tail -n 1 "$work/venv.log")"
		exit
	fi
	export PYTHONDONTWRITEBYTECODE=1
	export python=$venv/bin/python
}

plan() {
	echo "1..$tests"
}

# is WANTED COMMAND...: prints exactly that
is() {
	local wanted=$1 found
	shift
	found=$("$@" 2>&1)
	[ "$found" = "$wanted" ] || {
		echo "expected: $wanted"
		echo "found:    $found"
		return 1
	}
}

# like PATTERN COMMAND...: prints something that matches (an extended regular expression)
like() {
	local wanted=$1 found
	shift
	found=$("$@" 2>&1)
	grep -Eq -- "$wanted" <<< "$found" || {
		echo "expected: $wanted"
		echo "found:    $found"
		return 1
	}
}

# refused COMMAND...: fails; its output is printed, so that it can be given to like
refused() {
	! "$@" 2>&1
}

# run_field NAME JSONPATH
run_field() {
	k get inferencerun "$1" -o "jsonpath={$2}"
}

# becomes PHASE RUN [SECONDS]
becomes() {
	until_ok "${3:-20}" is "$1" run_field "$2" .status.phase
}

contract_of() {
	run_field "$1" .status.contract | base64 -d
}

# run NAME CONFIG [LINE...]: create an InferenceRun; each LINE goes under spec
run() {
	local name=$1 config=$2
	shift 2
	{
		printf 'apiVersion: ai.krateo.io/v1\nkind: InferenceRun\nmetadata: {name: %s, namespace: %s}\n' \
			"$name" "$namespace"
		printf 'spec:\n  configRef: {name: %s}\n' "$config"
		printf '  %s\n' "$@"
	} | k apply -f -
}

# count KIND [SELECTOR ARGS]: how many there are
count() {
	k get "$@" -o name 2> /dev/null | wc -l | tr -d ' '
}

engine_ready() {
	grep -q 'caches are full' "$work/engine.log"
}

# create_runs FIRST LAST: run-FIRST to run-LAST of iris-inference-config, many at a time
create_runs() {
	local i
	for i in $(seq "$1" "$2"); do
		echo next
		[ ${#curl_auth[@]} -eq 0 ] || printf '%s "%s"\n' "${curl_auth[@]}"
		printf 'url = "%s"\nheader = "Content-Type: application/json"\noutput = /dev/null\ndata = "%s"\n' \
			"$server/apis/ai.krateo.io/v1/namespaces/$namespace/inferenceruns" \
			"{\\\"apiVersion\\\":\\\"ai.krateo.io/v1\\\",\\\"kind\\\":\\\"InferenceRun\\\",\\\"metadata\\\":{\\\"name\\\":\\\"run-$i\\\"},\\\"spec\\\":{\\\"configRef\\\":{\\\"name\\\":\\\"iris-inference-config\\\"}}}"
	done | sed 1d > "$work/runs"
	curl -sf --parallel --parallel-max 16 --config "$work/runs"
}

# how many runs are in which phase, such as "3 Running 7 Succeeded"
phases() { k get irun -o jsonpath='{range .items[*]}{.status.phase}{"\n"}{end}' | sort | uniq -c | xargs; }
# the runs that own these, a uid a line
owners() { k get "$1" -l ai.krateo.io/run -o jsonpath='{range .items[*]}{.metadata.labels.ai\.krateo\.io/run}{"\n"}{end}'; }
# one_each KIND: how many there are, and of how many runs
one_each() {
	local all distinct
	all=$(owners "$1" | wc -l)
	distinct=$(owners "$1" | sort -u | wc -l)
	echo "$all $distinct"
}
