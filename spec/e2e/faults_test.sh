#!/bin/bash
# Each fault at the input, at the model and at the output, as TAP: what the run reports, and how many
# rows are really stored. The cases run side by side, each lane of them with stand-ins of its own.
# Needs Python.
set -u
cd "$(dirname "$0")/../.." || exit 1
if ! command -v python3 > /dev/null; then
	echo "1..0 # SKIP python3 is not installed"
	exit 0
fi
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
# shellcheck source=spec/e2e/attempt.sh
source spec/e2e/attempt.sh
lanes=8

# PLACE | FAULT | REASON EXIT RESULT STORED | ROWS. The fault strikes the next request there; with
# "times", more. `nobody` listens: no fault, but an address where nobody is. Places: in, model, out
# (the stock notebook, which knows no row again) and upsert (the chart's). Behind the table's words
# stands how many of the 3 rows are in the database.
cases() {
	cat <<-'END'
		in     | nobody | InputUnavailable 3 failed 0 | 0
		in     | "drop": true | Completed 0 ok 3 | 3
		in     | "drop": true, "after": true, "times": 99 | InputUnavailable 3 failed 0 | 0
		in     | "truncate": true | Completed 0 ok 3 | 3
		in     | "truncate": true, "times": 99 | InputUnavailable 3 failed 0 | 0
		in     | "delay_ms": 300 | Completed 0 ok 3 | 3
		in     | "delay_ms": 1500, "times": 99 | InputUnavailable 3 failed 0 | 0
		in     | "body": "Traceback (most recent call last)\nKeyError: 1" | NotebookFailed 13 failed 0 | 0
		in     | "body": "{\"error\": \"no\"}" | InputRejected 13 failed 0 | 0
		in     | "body": "<html>", "content_type": "text/html" | InputNotJSON 13 failed 0 | 0
		in     | "body": "{\"result\": [[1], [2], [3]]}", "content_type": "text/html" | Completed 0 ok 3 | 3
		in     | "body": "{\"result\": [[1], [2" | InputNotJSON 13 failed 0 | 0
		in     | "body": "{\"result\": []}" | InputEmpty 0 ok 0 | 0
		in     | "status": 400 | InputRejected 13 failed 0 | 0
		in     | "status": 401 | InputRejected 13 failed 0 | 0
		in     | "status": 404 | InputRejected 13 failed 0 | 0
		in     | "status": 500, "body": "{\"error\": \"no\"}" | InputRejected 3 failed 0 | 0
		in     | "status": 503, "headers": ["Retry-After: 1"] | Completed 0 ok 3 | 3
		in     | "status": 503, "times": 99 | InputUnavailable 3 failed 0 | 0
		model  | nobody | ModelUnavailable 4 failed 0 | 0
		model  | "drop": true | Completed 0 ok 3 | 3
		model  | "drop": true, "times": 99 | ModelUnavailable 4 failed 0 | 0
		model  | "truncate": true | Completed 0 ok 3 | 3
		model  | "truncate": true, "times": 99 | ModelUnavailable 4 failed 0 | 0
		model  | "delay_ms": 300 | Completed 0 ok 3 | 3
		model  | "delay_ms": 1500, "times": 99 | ModelTimeout 4 failed 0 | 0
		model  | "body": "{\"error\": \"no\"}" | ModelRejected 14 failed 0 | 0
		model  | "body": "<html>", "content_type": "text/html" | ModelReplyInvalid 14 failed 0 | 0
		model  | "body": "{\"outputs\": [{\"name\": \"y\", \"data\": [1, 2]}]}" | ShapeMismatch 14 failed 0 | 0
		model  | "status": 400 | ModelRejected 14 failed 0 | 0
		model  | "status": 401 | ModelRejected 14 failed 0 | 0
		model  | "status": 404, "body": "{\"error\": \"no\"}", "content_type": "application/json" | ModelRejected 14 failed 0 | 0
		model  | "status": 404, "times": 2 | Completed 0 ok 3 | 3
		model  | "status": 500 | Completed 0 ok 3 | 3
		model  | "status": 500, "times": 99 | ModelRejected 14 failed 0 | 0
		model  | "status": 503 | Completed 0 ok 3 | 3
		model  | "status": 429, "headers": ["Retry-After: 0"] | Completed 0 ok 3 | 3
		model  | "status": 503, "times": 99 | ModelUnavailable 4 failed 0 | 0
		out    | nobody | OutputUnavailable 5 failed 0 | 0
		out    | "drop": true | OutputAmbiguous 5 failed 0 | 0
		out    | "drop": true, "after": true | OutputAmbiguous 5 failed 0 | 3
		out    | "truncate": true | OutputAmbiguous 5 failed 0 | 3
		out    | "delay_ms": 300 | Completed 0 ok 3 | 3
		out    | "delay_ms": 1500 | OutputAmbiguous 5 failed 0 | 3
		out    | "body": "Traceback (most recent call last)\nKeyError: 1" | NotebookFailed 15 failed 0 | 0
		out    | "body": "{\"error\": \"no\"}" | OutputRejected 15 failed 0 | 0
		out    | "body": "<html>", "content_type": "text/html" | OutputRejected 15 failed 0 | 0
		out    | "body": "{}", "content_type": "text/html", "after": true | Completed 0 ok 3 | 3
		out    | "status": 400 | OutputRejected 15 failed 0 | 0
		out    | "status": 401 | OutputRejected 15 failed 0 | 0
		out    | "status": 500, "body": "{\"error\": \"no\"}" | OutputRejected 5 failed 0 | 0
		out    | "status": 502, "after": true | OutputAmbiguous 5 failed 0 | 3
		out    | "status": 503, "headers": ["Retry-After: 1"] | OutputUnavailable 5 failed 0 | 0
		upsert | nobody | OutputUnavailable 5 failed 0 | 0
		upsert | "drop": true | Completed 0 ok 3 | 3
		upsert | "drop": true, "times": 99 | OutputAmbiguous 5 failed 0 | 0
		upsert | "drop": true, "after": true, "times": 2 | Completed 0 ok 3 | 3
		upsert | "drop": true, "after": true, "times": 99 | OutputAmbiguous 5 failed 0 | 3
		upsert | "truncate": true | Completed 0 ok 3 | 3
		upsert | "delay_ms": 1500 | OutputAmbiguous 5 failed 0 | 3
		upsert | "body": "Traceback (most recent call last)\nKeyError: 1" | NotebookFailed 15 failed 0 | 0
		upsert | "status": 401 | OutputRejected 15 failed 0 | 0
		upsert | "status": 502, "after": true | Completed 0 ok 3 | 3
		upsert | "status": 503, "headers": ["Retry-After: 0"] | Completed 0 ok 3 | 3
	END
}

