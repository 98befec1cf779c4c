#!/bin/bash
# The runner and real model servers, as TAP: MLServer with a model of scikit-learn, and KServe's own
# ModelServer. Needs Python and their packages, which are installed into the cache; where they cannot
# be, everything is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

python_needs spec/peers/mlserver.txt
mlserver_python=$python
python_needs spec/peers/kserve.txt
kserve_python=$python

# They end when their connections do, which may take them long.
trap 'stop mlserver KILL; stop kserve KILL; cluster_down' EXIT
start mlserver "$mlserver_python" spec/peers/mlserver_peer.py "$work"
start kserve "$kserve_python" spec/peers/kserve_peer.py "$work"
# What a Python server needs to start on a machine with other things to do.
served() { [ -s "$work/mlserver.port" ] && [ -s "$work/kserve.port" ]; }
if ! until_ok 120 served; then
	tail -n 20 "$work/mlserver.log" "$work/kserve.log"
	exit 1
fi
mlserver=127.0.0.1:$(cat "$work/mlserver.port")
kserve=127.0.0.1:$(cat "$work/kserve.port")
ready() { curl -sf "http://$mlserver/v2/models/iris/ready" && curl -sf "http://$kserve/v2/models/sum/ready"; }
until_ok 60 ready || exit 1

# ask URL ROWS [KSERVE [OUTPUT]]: run the runner on a file of rows or, if there is none of that name,
# on these; KSERVE and OUTPUT are further members. Results go to $work/out.jsonl, the last words to
# $work/words; prints the exit code.
ask() {
	local rows=$2
	[ -f "$rows" ] || { rows=$work/rows.jsonl && printf '%s\n' "$2" > "$rows"; }
	rm -f "$work/out.jsonl"
	jq -n --arg url "$1" --arg rows "$rows" --arg out "$work/out.jsonl" --argjson kserve "{${3:-}}" \
		--argjson output "{${4:-}}" '{jobId: "peers", jobName: "peers",
			kserve: ({modelUrl: $url, modelInputName: "x"} + $kserve),
			input: {file: {path: $rows}}, output: {file: ({path: $out, overwrite: true} + $output)}}' \
		> "$work/contract"
	KSERVE_RETRY_DELAY=100ms timeout 120 "$BUILD/kserve-runner" --contract "$work/contract" \
		--termination-log "$work/words" 2> "$work/runner.log"
	echo $?
}
# words FILTER: of the termination message
words() { jq -r "$1" "$work/words"; }
# values NAME: of that output, a row a line
values() { jq -c --arg name "$1" '.[$name]' "$work/out.jsonl"; }
# asked CODE URL ROWS...: ask, and the runner ends with that
asked() {
	local code=$1
	shift
	is "$code" ask "$@" || {
		words .
		return 1
	}
}

# ---- a model of scikit-learn ----

iris=$mlserver/v2/models/iris/infer
head -n 150 "$work/iris.jsonl" > "$work/iris150.jsonl"
client_says() {
	timeout 120 "$kserve_python" spec/peers/kserve_client.py "http://$1" "$2" "$3" 50
}
check "150 iris rows go to scikit-learn" asked 0 "$iris" "$work/iris150.jsonl"
same_as_client() { diff <(values predict) <(client_says "$mlserver" iris "$work/iris150.jsonl"); }
check "and are classified as for KServe's own client" same_as_client
check "10,000 rows, 100 a request, 8 beside each other" asked 0 "$iris" "$work/iris.jsonl" \
	'"batch": {"rows": 100, "parallel": 8}'
check "in 100 requests" is 100 words .requests
same_as_scikit() { diff <(values predict) "$work/classes"; }
check "get the classes of scikit-learn itself, in order" same_as_scikit
check "and their numbers" is 10000 jq -s '[range(1; 10001)] == map(.row) | if . then 10000 else 0 end' "$work/out.jsonl"
check "a row of three values" asked 14 "$iris" '[1, 2, 3]'
check "is refused in the server's words" like 'Internal Server Error' words .message

# ---- tensors that Python must not touch ----

both='"inputs": [{"name": "n", "datatype": "INT64"}, {"name": "word", "datatype": "BYTES"}]'
for server in mlserver kserve; do
	url=${!server}/v2/models
	check "$server: integers beyond 2^53, and strings, in two inputs" asked 0 "$url/echo/infer" \
		'{"n": 9007199254740993, "word": "ä\"\\"}
{"word": "", "n": -9007199254740995}' "$both"
	check "$server: come back digit by digit" is \
		'{"row":1,"n":9007199254740993,"word":"ä\"\\"}
{"row":2,"n":-9007199254740995,"word":""}' cat "$work/out.jsonl"
	check "$server: NaN and Infinity" asked 0 "$url/odd/infer" '[1]'
	check "$server: are null in JSON" is '[null,null,null]' values odd
	check "$server: a name that no model has" asked 14 "$url/nobody/infer" '[1]'
	check "$server: is told in the server's words" like '404.*nobody' words .message
	check "$server: at once" is 0 words .retries
done

# ---- models that come and go ----

# comes SECONDS ACTION...: do that once the runner has been refused
comes() {
	until_ok 30 grep -q 'trying again' "$work/runner.log" && "$@"
}
: > "$work/runner.log"
comes touch "$work/late-may-load" &
check "mlserver: a model that still loads" asked 0 "$mlserver/v2/models/late/infer" '[1]'
waited() { [ "$(words .retries)" -gt 0 ]; }
check "mlserver: is waited for" waited
wait $!

touch "$work/late-is-away"
: > "$work/runner.log"
comes rm "$work/late-is-away" &
check "kserve: a model that is not ready" asked 0 "$kserve/v2/models/late/infer" '[1]'
check "kserve: is waited for" waited
wait $!

unloaded() { curl -sf -X POST "http://$mlserver/v2/repository/models/echo/unload"; }
check "mlserver: a model that is unloaded" unloaded
check "mlserver: is there no more" asked 14 "$mlserver/v2/models/echo/infer" '[1]'
check "mlserver: as the server says" like 'echo not found' words .message

# ---- KServe's own protocol, and its versions ----

check "V1: rows of three" asked 0 "$kserve/v1/models/sum:predict" '[1, 2, 3.5]
[0, 0, 0]' '' '"layout": "flat"'
check "V1: have their sums" is '6.5
0.0' cat "$work/out.jsonl"
check "V2: the same rows" asked 0 "$kserve/v2/models/sum/infer" '[1, 2, 3.5]
[0, 0, 0]' '"datatype": "FP64"' '"layout": "flat"'
check "V2: have the same sums" is '6.5
0.0' cat "$work/out.jsonl"
check "what the model raises" asked 14 "$kserve/v1/models/sum:predict" '[1, 2]'
check "is told in its own words" like 'expected rows of 3 values, found one of 2' words .message
check "after two more tries" is 2 words .retries
check "V1: NaN and Infinity" asked 0 "$kserve/v1/models/odd:predict" '[1]' '' '"layout": "flat"'
check "V1: are null" like 'null' cat "$work/out.jsonl"
check "a version" asked 14 "$kserve/v2/models/sum/versions/1/infer" '[1, 2, 3]'
check "is 501, which another try does not help" like '501.*versioning not supported' words .message

plan
