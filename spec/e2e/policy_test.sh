#!/bin/bash
# The tools that try policies out, as TAP: policy check, eval, diff and render. Most of it needs no
# cluster; that render makes what the controller makes is seen on one.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

controller=$BUILD/kserve-controller
dir=$work/policies
mkdir -p "$dir"

# status WANTED COMMAND...: its exit status; what it prints is printed, so that it can be given to like
status() {
	local wanted=$1 found
	shift
	timeout 60 "$@" 2>&1
	found=$?
	[ $found -eq "$wanted" ] || { echo "expected exit status $wanted, found $found" && return 1; }
}
# exits WANTED PATTERN ARG...: both the exit status and the output of the controller's tool
exits() {
	local output
	output=$(status "$1" "$controller" "${@:3}") && like "$2" echo "$output" || { echo "$output" && return 1; }
}
# prints JQ ARG...: every line on stdout is JSON for which the condition holds
prints() {
	timeout 60 "$controller" "${@:2}" 2> "$work/stderr" > "$work/stdout"
	[ -s "$work/stdout" ] && jq -es "map($1) | all" "$work/stdout" > /dev/null || { cat "$work/stdout" "$work/stderr" && return 1; }
}
# policy NAME: a bundle of one file, its text from standard input, in a folder of its own
policy() {
	mkdir -p "$dir/$1"
	cat > "$dir/$1/$2"
}

iris=(-f examples/iris-config.yaml -f examples/iris-run.yaml)
all=(-f examples/triton-config.yaml -f examples/triton-run.yaml -f examples/scheduled-run.yaml "${iris[@]}")

# ---- what cannot be read, wrong use ----

check "no sub-command" exits 2 'policy check' policy
check "an unknown sub-command" exits 2 'policy check' policy chek
check "policy --help" exits 0 'policy check' policy --help
for command in 'policy check' 'policy eval' 'policy diff' render; do
	# shellcheck disable=SC2086
	check "$command --help" exits 0 "^Usage: kserve-controller $command " $command --help
	check "kserve-controller --help tells of $command" exits 0 "^  $command " --help
done
check "check without a path" exits 2 'expected DIR' policy check
check "check of a folder that is not there" exits 2 '^absent: No such file' policy check absent
check "check with -f" exits 2 'not a flag of this command' policy check scripts -f x
check "an unknown flag" exits 2 'unknown flag "--frob"' policy check scripts --frob
check "an unknown format" exits 2 'expected json or yaml, found "xml"' policy check scripts -o xml
check "eval without files" exits 2 'expected -f FILE' policy eval contract scripts
check "eval of an unknown hook" exits 2 'expected validate, contract, shape or status, found "contrakt"' \
	policy eval contrakt scripts "${iris[@]}"
check "a file that is not there" exits 2 '^absent.yaml: No such file' policy eval contract scripts -f absent.yaml
printf 'a: [1\n' > "$work/broken.yaml"
check "YAML that is broken" exits 2 'broken.yaml: line 2, column 1: ' render -f "$work/broken.yaml"
printf '{"a": [1,]}' > "$work/broken.json"
check "JSON that is broken" exits 2 'broken.json: line 1, column 10: ' render -f "$work/broken.json"
printf -- '- 1\n' > "$work/noobject.yaml"
check "YAML that is no object" exits 2 'expected Kubernetes objects, found array' render -f "$work/noobject.yaml"
check "files without a run" exits 2 'expected an InferenceRun' render -f examples/iris-config.yaml
check "a run given twice" exits 2 'iris-run-january is given twice' render "${iris[@]}" -f examples/iris-run.yaml
check "a run without its config" exits 1 \
	'iris-run-january: ConfigNotFound: InferenceConfig "iris-inference-config" does not exist' render -f examples/iris-run.yaml
check "and nothing on stdout" is '' bash -c "'$controller' render -f examples/iris-run.yaml 2> /dev/null"

