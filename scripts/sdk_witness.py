#!/usr/bin/env python3
"""The official Python SDK as a witness: it reads back what was applied, and it works against the embedded workspace.

Two parts, each with a list of what did not hold:

  expectations  reads objects through the SDK and compares members with a file:
                [{"kind": "jobs", "id": "123", "expect": {"settings.name": "nightly", "settings.tags.team": null}}]
                kinds: jobs, warehouses, catalogs, schemas, grants (id `catalog/main`), permissions (id `jobs/123`),
                workspace_conf (id: the key), alerts, serving_endpoints (id: the name).
                Paths: `a.b`, `a[0]`, `a[key=value]`. An expected null is an absent member; lists under
                `privileges` are compared as sets.
  exercise      creates, updates, lists page by page and deletes one object of each service, and makes each refuse,
                so that the errors become the SDK's own exception classes. Leaves nothing behind.

    scripts/sdk_witness.py --host http://127.0.0.1:8765 --token x [--expect FILE] [--no-exercise]

Exit code 0: all held; 1: the list of what did not; 2: the SDK is missing or the file cannot be read.
"""

import argparse
import base64
import json
import os
import re
import sys
import time
import uuid
from unittest import mock

try:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors import (
        BadRequest, InvalidParameterValue, NotFound, NotImplemented, PermissionDenied,
        ResourceAlreadyExists, ResourceConflict, ResourceDoesNotExist,
    )
    from databricks.sdk.service import catalog, iam, jobs, serving, sql
    import witness_kinds
except ImportError as error:
    print(f"sdk_witness: databricks-sdk is missing: {error}", file=sys.stderr)
    sys.exit(2)

STEP = re.compile(r"\.?(?P<field>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\]")


def at(value, path):
    """The member at a path; None where something on the way is absent."""
    for step in STEP.finditer(path):
        if step["field"] is not None:
            value = value.get(step["field"]) if isinstance(value, dict) else None
        elif step["index"] is not None:
            index = int(step["index"])
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            items = value if isinstance(value, list) else []
            wanted = step["value"].strip('"')
            value = next((item for item in items if text(item.get(step["key"])) == wanted), None)
        if value is None:
            return None
    return value


def text(value):
    """A value as paths write it."""
    return value if isinstance(value, str) else json.dumps(value)


def read(client, kind, name):
    """An object as the SDK gives it, as plain data."""
    if kind == "jobs":
        return client.jobs.get(int(name)).as_dict()
    if kind == "warehouses":
        return client.warehouses.get(name).as_dict()
    if kind == "catalogs":
        return client.catalogs.get(name).as_dict()
    if kind == "schemas":
        return client.schemas.get(name).as_dict()
    if kind == "grants":
        securable, full_name = name.split("/", 1)
        return client.grants.get(securable, full_name).as_dict()
    if kind == "permissions":
        object_type, object_id = name.rsplit("/", 1)
        return client.permissions.get(object_type, object_id).as_dict()
    if kind == "workspace_conf":
        return dict(client.workspace_conf.get_status(name))
    if kind == "alerts":
        return client.alerts_v2.get_alert(name).as_dict()
    if kind == "serving_endpoints":
        return client.serving_endpoints.get(name).as_dict()
    raise ValueError(f"no kind {kind!r}")


class Witness:
    """Notes what did not hold."""

    def __init__(self, client):
        self.client = client
        self.checks = 0
        self.failures = []

    def same(self, what, got, expected):
        self.checks += 1
        if got != expected:
            self.failures.append(f"{what}\n    expected {expected!r}\n    got      {got!r}")

    def holds(self, what, condition):
        self.same(what, bool(condition), True)

    def refuses(self, what, expected, words, call):
        """The call must fail with exactly this class of the SDK, and a message that says this."""
        self.checks += 1
        try:
            result = call()
        except Exception as error:
            if type(error) is not expected or words not in str(error):
                self.failures.append(f"{what}\n    expected {expected.__name__}: ..{words}..\n    got      {type(error).__name__}: {error}")
            return
        self.failures.append(f"{what}\n    expected {expected.__name__}\n    got      an answer: {result!r}")

    def guarded(self, part):
        """Runs a part; an exception is a failure of it, not of the others."""
        name = part.__name__
        try:
            part(self, self.client)
        except Exception as error:
            self.failures.append(f"{name} broke off\n    {type(error).__name__}: {error}")


