//! The commands that look. What `render` prints is a project of its own: the same resources with the same bodies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brickform::kinds::Registry;
use brickform::model::{Address, Outside, Value, Variable};
use brickform::project::{self, Answers, Ask, Desired, expression};

use super::cli::Project;

const VARIABLES: &[(&str, &str)] =
    &[("SHOP_API_TOKEN", "planted-token"), ("PAGER_TOKEN", "planted-token"), ("BRICKFORM_VAR_hidden", "planted-token")];

fn resolved(project: &Project, environment: &str) -> Desired {
    let real = Outside::real().expect("a current folder");
    let variables: BTreeMap<String, String> = VARIABLES.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let outside = Outside { variables: variables.into(), folder: project.folder.path().to_owned(), system: real.system };
    let ask = Ask { environment: Some(environment.to_owned()), ..Ask::default() };
    let loaded = project::load(&outside, &ask, &Registry::standard()).unwrap_or_else(|f| panic!("{:#?}", f.diagnostics));
    loaded.resolve(&Answers::new()).unwrap_or_else(|d| panic!("{d:#?}"))
}

/// What stands for each thing that an expression waits for, once it is known; instances by the names that they get.
fn stand_in(wait: &Variable, names: &BTreeMap<Address, Address>) -> Value {
    match wait {
        Variable::Reference(reference) => {
            let address = names.get(&reference.address.parent()).unwrap_or(&reference.address);
            Value::text(format!("<{address} {}>", reference.path))
        }
        Variable::Lookup(lookup) => {
            let members = ["id", "application_id", "name", "displayName", "userName"];
            Value::map(members.map(|m| (m, Value::text(format!("<{} {} {m}>", lookup.kind, lookup.name)))))
        }
        Variable::Secret(secret) => Value::text(format!("<secret {}>", secret.name)),
    }
}

fn finished(value: &Value, names: &BTreeMap<Address, Address>) -> Value {
    expression::fill(value, &|wait| Some(stand_in(wait, names))).unwrap_or_else(|why| panic!("{why}"))
}

/// The instances of an environment by what `render` calls them: its comments say.
fn names(rendered: &str) -> BTreeMap<Address, Address> {
    let mut kind = "";
    let mut said = None;
    let mut found = BTreeMap::new();
    for line in rendered.lines() {
        let key = line.trim_end_matches(':');
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            kind = key;
        } else if let Some(comment) = line.strip_prefix("  # ") {
            said = comment.rsplit_once(", ").and_then(|(address, _)| address.parse::<Address>().ok());
        } else if let Some(address) = said.take() {
            found.insert(address, Address::new(kind, key.trim().trim_matches('"')));
        }
    }
    found
}

fn renamed(names: &BTreeMap<Address, Address>, address: &Address) -> Address {
    let name = names.get(&address.parent()).cloned().unwrap_or_else(|| address.parent());
    Address { facet: address.facet.clone(), ..name }
}

/// Renders an environment, loads what was written as a project of its own, and compares both.
fn reads_back(project: &Project, environment: &str) {
    let ran = project.with(&format!("render --env {environment}"), VARIABLES, None);
    assert_eq!(ran.code, 0, "{environment}: {}", ran.err);
    assert!(!ran.out.contains("planted-token"), "{}", ran.out);
    let needed: String = ran.out.lines().filter_map(|l| l.strip_prefix("#   ")).map(|l| format!("{l}\n")).collect();
    let own = Project::new(&[
        ("conf/project.yaml", &format!("name: rendered\n{needed}")),
        (&format!("environments/{environment}.yaml"), "workspace: local\n"),
        ("conf/rendered.yaml", &ran.out),
    ]);
    let (was, now) = (resolved(project, environment), resolved(&own, environment));
    let names = names(&ran.out);
    let addresses: BTreeSet<Address> = was.resources.keys().map(|a| renamed(&names, a)).collect();
    assert_eq!(addresses, now.resources.keys().cloned().collect::<BTreeSet<_>>(), "{environment}\n{}", ran.out);
    for (address, resource) in &was.resources {
        let other = &now.resources[&renamed(&names, address)];
        assert_eq!(finished(&resource.body, &names), finished(&other.body, &BTreeMap::new()), "{environment} {address}\n{}", ran.out);
        if !address.is_facet() {
            assert_eq!(resource.natural, other.natural, "{environment} {address}");
            assert_eq!(resource.lifecycle, other.lifecycle, "{environment} {address}");
            let needs: BTreeSet<Address> = resource.depends_on.iter().map(|a| renamed(&names, a)).collect();
            assert_eq!(needs, other.depends_on.iter().cloned().collect(), "{environment} {address}\n{}", ran.out);
        }
    }
}

