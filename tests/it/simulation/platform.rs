//! A random data platform as a user would write it, and how it changes from commit to commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::random::Random;

/// A resource that may be there: its kind and key.
type Slot = (&'static str, u64);

/// One commit: what is there, and with which contents (a number that the body is made from).
#[derive(Debug, Clone, Default)]
pub struct Commit {
    slots: BTreeMap<Slot, u64>,
}

/// Kinds with how many of each there may be. What comes later may need what comes before.
const SLOTS: &[(&str, u64)] = &[
    ("catalogs", 2),
    ("schemas", 4),
    ("warehouses", 2),
    ("instance_pools", 2),
    ("jobs", 4),
    ("queries", 2),
    ("alerts", 2),
    ("workspace_conf", 1),
];

impl Commit {
    /// The next commit: some things come, some go, some change.
    pub fn next(&self, random: &mut Random) -> Self {
        let mut slots = self.slots.clone();
        let is_first = slots.is_empty();
        for (kind, count) in SLOTS {
            for number in 0..*count {
                let slot = (*kind, number);
                let there = slots.contains_key(&slot);
                let (come, go, change) = if is_first { (600, 0, 0) } else { (250, 150, 350) };
                if !there && random.chance(come) {
                    slots.insert(slot, random.below(64));
                } else if there && random.chance(go) {
                    slots.remove(&slot);
                } else if there && random.chance(change) {
                    slots.insert(slot, random.below(64));
                }
            }
        }
        // A setting that goes is put back, and a schema needs its catalog.
        let catalogs: Vec<u64> = slots.keys().filter(|(kind, _)| *kind == "catalogs").map(|(_, n)| *n).collect();
        slots.retain(|(kind, number), _| *kind != "schemas" || catalogs.contains(&(number % 2)));
        if slots.is_empty() {
            slots.insert(("jobs", 0), 1);
        }
        Self { slots }
    }

    /// The YAML of it.
    pub fn yaml(&self) -> String {
        let mut text = String::new();
        for (kind, _) in SLOTS {
            let own: Vec<(u64, u64)> = self.slots.iter().filter(|((k, _), _)| k == kind).map(|((_, n), knob)| (*n, *knob)).collect();
            if own.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{kind}:");
            for (number, knob) in own {
                text.push_str(&self.body(kind, number, knob));
            }
        }
        text
    }

    fn has(&self, kind: &'static str, number: u64) -> bool {
        self.slots.contains_key(&(kind, number))
    }

    /// The id of a warehouse: a reference if it is there.
    fn warehouse(&self, number: u64) -> String {
        if self.has("warehouses", number) { format!("\"${{warehouses.w{number}.id}}\"") } else { "\"475b94ddc7cd5211\"".to_owned() }
    }

    fn body(&self, kind: &str, n: u64, knob: u64) -> String {
        let comment = if knob.is_multiple_of(4) { String::new() } else { format!(", comment: c{}", knob % 4) };
        match kind {
            "catalogs" => {
                let grants = format!("[{{ principal: a{}@b.example, privileges: [USE_CATALOG] }}]", knob % 2);
                format!("  c{n}: {{ name: lake{n}{comment}, grants: {grants} }}\n")
            }
            "schemas" => {
                let catalog = if knob.is_multiple_of(2) { format!("lake{}", n % 2) } else { format!("'${{catalogs.c{}.name}}'", n % 2) };
                format!("  s{n}: {{ catalog_name: {catalog}, name: layer{n}{comment} }}\n")
            }
            "warehouses" => {
                let size = ["Small", "Medium", "Large"][usize::try_from(knob % 3).expect("small")];
                let stop = if knob.is_multiple_of(5) { String::new() } else { format!(", auto_stop_mins: {}", 10 + knob) };
                format!("  w{n}: {{ name: bi{n}, cluster_size: {size}{stop} }}\n")
            }
            "instance_pools" => {
                format!("  p{n}: {{ instance_pool_name: pool{n}, node_type_id: i3.xlarge, min_idle_instances: {} }}\n", knob % 3)
            }
            "jobs" => self.job(n, knob),
            "queries" => {
                let warehouse = self.warehouse(knob % 2);
                format!(
                    "  q{n}: {{ display_name: q{n}, query_text: select {knob}, warehouse_id: {warehouse}, parent_path: /Workspace/Shared }}\n"
                )
            }
            "alerts" => {
                let schedule = "{ quartz_cron_schedule: '0 0 8 * * ?', timezone_id: UTC, pause_status: UNPAUSED }";
                let evaluation = "{ source: { name: n }, comparison_operator: GREATER_THAN, threshold: { value: { double_value: 5.0 } } }";
                let warehouse = self.warehouse(knob % 2);
                format!(
                    "  a{n}: {{ display_name: a{n}, query_text: select {knob}, warehouse_id: {warehouse}, evaluation: {evaluation}, schedule: {schedule} }}\n"
                )
            }
            "workspace_conf" => {
                format!("  tokens: {{ enableTokensConfig: {}, maxTokenLifetimeDays: {} }}\n", knob.is_multiple_of(2), 10 + knob)
            }
            other => unreachable!("{other} has no body"),
        }
    }

    /// A job with a task on a warehouse and, sometimes, one that runs another job.
    fn job(&self, n: u64, knob: u64) -> String {
        let mut text = format!("  j{n}:\n    name: job{n}\n    max_concurrent_runs: {}\n", 1 + knob % 3);
        let _ = writeln!(
            text,
            "    tasks:\n      - task_key: sql\n        sql_task: {{ warehouse_id: {}, query: {{ query_id: q }} }}",
            self.warehouse(knob % 2)
        );
        if n > 0 && knob % 3 == 1 && self.has("jobs", n - 1) {
            let _ = writeln!(text, "      - task_key: other\n        run_job_task: {{ job_id: \"${{jobs.j{}.id}}\" }}", n - 1);
        }
        // What is written once stays: a removed block would be left as it is.
        if n.is_multiple_of(2) {
            let _ = writeln!(text, "    permissions: [{{ user_name: a{}@b.example, permission_level: CAN_VIEW }}]", knob % 2);
        }
        text
    }
}
