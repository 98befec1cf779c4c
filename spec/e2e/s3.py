"""The runner's provider s3, seen by a client and a server that others wrote: boto3 puts objects and
looks at them, moto stores them and checks each signature. Tells in TAP what holds. Started by
s3_test.sh, which sets SERVER (a Kubernetes API), MODEL, WORK (a directory) and BUILD.
"""

import base64
import itertools
import json
import logging
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import traceback

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "1000000"  # until there are users
os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "100"  # of a page

import boto3
import requests
import yaml
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.utils import percent_encode
from moto.server import ThreadedMotoServer

SERVER, MODEL, WORK, BUILD = (os.environ[name] for name in ("SERVER", "MODEL", "WORK", "BUILD"))
NAMESPACE = "kserve-controller-system"
BUCKET = "bucket"
TIMEOUT = 120  # seconds; a safety net only
tests = []


def test(function):
    """The function's docstring is the name of the test."""
    tests.append(function)
    return function


# ---- the server ----

logging.getLogger("werkzeug").setLevel(logging.ERROR)


def start_server():
    """moto with one user, whose keys are the only ones that count."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    free = {"endpoint_url": url, "region_name": "us-east-1"}
    iam = boto3.client("iam", aws_access_key_id="x", aws_secret_access_key="x", **free)
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_user(UserName="runner")
    iam.put_user_policy(UserName="runner", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName="runner")["AccessKey"]
    requests.post(url + "/moto-api/reset-auth", data=b"0", timeout=TIMEOUT)
    return url, key["AccessKeyId"], key["SecretAccessKey"]


S3_URL, ACCESS, SECRET = start_server()
s3 = boto3.client(
    "s3",
    endpoint_url=S3_URL,
    region_name="us-east-1",
    aws_access_key_id=ACCESS,
    aws_secret_access_key=SECRET,
    config=Config(s3={"addressing_style": "path"}),
)
s3.create_bucket(Bucket=BUCKET)


def put(key, body):
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def get(key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def keys(prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


# ---- the runner ----


def make_secret(name, **values):
    data = {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in values.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
    path = f"{SERVER}/api/v1/namespaces/{NAMESPACE}/secrets"
    requests.post(path, json=secret, timeout=TIMEOUT).raise_for_status()


requests.post(
    f"{SERVER}/api/v1/namespaces",
    json={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    timeout=TIMEOUT,
)
make_secret("s3", server_url=S3_URL, aws_access_key=ACCESS, aws_secret_key=SECRET)
make_secret("wrong", server_url=S3_URL, aws_access_key=ACCESS, aws_secret_key="not-the-secret-key")
make_secret(
    "virtual",
    server_url=S3_URL.replace("127.0.0.1", "localhost"),
    aws_access_key=ACCESS,
    aws_secret_key=SECRET,
)
numbers = itertools.count()


def storage(secret="s3", bucket=BUCKET, **settings):
    return {"s3": {"bucket": bucket, "endpointRef": {"name": secret, "namespace": NAMESPACE}, **settings}}


def make_contract(source, target, rows=100):
    return {
        "jobId": "job-%d" % next(numbers),
        "jobName": "run",
        "kserve": {
            "modelUrl": MODEL + "/v2/models/echo/infer",
            "modelInputName": "x",
            "datatype": "FP64",
            "batch": {"rows": rows},
        },
        "input": source,
        "output": target,
    }


class Run:
    """A process of the runner; wait() sets exit, told (the termination message) and log."""

    def __init__(self, contract, *args):
        self.log_path = os.path.join(WORK, "runner.log")
        self.told_path = os.path.join(WORK, "told")
        path = os.path.join(WORK, "contract.json")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(contract, stream)
        environment = {
            "KUBERNETES_SERVICE_HOST": SERVER,
            "KSERVE_SERVICEACCOUNT_DIR": os.path.join(WORK, "account"),
            "KSERVE_CONTRACT": path,
            "KSERVE_TERMINATION_LOG": self.told_path,
            "KSERVE_RETRY_DELAY": "10ms",
        }
        for stale in (self.told_path, self.log_path):
            if os.path.exists(stale):
                os.remove(stale)
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([f"{BUILD}/kserve-runner", *args], env=environment, stderr=log)

    def wait(self):
        self.exit = self.process.wait(TIMEOUT)
        with open(self.log_path, encoding="utf-8") as stream:
            self.log = stream.read()
        self.told = None
        if os.path.exists(self.told_path):
            with open(self.told_path, encoding="utf-8") as stream:
                self.told = json.load(stream)
        assert SECRET not in self.log, "the log holds the secret key"
        return self

    def expect(self, code, reason=None, message=""):
        self.wait()
        found = (self.exit, self.told and self.told["reason"], self.told and self.told["message"])
        assert self.exit == code, f"expected exit {code}, found {found}\n{self.log}"
        assert reason is None or self.told["reason"] == reason, f"expected {reason}, found {found}"
        assert message in self.told["message"], f"expected {message!r}, found {found}"
        return self


def lines(first, last):
    return "".join("[%d, %d.50]\n" % (i, i) for i in range(first, last)).encode()


def folder_of(contract, prefix):
    return f"{prefix}/{contract['jobId']}/run/"


def parts_of(folder):
    return [key for key in keys(folder) if "/part-" in key]


def stored(folder):
    """The rows of all parts, in order."""
    return [json.loads(line) for key in parts_of(folder) for line in get(key).splitlines()]


def assert_rows(found, count, first=0):
    assert [row["row"] for row in found] == list(range(1, count + 1)), [row["row"] for row in found][:5]
    assert all(row["x"] == [first + i, first + i + 0.5] for i, row in enumerate(found)), found[:2]


def until(look):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if look():
            return
        time.sleep(0.005)
    raise AssertionError("timed out")


# ---- signatures ----

ODD_KEYS = [
    "plain.txt",
    "a b+c=d.jsonl",
    "dots/./../..hidden",
    "//two//slashes/",
    "percent%2Fand%zz",
    "ümläut/日本語/😀.csv",
    "all!\"#$&'()*,:;<>?@[\\]^`{|}~-_.",
    "=",
]
ODD_QUERIES = [
    [],
    [("uploads", "")],
    [("list-type", "2"), ("prefix", "a b/+=&"), ("continuation-token", "x/y+z==")],
    [("partNumber", "1"), ("uploadId", "日本~-._*")],
    [("a", "2"), ("a", "1"), ("a-b", "3"), ("A", "4"), ("b", "")],
]
ODD_HEADERS = [
    {},
    {"If-None-Match": "*"},
    {"Range": "bytes=10-", "If-Match": '"0123"'},
    {"Content-Type": "text/csv", "x-amz-meta-b": "  two   blanks ", "x-amz-meta-b-a": "1"},
]
STYLES = ["http://127.0.0.1:9000/bucket/", "https://bucket.s3.eu-west-1.amazonaws.com/"]


def reference(service, url, method, headers, body, token):
    """What botocore makes of a request: the input of our signer, and the header that it should make."""
    credentials = Credentials("AKIDEXAMPLE", "wJalr/XUt+nFEMI", token)
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    make = S3SigV4Auth if service == "s3" else SigV4Auth
    make(credentials, service, "eu-west-1").add_auth(request)
    moment = time.strptime(request.headers["X-Amz-Date"] + " UTC", "%Y%m%dT%H%M%SZ %Z")
    given = {
        "method": method,
        "url": url,
        "headers": headers,
        "sha256": request.headers.get("X-Amz-Content-SHA256") or make(credentials, service, "x").payload(request),
        "ms": (int(time.mktime(moment)) - time.timezone) * 1000,
        "access": credentials.access_key,
        "secret": credentials.secret_key,
        "token": token,
        "region": "eu-west-1",
        "service": service,
    }
    return given, "Authorization: " + request.headers["Authorization"]


@test
def signatures():
    """our signatures are those of botocore, byte by byte, for odd keys, queries and headers"""
    wanted = []
    for style, key, query, headers in itertools.product(STYLES, ODD_KEYS, ODD_QUERIES, ODD_HEADERS):
        text = "&".join(percent_encode(name, safe="") + "=" + percent_encode(value, safe="") for name, value in query)
        url = style + percent_encode(key, safe="/~") + ("?" + text if text else "")
        for token in (None, "FwoG//token+="):
            wanted.append(reference("s3", url, "PUT", headers, b"body", token))
    for path in ("", "a%20b/c", "plain"):
        wanted.append(reference("execute-api", "https://api.example.com/" + path, "POST", {}, b"{}", None))
    given = "".join(json.dumps(request) + "\n" for request, _ in wanted)
    made = subprocess.run([f"{BUILD}/signer"], input=given, capture_output=True, text=True, check=True)
    found = made.stdout.splitlines()
    assert len(found) == len(wanted) > 500
    for (request, header), ours in zip(wanted, found):
        assert ours == header, f"{request}\nexpected {header}\nfound    {ours}"


@test
def wrong_secret():
    """a wrong secret key ends the run for good, and is said to be wrong"""
    contract = make_contract(storage("wrong", key="in.jsonl"), storage(prefix="out"))
    put("in.jsonl", lines(0, 3))
    run = Run(contract).expect(13, "InputRejected")
    assert "403" in run.told["message"], run.told
    contract = make_contract(storage("wrong", prefix="in"), storage(prefix="out"))
    Run(contract).expect(13, "InputRejected", "SignatureDoesNotMatch")
    contract = make_contract(storage(key="in.jsonl"), storage("wrong", prefix="out"))
    run = Run(contract).expect(15, "OutputRejected")
    assert run.told["rows"]["in"] == 0, "the model was asked before the output was looked at"


@test
def nothing_there():
    """a bucket or an object that is not there ends the run for good; a prefix without objects is empty"""
    put("in.jsonl", lines(0, 3))
    Run(make_contract(storage(key="missing"), storage(prefix="out"))).expect(13, "InputRejected", "found none")
    Run(make_contract(storage(bucket="missing", prefix="in"), storage(prefix="out"))).expect(
        13, "InputRejected", "NoSuchBucket"
    )
    Run(make_contract(storage(key="in.jsonl"), storage(bucket="missing", prefix="out"))).expect(
        15, "OutputRejected", "expected a bucket"
    )
    Run(make_contract(storage(prefix="nothing"), storage(prefix="out"))).expect(0, "InputEmpty")


# ---- objects in, objects out ----


@test
def one_object():
    """an object becomes parts in order, with every digit, and _SUCCESS counts them"""
    put("numbers.jsonl", b"[1, 0.1000000000000000055]\n[9007199254740993, 2.50]\n")
    contract = make_contract(storage(key="numbers.jsonl"), storage(prefix="numbers"))
    Run(contract).expect(0, "Completed")
    folder = folder_of(contract, "numbers")
    assert keys(folder) == [folder + "_SUCCESS", folder + "part-00000.jsonl"], keys(folder)
    found = get(folder + "part-00000.jsonl")
    assert found == b'{"row":1,"x":[1,0.1000000000000000055]}\n{"row":2,"x":[9007199254740993,2.50]}\n', found
    told = json.loads(get(folder + "_SUCCESS"))
    assert (told["rows"], told["parts"], told["bytes"]) == (2, 1, len(found)), told
    assert (told["jobId"], told["run"]) == (contract["jobId"], "run"), told


@test
def odd_keys():
    """objects with odd keys are read and written"""
    for i, key in enumerate(["a b+c=d é.jsonl", "x/%2F&?#.jsonl", "!'()*;:@,$~.jsonl"]):
        put(key, lines(i, i + 2))
        target = f"odd {i}/{key}"
        Run(make_contract(storage(key=key), storage(key=target))).expect(0, "Completed")
        assert_rows([json.loads(line) for line in get(target).splitlines()], 2, i)


@test
def many_objects():
    """a prefix is one stream of its objects in the order of their keys, page after page"""
    for i in range(250):
        put("many/%04d.jsonl" % i, lines(i, i + 1).rstrip() if i % 2 else lines(i, i + 1))
    put("many/_SUCCESS", b"not data")
    put("many/.hidden", b"not data")
    put("many/empty.jsonl", b"")
    put("many/0001.jsonl/", b"")
    contract = make_contract(storage(prefix="many/"), storage(prefix="of-many", partBytes=1024), 20)
    Run(contract).expect(0, "Completed")
    folder = folder_of(contract, "of-many")
    assert len(parts_of(folder)) > 3
    assert_rows(stored(folder), 250)


@test
def tables():
    """each part of a CSV output has the header, also behind a kill, so that it can be read as it is"""
    put("single.json", json.dumps([[i] for i in range(2000)]).encode())
    contract = make_contract(storage(key="single.json"), storage(prefix="csv", partBytes=1024, format="csv"), 50)
    run = Run(contract)
    until(lambda: len(keys(folder_of(contract, "csv"))) >= 3)
    run.process.kill()
    run.wait()
    Run(contract).expect(0, "Completed")
    folder = folder_of(contract, "csv")
    parts = [get(key).splitlines() for key in parts_of(folder)]
    assert len(parts) > 5 and all(part[0] == parts[0][0] for part in parts), parts[0][:3]
    assert [int(line.split(b",")[0]) for part in parts for line in part[1:]] == list(range(1, 2001))
    chain = make_contract(storage(prefix=folder, format="csv"), storage(prefix="chain"))
    assert Run(chain).expect(0, "Completed").told["rows"]["in"] == 2000


@test
def virtual_host():
    """the bucket may be a part of the host's name"""
    put("in.jsonl", lines(0, 3))
    contract = make_contract(
        storage("virtual", key="in.jsonl", style="virtual"), storage("virtual", prefix="virtual", style="virtual")
    )
    Run(contract).expect(0, "Completed")
    assert_rows(stored(folder_of(contract, "virtual")), 3)