full() { timeout 60 "$controller" "$@" > /dev/full; }
check "a disk that is full" like '^standard output: No space left on device' refused full policy check scripts

# ---- policies that misbehave ----

policy bomb contract.lua <<- 'END'
	return { contract = function()
	  while true do end
	end }
END
check "a script that never ends" exits 1 'bomb/contract.lua:2: the script ran for more than 5000000 instructions' \
	policy eval contract "$dir/bomb" "${iris[@]}"
policy pattern contract.lua <<- 'END'
	return { contract = function()
	  return { x = string.find(("a"):rep(30000), (".-"):rep(6) .. "b") }
	end }
END
# On a busy machine the wall clock may be first: it tells file and line as well.
check "a pattern that never ends" exits 1 \
	'pattern/contract.lua:2: the script (used more than 500 ms of processor time|did not end before the deadline)' \
	policy eval contract "$dir/pattern" "${iris[@]}"
policy loadbomb contract.lua <<< 'while true do end return { contract = log }'
check "a file that never ends" exits 1 'loadbomb/contract.lua:1: the script ran for more than' policy check "$dir/loadbomb"
policy memory contract.lua <<< 'return { contract = function() local t = {} for i = 1, 1e6 do t[i] = { i } end end }'
check "too much memory" exits 1 'contract.lua:1: the script needs more than 32768 KiB' \
	policy eval contract "$dir/memory" "${iris[@]}"
mkdir -p "$dir/large" "$dir/toolarge"
head -c $(((1 << 20) - 21)) /dev/zero | tr '\0' '-' > "$dir/large/examples.lua"
printf '\nreturn json.array {}' >> "$dir/large/examples.lua"
check "a bundle of almost 1 MiB" exits 0 'all is well' policy check "$dir/large"
head -c $(((1 << 20) + 1)) /dev/zero | tr '\0' '-' > "$dir/toolarge/examples.lua"
check "a file of more" exits 2 'toolarge/examples.lua: expected at most 1048576 bytes' policy check "$dir/toolarge"
printf 'return "\xff"' | policy bytes examples.lua
check "a file that is not UTF-8" exits 2 'bytes/examples.lua: expected text in UTF-8' policy check "$dir/bytes"

# ---- check ----

check "our own policies" exits 0 '^scripts: all is well with 3 files, sha256:[0-9a-f]{12}$' policy check scripts
check "those of the examples" exits 0 'team-limits/: all is well with 3 files,' policy check examples/policies/*/
check "as files" exits 0 'all is well with 3 files' policy check scripts/*.lua
policy bad contract.lua <<- 'END'
	local unused = 1
	return { contract = function(run, config, job, more)
	  return { jobId = jbo.id, x = string.formt("") }
	end }
END
policy bad parameters.lua <<< 'return { validate = '
policy bad modul.lua <<< 'return 1'
policy bad README.md <<< 'no policy'
check "everything that is wrong is told: a name" exits 1 "^$dir/bad/contract.lua:3: unknown global 'jbo'; did you mean 'job'\?" policy check "$dir/bad"
check "a member" exits 1 "bad/contract.lua:3: string has no 'formt'; did you mean 'format'\?" policy check "$dir/bad"
check "a local" exits 1 "bad/contract.lua:1: local 'unused' is never used" policy check "$dir/bad"
check "parameters" exits 1 'bad/contract.lua:2: contract has 4 parameters, but is called with 3' policy check "$dir/bad"
check "the compiler's word" exits 1 'bad/parameters.lua:2: unexpected symbol' policy check "$dir/bad"
check "a module that nobody requires" exits 1 'bad/modul.lua: no other file says require "modul"' policy check "$dir/bad"
check "once each" is 6 bash -c "'$controller' policy check '$dir/bad' 2>&1 | grep -c '^$dir/bad/'"
check "as JSON" prints '.findings | length == 6 and .[2].file == "contract.lua" and .[2].line == 2' policy check "$dir/bad" -o json
policy examples examples.lua <<< 'return { { hook = "validate", input = { parameters = {}, run = {}, config = {} }, output = { 1 } } }'
check "an example that does not hold" exits 1 'examples.lua: case 1 \(validate\): expected \[1\], found \[\]' policy check "$dir/examples"
policy nil parameters.lua <<< 'local t = nil return { validate = t.x }'
check "what only running shows" exits 1 'nil/parameters.lua:1: .*attempt to index a nil value' policy check "$dir/nil"
"$KUBECTL" create configmap p --from-file=scripts --dry-run=client -o yaml > "$work/policies.yaml"
check "a ConfigMap" exits 0 'policies.yaml: all is well with 3 files' policy check "$work/policies.yaml"
from_stdin() { exits "${@:2}" < "$1"; }
check "from standard input" from_stdin "$work/policies.yaml" 0 '^-: all is well' policy check -
sed 's/  contract.lua: |/  contrakt.lua: |/' "$work/policies.yaml" > "$work/misspelt.yaml"
check "a misspelt key" exits 1 'misspelt.yaml: contrakt.lua: no other file says require' policy check "$work/misspelt.yaml"

# ---- eval ----

check "the contract of a run" exits 0 '^jobName: inf-iris-run-january-00000000$' policy eval contract scripts "${iris[@]}"
check "and what it took" exits 0 '^# .*/iris-run-january contract: [0-9]+ of 5000000 instructions, [0-9]+ of 32768 KiB$' \
	policy eval contract scripts "${iris[@]}"
