//! Lazy parsing of the embedded data: a service is parsed when something of it is first asked for, and lives as long as
//! the process. Owns where the data lies; the format of a file belongs to `parse`.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{Operation, TypeDef, parse};

/// A service's operations and types.
pub struct Service {
    /// `jobs`.
    pub name: &'static str,
    /// In the data's order.
    pub operations: Vec<Operation>,
    /// By plain name.
    pub types: HashMap<String, TypeDef>,
    by_name: HashMap<&'static str, usize>,
}

macro_rules! embedded {
    ($($name:literal)*) => {
        /// Sorted by name.
        const TEXTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("data/", $name, ".json")))),*];
        /// The names alone.
        const NAMES: &[&str] = &[$($name),*];
        static PARSED: [OnceLock<Service>; TEXTS.len()] = [const { OnceLock::new() }; TEXTS.len()];
    };
}

embedded! {
    "apps" "billing" "bundledeployments" "catalog" "cleanrooms" "compute" "dashboards" "database" "dataquality" "environments"
    "extra" "files" "forms" "genieagents" "iam" "iamv2" "jobs" "knowledgeassistants" "ml" "oauth2" "pipelines" "postgres"
    "qualitymonitorv2" "serving" "settings" "settingsv2" "sharing" "sql" "supervisoragents" "tags" "vectorsearch" "workspace"
}

/// All service names, sorted.
#[must_use]
pub fn services() -> &'static [&'static str] {
    NAMES
}

/// A service, parsed at first use.
#[must_use]
pub fn service(name: &str) -> Option<&'static Service> {
    let at = NAMES.binary_search(&name).ok()?;
    Some(PARSED[at].get_or_init(|| {
        let (name, text) = TEXTS[at];
        let (operations, types) = parse::service(name, text).expect("embedded data was written by the generator");
        let by_name = operations.iter().enumerate().map(|(i, o)| (o.name, i)).collect();
        Service { name, operations, types, by_name }
    }))
}

/// An operation by its full name, `jobs.jobs.reset`.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    let service = service(name.split_once('.')?.0)?;
    service.by_name.get(name).map(|i| &service.operations[*i])
}

/// Every operation of every service (parses all).
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    services().iter().filter_map(|s| service(s)).flat_map(|s| s.operations.iter())
}

