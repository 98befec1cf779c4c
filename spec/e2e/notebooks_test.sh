#!/bin/bash
# The chart's output notebook behind the database handler: more predictions than fit into one call,
# with faults in the middle, as TAP. Needs Python.
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
rows=40000

mkdir "$work/notebooks"
cat spec/standins/crate.py charts/chart/notebooks/{common,output}.py > "$work/notebooks/upsert.py"
export DATABASE=$work/database

apisim_up || exit 1
start dbhandler "$BUILD/dbhandler" --listen 127.0.0.1:0 --port-file "$work/dbhandler.port" \
	--user demo --password demo --notebooks "$work/notebooks"
start model "$BUILD/kserve_model" --listen 127.0.0.1:0 --port-file "$work/model.port"
handler=http://127.0.0.1:$(port_of dbhandler) && model=127.0.0.1:$(port_of model) || exit 1
k create namespace "$namespace" > /dev/null
secret db "$handler"

# Rows that the model echoes, too long in all for four arguments.
seq "$rows" | awk 'BEGIN { printf "{\"columns\": [\"x\"], \"rows\": [" }
	{ printf "%s[%d.0123456]", (NR > 1 ? "," : ""), $1 } END { print "]}" }' > "$work/table.json"
curl -sf -X PUT --data-binary "@$work/table.json" "$handler/tables/many" > "$work/put" || exit 1

# runner POD NOTEBOOK UPSERT
runner() {
	contract "$work" "$model/v2/models/echo/infer" "$(notebook db /compute/sklearninput)" \
		"$(notebook db "/compute/$2" "\"upsert\": $3, ")" many
	attempt "$work" "$1"
}
# fault FIELDS: strikes the third piece
fault() {
	local each
	for each in '"delay_ms": 0, "times": 2' "$1"; do
		curl -sf -d "{\"path\": \"/compute/upsert\", $each}" "$handler/faults" > /dev/null
	done
}
pieces() { curl -sf "$handler/requests" | jq '[.[] | select(.method == "POST" and .path == "/compute/upsert")] | length'; }
# afresh: no table, no fault, no request
afresh() {
	sql "$DATABASE" 'DROP TABLE IF EXISTS stored'
	curl -sf -X DELETE "$handler/requests" > /dev/null
	curl -sf -X DELETE "$handler/faults" > /dev/null
}
each_once() {
	is "$rows $rows 0 $((rows - 1)) $rows" sql "$DATABASE" \
		'SELECT count(*), count(DISTINCT counter), min(counter), max(counter), sum(prediction > counter + 1 AND prediction < counter + 1.02) FROM stored'
}

check "a notebook that is not there: nobody asks the model" is 'NotebookMissing 15 failed 0' runner a nothing true
check "too much for a notebook that does not take pieces" is 'ArgTooLong 15 failed 0' runner a upsert false

afresh
fault '"drop": true, "after": true'
check "the third piece is stored and its answer is lost: it is sent again" \
	is "Completed 0 ok $rows" runner a upsert true
check "in five pieces, one of them twice" is 6 pieces
check "each row is there once" each_once

afresh
fault '"status": 500, "body": "{\"error\": \"disk\"}", "content_type": "application/json"'
check "the third piece is refused: the attempt fails" is 'OutputRejected 5 failed 0' runner b upsert true
check "the next one" is "Completed 0 ok $rows" runner c upsert true
check "leaves each row once" each_once

afresh
fault '"status": 200, "body": "Traceback (most recent call last)\nOSError: disk"'
check "a traceback in a 200 ends the run" is 'NotebookFailed 15 failed 0' runner d upsert true
plan