@test
def one_output_object():
    """an output with a key is one object, and larger than a piece as well"""
    put("in.jsonl", lines(0, 3))
    Run(make_contract(storage(key="in.jsonl"), storage(key="small.json"))).expect(0, "Completed")
    assert_rows(json.loads(get("small.json")), 3)
    put("large.jsonl", lines(0, 300000))
    Run(make_contract(storage(key="large.jsonl"), storage(key="large-out.jsonl"), 500)).expect(0, "Completed")
    found = get("large-out.jsonl")
    assert len(found) > 8 << 20
    assert_rows([json.loads(line) for line in found.splitlines()], 300000)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


@test
def conflicts():
    """what another run has stored is never overwritten, unless the contract says so"""
    put("in.jsonl", lines(0, 3))
    put("taken.jsonl", b"precious")
    Run(make_contract(storage(key="in.jsonl"), storage(key="taken.jsonl"))).expect(15, "OutputConflict", "taken.jsonl")
    assert get("taken.jsonl") == b"precious"
    Run(make_contract(storage(key="in.jsonl"), storage(key="taken.jsonl", overwrite=True))).expect(0)
    assert_rows([json.loads(line) for line in get("taken.jsonl").splitlines()], 3)
    contract = make_contract(storage(key="in.jsonl"), storage(prefix="conflict"))
    Run(contract).expect(0)
    contract["kserve"]["datatype"] = "FP32"
    Run(contract).expect(15, "OutputConflict", "the contract or the input has changed")
    put("in.jsonl", lines(1, 4))
    contract["kserve"]["datatype"] = "FP64"
    Run(contract).expect(15, "OutputConflict", "the contract or the input has changed")


