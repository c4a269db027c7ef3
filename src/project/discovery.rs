//! Which files a project consists of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::{self, EnvironmentFile};
use super::findings::Findings;
use super::settings::{self, Settings};
use super::{Ask, files};
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::model::Outside;
use crate::yaml::{Node, parse};

/// Everything read.
pub struct Discovered {
    /// The project's folder, absolute.
    pub folder: PathBuf,
    /// `conf/project.yaml`.
    pub settings: Settings,
    /// Environment files, sorted by name.
    pub environments: Vec<EnvironmentFile>,
    /// Documents of resources, in order of file names.
    pub documents: Vec<Node>,
    /// Documents that are templates, in order of file names: they are rendered with the environment's variables.
    pub templates: Vec<Arc<Source>>,
    /// Whether a file could not be read: names that seem to be missing may be in it.
    pub incomplete: bool,
}

/// The names of a project's settings file.
const SETTINGS: &[&str] = &["project.yaml", "project.yml", "project.json"];

/// Finds and reads all files.
///
/// Returns none where there is no project (reported).
pub fn discover(outside: &Outside, ask: &Ask, findings: &mut Findings) -> Option<Discovered> {
    let config = ask.config.as_ref().map(|given| outside.path(&given.to_string_lossy()));
    if let Some(config) = config.as_ref().filter(|c| !c.is_dir()) {
        findings.usage = true;
        findings.add(Diagnostic::error("E0301", format!("there is no folder `{}` (--config)", config.display())));
        return None;
    }
    let folder = folder(outside, ask, config.as_deref(), findings)?;
    let conf = config.clone().unwrap_or_else(|| folder.join("conf"));
    let mut reader = Reader { folder: &folder, contents: &ask.contents, findings, incomplete: false };
    let settings = reader.settings(&conf, &folder);
    // Also beside the folder that `--config` names, as Genie-Forge looks for them.
    let beside = config.as_deref().and_then(Path::parent).into_iter().flat_map(|f| [f.join("environments"), f.join("conf/environments")]);
    let mut places: Vec<PathBuf> = Vec::new();
    for place in [folder.join("environments"), conf.join("environments")].into_iter().chain(beside) {
        // `--config .` and `--config conf/..` name one folder twice.
        let is_there = |other: &PathBuf| {
            *other == place || std::fs::canonicalize(other).is_ok_and(|other| place.canonicalize().is_ok_and(|p| p == other))
        };
        if !places.iter().any(is_there) {
            places.push(place);
        }
    }
    let environments = reader.environments(&places, &conf.join("variables"));
    let (documents, templates) = reader.resources(&conf, config.is_none().then(|| folder.join("spaces")), &settings);
    let incomplete = reader.incomplete;
    Some(Discovered { folder, settings, environments, documents, templates, incomplete })
}

fn has_settings(folder: &Path) -> bool {
    SETTINGS.iter().any(|name| folder.join("conf").join(name).is_file())
}

/// The project's folder: as given, or found upwards.
fn folder(outside: &Outside, ask: &Ask, config: Option<&Path>, findings: &mut Findings) -> Option<PathBuf> {
    if let Some(given) = &ask.folder {
        let folder = outside.path(&given.to_string_lossy());
        if config.is_some() || has_settings(&folder) || folder.join("conf").is_dir() || folder.join("environments").is_dir() {
            return Some(folder);
        }
        findings.usage = true;
        findings.add(
            Diagnostic::error("E0301", format!("`{}` is not a project: it has no conf/project.yaml", folder.display()))
                .help("a project is a folder with `conf/project.yaml`"),
        );
        return None;
    }
    if let Some(found) = outside.folder.ancestors().find(|f| has_settings(f)) {
        return Some(found.to_owned());
    }
    // The second is what a project of Genie-Forge has.
    let environments = ["environments", "conf/environments", "conf/variables"].iter().any(|name| outside.folder.join(name).is_dir());
    if config.is_some() || environments && outside.folder.join("conf").is_dir() {
        return Some(outside.folder.clone());
    }
    findings.usage = true;
    findings.add(
        Diagnostic::error("E0301", format!("there is no project here: no conf/project.yaml in {} or above it", outside.folder.display()))
            .help("go into a project's folder, or read resources of any folder with `--config DIR`"),
    );
    None
}

