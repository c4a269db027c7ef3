#!/usr/bin/env python3
"""What it takes to keep N Genie spaces: requests, seconds, spaces a second, against a workspace that answers after some milliseconds.

    benches/spaces.py [N] [--binary target/release/brickform] [--latency 50] [--parallelism 64] [--changed 20] [--json FILE]

Each space has 5 to 15 tables with columns, 10 examples with SQL of 20 lines, joins, snippets, sample questions, benchmarks and
permissions. The workspace is `brickform local serve --latency` in a process of its own (its work takes the same cores), fresh for
each run of this script; requests are counted in what it recorded. `limit` is what latency and parallelism allow: requests times
latency, divided by the requests that may be in flight. Whatever is read back is compared: the second plan must be empty.
"""

import argparse
import collections
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def sql(space, number):
    """Twenty lines, as people write them."""
    lines = [f"-- answer {number} of space {space}", "WITH recent AS (", "  SELECT *", f"  FROM main.sales_{space}.facts_00", "  WHERE sold_at >= current_date() - 90", ")", "SELECT"]
    lines += [f"  d.attribute_{i} AS attribute_{i}," for i in range(7)]
    lines += [f"  sum(f.amount_{number}) AS total,", "  count(*) AS sales", "FROM recent f", f"JOIN main.sales_{space}.dimension_01 d ON f.key_01 = d.id", "GROUP BY ALL", "ORDER BY total DESC"]
    return lines


def table(space, number):
    name = f"main.sales_{space}.{'facts' if number == 0 else 'dimension'}_{number:02}"
    yield f"      - identifier: {name}"
    yield f"        description: Table {number} of space {space}, one row a sale or thing"
    yield "        columns:"
    for column in range(8):
        yield f"          - {{ name: attribute_{column}, description: What attribute {column} says, synonyms: [field {column}, column {column}] }}"


def space(number, changed):
    """The YAML of one space."""
    tables = 5 + number % 11
    yield f"  space_{number:04}:"
    yield f"    title: Sales of region {number}"
    yield f"    description: Questions about the sales of region {number}"
    yield '    warehouse_id: "475b94ddc7cd5211"'
    yield "    parent_path: /Workspace/Shared"
    yield "    tables:"
    for n in range(tables):
        yield from table(number, n)
    yield "    instructions:"
    yield "      text: |"
    yield f"        Amounts are in dollars{', without tax' if changed else ''}. A quarter begins in February."
    yield "        Leave out what was taken back. Round to cents."
    yield "      joins:"
    for n in range(1, tables):
        left, right = f"main.sales_{number}.facts_00", f"main.sales_{number}.dimension_{n:02}"
        yield f"        - {{ left: {left}, right: {right}, condition: facts_00.key_{n:02} = dimension_{n:02}.id, relationship: MANY_TO_ONE }}"
    yield "      example_sql:"
    for n in range(10):
        yield f"        - question: What does answer {n} say about region {number}?"
        yield "          sql: |"
        for line in sql(number, n):
            yield f"            {line}"
    yield "      snippets:"
    yield "        filters:"
    yield "          - { name: this year, sql: year(facts_00.sold_at) = year(current_date()) }"
    yield "        measures:"
    yield "          - { name: revenue, sql: sum(facts_00.amount_0), synonyms: [income, turnover] }"
    yield "          - { name: orders, sql: count(*) }"
    yield "    sample_questions:"
    for n in range(5):
        yield f"      - Which things of sort {n} sold best?"
    yield "    benchmarks:"
    for n in range(5):
        yield f"      - question: How many of sort {n} were sold in region {number}?"
        yield "        sql: |"
        yield f"          SELECT count(*) FROM main.sales_{number}.facts_00"
        yield f"          WHERE sort = {n}"
    yield "    permissions:"
    yield "      - { user_name: admin@brickform.local, permission_level: CAN_MANAGE }"
    yield "      - { group_name: users, permission_level: CAN_RUN }"


def write(folder, count, changed):
    """A file of each space, as exports write them."""
    (folder / "spaces").mkdir(parents=True, exist_ok=True)
    for n in range(count):
        text = "spaces:\n" + "".join(f"{line}\n" for line in space(n, n < changed))
        (folder / "spaces" / f"space_{n:04}.yaml").write_text(text)