@test
def done_already():
    """a second attempt of a run that is done changes nothing"""
    put("in.jsonl", lines(0, 3))
    for target in (storage(prefix="twice"), storage(key="twice.jsonl")):
        contract = make_contract(storage(key="in.jsonl"), target)
        first = Run(contract).expect(0, "Completed")
        times = [item["LastModified"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="twice")["Contents"]]
        second = Run(contract).expect(0, "Completed")
        assert (first.told["requests"], second.told["requests"]) == (1, 0), second.told
        found = [item["LastModified"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="twice")["Contents"]]
        assert times == found


@test
def other_providers():
    """every endpoint whose Secret has keys for AWS is sent signed requests"""
    put("in.jsonl", lines(0, 3))
    place = {"endpointRef": {"name": "s3", "namespace": NAMESPACE}, "format": "jsonl"}
    target = {**place, "path": f"/{BUCKET}/by http.jsonl".replace(" ", "%20"), "method": "PUT", "success": "status"}
    Run(make_contract({"http": {**place, "path": f"/{BUCKET}/in.jsonl"}}, {"http": target})).expect(0, "Completed")
    assert_rows([json.loads(line) for line in get("by http.jsonl").splitlines()], 3)


# ---- attempts that end early ----


def interrupted(prefix, how):
    """Begin a run of many parts and send it a signal in the midst; the contract and its end."""
    put("long.jsonl", lines(0, 8000))
    contract = make_contract(storage(key="long.jsonl"), storage(prefix=prefix, partBytes=1024), 50)
    run = Run(contract)
    until(lambda: len(keys(folder_of(contract, prefix))) >= 3)
    run.process.send_signal(how)
    return contract, run.wait()


