//! The commands that look. What `render` prints is a project of its own: the same resources with the same bodies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brickform::kinds::Registry;
use brickform::model::{Address, Value, Variable};
use brickform::project::{self, Answers, Ask, Desired, expression};

use super::cli::Project;
use super::world::request;

const VARIABLES: &[(&str, &str)] =
    &[("SHOP_API_TOKEN", "planted-token"), ("PAGER_TOKEN", "planted-token"), ("BRICKFORM_VAR_hidden", "planted-token")];

fn resolved(project: &Project, environment: &str) -> Desired {
    let outside = project.outside(VARIABLES);
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
    let needed: String = ran.out.lines().filter_map(|l| l.strip_prefix("#   ")).flat_map(|l| [l, "\n"]).collect();
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

/// What every planted secret holds; each has a word of its own before it.
const MARK: &str = "x7Q9planted";

fn planted(word: &str) -> String {
    format!("{word}-{MARK}")
}

/// A project with a secret wherever one can be.
fn with_secrets() -> (Project, Vec<(String, String)>) {
    let project = Project::new(&[
        (
            "conf/project.yaml",
            "name: p\nsecrets:\n  FILED: { file: secret.txt }\n  TOLD: { command: [cat, told.txt] }\n\
             variables:\n  hidden: { sensitive: true }\n  written: { sensitive: true }\n  given: { sensitive: true, default: none }\n  \
             many: { sensitive: true, default: { a: b } }\n",
        ),
        (
            "environments/local.yaml",
            &format!(
                "workspace: local\nstate: {{ key: {{ env: STATE_KEY }} }}\nvariables:\n  written: {}\n  many: {{ a: {} }}\n",
                planted("written"),
                planted("many")
            ),
        ),
        ("environments/far.yaml", "workspace: { host: \"http://127.0.0.1:9\", profile: FAR }\nvariables: { written: w }\n"),
        ("secret.txt", &planted("filed")),
        ("told.txt", &planted("told")),
        ("databrickscfg", &format!("[FAR]\nhost = http://127.0.0.1:9\ntoken = {}\n", planted("profile"))),
        (
            "conf/a.yaml",
            r#"
secret_scopes:
  s: { scope: s }
secrets:
  m: { scope: "${secret_scopes.s.scope}", key: m, string_value: "${many.a}" }
  a: { scope: "${secret_scopes.s.scope}", key: a, string_value: "${hidden}" }
  b: { scope: "${secret_scopes.s.scope}", key: b, string_value: "x ${secret('FILED')} y" }
  c: { scope: "${secret_scopes.s.scope}", key: c, string_value: "${secret('TOLD') ~ 'z'}" }
  d: { scope: "${secret_scopes.s.scope}", key: d, string_value: "${secret('DIRECT')}" }
  e: { scope: "${secret_scopes.s.scope}", key: e, string_value: "${written}" }
  f: { scope: "${secret_scopes.s.scope}", key: f, string_value: "${given}" }
clusters:
  c:
    cluster_name: c
    spark_version: 15.4.x-scala2.12
    node_type_id: i3.xlarge
    num_workers: 1
    spark_env_vars: { TOKEN: "${secret('DIRECT')}", PLAIN: "1" }
jobs:
  j:
    name: j
    description: "${secret('FILED')}"
    tasks: [{ task_key: t, notebook_task: { notebook_path: /Shared/x, base_parameters: { token: "t ${hidden}" } } }]
"#,
        ),
    ]);
    let variables = [
        ("BRICKFORM_VAR_hidden", planted("hidden")),
        ("BRICKFORM_VAR_given", planted("given")),
        ("DIRECT", planted("direct")),
        ("STATE_KEY", planted("state-key")),
        ("DATABRICKS_TOKEN", planted("env-token")),
        ("DATABRICKS_CLIENT_SECRET", planted("client-secret")),
        ("DATABRICKS_CONFIG_FILE", "databrickscfg".to_owned()),
        ("RUST_LOG", "trace".to_owned()),
    ];
    (project, variables.map(|(k, v)| (k.to_owned(), v)).to_vec())
}

/// Everything that a text must not hold: what was planted, plain and in base64 at each of its three places.
fn leaks(text: &[u8]) -> bool {
    use base64::Engine as _;
    let encoded = (0..3).map(|shift| {
        let whole = base64::engine::general_purpose::STANDARD_NO_PAD.encode([&b"___"[..shift], MARK.as_bytes()].concat());
        whole.get(4..12).expect("long enough").to_owned()
    });
    std::iter::once(MARK.to_owned()).chain(encoded).any(|wanted| text.windows(wanted.len()).any(|w| w == wanted.as_bytes()))
}

/// Files that were written beside the workspace's own database and what the user wrote.
fn leaking_files(folder: &Path, found: &mut Vec<String>) {
    for path in std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            leaking_files(&path, found);
        } else if path.extension().is_none_or(|e| e != "redb") && leaks(&std::fs::read(&path).expect("it can be read")) {
            found.push(name);
        }
    }
}