check "as JSON, a line for each run" prints \
	'.hook == "contract" and .ok.jobId != null and .instructions > 0 and .memory > 1000' policy eval contract scripts "${all[@]}" -ojson
check "all runs" is 3 bash -c "'$controller' policy eval contract scripts ${all[*]} -ojson 2> /dev/null | wc -l"
both() { cat examples/iris-config.yaml; echo ---; cat examples/iris-run.yaml; }
both > "$work/both.yaml"
check "objects from standard input" from_stdin "$work/both.yaml" 0 'jobId' policy eval contract scripts -f -
policy log contract.lua <<< 'return { contract = function() log("hello\27[31m") return {} end }'
check "what a script logs" bash -c "'$controller' policy eval contract '$dir/log' ${iris[*]} 2>&1 > /dev/null | grep -q hello"
check "is not on stdout" is '0' bash -c "'$controller' policy eval contract '$dir/log' ${iris[*]} 2> /dev/null | grep -c hello"
policy refuse contract.lua <<< 'return { contract = function(run) reject("not " .. run.metadata.name) end }'
check "a rejection" exits 1 '^rejected: not iris-run-january \(run .*/iris-run-january\)$' policy eval contract "$dir/refuse" "${iris[@]}"
check "as JSON" prints '.error.kind == "reject"' policy eval contract "$dir/refuse" "${iris[@]}" -o json
policy strict parameters.lua <<- 'END'
	return { validate = function(parameters)
	  return schema.check(parameters, { input_table_name = { enum = { "mine" } }, ["*"] = {} })
	end }
END
check "violations are an answer, and a failure" exits 1 'field: spec.parameters.input_table_name' policy eval validate "$dir/strict" "${iris[@]}"
check "shape without a job.lua is the Job" exits 0 '^kind: Job$' policy eval shape scripts "${iris[@]}"
check "the controller's service account" exits 0 '^      serviceAccountName: robot$' policy eval shape scripts "${iris[@]}" --sa-runner robot
check "status without a Job" exits 1 'the files have none of this run' policy eval status scripts "${iris[@]}"
cat > "$work/started.yaml" <<- 'END'
	apiVersion: ai.krateo.io/v1
	kind: InferenceRun
	metadata: {name: a, uid: 12345678-0000}
	spec: {configRef: {name: c}}
	status: {phase: Succeeded}
	---
	apiVersion: v1
	kind: List
	items:
	  - apiVersion: batch/v1
	    kind: Job
	    metadata: {name: inf-a-12345678, uid: j, ownerReferences: [{uid: 12345678-0000}]}
	    status: {failed: 1, conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded}]}
	---
	apiVersion: v1
	kind: PodList
	items:
	  - metadata: {name: p, ownerReferences: [{uid: j, controller: true}]}
	    status: {phase: Failed, containerStatuses: [{name: inference, state: {terminated: {exitCode: 4, message: no model}}}]}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: other}
