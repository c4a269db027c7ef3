//! What a random platform is made of: a declaration for each kind.
//!
//! In texts `{n}` is the number of the slot, `{r}` what a rename adds to its name, `{e}` the key of an instance. `@k%m.f|x@`
//! is a reference to the field `f` of slot `n % m` of kind `k`, and `x` where that is not there; `=k%m=` is its name as text.

/// A kind in the platform.
pub struct Sort {
    pub kind: &'static str,
    /// How many there may be.
    pub count: u64,
    /// The field that names it, and its text.
    pub name: (&'static str, &'static str),
    /// What must be there for it to be: kind, and the number by which its own is divided.
    pub needs: &'static [(&'static str, u64)],
    /// Its fields, each with the texts that it may have; an empty one: not written.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    pub ways: Ways,
    /// The first seed whose platform may have it: what earlier seeds found stays found.
    pub since: u64,
}

/// What else may happen to it.
#[derive(Clone, Copy)]
pub struct Ways {
    /// Its name may change.
    pub renamed: bool,
    /// Its key may change: the same object at another address.
    pub moved: bool,
    /// It may be written once for several (`for_each`), and left out by `when`: nothing refers to it.
    pub loose: bool,
    /// It hangs on what it needs: there whenever that is. Taken out of YAML alone it is left as it is.
    pub tied: bool,
    /// One that must not be destroyed, and is never left out.
    pub kept: Option<u64>,
}

const FIXED: Ways = Ways { renamed: false, moved: false, loose: false, tied: false, kept: None };
const TIED: Ways = Ways { tied: true, ..FIXED };
const FREE: Ways = Ways { renamed: true, moved: true, ..FIXED };
const LOOSE: Ways = Ways { loose: true, ..FREE };
const MOVED: Ways = Ways { moved: true, ..FIXED };

const ENTRIES: &[&str] = &[
    "[{ group_name: analysts, permission_level: CAN_MANAGE }, { user_name: admin@brickform.local, permission_level: CAN_MANAGE }]",
    "[{ user_name: ada@brickform.local, permission_level: CAN_MANAGE }, { user_name: admin@brickform.local, permission_level: CAN_MANAGE }]",
];
const COMMENTS: &[&str] = &["c1", "c2", "c3", "'with: colon'"];
const LOOSE_COMMENTS: &[&str] = &["", "c1", "c2", "c3"];

