#!/usr/bin/env python3
"""A day of schedules and clean-ups: 24 hours pass in a few minutes, since the clock of the API server and
of the controller is the test's (libfaketime), and moves a minute at a time.

    spec/torture/day.py [--hours N]

Three schedules fire (one of them fails), every half hour somebody starts a run that cleans up after itself
and one that fails, every hour one that is deleted by hand. In the end nothing may be left that nobody owns,
no more firings than the history limits allow, and the controller must not have grown: what it holds
after the last hour is compared with what it held after the second.

Prints TAP. Needs apisim, kserve-controller, kubectl ($BUILD, $KUBECTL) and Debian's libfaketime.
"""

import argparse
import http.client
import os
import pathlib
import sys
import time

import torture
from torture import CONFIGS, RUNS, config, run

LIBRARY = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
MINUTE = 60
GROWTH = 1.15  # RSS may move a little: pages that an allocator keeps
SCHEDULES = {"often": ("*/5 * * * *", "now"), "hourly": ("0 * * * *", "now"), "fails-often": ("*/15 * * * *", "twice")}


class Day(torture.World):
    """A world whose time stands almost still until tick() moves it."""

    def __init__(self, crds):
        self.clock = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"day-{os.getpid()}.clock"
        self.passed = 0
        self.set_clock()
        super().__init__(crds, {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1"})

    def set_clock(self):
        new = self.clock.with_suffix(".new")
        new.write_text(f"+{self.passed}s\n")
        new.rename(self.clock)

    def tick(self):
        """A minute passes. Both programs are asleep by the old clock: any request wakes them."""
        self.passed += MINUTE
        self.set_clock()
        for _ in range(3):
            for knock in (lambda: self.api.must("GET", "/version"), self.health):
                try:
                    knock()
                except OSError:
                    pass  # for the server a minute has passed while it read the request
            time.sleep(0.004)

    def health(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def begin(self):
        self.start("--leader-elect=false")
        torture.until("the controller listens", lambda: "port=" in self.text())
        self.port = int(self.text().split("port=")[1].split()[0])

    def text(self):
        path = self.path / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def held_kib(self):
        lines = pathlib.Path(f"/proc/{self.controller.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def close(self):
        super().close()
        self.clock.unlink()


def things(api, kind):
    return api.items(torture.collections()[kind])


def orphans(api):
    """What belongs to nobody that is there."""
    uids = {r["metadata"]["uid"] for r in api.items(RUNS)}
    for kind in ("jobs", "cronjobs", "configmaps"):
        uids |= {t["metadata"]["uid"] for t in things(api, kind)}
    left = []
    for kind in torture.collections():
        for thing in things(api, kind):
            owners = thing["metadata"].get("ownerReferences", [])
            if owners and not any(owner["uid"] in uids for owner in owners):
                left.append(f"{kind}/{thing['metadata']['name']}")
    return left


def hour(world, number):
    api = world.api
    for minute in range(60):
        if minute in (0, 30):
            api.must("POST", RUNS, run(f"tidy-{number}-{minute}", configRef={"name": "tidy"}))
            api.must("POST", RUNS, run(f"fails-{number}-{minute}", configRef={"name": "tidy"}))
        if minute == 10:
            api.must("POST", RUNS, run(f"dropped-{number}"))
        if minute == 50:
            api.must("DELETE", f"{RUNS}/dropped-{number}", {"propagationPolicy": "Background"})
        world.tick()


def count(api):
    return {kind: len(things(api, kind)) for kind in torture.collections()} | {"runs": len(api.items(RUNS))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24, metavar="N", help="how long the day is (24)")
    hours = parser.parse_args().hours
    if LIBRARY is None:
        print("1..0 # SKIP libfaketime is not installed")
        return
    world = Day(torture.read_crds())
    try:
        live(world, hours)
    except Exception:
        print("\n".join("# " + line for line in world.log()))
        raise
    finally:
        world.close()


def live(world, hours):
    api = world.api
    world.begin()
    for name, spec in (("now", {}), ("twice", {"backoffLimit": 1}),
                       ("tidy", {"autoDeletePolicy": "DeleteOnCompletion", "backoffLimit": 1, "ttlSecondsAfterFinished": 300})):
        api.must("POST", CONFIGS, config(name, **spec))
    for name, (schedule, of) in SCHEDULES.items():
        api.must("POST", RUNS, run(name, schedule=schedule, configRef={"name": of}))
    early = None
    for number in range(hours):
        hour(world, number)
        if number == 1:
            early = (world.held_kib(), count(api))
        print(f"# hour {number + 1}: {world.held_kib()} KiB, {count(api)}", flush=True)
    for _ in range(15):  # what was started last is cleaned up
        world.tick()
    late = (world.held_kib(), count(api))
    fired = sum(len(api.history(torture.collections()[kind])) for kind in ("jobs",))
    print(f"# {fired} Jobs were made")
    failed = torture.tell(1, "every schedule fired", [] if fired > hours * 15 else [f"only {fired} Jobs"])
    failed += torture.tell(2, "nothing is left that nobody owns", orphans(api))
    failed += torture.tell(3, "only the schedules are left of the runs",
                           [r["metadata"]["name"] for r in api.items(RUNS) if r["metadata"]["name"] not in SCHEDULES])
    failed += torture.tell(4, "there is no more than after two hours",
                           [f"{early[1]} became {late[1]}"] if sum(late[1].values()) > sum(early[1].values()) + 4 else [])
    failed += torture.tell(5, "the controller has not grown",
                           [f"{early[0]} KiB became {late[0]} KiB"] if late[0] > early[0] * GROWTH else [])
    failed += torture.tell(6, "and is healthy", [] if world.health() == 200 else ["/healthz is not 200"])
    if failed:
        print("\n".join("# " + line for line in world.log()))
    print("1..6")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