def expectations(witness, wanted):
    """Compares live objects with the file."""
    for item in wanted:
        kind, name = item["kind"], str(item["id"])
        try:
            live = read(witness.client, kind, name)
        except Exception as error:
            witness.checks += 1
            witness.failures.append(f"{kind} {name} cannot be read\n    {type(error).__name__}: {error}")
            continue
        for path, expected in item.get("expect", {}).items():
            got = at(live, path)
            if path.endswith("privileges") and isinstance(got, list) and isinstance(expected, list):
                got, expected = sorted(got), sorted(expected)
            witness.same(f"{kind} {name} {path}", got, expected)


def fresh(prefix):
    return f"witness_{prefix}_{uuid.uuid4().hex[:8]}"


def identity(witness, client):
    """The caller, the workspace id, principals over pages."""
    me = client.current_user.me()
    witness.holds("me has a user name", me.user_name)
    witness.holds("the workspace has an id", client.get_workspace_id() > 0)
    witness.same("the metastore is of this workspace", client.metastores.current().workspace_id, client.get_workspace_id())
    names = [group.display_name for group in client.groups_v2.list()]
    witness.holds("admins is a group", "admins" in names)
    found = [user.user_name for user in client.users_v2.list(filter=f'userName eq "{me.user_name}"')]
    witness.holds("a filter finds one user or none", len(found) <= 1)
    witness.refuses("an operation that is not served", NotImplemented, "not served", lambda: list(client.clean_rooms.list()))


