#!/usr/bin/env python3
"""Tries a shared state the way a team uses it: many runners, one state, some of them killed.

On each store (S3 by moto, Azure by Azurite, Google by the stand-in `gcs_standin.py`, and one that is sealed):

  init      `brickform state init` tries the store and finds it fit
  crowd     32 applies of one project at once: one wins, 31 exit with 5 and name the winner; then the plan is empty
  queue     6 applies with `--lock-timeout`: all of them succeed, one after another
  killed    rounds of: SIGKILL at a random moment of an apply; somebody else, on an empty disk, takes the lease over, says
            so, and converges
  trouble   stores that refuse, forget or hang, signals, sleep, clocks: each is told, none doubles anything (on the stand-in,
            which misbehaves when told)

After each of them the workspace is asked through its own lists: one of each object, none twice, none too many.

    scripts/shared_state.py --moto VENV/bin/moto_server --azurite FOLDER/node_modules/.bin/azurite-blob
        [--binary target/release/brickform] [--only s3,az,gs,sealed] [--rounds 10] [--runners 32] [--seed 1] [--verbose]
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
JOBS = 24
BUCKET = "acme"
# Azurite's account and key are the same everywhere, and published.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Lost(Exception):
    """Something that must not happen."""


def expect(holds, what, *outputs):
    if not holds:
        raise Lost("\n".join([what, *map(str, outputs)]))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data, headers=headers or {})
    with urllib.request.urlopen(request, timeout=20) as reply:
        text = reply.read()
        return json.loads(text) if text[:1] in (b"{", b"[") else text


def until_up(url):
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise Lost(f"{url} does not come up")


class Store:
    """A place for states: its URL, and what a runner's environment needs to reach it."""

    def __init__(self, name, scheme, variables, settings=""):
        self.name, self.scheme, self.variables, self.settings = name, scheme, variables, settings

    def url(self, folder):
        return f"{self.scheme}://{BUCKET}/{folder}"


def azure_container(host):
    """Makes the container, signed by hand with the account's key."""
    date = formatdate(usegmt=True)
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
    named = "".join(f"{k}:{v}\n" for k, v in sorted(headers.items()))
    resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{BUCKET}\nrestype:container"
    text = "PUT" + "\n" * 12 + named + resource
    sign = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(sign).decode()}"
    ask("PUT", f"{host}/{AZURE_ACCOUNT}/{BUCKET}?restype=container", headers=headers)


