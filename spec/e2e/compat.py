"""An existing user's client, written with the official Python library: it creates the resources of
the files given to it, waits and reads as such clients do, and tells in TAP whether all is where they
look for it. Started by compat_test.sh.
"""

import base64
import json
import sys
import time

import kubernetes
import yaml
from kubernetes.client.rest import ApiException

NAMESPACE = "kserve-controller-system"
TIMEOUT = 120  # seconds; a safety net only

kubernetes.config.load_kube_config()
custom = kubernetes.client.CustomObjectsApi()
batch = kubernetes.client.BatchV1Api()
core = kubernetes.client.CoreV1Api()

with open(sys.argv[1], encoding="utf-8") as stream:
    documents = list(yaml.safe_load_all(stream))
specs = {document["metadata"]["name"]: document["spec"] for document in documents}
tests = []


def test(function):
    """The function's docstring is the name of the test."""
    tests.append(function)


def of_kind(kind):
    return {"group": "ai.krateo.io", "version": "v1", "namespace": NAMESPACE, "plural": kind.lower() + "s"}


RUNS = of_kind("InferenceRun")
began = custom.list_namespaced_custom_object(**RUNS)["metadata"]["resourceVersion"]
created = []  # what the API server made of each document


def get_run(name):
    return custom.get_namespaced_custom_object(name=name, **RUNS)


def until(wanted, look):
    """What look() returns, once it is something."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"timed out: {wanted}")


def contract_of(name):
    """As the existing controller's own tests do it: poll until the field has bytes, then decode them."""
    encoded = until(
        f"a contract of {name}", lambda: get_run(name).get("status", {}).get("contract")
    )
    return json.loads(base64.b64decode(encoded, validate=True))


def find(read, name):
    """The object, or None while it does not exist: the contract stands in the status before the Job does."""
    try:
        return read(name, NAMESPACE)
    except ApiException as error:
        if error.status == 404:
            return None
        raise


def job_of(name):
    job_name = contract_of(name)["jobName"]
    return until(f"the Job {job_name}", lambda: find(batch.read_namespaced_job, job_name))


def equal(wanted, found):
    assert wanted == found, f"expected {wanted!r}, found {found!r}"


@test
def every_resource_is_accepted():
    """resources in the existing form are accepted"""
    for document in documents:
        kind = of_kind(document["kind"])
        created.append(custom.create_namespaced_custom_object(body=document, **kind))


@test
def nothing_is_changed():
    """and kept as they were sent; what is added are defaults"""
    for document, stored in zip(documents, created, strict=True):
        for field, value in document["spec"].items():
            equal(value, stored["spec"].get(field))


@test
def contract_decodes():
    """status.contract decodes to the contract"""
    run, config = get_run("old-run"), specs["old-triton"]
    name = f"inf-old-run-{run['metadata']['uid'][:8]}"
    wanted = {
        "jobId": run["metadata"]["uid"],
        "jobName": name,
        "kserve": config["kserve"],
        "input": config["storage"]["input"],
        "output": config["storage"]["output"],
        "parameters": specs["old-run"]["parameters"],
    }
    equal(wanted, contract_of("old-run"))


@test
def job_is_found_by_the_contract():
    """the contract's jobName is the name of the Job"""
    job = job_of("old-run")
    equal("old-run", job.metadata.owner_references[0].name)
    equal(True, job.metadata.owner_references[0].controller)


@test
def job_is_found_by_the_status():
    """status.jobStatus is a reference to it"""
    def reference_with_uid():
        found = get_run("old-run")["status"]["jobStatus"]
        return found if "uid" in found else None

    reference = until("jobStatus.uid", reference_with_uid)
    equal(("batch/v1", "Job"), (reference["apiVersion"], reference["kind"]))
    job = batch.read_namespaced_job(reference["name"], reference["namespace"])
    equal(job.metadata.uid, reference["uid"])


@test
def pod_is_as_runners_expect():
    """the Pod has /tmp/contract.json, pod_uid, the pull secret and the deadline"""
    job = job_of("old-run")
    pod = job.spec.template.spec
    container = pod.containers[0]
    equal(1, len(pod.containers))
    equal("ghcr.io/krateoplatformops/kserve-krateo-runner:0.1.0", container.image)
    mount = [m for m in container.volume_mounts if m.mount_path == "/tmp/contract.json"][0]
    equal("contract.json", mount.sub_path)
    volume = [v for v in pod.volumes if v.name == mount.name][0]
    equal(job.metadata.name, volume.config_map.name)
    pod_uid = [e for e in container.env if e.name == "pod_uid"][0]
    equal("metadata.uid", pod_uid.value_from.field_ref.field_path)
    equal(["registry-credentials"], [s.name for s in pod.image_pull_secrets])
    equal(3600, job.spec.active_deadline_seconds)
    equal("Never", pod.restart_policy)