END
check "status with Job and Pods" exits 0 '^reason: InferenceFailed$' policy eval status scripts -f "$work/started.yaml"
check "tells the Pod's last words" exits 0 'no model' policy eval status scripts -f "$work/started.yaml"
policy early status.lua <<< 'return { status = function() return { phase = "Running", reason = "Other" } end }'
check "a status that the Job contradicts" exits 1 'early/status.lua: status\(\) must answer Succeeded or Failed while the Job has finished, it answered phase "Running"' \
	policy eval status "$dir/early" -f "$work/started.yaml"
check "as JSON" prints '.error.kind == "script" and .ok == null and .instructions > 0' policy eval status "$dir/early" -f "$work/started.yaml" -o json
check "in the namespace that is told" exits 0 '^# there/a status' policy eval status scripts -f "$work/started.yaml" -n there
sed 's/, uid: j, /, /; s/name: p, ownerReferences: .*/name: p, labels: {batch.kubernetes.io\/job-name: inf-a-12345678}}/' \
	"$work/started.yaml" > "$work/written.yaml"
check "a Job without a uid, a Pod that only says its name" exits 0 'no model' policy eval status scripts -f "$work/written.yaml"
sed 's/job-name: inf-a/job-name: inf-b/' "$work/written.yaml" > "$work/elsewhere.yaml"
check "another Job's Pod" exits 0 '^reason: BackoffLimitExceeded$' policy eval status scripts -f "$work/elsewhere.yaml"
sed 's/, labels: .*/}/' "$work/written.yaml" > "$work/stray.yaml"
check "a Pod of no Job is passed over" exits 0 '^note: passed over: Pod default/p names no Job; expected the label' \
	policy eval status scripts -f "$work/stray.yaml"
check "another kind is passed over" exits 0 '^note: passed over, .*: Deployment other of apps/v1$' policy eval status scripts -f "$work/started.yaml"

# ---- a config's own policies ----

own_config() { sed '/^spec:/a\  policyRef: {name: team}' examples/iris-config.yaml; }
own_config > "$work/own-config.yaml"
own_policies() {
	"$KUBECTL" create configmap team -n kserve-controller-system "--from-literal=contract.lua=$1" --dry-run=client -o yaml |
		sed '/^metadata:/a\  labels: {ai.krateo.io/policy-mode: config}'
}
own=(-f "$work/own-config.yaml" -f examples/iris-run.yaml)
check "a config's own policies that are not there" exits 1 'expected ConfigMap kserve-controller-system/team with the label' \
	policy eval contract scripts "${own[@]}"
own_policies 'return { contract = function() return { mine = true } end }' > "$work/team.yaml"
check "are used in place of the others" exits 0 '^mine: true$' policy eval contract scripts "${own[@]}" -f "$work/team.yaml"
check "the other hooks are the folder's" exits 1 'field: spec.parameters.input_table_name' \
	policy eval validate "$dir/strict" "${own[@]}" -f "$work/team.yaml"
check "they hide what changes below" exits 0 '^0 of 1 runs change$' policy diff scripts "$dir/refuse" "${own[@]}" -f "$work/team.yaml"
own_policies 'return { contract = function(run) return run.x.y end }' > "$work/team.yaml"
check "an error in them names them" exits 1 '^kserve-controller-system/team: contract.lua:1: .*index a nil' \
	policy eval contract scripts "${own[@]}" -f "$work/team.yaml"