struct Sweep {
    project: Project,
    variables: Vec<(String, String)>,
    given: Vec<String>,
    codes: BTreeMap<u8, usize>,
}

impl Sweep {
    fn new() -> Self {
        let (project, variables) = with_secrets();
        let mut given = Vec::new();
        leaking_files(project.folder.path(), &mut given);
        Self { project, variables, given, codes: BTreeMap::new() }
    }

    /// Runs a command in every way of saying it, and looks at all that it said and wrote.
    fn look(&mut self, line: &str) {
        let has_events = ["plan", "drift", "refresh", "adopt", "apply"].iter().any(|word| line.starts_with(word));
        for how in ["", " -o json", " -vv --log-format json", " --json"].iter().filter(|how| has_events || **how != " --json") {
            let variables: Vec<(&str, &str)> = self.variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let ran = self.project.with(&format!("{line}{how}"), &variables, None);
            *self.codes.entry(ran.code).or_default() += 1;
            assert!(!leaks(ran.out.as_bytes()), "standard output of `{line}{how}`:\n{}", ran.out);
            assert!(!leaks(ran.err.as_bytes()), "standard error of `{line}{how}`:\n{}", ran.err);
            let mut now = Vec::new();
            leaking_files(self.project.folder.path(), &mut now);
            now.retain(|file| !self.given.contains(file));
            assert!(now.is_empty(), "`{line}{how}` wrote {now:?}");
        }
    }
}

/// Every command that looks, over one environment.
const LOOKS: &[&str] = &[
    "validate",
    "validate --strict",
    "plan",
    "plan --requests --unmanaged",
    "plan --report markdown=report.md --report json=report.json --report text=report.txt",
    "plan --out plan.bin",
    "show plan.bin",
    "plan --refresh=false",
    "plan --destroy",
    "drift",
    "show",
    "show jobs.j",
    "show clusters.c --live",
    "show secrets.a --live",
    "status",
    "output",
    "render",
    "render secrets.b",
    "graph",
    "graph jobs.j",
    "explain secrets.a.string_value",
    "explain jobs.j.description",
    "explain clusters.c.spark_env_vars.TOKEN",
    "explain var.hidden",
    "explain var.written",
    "env list",
    "env show local",
    "state list",
    "state show secrets.a",
    "state show clusters.c",
    "state history",
    "state pull",
    "doctor",
    "auth describe",
    "auth check",
    "refresh --yes",
    "adopt --write --all-drift --dry-run",
    "adopt jobs.j --dry-run",
    "schema",
    "fmt --check",
    "space-list",
];

