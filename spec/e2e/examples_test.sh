#!/bin/bash
# Every file of examples/, as TAP: it is accepted, and becomes what it says. The stand-ins take the
# place of the database handler and of the models.
# shellcheck disable=SC2016 # jq's variables
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh

# What becomes of each run. One that is missing here fails a test.
declare -A phase_of=(
	[iris-run-january]=Succeeded
	[example-inference-run-triton]=Succeeded
	[iris-run-weekdays]=Scheduled
	[custom-storage-run]=Pending # nobody has its image
	[file-storage-run]=Succeeded
	[http-storage-run]=Succeeded
)

if ! { cluster_up && cluster_install; }; then exit 1; fi
engine_start
until_ok 10 engine_ready || exit 1

# Of KServe only what an InferenceService needs to be stored.
kserve_install() {
	"$KUBECTL" create namespace kserve-test
	"$KUBECTL" apply -f - <<-END
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: inferenceservices.serving.kserve.io}
		spec:
		  group: serving.kserve.io
		  scope: Namespaced
		  names: {plural: inferenceservices, singular: inferenceservice, kind: InferenceService}
		  versions:
		    - name: v1beta1
		      served: true
		      storage: true
		      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
	END
	until_ok 10 "$KUBECTL" get inferenceservices -A
}
kserve_install > /dev/null || exit 1

# Two web servers, behind the same address as the models.
serve() { curl -sf -o /dev/null -d "$1" "$model/faults"; }
serve '{"path": "/iris.csv", "content_type": "text/csv", "body": "a,b,c,d\n5.1,3.5,1.4,0.2\n7.0,3.2,4.7,1.4\n6.3,3.3,6.0,2.5\n"}'
serve '{"path": "/iris", "times": 2, "status": 201}'

# ---- every file is accepted ----

apply_example() {
	localized "$1" | sed -e 's/placeholder-user/demo/' -e 's/placeholder-password/demo/' \
		-e 's/persistentVolumeClaim: .*/emptyDir: {}/' |
		"$KUBECTL" apply -f -
}
for file in $(find examples -name '*.yaml' | sort); do
	check "$file is accepted" apply_example "$file"
done
unnamed_files() {
	local file
	for file in $(git ls-files examples | sed -e 's#^examples/##' -e 's#/spec/#/#'); do
		grep -qF "${file##*/}" examples/README.md "examples/$(dirname "$file")/README.md" 2> /dev/null ||
			grep -qF "$(dirname "$file")" examples/README.md || echo "$file"
	done
}
check "a README names every file" is '' unnamed_files

# ---- what becomes of the runs ----

# The runner finds the files of that run where its volumes are mounted.
until_ok 10 grep -q 'podrunner runs' "$work/podrunner.log"
if ! grep -q 'namespaces=yes' "$work/podrunner.log"; then
	unset 'phase_of[file-storage-run]'
	k delete irun file-storage-run > /dev/null
	skipped "file-storage-run" "volumes are mounted only for root, and where / is a mount point"
fi

for run in $("$KUBECTL" get inferenceruns -n "$namespace" -o 'jsonpath={.items[*].metadata.name}'); do
	wanted=${phase_of[$run]:-a phase that this test expects}
	check "$run becomes $wanted" becomes "$wanted" "$run"
	unset "phase_of[$run]"