@test
def killed():
    """after a kill -9 in the midst the next attempt goes on: each row once"""
    contract, run = interrupted("killed", signal.SIGKILL)
    folder = folder_of(contract, "killed")
    assert run.exit == -signal.SIGKILL and folder + "_SUCCESS" not in keys(folder)
    before = len(stored(folder))
    assert 0 < before < 8000
    run = Run(contract).expect(0, "Completed")
    assert run.told["resumed_rows"] >= before, run.told
    assert_rows(stored(folder), 8000)
    told = json.loads(get(folder + "_SUCCESS"))
    assert (told["rows"], told["parts"]) == (8000, len(parts_of(folder))), told


@test
def terminated():
    """after SIGTERM what has been predicted is stored, and the next attempt goes on"""
    contract, run = interrupted("terminated", signal.SIGTERM)
    folder = folder_of(contract, "terminated")
    assert (run.exit, run.told["reason"]) == (7, "Interrupted"), run.told
    assert 0 < len(stored(folder)) < 8000
    Run(contract).expect(0, "Completed")
    assert_rows(stored(folder), 8000)


@test
def changed_meanwhile():
    """an attempt whose input has changed since the first does not mix the two"""
    contract, _ = interrupted("changed", signal.SIGKILL)
    put("long.jsonl", lines(5, 8005))
    Run(contract).expect(15, "OutputConflict", "the contract or the input has changed")


