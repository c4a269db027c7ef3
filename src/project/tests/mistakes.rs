//! Mistakes, each with its place and remedy.

use super::{folder, shown};

/// Resource files with one mistake (or several), and all that is said.
const RESOURCES: &[(&str, &str)] = &[
    ("wharehouses: {}\n", "E0101 conf/a.yaml:1:1 `wharehouses` is not a kind of resource [did you mean `warehouses`?]"),
    (
        "jobs: {1x: {name: a}}\n",
        "E0102 conf/a.yaml:1:8 `1x` cannot be the key of a job [keys are letters, digits, `_` and `-`, beginning with a letter or `_`; the object's name stands in its body]",
    ),
    ("jobs: {a: {name: a}}\n---\njobs: {a: {name: b}}\n", "E0103 conf/a.yaml:3:8 jobs.a is declared twice"),
    ("jobs: 3\n", "E0104 conf/a.yaml:1:7 `jobs` holds resources by key [write `jobs:`, and below it `key: {..}`]"),
    ("jobs: {a: [1]}\n", "E0104 conf/a.yaml:1:11 jobs.a is a list, not a map of fields"),
    (
        "jobs: {a: {name: a, max_concurrent_runs: \"5\"}}\n",
        "E0105 conf/a.yaml:1:42 `max_concurrent_runs` must be a whole number, not text [take the quotes away]",
    ),
    ("jobs: {a: {name: a, max_concurrent_runs: 1.5}}\n", "E0105 conf/a.yaml:1:42 `max_concurrent_runs` must be a whole number, not 1.5"),
    ("jobs: {a: {name: a, tasks: {x: 1}}}\n", "E0105 conf/a.yaml:1:28 `tasks` must be a list, not a map"),
    ("jobs: {a: {name: a, tasks: [{run_if: ALL_DONE}]}}\n", "E0106 conf/a.yaml:1:30 `tasks[0]` of jobs.a has no `task_key`"),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    sample_questions:\n      - Which one: A or B?\n",
        "E0106 conf/a.yaml:6:9 `sample_questions[0]` of spaces.a has no `question` [if it is one text, quote it]",
    ),
    ("jobs:\n  a:\n    name:a\n", "E0012 conf/a.yaml:3:5 a blank is missing behind `name:` [write `name: a`]"),
    ("jobs:\n  a:\n    name:a\n    tasks: []\n", "E0012 conf/a.yaml:3:5 a blank is missing behind `name:` [write `name: a`]"),
    ("jobs:\n  a:\n    name= a\n", "E0012 conf/a.yaml:3:9 `=` is no `:`, with which a key ends [write `name: a`]"),
    ("jobs:\n  a:\n    name：a\n", "E0012 conf/a.yaml:3:9 `：` is no `:`, with which a key ends [write `name: a`]"),
    (
        "jobs:\n  a:\n    name:\u{a0}a\n    tasks: []\n",
        "E0012 conf/a.yaml:3:10 a non-breaking space stands where YAML wants a blank [at 3:10 stands a non-breaking space (U+00A0)",
    ),
    ("jobs: {a: {name:a, tasks: []}}\n", "E0012 conf/a.yaml:1:12 a blank is missing behind `name:` [write `name: a`]"),
    (
        "jobs: {a: {name: a, description: One, two}}\n",
        "E0009 conf/a.yaml:1:34 a comma ends the value of `description` early [quote it: `description: \"One, two\"`]",
    ),
    (
        "jobs: {a: {name: a, description: In 2024, which sell (a, b)}}\n",
        "E0009 conf/a.yaml:1:34 a comma ends the value of `description` early [quote it: `description: \"In 2024, which sell (a, b)\"`]",
    ),
    ("jobs: {a: {name: f(a, b, \"c\"), tasks: []}}\n", "E0009 conf/a.yaml:1:18"),
    (
        "jobs:\n  a:\n    name: a\n    depends_on:\n      -jobs.b\n",
        "E0012 conf/a.yaml:5:7 a blank is missing behind `-` [write `- jobs.b`]",
    ),
    ("jobs:\n  a:\n    name: a\n    tasks:\n      -t\n", "E0012 conf/a.yaml:5:7 a blank is missing behind `-` [write `- t`]"),
    (
        "jobs:\n  a:\n    name: a\n    tasks:\n      – t\n",
        "E0012 conf/a.yaml:5:7 `–` is no `-`, with which an item of a list begins [write `- t`]",
    ),
    ("jobs:\n  a:\n    name:\n", "E0110 conf/a.yaml:3:9 `name` is required, and has no value [write its value]"),
    (
        "jobs:\n  a:\n    name: a\n    tasks:\n      -\n",
        "E0110 conf/a.yaml:5:8 `tasks[0]` is an empty item [take the line away, or write what it is]",
    ),
    (
        "spaces: {a: {title: a, warehouse_id: w, sample_questions: [2024]}}\n",
        "E0105 conf/a.yaml:1:60 `sample_questions[0]` must be a map, not a whole number [if it is meant as text, quote it]",
    ),
    ("jobs: {a: {name: a, tasks: [2024]}}\n", "E0105 conf/a.yaml:1:29 `tasks[0]` must be a map, not a whole number"),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    sample_questions:\n      - &Which one?\n",
        "W0132 conf/a.yaml:6:9 `&Which` is no part of the text: YAML reads it as an anchor, and nothing uses it [if it is one text, quote it; else take the anchor away]",
    ),
    (
        "jobs: {a: {name: a, permissions: {users: CAN_VIEW}}}\n",
        "E0126 conf/a.yaml:1:34 `permissions` is a list, or a map with `entries`, not a map by name [write `permissions: [{ group_name: users, permission_level: CAN_VIEW }]`]",
    ),
    (
        "catalogs: {a: {name: a, grants: {a@b.c: [SELECT]}}}\n",
        "E0126 conf/a.yaml:1:33 `grants` is a list, or a map with `entries`, not a map by name [write `grants: [{ principal: a@b.c, privileges: [SELECT] }]`]",
    ),
    (
        "spaces: {a: {title: a, warehouse_id: w, sample_questions: [q, q]}}\n",
        "E0122 conf/a.yaml:1:63 `sample_questions` of spaces.a has `question: q` twice [take one away; where both are meant, tell them apart by a `$key: NAME` in each]",
    ),
    (
        "jobs:\n  a:\n    name: a\n    tags: { a: b }\n    job_clusters: []\n    queue:\n      -a\n",
        "E0105 conf/a.yaml:7:7 `queue` must be a map, not text",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    sample_questions:\n      - One?\n       - Two?\n",
        "W0132 conf/a.yaml:7:8 this stands further in than the item above, so that YAML reads it as more of its text [indent it like",
    ),
    ("schemas: {a: {name: a}}\n", "E0106 conf/a.yaml:1:11 schemas.a has no `catalog_name`"),
    ("jobs: {a: {}}\n", "E0106 conf/a.yaml:1:8 jobs.a has no `name`"),
    ("jobs: {a: {name: a, taskz: []}}\n", "E0107 conf/a.yaml:1:21 unknown field `taskz` in jobs.a [did you mean `tasks`?]"),
    ("jobs: {a: {name: a, lifecyle: {}}}\n", "E0107 conf/a.yaml:1:21 unknown field `lifecyle` in jobs.a [did you mean `lifecycle`?]"),
    (
        "jobs: {a: {name: a, brand_new_thing: 1}}\n",
        "W0108 conf/a.yaml:1:21 unknown field `brand_new_thing` in jobs.a [it is sent as it is, in case the API has gained it; `--strict` refuses it]",
    ),
    (
        "jobs: {a: {name: a, tasks: [{task_key: t, run_if: ALL_DON}]}}\n",
        "E0109 conf/a.yaml:1:51 `tasks[0].run_if` cannot be `ALL_DON` [did you mean `ALL_DONE`?]",
    ),
    (
        "jobs: {a: {name: a, description: null}}\n",
        "E0110 conf/a.yaml:1:34 `description` cannot be null: the API has no explicit unset for it [leave the field out; removing a field that was applied before unsets it]",
    ),
    ("jobs: {a: {name: 1.10}}\n", "W0111 conf/a.yaml:1:18 `name` is text, and this is a number [quote it]"),
    (
        "jobs: {a: {name: a, lifecycle: {prevent_destory: true}}}\n",
        "E0118 conf/a.yaml:1:33 unknown key `prevent_destory` in `lifecycle` [did you mean `prevent_destroy`?]",
    ),
    (
        "jobs: {a: {name: a, lifecycle: {prevent_destroy: maybe}}}\n",
        "E0118 conf/a.yaml:1:50 `lifecycle.prevent_destroy` must be true or false, not text",
    ),
    ("jobs: {a: {name: a, when: 3}}\n", "E0118 conf/a.yaml:1:27 `when` must give true or false, not a whole number"),
    (
        "jobs: {a: {name: a, depends_on: [jobs]}}\n",
        "E0118 conf/a.yaml:1:34 `jobs` is not an address: the key is missing (an address looks like `jobs.nightly`, `jobs.ingest[\"eu\"]` or `jobs.nightly/permissions`)",
    ),
    (
        "jobs: {nightly: {name: a}, b: {name: b, depends_on: [jobs.nightl]}}\n",
        "E0119 conf/a.yaml:1:54 there is no jobs.nightl to depend on [did you mean `jobs.nightly`?]",
    ),
    (
        "jobs: {a: {name: a, depends_on: [jobs.b]}, b: {name: b, depends_on: [jobs.a]}}\n",
        "E0120 conf/a.yaml:1:8 resources depend on one another in a circle: jobs.a → jobs.b → jobs.a [take one of the references or `depends_on` away]",
    ),
    ("catalogs: {a: {name: x}, b: {name: x}}\n", "E0121 conf/a.yaml:1:26 catalogs.a and catalogs.b are the same object: x"),
    (
        "workspace_conf: {a: {enableX: 'true'}, b: {enableX: 'false'}}\n",
        "E0121 conf/a.yaml:1:44 `enableX` is set by workspace_conf.a and by workspace_conf.b",
    ),
    (
        "jobs: {a: {name: a, permissions: [{group_name: g, permission_level: CAN_VIEW}]}}\npermissions: {p: {object_type: jobs, object_id: \"${jobs.a.id}\", entries: []}}\n",
        "E0121 conf/a.yaml:2:15 jobs.a/permissions and permissions.p are the same object: jobs/jobs.a.id",
    ),
    ("jobs: {a: {name: a, tasks: [{task_key: t}, {task_key: t}]}}\n", "E0122 conf/a.yaml:1:55 `tasks` of jobs.a has `task_key: t` twice"),
    (
        "catalogs: {a: {name: x, grants: [{principal: p, privileges: [SELECT]}, {principal: p, privileges: []}]}}\n",
        "E0122 conf/a.yaml:1:84 `grants` of catalogs.a/grants has `principal: p` twice",
    ),
    (
        "jobs: {a: {name: a, when: false}, b: {name: b, description: \"${jobs.a.name}\"}}\n",
        "E0123 conf/a.yaml:1:64 jobs.a is referred to, but its `when` is false in environment dev [give both the same `when`, or take the reference away]",
    ),
    (
        "jobs: {a: {name: a}, b: {name: \"${jobs.a.id}\"}}\n",
        "E0124 conf/a.yaml:1:32 `name` of jobs.b must be known when it is planned [a job is recognised by it]",
    ),
    (
        "import: [{to: jobs.b, id: 1}]\n",
        "E0125 conf/a.yaml:1:15 there is no jobs.b to import to [declare it: an import takes an existing object under a resource of the project]",
    ),
    ("jobs: {a: {name: a}}\nmoved: [{from: jobs.a, to: jobs.b}]\n", "E0125 conf/a.yaml:2:16 jobs.a is moved away and still declared"),
    ("jobs: {a: {name: a, grants: []}}\n", "E0126 conf/a.yaml:1:21 a job takes no `grants` [it takes `permissions`]"),
    (
        "jobs: {a: {name: a, permissions: 3}}\n",
        "E0126 conf/a.yaml:1:34 `permissions` is a list, or a map with `entries`, not a whole number [`permissions: []` takes everything away; leaving it out leaves what is there]",
    ),
    (
        "jobs: {a: {for_each: [x, x], name: a}}\n",
        "E0127 conf/a.yaml:1:22 `for_each` has `x` twice [`for_each` takes a map, or a list of distinct strings]",
    ),
    ("jobs: {a: {name: \"${1 +}\"}}\n", "E0201 conf/a.yaml:1:21"),
    ("jobs: {a: {name: \"${}\"}}\n", "E0201 conf/a.yaml:1:18"),
    (
        "jobs: {a: {name: \"x ${env.name\"}}\n",
        "E0202 conf/a.yaml:1:21 an expression does not end: its `}` is missing [an expression is `${...}`; a literal `${` is written `$${`]",
    ),
    ("jobs: {a: {name: \"${1 // 0}\"}}\n", "E0203 conf/a.yaml:1:21"),
    (
        "jobs: {a: {name: \"${catalgo}\"}}\n",
        "E0204 conf/a.yaml:1:21 `catalgo` is not defined [there is a variable `catalog` (conf/project.yaml:1)]",
    ),
    ("jobs: {a: {name: \"${env.host2}\"}}\n", "E0204 conf/a.yaml:1:21 `env.host2` is not defined [there is `env.name` and `env.host`]"),
    ("jobs: {a: {name: \"${each.key}\"}}\n", "E0215 conf/a.yaml:1:21 `each` has a meaning only inside a resource with `for_each`"),
    (
        "jobs: {nightly: {name: a}, b: {name: \"${jobs.nigthly.name}\"}}\n",
        "E0205 conf/a.yaml:1:46 there is no jobs.nigthly [did you mean `nightly`?]",
    ),
    (
        "jobs: {a: {name: a}, b: {name: \"${jobs.a}\"}}\n",
        "E0206 conf/a.yaml:1:35 jobs.a is referred to without a field [write `${jobs.a.id}`, or another field]",
    ),
    ("jobs: {a: {name: a}, b: {name: \"${jobs.a.nmae}\"}}\n", "E0206 conf/a.yaml:1:35 jobs.a has no field `nmae` [did you mean `name`?]"),
    (
        "jobs: {a: {name: \"${jobs.b.name}\"}, b: {name: \"${jobs.a.name}\"}}\n",
        "E0207 conf/a.yaml:1:50 values refer to one another in a circle: jobs.b.name → jobs.a.name → jobs.b.name",
    ),
    ("jobs: {a: {name: \"x${['l']}\"}}\n", "E0208 conf/a.yaml:1:22 `['l']` is a list, which has no place inside text"),
    (
        "warehouses: {w: {name: bi, cluster_size: Small}}\njobs: {a: {name: a, description: \"${lookup('warehouses', 'bi').id}\"}}\n",
        "E0212 conf/a.yaml:2:37 `bi` is managed by this project as warehouses.w [use `${warehouses.w.id}`]",
    ),
    ("jobs: {a: {name: a, description: \"${file('../x')}\"}}\n", "E0213 conf/a.yaml:1:42 file(): `../x` leads out of the project's folder"),
    (
        "spaces:\n  a:\n    name: agents/01\n    title: a\n    warehouse_id: w\n    effective_parent_path: /Users/x\n",
        "W0112 conf/a.yaml:3:5 fields that only the workspace fills are left out: `effective_parent_path` and `name`",
    ),
    ("jobs: {a: {name: a, format: MULTI_TASK}}\n", "W0112 conf/a.yaml:1:21 fields that only the workspace fills are left out: `format`"),
    (
        "queries:\n  q:\n    display_name: q\n    warehouse_id: w\n    query_text: SELECT 1 FROM {{ catalog }}.a.b\n",
        "W0232 conf/a.yaml:5:31 `{{ catalog }}` is sent as it is: scalars of YAML are no templates [in YAML a variable is written `${catalog}`]",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables: ['{{catalog}}.b.c']\n",
        "E0114 conf/a.yaml:5:14 spaces.a: tables[0].identifier: `{{catalog}}.b.c` is no name: `{` has no place in one, but in backticks [in YAML a variable is written `${catalog}`]",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables:\n      - {{catalog}}.b.c\n",
        "E0009 conf/a.yaml:6:9 `{{...}}` needs quotes here [write `${catalog}` for the variable `catalog`: scalars of YAML are no templates]",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables: [a.b.two words]\n",
        "E0114 conf/a.yaml:5:14 spaces.a: tables[0].identifier: `a.b.two words` is no name: a blank has no place in one, but in backticks",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables: [a.b.*]\n",
        "E0114 conf/a.yaml:5:14 spaces.a: tables[0].identifier: `a.b.*` names nothing: `*` stands for no names here, write each of them",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables: [a.b.c\u{a0}d]\n",
        "E0114 conf/a.yaml:5:14 spaces.a: tables[0].identifier: `a.b.c\u{a0}d` is no name: a non-breaking space (U+00A0) has no place in one, but in backticks",
    ),
    (
        "jobs: {a: {name: \"a\u{200b}\"}}\n",
        "W0135 conf/a.yaml:1:18 `name` of jobs.a has a zero-width space (U+200B) in it [type the text anew; where the sign is meant, write it as `\\u200b` in double quotes]",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    parent_path: /Workspace/./Shared/x/../genie\n",
        "E0114 conf/a.yaml:5:18 spaces.a: parent_path: a path of the workspace is written out, without `.` and `..`: write `/Workspace/Shared/genie`",
    ),
    (
        "directories: {a: {path: /Shared/../..}}\n",
        "E0114 conf/a.yaml:1:25 directories.a: path: a path of the workspace is written out, without `.` and `..`",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    tables: [a.b.orders, a.b.customers]\n    instructions:\n      joins: [{left: a.b.orders, right: a.b.customer, condition: orders.id = customers.id, relationship: MANY_TO_ONE}]\n",
        "E0114 conf/a.yaml:7:41 spaces.a: instructions.joins[0].right: `a.b.customer` is no table of this space: did you mean `a.b.customers`?",
    ),
    (
        "spaces:\n  a:\n    title: a\n    warehouse_id: w\n    permissions: [{group_name: g, permission_level: IS_OWNER}]\n",
        "E0114 conf/a.yaml:5:53 spaces.a: permissions[0].permission_level: there is no level `IS_OWNER` here: levels are CAN_READ, CAN_RUN, CAN_EDIT, CAN_MANAGE",
    ),
    (
        "version: 1\nspaces:\n  - title: A\n    warehouse_id: w\n",
        "E0104 conf/a.yaml:3:5 an item below `spaces` has no `space_id:` [in the list form each item names itself by `space_id: NAME`; or write a map `NAME: {..}`]",
    ),
    (
        "sales: {name: x}\njobs: {sales: {name: a}}\n",
        "E0101 conf/a.yaml:1:1 `sales` is not a kind of resource [`sales` is a job: write `jobs: { sales: .. }`]",
    ),
    ("space_things: {}\n", "E0101 conf/a.yaml:1:1 `space_things` is not a kind of resource [there are 36, among them `spaces`"),
];

