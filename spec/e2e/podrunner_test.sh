#!/bin/bash
# podrunner on apisim, as TAP: what becomes of a Pod. BUILD says where the programs are, KUBECTL
# which kubectl to use.
# shellcheck disable=SC2016 # what stands in quotes is for the shell of a pod
set -u

here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$here/build}
kubectl=${KUBECTL:-kubectl}
dir=$(mktemp -d)
sim_pid='' runner_pid=''
export KUBECONFIG=$dir/kubeconfig

stop() {
	kill "$runner_pid" "$sim_pid" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap stop EXIT
# shellcheck source=spec/e2e/ok.sh
source "$here/spec/e2e/ok.sh"

clues() {
	"$kubectl" get pods | grep -v Completed
	tail -n 10 "$dir/log"
}

# ok_mounts NAME COMMAND...: the command decides. It is not run where no process can have a root folder
# of its own, since its Pod would write to ours: without root, and in a chroot, whose / is no mount point.
mounts=false
if unshare --mount true 2>/dev/null; then mounts=true; fi
ok_mounts() {
	if $mounts; then
		"${@:2}"
		ok "$1"
		return
	fi
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP mounts are not possible here"
}

# until_is PATTERN COMMAND...: wait until it prints that, at most 30 s.
until_is() {
	local wanted=$1 found=''
	shift
	for _ in $(seq 300); do
		found=$("$@" 2>/dev/null)
		# shellcheck disable=SC2053 # a pattern
		if [[ $found == $wanted ]]; then
			return 0
		fi
		sleep 0.05
	done
	echo "# expected $wanted, found $found"
	return 1
}

# field POD JSONPATH
field() { "$kubectl" get pod "$1" -o "jsonpath={$2}"; }
# state POD PATH: of its container
state() { field "$1" ".status.containerStatuses[0].state.$2"; }
log() { cat "$dir/root/default_$1.log"; }

apply() { "$kubectl" apply -f - <<<"---"$'\n'"$1" >/dev/null; }

# pod NAME SCRIPT [MORE OF THE CONTAINER [MORE OF THE SPEC [NODE [IMAGE]]]], in flow style.
# $$ in a command stands for one $, so a script's own $$ is $$$$.
pod() {
	apply "apiVersion: v1
kind: Pod
metadata: {name: $1}
spec: {restartPolicy: Never, terminationGracePeriodSeconds: 1, nodeName: ${5:-node-1}, ${4:-}
  containers: [{name: inference, image: '${6:-test/shell:1}', command: [sh, -c, '$2'], ${3:-}}]}"
}

start_runner() {
	"$build/podrunner" --kubeconfig "$KUBECONFIG" --root "$dir/root" --node node-1 \
		--image test/shell= --image "localhost:5000/tool=$dir/tool" \
		--env A=image --env B=image "$@" 2>>"$dir/log" &
	runner_pid=$!
}

"$build/apisim" --listen 127.0.0.1:0 --port-file "$dir/port" >>"$dir/log" 2>&1 &
sim_pid=$!
for _ in $(seq 200); do
	[ -s "$dir/port" ] && break
	sleep 0.05
done
cat >"$KUBECONFIG" <<END
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
clusters:
- name: c
  cluster:
    server: http://127.0.0.1:$(cat "$dir/port")
END
printf '#!/bin/sh\necho "tool: $*"\n' >"$dir/tool"
chmod 755 "$dir/tool" "$dir"
start_runner

# ---- what goes wrong ----

# Where the message goes, with a root folder of its own and without.
message='${KSERVE_TERMINATION_LOG:-/dev/termination-log}'
pod exit3 "echo why >$message; exit 3"
until_is Failed field exit3 .status.phase &&
	[ "$(state exit3 terminated.exitCode) $(state exit3 terminated.reason)" = '3 Error' ]
ok 'an exit code other than 0: Failed, Error'
[ "$(state exit3 terminated.message)" = why ]
ok 'the termination message'

pod killed 'kill -9 $$$$'
until_is Failed field killed .status.phase && [ "$(state killed terminated.exitCode)" = 137 ] &&
	[ "$(state killed terminated.signal)" = 9 ]
ok 'death by a signal: exit code 137 and the signal'

pod long "yes | tr -d \"\\n\" | head -c 5000 >$message; exit 1"
until_is Failed field long .status.phase && [ "$(state long terminated.message | wc -c)" = 4096 ]
ok 'a termination message is cut at 4096 bytes'

pod fallback 'yes no | tr -d "\n" | head -c 3000; exit 1' 'terminationMessagePolicy: FallbackToLogsOnError'
until_is Failed field fallback .status.phase &&
	[ "$(state fallback terminated.message | wc -c)" = 2048 ]
ok 'FallbackToLogsOnError: the last 2048 bytes of the log'

pod fine 'echo log; exit 0' 'terminationMessagePolicy: FallbackToLogsOnError'
until_is Succeeded field fine .status.phase && [ -z "$(state fine terminated.message)" ]
ok 'FallbackToLogsOnError: not after success'

pod missing 'true' 'workingDir: /nowhere'
until_is Failed field missing .status.phase &&
	[ "$(state missing terminated.reason)" = StartError ] &&
	[[ $(state missing terminated.message) == *'working directory /nowhere'* ]]
ok 'a container that cannot start: StartError'

pod noimage true '' '' node-1 test/unknown:2
until_is ErrImagePull state noimage waiting.reason &&
	until_is ImagePullBackOff state noimage waiting.reason &&
	[ "$(field noimage .status.phase)" = Pending ]
ok 'an image that no program stands for: ErrImagePull, then ImagePullBackOff'

pod noenv 'echo $A' 'env: [{name: A, valueFrom: {configMapKeyRef: {name: late, key: a}}}]'
until_is CreateContainerConfigError state noenv waiting.reason &&
	[ "$(state noenv waiting.message)" = 'configmap "late" not found' ]
ok 'a variable from a ConfigMap that is missing: CreateContainerConfigError'

pod novolume 'cat /c/a' 'volumeMounts: [{name: v, mountPath: /c}]' 'volumes: [{name: v, configMap: {name: late}}],'
until_is '*MountVolume.SetUp failed for volume "v" : configmap "late" not found*' \
	"$kubectl" get events -o 'jsonpath={.items[?(@.reason=="FailedMount")].message}' &&
	[ "$(state novolume waiting.reason)" = ContainerCreating ]
ok 'a volume from a ConfigMap that is missing: ContainerCreating, and an Event'

apply '{apiVersion: v1, kind: ConfigMap, metadata: {name: late}, data: {a: here}}'
until_is Succeeded field noenv .status.phase && [ "$(log noenv)" = here ]
ok 'the one runs when it comes'
came() { until_is Succeeded field novolume .status.phase && [ "$(log novolume)" = here ]; }
ok_mounts 'the other, too' came

# ---- the container's world ----

apply '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {user: YW5u}}'
apply '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {contract.json: "{\"a\":1}", b: "2"}}'
world() {
	pod world 'cat /tmp/contract.json; echo; ls /tmp /keys; cat /keys/renamed /pod/uid; echo; echo $pod_uid; echo $(U) "\$$(U)"; touch /tmp/x && echo writable; id -u; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace' \
		'env: [{name: pod_uid, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}, {name: U, valueFrom: {secretKeyRef: {name: s, key: user}}}],
    volumeMounts: [{name: c, mountPath: /tmp/contract.json, subPath: contract.json}, {name: tmp, mountPath: /tmp}, {name: k, mountPath: /keys}, {name: p, mountPath: /pod}]' \
		'securityContext: {runAsUser: 65532}, volumes: [{name: tmp, emptyDir: {}}, {name: c, configMap: {name: c}},
    {name: k, secret: {secretName: s, items: [{key: user, path: renamed}]}},
    {name: p, projected: {sources: [{downwardAPI: {items: [{path: uid, fieldRef: {fieldPath: metadata.uid}}]}}]}}],'
	until_is Succeeded field world .status.phase
	local uid
	uid=$(field world .metadata.uid)
	diff <(log world && echo) - >&2 <<-END
		{"a":1}
		/keys:
		renamed

		/tmp:
		contract.json
		ann$uid
		$uid
		ann \$(U)
		writable
		65532
		default
	END
}
ok_mounts 'volumes, subPath, items, downward API, variables, user, service account' world

[ ! -e /tmp/contract.json ] && ! ls "$dir"/root/*/ >/dev/null 2>&1
ok 'nothing of it stays'

read_only() {
	pod readonly 'touch /x /tmp/x; exit 0' 'securityContext: {readOnlyRootFilesystem: true}'
	until_is Succeeded field readonly .status.phase &&
		[[ $(log readonly) == *'/x'*'Read-only'*'/tmp/x'*'Read-only'* ]]
}
ok_mounts 'readOnlyRootFilesystem' read_only

"$kubectl" run tool --image=localhost:5000/tool:1.2 --restart=Never \
	--overrides='{"spec":{"nodeName":"node-1"}}' -- a b >/dev/null
until_is Succeeded field tool .status.phase && [ "$(log tool)" = 'tool: a b' ]
ok 'an image that a script stands for'

pod brought 'echo $A $B' 'env: [{name: B, value: pod}]'
until_is Succeeded field brought .status.phase && [ "$(log brought)" = 'image pod' ]
ok "a variable of the image, and the Pod's in the place of another"

pod elsewhere true '' '' node-2
sleep 0.5
[ -z "$(state elsewhere waiting)" ]
ok 'the pod of another node is left alone'

# ---- deletion, many, restart ----

pod running 'trap "echo got TERM; exit 0" TERM; echo up; while :; do sleep 0.05; done'
until_is up log running && [ "$(field running .status.phase)" = Running ] &&
	[ "$(field running '.status.conditions[?(@.type=="Ready")].status')" = True ] &&
	"$kubectl" delete pod running --wait=false >/dev/null && until_is '*got TERM' log running &&
	until_is '' field running .metadata.name
ok 'a deleted pod gets SIGTERM and goes'

pod stubborn 'trap "" TERM; echo $$$$; while :; do sleep 0.05; done'
until_is '[0-9]*' log stubborn && pid=$(log stubborn) && kill -0 "$pid" &&
	"$kubectl" delete pod stubborn --wait=false >/dev/null &&
	until_is gone sh -c "kill -0 $pid 2>/dev/null || echo gone"
ok 'one that stays gets SIGKILL after the grace period'

for i in $(seq 70); do
	printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: many-%d, labels: {app: many}}\n' "$i"
	echo "spec: {nodeName: node-1, restartPolicy: Never, containers: [{name: a, image: test/shell, command: [sleep, '0.5']}]}"
done | "$kubectl" create -f - >/dev/null
until_is 70 sh -c '$0 get pods -l app=many --no-headers | grep -c Completed' "$kubectl"
ok '70 pods, 64 at a time'

pod orphan 'echo $$$$; exec sleep 1000'
until_is '[0-9]*' log orphan
kill "$runner_pid"
wait "$runner_pid"
ok 'SIGTERM ends podrunner with status 0'
! kill -0 "$(log orphan)" 2>/dev/null
ok 'and its containers with it'
start_runner --no-namespaces yes
until_is Failed field orphan .status.phase &&
	[ "$(state orphan terminated.reason)" = ContainerStatusUnknown ]
ok 'the next one reports what it has not started as lost'

pod plain 'cat $KSERVE_CONTRACT; echo; cat $KSERVE_SERVICEACCOUNT_DIR/namespace; echo bye >$KSERVE_TERMINATION_LOG' \
	'volumeMounts: [{name: c, mountPath: /tmp/contract.json, subPath: contract.json}]' \
	'volumes: [{name: c, configMap: {name: c}}],'
until_is Succeeded field plain .status.phase && [ "$(log plain)" = $'{"a":1}\ndefault' ] &&
	[ "$(state plain terminated.message)" = bye ]
ok 'without namespaces: the files by their variables'

plan
