#!/usr/bin/env python3
"""The torture test: the lives of ten runs, played again and again, and each time another API call of
the controller goes wrong, or the controller is killed there. The end must always be the same.

    spec/torture/torture.py [--every N] [--jobs N] [FAULT...]
    spec/torture/torture.py --server URL --kubeconfig FILE [--kills N]

The lives (LIVES) hold a success, a failure with a retry, a config that comes late, a rejection, a schedule
that is changed, a clean-up, a deletion, a run that is suspended and resumed before it starts and one at
work, one whose config is deleted meanwhile and one whose Job is. The n-th call, for every n (with
--every N for each N-th), fails with each FAULT of apisim (spec/apisim/README.md), or is the last that
the controller sends before it is killed: `kill` before the call is carried out, `commit-kill` after it.
A point has passed if every run ends as told, none has had two Jobs, two contracts or a Pod too many, and
nothing is left that nobody owns.

With --server the lives are played on that API server, which has the CRDs and somebody who runs Pods (the
image `fails` fails): once in peace, then with a controller that is killed sooner or later. --ca, --cert and
--key are the judge's, FILE is the controller's.

Prints TAP: a point is a test. Needs apisim, kserve-controller and kubectl ($BUILD, $KUBECTL).
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
KUBECTL = os.environ.get("KUBECTL", "kubectl")
NAMESPACE = "kserve-controller-system"
CLIENT = "kserve-controller"  # how the controller's User-Agent starts
RUNS = f"/apis/ai.krateo.io/v1/namespaces/{NAMESPACE}/inferenceruns"
CONFIGS = f"/apis/ai.krateo.io/v1/namespaces/{NAMESPACE}/inferenceconfigs"
FAULTS = ["reset", "commit-reset", "truncate", "timeout", "409", "410", "429", "500", "kill", "commit-kill"]
PATIENCE = 90  # seconds until a run counts as stuck; the client itself waits 30 s for an answer


def config(name, **spec):
    kserve = {"modelName": "m", "modelUrl": "model.local/v2/models/m/infer", "modelInputName": "x"}
    return {"apiVersion": "ai.krateo.io/v1", "kind": "InferenceConfig", "metadata": {"name": name},
            "spec": {"image": "runner:1", "kserve": kserve, **spec}}


def run(name, **spec):
    return {"apiVersion": "ai.krateo.io/v1", "kind": "InferenceRun", "metadata": {"name": name},
            "spec": {"configRef": {"name": "now"}, **spec}}


# name: (spec, the phase it ends in or None if it is gone, how many Pods it may have had)
LIVES = {
    "good": ({}, "Succeeded", 1),
    "fails": ({"configRef": {"name": "twice"}}, "Failed", 2),
    "waits": ({"configRef": {"name": "late"}}, "Succeeded", 1),
    "wrong": ({"parameters": {"job_uid": "mine"}}, "Rejected", 0),
    "nightly": ({"schedule": "0 3 * * *"}, "Scheduled", 0),
    "tidy": ({"configRef": {"name": "tidy"}}, None, 1),
    "dropped": ({}, None, 1),
    "paused": ({"suspend": True}, "Succeeded", 1),
    "halted": ({}, "Succeeded", 2),
    "bereft": ({"configRef": {"name": "brief"}}, "Succeeded", 1),
    "robbed": ({"suspend": True}, "Failed", 0),
}
NEW_SCHEDULE = "30 4 * * *"


class Api:
    """Calls to an API server, as the user and as the judge."""

    def __init__(self, connect):
        self.connect = connect
        self.began = "1"  # the version from which on history() looks

    def call(self, method, path, body=None, kind="application/json"):
        connection = self.connect()
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": kind, "User-Agent": "torture"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def must(self, method, path, body=None, kind="application/json"):
        status, text = self.call(method, path, body, kind)
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {text[:300]!r}")
        return json.loads(text) if text.strip() else None

    def patch(self, path, body):
        return self.must("PATCH", path, body, "application/merge-patch+json")

    def items(self, path):
        return self.must("GET", path)["items"]

    def history(self, path):
        """Every object that was added there since it began."""
        connection = self.connect()
        connection.request("GET", f"{path}?watch=1&resourceVersion={self.began}&timeoutSeconds=1")
        events = [json.loads(line) for line in connection.getresponse().read().splitlines()]
        connection.close()
        return [event["object"] for event in events if event["type"] == "ADDED"]

    def calls_seen(self):
        report = self.must("GET", "/apisim/requests")
        return sum(r["count"] for r in report["requests"] if r["client"].startswith(CLIENT))


class World:
    """An API server of its own, and a controller that can be killed."""

    def __init__(self, crds, environment=None):
        self.environment = {**os.environ, **(environment or {})}
        self.directory = tempfile.TemporaryDirectory(prefix="torture-")
        self.path = pathlib.Path(self.directory.name)
        self.controller = None
        self.server = subprocess.Popen(
            [BUILD / "apisim", "--listen", "127.0.0.1:0", "--port-file", self.path / "port",
             "--auto-run", "60,fail=fails", "--backoff-scale", "0.01"],
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self.environment)
        until("apisim listens", lambda: (self.path / "port").exists() and (self.path / "port").read_text().strip())
        port = int((self.path / "port").read_text())
        self.api = Api(lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=30))
        self.kubeconfig = self.path / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
            "clusters": [{"name": "s", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "s", "user": "u", "namespace": NAMESPACE}}]}))
        for crd in crds:
            self.api.must("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        self.api.must("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    def start(self, *flags):
        self.controller = subprocess.Popen(
            [BUILD / "kserve-controller", "--kubeconfig", self.kubeconfig, "--listen", "127.0.0.1:0",
             "--log-format", "text", *flags], stderr=open(self.path / "log", "ab"), env=self.environment)

    def kill(self):
        self.controller.send_signal(signal.SIGKILL)
        self.controller.wait()

    def log(self):
        return (self.path / "log").read_text(errors="replace").splitlines()[-30:]

    def close(self):
        for process in (self.controller, self.server):
            if process is not None:
                process.kill()
                process.wait()
        self.directory.cleanup()


def until(wanted, look, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"timed out: {wanted}")
        time.sleep(0.05)


# ---- what the users do ----

def live(world):
    """Play the lives. Returns once every user has done what there was to do."""
    api = world.api
    for name, spec in (("now", {}), ("brief", {}), ("twice", {"backoffLimit": 1, "image": "fails"}),
                       ("tidy", {"autoDeletePolicy": "DeleteOnCompletion", "ttlSecondsAfterFinished": 0})):
        api.must("POST", CONFIGS, config(name, **spec))
    for name, (spec, _, _) in LIVES.items():
        api.must("POST", RUNS, run(name, **spec))
    until("the run waits for its config", lambda: status(api, "waits").get("reason"))
    api.must("POST", CONFIGS, config("late"))
    until("the run has its Job", lambda: started(api, "bereft"))
    api.must("DELETE", f"{CONFIGS}/brief")
    until("the run has its Job", lambda: started(api, "halted"))
    api.patch(f"{RUNS}/halted", {"spec": {"suspend": True}})
    until("it is suspended, or has ended", lambda: status(api, "halted").get("phase") in ("Suspended", "Succeeded"))
    api.patch(f"{RUNS}/halted", {"spec": {"suspend": False}})
    until("the suspended run is told so", lambda: status(api, "paused").get("phase") == "Suspended")
    api.patch(f"{RUNS}/paused", {"spec": {"suspend": False}})
    until("the schedule is in force", lambda: status(api, "nightly").get("phase") == "Scheduled")
    api.patch(f"{RUNS}/nightly", {"spec": {"schedule": NEW_SCHEDULE}})
    until("the suspended run is told so", lambda: status(api, "robbed").get("phase") == "Suspended")
    api.must("DELETE", f"{collections()['jobs']}/{status(api, 'robbed')['jobStatus']['name']}",
             {"propagationPolicy": "Background"})
    until("the run has its Job", lambda: status(api, "dropped").get("jobStatus"))
    api.must("DELETE", f"{RUNS}/dropped", {"propagationPolicy": "Background"})


def started(api, name):
    """From here on the run needs its config no more."""
    return status(api, name).get("jobStatus", {}).get("uid")


def status(api, name):
    code, text = api.call("GET", f"{RUNS}/{name}")
    return json.loads(text).get("status", {}) if code == 200 else {}


# ---- how it must end ----

def collections():
    return {"jobs": f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
            "cronjobs": f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs",
            "pods": f"/api/v1/namespaces/{NAMESPACE}/pods",
            "configmaps": f"/api/v1/namespaces/{NAMESPACE}/configmaps"}


def amiss(api):
    """What is not yet as it must be in the end."""
    runs = {r["metadata"]["name"]: r for r in api.items(RUNS)}
    wrong = []
    for name, (_, phase, _) in LIVES.items():
        found = runs[name].get("status", {}).get("phase", "none") if name in runs else None
        if found != phase:
            wrong.append(f"{name}: expected {phase}, found {found}")
    uids = {r["metadata"]["uid"] for r in runs.values()}
    for kind, path in collections().items():
        for thing in api.items(path):
            uid = thing["metadata"].get("labels", {}).get("ai.krateo.io/run")
            if uid is not None and uid not in uids:
                wrong.append(f"{kind}/{thing['metadata']['name']} is left behind")
    schedules = [c["spec"]["schedule"] for c in api.items(collections()["cronjobs"])]
    if schedules != [NEW_SCHEDULE]:
        wrong.append(f"expected a CronJob at {NEW_SCHEDULE}, found {schedules}")
    return wrong


def made(api):
    """kind -> name of the run -> how many of that kind it has ever had."""
    names = {r["metadata"]["uid"]: r["metadata"]["name"] for r in api.history(RUNS)}
    counts = {}
    for kind, path in collections().items():
        counts[kind] = dict.fromkeys(LIVES, 0)
        for thing in api.history(path):
            uid = thing["metadata"].get("labels", {}).get("ai.krateo.io/run")
            if uid is not None:
                counts[kind][names[uid]] += 1
    return counts


def too_many(api):
    counts = made(api)
    wrong = []
    for name, (spec, phase, pods) in LIVES.items():
        job = 0 if phase == "Rejected" else 1
        kind = "cronjobs" if "schedule" in spec else "jobs"
        fewest = 0 if phase is None else job  # it may have gone before there was anything
        for made_of in (kind, "configmaps"):
            if not fewest <= counts[made_of][name] <= job:
                wrong.append(f"{name}: expected {job} of {made_of}, found {counts[made_of][name]}")
        if counts["pods"][name] > pods:
            wrong.append(f"{name}: expected {pods} Pods at most, found {counts['pods'][name]}")
    return wrong


# ---- a point ----

def arm(api, fault, nth):
    def add(fault, times):
        api.must("POST", "/apisim/faults", {"match": {"client": f"^{CLIENT}", "nth": nth}, "times": times, "fault": fault})
    if fault == "commit-kill":
        add("commit-timeout", 1)
    if fault.endswith("kill"):
        add("timeout", 0)  # from here on the controller gets no answer, so that it does nothing more
    elif fault:
        add(fault, 1)


def play(crds, fault=None, nth=1):
    """Returns what is wrong, and how many calls the controller has made."""
    world = World(crds)
    try:
        killing = fault is not None and fault.endswith("kill")
        if fault:
            arm(world.api, fault, nth)
        world.start("--leader-elect=false" if killing else "--leader-elect=true")
        wrong = judge(world, (lambda users: strike(world, nth, users)) if killing else None)
        return wrong, world.api.calls_seen()
    finally:
        world.close()


def judge(world, meanwhile=None):
    """Play the lives, with something that happens meanwhile. Returns what is wrong in the end."""
    wrong = []

    def users_do():
        try:
            live(world)
        except AssertionError as error:
            wrong.append(str(error))

    users = threading.Thread(target=users_do)
    users.start()
    if meanwhile:
        meanwhile(users)
    users.join()
    end = time.monotonic() + (0 if wrong else PATIENCE)
    while amiss(world.api) and time.monotonic() < end:
        time.sleep(0.05)
    wrong += amiss(world.api) + too_many(world.api)
    return wrong + ["log: " + line for line in world.log() if wrong]


def strike(world, nth, users):
    """Kill the controller at its nth call and start another. Less calls than that: at the end."""
    while world.api.calls_seen() < nth and users.is_alive():
        time.sleep(0.01)
    world.kill()
    world.api.must("DELETE", "/apisim/faults")
    world.start("--leader-elect=false")


# ---- on another API server ----

class Elsewhere(World):
    """The same on an API server that was there before."""

    def __init__(self, options):  # pylint: disable=super-init-not-called
        url = urllib.parse.urlsplit(options.server)
        trust = ssl.create_default_context(cafile=options.ca)
        trust.load_cert_chain(options.cert, options.key)
        self.directory = tempfile.TemporaryDirectory(prefix="torture-")
        self.path = pathlib.Path(self.directory.name)
        self.server = self.controller = None
        self.environment = os.environ
        self.kubeconfig = options.kubeconfig
        self.api = Api(lambda: http.client.HTTPSConnection(url.hostname, url.port, timeout=30, context=trust))
        self.api.began = self.api.must("GET", RUNS)["metadata"]["resourceVersion"]

    def sweep(self):
        """All of it goes, for the next."""
        for path in (RUNS, CONFIGS):
            self.api.must("DELETE", path, {"propagationPolicy": "Background"})
        until("everything is gone", lambda: not any(
            thing for path in collections().values() for thing in self.api.items(path)
            if "ai.krateo.io/run" in thing["metadata"].get("labels", {})))


def elsewhere(options):
    failed = 0
    for number in range(options.kills + 1):
        world = Elsewhere(options)

        def kill_later(_users, world=world, number=number):
            time.sleep(0.1 * number)
            world.kill()
            world.start("--leader-elect=false")

        try:
            world.start("--leader-elect=false")
            wrong = judge(world, kill_later if number else None)
            failed += tell(number + 1, f"killed after {number}00 ms" if number else "nothing goes wrong", wrong)
            world.sweep()
        finally:
            world.close()
    print(f"1..{options.kills + 1}")
    raise SystemExit(failed > 0)


# ---- on apisim ----


def read_crds():
    """Those of the chart, as JSON: a server that has taken them tells."""
    world = World([])
    try:
        subprocess.run([KUBECTL, "--kubeconfig", world.path / "kubeconfig", "apply", "-f", "charts/crd-chart/templates"],
                       check=True, stdout=subprocess.DEVNULL)
        crds = world.api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    finally:
        world.close()
    for crd in crds:
        crd["metadata"] = {"name": crd["metadata"]["name"]}
    return crds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th point")
    parser.add_argument("--jobs", type=int, default=8, metavar="N", help="points at once (8)")
    parser.add_argument("--nth", type=int, help="only this call")
    parser.add_argument("--server", metavar="URL", help="play on this API server instead")
    parser.add_argument("--kills", type=int, default=5, metavar="N", help="there: how often (5)")
    for name in ("kubeconfig", "ca", "cert", "key"):
        parser.add_argument(f"--{name}", metavar="FILE")
    parser.add_argument("faults", nargs="*", default=FAULTS, metavar="FAULT", help=" ".join(FAULTS))
    options = parser.parse_args()
    if options.server:
        elsewhere(options)
    crds = read_crds()
    wrong, calls = play(crds)
    points = [(fault, nth) for fault in options.faults for nth in range(1, calls + 1)][::options.every]
    if options.nth:
        points = [(fault, options.nth) for fault in options.faults]
    print(f"# {calls} calls, {len(options.faults)} faults: {len(points)} points")
    print(f"1..{len(points) + 1}")
    failed = tell(1, "nothing goes wrong", wrong)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda point: play(crds, *point)[0], points)
        for number, (point, wrong) in enumerate(zip(points, results), 2):
            failed += tell(number, f"{point[0]} at call {point[1]}", wrong)
    raise SystemExit(failed > 0)


def tell(number, name, wrong):
    print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
    for line in wrong:
        print(f"# {line}", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    main()