# ---- a lane ----

# stored: rows in the database
stored() {
	if [ "$output" = upsert ]; then
		sql "$dir/database" 'SELECT count(*) FROM stored' 2> /dev/null || echo 0
	else
		curl -s "$handler/tables/stored" | jq '.rows | length'
	fi
}

afresh() {
	curl -sf -X DELETE "$handler/faults" > /dev/null
	curl -sf -X DELETE "$model/faults" > /dev/null
	curl -sf -X PUT -d '{"columns": ["jobuid", "poduid", "prediction", "counter"], "rows": []}' "$handler/tables/stored" > /dev/null
	rm -f "$dir/database"
}

# one PLACE FAULT REPORT ROWS: prints what is wrong
one() {
	local place=$1 fault=$2 output=sklearnoutput in=db out=db at=$model call_timeout=30s patience=30s
	# What is to fail need not take long.
	[[ $fault != *1500* ]] || call_timeout=1s
	[[ $3 = Completed* ]] || patience=300ms
	[ "$place" = upsert ] && output=upsert
	afresh
	if [ "$fault" = nobody ]; then
		case $place in in) in=nobody ;; model) at=http://127.0.0.1:1 ;; *) out=nobody ;; esac
	else
		case $place in
		in) curl -sf -d "{\"path\": \"/compute/sklearninput\", $fault}" "$handler/faults" ;;
		model) curl -sf -d "{\"path\": \"/v2/models/echo/infer\", $fault}" "$model/faults" ;;
		*) curl -sf -d "{\"path\": \"/compute/$output\", $fault}" "$handler/faults" ;;
		esac > /dev/null || echo "the fault is refused"
	fi
	contract "$dir" "$at/v2/models/echo/infer" "$(notebook "$lane-$in" /compute/sklearninput)" \
		"$(notebook "$lane-$out" "/compute/$output" "$([ $output = upsert ] && echo '"upsert": true, ')")" three
	is "$3" attempt "$dir" first || tail -n 3 "$dir/runner.log"
	is "$4" stored
	# Another Pod, as the Job would start it: nothing is there twice where that can be told.
	if [ "$output" = upsert ] && [ "$fault" != nobody ]; then
		curl -sf -X DELETE "$handler/faults" > /dev/null
		call_timeout=30s patience=30s
		is 'Completed 0 ok 3' attempt "$dir" second
		is 3 stored
	fi
}

# lane NUMBER: every so manieth case; writes what is wrong to a file of each
lane() {
	local lane=$1 dir=$work/lane$1 handler model number=0 place fault report rows
	mkdir -p "$dir/notebooks"
	cp "$work/upsert.py" "$dir/notebooks/"
	handler=http://127.0.0.1:$(port_of "dbhandler$lane") model=http://127.0.0.1:$(port_of "model$lane")
	while IFS='|' read -r place fault report rows; do
		number=$((number + 1))
		((number % lanes == lane)) || continue
		one "$(xargs <<< "$place")" "$(sed 's/^ *//;s/ *$//' <<< "$fault")" "$(xargs <<< "$report")" \
			"$(xargs <<< "$rows")" > "$work/case.$number" 2>&1
	done < "$work/cases"
}

cat spec/standins/crate.py charts/chart/notebooks/{common,output}.py > "$work/upsert.py"
cases > "$work/cases"
apisim_up || exit 1
k create namespace "$namespace" > /dev/null
for ((i = 0; i < lanes; i++)); do
	mkdir "$work/lane$i"
	DATABASE=$work/lane$i/database start "dbhandler$i" "$BUILD/dbhandler" --listen 127.0.0.1:0 \
		--port-file "$work/dbhandler$i.port" --user demo --password demo --notebooks "$work/lane$i/notebooks"
	start "model$i" "$BUILD/kserve_model" --listen 127.0.0.1:0 --port-file "$work/model$i.port"
	secret "$i-db" "http://127.0.0.1:$(port_of "dbhandler$i")"
	secret "$i-nobody" http://127.0.0.1:1
	curl -sf -X PUT -d '{"columns": ["x"], "rows": [[1], [2.5], [3]]}' \
		"http://127.0.0.1:$(port_of "dbhandler$i")/tables/three" > /dev/null
done
running=()
for ((i = 0; i < lanes; i++)); do
	lane "$i" &
	running+=($!)
done
wait "${running[@]}"

number=0
while IFS='|' read -r place fault report rows; do
	number=$((number + 1))
	right() { [ -f "$work/case.$number" ] && cat "$work/case.$number" && [ ! -s "$work/case.$number" ]; }
	check "$(xargs <<< "$place"): $(sed 's/^ *//;s/ *$//' <<< "$fault")" right
done < "$work/cases"
plan