fn environments(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.folder.path().join("environments")).expect("a folder");
    let names = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter_map(|n| n.strip_suffix(".yaml").map(str::to_owned)).filter(|n| !n.starts_with('_')).collect();
    names.sort();
    names
}

#[test]
fn what_render_prints_of_each_example_is_the_same_project() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut projects = vec![Project::own()];
    for entry in std::fs::read_dir(&examples).expect("a folder").map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()) {
        let project = Project::new(&[]);
        project.copy(&entry, ".");
        projects.push(project);
    }
    let mut seen = 0;
    for project in &projects {
        for environment in environments(project) {
            reads_back(project, &environment);
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} environments");
}

#[test]
fn what_render_prints_of_everything_that_waits_is_the_same_project() {
    let project = Project::new(&[
        (
            "conf/project.yaml",
            "name: p\nsecrets:\n  FILED: { file: secret.txt }\n  TOLD: { command: [echo, x] }\n  CALLED: { env: PAGER_TOKEN }\n\
             variables:\n  hidden: { sensitive: true }\n  plain: { default: p }\n  w: { default: { lookup: warehouses, name: Shared BI } }\n",
        ),
        ("environments/local.yaml", "workspace: local\npresets: { name_prefix: \"[dev] \", tags: { team: x } }\nvariables: {}\n"),
        ("secret.txt", "planted-token\n"),
        (
            "conf/a.yaml",
            r#"
warehouses:
  w: { name: "w-${plain}", cluster_size: Small }
  each: { for_each: [eu, us-west], name: "w-${each.key}", cluster_size: Small }
  each_eu: { name: taken, cluster_size: Small }
secret_scopes:
  s: { scope: s }
secrets:
  a: { scope: "${secret_scopes.s.scope}", key: a, string_value: "${hidden}" }
  b: { scope: s, key: b, string_value: "x ${secret('FILED')} $${y}" }
  c: { scope: s, key: c, string_value: "${secret('TOLD') ~ plain}" }
  d: { scope: s, key: d, string_value: "${secret('CALLED')}" }
notebooks:
  n: { path: "/Shared/deep/${plain}/n", content: "x = '$${HOME}'\n", language: PYTHON }
jobs:
  j:
    for_each: { eu: { size: 1 }, us: { size: 2 } }
    name: "j-${each.key}"
    depends_on: [warehouses.w]
    lifecycle: { prevent_destroy: true, ignore_changes: [description] }
    parameters:
      - { name: a, default: "${warehouses.each['eu'].id}/${each.value.size}" }
      - { name: b, default: "${lookup('warehouses', 'Other').name}" }
      - { name: c, default: "${w}" }
      - { name: d, default: "${warehouses.w.name}" }
    tasks:
      - task_key: t
        notebook_task: { notebook_path: "${notebooks.n.path}", warehouse_id: "${warehouses.each['us-west'].id}" }
    permissions:
      - { group_name: admins, permission_level: CAN_MANAGE }
  k: { name: "k", tasks: [{ task_key: t, run_job_task: { job_id: "${jobs.j['us'].id}" } }] }
groups:
  g:
    displayName: g
    members: [{ user_name: somebody@example.com }, "${groups.h.id}"]
  h: { displayName: h }
"#,
        ),
    ]);
    reads_back(&project, "local");
    let out = project.with("render --env local", VARIABLES, None).out;
    assert!(!out.contains("/Shared/deep:"), "{out}");
    assert!(out.contains("job_id: \"${jobs.j_us.id}\""), "{out}");
    assert!(out.contains("each_eu_2:"), "{out}");
}