own_policies 'return {' > "$work/team.yaml"
check "if they are refused, too" exits 1 'iris-run-january: kserve-controller-system/team: contract.lua:1: ' \
	render scripts "${own[@]}" -f "$work/team.yaml"

# ---- diff ----

check "the same policies" exits 0 '^0 of 3 runs change$' policy diff scripts scripts "${all[@]}"
policy other contract.lua <<- 'END'
	return { contract = function(run, config, job)
	  return { jobId = job.id, jobName = "other", parameters = merge(run.spec.parameters or {}, { by = "me" }) }
	end }
END
policy other job.lua <<- 'END'
	return { shape = function(manifest)
	  manifest.metadata.labels["a/b"] = "c"
	  return manifest
	end }
END
check "a changed member" exits 1 '^- jobName: "inf-iris-run-january-00000000"$' policy diff scripts "$dir/other" "${iris[@]}"
check "to what" exits 1 '^\+ jobName: "other"$' policy diff scripts "$dir/other" "${iris[@]}"
check "a new member" exits 1 '^\+ parameters.by: "me"$' policy diff scripts "$dir/other" "${iris[@]}"
check "in the manifest" exits 1 '^\+ metadata.labels\["a/b"\]: "c"$' policy diff scripts "$dir/other" "${iris[@]}"
check "under a header" exits 1 '^--- scripts: .*/iris-run-january shape$' policy diff scripts "$dir/other" "${iris[@]}"
check "how many" exits 1 '^1 of 1 runs change$' policy diff scripts "$dir/other" "${iris[@]}"
check "and how many it cannot tell about" exits 2 '^0 of 1 runs change; 1 could not be compared$' \
	policy diff scripts "$dir/other" -f examples/iris-run.yaml
check "a new violation" exits 1 '^\+ \[0\]: \{"field":"spec.parameters.input_table_name"' policy diff scripts "$dir/strict" "${iris[@]}"
check "a rejection" exits 1 '^\+ rejected: not iris-run-january' policy diff scripts "$dir/refuse" "${iris[@]}"
check "an error" exits 1 '^\+ .*bomb/contract.lua:2: the script ran' policy diff scripts "$dir/bomb" "${iris[@]}"
policy running status.lua <<< 'return { status = function() return { phase = "Failed", reason = "Other" } end }'
config_c() { printf 'apiVersion: ai.krateo.io/v1\nkind: InferenceConfig\nmetadata: {name: c}\nspec: {}\n'; }
config_c > "$work/c.yaml"
check "another status" exits 1 '^\+ reason: "Other"$' policy diff scripts "$dir/running" -f "$work/started.yaml" -f "$work/c.yaml"
check "as JSON" prints '.changes | map(select(.hook == "contract" and .path == "jobName" and .new == "other")) | length == 1' \
	policy diff scripts "$dir/other" "${iris[@]}" -o json
check "as YAML, a document each" is 3 bash -c "'$controller' policy diff scripts '$dir/other' ${all[*]} -o yaml 2> /dev/null | grep -c ^---"
check "policies that are refused" exits 2 'nil/parameters.lua:1:' policy diff scripts "$dir/nil" "${iris[@]}"
on_terminal() { script -qec "$1 '$controller' policy diff scripts '$dir/other' ${iris[*]}" /dev/null < /dev/null; }
plain_on_terminal() {
	on_terminal 'env NO_COLOR=1' > "$work/terminal"
	like '^\+ ' cat "$work/terminal" && ! grep $'\e' "$work/terminal"
}
if script -qec true /dev/null < /dev/null > /dev/null 2>&1; then
	check "colours on a terminal" like $'\e\\[3[12]m' on_terminal 'env -u NO_COLOR'
	check "none with NO_COLOR" plain_on_terminal
else
	skipped "colours on a terminal" "script(1) can make no pseudo-terminal: is /dev/pts mounted?"
