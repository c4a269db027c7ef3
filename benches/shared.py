#!/usr/bin/env python3
"""What a shared state costs: applies of N jobs with the state in a file and in a store that is far away.

    benches/shared.py [N] [--binary target/release/brickform] [--workspace 50] [--store 20] [--limit 1.2] [--moto MOTO_SERVER]

`--workspace`, `--store`: milliseconds after which each of them answers. The store is the stand-in for Google Cloud Storage
(`scripts/gcs_standin.py`), and with `--moto` that for S3 too, which answers when it can. Prints seconds (the best of three),
requests to the store, and the ratio; above `--limit` it ends with 1.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
RUNS = 3


def ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data), timeout=20) as reply:
        return json.loads(reply.read() or b"null")


def started(command, **more):
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)
    return process, json.loads(process.stdout.readline())["host"]


def project(folder, jobs, runs):
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "conf" / "project.yaml").write_text("name: bench\n")
    text = "".join(f"  j{n:04}: {{ name: job {n}, max_concurrent_runs: {runs} }}\n" for n in range(jobs))
    (folder / "conf" / "all.yaml").write_text(f"jobs:\n{text}")


def measure(given, place, variables, standin):
    """Seconds of the first apply, of one with nothing to do, and of one that changes everything; requests of each."""
    with tempfile.TemporaryDirectory(prefix="brickform-bench-") as name:
        folder = Path(name)
        project(folder, given.jobs, 1)
        serve = [given.binary, "local", "serve", "--port", "0", "-o", "json", "--file", folder / "workspace.redb", "--latency", str(given.workspace)]
        server, host = started(serve, cwd=folder, env={"HOME": name, "PATH": os.environ["PATH"]})
        try:
            (folder / "environments" / "ci.yaml").write_text(f"workspace: {{ profile: CI }}\n{place}")
            (folder / ".databrickscfg").write_text(f"[CI]\nhost = {host}\ntoken = dev\n")
            environment = {"PATH": os.environ["PATH"], "HOME": name, "NO_COLOR": "1", **variables}
            found = []
            for runs in [1, 1, 2]:
                project(folder, given.jobs, runs)
                if standin:
                    ask("POST", f"{standin}/_/counts")
                begun = time.monotonic()
                done = subprocess.run([given.binary, "apply", "--env", "ci", "--yes", "--quiet"], cwd=folder, env=environment, capture_output=True, text=True)
                took = time.monotonic() - begun
                if done.returncode:
                    sys.exit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
                found.append((took, sum(ask("GET", f"{standin}/_/counts").values()) if standin else 0))
            return found
        finally:
            server.terminate()
            server.wait()


def best(given, places):
    """The best of some runs of each place, in turns: what else the machine does hits all of them."""
    runs = {name: [] for name in places}
    for n in range(RUNS):
        for name, (place, variables, standin) in places.items():
            runs[name].append(measure(given, place(n), variables, standin))
    return {name: [(min(run[i][0] for run in taken), taken[0][i][1]) for i in range(3)] for name, taken in runs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", type=int, nargs="?", default=200)
    parser.add_argument("--binary", default=str(TOP / "target" / "release" / "brickform"))
    parser.add_argument("--workspace", type=int, default=50)
    parser.add_argument("--store", type=int, default=20)
    parser.add_argument("--limit", type=float, default=1.2)
    parser.add_argument("--moto")
    given = parser.parse_args()
    given.binary = str(Path(given.binary).resolve())
    processes = []
    try:
        process, standin = started([sys.executable, TOP / "scripts" / "gcs_standin.py", "--bucket", "acme"])
        processes.append(process)
        ask("POST", f"{standin}/_/weather", {"latency": given.store / 1000})
        stamp = time.time_ns()
        places = {
            "file": (lambda _: "", {}, None),
            "gs": (lambda n: f'state: {{ backend: "gs://acme/{stamp}-{n}" }}\n', {"STORAGE_EMULATOR_HOST": standin}, standin),
        }
        if given.moto:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            processes.append(subprocess.Popen([given.moto, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            host = f"http://127.0.0.1:{port}"
            for _ in range(100):
                try:
                    urllib.request.urlopen(urllib.request.Request(f"{host}/acme", method="PUT"), timeout=2)
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            keys = {"AWS_ENDPOINT_URL": host, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}
            places["s3"] = (lambda n: f'state: {{ backend: "s3://acme/{stamp}-{n}" }}\n', keys, None)
        stores = best(given, places)
        local = stores.pop("file")
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    worst = 0.0
    print(f"{given.jobs} jobs, workspace {given.workspace} ms, store {given.store} ms")
    for i, what in enumerate(["everything to create", "nothing to do", "everything to change"]):
        line = f"{what:21} file {local[i][0]:5.2f} s"
        for name, store in stores.items():
            ratio = store[i][0] / local[i][0]
            requests = f", {store[i][1]} requests" if store[i][1] else ""
            line += f"   {name} {store[i][0]:5.2f} s (x {ratio:.2f}{requests})"
            if what != "nothing to do":
                worst = max(worst, ratio)
        print(line)
    if worst > given.limit:
        sys.exit(f"a shared state costs more than it may: x {worst:.2f}, at most x {given.limit}")


if __name__ == "__main__":
    main()
