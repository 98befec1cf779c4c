#!/bin/bash
# The stand-ins of finops-database-handler and of a KServe model, seen from outside, as TAP.
# BUILD says where the programs are.
set -u

here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$here/build}
dir=$(mktemp -d)
db='' db_pid='' model='' model_pid='' status='' body='' headers=''

stop() {
	kill "$db_pid" "$model_pid" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap stop EXIT
# shellcheck source=spec/e2e/ok.sh
source "$here/spec/e2e/ok.sh"

clues() {
	printf 'status %s, headers and body:\n%s\n%s\n' "$status" "$headers" "${body:0:2000}"
}

# call METHOD URL [CURL OPTION...]: sets status, headers and body. status 000: no whole reply.
call() {
	local method=$1 url=$2
	shift 2
	status=$(curl -s -X "$method" -D "$dir/headers" -o "$dir/body" -w '%{http_code}' \
		--max-time 30 "$@" "$url") || status=000
	headers=$(tr -d '\r' <"$dir/headers")
	body=$(cat "$dir/body")
}

# notebook NAME JSON [ACCEPT]: run it as the runner does.
notebook() {
	printf '%s' "$2" >"$dir/data"
	call POST "$db/compute/$1" -u ann:secret -H 'Content-Type: application/json' \
		-H "Accept: ${3:-application/json}" --data-binary "@$dir/data"
}

infer() {
	call POST "$model/v2/models/$1/infer" -H 'Content-Type: application/json' -d "$2"
}

fault() {
	curl -s -o /dev/null -d "$2" "$1/faults"
}

is() { [ "$status" = "$1" ] && [ "$body" = "$2" ]; }
has() { [ "$status" = "$1" ] && [[ $body == *"$2"* ]]; }
is_json() { [[ ${headers,,} == *'content-type: application/json'* ]]; }

# start NAME FILE OPTION...: run a stand-in, wait for its port; its pid is $!.
start() {
	local program=$1 file=$2
	shift 2
	rm -f "$file"
	"$build/$program" --listen 127.0.0.1:0 --port-file "$file" "$@" 2>>"$dir/log" &
	for _ in $(seq 200); do
		if [ -s "$file" ]; then
			return
		fi
		sleep 0.05
	done
	echo "Bail out! $program does not listen: $(cat "$dir/log")"
	exit 1
}

start_db() {
	start dbhandler "$dir/db.port" --user ann --password secret --state "$dir/state"
	db_pid=$! db=http://127.0.0.1:$(cat "$dir/db.port")
}

start_db
start kserve_model "$dir/model.port"
model_pid=$! model=http://127.0.0.1:$(cat "$dir/model.port")

# ---- the database handler: what it refuses ----

call GET "$db/compute/list"
is 401 '{"error":"authorization header is missing or not type basic"}'
ok 'no Authorization: 401'

call GET "$db/compute/list" -H 'Authorization: Bearer x'
is 401 '{"error":"authorization header is missing or not type basic"}'
ok 'Authorization that is not Basic: 401'

call GET "$db/compute/list" -u ann:wrong
has 500 'password authentication failed'
ok 'a wrong password: the exception of the database as a 500'

call GET "$db/nowhere"
has 500 '404 Not Found'
ok 'an unknown path: a 404 wrapped in a 500'

call PUT "$db/compute/kserveinput" -u ann:secret
has 500 '405 Method Not Allowed'
ok 'another method: a 405 wrapped in a 500'

call DELETE "$db/compute/a/b" -u ann:secret
is 405 '{"error":"URL composition or methods are incorrect"}'
ok 'a method with too long a path: 405'

call GET "$db/compute/kserveinput" -u ann:secret
is 400 '{"error":"URL composition incorrect"}'
ok 'GET of a notebook: 400'

notebook kserveinput '{'
has 500 '400 Bad Request'
ok 'bad JSON: a 400 wrapped in a 500'

call POST "$db/compute/kserveinput" -u ann:secret -d '{}'
has 500 '415 Unsupported Media Type'
ok 'another content type: a 415 wrapped in a 500'

notebook kserveinput '{"input_table_name":5}'
is 500 '{"error":"can only concatenate str (not \"int\") to str"}'
ok 'a number as a parameter: 500'

notebook kserveinput '{"input_table_name":null}'
has 500 'not \"NoneType\"'
ok 'null as a parameter: 500'

notebook kserveinput '{"input_table_name":"a\u0000b"}'
is 500 '{"error":"embedded null byte"}'
ok 'a NUL in a parameter: 500'

# key= and value have 131071 bytes together.
digits=$(printf '%0131059d' 0)
notebook kserveoutput "{\"predictions\":\"$digits\"}"
has 200 JSONDecodeError
ok 'an argument of 131071 bytes reaches the notebook'

notebook kserveoutput "{\"predictions\":\"0$digits\"}"
is 500 '{"error":"[Errno 7] Argument list too long: '"'python3'"'"}'
ok 'an argument of 131072 bytes: 500'

# ---- the database handler: failures that look like success ----

notebook nonsense '{}'
is 200 '' && is_json
ok 'an unknown notebook: 200 and nothing'

notebook kserveinput '{"input_table_name":"nowhere"}'
has 200 'Traceback (most recent call last)' && has 200 "Relation 'nowhere' unknown" && is_json
ok 'a table that does not exist: 200 and a traceback, called JSON'

notebook kserveinput '{}'
has 200 SQLParseException
ok 'a missing argument: 200 and a traceback'

notebook kserveoutput '{"output_table_name":"t1","job_uid":"j","predictions":"[1]"}'
is 200 'missing agument for call: pod_uid'
ok 'a missing argument that does not hurt: stored, with a line of text'

notebook kserveoutput '{"output_table_name":"t2","job_uid":"j","pod_uid":"p","predictions":"[[1,2]]"}'
has 200 "float() argument must be a string or a real number, not 'list'"
ok 'nested predictions: 200 and a traceback'

notebook kserveoutput '{"output_table_name":"t3","job_uid":"a=b","pod_uid":"p","predictions":"[1]"}'
call GET "$db/tables/t3"
has 200 '["a","p",1,0]'
ok 'a value is cut at its =' # as str.split does

# ---- the database handler: what works ----

call GET "$db/compute/list" -u ann:secret
has 200 '[["kserveinput"],["kserveoutput"],["tritoninput"],["tritonoutput"]'
ok 'the list of notebooks'

call GET "$db/compute/tritoninput/info" -u ann:secret
has 200 '"notebook":"tritoninput"'
ok 'info of a notebook'

call GET "$db/compute/nonsense/info" -u ann:secret
is 404 '{"notebook":"nonsense","code":""}'
ok 'info of an unknown notebook: 404'

notebook kserveinput '{"input_table_name":"kserve_controller_input"}'
has 200 '{"result": [[5.1, 3.5, 1.4, 0.2], ' && has 200 '[5.9, 3.0, 5.1, 1.8]]}' && is_json &&
	[ "$(grep -o '\[[0-9]' <<<"$body" | wc -l)" -eq 150 ]
ok 'iris: 150 rows, first and last'
iris=$body

notebook kserveinput '{"input_table_name":"kserve_controller_input"}' 'application/json, */*'
has 200 '{"result"' && ! is_json
ok 'another Accept: the reply is not called JSON'

notebook kserveinput '{"input_table_name":"exact_numbers"}'
has 200 '[0.1000000000000000055, 9007199254740993, 1e-7, 5.10]'
ok 'numbers keep their digits'

notebook kserveinput '{"input_table_name":"empty_table"}'
is 200 '{"result": []}'
ok 'an empty table'

series='{"input_data_length":"512","input_table_column_name":"average","input_table_name":"azuretoolkit","key_name":"resourceid","key_value":"sample_vm"}'
notebook tritoninput "$series"
has 200 '{"result": [[30.0, 33.7,' && [ "$(tr -cd ',' <<<"$body" | wc -c)" -eq 511 ]
ok 'triton: one series of 512 values'
past=${body#*\[\[} past=${past%%\]*}

notebook tritoninput "${series/sample_vm/other}"
is 200 '{"result": []}'
ok 'triton: another key, no row'

notebook tritoninput "${series/512/2}"
has 200 '{"result": [[' && [ "$(tr -cd ',' <<<"$body" | wc -c)" -eq 1 ]
ok 'triton: the last 2 values'

notebook tritoninput "${series/512/many}"
has 200 "ValueError: invalid literal for int() with base 10: 'many'"
ok 'triton: a length that is no number'

call PUT "$db/tables/holes" -d '{"columns":["timestamp","v","k"],"rows":[[40,4.0,"x"],[10,1.50,"x"],[20,null,"x"],[30,9,"y"]]}'
notebook tritoninput '{"input_data_length":"9","input_table_column_name":"v","input_table_name":"holes","key_name":"k","key_value":"x"}'
is 200 '{"result": [[1.50, 0.0, 0.0, 4.0]]}'
ok 'triton: sorted, holes and nulls become zero'

store='{"output_table_name":"out","job_uid":"j1","pod_uid":"p1","predictions":"[0,1.0,9007199254740993,0.1000000000000000055]"}'
notebook kserveoutput "$store"
is 200 '' && is_json && call GET "$db/tables/out" &&
	has 200 '{"columns":["jobuid","poduid","prediction","counter"],"rows":[["j1","p1",0,0],["j1","p1",1.0,1],["j1","p1",9007199254740993,2],["j1","p1",0.1000000000000000055,3]]}'
ok 'stored: an empty reply, rows with their digits'

notebook kserveoutput "$store"
has 200 'DuplicateKeyException'
ok 'stored twice under the same key: 200 and a traceback'

notebook kserveoutput "${store/p1/p2}"
call GET "$db/tables/out"
has 200 '["j1","p2",0,0]'
ok 'stored by another pod: more rows'

kill "$db_pid"
wait "$db_pid"
ok 'SIGTERM ends it with status 0'
start_db
call GET "$db/tables/out"
has 200 '["j1","p2",0,0]'
ok 'the tables outlive it in the state file'

notebook kserveoutput "$store"
has 200 'DuplicateKeyException'
ok 'and so do the keys'

# ---- the model ----

call GET "$model/v2/health/ready"
is 200 '{"ready":true}'
ok 'ready'

call GET "$model/v2/models/sklearn-iris"
has 200 '"datatype":"FP32"'
ok 'metadata of a model'

call GET "$model/v2/models/sklearn-iris/ready"
[ "$status" = 200 ]
ok 'a model is ready'

infer nonsense '{}'
is 404 '{"error":"Model with name nonsense does not exist."}'
ok 'an unknown model: 404'

call POST "$model/v2/models/echo/versions/1/infer" -d '{}'
[ "$status" = 501 ]
ok 'a version: 501'

infer sklearn-iris 'x'
has 400 'Unrecognized request format'
ok 'no JSON: 400'

infer sklearn-iris '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3]}]}'
has 400 'cannot reshape array of size 3'
ok 'fewer data than the shape says: 400'

infer sklearn-iris '{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[[1,2,3,4,5],[1,2,3]]}]}'
has 400 'do not follow the shape'
ok 'ragged rows: 400'

infer sklearn-iris '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[[1,2,3]]}]}'
has 500 'X has 3 features'
ok 'another number of features: the exception of the model as a 500'

infer sklearn-iris '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[[1,null,3,4]]}]}'
has 400 'expected numbers'
ok 'null among the data: 400'

rows=${iris#*: } rows=${rows%\}}
infer sklearn-iris "{\"inputs\":[{\"name\":\"\",\"shape\":[150,4],\"datatype\":\"FP32\",\"data\":$rows}]}"
has 200 '"datatype":"INT64","shape":[150],"data":[0,0,0,'
ok 'iris: 150 classes'

granite() { infer granite-timeseries-ttm-r2 "{\"inputs\":[{\"name\":\"$1\",\"shape\":$2,\"datatype\":\"FP32\",\"data\":[$past]}]}"; }

granite past_values '[1,512]'
has 400 'Expected [-1,512,1], got [1,512]'
ok 'granite: another shape: 400'

granite values '[1,512,1]'
has 400 "unexpected inference input 'values'"
ok 'granite: another input name: 400'

granite past_values '[1,512,1]'
has 200 '"name":"forecast_output","datatype":"FP32","shape":[1,96,1]' &&
	[ "$(sed 's/.*"data":\[//; s/\].*//' <<<"$body" | tr ',' '\n' | wc -l)" -eq 96 ]
ok 'granite: 96 hours'

infer echo '{"id":"7","inputs":[{"name":"t","shape":[2,2],"datatype":"FP64","data":[[0.1000000000000000055,9007199254740993],[1e400,-0.0]]}]}'
has 200 '"data":[[0.1000000000000000055,9007199254740993],[1e400,-0.0]]' && has 200 '"id":"7"'
ok 'echo: every digit comes back'

# ---- V1 ----

predict() {
	call POST "$model/v1/models/$1:predict" -H 'Content-Type: application/json' -d "$2"
}

predict nonsense '{}'
is 404 '{"error":"Model with name nonsense does not exist."}'
ok 'V1: an unknown model: 404'

predict echo '{"instances":{}}'
has 400 'to be a list'
ok 'V1: instances that are no list: 400'

predict sklearn-iris '{"instances":[[1,2,3,4],[1,2]]}'
[ "$status" = 500 ]
ok 'V1: an exception of the model as a 500'

predict sklearn-iris "{\"instances\":$rows}"
has 200 '{"predictions":[0,0,0,'
ok 'V1: iris: 150 classes'

predict echo '{"instances":[[0.10],"a",{"b":[1e400]}]}'
is 200 '{"predictions":[[0.10],"a",{"b":[1e400]}]}'
ok 'V1: echo'

# ---- faults and the log of requests ----

call POST "$model/faults" -d '{"path":"/v2/models/echo/infer","color":"red"}'
has 400 'unknown field'
ok 'a fault with an unknown field is refused'

echo_one='{"inputs":[{"name":"t","shape":[1],"datatype":"FP32","data":[1]}]}'
fault "$model" '{"path":"/v2/models/echo/*","times":2,"status":503,"body":"busy","headers":["Retry-After: 7"]}'
infer echo "$echo_one"
is 503 busy && [[ $headers == *'Retry-After: 7'* ]]
ok 'a fault with a status, a body and a header'
infer echo "$echo_one"
is 503 busy && infer echo "$echo_one" && has 200 '"data":[1]'
ok 'a fault strikes as often as it says'

fault "$model" '{"path":"/v2/models/echo/infer","drop":true}'
infer echo "$echo_one"
[ "$status" = 000 ]
ok 'a fault that drops the connection'

fault "$model" '{"path":"/v2/models/echo/infer","truncate":true}'
infer echo "$echo_one"
[ "$status" = 000 ] && [ -n "$body" ]
ok 'a fault that truncates the body'

fault "$db" '{"path":"/compute/kserveoutput","drop":true,"after":true}'
notebook kserveoutput "${store/p1/p3}"
[ "$status" = 000 ] && call GET "$db/tables/out" && has 200 '["j1","p3",0,0]'
ok 'a fault after the work is done'

fault "$model" '{"path":"/v2/models/echo/infer","delay_ms":100}'
infer echo "$echo_one"
has 200 '"data":[1]'
ok 'a fault that only delays'

call DELETE "$db/requests"
notebook kserveinput '{"input_table_name":"empty_table"}'
call GET "$db/requests"
has 200 '"path":"/compute/kserveinput"' && has 200 '"authorization":"Basic"' &&
	has 200 '"body":"{\"input_table_name\":\"empty_table\"}"' && ! has 200 "$(printf 'ann:secret' | base64)"
ok 'the log of requests, without the password'

plan
