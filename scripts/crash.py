#!/usr/bin/env python3
"""Kills an apply at random moments and checks that running it again converges.

Each round begins with an empty workspace (or a finished one), runs `brickform apply` or `destroy` and ends the process
with SIGKILL after a random part of the time that a whole run takes; every second round the workspace is served by
another process that also fails on purpose, before and after the effect. Then the command runs again until it is done,
and the workspace is asked through its API: exactly one of each object, nothing else, and the plan is empty. The project is
the repository's own with what it lacks of the kinds (MORE).

    scripts/crash.py --times 200 [--seed 1] [--binary target/release/brickform]

Exit code 0: every round converged.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
# What the repository's own project has none of; together they have an address of every kind (`kinds` checks it).
MORE = """
cluster_policies:
  small:
    name: "small-${env.name}"
    definition: { autotermination_minutes: { type: range, minValue: 10, maxValue: 60 } }
    max_clusters_per_user: "${keep_days}"
    permissions:
      - { user_name: admin@brickform.local, permission_level: CAN_USE }
      - { group_name: users, permission_level: CAN_USE }
instance_pools:
  small:
    instance_pool_name: "small-${env.name}"
    node_type_id: Standard_DS3_v2
    max_capacity: "${keep_days}"
service_principals:
  loader: { display_name: "loader-${env.name}" }
users:
  ana: { user_name: ana@crash.example, display_name: "Ana ${keep_days}" }
serving_endpoints:
  chat:
    name: "chat-${env.name}"
    config:
      served_entities:
        - name: gpt
          external_model:
            name: gpt-4o
            provider: openai
            task: llm/v1/chat
            openai_config: { openai_api_key_plaintext: "${secret('shop_token')}" }
    tags: [{ key: days, value: "days-${keep_days}" }]
grants:
  samples:
    securable_type: catalog
    full_name: samples
    entries: [{ principal: analysts, privileges: [USE_CATALOG] }]
workspace_tags:
  taxi:
    entity_type: geniespaces
    entity_id: "${spaces.taxi.id}"
    tags: { team: riders, certified: "", days: "days-${keep_days}" }