class Stores:
    """Starts what the chosen stores need, and ends it."""

    def __init__(self, given, folder):
        self.given, self.folder, self.processes, self.standin = given, folder, [], None

    def start(self, command, **options):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        process = subprocess.Popen(command, **quiet)
        self.processes.append(process)
        return process

    def s3(self):
        port = free_port()
        python, server = Path(shutil.which(self.given.moto) or self.given.moto).parent / "python", TOP / "scripts" / "moto_in_turn.py"
        self.start([python, server, str(port)])
        host = f"http://127.0.0.1:{port}"
        until_up(host)
        ask("PUT", f"{host}/{BUCKET}")
        keys = {"AWS_ENDPOINT_URL": host, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}
        return Store("s3", "s3", keys)

    def az(self):
        port = free_port()
        self.start([self.given.azurite, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(self.folder / "azurite"),
                    "--silent", "--skipApiVersionCheck"])
        host = f"http://127.0.0.1:{port}"
        until_up(host)
        azure_container(host)
        return Store("az", "az", {
            "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
            "AZURE_STORAGE_ENDPOINT": f"{host}/{AZURE_ACCOUNT}",
        })

    def gs(self):
        if self.standin is None:
            process = self.start([sys.executable, str(TOP / "scripts" / "gcs_standin.py"), "--bucket", BUCKET], stdout=subprocess.PIPE)
            self.standin = json.loads(process.stdout.readline())["host"]
        return Store("gs", "gs", {"STORAGE_EMULATOR_HOST": self.standin})

    def sealed(self):
        store = self.gs()
        store.name, store.settings = "sealed", ", encrypt: true, key: { env: STATE_KEY }"
        store.variables["STATE_KEY"] = "a key that is long enough for a state, made up for this test"
        return store

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Workspace:
    """A `brickform local serve` of its own, asked through its API."""

    def __init__(self, binary, folder, latency):
        folder.mkdir(parents=True)
        self.process = subprocess.Popen(
            [binary, "local", "serve", "--port", "0", "-o", "json", "--file", str(folder / "workspace.redb"), "--latency", str(latency)],
            cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        line = self.process.stdout.readline()
        expect(line, "the workspace does not start", self.process.stderr.read() if not line else "")
        self.host = json.loads(line)["host"]

    def get(self, path):
        return ask("GET", self.host + path, headers={"Authorization": "Bearer dev"})

    def objects(self):
        jobs, token = [], ""
        while True:
            page = self.get(f"/api/2.2/jobs/list?limit=100{token}")
            jobs += [job["settings"]["name"] for job in page.get("jobs", [])]
            if not page.get("next_page_token"):
                break
            token = f"&page_token={page['next_page_token']}"
        return {
            "jobs": sorted(jobs),
            "warehouses": sorted(w["name"] for w in self.get("/api/2.0/sql/warehouses").get("warehouses", [])),
            "scopes": sorted(s["name"] for s in self.get("/api/2.0/secrets/scopes/list").get("scopes", [])),
        }

    def end(self):
        self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def workspace(binary, folder, latency):
    place = Workspace(binary, folder, latency)
    try:
        yield place
    finally:
        place.end()


def wanted(before):
    return {
        "jobs": sorted(before["jobs"] + [f"job {n:02}" for n in range(JOBS)]),
        "warehouses": sorted(before["warehouses"] + ["small", "large"]),
        "scopes": sorted(before["scopes"] + ["keys"]),
    }


class Runner:
    """A machine with nothing on it but a clone of the project."""

    def __init__(self, binary, folder, store, state, host, lease=60):
        self.binary, self.binary_prefix, self.folder = binary, [], folder
        (folder / "conf").mkdir(parents=True)
        (folder / "environments").mkdir()
        (folder / "conf" / "project.yaml").write_text("name: crowd\n")
        jobs = "".join(f"  j{n:02}:\n    name: job {n:02}\n    max_concurrent_runs: 1\n" for n in range(JOBS))
        houses = "".join(f"  {n}: {{ name: {n}, cluster_size: {s}, max_num_clusters: 1 }}\n" for n, s in [("small", "Small"), ("large", "Large")])
        (folder / "conf" / "all.yaml").write_text(f"jobs:\n{jobs}warehouses:\n{houses}secret_scopes:\n  keys: {{ name: keys }}\n")
        (folder / "environments" / "ci.yaml").write_text(
            f"workspace: {{ profile: CI }}\nstate: {{ backend: \"{state}\", lease_seconds: {lease}{store.settings} }}\n")
        (folder / ".databrickscfg").write_text(f"[CI]\nhost = {host}\ntoken = dev\n")
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1", "USER": folder.name, "HOSTNAME": "runner",
                            **store.variables}

    def start(self, *arguments, **more):
        return subprocess.Popen([*self.binary_prefix, self.binary, *arguments, "--env", "ci"], cwd=self.folder, env={**self.environment, **more},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, code=0, **more):
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=180)
        expect(code is None or process.returncode == code, f"`{' '.join(arguments)}` ended with {process.returncode}, not {code}", out, err)
        return process.returncode, out + err


