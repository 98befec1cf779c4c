#!/bin/bash
# The memory of the runner does not grow with its input, as TAP: 64 MiB of JSON lines from file to file,
# through a model that costs nothing (spec/bench/model.c), each way that rows are stored; nor does it with
# the requests under way, where their answers are large.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
if nm "$BUILD/kserve-runner" 2> /dev/null | grep -q __asan_init; then
	echo "1..0 # SKIP a sanitizer has memory of its own"
	exit
fi

start model "$BUILD/bench-model" --values 100 --port-file "$work/model.port"
model=127.0.0.1:$(port_of model) || exit 1
awk 'BEGIN { for (i = 0; i < 74450; i++) { printf "["
	for (j = 0; j < 100; j++) printf "%s%d.%06d", j ? "," : "", i % 10, j * 7919; print "]" } }' > "$work/in.jsonl"

# stream LAYOUT OUT [BATCH]: sets what it needed in $work/LAYOUT.json
stream() {
	jq -n --arg url "$model/v2/models/null/infer" --arg in "$work/in.jsonl" --arg out "$work/$2" \
		--arg layout "$1" --argjson batch "{${3:-\"parallel\": 4}}" '{
			kserve: {modelUrl: $url, datatype: "FP64", batch: $batch},
			input: {file: {path: $in}}, output: {file: {path: $out, layout: $layout}}}' > "$work/$1.contract"
	"$BUILD/bench-measure" "$BUILD/kserve-runner" --contract "$work/$1.contract" \
		--termination-log "$work/words" > "$work/$1.json" && cat "$work/$1.json" &&
		jq -e '.exit == 0' "$work/$1.json"
}
below() { jq -e ".peak_rss_mib < $2" "$work/$1.json"; }
check "the input has 64 MiB" test "$(stat -c %s "$work/in.jsonl")" -gt $((64 << 20))
check "rows" stream rows rows.out.jsonl
check "rows: all are stored, in order" is 74450 jq -n \
	'reduce inputs as $r (0; if $r.row == . + 1 then $r.row else error("row \($r.row)") end)' "$work/rows.out.jsonl"
check "rows: in less than 32 MiB" below rows 32
check "tensors" stream tensors tensors.out.jsonl
check "tensors: in less than 32 MiB" below tensors 32
check "flat" stream flat flat.out.json
check "flat: in less than 32 MiB" below flat 32

start large "$BUILD/bench-model" --values $((4 << 20)) --port-file "$work/large.port"
model=127.0.0.1:$(port_of large) || exit 1
large() {
	yes '[1]' | head -n 24 > "$work/in.jsonl" && stream rows large.out.jsonl '"rows": 1, "parallel": 16'
}
check "16 requests at a time, each with an answer of 8 MiB" large
check "in less than 96 MiB" below rows 96
plan
