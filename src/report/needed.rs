//! What a project must declare so that rendered resources read back in it: secrets that are not read from a variable of their own
//! name, and sensitive variables.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use crate::model::{Map, Path, SecretFrom, SecretSource, Value};
use crate::project::expression::variable_of;
use crate::yaml::emit;

/// The lines for `conf/project.yaml`, as a comment; empty where nothing is needed.
pub fn told<'a>(bodies: impl Iterator<Item = &'a Value>, folder: &FilePath) -> String {
    let mut found: BTreeMap<String, SecretSource> = BTreeMap::new();
    for body in bodies {
        body.each_deferred(&mut Path::root(), &mut |_, deferred| {
            found.extend(deferred.secrets().map(|secret| (secret.name.clone(), secret.clone())));
        });
    }
    let (mut secrets, mut variables) = (Map::new(), Map::new());
    for (name, source) in found {
        if let Some(variable) = variable_of(&source) {
            // Of a sensitive map each member is a secret.
            let variable = variable.split(['.', '[']).next().unwrap_or(variable);
            variables.insert(variable.to_owned(), Value::map([("sensitive", Value::Bool(true))]));
        } else if let Some(declared) = declared(&source, folder) {
            secrets.insert(name, declared);
        }
    }
    let all = [("secrets", secrets), ("variables", variables)];
    let all: Map = all.into_iter().filter(|(_, m)| !m.is_empty()).map(|(name, m)| (name.to_owned(), Value::Map(m))).collect();
    if all.is_empty() {
        return String::new();
    }
    let lines: String = emit(&Value::Map(all), 0).lines().flat_map(|line| ["#   ", line, "\n"]).collect();
    format!("# secrets are left as they are named; a project of its own says in conf/project.yaml\n{lines}")
}

/// How `secrets:` declares it; none where it need not.
fn declared(source: &SecretSource, folder: &FilePath) -> Option<Value> {
    match &source.from {
        SecretFrom::Environment(variable) if *variable == source.name => None,
        SecretFrom::Environment(variable) => Some(Value::map([("env", Value::text(variable))])),
        SecretFrom::File(path) => {
            let path = path.strip_prefix(folder).unwrap_or(path);
            Some(Value::map([("file", Value::text(path.to_string_lossy()))]))
        }
        SecretFrom::Command { command, .. } => Some(Value::map([("command", Value::List(command.iter().map(Value::text).collect()))])),
        SecretFrom::Given(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::told;
    use crate::model::{Deferred, Held, Map, Piece, SecretFrom, SecretSource, Value, Variable};

    #[test]
    fn secrets_and_sensitive_variables_are_declared() {
        let folder = PathBuf::from("/p");
        for (from, want) in [
            (SecretFrom::Environment("T".into()), ""),
            (SecretFrom::Environment("OTHER".into()), "#   secrets:\n#     T:\n#       env: OTHER\n"),
            (SecretFrom::Environment("BRICKFORM_VAR_T".into()), "#   variables:\n#     T:\n#       sensitive: true\n"),
            (SecretFrom::Given(Held::new("planted")), "#   variables:\n#     T:\n#       sensitive: true\n"),
            (SecretFrom::File(folder.join("a.txt")), "#   secrets:\n#     T:\n#       file: a.txt\n"),
            (
                SecretFrom::Command { command: vec!["pass".into(), "show".into()], folder: folder.clone() },
                "#   secrets:\n#     T:\n#       command:\n#         - pass\n#         - show\n",
            ),
        ] {
            let is_variable = want.contains("variables");
            let secret = Variable::Secret(SecretSource { name: if is_variable { "var.T" } else { "T" }.into(), from });
            let deferred =
                Deferred { source: "${..}".into(), pieces: vec![Piece::Expression("__0".into())], waits: vec![secret], bound: Map::new() };
            let body = Value::map([("a", Value::Secret(Arc::new(deferred)))]);
            let said = told([&body].into_iter(), Path::new("/p"));
            assert_eq!(said.split_once('\n').map_or("", |(_, rest)| rest), want);
        }
    }
}