def crowd(given, folder, store):
    """Many at once: one wins, the others learn who. Then some that wait: all succeed."""
    with workspace(given.binary, folder / "workspace", 250) as place:
        before = place.objects()
        runners = [Runner(given.binary, folder / f"runner{n}", store, store.url(f"crowd-{store.name}"), place.host) for n in range(given.runners)]
        runners[0].run("state", "init")
        started = [runner.start("apply", "--yes", "--parallelism", "2") for runner in runners]
        ended = [(process, *process.communicate(timeout=180)) for process in started]
        winners = [(n, process) for n, (process, _, _) in enumerate(ended) if process.returncode == 0]
        said = [f"{n}: {process.returncode} {err}" for n, (process, _, err) in enumerate(ended)]
        expect(len(winners) == 1, f"{len(winners)} applies won", *said)
        name = f"runner{winners[0][0]}@runner (process {winners[0][1].pid})"
        for n, (process, _, err) in enumerate(ended):
            if n != winners[0][0]:
                expect(process.returncode == 5 and name in err, f"runner {n} does not name {name}: {process.returncode}", err)
        expect(place.objects() == wanted(before), "after the crowd the workspace holds", place.objects())
        runners[-1].run("plan", "--detailed-exitcode")

        queue = [runner.start("apply", "--yes", "--lock-timeout", "60s") for runner in runners[:6]]
        for n, process in enumerate(queue):
            out, err = process.communicate(timeout=120)
            expect(process.returncode == 0, f"runner {n} of the queue ended with {process.returncode}", out, err)
        expect(place.objects() == wanted(before), "after the queue the workspace holds", place.objects())
    return f"{store.name}: of {given.runners} applies at once one won, {given.runners - 1} named it; 6 in a queue all succeeded"


def killed(given, folder, store, number):
    """One round: killed at a random moment, taken over from an empty disk, converged."""
    dice = random.Random(f"{given.seed}/{store.name}/{number}")
    with workspace(given.binary, folder / "workspace", dice.choice([60, 100, 150])) as place:
        before = place.objects()
        state = store.url(f"killed-{store.name}-{number}")
        first = Runner(given.binary, folder / "first", store, state, place.host, lease=5)
        process = first.start("apply", "--yes", "--parallelism", str(dice.choice([2, 3, 5])))
        # At a random object of it, or at a random time before the first one.
        moment = dice.choice([0, *range(1, JOBS + 3)])
        if moment == 0:
            time.sleep(dice.uniform(0.05, 0.8))
        whole, begun = sum(map(len, before.values())), time.monotonic()
        while process.poll() is None and time.monotonic() < begun + 60 and sum(map(len, place.objects().values())) - whole < moment:
            time.sleep(0.005)
        hit = process.poll() is None
        process.send_signal(signal.SIGKILL) if hit else None
        _, err = process.communicate()
        done = len(place.objects()["jobs"]) - len(before["jobs"])
        second = Runner(given.binary, folder / "second", store, state, place.host, lease=5)
        # A killed one may have given the lease back already; only the store knows.
        seen = second.start("status", "-o", "json").communicate(timeout=60)[0]
        held = "first@runner" in json.dumps(json.loads(seen)["locked_by"])
        expect(held or not (hit and "Applying" in err) or f"[{JOBS + 3}/{JOBS + 3}]" in err, "one that was applying held no lease", err, seen)
        _, said = second.run("apply", "--yes", "--lock-timeout", "60s")
        taken = "taken over from first@runner" in said
        expect(taken == held, f"the lease was {'held' if held else 'free'}, and the takeover {'was' if taken else 'was not'} announced", err, seen, said)
        found = place.objects()
        expect(found == wanted(before), f"round {number} of {store.name}, to be killed at object {moment}, killed with {done} jobs made, holds", found, err, said)
        second.run("plan", "--detailed-exitcode")
        if given.verbose:
            print(f"  {store.name} {number}: {'killed' if hit else 'ended'} with {done} jobs made, "
                  f"{'taken over' if taken else 'nothing to take over'}", flush=True)
        return hit, taken


def rounds(given, folder, store, pool):
    tasks = [pool.submit(killed, given, folder / f"round{n}", store, n) for n in range(given.rounds)]
    results = [task.result() for task in tasks]
    hits, taken = (sum(column) for column in zip(*results))
    expect(given.rounds < 5 or taken, f"{store.name}: in {given.rounds} rounds nobody had anything to take over")
    return f"{store.name}: {given.rounds} rounds, {hits} killed in flight, {taken} taken over from an empty disk: one of each object"