/// A type by its full name, `jobs.Task`.
#[must_use]
pub fn type_named(name: &str) -> Option<&'static TypeDef> {
    let (of, plain) = name.split_once('.')?;
    service(of)?.types.get(plain)
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Member, Paging, Type};
    use super::{operation, operations, service, services, type_named};
    use crate::catalogue::{Members, TypeDef};

    fn members(body: &Body) -> &Members {
        let Body::Members(members) = body else { panic!("{body:?}") };
        members
    }

    fn fields(name: &str) -> &'static Members {
        let Some(TypeDef::Struct(fields)) = type_named(name) else { panic!("{name}") };
        fields
    }

    #[test]
    fn services_are_sorted_and_all_parse() {
        assert!(services().is_sorted());
        assert!(services().iter().all(|s| service(s).is_some()));
        assert_eq!(operations().count(), 996 + 18, "the SDK's and those written by hand");
        assert!(service("nothing").is_none() && operation("jobs.jobs.nothing").is_none() && operation("jobs").is_none());
    }

    /// Facts from the published REST reference, kept apart from the generator.
    #[test]
    fn known_operations() {
        for (name, method, path) in [
            ("jobs.jobs.create", "POST", "/api/2.2/jobs/create"),
            ("jobs.jobs.reset", "POST", "/api/2.2/jobs/reset"),
            ("sql.warehouses.edit", "POST", "/api/2.0/sql/warehouses/{id}/edit"),
            ("sql.alerts_v2.update_alert", "PATCH", "/api/2.0/alerts/{id}"),
            ("catalog.schemas.update", "PATCH", "/api/2.1/unity-catalog/schemas/{full_name}"),
            ("catalog.grants.update", "PATCH", "/api/2.1/unity-catalog/permissions/{securable_type}/{full_name}"),
            ("iam.permissions.set", "PUT", "/api/2.0/permissions/{request_object_type}/{request_object_id}"),
            ("settings.workspace_conf.set_status", "PATCH", "/api/2.0/workspace-conf"),
            ("serving.serving_endpoints.update_config", "PUT", "/api/2.0/serving-endpoints/{name}/config"),
            ("files.files.upload", "PUT", "/api/2.0/fs/files{file_path...}"),
            ("iam.current_user.me", "GET", "/api/2.0/preview/scim/v2/Me"),
            ("extra.oauth.token", "POST", "/oidc/v1/token"),
        ] {
            let found = operation(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((found.method.as_str(), found.path.as_str(), found.name), (method, path, name));
        }
        assert_eq!(operation("iam.permissions.set").unwrap().path_params, ["request_object_type", "request_object_id"]);
        assert_eq!(operation("files.files.upload").unwrap().path_params, ["file_path"]);
    }

    #[test]
    fn known_members_and_types() {
        let reset = operation("jobs.jobs.reset").unwrap();
        let settings = &members(&reset.body)["new_settings"];
        assert_eq!(
            (settings.ty.clone(), settings.required, members(&reset.body)["job_id"].ty.clone()),
            (Type::Named("jobs.JobSettings".into()), true, Type::Int)
        );
        let patch = operation("settings.workspace_conf.set_status").unwrap();
        assert_eq!(patch.body, Body::Bare(Type::Map(Box::new(Type::Text))));
        assert_eq!(operation("sql.alerts_v2.get_alert").unwrap().response, Some(Type::Named("sql.AlertV2".into())));
        assert_eq!(fields("jobs.Task")["new_cluster"].ty, Type::Named("compute.ClusterSpec".into()));
        assert_eq!(fields("jobs.ForEachTask")["task"].ty, Type::Named("jobs.Task".into()), "a task recurs in itself");
        assert!(fields("jobs.Task")["task_key"].required && !fields("jobs.Task")["run_if"].required);
        assert_eq!(fields("jobs.JobSettings")["tags"].ty, Type::Map(Box::new(Type::Text)));
        assert!(fields("sql.AlertV2")["effective_run_as"].output);
        let Some(TypeDef::Enum(values)) = type_named("jobs.RunIf") else { panic!() };
        assert!(values.iter().any(|v| v == "AT_LEAST_ONE_SUCCESS"));
        let limit = &operation("jobs.jobs.list").unwrap().query["limit"];
        assert_eq!((&limit.ty, limit.default.as_ref().and_then(crate::model::Value::as_i64)), (&Type::Int, Some(20)));
    }

    #[test]
    fn known_paging_and_waiters() {
        let token =
            |items: &str| Paging::Token { in_body: false, param: "page_token".into(), from: "next_page_token".into(), items: items.into() };
        for (name, paging) in [
            ("jobs.jobs.list", token("jobs")),
            ("catalog.catalogs.list", token("catalogs")),
            ("iam.users.list", Paging::Scim),
            ("compute.clusters.events", Paging::Body { from: "next_page".into(), items: "events".into() }),
            ("workspace.secrets.list_scopes", Paging::Single { items: "scopes".into() }),
        ] {
            assert_eq!(operation(name).unwrap().paging, Some(paging), "{name}");
        }
        let waiter = operation("sql.warehouses.create").unwrap().waiter.as_ref().unwrap();
        assert_eq!((waiter.poll.as_str(), waiter.field.as_str(), waiter.timeout_minutes), ("sql.warehouses.get", "state", 20));
        assert_eq!((waiter.target.clone(), waiter.failure.clone()), (vec!["RUNNING".into()], vec!["STOPPED".into(), "DELETED".into()]));
        assert_eq!(operation("jobs.jobs.create").unwrap().waiter, None);
    }

    #[test]
    fn every_named_type_is_there() {
        fn check(ty: &Type, whose: &str) {
            match ty {
                Type::List(inner) | Type::Map(inner) => check(inner, whose),
                Type::Named(name) => assert!(type_named(name).is_some(), "{whose}: {name}"),
                _ => {}
            }
        }
        let all = |members: &Members, whose: &str| members.values().for_each(|m: &Member| check(&m.ty, whose));
        for operation in operations() {
            all(&operation.query, operation.name);
            match &operation.body {
                Body::Members(members) => all(members, operation.name),
                Body::Bare(ty) => check(ty, operation.name),
                Body::None | Body::Raw => {}
            }
            for ty in [&operation.response, &operation.item, &operation.result].into_iter().flatten() {
                check(ty, operation.name);
            }
            if let Some(waiter) = &operation.waiter {
                assert!(super::operation(&waiter.poll).is_some(), "{}: {}", operation.name, waiter.poll);
            }
        }
        for service in services().iter().filter_map(|s| service(s)) {
            service.types.iter().for_each(|(name, def)| {
                if let TypeDef::Struct(fields) = def {
                    all(fields, name);
                }
            });
        }
    }
}