#[test]
fn mistakes_in_resources() {
    let mut wrong = Vec::new();
    for (text, want) in RESOURCES {
        let f = folder(&[
            ("conf/project.yaml", "variables: {catalog: {default: main}}\n"),
            ("conf/a.yaml", text),
            ("conf/z.yaml", "jobs: {user: {name: \"${catalog}\"}}\n"),
        ]);
        let found = f.found();
        if found.lines().count() != 1 || !found.starts_with(want) {
            wrong.push(format!("{text}want {want}\ngot  {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn mistakes_in_settings() {
    let mut wrong = Vec::new();
    for (settings, environment, want) in [
        ("nmae: x\n", "", "E0302 conf/project.yaml:1:1 unknown key `nmae` in the project's settings [did you mean `name`?]"),
        ("name: [x]\n", "", "E0303 conf/project.yaml:1:7 `name` must be text, not a list"),
        ("includes: [nowhere]\n", "", "E0314 conf/project.yaml:1:12 `includes` names `nowhere`, which matches no file"),
        (
            "variables: {x: {type: strnig, default: a}}\n",
            "variables: {x: b}\n",
            "E0220 conf/project.yaml:1:23 variable `x` has the unknown type `strnig` [did you mean `string`?]",
        ),
        (
            "variables: {x: {type: integer, default: a}}\n",
            "",
            "E0221 conf/project.yaml:1:41 variable `x` is declared as integer, and this is text",
        ),
        (
            "variables: {x: {enum: [small, large], default: c}}\n",
            "",
            "E0222 conf/project.yaml:1:48 variable `x` may not be `c` [there is `large` and `small`]",
        ),
        (
            "variables: {x: {pattern: '[a-z]+', default: A1}}\n",
            "",
            "E0222 conf/project.yaml:1:45 variable `x` is `A1`, which does not match the pattern `[a-z]+`",
        ),
        ("variables: {x: {pattern: '['}}\n", "variables: {x: a}\n", "E0220"),
        ("variables: {x: {type: string}}\n", "", "E0223 environments/dev.yaml:1:1 variable `x` has no value in environment dev"),
        (
            "variables: {jobs: {default: a}}\n",
            "",
            "E0227 conf/project.yaml:1:13 a variable cannot be called `jobs`: it is the name of a kind",
        ),
        (
            "variables: {each: {default: a}}\n",
            "",
            "E0227 conf/project.yaml:1:13 a variable cannot be called `each`: it is a word of expressions",
        ),
        (
            "variables: {x: {default: a}}\n",
            "variables: {y: 1}\n",
            "E0224 environments/dev.yaml:1:13 variable `y` is not declared in conf/project.yaml",
        ),
        ("variables: {x: {default: \"${y}\"}, y: {default: \"${x}\"}}\n", "", "E0207 conf/project.yaml:1:"),
        ("name: x\n", "extend: y\n", "E0309 environments/dev.yaml:1:1 unknown key `extend` in environment `dev` [did you mean `extends`?]"),
        ("name: x\n", "extends: bsae\n", "E0308 environments/dev.yaml:1:10 environment `dev` extends `bsae`, which does not exist"),
        ("name: x\n", "extends: dev\n", "E0307 environments/dev.yaml:1:10 environments extend one another in a circle: dev → dev"),
        (
            "name: x\n",
            "workspace: remote\n",
            "E0303 environments/dev.yaml:1:12 `workspace` is `remote`, and must be `local` or a map (`host`, `profile`, ..) [write `workspace: { profile: remote }`]",
        ),
        (
            "name: x\n",
            "workspace: {token: dapi}\n",
            "E0311 environments/dev.yaml:1:13 `workspace.token` is a credential, which does not belong in a file of the project",
        ),
        (
            "name: x\n",
            "workspace: {hsot: y}\n",
            "E0309 environments/dev.yaml:1:13 unknown key `hsot` in `workspace` [did you mean `host`?]",
        ),
        (
            "name: x\n",
            "workspace: locl\n",
            "E0303 environments/dev.yaml:1:12 `workspace` is `locl`, and must be `local` or a map (`host`, `profile`, ..) [did you mean `local`?]",
        ),
        (
            "name: x\n",
            "guards: {on_conflict: blok}\n",
            "E0303 environments/dev.yaml:1:23 `guards.on_conflict` is `blok`, and may only be `block` or `overwrite` [did you mean `block`?]",
        ),
        (
            "name: x\n",
            "guards: {max_deletes: many}\n",
            "E0303 environments/dev.yaml:1:23 `guards.max_deletes` must be a whole number from 0, not text",
        ),
        (
            "name: x\n",
            "guards: {protect: [catalgos]}\n",
            "E0303 environments/dev.yaml:1:20 `guards.protect` names `catalgos`, which is no kind [did you mean `catalogs`?]",
        ),
        (
            "name: x\n",
            "state: {key: {env: NOT_SET}}\n",
            "W0313 environments/dev.yaml:1:14 the state key is not there: the environment variable NOT_SET is not set",
        ),
    ] {
        let found = folder(&[("conf/project.yaml", settings), ("environments/dev.yaml", environment)]).found();
        if !found.lines().any(|line| line.starts_with(want)) {
            wrong.push(format!("{settings}{environment}want {want}\ngot  {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_of_all_files_in_one_run_by_place() {
    let f = folder(&[
        ("conf/project.yaml", "nmae: x\n"),
        ("conf/b.yaml", "jobs: {b: {name: \"${nothing}\", taks: 1}}\n"),
        ("conf/a.yaml", "jbos: {}\n"),
        ("conf/broken.yaml", "jobs: {a: [\n"),
        ("environments/other.yaml", "gaurds: {}\n"),
    ])
    .env("dev");
    f.write("environments/dev.yaml", "workspace: local\n");
    let failed = f.load().err().unwrap();
    let codes: Vec<String> = failed.diagnostics.iter().map(|d| format!("{} {}", d.code, d.labels[0].span.source.name)).collect();
    assert_eq!(
        codes,
        [
            "E0101 conf/a.yaml",
            "E0204 conf/b.yaml",
            "E0107 conf/b.yaml",
            "E0013 conf/broken.yaml",
            "E0302 conf/project.yaml",
            "E0309 environments/other.yaml"
        ],
        "{}",
        shown(&failed.diagnostics)
    );
}

#[test]
fn what_stands_in_a_broken_file_is_not_missed() {
    let f = folder(&[("conf/a.yaml", "jobs: {a: {name: \"${warehouses.w.name}\"}}\n"), ("conf/broken.yaml", "warehouses: {w: [\n")]);
    assert!(!f.found().contains("E0205"), "{}", f.found());
}

#[test]
fn strict_turns_warnings_into_errors() {
    let mut f = folder(&[("conf/a.yaml", "jobs: {a: {name: a, brand_new_thing: 1}}\n")]);
    assert!(f.resolve().is_ok());
    f.ask.strict = true;
    assert!(f.resolve().is_err());
}

#[test]
fn unused_and_stray_variables_are_warned_about() {
    let f = folder(&[
        ("conf/project.yaml", "variables: {used: {default: a}, idle: {default: b}, elsewhere: {default: c}}\n"),
        ("conf/a.yaml", "jobs: {a: {name: \"${used}\", when: false}}\n"),
        ("environments/dev.yaml", "workspace: local\n"),
        ("environments/prod.yaml", "resources: {jobs: {a: {description: \"${elsewhere}\"}}}\n"),
    ])
    .env("dev")
    .variable("BRICKFORM_VAR_usde", "x");
    assert_eq!(
        f.found(),
        "W0225 - the environment variable BRICKFORM_VAR_usde sets a variable that nobody declares [did you mean BRICKFORM_VAR_used?]\n\
         W0226 conf/project.yaml:1:33 variable `idle` is declared and nothing uses it [use it as `${idle}`, or take it away]"
    );
}

#[test]
fn a_literal_secret_is_refused() {
    let served = |key: &str| {
        format!(
            "serving_endpoints: {{e: {{name: e, config: {{served_entities: [{{name: x, external_model: {{name: m, provider: openai, task: llm/v1/chat, openai_config: {{openai_api_key_plaintext: {key}}}}}}}]}}}}}}\n"
        )
    };
    for (key, want) in [("sk-1", "E0113"), ("\"${secret('K')}\"", ""), ("\"{{secrets/a/b}}\"", "")] {
        let found = folder(&[("conf/a.yaml", &served(key))]).found();
        assert!(if want.is_empty() { !found.contains("E01") } else { found.contains(want) }, "{key}: {found}");
        assert!(!found.contains("sk-1"), "{found}");
    }
}

#[test]
fn a_merge_conflict_is_told_wherever_it_is_read() {
    let conflict = "SELECT 1\n<<<<<<< HEAD\nFROM a\n=======\nFROM b\n>>>>>>> main\n";
    let query = |text: &str| format!("queries: {{q: {{display_name: q, warehouse_id: w, query_text: '{text}'}}}}\n");
    for (name, text) in [("sql/q.sql", query("${file(\"sql/q.sql\")}")), ("sql/q.sql.hbs", query("${template(\"sql/q.sql.hbs\")}"))] {
        let files = folder(&[(name, conflict), ("conf/q.yaml", &text)]);
        assert!(files.found().starts_with(&format!("E0014 {name}:2:1 this is a merge conflict")), "{}", files.found());
    }
    let json = "{\"version\": 2,\n<<<<<<< HEAD\n\"config\": {}\n=======\n\"config\": {\"a\": 1}\n>>>>>>> main\n}\n";
    let space = "spaces: {s: {title: S, warehouse_id: w, serialized_space: {file: s.json}}}\n";
    let files = folder(&[("s.json", json), ("conf/s.yaml", space)]);
    assert!(files.found().starts_with("E0014 s.json:2:1 this is a merge conflict"), "{}", files.found());
    // Half of one is none: lines of Markdown look so.
    let files = folder(&[("sql/q.sql", "Title\n=======\n"), ("conf/q.yaml", &query("${file(\"sql/q.sql\")}"))]);
    assert_eq!(files.found(), "");
}

/// What `file()` reads is text; an expression of the project in it is told at its line, once.
#[test]
fn an_expression_in_a_file_is_told() {
    let query = |key: &str| format!("{key}: {{display_name: {key}, warehouse_id: w, query_text: \"${{file('sql/q.sql')}} ${{catalog}}\"}}");
    let queries = format!("queries: {{{}, {}}}\n", query("q"), query("r"));
    let settings = "name: test\nvariables: {catalog: {default: dev}}\n";
    for (text, want) in [
        (
            "SELECT 1\nFROM ${catalog}.a.b\n",
            "W0232 sql/q.sql:2:6 `${catalog}` is sent as it is: file() evaluates nothing in the text of a file [write `{{catalog}}` here and read the file by `${template('sql/q.sql')}`]",
        ),
        ("${env.name}", "W0232 sql/q.sql:1:1 `${env.name}` is sent"),
        ("SELECT '${other}', $catalog, '$${catalog}', '\\${catalog}', '${env}'", ""),
    ] {
        let files = folder(&[("sql/q.sql", text), ("conf/q.yaml", &queries), ("conf/project.yaml", settings)]);
        let found = files.found();
        assert!(if want.is_empty() { found.is_empty() } else { found.starts_with(want) && !found.contains('\n') }, "{text}: {found}");
    }
}

#[test]
fn texts_that_are_read_in_another_way_are_told() {
    let settings = "name: test\nvariables: {catalog: {default: dev}}\n";
    for (text, want) in [
        (
            "\"${template('sql/q.sql.hbs')}\"",
            "W0232 sql/q.sql.hbs:2:6 `${catalog}` is sent as it is: template() puts in what stands in `{{...}}` [write `{{catalog}}`]",
        ),
        ("sql/q.sql", "W0136 conf/q.yaml:5:17 `sql/q.sql` is the path of a file, and is sent as a text [`${file('sql/q.sql')}` reads it]"),
        (
            "sql/q.sql.hbs",
            "W0136 conf/q.yaml:5:17 `sql/q.sql.hbs` is the path of a file, and is sent as a text [`${template('sql/q.sql.hbs')}` reads it]",
        ),
        // A query has braces of its own, which its file may have, too.
        ("\"${file('sql/q.sql')}${catalog}\"", ""),
        // What is no file, is no variable, is escaped or is the query's own.
        ("sql/none.sql", ""),
        ("SELECT '{{other}}', '{{job.id}}', '{{catalog.x}}', '\\{{catalog}}'", ""),
        ("\"SELECT ${'{{catalog}}'}\"", ""),
        ("SELECT '{{catalog}}'\n    parameters: [{name: catalog, text_value: {value: x}}]", ""),
    ] {
        let query = format!("queries:\n  q:\n    display_name: \"${{catalog}}\"\n    warehouse_id: w\n    query_text: {text}\n");
        let files = folder(&[
            ("sql/q.sql", "SELECT 1 FROM {{catalog}}.a.b, \\{{catalog}}\n"),
            ("sql/q.sql.hbs", "SELECT 1\nFROM ${catalog}.a.b {{catalog}}\n"),
            ("conf/q.yaml", &query),
            ("conf/project.yaml", settings),
        ]);
        let found = files.found();
        assert!(if want.is_empty() { found.is_empty() } else { found.starts_with(want) && !found.contains('\n') }, "{text}: {found}");
    }
}

#[test]
fn slips_in_overlays_are_told() {
    let base = "spaces:\n  a:\n    title: A\n    warehouse_id: w\n    tables: [a.b.trips]\n    instructions:\n      example_sql: [{question: Which sells most?, sql: SELECT 1}]\n  bakery: {title: B, warehouse_id: w}\n";
    for (over, want) in [
        ("spaces: {a: {delete: true}}", "E0107 environments/dev.yaml:2:26 unknown field `delete` in spaces.a [did you mean `$delete`?]"),
        (
            "spaces: {a: {tables: [{identifier: a.b.trips, replace: true}]}}",
            "E0107 environments/dev.yaml:2:59 unknown field `replace` in spaces.a [did you mean `$replace`?]",
        ),
        (
            "spaces: {a: {instructions: {delete: true}}}",
            "E0107 environments/dev.yaml:2:41 unknown field `delete` in spaces.a [did you mean `$delete`?]",
        ),
        (
            "spaces: {a: {tables: [a.b.trip]}}",
            "W0134 environments/dev.yaml:2:35 `a.b.trip` is in the overlay only, and `a.b.trips` is nearly called so [did you mean `a.b.trips`?]",
        ),
        (
            "spaces: {a: {tables: [{identifier: a.b.trip, $delete: true}]}}",
            "E0115 environments/dev.yaml:2:35 `$delete` of `identifier: a.b.trip`, which is not there [did you mean `a.b.trips`?]",
        ),
        (
            "spaces: {a: {instructions: {example_sql: [{question: Which sels most?, sql: SELECT 2}]}}}",
            "W0134 environments/dev.yaml:2:66 `Which sels most?` is in the overlay only",
        ),
        (
            "spaces: {bakry: {$delete: true}}",
            "E0115 environments/dev.yaml:2:22 `$delete` of spaces.bakry, which is not there [did you mean `bakery`?]",
        ),
        (
            "a: {title: X}",
            "E0101 environments/dev.yaml:2:13 `a` is not a kind of resource [`a` is a Genie space: write `spaces: { a: .. }`]",
        ),
        // These are meant.
        ("spaces: {a: {tables: [{identifier: a.b.trip, $replace: true}]}}", ""),
        ("spaces: {a: {tables: [a.b.trips, a.b.trips_eu, a.b.trips2]}}", ""),
        ("spaces: {a: {$delete: true}}", ""),
        ("jobs: {j: {name: j, tags: {delete: true}}}", ""),
    ] {
        let overlay = format!("workspace: local\nresources: {{{over}}}\n");
        let files = folder(&[("conf/s.yaml", base), ("environments/dev.yaml", &overlay)]);
        let found = files.found();
        assert!(
            if want.is_empty() { !found.contains("E0107") && !found.contains("W0134") } else { found.starts_with(want) },
            "{over}: {found}"
        );
    }
}

#[test]
fn what_nobody_reads_and_what_says_nothing_is_told() {
    for text in ["", "# jobs:\n#   a: {name: a}\n", "jobs:\n", "---\n"] {
        let files = folder(&[("conf/a.yaml", text)]);
        assert!(files.found().starts_with("W0318 conf/a.yaml:1:1 `conf/a.yaml` has nothing in it"), "{text:?}: {}", files.found());
    }
    for text in ["jobs: {}\n", "jobs: {a: {name: a}}\nwarehouses:\n"] {
        assert_eq!(folder(&[("conf/a.yaml", text)]).found(), "", "{text:?}");
    }
    for (folder_name, text, near) in [
        ("space", "spaces: {s: {title: S, warehouse_id: w}}\n", Some("spaces")),
        ("config", "resources: {jobs: {a: {name: a}}}\n", Some("conf")),
        ("environment", "workspace: local\n", Some("environments")),
        // What is in it is none of ours, or its name.
        ("space", "colours: {s: 1}\n", None),
        ("docs", "spaces: {s: {title: S, warehouse_id: w}}\n", None),
    ] {
        let files = folder(&[(&format!("{folder_name}/a.yaml"), text), ("environments/dev.yaml", "workspace: local\n")]);
        let wanted = near.map_or_else(String::new, |near| {
            format!("W0319 {folder_name}/a.yaml:1:1 the folder `{folder_name}` is not read, and resources are declared in it [did you mean `{near}`?]")
        });
        assert_eq!(files.found(), wanted, "{folder_name}");
    }
    let included = folder(&[("space/a.yaml", "jobs: {a: {name: a}}\n"), ("conf/project.yaml", "name: t\nincludes: [space]\n")]);
    assert_eq!(included.found(), "");
}

#[test]
fn signs_that_nobody_sees_are_named() {
    let help = |text: &str| {
        let files = folder(&[("conf/a.yaml", text)]);
        let found = files.resolve().map_or_else(|found| found, |desired| desired.warnings);
        found.iter().map(|d| format!("{} {}", d.code, d.help.join("; "))).collect::<Vec<_>>().join("\n")
    };
    for (text, code, wanted) in [
        ("jobs:\n  a:\n    name\u{a0}: a\n", "E", "at 3:9 stands a non-breaking space (U+00A0)"),
        ("jobs:\n  a:\n    name:\u{a0}a\n", "E", "at 3:10 stands a non-breaking space (U+00A0)"),
        ("jobs:\n  a:\n  \u{a0}\u{a0}name: a\n", "E", "a non-breaking space (U+00A0)"),
        ("jobs\u{200b}:\n  a: {name: a}\n", "E0101", "at 1:5 stands a zero-width space (U+200B)"),
        ("spaces: {s: {title: S, warehouse_id: w, tables: [a.b.c\u{a0}]}}\n", "E0114", "at 1:55 stands a non-breaking space (U+00A0)"),
        ("spaces: {s: {title: S, warehouse_id: w, tables: [a.b.\u{200b}c]}}\n", "E0114", "at 1:54 stands a zero-width space (U+200B)"),
        ("jobs: {a: {name: a\u{200b}}}\n", "W0135", "where the sign is meant, write it as `\\u200b` in double quotes"),
    ] {
        let found = help(text);
        assert!(found.starts_with(code) && found.contains(wanted), "{text:?}: {found}");
    }
    for meant in ["jobs: {a: {name: 10\u{a0}000 Zeilen}}\n", "jobs: {a: {name: \"a\\u00a0\"}}\n"] {
        assert_eq!(help(meant), "", "{meant:?}");
    }
}