struct Reader<'a> {
    folder: &'a Path,
    contents: &'a BTreeMap<PathBuf, Vec<u8>>,
    findings: &'a mut Findings,
    incomplete: bool,
}

impl Reader<'_> {
    /// The documents of a file; what is wrong with it is kept.
    fn documents(&mut self, path: &Path) -> Vec<Node> {
        self.read(path).map(|(_, documents)| documents).unwrap_or_default()
    }

    /// The same of a file of resources, in which there should be some.
    fn of_resources(&mut self, path: &Path) -> Vec<Node> {
        let Some((source, documents)) = self.read(path) else { return Vec::new() };
        let says_nothing = |node: &Node| node.is_null() || (!node.entries().is_empty() && node.entries().iter().all(|e| e.value.is_null()));
        if documents.iter().all(says_nothing) {
            self.findings.add(
                Diagnostic::warning("W0318", format!("`{}` has nothing in it", source.name))
                    .at(&Span::new(&source, 0, 0), "no resource is declared here")
                    .help("an apply deletes what it managed by this file: write back what was in it, or delete the file"),
            );
        }
        documents
    }

    /// A file and its documents; what is wrong with it is kept.
    fn read(&mut self, path: &Path) -> Option<(Arc<Source>, Vec<Node>)> {
        let read = match self.contents.get(path) {
            Some(bytes) => files::source_of(files::name_of(self.folder, path), bytes.clone()),
            None => files::read_own(self.folder, path),
        };
        match read.map_err(|d| vec![*d]).and_then(|source: Arc<Source>| Ok((Arc::clone(&source), parse(&source)?))) {
            Ok(read) => Some(read),
            Err(diagnostics) => {
                self.incomplete = true;
                self.findings.extend(diagnostics);
                None
            }
        }
    }

    fn template(&mut self, path: &Path) -> Option<Arc<Source>> {
        match files::read_own(self.folder, path) {
            Ok(source) => Some(source),
            Err(found) => {
                self.incomplete = true;
                self.findings.add(*found);
                None
            }
        }
    }

    fn settings(&mut self, conf: &Path, folder: &Path) -> Settings {
        let Some(path) = SETTINGS.iter().map(|name| conf.join(name)).find(|p| p.is_file()) else { return Settings::default() };
        let documents = self.documents(&path);
        if let Some(second) = documents.get(1) {
            self.findings
                .add(Diagnostic::error("E0303", "the project's settings are one document").at(&second.span, "a second one begins here"));
        }
        documents.first().map(|node| settings::read(node, folder, self.findings)).unwrap_or_default()
    }

    fn walk(&mut self, folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if let Err(error) = files::walk(folder, skip, &mut found) {
            self.incomplete = true;
            let name = files::name_of(self.folder, folder);
            self.findings.add(Diagnostic::error("E0310", format!("the folder `{name}` cannot be read: {}", files::plain(&error))));
        }
        found
    }

    /// `variables`: the folder in which Genie-Forge has a file for an environment, or one for all; what others say goes first.
    fn environments(&mut self, folders: &[PathBuf], variables: &Path) -> Vec<EnvironmentFile> {
        let mut found: BTreeMap<String, (String, Node)> = BTreeMap::new();
        for folder in folders {
            for path in self.walk(folder, &Path::is_dir) {
                if files::is_yaml_template(&path) {
                    let file = files::name_of(self.folder, &path);
                    self.findings.add(
                        Diagnostic::error("E0229", format!("`{file}` is a template, and environments are none"))
                            .help("an environment gives variables to templates; common settings are shared by `extends:`"),
                    );
                    continue;
                }
                let Some(name) = path.file_stem().map(|s| s.to_string_lossy().into_owned()) else { continue };
                let file = files::name_of(self.folder, &path);
                let documents = self.documents(&path);
                if let Some((other, _)) = found.get(&name) {
                    self.findings.add(Diagnostic::error("E0312", format!("environment `{name}` has two files: `{other}` and `{file}`")));
                    continue;
                }
                if let Some(second) = documents.get(1) {
                    self.findings
                        .add(Diagnostic::error("E0303", "an environment is one document").at(&second.span, "a second one begins here"));
                }
                let node = documents.into_iter().next().unwrap_or_else(|| empty(&file));
                found.insert(name, (file, node));
            }
        }
        for path in self.walk(variables, &Path::is_dir) {
            let Some(name) = path.file_stem().map(|s| s.to_string_lossy().into_owned()) else { continue };
            let file = files::name_of(self.folder, &path);
            for (name, node) in self.documents(&path).into_iter().flat_map(|node| environment::several(&name, node)) {
                found.entry(name).or_insert_with(|| (file.clone(), node));
            }
        }
        found.into_iter().map(|(name, (_, node))| EnvironmentFile { name, node }).collect()
    }

    fn resources(&mut self, conf: &Path, spaces: Option<PathBuf>, settings: &Settings) -> (Vec<Node>, Vec<Arc<Source>>) {
        let skip = |path: &Path| {
            path.parent() == Some(conf)
                && path
                    .file_name()
                    .and_then(|n| n.to_str())
                    .is_some_and(|n| SETTINGS.contains(&n) || matches!(n, "mapping" | "environments" | "variables"))
        };
        let mut paths = self.walk(conf, &skip);
        paths.extend(self.contents.keys().filter(|p| p.starts_with(conf) && files::is_yaml(p) && !p.is_file()).cloned());
        if let Some(spaces) = spaces {
            paths.extend(self.walk(&spaces, &|_| false));
            paths.extend(self.contents.keys().filter(|p| p.starts_with(&spaces) && files::is_yaml(p) && !p.is_file()).cloned());
        }
        let top = files::top(self.folder);
        for (pattern, span) in &settings.includes {
            if let Some(why) = files::leads_out(self.folder, &top, pattern) {
                self.findings.add(
                    Diagnostic::error("E0310", format!("`{pattern}` {why}, and is not read"))
                        .at(span, "")
                        .help("files of the repository (the folder with .git, else the project's) may be included: copy this one there"),
                );
                continue;
            }
            match files::include(self.folder, pattern) {
                Ok(found) if !found.is_empty() => match found.iter().find(|path| !files::stays_in(&top, path)) {
                    None => paths.extend(found),
                    Some(path) => self.findings.add(
                        Diagnostic::error(
                            "E0310",
                            format!("`{}` is a link that leads out of the repository, and is not read", files::name_of(self.folder, path)),
                        )
                        .at(span, "")
                        .help("copy the file into the repository"),
                    ),
                },
                Ok(_) => self
                    .findings
                    .add(Diagnostic::error("E0314", format!("`includes` names `{pattern}`, which matches no file")).at(span, "")),
                Err(error) => {
                    self.findings
                        .add(Diagnostic::error("E0310", format!("`{pattern}` cannot be read: {}", files::plain(&error))).at(span, ""));
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        let (templates, plain): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| files::is_yaml_template(path));
        let templates = templates.iter().filter_map(|path| self.template(path)).collect();
        (plain.iter().flat_map(|path| self.of_resources(path)).collect(), templates)
    }
}

/// The document of an empty environment file.
fn empty(file: &str) -> Node {
    let source = Arc::new(Source { name: file.to_owned(), text: String::new() });
    Node { span: Span::new(&source, 0, 0), data: crate::yaml::Data::Map(Vec::new()) }
}
