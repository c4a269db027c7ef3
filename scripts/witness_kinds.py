"""Further exercises of scripts/sdk_witness.py: principals, clusters, the workspace tree, secrets, volumes, Genie spaces, runs.

Each takes the witness and the SDK's client, makes its own objects, and leaves nothing behind.
"""

import base64
import json
import time
import uuid

from databricks.sdk.errors import (
    Aborted, AlreadyExists, BadRequest, InvalidParameterValue, InvalidState, NotFound, PermissionDenied, ResourceAlreadyExists, ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service import catalog, compute, dashboards, iam, jobs, tags, workspace


def fresh(prefix):
    return f"witness_{prefix}_{uuid.uuid4().hex[:8]}"


def patch(op, path=None, value=None):
    return iam.Patch(op=op, path=path, value=value)


def groups(witness, client):
    name, schema = fresh("group"), [iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    user = client.users_v2.create(user_name=f"{name}@example.com", display_name="Ada")
    robot = client.service_principals_v2.create(display_name=name)
    group = client.groups_v2.create(display_name=name)
    try:
        members = lambda: sorted(m.value for m in client.groups_v2.get(group.id).members or [])
        witness.same("a group by filter", [g.id for g in client.groups_v2.list(filter=f'displayName eq "{name}"')], [group.id])
        both = [{"value": user.id}, {"value": robot.id}]
        client.groups_v2.patch(group.id, operations=[patch(iam.PatchOp.ADD, "members", both)], schemas=schema)
        witness.same("members added", members(), sorted([user.id, robot.id]))
        client.groups_v2.patch(group.id, operations=[patch(iam.PatchOp.ADD, "members", both[:1])], schemas=schema)
        witness.same("adding one again changes nothing", members(), sorted([user.id, robot.id]))
        witness.holds("a user shows their groups", group.id in [g.value for g in client.users_v2.get(user.id).groups])
        one = [patch(iam.PatchOp.REMOVE, f'members[value eq "{user.id}"]')]
        client.groups_v2.patch(group.id, operations=one, schemas=schema)
        witness.same("a member removed", members(), [robot.id])
        taken = lambda: client.groups_v2.create(display_name=name)
        witness.refuses("a taken name of a group", ResourceConflict, "already exists", taken)
    finally:
        client.groups_v2.delete(group.id)
        client.users_v2.delete(user.id)
        client.service_principals_v2.delete(robot.id)
    witness.refuses("an absent group", NotFound, "not found", lambda: client.groups_v2.get(group.id))


def users(witness, client):
    name, schema = f"{fresh('user')}@example.com", [iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    user = client.users_v2.create(user_name=name, display_name="Ada")
    try:
        witness.same("a user by filter", [u.id for u in client.users_v2.list(filter=f'userName eq "{name}"')], [user.id])
        witness.same("a created user is active", client.users_v2.get(user.id).active, True)
        client.users_v2.patch(user.id, operations=[patch(iam.PatchOp.REPLACE, "active", "false")], schemas=schema)
        witness.same("deactivated", client.users_v2.get(user.id).active or False, False)
        grant = [patch(iam.PatchOp.ADD, "entitlements", [{"value": "allow-cluster-create"}])]
        client.users_v2.patch(user.id, operations=grant, schemas=schema)
        held = [e.value for e in client.users_v2.get(user.id).entitlements]
        witness.holds("an entitlement", "allow-cluster-create" in held)
        client.users_v2.update(user.id, user_name=name, display_name="Grace", active=True)
        witness.same("put replaces", client.users_v2.get(user.id).display_name, "Grace")
        witness.refuses("a taken user name", ResourceConflict, "already exists", lambda: client.users_v2.create(user_name=name))
    finally:
        client.users_v2.delete(user.id)
    witness.refuses("an absent user", NotFound, "not found", lambda: client.users_v2.get(user.id))


def service_principals(witness, client):
    name = fresh("robot")
    first, second = (client.service_principals_v2.create(display_name=name) for _ in range(2))
    try:
        witness.holds("two of one name have ids of their own", first.application_id != second.application_id)
        by_id = client.service_principals_v2.list(filter=f'applicationId eq "{first.application_id}"')
        witness.same("by application id", [p.id for p in by_id], [first.id])
        by_name = client.service_principals_v2.list(filter=f'displayName eq "{name}"', count=1)
        witness.same("by name, over pages", sorted(p.id for p in by_name), sorted([first.id, second.id]))
        taken = lambda: client.service_principals_v2.create(application_id=first.application_id, display_name=name)
        witness.refuses("a taken application id", ResourceConflict, "already exists", taken)
    finally:
        client.service_principals_v2.delete(first.id)
        client.service_principals_v2.delete(second.id)
    absent = lambda: client.service_principals_v2.get(first.id)
    witness.refuses("an absent service principal", NotFound, "not found", absent)


def clusters(witness, client):
    name = fresh("cluster")
    version, node = client.clusters.select_spark_version(long_term_support=True), client.clusters.select_node_type(local_disk=True)
    witness.holds("a Spark version", version in [v.key for v in client.clusters.spark_versions().versions])
    witness.holds("a node type", node in [n.node_type_id for n in client.clusters.list_node_types().node_types])
    size = {"spark_version": version, "node_type_id": node, "autotermination_minutes": 30}
    made = client.clusters.create(cluster_name=name, num_workers=1, **size).result()
    key = made.cluster_id
    try:
        witness.same("a created cluster runs", (made.state, made.cluster_name), (compute.State.RUNNING, name))
        witness.holds("in the list, over pages", key in [c.cluster_id for c in client.clusters.list(page_size=1)])
        edited = client.clusters.edit(key, cluster_name=name, num_workers=2, spark_conf={"a": "b"}, **size).result()
        witness.same("an edit", (edited.num_workers, edited.spark_conf["a"]), (2, "b"))
        witness.same("a resize", client.clusters.resize(key, num_workers=3).result().num_workers, 3)
        client.clusters.pin(key)
        pinned = client.clusters.list(filter_by=compute.ListClustersFilterBy(is_pinned=True))
        witness.holds("pinned", key in [c.cluster_id for c in pinned])
        libraries(witness, client, key)
        witness.same("stopped", client.clusters.delete(key).result().state, compute.State.TERMINATED)
        witness.refuses("a resize of a stopped one", InvalidState, "unexpected state", lambda: client.clusters.resize(key, num_workers=1))
        witness.same("started", client.clusters.start(key).result().state, compute.State.RUNNING)
        witness.same("uninstalled at a restart", list(client.libraries.cluster_status(key)), [])
        client.clusters.unpin(key)
        size["spark_version"] = "13.0.x-scala2.11"
        witness.refuses("an unknown runtime", InvalidParameterValue, "Invalid spark version 13.0.x-scala2.11", lambda: client.clusters.create(num_workers=1, **size))
        size.update(spark_version=version, node_type_id="Standard_DS3")
        witness.refuses("an unknown machine", InvalidParameterValue, "Node type Standard_DS3 is not supported", lambda: client.clusters.create(num_workers=1, **size))
    finally:
        client.clusters.permanent_delete(key)
    witness.refuses("an absent cluster", ResourceDoesNotExist, "does not exist", lambda: client.clusters.get(key))


def cluster_policies(witness, client):
    name = fresh("policy")
    version, node = client.clusters.select_spark_version(long_term_support=True), client.clusters.select_node_type(local_disk=True)
    rules = {
        "spark_version": {"type": "fixed", "value": version},
        "node_type_id": {"type": "allowlist", "values": [node], "defaultValue": node},
        "autotermination_minutes": {"type": "range", "minValue": 10, "maxValue": 60, "defaultValue": 30},
        "custom_tags.team": {"type": "unlimited"},
    }
    policies = client.cluster_policies
    key = policies.create(name=name, definition=json.dumps(rules), description="d", max_clusters_per_user=1).policy_id
    cluster = None
    try:
        made = policies.get(key)
        witness.same("a policy", (made.name, json.loads(made.definition), made.description), (name, rules, "d"))
        witness.same("who made it", made.creator_user_name, client.current_user.me().user_name)
        witness.same("no default policy", made.is_default or False, False)
        witness.holds("in the list", key in [p.policy_id for p in policies.list()])
        taken = lambda: policies.create(name=name, definition="{}")
        witness.refuses("a taken name of a policy", InvalidParameterValue, "already exists", taken)
        both = lambda: policies.create(name=fresh("policy"), definition="{}", policy_family_id="job-cluster")
        witness.refuses("a definition beside a family", InvalidParameterValue, "policy_family_id", both)
        witness.refuses("no limit", InvalidParameterValue, "max_clusters_per_user", lambda: policies.edit(key, name=name, max_clusters_per_user=0))

        create = lambda **spec: client.clusters.create(cluster_name=name, num_workers=1, policy_id=key, **spec)
        other = lambda: create(spark_version="14.3.x-scala2.12", node_type_id=node)
        witness.refuses("a runtime that the policy does not fix", InvalidParameterValue, f"Validation failed for spark_version, the value must be {version}", other)
        late = lambda: create(spark_version=version, node_type_id=node, autotermination_minutes=90)
        witness.refuses("a number beyond its range", InvalidParameterValue, "Validation failed for autotermination_minutes", late)
        cluster = create(spark_version=version, apply_policy_default_values=True).result()
        got = (cluster.node_type_id, cluster.autotermination_minutes, cluster.policy_id)
        witness.same("defaults of the policy", got, (node, 30, key))
        second = lambda: create(spark_version=version, apply_policy_default_values=True)
        witness.refuses("one cluster for each user", BadRequest, "limited to 1", second)

        policies.edit(key, name=name, definition=json.dumps({"custom_tags.team": {"type": "fixed", "value": "data"}}))
        made = policies.get(key)
        witness.same("an edit replaces the whole", (made.description, made.max_clusters_per_user), (None, None))
        tagged = client.clusters.edit(cluster.cluster_id, spark_version=version, node_type_id=node, num_workers=1, policy_id=key).result()
        witness.same("a fixed tag", tagged.custom_tags["team"], "data")
        of_family = policies.create(name=fresh("policy"), policy_family_id="job-cluster", policy_family_definition_overrides='{"x": {"type": "forbidden"}}')
        inherited = json.loads(policies.get(of_family.policy_id).definition)
        witness.same("overrides are merged into the family's definition", (inherited["x"], len(inherited) > 1), ({"type": "forbidden"}, True))
        policies.delete(of_family.policy_id)
        # Accepted as it comes; the clusters of the policy are not.
        odd = policies.create(name=fresh("policy"), definition="[]").policy_id
        witness.refuses("a malformed policy", InvalidParameterValue, "malformed policy definition", lambda: client.clusters.create(spark_version=version, node_type_id=node, num_workers=1, policy_id=odd))
        policies.delete(odd)
    finally:
        if cluster is not None:
            client.clusters.permanent_delete(cluster.cluster_id)
        policies.delete(key)
    witness.refuses("an absent policy", ResourceDoesNotExist, "Can't find", lambda: policies.get(key))


def libraries(witness, client, key):
    wheel = compute.Library(pypi=compute.PythonPyPiLibrary(package="requests==2.32.3"))
    status = compute.LibraryInstallStatus
    client.libraries.install(key, [wheel])
    seen = lambda: [(s.library.pypi.package, s.status) for s in client.libraries.cluster_status(key)]
    wait(lambda: seen() == [("requests==2.32.3", status.INSTALLED)])
    witness.same("installed", seen(), [("requests==2.32.3", status.INSTALLED)])
    client.libraries.uninstall(key, [wheel])
    witness.same("uninstalled with the next restart", seen(), [("requests==2.32.3", status.UNINSTALL_ON_RESTART)])
    empty = lambda: client.libraries.install(key, [compute.Library()])
    witness.refuses("a library of no type", InvalidParameterValue, "library", empty)


def wait(holds):
    """Waits for what the server does in the background: 10 s at most; the check that follows says what did not hold."""
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)


def tree(witness, client):
    me = client.current_user.me().user_name
    folder = f"/Users/{me}/{fresh('folder')}"
    text = lambda words: base64.b64encode(words.encode()).decode()
    imports, exports = workspace.ImportFormat, workspace.ExportFormat
    client.workspace.mkdirs(f"{folder}/deep/er")
    try:
        client.workspace.mkdirs(f"{folder}/deep")
        python = {"format": imports.SOURCE, "language": workspace.Language.PYTHON}
        client.workspace.import_(f"{folder}/note", content=text("print(1)\n"), **python)
        status = client.workspace.get_status(f"{folder}/note")
        expected = (workspace.ObjectType.NOTEBOOK, workspace.Language.PYTHON, f"{folder}/note")
        witness.same("a notebook", (status.object_type, status.language, status.path), expected)
        again = lambda: client.workspace.import_(f"{folder}/note", content=text("print(2)\n"), **python)
        witness.refuses("a taken path", ResourceAlreadyExists, "already exists", again)
        client.workspace.import_(f"{folder}/note", content=text("print(2)\n"), overwrite=True, **python)
        source = base64.b64decode(client.workspace.export(f"{folder}/note", format=exports.SOURCE).content).decode()
        witness.same("an export", source.rstrip(), "# Databricks notebook source\nprint(2)")
        client.workspace.import_(f"{folder}/data.csv", content=text("a,b\n"), format=imports.AUTO)
        client.workspace.import_(f"{folder}/auto.sql", content=text("-- Databricks notebook source\nSELECT 1\n"), format=imports.AUTO)
        found = {o.path.rsplit("/", 1)[1]: o.object_type for o in client.workspace.list(folder)}
        sort = workspace.ObjectType
        witness.same("files and notebooks", found, {"deep": sort.DIRECTORY, "note": sort.NOTEBOOK, "data.csv": sort.FILE, "auto": sort.NOTEBOOK})
        witness.same("a file comes back as it was", client.workspace.export(f"{folder}/data.csv").content, text("a,b\n"))
        witness.same("a download of a file", client.workspace.download(f"{folder}/data.csv").read(), b"a,b\n")
        witness.same("a download of a notebook", client.workspace.download(f"{folder}/note").read(), source.encode())
        witness.refuses("a download of nothing", ResourceDoesNotExist, "doesn't exist", lambda: client.workspace.download(f"{folder}/none").read())
        raw = bytes(range(256))
        client.workspace.import_(f"{folder}/raw.bin", content=base64.b64encode(raw).decode(), format=imports.AUTO)
        witness.same("bytes come back as they were", client.workspace.download(f"{folder}/raw.bin", format=exports.AUTO).read(), raw)
        client.workspace.delete(f"{folder}/raw.bin")
        witness.refuses("a folder that is not empty", BadRequest, "is not empty", lambda: client.workspace.delete(folder))
        orphan = lambda: client.workspace.import_(f"{folder}/none/note", content=text("1"), **python)
        witness.refuses("an import into no folder", ResourceDoesNotExist, "does not exist", orphan)
    finally:
        client.workspace.delete(folder, recursive=True)
    witness.refuses("an absent path", ResourceDoesNotExist, "doesn't exist", lambda: client.workspace.get_status(folder))


def secrets(witness, client):
    scope = fresh("scope")
    client.secrets.create_scope(scope)
    try:
        witness.holds("in the list", scope in [s.name for s in client.secrets.list_scopes()])
        witness.refuses("a taken scope", ResourceAlreadyExists, "already exists", lambda: client.secrets.create_scope(scope))
        client.secrets.put_secret(scope, "k", string_value="v")
        client.secrets.put_secret(scope, "b", bytes_value=base64.b64encode(b"v").decode())
        witness.same("keys without values", sorted(s.key for s in client.secrets.list_secrets(scope)), ["b", "k"])
        witness.refuses("a value is for clusters", PermissionDenied, "clusters", lambda: client.secrets.get_secret(scope, "k"))
        client.secrets.put_acl(scope, "users", workspace.AclPermission.READ)
        client.secrets.put_acl(scope, "users", workspace.AclPermission.WRITE)
        witness.same("an acl", client.secrets.get_acl(scope, "users").permission, workspace.AclPermission.WRITE)
        me = client.current_user.me().user_name
        witness.same("who has it", sorted(a.principal for a in client.secrets.list_acls(scope)), sorted([me, "users"]))
        client.secrets.delete_acl(scope, "users")
        witness.refuses("an absent acl", ResourceDoesNotExist, "users", lambda: client.secrets.get_acl(scope, "users"))
        client.secrets.delete_secret(scope, "k")
        witness.refuses("an absent key", ResourceDoesNotExist, "key: k", lambda: client.secrets.delete_secret(scope, "k"))
    finally:
        client.secrets.delete_scope(scope)
    witness.refuses("an absent scope", ResourceDoesNotExist, "does not exist", lambda: list(client.secrets.list_secrets(scope)))


def volumes(witness, client):
    name = fresh("catalog")
    client.catalogs.create(name=name)
    try:
        client.schemas.create(name="s", catalog_name=name)
        create = lambda: client.volumes.create(name, "s", "V", catalog.VolumeType.MANAGED, comment="c")
        made = create()
        witness.same("lower case", made.full_name, f"{name}.s.v")
        witness.holds("a place of its own", made.storage_location)
        witness.refuses("a taken volume", BadRequest, "already exists", create)
        witness.same("an update", client.volumes.update(made.full_name, comment="d").comment, "d")
        witness.same("renamed", client.volumes.update(made.full_name, new_name="w").full_name, f"{name}.s.w")
        witness.same("in the list", [v.name for v in client.volumes.list(name, "s")], ["w"])
        place = lambda: client.volumes.create(name, "s", "x", catalog.VolumeType.MANAGED, storage_location="s3://a/b")
        witness.refuses("a place for a managed one", InvalidParameterValue, "storage_location", place)
        client.volumes.delete(f"{name}.s.w")
        witness.refuses("an absent volume", NotFound, "does not exist", lambda: client.volumes.read(f"{name}.s.w"))
    finally:
        client.catalogs.delete(name, force=True)


def genie(witness, client):
    title = fresh("space")
    tables = [{"identifier": "samples.nyctaxi.trips"}]
    text = lambda version, **more: json.dumps({"version": version, "data_sources": {"tables": tables}, **more})
    made = client.genie.create_space("w", text(2), title=title, description="d")
    key = made.space_id
    try:
        witness.same("made", (made.title, made.description, made.warehouse_id), (title, "d", "w"))
        witness.same("not told unasked", client.genie.get_space(key).serialized_space, None)
        live = client.genie.get_space(key, include_serialized_space=True)
        witness.same("what it is made of", json.loads(live.serialized_space)["data_sources"]["tables"], tables)
        note = {"text_instructions": [{"id": "0" * 31 + "1", "content": ["Be short."]}]}
        client.genie.update_space(key, serialized_space=text(2, instructions=note), etag=live.etag)
        after = client.genie.get_space(key, include_serialized_space=True)
        witness.same("an update", json.loads(after.serialized_space)["instructions"]["text_instructions"], note["text_instructions"])
        witness.holds("a new etag", after.etag != live.etag)
        stale = lambda: client.genie.update_space(key, serialized_space=text(2), etag=live.etag)
        witness.refuses("a stale etag", Aborted, "not current", stale)
        witness.refuses("an unknown member", InvalidParameterValue, "dance", lambda: client.genie.update_space(key, serialized_space=text(2, dance=1)))
        other = client.genie.create_space("w", text(2), title=title)
        witness.same("a taken title gets a number", other.title, f"{title} (1)")
        seen, token = set(), None
        while token != "":
            page = client.genie.list_spaces(page_size=1, page_token=token)
            seen |= {s.space_id for s in page.spaces or []}
            token = page.next_page_token or ""
        witness.holds("every space over pages", {key, other.space_id} <= seen)
        client.genie.trash_space(other.space_id)
        witness.holds("trashed: in no list", other.space_id not in {s.space_id for s in client.genie.list_spaces().spaces or []})
    finally:
        client.genie.trash_space(key)
    witness.refuses("a trashed space", ResourceDoesNotExist, "does not exist", lambda: client.genie.get_space(key))


def genie_evals(witness, client):
    def example(n, question, sql):
        return {"id": f"{n:032x}", "question": [question], "sql": [sql]}

    def benchmark(n, question, sql):
        return {"id": f"{n:032x}", "question": [question], "answer": [{"format": "SQL", "content": [sql]}]}

    examples = [example(1, "How many?", "SELECT 1"), example(2, "How old?", "SELECT 2")]
    asked = [benchmark(17, "How many?", "select 1"), benchmark(18, "How old?", "SELECT 3"), benchmark(19, "Why?", "SELECT 4")]
    body = {"version": 2, "instructions": {"example_question_sqls": examples}, "benchmarks": {"questions": asked}}
    key = client.genie.create_space("w", json.dumps(body), title=fresh("space")).space_id
    try:
        run = client.genie.genie_create_eval_run(key)
        witness.same("begun", (run.num_questions, run.num_done or 0), (3, 0))
        while run.eval_run_status in (dashboards.EvaluationStatusType.NOT_STARTED, dashboards.EvaluationStatusType.RUNNING):
            time.sleep(0.05)
            run = client.genie.genie_get_eval_run(key, run.eval_run_id)
        witness.same("ended", (run.eval_run_status, run.num_correct, run.num_needs_review), (dashboards.EvaluationStatusType.DONE, 1, 1))
        rows, token = [], None
        while token != "":
            page = client.genie.genie_list_eval_results(key, run.eval_run_id, page_size=2, page_token=token)
            rows += page.eval_results or []
            token = page.next_page_token or ""
        details = [client.genie.genie_get_eval_result_details(key, run.eval_run_id, row.result_id) for row in rows]
        verdict = dashboards.GenieEvalAssessment
        witness.same("verdicts", [d.assessment for d in details], [verdict.GOOD, verdict.NEEDS_REVIEW, verdict.BAD])
        witness.same("what came", details[1].actual_response[0].response, "SELECT 2")
        witness.same("a reason", details[2].assessment_reasons, [dashboards.ScoreReason.EMPTY_RESULT])
        one = client.genie.genie_create_eval_run(key, benchmark_question_ids=[asked[0]["id"]])
        witness.same("one question", one.num_questions, 1)
        witness.holds("both are listed", {run.eval_run_id, one.eval_run_id} <= {r.eval_run_id for r in client.genie.genie_list_eval_runs(key).eval_runs})
        unknown = lambda: client.genie.genie_create_eval_run(key, benchmark_question_ids=["f" * 32])
        witness.refuses("an unknown question", InvalidParameterValue, "does not exist", unknown)
        witness.refuses("an unknown run", ResourceDoesNotExist, "does not exist", lambda: client.genie.genie_get_eval_run(key, "f" * 32))
    finally:
        client.genie.trash_space(key)


def workspace_tags(witness, client):
    api = client.workspace_entity_tag_assignments
    key = client.genie.create_space("w", json.dumps({"version": 2}), title=fresh("space")).space_id
    place = ("geniespaces", key)
    tag = lambda name, value=None: tags.TagAssignment(entity_type=place[0], entity_id=key, tag_key=name, tag_value=value)
    try:
        for name in "abcde":
            api.create_tag_assignment(tag(name, name))
        witness.same("over pages", [(t.tag_key, t.tag_value) for t in api.list_tag_assignments(*place)], [(n, n) for n in "abcde"])
        witness.refuses("a key that is set", AlreadyExists, "already exists", lambda: api.create_tag_assignment(tag("a")))
        witness.refuses("a key with a dash", InvalidParameterValue, "not allowed", lambda: api.create_tag_assignment(tag("a-b")))
        api.update_tag_assignment(*place, "a", tag("a", "z"), "tag_value")
        witness.same("changed", api.get_tag_assignment(*place, "a").tag_value, "z")
        api.delete_tag_assignment(*place, "a")
        witness.refuses("deleted", ResourceDoesNotExist, "does not exist", lambda: api.get_tag_assignment(*place, "a"))
    finally:
        client.genie.trash_space(key)
    witness.refuses("of a space that is gone", ResourceDoesNotExist, "does not exist", lambda: list(api.list_tag_assignments(*place)))


def runs(witness, client):
    task = lambda key, path, **more: jobs.Task(task_key=key, notebook_task=jobs.NotebookTask(notebook_path=path), **more)
    after = [jobs.TaskDependency("good")]
    parameters = [jobs.JobParameterDefinition(name="day", default="1")]
    good = client.jobs.create(name=fresh("run"), tasks=[task("good", "/a"), task("next", "/b", depends_on=after)], parameters=parameters)
    bad = client.jobs.create(name=fresh("run"), tasks=[task("bad", "/missing/x")])
    state = jobs.RunResultState
    try:
        run = client.jobs.run_now(good.job_id, job_parameters={"day": "2"}).result()
        witness.same("a run with tasks", [t.state.result_state for t in run.tasks], [state.SUCCESS] * 2)
        witness.same("its parameters", [(p.name, p.value) for p in run.job_parameters], [("day", "2")])
        witness.same("its output", client.jobs.get_run_output(run.tasks[0].run_id).metadata.run_id, run.tasks[0].run_id)
        witness.same("runs of the job", [r.run_id for r in client.jobs.list_runs(job_id=good.job_id)], [run.run_id])
        token = fresh("token")
        twice = {client.jobs.run_now(good.job_id, idempotency_token=token).run_id for _ in range(2)}
        witness.same("one run for one token", len(twice), 1)
        cancelled = client.jobs.run_now(good.job_id)
        client.jobs.cancel_run(cancelled.run_id)
        ended = client.jobs.wait_get_run_job_terminated_or_skipped(cancelled.run_id)
        witness.same("cancelled", ended.state.result_state, state.CANCELED)
        failed = client.jobs.run_now(bad.job_id).result()
        witness.same("a task that fails", failed.state.result_state, state.FAILED)
        witness.holds("says why", client.jobs.get_run_output(failed.tasks[0].run_id).error)
        unknown = lambda: client.jobs.run_now(good.job_id, job_parameters={"night": "2"})
        witness.refuses("an unknown parameter", InvalidParameterValue, "night", unknown)
    finally:
        client.jobs.delete(good.job_id)
        client.jobs.delete(bad.job_id)
    witness.refuses("a run of no job", InvalidParameterValue, "does not exist", lambda: client.jobs.run_now(good.job_id))


def schedules(witness, client):
    create = lambda cron, zone: client.jobs.create(name=fresh("job"), schedule=jobs.CronSchedule(quartz_cron_expression=cron, timezone_id=zone))
    for cron in ("0 0 * * *", "0 30 2,7 * * *", "0 0 25 * * ?"):
        witness.refuses(f"a schedule {cron!r}", InvalidParameterValue, "Invalid quartz_cron_expression", lambda: create(cron, "UTC"))
    witness.refuses("a time zone that is none", InvalidParameterValue, "timezone_id", lambda: create("0 0 2 * * ?", "Mars/Phobos"))
    for zone in ("UTC", "Europe/Berlin", "GMT+2", "PST"):
        job = create("0 0/15 2 ? * MON-FRI", zone).job_id
        witness.same(f"a time zone {zone}", client.jobs.get(job).settings.schedule.timezone_id, zone)
        client.jobs.delete(job)


EXERCISES = [groups, users, service_principals, cluster_policies, clusters, schedules, tree, secrets, volumes, genie, genie_evals, workspace_tags, runs]