@test
def given_up():
    """an upload that is not finished is given up"""
    put("large.jsonl", lines(0, 300000) + b"[1, 2, 3]\n")
    Run(make_contract(storage(key="large.jsonl"), storage(key="given-up.jsonl"), 500)).expect(13, "InputInvalid")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert keys("given-up.jsonl") == []


# ---- answers that get lost ----


class Lossy(socketserver.BaseRequestHandler):
    """A proxy in front of moto. losses are [pattern of the request's first line, how many bytes of the
    answer come through]; each is used once."""

    losses = []

    def handle(self):
        request = self.request.makefile("rb")
        head = b"".join(iter(request.readline, b"\r\n")) + b"\r\n"
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        body = request.read(int(length[1]) if length else 0)
        with socket.create_connection(("127.0.0.1", int(S3_URL.rsplit(":", 1)[1]))) as server:
            server.sendall(head + body)
            answer = server.makefile("rb").read()  # moto closes each connection
        line = head.split(b"\r\n")[0].decode()
        for loss in self.losses:
            if re.search(loss[0], line):
                self.losses.remove(loss)
                answer = answer[: loss[1]]
                break
        self.request.sendall(answer)


@test
def lost_answers():
    """writes whose answer gets lost are done once, and a broken read goes on where it broke"""
    proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lossy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d" % proxy.server_address[1]
    make_secret("lossy", server_url=url, aws_access_key=ACCESS, aws_secret_key=SECRET)
    put("lossy.jsonl", lines(0, 300000))
    source = storage("lossy", key="lossy.jsonl")
    Lossy.losses[:] = [["^GET .*lossy.jsonl", 100000], ["^GET .*lossy.jsonl", 100000], ["^PUT .*part-00001", 0]]
    Lossy.losses += [["^PUT .*part-00002", 20], ["^PUT .*_SUCCESS", 0], ["^HEAD", 0]]
    contract = make_contract(source, storage("lossy", prefix="lossy-out", partBytes=1 << 20), 500)
    Run(contract).expect(0, "Completed")
    assert_rows(stored(folder_of(contract, "lossy-out")), 300000)
    Lossy.losses += [["^POST .*uploads", 0], ["^PUT .*partNumber", 0], ["^POST .*uploadId", 0]]
    Run(make_contract(source, storage("lossy", key="lossy-one.jsonl"), 500)).expect(0, "Completed")
    assert_rows([json.loads(line) for line in get("lossy-one.jsonl").splitlines()], 300000)
    assert Lossy.losses == [], f"not every answer was asked for: {Lossy.losses}"
    proxy.shutdown()