"""
FAULTS = [
    "{when}:POST:/api/2.2/jobs/create",
    "{when}:POST:/api/2.2/jobs/reset",
    "{when}:POST:/api/2.0/sql/warehouses",
    "{when}:POST:/api/2.1/unity-catalog/schemas:skip={skip}",
    "{when}:POST:/api/2.1/unity-catalog/catalogs",
    "{when}:PATCH:/api/2.1/unity-catalog/permissions/*:skip={skip}",
    "{when}:PUT:/api/2.0/permissions/*:skip={skip}",
    "{when}:POST:/api/2.0/alerts",
    "{when}:POST:/api/2.1/clusters/create",
    "{when}:POST:/api/2.0/instance-pools/*",
    "{when}:POST:/api/2.0/policies/clusters/*",
    "{when}:POST:/api/2.0/serving-endpoints",
    "{when}:POST:/api/2.0/genie/spaces:skip={skip}",
    "{when}:POST:/api/2.0/workspace/import:skip={skip}",
    "{when}:POST:/api/2.0/secrets/*:skip={skip}",
    "{when}:POST:/api/2.0/preview/scim/v2/*:skip={skip}",
    "{when}:PATCH:/api/2.0/preview/scim/v2/*",
    "{when}:POST:/api/2.1/unity-catalog/volumes",
    "{when}:POST:/api/2.0/sql/queries",
    "{when}:DELETE:*:skip={skip}",
    "{when}:GET:*:skip={skip}",
]


class Lost(Exception):
    """A round that did not converge."""


class Project:
    """A copy of the repository's project in a folder of its own."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.last = ""
        for name in ("conf", "environments", "notebooks", "spaces", "sql"):
            shutil.copytree(TOP / name, folder / name)
        (folder / "conf" / "more.yaml").write_text(MORE)
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "NO_COLOR": "1",
            "SHOP_API_TOKEN": "crash-token",
            "BRICKFORM_VAR_with_secrets": "true",
        }

    def command(self, *arguments):
        return [self.binary, *arguments, "--env", "local"]

    def run(self, *arguments, check=None):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120)
        if check is not None and done.returncode not in check:
            raise Lost(f"`{' '.join(arguments)}` ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def empty(self):
        shutil.rmtree(self.folder / ".brickform", ignore_errors=True)

    @contextlib.contextmanager
    def served(self, *options):
        server = subprocess.Popen(
            [self.binary, "local", "serve", "--port", "0", "-o", "json", *options],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            line = server.stdout.readline()
            if not line:
                raise Lost(f"the server did not start: {server.stderr.read()}")
            yield json.loads(line)["host"]
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def objects(self):
        """What the workspace holds, asked through its API: names by sort, sorted, each as often as it is there."""
        with self.served() as host:
            def get(path):
                request = urllib.request.Request(host + path, headers={"Authorization": "Bearer crash"})
                with urllib.request.urlopen(request, timeout=10) as reply:
                    return json.load(reply)

            def names(path, rows, *fields):
                """The rows' name, which may be within a member."""
                found = []
                for row in get(path).get(rows, []):
                    for field in fields:
                        row = row[field]
                    found.append(row)
                return sorted(found)

            def within(folder):
                """Paths below a folder of the workspace."""
                query = urllib.parse.urlencode({"path": folder})
                for one in get(f"/api/2.0/workspace/list?{query}").get("objects", []):
                    yield one["path"]
                    if one["object_type"] == "DIRECTORY":
                        yield from within(one["path"])

            unity = "/api/2.1/unity-catalog"
            catalogs = names(f"{unity}/catalogs", "catalogs", "name")
            schemas = [s for c in catalogs for s in names(f"{unity}/schemas?catalog_name={c}", "schemas", "full_name")]
            volumes = [
                v
                for c, s in (s.split(".") for s in schemas)
                for v in names(f"{unity}/volumes?catalog_name={c}&schema_name={s}", "volumes", "full_name")
            ]
            scopes = names("/api/2.0/secrets/scopes/list", "scopes", "name")
            return {
                "catalogs": catalogs,
                "schemas": sorted(schemas),
                "volumes": sorted(volumes),
                "grants": get(f"{unity}/permissions/catalog/samples"),
                "jobs": names("/api/2.2/jobs/list?limit=100", "jobs", "settings", "name"),
                "clusters": names("/api/2.1/clusters/list", "clusters", "cluster_name"),
                "pools": names("/api/2.0/instance-pools/list", "instance_pools", "instance_pool_name"),
                "policies": names("/api/2.0/policies/clusters/list", "policies", "name"),
                "warehouses": names("/api/2.0/sql/warehouses", "warehouses", "name"),
                "queries": names("/api/2.0/sql/queries", "results", "display_name"),
                "spaces": names("/api/2.0/genie/spaces", "spaces", "title"),
                "endpoints": names("/api/2.0/serving-endpoints", "endpoints", "name"),
                "groups": names("/api/2.0/preview/scim/v2/Groups", "Resources", "displayName"),
                "users": names("/api/2.0/preview/scim/v2/Users", "Resources", "userName"),
                "principals": names("/api/2.0/preview/scim/v2/ServicePrincipals", "Resources", "displayName"),
                "secrets": sorted(scopes + [f"{s}/{k}" for s in scopes for k in names(f"/api/2.0/secrets/list?scope={s}", "secrets", "key")]),
                "workspace": sorted(within("/Shared")),
                "tags": sorted(
                    [space["title"], tag["tag_key"]]
                    for space in get("/api/2.0/genie/spaces").get("spaces", [])
                    for tag in get(f"/api/2.0/entity-tag-assignments/geniespaces/{space['space_id']}/tags?page_size=1000").get("tag_assignments", [])
                ),
                "settings": get("/api/2.0/workspace-conf?keys=enableExportNotebook,enableDbfsFileBrowser"),
                "alerts": sorted(
                    a["display_name"]
                    for a in get("/api/2.0/alerts?page_size=100").get("alerts", [])
                    if a.get("lifecycle_state") != "DELETED"
                ),
            }

    def kinds(self):
        """The kinds that the state holds no address of."""
        known = {k["kind"] for k in json.loads(self.run("schema", "kinds", "-o", "json", check=(0,)).stdout)["kinds"]}
        held = {r["kind"] for r in json.loads(self.run("state", "list", "-o", "json", check=(0,)).stdout)["resources"]}
        return sorted(known - held)


def killed(project, arguments, after):
    """Runs a command and ends it with SIGKILL after so many seconds; whether it was still running."""
    process = subprocess.Popen(project.command(*arguments), cwd=project.folder, env=project.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def until_done(project, arguments):
    """Runs a command until it is done; it may fail in part while faults last."""
    for _ in range(8):
        done = project.run(*arguments, check=(0, 1, 3))
        if done.returncode == 0:
            return
    raise Lost(f"`{' '.join(arguments)}` is still not done after 8 runs\n{done.stdout}\n{done.stderr}")


def changed(project, number):
    """Another configuration of the same objects."""
    return ["--var", f"keep_days={number}", "--var", f"warehouse_size={('Small', 'Medium', 'Large')[number % 3]}"]


def one(project, dice, whole, before, after, number):
    """One round; says what it did."""
    scenario = dice.choice(["create", "create", "change", "destroy"])
    options = []
    if scenario == "create":
        project.empty()
    command = {
        "create": ["apply", "--yes"],
        "change": ["apply", "--yes", *changed(project, number)],
        "destroy": ["destroy", "--yes", "--allow-delete", "catalogs,schemas,volumes,secret_scopes,spaces", "--allow-protected-kind", "--allow-max-deletes"],
    }[scenario]
    if scenario == "destroy":
        project.run("apply", "--yes", check=(0,))
    served = number % 2 == 0
    if served:
        faults = [f.format(when=dice.choice(["before", "after"]), skip=dice.randrange(4)) for f in dice.sample(FAULTS, 3)]
        faults = [f + dice.choice(["", ":status=500", ":status=503"]) for f in faults]
        options = ["--latency", str(dice.choice([0, 2, 5])), *(x for f in faults for x in ("--fault", f))]
    moment = dice.uniform(0.002, whole * (1.3 if served else 0.7))
    said = f"{scenario}{' served ' + ' '.join(options) if served else ''}"
    project.last = f"{said}, to be killed at {moment * 1000:.0f} ms"
    with project.served(*options) if served else contextlib.nullcontext():
        hit = killed(project, command, moment)
        until_done(project, command)
        if scenario == "change":
            project.run("plan", "--detailed-exitcode", *changed(project, number), check=(0,))
        elif scenario == "create":
            project.run("plan", "--detailed-exitcode", check=(0,))
    found = project.objects()
    wanted = before if scenario == "destroy" else after
    if found != wanted:
        raise Lost(f"the workspace holds\n{json.dumps(found, indent=1)}\ninstead of\n{json.dumps(wanted, indent=1)}")
    if scenario == "destroy":
        project.empty()
        project.run("apply", "--yes", check=(0,))
    return f"{said}, {'killed' if hit else 'ended'} at {moment * 1000:.0f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", default=str(TOP / "target" / "release" / "brickform"))
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="brickform-crash-") as folder:
        project = Project(str(Path(given.binary).resolve()), Path(folder))
        before = project.objects()
        begun = time.monotonic()
        project.run("apply", "--yes", check=(0,))
        whole = time.monotonic() - begun
        after = project.objects()
        if before == after:
            sys.exit("the apply made nothing: nothing to crash")
        if missing := project.kinds():
            sys.exit(f"the project has nothing of {', '.join(missing)}: add it to MORE")
        hits = 0
        for number in range(given.times):
            try:
                said = one(project, dice, whole, before, after, number)
            except Lost as lost:
                keep = Path(tempfile.mkdtemp(prefix="brickform-lost-")) / "project"
                shutil.copytree(folder, keep)
                sys.exit(f"round {number} (seed {given.seed}) did not converge; the project is kept in {keep}\n{project.last}\n{lost}")
            hits += "killed" in said
            if given.verbose:
                print(f"{number}: {said}", flush=True)
        print(f"{given.times} rounds, {hits} killed in flight, all converged: one of each object, no orphan, plan empty")


if __name__ == "__main__":
    main()
