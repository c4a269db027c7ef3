"""Checks what `brickform init --ci` writes: the YAML against the providers' schemas, the shell by ShellCheck, workflows by
actionlint where it is there; then runs the script of each provider from the pull request to the rollback, against an embedded
workspace that is served, with a stand-in for `gh` and for the APIs of GitLab and Azure DevOps.

The stand-ins know the requests that the script makes, and no more: what they prove is that it makes them, in that order.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "planted-token-5519"

GH = r'''#!/usr/bin/env python3
"""Stands in for `gh api`: comments and issues in a file."""
import json, os, pathlib, subprocess, sys
store = pathlib.Path(os.environ["STAND_IN"]); kept = json.loads(store.read_text())
words = sys.argv[1:]; assert words.pop(0) == "api", words
method, jq, path, fields = "GET", None, None, {}
while words:
    word = words.pop(0)
    if word in ("--paginate", "--silent"): continue
    if word == "-X": method = words.pop(0)
    elif word == "--jq": jq = words.pop(0)
    elif word in ("-F", "-f"):
        name, value = words.pop(0).split("=", 1)
        fields[name] = pathlib.Path(value[1:]).read_text() if word == "-F" and value.startswith("@") else value
    else: assert path is None and not word.startswith("-"), word; path = word
assert os.environ["GH_TOKEN"] and path.startswith("repos/acme/data/issues"), path
part = path[len("repos/acme/data/"):].split("?")[0].split("/")
kept["calls"].append(f"{method} {path}")
answer = None
if part == ["issues"]:
    if method == "POST":
        kept["issues"].append({"number": 100 + len(kept["issues"]), "state": "open", "notes": [], **fields})
    else: answer = [i for i in kept["issues"] if i["state"] == "open"]
elif part[1] == "comments":
    next(c for c in kept["comments"] if str(c["id"]) == part[2]).update(fields)
elif part[2:] == ["comments"] and part[1] == "7":
    if method == "POST": kept["comments"].append({"id": 900 + len(kept["comments"]), **fields})
    else: answer = kept["comments"]
else:
    issue = next(i for i in kept["issues"] if str(i["number"]) == part[1])
    issue["notes"].append(fields["body"]) if part[2:] == ["comments"] else issue.update(fields)
store.write_text(json.dumps(kept))
if answer is not None:
    sys.stdout.write(subprocess.run(["jq", "-r", jq], input=json.dumps(answer), text=True, check=True, capture_output=True).stdout)
'''


class StandIn(BaseHTTPRequestHandler):
    """Notes and issues of GitLab, threads of Azure DevOps, kept in the server."""

    def log_message(self, *_):
        pass

    def answer(self):
        kept, length = self.server.kept, int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        path, _, query = self.path.partition("?")
        kept["calls"].append(f"{self.command} {path}")
        if TOKEN not in (self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization") or ""):
            return self.send(401, {})
        if "/_apis/" in path:
            return self.azure(kept, path, body)
        given = dict(urllib.parse.parse_qsl(body))
        part = path.split("/projects/42/")[1].split("/")
        if part[-1] == "notes" and part[0] == "merge_requests":
            if self.command == "GET":
                return self.send(200, kept["comments"] if "&page=1" in query else [])
            kept["comments"].append({"id": 900 + len(kept["comments"]), **given})
        elif part[0] == "merge_requests":
            next(c for c in kept["comments"] if str(c["id"]) == part[-1]).update(given)
        elif part == ["issues"]:
            if self.command == "GET":
                return self.send(200, [i for i in kept["issues"] if i["state"] == "open"] if "&page=1" in query else [])
            kept["issues"].append({"iid": 100 + len(kept["issues"]), "state": "open", "notes": [], **given})
        else:
            issue = next(i for i in kept["issues"] if str(i["iid"]) == part[1])
            if part[-1] == "notes":
                issue["notes"].append(given["body"])
            elif given.get("state_event") == "close":
                issue["state"] = "closed"
            else:
                issue.update(given)
        return self.send(200, {})

    def azure(self, kept, path, body):
        if self.command == "GET":
            return self.send(200, {"value": [{"id": c["thread"], "comments": [{"id": 1, "content": c["body"]}]} for c in kept["comments"]]})
        given = json.loads(body)
        if self.command == "POST":
            kept["comments"].append({"thread": 50 + len(kept["comments"]), "body": given["comments"][0]["content"]})
        else:
            thread = path.split("/threads/")[1].split("/")[0]
            next(c for c in kept["comments"] if str(c["thread"]) == thread)["body"] = given["content"]
        return self.send(200, {})

    def send(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = answer


def run(words, folder, environment, wanted=0):
    """Runs a command; gives what it printed. The token is in none of it."""
    done = subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == wanted, f"{words} ended with {done.returncode}, not {wanted}:\n{said}"
    assert TOKEN not in said, f"{words} printed the token"
    return said


def static(work, folder, provider, tools):
    """Schemas and linters."""
    script = str(folder / "ci/brickform.sh")
    if tools.shellcheck:
        subprocess.run([tools.shellcheck, script], check=True)
    schemas = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci", "azure": "vendor.azure-pipelines"}
    files = {
        "github": sorted(folder.glob(".github/workflows/*.yml")),
        "gitlab": [folder / "ci/brickform.gitlab-ci.yml", folder / ".gitlab-ci.yml"],
        "azure": [folder / "azure-pipelines.yml"],
    }[provider]
    assert len(files) == {"github": 5, "gitlab": 2, "azure": 1}[provider], files
    if tools.check_jsonschema:
        more = ["--data-transform", "gitlab-ci"] if provider == "gitlab" else ["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"] if provider == "azure" else []
        subprocess.run([tools.check_jsonschema, "--builtin-schema", schemas[provider], *more, *map(str, files)], check=True)
    if provider == "github" and tools.actionlint:
        subprocess.run([tools.actionlint, "-shellcheck", tools.shellcheck or "", *map(str, files)], check=True, cwd=folder)
    # What pipelines call is what the script knows.
    known = re.search(r"^    (install \|[^)]*)\)", (folder / "ci/brickform.sh").read_text(), re.M)[1].split(" | ")
    for file in files:
        for called in re.findall(r"ci/brickform\.sh (\w+)", file.read_text()):
            assert called in known, f"{file}: {called}"


def story(work, provider, tools):
    folder, bin_ = work / provider, work / "bin"
    folder.mkdir()
    store = work / f"{provider}.json"
    kept = {"comments": [], "issues": [], "calls": []}
    store.write_text(json.dumps(kept))
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.kept = kept
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{server.server_port}"
    environment = {
        "PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(work / "home"), "LC_ALL": "C.UTF-8",
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b.c",
        "DATABRICKS_TOKEN": TOKEN, "STAND_IN": str(store),
        "GH_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/data", "PULL_REQUEST": "7",
        "BRICKFORM_GITLAB_TOKEN": TOKEN, "CI_API_V4_URL": f"{api}/api/v4", "CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7",
        "SYSTEM_ACCESSTOKEN": TOKEN, "SYSTEM_COLLECTIONURI": f"{api}/acme/", "SYSTEM_TEAMPROJECTID": "data", "BUILD_REPOSITORY_ID": "r",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    }
    say = lambda *words, wanted=0: run([str(bin_ / "brickform"), *words], folder, environment, wanted)
    ci = lambda *words, wanted=0: run(["ci/brickform.sh", *words], folder, environment, wanted)
    git = lambda *words: run(["git", *words], folder, environment)
    seen = lambda: json.loads(store.read_text()) if provider == "github" else kept

    serving = subprocess.Popen(
        [str(bin_ / "brickform"), "local", "serve", "--env", "local", "--port", "0", "-o", "json"],
        cwd=seat(work, provider), env=environment, stdout=subprocess.PIPE, text=True,
    )
    try:
        host = json.loads(serving.stdout.readline())["host"]
        git("init", "-q", "-b", "main")
        say("init")
        for name in ("dev", "prod"):
            (folder / f"environments/{name}.yaml").write_text(f"workspace: {{ host: '{host}' }}\nvariables: {{ warehouse_size: Small }}\n")
        say("init", "--ci", provider)
        static(work, folder, provider, tools)
        git("add", "-A")
        git("commit", "-qm", "A project")
        base = git("rev-parse", "HEAD").strip()

        ci("install")
        (folder / "conf/warehouses.yaml").write_text((folder / "conf/warehouses.yaml").read_text().replace("auto_stop_mins: 10", "auto_stop_mins: 20"))
        git("commit", "-qam", "Sleep later")
        known = say("--help")
        ci("check", *([base] if "  diff " in known else []))
        ci("plan", "dev", *([base] if "--base" in say("plan", "--help") else []))
        for name in ("plan.json", "md", "html", "sarif", "junit.xml"):
            assert (folder / f"brickform-reports/dev.{name}").stat().st_size > 200, name
        for _ in range(2):
            ci("comment", "dev", "brickform-reports/dev.md")
        comments = seen()["comments"]
        assert len(comments) == 1 and "to add" in comments[0]["body"] and re.match(r"<!-- brickform:plan:[^:]+:dev -->", comments[0]["body"]), comments

        # A mistake: no plan, and the one comment says so until it is mended.
        good = (folder / "conf/warehouses.yaml").read_text()
        (folder / "conf/warehouses.yaml").write_text(good.replace("auto_stop_mins", "auto_stop_minutes"))
        ci("check", wanted=1)
        assert "E0107" in (folder / "brickform-reports/validate.sarif").read_text()
        ci("plan", "dev", wanted=1)
        ci("comment", "dev", "brickform-reports/dev.md")
        assert len(seen()["comments"]) == 1 and "no plan" in seen()["comments"][0]["body"], seen()["comments"]
        assert "E0107" in (folder / "brickform-reports/dev.sarif").read_text()
        (folder / "conf/warehouses.yaml").write_text(good)

        ci("plan", "dev")
        ci("apply", "dev")
        assert 'failures="0"' in (folder / "brickform-reports/dev.junit.xml").read_text()
        say("plan", "--env", "dev", "--detailed-exitcode")
        assert "7" == str(subprocess.run(["ci/brickform.sh", "apply", "dev"], cwd=folder, env=environment, capture_output=True).returncode), "a plan is applied once"

        assert "no drift" in ci("drift", "dev")
        job = json.loads(say("output", "--env", "dev", "-o", "json", "jobs.nightly.id"))
        changed = json.dumps({"job_id": int(job), "new_settings": {"max_concurrent_runs": 7, "schedule": {"quartz_cron_expression": "0 0 5 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}}})
        request = urllib.request.Request(f"{host}/api/2.2/jobs/update", changed.encode(), {"Authorization": f"Bearer {TOKEN}"})
        urllib.request.urlopen(request).close()
        said = ci("drift", "dev")
        assert "2 drifted anew" in said, said
        before = len(seen()["calls"])
        assert "nothing new" in ci("drift", "dev")
        assert len(seen()["calls"]) == before, "what was told is not told again"
        if provider == "azure":
            assert "##vso[task.complete result=Failed;]" in said
        else:
            (issue,) = seen()["issues"]
            assert issue["title"] == "Drift in dev" and "schedule.pause_status" in (issue.get("body") or issue["description"]), issue
        say("apply", "--env", "dev", "--yes")
        ci("drift", "dev")
        if provider != "azure":
            assert [i["state"] for i in seen()["issues"]] == ["closed"], seen()["issues"]

        # Back to the first commit.
        if "  rollback " in known:
            ci("rollback", "dev", base)
            assert "auto_stop_mins" in say("show", "warehouses.main", "--env", "dev")
        for bad in ("", "--all"):
            assert "give a commit or a serial" in ci("rollback", "dev", bad, wanted=1)

        # No program, or another one than was checked.
        bare = {**environment, "PATH": os.environ["PATH"], "BRICKFORM_URL": (bin_ / "brickform").as_uri(), "BRICKFORM_SHA256": "0" * 64}
        if not shutil.which("brickform"):
            assert "another digest" in run(["ci/brickform.sh", "install"], folder, bare, 1)
            assert not (work / "home/.local/bin/brickform").exists()
            assert "BRICKFORM_URL does not say" in run(["ci/brickform.sh", "install"], folder, {**bare, "BRICKFORM_URL": ""}, 1)
    finally:
        serving.terminate()
        serving.wait()
        server.shutdown()
    print(f"{provider}: schema, shell and story hold")


def seat(work, provider):
    """A project for the workspace that is served."""
    folder = work / f"{provider}-workspace"
    for name, text in (("conf/project.yaml", "name: served\n"), ("environments/local.yaml", "workspace: local\n")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--check-jsonschema", default=shutil.which("check-jsonschema"))
    parser.add_argument("--shellcheck", default=shutil.which("shellcheck"))
    parser.add_argument("--actionlint", default=shutil.which("actionlint"))
    tools = parser.parse_args()
    for name in ("check_jsonschema", "shellcheck", "actionlint"):
        if not getattr(tools, name):
            print(f"{name} is not here: that part is not checked", file=sys.stderr)
    with tempfile.TemporaryDirectory() as given:
        work = pathlib.Path(given)
        (work / "bin").mkdir()
        (work / "home").mkdir()
        (work / "bin/brickform").symlink_to(pathlib.Path(tools.binary).resolve())
        (work / "bin/gh").write_text(GH)
        (work / "bin/gh").chmod(0o755)
        for provider in ("github", "gitlab", "azure"):
            story(work, provider, tools)


if __name__ == "__main__":
    main()
