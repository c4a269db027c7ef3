//! Which objects have access lists, and which levels they know.

/// One type of object under `/api/2.0/permissions`.
#[derive(Debug)]
pub struct ObjectType {
    /// In the path: `jobs`.
    pub name: &'static str,
    /// Another name in the path: `sql/warehouses`.
    pub alias: Option<&'static str>,
    /// In replies: `job`.
    pub shown: &'static str,
    /// The collection its objects are stored in; none where this workspace has no such objects.
    pub collection: Option<&'static str>,
    /// How messages name it.
    pub word: &'static str,
    /// The levels, lowest first.
    pub levels: &'static [&'static str],
}

impl ObjectType {
    /// Whether exactly one principal owns such an object.
    pub fn owned(&self) -> bool {
        self.levels.contains(&"IS_OWNER")
    }

    /// Whether somebody can be its manager: who may use a cluster policy is listed, who may change it is not.
    pub fn is_managed(&self) -> bool {
        self.levels.contains(&"CAN_MANAGE")
    }

    /// What whoever makes such an object is listed with; none where no level lets anybody manage it.
    pub fn of_maker(&self) -> Option<&'static str> {
        if self.owned() { Some("IS_OWNER") } else { self.is_managed().then_some("CAN_MANAGE") }
    }

    /// Whether a list without an owner is refused.
    pub fn owner_must_be_named(&self) -> bool {
        matches!(self.name, "jobs" | "pipelines")
    }
}

/// The type of this name or alias.
pub fn find(name: &str) -> Option<&'static ObjectType> {
    TYPES.iter().find(|t| t.name == name || t.alias == Some(name))
}

const FILES: &[&str] = &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];
const USED: &[&str] = &["CAN_USE", "CAN_MANAGE"];

const fn of(
    name: &'static str,
    alias: Option<&'static str>,
    shown: &'static str,
    collection: Option<&'static str>,
    word: &'static str,
    levels: &'static [&'static str],
) -> ObjectType {
    ObjectType { name, alias, shown, collection, word, levels }
}

/// All of them.
static TYPES: &[ObjectType] = &[
    of("alerts", Some("sql/alerts"), "alert", None, "Alert", FILES),
    of("alertsv2", None, "alertv2", Some("alerts"), "Alert", FILES),
    of("apps", None, "apps", None, "App", USED),
    of("clusters", None, "cluster", Some("clusters"), "Cluster", &["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]),
    of("cluster-policies", None, "cluster-policy", Some("cluster_policies"), "Cluster policy", &["CAN_USE"]),
    of("dashboards", None, "dashboard", None, "Dashboard", FILES),
    of("database-instances", None, "database-instances", None, "Database instance", USED),
    of("database-projects", None, "database-projects", None, "Database project", USED),
    of("dbsql-dashboards", None, "dashboard", None, "Dashboard", FILES),
    of("directories", None, "directory", Some("directories"), "Directory", FILES),
    of("experiments", None, "mlflowExperiment", None, "Experiment", &["CAN_READ", "CAN_EDIT", "CAN_MANAGE"]),
    of("genie", None, "genie-space", Some("genie_spaces"), "Genie space", FILES),
    of("files", None, "file", Some("files"), "File", FILES),
    of("instance-pools", None, "instance-pool", Some("instance_pools"), "Instance pool", &["CAN_ATTACH_TO", "CAN_MANAGE"]),
    of("jobs", None, "job", Some("jobs"), "Job", &["CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE"]),
    of("knowledge-assistants", None, "knowledge-assistants", None, "Knowledge assistant", &["CAN_QUERY", "CAN_MANAGE"]),
    of("notebooks", None, "notebook", Some("notebooks"), "Notebook", FILES),
    of("pipelines", None, "pipelines", None, "Pipeline", &["CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"]),
    of("queries", Some("sql/queries"), "query", Some("queries"), "Query", FILES),
    of(
        "registered-models",
        None,
        "registered-model",
        None,
        "Registered model",
        &["CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS", "CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"],
    ),
    of("repos", None, "repo", None, "Repo", FILES),
    of("serving-endpoints", None, "serving-endpoint", Some("serving_endpoint_ids"), "Endpoint", &["CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"]),
    of("supervisor-agents", None, "supervisor-agents", None, "Supervisor agent", &["CAN_QUERY", "CAN_MANAGE"]),
    of("vector-search-endpoints", None, "vector-search-endpoints", None, "Vector search endpoint", USED),
    of(
        "warehouses",
        Some("sql/warehouses"),
        "warehouses",
        Some("warehouses"),
        "Warehouse",
        &["CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE", "IS_OWNER"],
    ),
];