/// All of them. What comes later may need what comes before.
pub const SORTS: &[Sort] = &[
    Sort {
        kind: "users",
        count: 2,
        name: ("user_name", "u{n}{r}@sim.example"),
        needs: &[],
        fields: &[
            ("display_name", &["One", "Two", "Three"]),
            ("entitlements", &["[]", "[allow-cluster-create]", "[databricks-sql-access]"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "service_principals",
        count: 2,
        name: ("display_name", "robot{n}{r}"),
        needs: &[],
        fields: &[
            ("entitlements", &["[]", "[allow-cluster-create]", "[workspace-access, allow-cluster-create]"]),
            ("active", &["true", "false"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "groups",
        count: 3,
        name: ("display_name", "team{n}{r}"),
        needs: &[],
        fields: &[
            ("entitlements", &["[]", "[workspace-access]", "[workspace-access, databricks-sql-access]"]),
            (
                "members",
                &[
                    "[]",
                    "[{ user_name: ada@brickform.local }]",
                    "[{ user_name: grace@brickform.local }, { service_principal_name: sp-jobs }]",
                    "['@users%2.id|2000000000003@', { group_name: analysts }]",
                    "['@service_principals%2.id|2000000000002@']",
                ],
            ),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "catalogs",
        count: 2,
        name: ("name", "lake{n}{r}"),
        needs: &[],
        fields: &[
            ("comment", COMMENTS),
            ("storage_root", &["", "", "", "abfss://lake@account.dfs.core.windows.net/lake{n}"]),
            ("properties", &["{ a: b }", "{ a: c }", "{ a: b, d: e }"]),
            (
                "grants",
                &[
                    "[{ principal: ada@brickform.local, privileges: [USE_CATALOG] }, { principal: analysts, privileges: [USE_CATALOG] }]",
                    "[{ principal: ada@brickform.local, privileges: [USE_CATALOG, BROWSE] }, { principal: analysts, privileges: [SELECT] }]",
                ],
            ),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "schemas",
        count: 4,
        name: ("name", "layer{n}{r}"),
        needs: &[("catalogs", 2)],
        fields: &[("catalog_name", &["=catalogs%2=", "'@catalogs%2.name|none@'"]), ("comment", LOOSE_COMMENTS)],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "volumes",
        count: 4,
        name: ("name", "files{n}{r}"),
        needs: &[("catalogs", 2), ("schemas", 4)],
        fields: &[
            ("catalog_name", &["=catalogs%2=", "'@catalogs%2.name|none@'"]),
            ("schema_name", &["=schemas%4=", "'@schemas%4.name|none@'"]),
            ("comment", COMMENTS),
            ("volume_type", &["MANAGED", "MANAGED", "MANAGED"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "grants",
        count: 2,
        name: ("securable_type", "schema"),
        needs: &[("catalogs", 2), ("schemas", 4)],
        fields: &[
            ("full_name", &["'@schemas%4.full_name|none@'"]),
            ("entries", &["[{ principal: analysts, privileges: [SELECT] }]", "[{ principal: analysts, privileges: [SELECT, MODIFY] }]"]),
        ],
        ways: TIED,
        since: 0,
    },
    Sort {
        kind: "warehouses",
        count: 2,
        name: ("name", "bi{n}{r}"),
        needs: &[],
        fields: &[
            ("cluster_size", &["Small", "Medium", "Large"]),
            ("auto_stop_mins", &["", "10", "20", "30"]),
            ("tags", &["{ custom_tags: [{ key: of, value: a }] }", "{ custom_tags: [{ key: of, value: b }, { key: on, value: c }] }"]),
        ],
        ways: Ways { kept: Some(1), ..FREE },
        since: 0,
    },
    Sort {
        kind: "instance_pools",
        count: 2,
        name: ("instance_pool_name", "pool{n}{r}"),
        needs: &[],
        fields: &[("node_type_id", &["i3.xlarge", "i3.xlarge", "m5.large"]), ("min_idle_instances", &["0", "1", "2"])],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "clusters",
        count: 3,
        name: ("cluster_name", "shared{n}{r}"),
        needs: &[],
        fields: &[
            ("spark_version", &["15.4.x-scala2.12", "16.4.x-scala2.12"]),
            ("node_type_id", &["Standard_DS3_v2", "Standard_DS4_v2"]),
            ("num_workers", &["0", "1", "2", "3"]),
            ("autotermination_minutes", &["30", "60"]),
            ("custom_tags", &["{ a: b }", "{ a: c, warehouse: '@warehouses%2.id|none@' }"]),
            ("is_pinned", &["true", "false"]),
            ("start", &["", "", "false"]),
            (
                "libraries",
                &[
                    "[]",
                    "[{ pypi: { package: pandas==2.2.0 } }]",
                    "[{ pypi: { package: pandas==2.2.0 } }, { whl: /Volumes/main/default/x.whl }]",
                ],
            ),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "jobs",
        count: 4,
        name: ("name", "job{n}{r}"),
        needs: &[],
        fields: &[
            ("max_concurrent_runs", &["1", "2", "3"]),
            (
                "tasks",
                &[
                    "[{ task_key: sql, sql_task: { warehouse_id: '@warehouses%2.id|475b94ddc7cd5211@', query: { query_id: q } } }]",
                    "[{ task_key: a, existing_cluster_id: '@clusters%3.id|none@', notebook_task: { notebook_path: /a } }, { task_key: b, depends_on: [{ task_key: a }], notebook_task: { notebook_path: /b } }]",
                    "[{ task_key: b, notebook_task: { notebook_path: /b } }]",
                ],
            ),
            ("tags", &["{ a: b }", "{ a: c, d: e }"]),
            ("schedule", &["", "{ quartz_cron_expression: '0 0 8 * * ?', timezone_id: UTC }"]),
            (
                "permissions",
                &[
                    "[{ user_name: ada@brickform.local, permission_level: CAN_VIEW }]",
                    "[{ group_name: analysts, permission_level: CAN_MANAGE_RUN }]",
                ],
            ),
        ],
        ways: Ways { kept: Some(3), ..FREE },
        since: 0,
    },
    Sort {
        kind: "queries",
        count: 4,
        name: ("display_name", "q{n}{r}{e}"),
        needs: &[],
        fields: &[
            ("query_text", &["select 1", "select 2", "select 3"]),
            ("warehouse_id", &["'@warehouses%2.id|475b94ddc7cd5211@'"]),
            ("parent_path", &["/Workspace/Shared"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "permissions",
        count: 2,
        name: ("object_type", "queries"),
        needs: &[("queries", 2)],
        fields: &[("object_id", &["'@queries%2.id|none@'"]), ("entries", ENTRIES)],
        ways: TIED,
        since: 0,
    },
    Sort {
        kind: "alerts",
        count: 3,
        name: ("display_name", "alert{n}{r}{e}"),
        needs: &[],
        fields: &[
            ("query_text", &["select 1", "select 2", "select 3"]),
            ("warehouse_id", &["'@warehouses%2.id|475b94ddc7cd5211@'"]),
            ("evaluation", &["{ source: { name: n }, comparison_operator: GREATER_THAN, threshold: { value: { double_value: 5.0 } } }"]),
            (
                "schedule",
                &[
                    "{ quartz_cron_schedule: '0 0 8 * * ?', timezone_id: UTC, pause_status: UNPAUSED }",
                    "{ quartz_cron_schedule: '0 0 9 * * ?', timezone_id: UTC, pause_status: PAUSED }",
                ],
            ),
        ],
        ways: LOOSE,
        since: 0,
    },
    Sort {
        kind: "spaces",
        count: 2,
        name: ("title", "Space {n}{r}"),
        needs: &[],
        fields: &[
            ("description", &["d1", "d2", "d3"]),
            ("warehouse_id", &["'@warehouses%2.id|475b94ddc7cd5211@'"]),
            ("parent_path", &["/Workspace/Shared"]),
            ("tables", &["[samples.tpch.orders]", "[samples.nyctaxi.trips, samples.tpch.orders]"]),
            (
                "instructions",
                &[
                    "{ text: Round money. }",
                    "{ text: Be short., example_sql: [{ question: How long?, sql: select 1 }, { question: How many?, sql: select 2 }] }",
                ],
            ),
            ("sample_questions", &["[One?]", "[Two?, One?]", "[Three?, Two?]"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort { kind: "directories", count: 3, name: ("path", "/Workspace/Shared/folder{n}{r}"), needs: &[], fields: &[], ways: FREE, since: 0 },
    Sort {
        kind: "notebooks",
        count: 3,
        name: ("path", "=directories%3=/load{n}{r}{e}"),
        needs: &[("directories", 3)],
        fields: &[("language", &["SQL", "SQL", "PYTHON"]), ("content", &["select 1", "select 2", "\"select 1\\r\\n\""])],
        ways: LOOSE,
        since: 0,
    },
    Sort {
        kind: "files",
        count: 3,
        name: ("path", "=directories%3=/init{n}{r}.sh"),
        needs: &[("directories", 3)],
        fields: &[("content", &["one", "\"two\\n\"", "three"])],
        ways: FREE,
        since: 0,
    },
    Sort { kind: "secret_scopes", count: 2, name: ("scope", "scope{n}{r}"), needs: &[], fields: &[], ways: FREE, since: 0 },
    Sort {
        kind: "secret_acls",
        count: 2,
        name: ("scope", "=secret_scopes%2="),
        needs: &[("secret_scopes", 2)],
        fields: &[(
            "entries",
            &[
                "[{ principal: analysts, permission: READ }]",
                "[{ principal: analysts, permission: WRITE }, { principal: users, permission: READ }]",
                "[]",
            ],
        )],
        ways: TIED,
        since: 0,
    },
    Sort {
        kind: "secrets",
        count: 4,
        name: ("key", "token{n}{r}{e}"),
        needs: &[("secret_scopes", 2)],
        fields: &[
            ("scope", &["=secret_scopes%2=", "'@secret_scopes%2.scope|none@'"]),
            ("value", &["\"${secret('LAWS_SECRET')}\""]),
            ("version", &["", "'1'", "'2'"]),
        ],
        ways: LOOSE,
        since: 0,
    },
    Sort {
        kind: "serving_endpoints",
        count: 2,
        name: ("name", "chat{n}{r}"),
        needs: &[],
        fields: &[
            (
                "config",
                &[
                    "{ served_entities: [{ name: gpt, external_model: { name: gpt-4o, provider: openai, task: llm/v1/chat, openai_config: { openai_api_key_plaintext: \"${secret('LAWS_SECRET')}\" } } }] }",
                    "{ served_entities: [{ name: gpt, external_model: { name: gpt-4o-mini, provider: openai, task: llm/v1/chat, openai_config: { openai_api_key_plaintext: \"${secret('LAWS_SECRET')}\" } } }] }",
                ],
            ),
            ("tags", &["[{ key: team, value: a }]", "[{ key: team, value: b }, { key: of, value: c }]"]),
        ],
        ways: FREE,
        since: 0,
    },
    Sort {
        kind: "cluster_policies",
        count: 2,
        name: ("name", "limits{n}{r}"),
        needs: &[],
        fields: &[
            (
                "definition",
                &[
                    "{ autotermination_minutes: { type: range, minValue: 10, maxValue: 60 } }",
                    "'{\"autotermination_minutes\": {\"type\": \"fixed\", \"value\": 20}}'",
                ],
            ),
            ("description", &["", "d1", "d2"]),
            ("max_clusters_per_user", &["", "1", "2"]),
            (
                "libraries",
                &["", "[{ pypi: { package: requests } }, { jar: /Volumes/main/default/a.jar }]", "[{ pypi: { package: requests } }]"],
            ),
            (
                "permissions",
                &[
                    "[{ group_name: users, permission_level: CAN_USE }]",
                    "[{ user_name: ada@brickform.local, permission_level: CAN_USE }, { group_name: analysts, permission_level: CAN_USE }]",
                ],
            ),
        ],
        ways: FREE,
        since: 1000,
    },
    Sort {
        kind: "workspace_conf",
        count: 1,
        name: ("enableTokensConfig", "true"),
        needs: &[],
        fields: &[("maxTokenLifetimeDays", &["10", "20", "30"]), ("enableWebTerminal", &["", "true", "false"])],
        ways: MOVED,
        since: 0,
    },
    Sort {
        kind: "workspace_tags",
        count: 2,
        name: ("entity_type", "geniespaces"),
        needs: &[("spaces", 2)],
        fields: &[
            ("entity_id", &["'@spaces%2.id|none@'"]),
            (
                "tags",
                &[
                    "{ team: a }",
                    "{ team: b, cost center: '@groups%3.id|none@' }",
                    "[certified]",
                    "{ team: '', a: b, c: d, e: f, g: h }",
                    "{}",
                ],
            ),
        ],
        ways: TIED,
        since: 2000,
    },
];
