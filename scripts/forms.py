"""Checks the forms of results by other people's readers: SARIF by the official schema, JUnit by a parser of its own and by its
counts, JSON by the published schemas, annotations by the grammar of workflow commands. The plans come from a project in a real
repository and a workspace that is served: mistakes, guards, drift, data loss, failed steps, one environment and several.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request
import xml.etree.ElementTree

import jsonschema

TOKEN = "planted-token-2207"
FILES = {
    "data/conf/project.yaml": "name: shop\n",
    "data/conf/all.yaml": """\
schemas:
  landing: { catalog_name: main, name: landing, comment: "50% of <all> & 'more'" }
warehouses:
  bi: { name: bi, cluster_size: Small, auto_stop_mins: 10 }
  etl: { name: "etl, the second: one", cluster_size: Small }
jobs:
  nightly: { name: nightly, max_concurrent_runs: 1 }
""",
    ".gitignore": ".brickform/\n",
}


class Shop:
    """A project that is a folder of its repository, and the workspace of its environments."""

    def __init__(self, binary, work):
        self.binary, self.top = binary, work / "repository"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(work), "DATABRICKS_TOKEN": TOKEN, "LC_ALL": "C.UTF-8",
            **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        seat = work / "seat"
        for folder, files in ((self.top, FILES), (seat, {"conf/project.yaml": "name: served\n", "environments/local.yaml": "workspace: local\n"})):
            for name, text in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
        self.serving = subprocess.Popen(
            [binary, "local", "serve", "--env", "local", "--port", "0", "-o", "json"],
            cwd=seat, env=self.environment, stdout=subprocess.PIPE, text=True,
        )
        self.host = json.loads(self.serving.stdout.readline())["host"]
        for name in ("dev", "prod-eu", "prod-us"):
            self.write(f"environments/{name}.yaml", f"workspace: {{ host: '{self.host}' }}\nguards: {{ max_deletes: 0 }}\npresets: {{ name_prefix: '{name} ' }}\n")
        self.git("init", "-q", "-b", "main")
        self.commit()

    def write(self, name, text):
        (self.top / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (self.top / "data" / name).write_text(text)

    def edit(self, name, before, after):
        text = (self.top / "data" / name).read_text()
        assert before in text, (name, before)
        self.write(name, text.replace(before, after))

    def git(self, *words):
        subprocess.run(["git", *words], cwd=self.top, env=self.environment, check=True, capture_output=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "More")

    def run(self, line, wanted, **more):
        done = subprocess.run([self.binary, *line.split()], cwd=self.top / "data", env={**self.environment, **more}, text=True, capture_output=True, timeout=120)
        assert done.returncode == wanted, f"{line} ended with {done.returncode}, not {wanted}:\n{done.stdout}{done.stderr}"
        assert TOKEN not in done.stdout + done.stderr, f"{line} printed the token"
        return done.stdout

    def change(self, path, body):
        request = urllib.request.Request(f"{self.host}{path}", json.dumps(body).encode(), {"Authorization": f"Bearer {TOKEN}"})
        urllib.request.urlopen(request).close()


class Readers:
    """What reads the forms."""

    def __init__(self, top, sarif, schemas):
        self.top = top
        self.sarif_schema = jsonschema.Draft7Validator(json.loads(pathlib.Path(sarif).read_text())) if sarif else None
        self.schemas = {}
        for file in pathlib.Path(schemas).glob("*.json"):
            schema = json.loads(file.read_text())
            jsonschema.Draft202012Validator.check_schema(schema)
            self.schemas[schema["title"]] = jsonschema.Draft202012Validator(schema)
        self.read = 0

    def sarif(self, text, rules, runs=1):
        """Gives the places of the results."""
        document = json.loads(text)
        if self.sarif_schema:
            errors = [f"{e.json_path}: {e.message}" for e in self.sarif_schema.iter_errors(document)]
            assert not errors, errors
        assert len(document["runs"]) == runs, len(document["runs"])
        ids = [run["automationDetails"]["id"] for run in document["runs"]]
        assert len(set(ids)) == len(ids), f"each run has a category of its own: {ids}"
        found, places, marks = set(), [], set()
        for run in document["runs"]:
            for result in run["results"]:
                found.add(result["ruleId"])
                assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
                place = result["locations"][0]["physicalLocation"]
                file = self.top / urllib.request.unquote(place["artifactLocation"]["uri"])
                assert file.is_file(), f"{file} is in the repository"
                assert place["region"]["startLine"] <= len(file.read_text().splitlines()), place
                places.append((result["ruleId"], str(file.relative_to(self.top)), place["region"]["startLine"]))
                mark = (run["automationDetails"]["id"], *result["partialFingerprints"].values())
                assert mark not in marks, "two results are told apart"
                marks.add(mark)
        assert found == set(rules), f"{sorted(found)}, not {sorted(rules)}"
        self.read += 1
        return places

    def junit(self, text, suites):
        """`suites`: name, failures, skipped."""
        root = xml.etree.ElementTree.fromstring(text)
        assert root.tag == "testsuites" and int(root.get("failures")) == sum(s[1] for s in suites), root.attrib
        assert int(root.get("tests")) == len(root.findall("testsuite/testcase"))
        told = []
        for suite in root:
            cases = suite.findall("testcase")
            assert {child.tag for child in suite} == {"testcase"} and int(suite.get("tests")) == len(cases)
            failed, skipped = [c for c in cases if c.find("failure") is not None], [c for c in cases if c.find("skipped") is not None]
            assert (int(suite.get("failures")), int(suite.get("skipped"))) == (len(failed), len(skipped)), suite.attrib
            for case in cases:
                assert case.get("name") and case.get("classname"), case.attrib
                assert {c.tag for c in case} <= {"failure", "skipped", "system-out"}, list(case)
                file = case.get("file")
                assert file is None or (self.top / file).is_file(), file
            told.append((suite.get("name"), len(failed), len(skipped)))
        assert told == list(suites), f"{told}, not {suites}"
        from junitparser import JUnitXml
        assert JUnitXml.fromstring(text.encode()).failures == sum(s[1] for s in suites)
        self.read += 1

    def github(self, text, errors, warnings):
        lines = text.splitlines()
        commands = [line for line in lines if line.startswith("::")]
        for line in commands:
            found = re.fullmatch(r"::(error|warning)( [a-z]+=[^,:%]*(%(25|0D|0A|3A|2C)[^,:%]*)*(,[a-z]+=[^,:%]*(%(25|0D|0A|3A|2C)[^,:%]*)*)*)?::((?:[^%]|%25|%0D|%0A)*)", line)
            assert found, line
            file = re.search(r"file=([^,:]*)", line.split("::")[1])
            assert not file or (self.top / urllib.request.unquote(file[1])).is_file(), line
        counts = [sum(1 for line in commands if line.startswith(f"::{level}")) for level in ("error", "warning")]
        assert counts == [errors, warnings], f"{counts}, not {[errors, warnings]}:\n{text}"
        self.read += 1

    def json(self, text):
        document = json.loads(text)
        errors = [f"{e.json_path}: {e.message}" for e in self.schemas[document["format"]].iter_errors(document)]
        assert not errors, errors
        self.read += 1
        return document

    def events(self, text):
        for line in text.splitlines():
            event = json.loads(line)
            errors = [e.message for e in self.schemas["brickform.events/1"].iter_errors(event)]
            assert not errors, (line, errors)
        self.read += 1


def story(shop, readers):
    every = lambda line, code: [shop.run(f"{line} -o {form}", code) for form in ("sarif", "junit", "github", "json")]

    # Nothing is wrong.
    sarif, junit, github, told = every("validate", 0)
    readers.sarif(sarif, [])
    readers.junit(junit, [("brickform validate", 0, 0)])
    readers.github(github, 0, 0)
    readers.json(told)
    readers.json(shop.run("apply --env dev --yes -o json", 0))
    readers.events(shop.run("plan --env dev --json", 0))

    # Drift: fields in the files are where it stands.
    jobs = json.loads(shop.run("output --env dev -o json", 0))["resources"]
    shop.change("/api/2.2/jobs/update", {"job_id": int(jobs["jobs.nightly"]["id"]), "new_settings": {"max_concurrent_runs": 7}})
    sarif, junit, github, told = every("drift --env dev", 0)
    line = FILES["data/conf/all.yaml"].splitlines().index("  nightly: { name: nightly, max_concurrent_runs: 1 }") + 1
    assert readers.sarif(sarif, ["drift"]) == [("drift", "data/conf/all.yaml", line)]
    readers.junit(junit, [("brickform drift dev", 1, 0)])
    readers.github(github, 0, 1)
    assert readers.json(told)["counts"]["drifted"] == 1

    # Data loss and a guard; the schema is in no file any more.
    shop.edit("conf/all.yaml", "schemas:\n", "#\n")
    shop.edit("conf/all.yaml", "  landing:", "#  landing:")
    sarif, junit, github, told = every("plan --env dev", 6)
    places = readers.sarif(sarif, ["drift", "guard/data_loss", "guard/max_deletes"])
    assert {place[1] for place in places} == {"data/conf/all.yaml", "data/environments/dev.yaml"}, places
    readers.junit(junit, [("brickform plan dev", 2, 0)])
    readers.github(github, 2, 1)
    readers.json(told)
    shop.run("apply --env dev --yes --allow-delete schemas --allow-max-deletes", 0)

    # A step that fails: its catalog is not there.
    shop.edit("conf/all.yaml", "jobs:\n", "schemas: { lost: { catalog_name: nowhere, name: lost } }\njobs:\n")
    sarif, junit, github = (shop.run(f"apply --env dev --yes -o {form}", 1) for form in ("sarif", "junit", "github"))
    readers.sarif(sarif, ["failed"])
    readers.junit(junit, [("brickform apply dev", 1, 0)])
    readers.github(github, 1, 0)
    shop.edit("conf/all.yaml", "schemas: { lost: { catalog_name: nowhere, name: lost } }\n", "")

    # Several environments in one document, one of them with mistakes, one out of reach.
    shop.write("environments/prod-mid.yaml", f"workspace: {{ host: '{shop.host}' }}\nguards: {{ nonsense: 1 }}\n")
    shop.write("environments/prod-off.yaml", "workspace: { host: 'http://127.0.0.1:1' }\n")
    sarif, junit, github, told = every("plan --env prod-*", 1)
    readers.sarif(sarif, ["E0303", "failed"] if '"E0303"' in sarif else sorted({r["ruleId"] for run in json.loads(sarif)["runs"] for r in run["results"]}), runs=4)
    names = ["prod-eu", "prod-mid", "prod-off", "prod-us"]
    readers.junit(junit, [(f"brickform plan {name}", int(name in ("prod-mid", "prod-off")), 0) for name in names])
    readers.github(github, 2, 0)
    assert [e["exit_code"] for e in readers.json(told)["environments"]] == [0, 1, 1, 0]
    # An apply goes one by one and stops.
    junit = shop.run("apply --env prod-* --yes -o junit", 1)
    readers.junit(junit, [("brickform apply prod-eu", 0, 0), ("brickform apply prod-mid", 1, 0), ("brickform apply prod-off", 0, 1), ("brickform apply prod-us", 0, 1)])

    # Mistakes of a revision stand in its files; more of them than GitHub shows.
    shop.git("checkout", "-q", "-b", "mine")
    for name in ("prod-mid", "prod-off"):
        (shop.top / f"data/environments/{name}.yaml").unlink()
    shop.write("conf/new.yaml", "jobs:\n" + "".join(f"  j{n}: {{ nmae: x }}\n" for n in range(30)))
    shop.commit()
    sarif, junit, github, told = every("diff main..mine", 1)
    places = readers.sarif(sarif, ["E0107"])
    assert [place[1:] for place in places] == [("data/conf/new.yaml", line) for line in range(2, 32)], places
    readers.github(github, 10, 0)
    assert "and 21 more errors" in github and github.count("\nerror data/conf/new.yaml:") == 21, github
    readers.json(told)
    sarif, junit, github, told = every("validate", 1)
    readers.sarif(sarif, ["E0107"])
    readers.github(github, 10, 0)
    # Also where a plan was asked for: what was found before must not stay there.
    readers.sarif(shop.run("plan --env dev -o sarif --report markdown=../plan.md", 1), ["E0107"])
    comment = (shop.top / "plan.md").read_text()
    assert comment.startswith("<!-- brickform:plan:shop:dev -->\n## Brickform · dev: no plan\n") and "`data/conf/new.yaml:2`: unknown field" in comment, comment


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--sarif-schema", help="sarif-2.1.0.json; without it SARIF is only looked at")
    parser.add_argument("--schemas", default=str(pathlib.Path(__file__).parent.parent / "docs/reference/schemas"))
    tools = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        shop = Shop(str(pathlib.Path(tools.binary).resolve()), pathlib.Path(work))
        try:
            readers = Readers(shop.top, tools.sarif_schema, tools.schemas)
            story(shop, readers)
        finally:
            shop.serving.terminate()
            shop.serving.wait()
    print(f"{readers.read} documents read: each is what its schema says")


if __name__ == "__main__":
    sys.exit(main())
