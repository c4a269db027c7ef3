//! Projects in temporary folders, loaded and resolved with the standard kinds.

mod definitions;
mod forge;
mod laid;
mod loading;
mod mistakes;
mod names;
mod once;
mod overlays;
mod presets;
mod templates;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Answers, Ask, Desired, Failed, Project, load};
use crate::diagnostic::Diagnostic;
use crate::kinds::Registry;
use crate::model::{Outside, Value, json};

/// A project in a folder of its own.
pub struct Folder {
    place: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    /// What is asked on the command line.
    pub ask: Ask,
}

/// A folder with these files. Without an environment file `environments/dev.yaml` is there and says `workspace: local`.
pub fn folder(files: &[(&str, &str)]) -> Folder {
    let made = Folder { place: tempfile::tempdir().unwrap(), variables: BTreeMap::new(), ask: Ask::default() };
    for (name, text) in files {
        made.write(name, text);
    }
    if !files.iter().any(|(name, _)| name.contains("environments/")) {
        made.write("environments/dev.yaml", "workspace: local\n");
    }
    if !files.iter().any(|(name, _)| *name == "conf/project.yaml") {
        made.write("conf/project.yaml", "name: test\n");
    }
    made
}

impl Folder {
    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.place.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// `--env`.
    pub fn env(mut self, name: &str) -> Self {
        self.ask.environment = Some(name.to_owned());
        self
    }

    /// `--var`.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.ask.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> PathBuf {
        self.place.path().to_owned()
    }

    pub fn outside(&self) -> Outside {
        let real = Outside::real().unwrap();
        Outside { variables: Arc::new(self.variables.clone()), folder: self.path(), ..real }
    }

    pub fn load(&self) -> Result<Project, Failed> {
        load(&self.outside(), &self.ask, &Registry::standard())
    }

    pub fn resolve(&self) -> Result<Desired, Vec<Diagnostic>> {
        self.load().map_err(|f| f.diagnostics)?.resolve(&Answers::new())
    }

    /// The body of a resource as one line, or what is wrong.
    pub fn body(&self, address: &str) -> String {
        match self.resolve() {
            Ok(desired) => json::display(&desired.resources[&address.parse().unwrap()].body),
            Err(diagnostics) => shown(&diagnostics),
        }
    }

    /// What is wrong or warned about, a line each.
    pub fn found(&self) -> String {
        match self.resolve() {
            Ok(desired) => shown(&desired.warnings),
            Err(diagnostics) => shown(&diagnostics),
        }
    }
}

/// `E0107 conf/a.yaml:2:5 message` and the first line of help.
pub fn shown(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics
        .iter()
        .map(|d| {
            let place = d.labels.first().map_or_else(
                || "-".to_owned(),
                |l| {
                    let (line, column) = l.span.line_column();
                    format!("{}:{line}:{column}", l.span.source.name)
                },
            );
            let help = d.help.first().map(|h| format!(" [{h}]")).unwrap_or_default();
            format!("{} {place} {}{help}", d.code, d.message)
        })
        .collect();
    lines.join("\n")
}

/// A field of a resolved resource.
pub fn field<'a>(desired: &'a Desired, address: &str, name: &str) -> &'a Value {
    desired.resources[&address.parse().unwrap()].body.get(name).unwrap()
}