done
none_left() { [ ${#phase_of[@]} -eq 0 ] || { echo "${!phase_of[@]}"; return 1; }; }
check "no run is missing" none_left

rows_of() {
	curl -sf -u demo:demo "http://$handler/tables/$1" | jq '.rows | length'
}
check "the iris run stored 150 rows" is 150 rows_of kserve_controller_output
check "the triton run stored its forecast" is 96 rows_of kserve_controller_output_triton
check "the schedule is a CronJob's" is "0 9 * * MON-FRI Europe/Rome Forbid false" \
	k get cronjob "$(run_field iris-run-weekdays .status.jobStatus.name)" \
	-o 'jsonpath={.spec.schedule} {.spec.timeZone} {.spec.concurrencyPolicy} {.spec.suspend}'

# ---- files and web servers ----

! k get irun file-storage-run > /dev/null 2>&1 ||
	check "the file run stored 3 rows" is '3 3' run_field file-storage-run '.status.result.rows.in} {.status.result.rows.stored'
sent() { curl -sf "$model/requests" | jq -r '.[] | select(.path == "/iris") | "\(.method) \(.content_type) \(.body | rtrimstr("\n"))"'; }
check "the http run sent 3 rows in two pieces" is 'POST application/x-ndjson {"row":1,"output-0":0}
{"row":2,"output-0":2}
POST application/x-ndjson {"row":3,"output-0":2}' sent

# ---- storage of another provider ----

check "an image that nobody has is named" until_ok 20 like 'image cannot be pulled' \
	run_field custom-storage-run .status.message
same_storage() {
	diff <(contract_of custom-storage-run | jq -S '{input, output}') \
		<(k get iconf custom-storage-config -o json | jq -S .spec.storage)
}
check "its contract carries the storage unmodified" same_storage
check "with every digit" like '"partSizeBytes":9007199254740993[,}]' contract_of custom-storage-run
custom_job=$(run_field custom-storage-run .status.jobStatus.name)
check "the Job has the podTemplate's parts" is 'amd64 /etc/aws/config 256Mi registry-credentials' \
	k get job "$custom_job" -o 'jsonpath={.spec.template.spec.nodeSelector.kubernetes\.io/arch} {.spec.template.spec.containers[0].env[?(@.name=="AWS_CONFIG_FILE")].value} {.spec.template.spec.containers[0].resources.limits.memory} {.spec.template.spec.imagePullSecrets[0].name}'

# ---- models: Triton's configuration, the export, the service ----

# What config.pbtxt must say about a model, from what a server tells; without white space.
wanted_pbtxt() {
	curl -sf "http://$model/v2/models/$1" | jq -r '
		def tensors: map("{name:\"\(.name)\"data_type:TYPE_\(.datatype)dims:\(.shape | tojson)}") | "[" + join(",") + "]";
		"name:\"\(.name)\"platform:\"\(.platform)\"max_batch_size:0"
			+ "input\(.inputs | tensors)output\(.outputs | tensors)"'
}
found_pbtxt() {
	sed 's/#.*//' "$1" | tr -d ' \t\n' | sed 's/instance_group.*//'
}
service_url() {
	k get inferenceservice -n kserve-test -o json 2> /dev/null |
		jq -r --arg model "$1" '.items[] | select(.spec.predictor.model.storageUri | contains($model))
			| "\(.metadata.name)-predictor.\(.metadata.namespace).svc.cluster.local/v2/models/\($model)/infer"'
}
lacks_torch() { [ -z "$python" ] || ! "$python" -c 'import torch' 2> /dev/null; }
python=$(command -v python3)

for folder in examples/models/*/; do
	folder=${folder%/} name=$(basename "$folder")
	check "$name: config.pbtxt is what the server tells" is "$(wanted_pbtxt "$name")" \
		found_pbtxt "$folder/config.pbtxt"
	check "$name: the image has Triton's layout" grep -q "^COPY 1/model.pt /models/$name/1/model.pt$" "$folder/Dockerfile"
	check "$name: a config asks where the service answers" \
		grep -qF "modelUrl: $(service_url "$name")" examples/triton-config.yaml
	if [ -z "$python" ]; then
		skipped "$name: export.py" "python3 is not installed"
		continue
	fi
	check "$name: export.py compiles" env PYTHONPYCACHEPREFIX="$work/pycache" "$python" -m py_compile "$folder/export.py"
	check "$name: export.py --help" like '^ +--revision' "$python" "$folder/export.py" --help
	if lacks_torch; then
		check "$name: export.py says what it lacks" like 'export: .*; install what it needs: pip install -r' \
			refused "$python" "$folder/export.py"
	fi
done

# ---- policies ----

policy_state() {
	k get configmap kserve-controller-policies -o 'jsonpath={.metadata.annotations.ai\.krateo\.io/policy-status}'
}
became_active() {
	policy_state | jq -e --arg before "$before" '.state == "active" and .active != $before'
}
# taken FOLDER: as its README says
taken() {
	before=$(policy_state | jq -r .active)
	bash -eu <(awk '/^```/ { inside = $0 == "```sh"; next } inside' "$1/README.md") > /dev/null &&
		until_ok 10 became_active
}
for folder in examples/policies/*; do
	check "$folder passes the check" "$BUILD/kserve-controller" policy check "$folder"
	check "$folder is taken" taken "$folder"
done

check "with kueue-gpu in force" taken examples/policies/kueue-gpu
check "a run that asks for GPUs" run with-gpus iris-inference-config 'parameters: {gpus: "2"}'
job_of_gpus() {
	k get job "$(run_field with-gpus .status.jobStatus.name)" -o 'jsonpath={.metadata.labels.kueue\.x-k8s\.io/queue-name} {.spec.template.spec.containers[0].resources.limits.nvidia\.com/gpu} {.spec.template.spec.tolerations[*].key}'
}
check "has a Job in the queue, with GPUs" until_ok 10 like "^$namespace 2 nvidia.com/gpu$" job_of_gpus

check "with require-table-prefix in force" taken examples/policies/require-table-prefix
check "a run of other tables" run other-tables iris-inference-config \
	'parameters: {input_table_name: kserve_controller_input, output_table_name: theirs}'
check "is rejected" until_ok 10 like \
	'^Rejected .*output_table_name.*starts with kserve_controller_, found theirs' \
	run_field other-tables '.status.phase} {.status.message'

plan
