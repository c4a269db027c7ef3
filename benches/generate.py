#!/usr/bin/env python3
"""Writes a project of N jobs and schemas: `benches/generate.py FOLDER --resources 10000`.

Half are jobs (two tasks each, one reference to a warehouse), half schemas in one catalog; files of 500 resources.
"""

import argparse
from pathlib import Path


def job(number):
    return f"""  job_{number:06}:
    name: job-{number:06}
    max_concurrent_runs: 1
    tags: {{ team: "team-{number % 17}", number: "{number}" }}
    tasks:
      - task_key: load
        notebook_task: {{ notebook_path: /Workspace/Shared/load_{number % 50}, source: WORKSPACE }}
        max_retries: 1
      - task_key: report
        depends_on: [{{ task_key: load }}]
        sql_task:
          warehouse_id: ${{warehouses.bi.id}}
          file: {{ path: /Workspace/Shared/report_{number % 50}.sql, source: WORKSPACE }}
"""


def schema(number):
    return f"""  schema_{number:06}:
    name: schema_{number:06}
    catalog_name: ${{catalogs.bench.name}}
    comment: "Schema {number} of ${{env.name}}"
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resources", type=int, default=10_000)
    given = parser.parse_args()
    conf = given.folder / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (given.folder / "environments").mkdir(exist_ok=True)
    (conf / "project.yaml").write_text("name: bench\n")
    (given.folder / "environments" / "local.yaml").write_text("workspace: local\n")
    (conf / "base.yaml").write_text(
        "warehouses:\n  bi: { name: bench, cluster_size: 2X-Small, auto_stop_mins: 10, max_num_clusters: 1 }\n"
        "catalogs:\n  bench: { name: bench }\n"
    )
    half = given.resources // 2
    for kind, write, count in (("jobs", job, half), ("schemas", schema, given.resources - half)):
        for start in range(0, count, 500):
            body = "".join(write(n) for n in range(start, min(start + 500, count)))
            (conf / f"{kind}_{start // 500:04}.yaml").write_text(f"{kind}:\n{body}")
    print(f"{given.resources} resources and 2 that they need in {given.folder}")


if __name__ == "__main__":
    main()
