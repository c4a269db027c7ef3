#!/usr/bin/env python3
"""The day of a team, from end to end: a real Git repository, three environments with a workspace each, a state that all runners
share, and everything that a release path must do or refuse. Every step checks its exit code and the words that matter.

    scripts/story.py [--binary target/release/brickform] [--transcript FILE]

Each environment's workspace is a `brickform local serve` of its own; each "runner" is a fresh clone that knows nothing but the
repository and the shared state. Where the state is, is said by `--state` (default: a folder that all runners see; with
`s3://...` a bucket). Exit code 0: the story went as told.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import json
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ["dev", "staging", "prod"]

PROJECT = {
    "conf/project.yaml": "name: shop\nvariables:\n  minutes: { type: number, default: 10 }\n",
    "conf/platform.yaml": """warehouses:
  bi: { name: "bi-${env.name}", cluster_size: Small, auto_stop_mins: "${minutes}" }
jobs:
  nightly:
    name: "nightly-${env.name}"
    max_concurrent_runs: 1
    permissions:
      - { group_name: users, permission_level: CAN_VIEW }
""",
    ".gitignore": ".brickform/\nplan.json\ncomment.md\n",
}


class Story:
    def __init__(self, folder, binary, state):
        self.folder, self.binary, self.state = folder, binary, state
        self.lines, self.servers, self.clones = [], [], 0
        self.hosts = {}

    def say(self, text=""):
        self.lines.append(text)
        print(text, flush=True)

    def title(self, text):
        self.say(f"\n## {text}\n")

    def run(self, where, line, code=0, words=(), quiet=False, show=None):
        """Types a line in a runner; checks how it ends and what it says; shows what a reader wants to see."""
        arguments = line.split(" ")
        program = [self.binary, *arguments[1:]] if arguments[0] == "brickform" else arguments
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "USER": "ana", "HOSTNAME": where.name,
            "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.com", "GIT_COMMITTER_NAME": "Ana",
            "GIT_COMMITTER_EMAIL": "ana@example.com", "GIT_CONFIG_NOSYSTEM": "1", "BRICKFORM_STATE": self.state,
            "CI_JOB_URL": f"https://ci.example.com/{where.name}",
        }
        environment.update({k: v for k, v in os.environ.items() if k.startswith("AWS_")})
        ran = subprocess.run(program, cwd=where, env=environment, capture_output=True, text=True, timeout=60)
        said = self.plain(ran.stdout + ran.stderr)
        if not quiet:
            self.say(f"[{where.name}] $ {line}")
            for shown in said.rstrip().splitlines() if show is None else [l for l in said.splitlines() if re.search(show, l)]:
                self.say(f"    {shown}".rstrip())
            if ran.returncode:
                self.say(f"    (exit code {ran.returncode})")
        flat = " ".join(said.split())
        missing = [word for word in words if word not in flat]
        if ran.returncode != code or missing:
            sys.exit(f"{line}: exit code {ran.returncode}, not {code}; missing {missing}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def plain(self, text):
        for name, host in self.hosts.items():
            text = text.replace(host, f"http://{name}").replace(host.split("//")[1], name)
        return text.replace(str(self.folder), "")

    def git(self, where, line, quiet=True):
        return self.run(where, f"git {line}", quiet=quiet, show="$^").strip()

    def runner(self, name, revision="main"):
        """A fresh machine: a clone and nothing else."""
        self.clones += 1
        where = self.folder / f"{name}-{self.clones}"
        subprocess.run(["git", "clone", "-q", str(self.folder / "origin.git"), str(where)], check=True)
        self.git(where, f"checkout -q {revision}")
        return where

    def commit(self, where, file, old, new, message):
        path = where / file
        text = path.read_text()
        assert old in text, f"{file} holds {old}"
        path.write_text(text.replace(old, new))
        self.git(where, "add -A")
        subprocess.run(["git", "-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "-q", "-m", message], cwd=where, check=True)
        return self.git(where, "rev-parse HEAD")

    def serve(self):
        home = self.folder / "home"
        home.mkdir()
        sections = []
        for name in ENVIRONMENTS:
            out = open(self.folder / f"{name}.serving.json", "w+")
            command = [self.binary, "local", "serve", "--file", str(self.folder / f"{name}.redb"), "--port", "0", "-o", "json"]
            self.servers.append(subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=subprocess.DEVNULL))
            for _ in range(200):
                text = Path(out.name).read_text()
                if text.strip():
                    break
                time.sleep(0.05)
            self.hosts[name] = json.loads(text)["host"]
            sections.append(f"[{name.upper()}]\nhost = {self.hosts[name]}\ntoken = {name}\n")
        (home / ".databrickscfg").write_text("\n".join(sections))

    def raw(self, environment, method, path, body):
        request = urllib.request.Request(self.hosts[environment] + path, json.dumps(body).encode() if body else None, method=method)
        request.add_header("Authorization", f"Bearer {environment}")
        request.add_header("Content-Type", "application/json")
        return json.loads(urllib.request.urlopen(request, timeout=10).read() or b"{}")

    def close(self):
        for server in self.servers:
            server.terminate()
            server.wait()


def tell(story):
    origin = story.folder / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(origin)], check=True)
    ana = story.folder / "ana"
    subprocess.run(["git", "clone", "-q", str(origin), str(ana)], check=True, stderr=subprocess.DEVNULL)
    story.git(ana, "checkout -q -b main")
    for name, text in PROJECT.items():
        (ana / name).parent.mkdir(parents=True, exist_ok=True)
        (ana / name).write_text(text)
    (ana / "environments").mkdir()
    for name in ENVIRONMENTS:
        text = f"workspace: {{ profile: {name.upper()} }}\nguards: {{ ancestry: true, require_clean_git: true, max_deletes: 3 }}\n"
        (ana / "environments" / f"{name}.yaml").write_text(text)
    story.git(ana, "add -A")
    subprocess.run(["git", "-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "-q", "-m", "The platform"], cwd=ana, check=True)
    story.git(ana, "push -q origin main")

    story.title("The first release goes to three environments")
    first = story.runner("release")
    for name in ENVIRONMENTS:
        story.run(first, f"brickform apply --env {name} --yes", words=["The state is saved"], show="^Applied")

    story.title("A branch, and the plan as the comment of its pull request")
    story.git(ana, "checkout -q -b longer")
    story.commit(ana, "conf/project.yaml", "default: 10", "default: 30", "Warehouses stop after half an hour")
    story.git(ana, "push -q origin longer")
    review = story.runner("review", "longer")
    words = ["<!-- brickform:plan:shop:prod -->", "1 to change", "auto_stop_mins"]
    story.run(review, "brickform plan --env prod -o markdown", words=words)

    story.title("Merged: the release plans, and applies exactly that plan")
    story.git(ana, "checkout -q main")
    story.git(ana, "merge -q --no-ff -m Merge-longer longer")
    story.git(ana, "push -q origin main")
    release = story.runner("release")
    story.run(release, "brickform plan --env prod --out plan.json", words=["10 → 30"], show="auto_stop|^Plan|The plan is in")
    story.run(release, "brickform apply plan.json", words=["1 changed"], show="^Applied")
    story.run(release, "brickform apply plan.json", code=7, words=["this very plan was carried out already"])

    story.title("Overnight somebody changes prod by hand; the nightly run finds it")
    job = story.run(release, "brickform output jobs.nightly.id --env prod", quiet=True).strip()
    story.raw("prod", "POST", "/api/2.2/jobs/update", {"job_id": int(job), "new_settings": {"max_concurrent_runs": 9}})
    nightly = story.runner("nightly")
    story.run(nightly, "brickform drift --env prod --detailed-exitcode", code=2, words=["max_concurrent_runs", "Drift: 1 of"])
    story.run(nightly, "brickform apply --env prod --yes --target jobs.nightly", show="max_concurrent|^Applied")

    story.title("An old pipeline is run again")
    old = story.runner("old", "HEAD~1")
    words = ["is older than what is applied", "an old pipeline re-run?", "--allow-older-commit"]
    story.run(old, "brickform apply --env prod --yes", code=6, words=words)

    story.title("The change was wrong: git revert, and apply")
    story.git(ana, "revert --no-edit -m 1 HEAD", quiet=False)
    story.git(ana, "push -q origin main")
    story.run(story.runner("release"), "brickform apply --env prod --yes", words=["30 → 10", "1 changed"], show="auto_stop|^Applied")

    story.title("The next change breaks something at once: rollback, without waiting for a pull request")
    bad = story.commit(ana, "conf/platform.yaml", "cluster_size: Small", "cluster_size: Large", "Large warehouses")
    story.git(ana, "push -q origin main")
    story.run(story.runner("release"), "brickform apply --env prod --yes", words=["1 changed"], show="cluster_size|^Applied")
    story.run(story.runner("release"), "brickform state history --env prod")
    back = story.runner("oncall")
    good = story.git(back, "rev-parse HEAD~1")
    words = ["Pins prod to commit", "1 changed"]
    story.run(back, f"brickform rollback --to {good[:7]} --env prod --yes", words=words, show="cluster_size|^Pins|^Applied|^Commit")
    story.run(back, "brickform status --env prod", words=[f"pinned to commit {good[:7]} from {bad[:7]}"], show="pinned|last write")

    story.title("The pipeline of the bad commit, and of one on top of it, cannot bring it back")
    words = ["brings back what was rolled back", "--unpin"]
    story.run(story.runner("release"), "brickform apply --env prod --yes", code=6, words=words)
    story.commit(ana, "conf/platform.yaml", "max_concurrent_runs: 1", "max_concurrent_runs: 2", "Two runs at a time")
    story.git(ana, "push -q origin main")
    story.run(story.runner("release"), "brickform apply --env prod --yes", code=6, words=words, show="BLOCKED|^Blocked")

    story.title("The revert is merged: the pin ends by itself")
    story.git(ana, f"revert --no-edit {bad}", quiet=False)
    story.git(ana, "push -q origin main")
    release = story.runner("release")
    story.run(release, "brickform apply --env prod --yes", words=["Unpins prod"], show="max_concurrent|^Unpins|^Applied")
    story.run(release, "brickform plan --env prod --detailed-exitcode", words=["no changes"])

    story.title("Where the pin is in the way, it is taken off by name, and that is kept")
    story.run(release, f"brickform rollback --to {good[:7]} --env prod --yes", words=["Pins prod"], show="^Pins|^Applied")
    story.run(release, "brickform apply --env prod --yes", code=6, words=["--unpin"], show="BLOCKED")
    story.run(release, "brickform apply --env prod --yes --unpin", words=["Guards lifted: --unpin"], show="^Guards|^Unpins|^Applied")
    story.run(release, "brickform state history --env prod", words=["by admin", "guards lifted: --unpin", "rollback", "https://ci.example.com/"])
    for name in ["dev", "staging"]:
        story.run(release, f"brickform apply --env {name} --yes", show="^Applied")
        story.run(release, f"brickform plan --env {name} --detailed-exitcode", words=["no changes"], quiet=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(TOP / "target" / "release" / "brickform"))
    parser.add_argument("--state", help="where the state is; default: a folder that all runners see")
    parser.add_argument("--transcript", help="also write what was said into this file")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="brickform-story-"))
    story = Story(folder, str(Path(given.binary).resolve()), given.state or str(folder / "shared" / "state"))
    begun = time.monotonic()
    try:
        story.serve()
        tell(story)
        if given.transcript:
            Path(given.transcript).write_text("\n".join(story.lines).lstrip() + "\n")
        print(f"\nThe story went as told, in {time.monotonic() - begun:.0f} s.")
    finally:
        story.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