@test
def config_map_has_the_contract():
    """the ConfigMap of the same name holds the bytes of status.contract"""
    run = get_run("old-run")
    stored = core.read_namespaced_config_map(run["status"]["jobStatus"]["name"], NAMESPACE)
    equal(base64.b64decode(run["status"]["contract"]).decode(), stored.data["contract.json"])


@test
def run_ends():
    """a watch sees the run end well, with the conditions that Krateo's tools read"""
    watch = kubernetes.watch.Watch()
    for event in watch.stream(
        custom.list_namespaced_custom_object, timeout_seconds=TIMEOUT, **RUNS
    ):
        run = event["object"]
        conditions = {c["type"]: c for c in run.get("status", {}).get("conditions", [])}
        ready = conditions.get("Ready", {}).get("status")
        if run["metadata"]["name"] == "old-run" and ready == "True":
            watch.stop()
            break
    else:
        raise AssertionError(f"timed out: Ready, found {get_run('old-run').get('status')}")
    for kind in ("Ready", "Synced"):
        found = conditions[kind]
        equal("True", found["status"])
        assert found["reason"] and found["lastTransitionTime"].endswith("Z"), found
    job = batch.read_namespaced_job(run["status"]["jobStatus"]["name"], NAMESPACE)
    equal(1, job.status.succeeded)


@test
def read_modify_write():
    """a client that reads a run, adds an annotation and writes all of it back is not refused"""
    run = get_run("old-run")
    before = run["status"]
    run["metadata"].setdefault("annotations", {})["example.com/seen"] = "yes"
    run = custom.replace_namespaced_custom_object(name="old-run", body=run, **RUNS)
    equal("yes", run["metadata"]["annotations"]["example.com/seen"])
    equal(before["contract"], run["status"]["contract"])


@test
def names_are_cut():
    """of a long name 49 characters are in the Job's, which ends with the uid's first eight"""
    name = "old-" + "n" * 59
    body = {
        "apiVersion": "ai.krateo.io/v1",
        "kind": "InferenceRun",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": specs["old-run"],
    }
    uid = custom.create_namespaced_custom_object(body=body, **RUNS)["metadata"]["uid"]
    equal(f"inf-{name[:49]}-{uid[:8]}", job_of(name).metadata.name)


@test
def schedule_makes_a_cron_job():
    """a run with a schedule makes a CronJob that the same fields lead to"""
    name = contract_of("old-scheduled")["jobName"]
    cron = until("the CronJob", lambda: find(batch.read_namespaced_cron_job, name))
    equal("1 * * * *", cron.spec.schedule)
    reference = get_run("old-scheduled")["status"]["jobStatus"]
    equal(("batch/v1", "CronJob", name), tuple(reference[f] for f in ("apiVersion", "kind", "name")))


@test
def custom_storage():
    """storage of any provider reaches the contract, and autoDeletePolicy deletes the run"""
    name, contract = "old-deleted-on-completion", None
    for event in kubernetes.watch.Watch().stream(
        custom.list_namespaced_custom_object, resource_version=began, timeout_seconds=TIMEOUT, **RUNS
    ):
        run = event["object"]
        if run["metadata"]["name"] != name:
            continue
        if "contract" in run.get("status", {}):
            contract = json.loads(base64.b64decode(run["status"]["contract"]))
        if event["type"] == "DELETED":
            break
    else:
        raise AssertionError(f"timed out: deletion, found {get_run(name).get('status')}")
    equal(specs["old-custom"]["storage"]["output"], contract["output"])


@test
def deletion_cleans_up():
    """deleting the runs removes their Jobs, CronJobs and ConfigMaps"""
    for name, read in (
        ("old-run", batch.read_namespaced_job),
        ("old-scheduled", batch.read_namespaced_cron_job),
    ):
        owned = contract_of(name)["jobName"]
        custom.delete_namespaced_custom_object(name=name, **RUNS)
        for look in (read, core.read_namespaced_config_map):
            until(f"{owned} to go", lambda look=look: find(look, owned) is None)


def main():
    print(f"1..{len(tests)}")
    failed = 0
    for number, function in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} - {function.__doc__}", flush=True)
        except Exception as error:  # any problem fails the test that met it, and no other
            failed += 1
            print(f"not ok {number} - {function.__doc__}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