# ---- the example ----


@test
def example():
    """the config of examples/s3-storage.yaml does what it says"""
    with open("examples/s3-storage.yaml", encoding="utf-8") as stream:
        secret, config = yaml.safe_load_all(stream)
    values = {**secret["stringData"], "server-url": S3_URL, "aws-access-key": ACCESS, "aws-secret-key": SECRET}
    make_secret(secret["metadata"]["name"], **{key.replace("-", "_"): value for key, value in values.items()})
    source, target = config["spec"]["storage"]["input"], config["spec"]["storage"]["output"]
    for bucket in (source["s3"]["bucket"], target["s3"]["bucket"]):
        s3.create_bucket(Bucket=bucket)
    for hour in range(3):
        s3.put_object(
            Bucket=source["s3"]["bucket"],
            Key=source["s3"]["prefix"] + "%02d.csv" % hour,
            Body=b"length,width\n" + b"".join(b"%d,%d.5\n" % (i, i) for i in range(hour * 10, hour * 10 + 10)),
        )
    contract = make_contract(source, target)
    contract["kserve"] = {**config["spec"]["kserve"], "modelUrl": MODEL + "/v2/models/echo/infer"}
    Run(contract).expect(0, "Completed")
    listed = s3.list_objects_v2(Bucket=target["s3"]["bucket"], Prefix=folder_of(contract, "iris"))["Contents"]
    assert [item["Key"].split("/")[-1] for item in listed] == ["_SUCCESS", "part-00000.jsonl"]
    body = s3.get_object(Bucket=target["s3"]["bucket"], Key=listed[1]["Key"])["Body"].read()
    rows = [json.loads(line) for line in body.splitlines()]
    assert [row["input-0"] for row in rows] == [[i, i + 0.5] for i in range(30)], rows[:2]


# ---- much of it ----


def most_memory(process):
    """The largest resident set of the process, in KiB, read until it ends: what wait4 tells is not less
    than that of the process that started it."""
    kib = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("VmHWM:"):
                    kib = int(line.split()[1])
        time.sleep(0.005)
    return kib


def sanitized():
    """A build with AddressSanitizer needs memory of its own."""
    with open(f"{BUILD}/kserve-runner", "rb") as stream:
        return b"__asan_init" in stream.read()


@test
def streaming():
    """64 MiB go through in little memory"""
    size = 64 << 20
    row = b"[" + b", ".join(b"0.123456789012345" for _ in range(200)) + b"]\n"
    put("much.jsonl", row * (size // len(row) + 1))
    contract = make_contract(storage(key="much.jsonl"), storage(prefix="much"), 200)
    run = Run(contract)
    kib = most_memory(run.process)
    run.expect(0, "Completed")
    assert run.told["bytes"]["in"] >= size, run.told
    print(f"# {kib} KiB at the most, {run.told['ms']} ms, {len(parts_of('much'))} parts")
    assert kib < 48 << 10 or sanitized(), f"expected less than 48 MiB, found {kib} KiB"


def main():
    failed = 0
    chosen = [function for function in tests if function.__name__ in sys.argv[1:] or not sys.argv[1:]]
    for number, function in enumerate(chosen, 1):
        try:
            function()
            print(f"ok {number} - {function.__doc__}")
        except Exception:  # whatever it is, the other tests are run
            failed += 1
            print(f"not ok {number} - {function.__doc__}")
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
        sys.stdout.flush()
    print(f"1..{len(chosen)}")
    return 1 if failed else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # moto's threads do not end