class Trouble:
    """What goes wrong with a store, one thing after another, on the stand-in that misbehaves when told."""

    def __init__(self, given, folder, store, standin):
        self.given, self.folder, self.store, self.standin = given, folder, store, standin
        self.number = 0

    def weather(self, **told):
        ask("POST", f"{self.standin}/_/weather", told)

    def fresh(self, place, names=("first",), lease=5, **more):
        """Runners of one new state."""
        self.number += 1
        state = more.get("state") or self.store.url(f"trouble-{self.number}")
        return [Runner(self.given.binary, self.folder / f"{self.number}" / name, self.store, state, place.host, lease) for name in names]

    def begun(self, place, process, jobs=3):
        """Waits until an apply has made some jobs."""
        for _ in range(400):
            if len(place.objects()["jobs"]) >= jobs or process.poll() is not None:
                return
            time.sleep(0.02)

    def refused(self, runner, arguments, code, *parts, within=15, variables=None):
        begun = time.monotonic()
        _, said = runner.run(*arguments, code=code, **(variables or {}))
        took = time.monotonic() - begun
        if self.given.verbose:
            print(f"--- {' '.join(arguments)} ({took:.1f} s)\n{said}")
        for part in parts:
            expect(part in said, f"`{' '.join(arguments)}` does not say `{part}`", said)
        expect(took < within, f"`{' '.join(arguments)}` took {took:.1f} s", said)

    def stores(self, place):
        """Stores that cannot be used, told before anything is sent."""
        apply = ("apply", "--yes")
        (runner,) = self.fresh(place)
        self.weather(careless=True)
        self.refused(runner, ("state", "init"), 1, "✗ creates an object only once", "✗ replaces no other version")
        self.refused(runner, apply, 1, "cannot keep two runners apart", "state init")
        self.weather()
        (runner,) = self.fresh(place, state="gs://nowhere/x")
        for command in [apply, ("plan",), ("state", "init")]:
            self.refused(runner, command, 1, "gs://nowhere does not exist")
        (runner,) = self.fresh(place)
        self.weather(deny=403, code="AccessDenied", methods=["DELETE"])
        self.refused(runner, ("state", "init"), 1, "✗ deletes it: AccessDenied")
        self.weather(deny=403, code="AccessDenied", methods=["PUT"])
        self.refused(runner, apply, 4, "cannot be locked: AccessDenied", "credentials used")
        self.weather(deny=401)
        self.refused(runner, apply, 4, "Authentication required", "credentials used")
        self.weather()
        nobody = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{free_port()}"}
        self.refused(runner, apply, 1, "cannot be locked", within=60, variables=nobody)
        before = place.objects()["jobs"]
        expect(not any(name.startswith("job ") for name in before), "something was sent", before)

    def middle(self, place_of):
        """Trouble in the middle of an apply that passes, and trouble that does not."""
        for told, code, parts in [
            ({"deny": 401, "seconds": 2}, 0, []),
            ({"deny": 503, "code": "SlowDown", "seconds": 2}, 0, []),
            ({"hang": True, "seconds": 2}, 0, []),
            ({"deny": 401, "seconds": 25}, 5, ["the lease of the state", "for 5 seconds"]),
        ]:
            with place_of(60) as place:
                before = place.objects()
                first, second = self.fresh(place, ("first", "second"))
                process = first.start("apply", "--yes", "--parallelism", "2")
                self.begun(place, process)
                self.weather(**told)
                _, err = process.communicate(timeout=90)
                self.weather()
                if self.given.verbose:
                    print(f"--- {told}: {process.returncode}\n{err}")
                expect(process.returncode == code, f"with {told} the apply ended with {process.returncode}, not {code}", err)
                for part in parts:
                    expect(part in err, f"with {told} the apply does not say `{part}`", err)
                second.run("apply", "--yes", "--lock-timeout", "60s")
                expect(place.objects() == wanted(before), f"after {told} the workspace holds", place.objects())

    def stopped(self, place_of):
        """Asked to end, an apply gives the lease back; at any moment."""
        for sign, jobs in [(signal.SIGINT, 3), (signal.SIGTERM, 3), (signal.SIGINT, 0), (signal.SIGTERM, 0)]:
            with place_of(80) as place:
                before = place.objects()
                first, second = self.fresh(place, ("first", "second"), lease=60)
                process = first.start("apply", "--yes", "--parallelism", "2")
                if jobs:
                    self.begun(place, process, jobs)
                else:
                    time.sleep(0.4)
                process.send_signal(sign)
                _, err = process.communicate(timeout=60)
                expect(process.returncode == 130, f"{sign.name}: {process.returncode}", err)
                _, said = second.run("apply", "--yes")
                expect("taken over" not in said, "the lease was not given back", said)
                expect(place.objects() == wanted(before), "the workspace holds", place.objects())

    def asleep(self, place_of):
        """A process that is suspended while somebody takes over does nothing more when it wakes."""
        with place_of(60) as place:
            before = place.objects()
            first, second = self.fresh(place, ("first", "second"))
            process = first.start("apply", "--yes", "--parallelism", "4")
            self.begun(place, process)
            process.send_signal(signal.SIGSTOP)
            _, said = second.run("apply", "--yes", "--lock-timeout", "60s")
            expect("taken over from first@runner" in said, "nothing was taken over", said)
            done = place.objects()
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=60)
            if self.given.verbose:
                print(f"--- asleep: {process.returncode}\n{err}")
            expect(process.returncode == 5 and "second@runner" in err, f"whoever slept ended with {process.returncode}", err)
            expect(done == place.objects() == wanted(before), "after the sleep the workspace holds", place.objects())
            second.run("plan", "--detailed-exitcode")

    def clocks(self, place_of):
        """Clocks that are hours off: nobody's lease is taken while its holder lives, and that of the dead is."""
        if shutil.which("faketime") is None:
            return "no `faketime` here: clocks were tried in the unit tests only"
        for shift in ["+3h", "-3h"]:
            with place_of(400) as place:
                before = place.objects()
                first, second = self.fresh(place, ("first", "second"))
                second.binary_prefix = ["faketime", "-f", shift]
                second.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
                process = first.start("apply", "--yes", "--parallelism", "2")
                self.begun(place, process)
                code, said = second.run("apply", "--yes", code=None)
                expect(code == 5, f"with a clock {shift} off the lease of the living was not respected: {code}", said)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                _, said = second.run("apply", "--yes", "--lock-timeout", "60s")
                expect("taken over" in said, "nothing was taken over", said)
                expect(place.objects() == wanted(before), "the workspace holds", place.objects())
        return "clocks three hours off, both ways"

    def all(self):
        numbers = iter(range(1000))
        place_of = lambda latency: workspace(self.given.binary, self.folder / f"workspace{next(numbers)}", latency)  # noqa: E731
        with place_of(0) as place:
            self.stores(place)
        self.middle(place_of)
        self.stopped(place_of)
        self.asleep(place_of)
        return f"trouble: stores that cannot be used, refusals in mid-apply, signals, sleep; {self.clocks(place_of)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(TOP / "target" / "release" / "brickform"))
    parser.add_argument("--moto", default="moto_server")
    parser.add_argument("--azurite", default="azurite-blob")
    parser.add_argument("--only", default="s3,az,gs,sealed")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runners", type=int, default=32)
    parser.add_argument("--at-once", type=int, default=8, help="rounds at a time: most of each is waiting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    given.binary = str(Path(given.binary).resolve())
    folder = Path(tempfile.mkdtemp(prefix="brickform-shared-"))
    stores = Stores(given, folder)
    begun = time.monotonic()
    try:
        for name in given.only.split(","):
            store = getattr(stores, name)()
            print(crowd(given, folder / name / "crowd", store), flush=True)
            with ThreadPoolExecutor(given.at_once) as pool:
                print(rounds(given, folder / name, store, pool), flush=True)
        if "gs" in given.only.split(","):
            print(Trouble(given, folder / "trouble", stores.gs(), stores.standin).all(), flush=True)
    except Lost as lost:
        sys.exit(f"seed {given.seed}; what was run is in {folder}\n{lost}")
    finally:
        stores.end()
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