def oidc_login(witness, client):
    """An ID token of a pipeline, exchanged at the token endpoint: the SDK becomes the service principal."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    name = str(uuid.uuid4())
    claims = {"iss": "https://ci.acme", "sub": "repo:acme/shop", "aud": "databricks", "exp": int(time.time()) + 600}
    token = f"{part({'alg': 'none'})}.{part(claims)}.c2ln"
    with mock.patch.dict(os.environ, {"DATABRICKS_OIDC_TOKEN": token}):
        pipeline = WorkspaceClient(host=client.config.host, client_id=name, auth_type="env-oidc")
        witness.same("the SDK logged in by an ID token", pipeline.config.auth_type, "env-oidc")
        witness.same("it is the service principal", pipeline.current_user.me().user_name, name)
    over = f"{part({'alg': 'none'})}.{part({**claims, 'exp': 1})}.c2ln"
    with mock.patch.dict(os.environ, {"DATABRICKS_OIDC_TOKEN": over}):
        late = WorkspaceClient(host=client.config.host, client_id=name, auth_type="env-oidc")
        witness.refuses("an ID token that is over", ValueError, "expired", late.current_user.me)


def job_service(witness, client):
    name = fresh("job")
    tasks = [jobs.Task(task_key=f"t{n:03}", depends_on=[jobs.TaskDependency("t000")] if n else None) for n in range(150)]
    parameters = [jobs.JobParameterDefinition(name="p", default="1")]
    job_id = client.jobs.create(name=name, tasks=tasks, parameters=parameters, tags={"a": "b"}).job_id
    try:
        live = client.jobs.get(job_id)
        witness.same("all tasks over pages", sorted(t.task_key for t in live.settings.tasks), [t.task_key for t in tasks])
        witness.same("parameters once over pages", [p.name for p in live.settings.parameters], ["p"])
        witness.same("default of max_concurrent_runs", live.settings.max_concurrent_runs, 1)
        witness.same("default of format", live.settings.format, jobs.Format.MULTI_TASK)
        witness.same("the list by name", [j.job_id for j in client.jobs.list(name=name)], [job_id])
        listed = list(client.jobs.list(name=name, expand_tasks=True))
        witness.same("tasks of an expanded list", len(listed[0].settings.tasks), 150)
        client.jobs.update(job_id, new_settings=jobs.JobSettings(description="d"), fields_to_remove=["tags"])
        live = client.jobs.get(job_id).settings
        witness.same("update", (live.description, live.tags, live.name), ("d", None, name))
        client.jobs.reset(job_id, new_settings=jobs.JobSettings(name=name, timeout_seconds=60))
        live = client.jobs.get(job_id).settings
        witness.same("reset", (live.description, live.timeout_seconds, live.tasks or []), (None, 60, []))
        run = client.jobs.run_now(job_id).result()
        witness.same("a run ends well", run.state.result_state, jobs.RunResultState.SUCCESS)
        client.jobs.delete_run(run.run_id)
        others = [client.jobs.create(name=fresh("page")).job_id for _ in range(5)]
        found = {j.job_id for j in client.jobs.list(limit=2)}
        witness.holds("every job over pages of two", {job_id, *others} <= found)
        for other in others:
            client.jobs.delete(other)
        git = jobs.GitSource(git_url="https://x", git_provider=None)
        witness.refuses("a repository without provider", InvalidParameterValue, "git_provider", lambda: client.jobs.create(git_source=git))
    finally:
        client.jobs.delete(job_id)
    witness.refuses("an absent job", ResourceDoesNotExist, "does not exist", lambda: client.jobs.get(job_id))
    witness.refuses("deleting it again", InvalidParameterValue, "does not exist", lambda: client.jobs.delete(job_id))


def warehouse_service(witness, client):
    name = fresh("warehouse")
    made = client.warehouses.create(name=name, cluster_size="Small", auto_stop_mins=10, max_num_clusters=1).result()
    try:
        witness.same("a created warehouse runs", made.state, sql.State.RUNNING)
        witness.same("default of enable_photon", made.enable_photon, True)
        witness.same("spot policy", made.spot_instance_policy, sql.SpotInstancePolicy.COST_OPTIMIZED)
        witness.holds("it is in the list", made.id in [w.id for w in client.warehouses.list()])
        witness.holds("and in a list of pages", made.id in [w.id for w in client.warehouses.list(page_size=1)])
        edited = client.warehouses.edit(made.id, name=name, cluster_size="Medium").result()
        witness.same("an edit", (edited.cluster_size, edited.auto_stop_mins), ("Medium", 120))
        witness.same("stopped", client.warehouses.stop(made.id).result().state, sql.State.STOPPED)
        witness.same("started", client.warehouses.start(made.id).result().state, sql.State.RUNNING)
        taken = lambda: client.warehouses.create(name=name, cluster_size="Small")
        witness.refuses("a taken name", InvalidParameterValue, f"SQL warehouse with name `{name}` already exists", taken)
        acl = [sql.WarehouseAccessControlRequest(group_name="users", permission_level=sql.WarehousePermissionLevel.CAN_USE)]
        client.warehouses.update_permissions(made.id, access_control_list=acl)
        entries = client.warehouses.get_permissions(made.id).access_control_list
        witness.holds("permissions by the service's own call", any(e.group_name == "users" for e in entries))
    finally:
        client.warehouses.delete(made.id)
    witness.refuses("an absent warehouse", ResourceDoesNotExist, "does not exist", lambda: client.warehouses.get(made.id))


def unity_catalog(witness, client):
    name = fresh("catalog")
    made = client.catalogs.create(name=name.upper(), comment="c", properties={"a": "b"})
    try:
        witness.same("lower case", made.name, name)
        witness.same("default isolation", made.isolation_mode, catalog.CatalogIsolationMode.OPEN)
        witness.same("own schemas", sorted(s.name for s in client.schemas.list(name)), ["default", "information_schema"])
        schemas = [client.schemas.create(name=f"s{n}", catalog_name=name).full_name for n in range(3)]
        found = [s.full_name for s in client.schemas.list(name, max_results=2)]
        witness.holds("every schema over pages, some of them empty", set(schemas) <= set(found))
        witness.holds("the catalog is in the list", name in [c.name for c in client.catalogs.list(max_results=1)])
        witness.same("an update", client.schemas.update(schemas[0], comment="x").comment, "x")
        witness.same("a renamed schema", client.schemas.update(schemas[0], new_name="r").full_name, f"{name}.r")
        grants(witness, client, name)
        taken = lambda: client.schemas.create(name="s1", catalog_name=name)
        witness.refuses("a taken schema", BadRequest, f"Schema '{name}.s1' already exists", taken)
        witness.refuses("an absent schema", NotFound, f"Schema '{name}.z' does not exist.", lambda: client.schemas.get(f"{name}.z"))
        witness.refuses("a catalog that is not empty", InvalidParameterValue, "is not empty", lambda: client.catalogs.delete(name))
        witness.refuses("a system catalog", PermissionDenied, "managed by the system", lambda: client.catalogs.delete("system"))
        old, name = name, name + "_renamed"
        client.catalogs.update(old, new_name=name)
        witness.holds("schemas follow a rename", f"{name}.r" in [s.full_name for s in client.schemas.list(name)])
        witness.refuses("the old name", NotFound, "does not exist", lambda: client.catalogs.get(old))
    finally:
        client.catalogs.delete(name, force=True)
    witness.refuses("a deleted catalog", NotFound, f"Catalog '{name}' does not exist.", lambda: client.catalogs.get(name))


def grants(witness, client, name):
    privilege = catalog.Privilege
    change = catalog.PermissionsChange
    client.grants.update("catalog", name, changes=[change(principal="analysts", add=[privilege.USE_SCHEMA, privilege.USE_CATALOG])])
    client.grants.update("catalog", name, changes=[change(principal="users", add=[privilege.BROWSE])])
    client.grants.update("catalog", name, changes=[change(principal="analysts", remove=[privilege.USE_SCHEMA])])
    live = {a.principal: a.privileges for a in client.grants.get("catalog", name).privilege_assignments}
    witness.same("grants", live, {"analysts": [privilege.USE_CATALOG], "users": [privilege.BROWSE]})
    effective = client.grants.get_effective("schema", f"{name}.default").privilege_assignments
    witness.same("inherited from", {p.inherited_from_name for a in effective for p in a.privileges}, {name})
    both = [change(principal="users", add=[privilege.BROWSE], remove=[privilege.BROWSE])]
    update = lambda: client.grants.update("catalog", name, changes=both)
    witness.refuses("added and removed at once", InvalidParameterValue, "both", update)


def permissions(witness, client):
    job_id = str(client.jobs.create(name=fresh("acl")).job_id)
    me = client.current_user.me().user_name
    level, entry = iam.PermissionLevel, iam.AccessControlRequest
    owner = entry(user_name=me, permission_level=level.IS_OWNER)
    try:
        client.permissions.set("jobs", job_id, access_control_list=[owner, entry(group_name="analysts", permission_level=level.CAN_VIEW)])
        client.permissions.update("jobs", job_id, access_control_list=[entry(group_name="users", permission_level=level.CAN_MANAGE_RUN)])
        live = client.permissions.get("jobs", job_id)
        direct = {
            e.group_name or e.user_name: p.permission_level for e in live.access_control_list for p in e.all_permissions if not p.inherited
        }
        witness.same("direct", direct, {me: level.IS_OWNER, "analysts": level.CAN_VIEW, "users": level.CAN_MANAGE_RUN})
        inherited = [p.inherited_from_object for e in live.access_control_list for p in e.all_permissions if p.inherited]
        witness.same("inherited", inherited, [["/jobs/"]])
        witness.holds("levels", client.permissions.get_permission_levels("jobs", job_id).permission_levels)
        none = lambda: client.permissions.set("jobs", job_id, access_control_list=[])
        witness.refuses("no owner", InvalidParameterValue, "exactly one owner", none)
        bad = [owner, entry(group_name="users", permission_level=level.CAN_USE)]
        witness.refuses("a level of others", InvalidParameterValue, "not valid", lambda: client.permissions.set("jobs", job_id, access_control_list=bad))
    finally:
        client.jobs.delete(int(job_id))
    witness.refuses("of an absent object", ResourceDoesNotExist, "does not exist", lambda: client.permissions.get("jobs", job_id))


def workspace_conf(witness, client):
    key = "enableWebTerminal"
    former = client.workspace_conf.get_status(key)[key]
    try:
        client.workspace_conf.set_status({key: "false"})
        witness.same("a setting", client.workspace_conf.get_status(key)[key], "false")
    finally:
        client.workspace_conf.set_status({key: former})
    witness.same("put back", client.workspace_conf.get_status(key)[key], former)
    unknown = lambda: client.workspace_conf.get_status(f"{key},enableDancing")
    witness.refuses("one unknown key", InvalidParameterValue, "enableDancing", unknown)


def alerts(witness, client):
    name = fresh("alert")
    alert = sql.AlertV2(
        display_name=name,
        query_text="SELECT 1",
        warehouse_id="w",
        evaluation=sql.AlertV2Evaluation(
            source=sql.AlertV2OperandColumn(name="a"), comparison_operator=sql.ComparisonOperator.GREATER_THAN
        ),
        schedule=sql.CronSchedule(quartz_cron_schedule="0 0 0 * * ?", timezone_id="UTC"),
    )
    made = client.alerts_v2.create_alert(alert)
    others = []
    try:
        witness.same("default pause_status", made.schedule.pause_status, sql.SchedulePauseStatus.UNPAUSED)
        witness.refuses("a taken name", ResourceAlreadyExists, f"Node named '{name}' already exists", lambda: client.alerts_v2.create_alert(alert))
        changed = sql.AlertV2.from_dict({**alert.as_dict(), "query_text": "SELECT 2", "display_name": "not in the mask"})
        live = client.alerts_v2.update_alert(made.id, changed, "query_text")
        witness.same("masked", (live.query_text, live.display_name), ("SELECT 2", name))
        for n in range(3):
            others.append(client.alerts_v2.create_alert(sql.AlertV2.from_dict({**alert.as_dict(), "display_name": f"{name}_{n}"})).id)
        found = {a.id for a in client.alerts_v2.list_alerts(page_size=2)}
        witness.holds("every alert over pages", {made.id, *others} <= found)
        client.alerts_v2.trash_alert(made.id)
        witness.same("trashed", client.alerts_v2.get_alert(made.id).lifecycle_state, sql.AlertLifecycleState.DELETED)
        witness.holds("not in lists", made.id not in {a.id for a in client.alerts_v2.list_alerts()})
    finally:
        for alert_id in [made.id, *others]:
            client.alerts_v2.trash_alert(alert_id, purge=True)
    witness.refuses("purged", ResourceDoesNotExist, "does not exist", lambda: client.alerts_v2.get_alert(made.id))


def queries(witness, client):
    name = fresh("query")
    made = client.queries.create(query=sql.CreateQueryRequestQuery(display_name=name, warehouse_id="w", query_text="SELECT 1"))
    try:
        witness.same("made", (made.display_name, made.query_text), (name, "SELECT 1"))
        change = sql.UpdateQueryRequestQuery(query_text="SELECT 2", display_name="not in the mask")
        live = client.queries.update(made.id, update_mask="query_text", query=change)
        witness.same("masked", (live.query_text, live.display_name), ("SELECT 2", name))
        witness.holds("in the list", made.id in {q.id for q in client.queries.list(page_size=2)})
    finally:
        client.queries.delete(made.id)
    witness.holds("trashed: not in lists", made.id not in {q.id for q in client.queries.list()})


def instance_pools(witness, client):
    name = fresh("pool")
    made = client.instance_pools.create(name, "i3.xlarge", min_idle_instances=1)
    try:
        live = client.instance_pools.get(made.instance_pool_id)
        witness.same("made", (live.instance_pool_name, live.min_idle_instances), (name, 1))
        client.instance_pools.edit(made.instance_pool_id, name, "i3.xlarge", max_capacity=5)
        live = client.instance_pools.get(made.instance_pool_id)
        witness.same("an edit replaces the whole", (live.max_capacity, live.min_idle_instances or 0), (5, 0))
        witness.holds("in the list", made.instance_pool_id in {p.instance_pool_id for p in client.instance_pools.list()})
    finally:
        client.instance_pools.delete(made.instance_pool_id)
    witness.holds("deleted: not in lists", made.instance_pool_id not in {p.instance_pool_id for p in client.instance_pools.list()})


def serving_endpoints(witness, client):
    name = fresh("endpoint")
    entity = lambda version: serving.ServedEntityInput(entity_name="main.ml.m", entity_version=version, workload_size="Small")
    config = serving.EndpointCoreConfigInput(name=name, served_entities=[entity("1")])
    made = client.serving_endpoints.create(name=name, config=config).result()
    try:
        witness.same("not updating", made.state.config_update, serving.EndpointStateConfigUpdate.NOT_UPDATING)
        witness.same("all traffic to the one entity", made.config.traffic_config.routes[0].traffic_percentage, 100)
        witness.holds("an id that is not the name", made.id and made.id != name)
        taken = lambda: client.serving_endpoints.create(name=name, config=config)
        witness.refuses("a taken name", ResourceAlreadyExists, "already exists", taken)
        live = client.serving_endpoints.update_config(name, served_entities=[entity("2")]).result()
        witness.same("a new version", (live.config.served_entities[0].entity_version, live.config.config_version), ("2", 2))
        client.serving_endpoints.update_config(name, served_entities=[entity("3")])
        again = lambda: client.serving_endpoints.update_config(name, served_entities=[entity("4")])
        witness.refuses("while it updates", ResourceConflict, "currently being updated", again)
        tags = client.serving_endpoints.patch(name, add_tags=[serving.EndpointTag(key="a", value="1")])
        witness.same("tags", tags.as_dict(), {"tags": [{"key": "a", "value": "1"}]})
        usage = serving.AiGatewayUsageTrackingConfig(enabled=True)
        witness.same("gateway", client.serving_endpoints.put_ai_gateway(name, usage_tracking_config=usage).usage_tracking_config.enabled, True)
        mail = serving.EmailNotifications(on_update_failure=["a@b"])
        witness.same("mail", client.serving_endpoints.update_notifications(name, email_notifications=mail).name, name)
        witness.holds("it is in the list", name in [e.name for e in client.serving_endpoints.list()])
        witness.holds("permissions by id", client.serving_endpoints.get_permissions(made.id).access_control_list)
    finally:
        client.serving_endpoints.delete(name)
    witness.refuses("an absent endpoint", ResourceDoesNotExist, "does not exist", lambda: client.serving_endpoints.get(name))


EXERCISES = [
    identity, oidc_login, job_service, warehouse_service, unity_catalog, permissions, workspace_conf, alerts, queries,
    instance_pools, serving_endpoints, *witness_kinds.EXERCISES,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--host", required=True, help="http://127.0.0.1:8765")
    parser.add_argument("--token", help="a bearer token")
    parser.add_argument("--client-id", help="an OAuth client instead of a token")
    parser.add_argument("--client-secret", help="its secret")
    parser.add_argument("--expect", help="a JSON file of expectations")
    parser.add_argument("--no-exercise", action="store_true", help="only compare expectations; write nothing")
    options = parser.parse_args()
    wanted = []
    if options.expect:
        try:
            with open(options.expect, encoding="utf-8") as file:
                wanted = json.load(file)
        except (OSError, ValueError) as error:
            print(f"sdk_witness: {options.expect}: {error}", file=sys.stderr)
            return 2
    if options.client_id:
        login = {"client_id": options.client_id, "client_secret": options.client_secret, "auth_type": "oauth-m2m"}
    else:
        login = {"token": options.token, "auth_type": "pat"}
    witness = Witness(WorkspaceClient(host=options.host, **login))
    expectations(witness, wanted)
    if not options.no_exercise:
        for exercise in EXERCISES:
            witness.guarded(exercise)
    for failure in witness.failures:
        print(f"- {failure}")
    print(f"{witness.checks} checks, {len(witness.failures)} did not hold")
    return 1 if witness.failures else 0


if __name__ == "__main__":
    sys.exit(main())