class Bench:
    """A project and the workspace beside it."""

    def __init__(self, given, folder):
        self.given, self.folder, self.record = given, folder, folder / "traffic.jsonl"
        (folder / "conf").mkdir()
        (folder / "environments").mkdir()
        (folder / "conf" / "project.yaml").write_text("name: bench\n")
        (folder / "environments" / "ci.yaml").write_text("workspace: { profile: CI }\n")
        command = [given.binary, "local", "serve", "--port", "0", "-o", "json", "--file", folder / "workspace.redb"]
        command += ["--latency", str(given.latency), "--record", self.record]
        variables = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        self.server = subprocess.Popen([str(word) for word in command], cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        host = json.loads(self.server.stdout.readline())["host"]
        (folder / ".databrickscfg").write_text(f"[CI]\nhost = {host}\ntoken = dev\n")
        self.variables = {**variables, "NO_COLOR": "1"}

    def requests(self):
        """How often each method and kind of path was asked for so far."""
        if not self.record.exists():
            return collections.Counter()
        found = collections.Counter()
        with open(self.record, encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                found[f"{one['method']} {kind_of(one['path'])}"] += 1
        return found

    def run(self, name, words, wanted=(0,)):
        before, used, begun = self.requests(), resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [self.given.binary, *words, "--parallelism", str(self.given.parallelism)]
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True)
        took, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in wanted:
            sys.exit(f"{name}: exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        requests = self.requests() - before
        count = sum(requests.values())
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        return {
            "name": name, "seconds": took, "cpu": cpu, "requests": count, "by_path": dict(requests.most_common()),
            "limit": count * self.given.latency / 1000 / self.given.parallelism,
            "said": (done.stdout.strip().splitlines() or [""])[-1],
        }


def kind_of(path):
    """A path without the ids in it."""
    parts = ["ID" if len(part) == 32 and all(c in "0123456789abcdef" for c in part) else part for part in path.split("/")]
    return "/".join(parts)


def measured(given):
    with tempfile.TemporaryDirectory(prefix="brickform-bench-") as name:
        bench = Bench(given, Path(name))
        try:
            write(bench.folder, given.spaces, 0)
            yield bench.run("plan, all to create", ["plan", "--env", "ci"])
            yield bench.run("apply, all created", ["apply", "--env", "ci", "--yes", "--quiet"])
            yield bench.run("plan, nothing to do", ["plan", "--env", "ci", "--detailed-exitcode"])
            write(bench.folder, given.spaces, given.changed)
            yield bench.run(f"apply, {given.changed} changed", ["apply", "--env", "ci", "--yes", "--quiet"])
            yield bench.run("space-export of all", ["space-export", "--profile", "CI", "--output-dir", "out"])
            files = len(list((bench.folder / "out").glob("*.yaml")))
            if files != given.spaces:
                sys.exit(f"{files} files were exported, of {given.spaces} spaces")
        finally:
            bench.server.terminate()
            bench.server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spaces", type=int, nargs="?", default=200)
    parser.add_argument("--binary", default=str(TOP / "target" / "release" / "brickform"))
    parser.add_argument("--latency", type=int, default=50, help="milliseconds")
    parser.add_argument("--parallelism", type=int, default=64)
    parser.add_argument("--changed", type=int, default=20)
    parser.add_argument("--json", help="write the figures into this file, with requests by path")
    given = parser.parse_args()
    given.binary = str(Path(given.binary).resolve())
    if not os.access(given.binary, os.X_OK):
        sys.exit(f"build it first: there is no {given.binary}")
    size = sum(len(line) + 1 for line in space(5, False))
    print(f"{given.spaces} spaces of {size / 1000:.0f} kB YAML each, {given.latency} ms latency, {given.parallelism} requests at once")
    print(f"{'':24}{'seconds':>9}{'limit':>8}{'CPU':>8}{'requests':>10}{'spaces/s':>10}")
    figures = []
    for one in measured(given):
        figures.append(one)
        speed = given.spaces / one["seconds"]
        print(f"{one['name']:24}{one['seconds']:9.2f}{one['limit']:8.2f}{one['cpu']:8.2f}{one['requests']:10}{speed:10.0f}", flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
