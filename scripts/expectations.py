#!/usr/bin/env python3
"""What the SDK must find after `brickform apply --env dev` of this repository, written by hand from conf/ and the API's pages.

    brickform state list --env dev -o json | scripts/expectations.py > expected.json
"""

import json
import sys

EXPECTED = {
    "jobs.medallion": {
        "settings.name": "team medallion-dev",
        "settings.timeout_seconds": 7200,
        "settings.schedule.pause_status": "PAUSED",
        "settings.queue.enabled": True,
        "settings.tags.team": "data-engineers",
        "settings.parameters[name=keep_days].default": "3",
        "settings.tasks[task_key=bronze].notebook_task.base_parameters.day": "{{job.parameters.day}}",
        "settings.tasks[task_key=bronze].notebook_task.base_parameters.target": "dev_lake.bronze",
        # The service sorts what a task depends on by key.
        "settings.tasks[task_key=gold].depends_on[0].task_key": "quality",
        "settings.tasks[task_key=gold].depends_on[1].task_key": "silver",
        "settings.tasks[task_key=tidy].run_if": "ALL_DONE",
        "settings.tasks[task_key=monday].condition_task.op": "EQUAL_TO",
        "settings.email_notifications.on_failure": None,
    },
    'jobs.ingest["orders"]': {
        "settings.name": "team ingest-orders-dev",
        "settings.tasks[task_key=ingest].notebook_task.base_parameters.format": "json",
        "settings.tags.environment": "dev",
    },
    "warehouses.bi": {"name": "team bi-dev", "cluster_size": "2X-Small", "auto_stop_mins": 10, "max_num_clusters": 1},
    "catalogs.lake": {"name": "dev_lake", "comment": "Orders and customers of the dev environment", "properties.layer": "all"},
    "schemas.silver": {"full_name": "dev_lake.silver", "comment": "Cleaned and joined"},
    "alerts.too_few_orders": {
        "display_name": "team Too few orders (dev)",
        "evaluation.comparison_operator": "LESS_THAN",
        "schedule.pause_status": "PAUSED",
    },
}


def main():
    ids = {row["address"]: row["id"] for row in json.load(sys.stdin)["resources"]}
    missing = sorted(set(EXPECTED) - set(ids))
    if missing:
        sys.exit(f"not in the state: {', '.join(missing)}")
    json.dump([{"kind": a.split(".")[0], "id": ids[a], "expect": e} for a, e in EXPECTED.items()], sys.stdout, indent=1)


if __name__ == "__main__":
    main()