#[test]
fn no_command_tells_a_secret() {
    let mut sweep = Sweep::new();
    for line in LOOKS.iter().filter(|line| line.starts_with("plan") || line.starts_with("adopt")) {
        sweep.look(&format!("{line} --env local"));
    }
    sweep.look("apply --env local --yes");
    // Somebody changes what holds secrets, to what nobody may see either.
    let ids = sweep.project.with("state list --env local", &[("STATE_KEY", "x")], None).out;
    let id = |address: &str| ids.lines().find_map(|l| l.strip_prefix(address)).expect("an id").trim().to_owned();
    let (cluster, job) = (id("clusters.c "), id("jobs.j "));
    let (live, note) = (planted("live"), planted("live-note"));
    by_hand(
        &sweep.project,
        &[
            format!(
                r#"POST /api/2.1/clusters/edit {{"cluster_id":"{cluster}","cluster_name":"c","spark_version":"15.4.x-scala2.12","node_type_id":"i3.xlarge","num_workers":1,"spark_env_vars":{{"TOKEN":"{live}","PLAIN":"2"}}}}"#
            ),
            format!(r#"POST /api/2.2/jobs/update {{"job_id":{job},"new_settings":{{"description":"{note}"}}}}"#),
            format!(r#"POST /api/2.0/secrets/put {{"scope":"s","key":"a","string_value":"{live}"}}"#),
        ],
    );
    for line in LOOKS {
        sweep.look(&format!("{line} --env local"));
    }
    // A literal in a field for secrets, an expression that fails on one, a command that tells one and fails.
    for (name, text) in [
        ("conf/wrong.yaml", format!("secrets:\n  w: {{ scope: s, key: w, string_value: {} }}\n", planted("literal"))),
        ("conf/wrong.yaml", "jobs:\n  w: { name: w, max_concurrent_runs: \"${secret('DIRECT') + 1}\" }\n".to_owned()),
        ("conf/wrong.yaml", "jobs:\n  w: { name: \"${hidden}\" }\n".to_owned()),
        ("conf/wrong.yaml", "jobs:\n  w: { name: \"${many.a}\" }\n".to_owned()),
        ("conf/wrong.yaml", "jobs:\n  w: { name: w, description: \"${many.a}\", tags: \"${many}\" }\n".to_owned()),
    ] {
        sweep.project.write(name, &text);
        sweep.given.clear();
        leaking_files(sweep.project.folder.path(), &mut sweep.given);
        for line in ["validate", "plan", "render", "apply --yes", "explain jobs.w.name", "drift", "graph"] {
            sweep.look(&format!("{line} --env local"));
        }
    }
    std::fs::remove_file(sweep.project.folder.path().join("conf/wrong.yaml")).expect("it goes");
    sweep.project.edit("conf/project.yaml", "[cat, told.txt]", "[ls, told.txt, /nonexistent]");
    sweep.look("apply --env local --yes --replace secrets.c");
    // A workspace that does not answer.
    for line in ["auth describe", "auth check", "render", "env show far", "doctor"] {
        sweep.look(&format!("{line} --env far"));
    }
    let database = std::fs::read(sweep.project.folder.path().join(".brickform/local/local.redb")).expect("a database");
    assert!(leaks(&database), "the workspace itself holds what was planted");
    assert!(sweep.codes.get(&0).is_some_and(|n| *n > 50), "{:?}", sweep.codes);
    assert!(sweep.codes.get(&1).is_some_and(|n| *n > 10), "{:?}", sweep.codes);
}

fn by_hand(project: &Project, lines: &[String]) {
    use brickform::local::{LocalOptions, LocalWorkspace};
    let options = LocalOptions { settle_ms: Some(0), ..LocalOptions::default() };
    let workspace = LocalWorkspace::open(&project.folder.path().join(".brickform/local/local.redb"), options).expect("it opens");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for line in lines {
        let send = || runtime.block_on(workspace.handle(request(line))).expect("an answer");
        let mut answer = send();
        // What was made a moment ago may still be starting.
        for _ in 0..100 {
            if answer.status < 300 || !String::from_utf8_lossy(&answer.body).contains("Pending") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            answer = send();
        }
        assert!(answer.status < 300, "{line}: {}", String::from_utf8_lossy(&answer.body));
    }
}