fi
check "none in a pipe" is 0 bash -c "'$controller' policy diff scripts '$dir/other' ${iris[*]} 2> /dev/null | grep -c $'\e'"

# ---- render is what the controller makes ----

check "render with the built-in policies" exits 0 '^kind: Job$' render "${iris[@]}"
check "of a schedule" exits 0 '^kind: CronJob$' render "${all[@]}"
check "with the contract to be read" exits 0 '^#   jobName: inf-iris-run-january-00000000$' render "${iris[@]}"
check "as JSON, a list" prints '.kind == "List" and (.items | map(.kind)) == ["ConfigMap", "CronJob"]' \
	render -f examples/iris-config.yaml -f examples/scheduled-run.yaml -o json
policy greedy job.lua <<< 'return { shape = function(m) m.metadata.name = "mine" return m end }'
check "what is put back is told" exits 0 'iris-run-january: warning: job.lua changed what belongs to the controller.*metadata.name' \
	render "$dir/greedy" "${iris[@]}"
check "and put back" exits 0 '^  name: inf-iris-run-january-00000000$' render "$dir/greedy" "${iris[@]}"
check "a run that is rejected" exits 1 'iris-run-january: ParametersRejected: .*input_table_name' render "$dir/strict" "${iris[@]}"
check "whatever contract.lua does with it" exits 1 'iris-run-january: ParametersRejected: metadata.labels.team: is required' \
	render examples/policies/label-enrichment "${iris[@]}"
check "a policy that fails" exits 1 'bomb/contract.lua:2: the script ran' render "$dir/bomb" "${iris[@]}"

apisim_up && cluster_install || exit 1
policies_apply --from-file=scripts --from-file="$dir/other/job.lua"
mkdir "$dir/live"
cp scripts/*.lua "$dir/other/job.lua" "$dir/live/"
engine_start --sa-runner robot
until_ok 10 engine_ready || exit 1
for file in examples/*-config.yaml examples/custom-storage.yaml examples/*-run.yaml; do k apply -f "$file"; done > /dev/null

k get iconf -o yaml > "$work/configs.yaml"
rendered() {
	"$controller" render "$dir/live" -f "$work/configs.yaml" -f "$work/run.json" --sa-runner robot -o json
}
# What stands in the cluster, without what the API server and the Job controller say of this copy.
stands() {
	k get "$1" "$2" -o json | jq -S 'del(.metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp,
		.metadata.generation, .metadata.managedFields, .status) | walk(if type == "object" then
		del(."batch.kubernetes.io/controller-uid", ."controller-uid") else . end)'
}
# The controller's object, and the rendered one put in its place.
same() {
	stands "$1" "$2" > "$work/theirs"
	k delete "$1" "$2" --cascade=orphan --wait=true > /dev/null
	rendered | jq --arg kind "$1" '.items[] | select(.kind == $kind)' | k create -f - > /dev/null || return 1
	stands "$1" "$2" | diff "$work/theirs" -
}
runs=$(k get irun -o 'jsonpath={.items[*].metadata.name}')
for run in $runs; do
	check "$run gets a Job" until_ok 10 like . run_field "$run" .status.jobStatus.uid
done
dump() { k get irun,iconf,jobs,cronjobs,pods -o yaml > "$work/dump.yaml"; }
check "a dump of the namespace" dump
check "is what the tools read" exits 0 '^# .*/iris-run-january status' policy eval status scripts -f "$work/dump.yaml"
check "and nothing changes by the same policies" exits 0 '^0 of [0-9]+ runs change' policy diff "$dir/live" "$dir/live" -f "$work/dump.yaml"

engine_stop
for run in $runs; do
	k get irun "$run" -o json > "$work/run.json"
	name=$(run_field "$run" .status.jobStatus.name) kind=$(run_field "$run" .status.jobStatus.kind)
	check "$run: render makes its $kind" same "$kind" "$name"
	check "$run: render makes its ConfigMap" same ConfigMap "$name"
done

plan
