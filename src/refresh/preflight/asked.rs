//! What a look ahead asks for: every name that desired holds literally and this project does not manage.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Weight};
use crate::diagnostic::Span;
use crate::kinds::{Fact, Field, Identity, Kind, Schema, Sort};
use crate::model::{Address, Path, Step, Value};
use crate::project::Resource;
use crate::refresh::object::natural_of;
use crate::refresh::{Ask, Live, Snapshot};

/// A question, however many ask it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// A table or view, by its whole name in lower case.
    Table(String),
    /// A function.
    Function(String),
    /// A volume.
    Volume(String),
    /// An object of a kind, by its id.
    Object(&'static str, String),
}

/// A place in a body and in the files.
#[derive(Debug, Clone)]
pub struct Spot {
    pub path: Path,
    pub place: Span,
}

/// A name at its place.
pub struct Asked {
    pub address: Address,
    pub spot: Spot,
    /// As it is written.
    pub name: String,
    pub question: Question,
    /// What sort of object in a schema it is said to be.
    pub sort: Option<Sort>,
    /// What an object of a kind is called.
    kind: Option<&'static Kind>,
    /// What this plan makes around it, so that it cannot be there yet.
    pub later: Option<Address>,
    /// What this project declares under this name, where the place wants an id and the name is none.
    pub declared: Option<Address>,
    /// The columns that are named of it.
    pub columns: Vec<Column>,
}

/// A column that is named.
pub struct Column {
    pub spot: Spot,
    pub name: String,
    /// How bad it is where there is none.
    pub weight: Weight,
}

impl Asked {
    /// The sort of thing in a word.
    pub fn word(&self) -> &'static str {
        self.sort.map(Sort::word).or(self.kind.map(|kind| kind.singular)).unwrap_or("object")
    }

    pub fn finding(&self, spot: &Spot, weight: Weight, reason: String) -> Finding {
        Finding { address: self.address.clone(), path: spot.path.clone(), place: spot.place.clone(), weight, reason }
    }
}

/// Everything that is named, in address order.
pub fn asked(ask: &Ask<'_>, live: Option<&Snapshot>) -> Vec<Asked> {
    let known = Known::of(ask, live);
    let mut all = Vec::new();
    for (address, resource) in &ask.desired.resources {
        if ask.only.is_none_or(|only| only(address)) {
            objects(address, resource, &known, &mut all);
            let mut walk = Walk { ask, resource, known: &known, path: Path::root(), all: &mut all };
            walk.value(Some(Schema::of(resource.kind).root()), &resource.body);
        }
    }
    all
}

/// What this project manages itself.
struct Known<'a> {
    /// Schemas and catalogs by name, that are not there (under this name) yet.
    made: BTreeMap<String, &'a Address>,
    /// Kinds with ids of what is declared or in the state. A name is an id only where the kind is known by it.
    managed: BTreeSet<(&'a str, String)>,
    /// What is declared under names that are no ids.
    called: BTreeMap<(&'a str, String), &'a Address>,
    /// Volumes among them, by their whole names in lower case.
    volumes: BTreeSet<String>,
}

impl<'a> Known<'a> {
    fn of(ask: &Ask<'a>, live: Option<&Snapshot>) -> Self {
        let is_new = |address: &Address, resource: &Resource| match live.and_then(|live| live.objects.get(address)) {
            Some(Live::Found { body, .. } | Live::Settled { body, .. }) => !same(&natural_of(resource.kind, body), &resource.natural),
            Some(Live::Exists(_) | Live::Failed(_)) => false,
            Some(Live::Gone | Live::Absent | Live::Waits) => true,
            None => !ask.state.resources.contains_key(address),
        };
        let around = |kind: &Kind| matches!(kind.name, "schemas" | "catalogs");
        let resources = || ask.desired.resources.iter().filter(|(address, _)| !address.is_facet());
        let made = resources().filter(|(address, r)| around(r.kind) && is_new(address, r));
        let by_name = |r: &Resource| !matches!(r.kind.identity, Identity::Assigned(_));
        let declared = resources().filter(|(_, r)| by_name(r)).map(|(_, r)| (r.kind.name, r.natural.join(".")));
        let called = resources().filter(|(_, r)| !by_name(r)).map(|(address, r)| ((r.kind.name, r.natural.join(".")), address));
        let applied = ask.state.resources.values().map(|entry| (entry.kind.as_str(), entry.id.clone()));
        let managed: BTreeSet<(&str, String)> = declared.chain(applied).collect();
        Self {
            made: made.map(|(address, r)| (r.natural.join(".").to_lowercase(), address)).collect(),
            volumes: managed.iter().filter(|(kind, _)| *kind == VOLUMES).map(|(_, name)| name.to_lowercase()).collect(),
            called: called.collect(),
            managed,
        }
    }

    /// What this plan makes around a name of three parts.
    fn around(&self, name: &str) -> Option<Address> {
        let (schema, _) = name.rsplit_once('.')?;
        let (catalog, _) = schema.split_once('.')?;
        self.made.get(schema).or_else(|| self.made.get(catalog)).map(|address| (*address).clone())
    }
}

fn same(a: &[String], b: &[String]) -> bool {
    a.join(".").eq_ignore_ascii_case(&b.join("."))
}

fn spot(resource: &Resource, path: Path) -> Spot {
    Spot { place: resource.place(&path), path }
}

fn objects(address: &Address, resource: &Resource, known: &Known<'_>, all: &mut Vec<Asked>) {
    let in_texts = resource.kind.hooks.columns.map(|hook| hook(&resource.body)).unwrap_or_default();
    for objects in resource.kind.names_objects {
        let list = objects.list.iter().fold(Path::root(), |path, name| path.join(Step::Field((*name).to_owned())));
        for (i, item) in objects.items(&resource.body).iter().enumerate() {
            let Some(name) = item.get(objects.member).and_then(Value::as_str) else { continue };
            let whole = name.replace('`', "").to_lowercase();
            let path = list.join(Step::Index(i));
            let column = |(list, member): (&str, &str)| {
                let columns = item.get(list).and_then(Value::as_list).unwrap_or_default();
                let at = path.join(Step::Field(list.to_owned()));
                let one = |(c, column): (usize, &Value)| {
                    let path = at.join(Step::Index(c)).join(Step::Field(member.to_owned()));
                    let name = column.get(member)?.as_str()?.to_owned();
                    Some(Column { spot: spot(resource, path), name, weight: Weight::Missing })
                };
                columns.iter().enumerate().filter_map(one).collect::<Vec<_>>()
            };
            let mut columns = objects.columns.map(column).unwrap_or_default();
            columns.extend(in_texts.iter().filter(|named| named.table == name).map(|named| Column {
                spot: spot(resource, named.path.clone()),
                name: named.column.clone(),
                weight: if named.is_sure { Weight::Missing } else { Weight::Untold },
            }));
            all.push(Asked {
                address: address.clone(),
                spot: spot(resource, path.join(Step::Field(objects.member.to_owned()))),
                name: name.to_owned(),
                later: known.around(&whole),
                question: if objects.sort == Sort::Function { Question::Function(whole) } else { Question::Table(whole) },
                sort: Some(objects.sort),
                kind: None,
                declared: None,
                columns,
            });
        }
    }
}

/// Fields that refer to objects of other kinds by id.
struct Walk<'a, 'w> {
    ask: &'w Ask<'a>,
    resource: &'a Resource,
    known: &'w Known<'a>,
    path: Path,
    all: &'w mut Vec<Asked>,
}

impl Walk<'_, '_> {
    fn value(&mut self, field: Option<Field<'_>>, value: &Value) {
        let Some(field) = field else { return };
        match value {
            Value::Text(text) => self.text(field, text),
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.below(Step::Index(i), field.item(), item);
                }
            }
            Value::Map(map) => {
                for (name, value) in map {
                    self.below(Step::Field(name.clone()), field.field(name), value);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: Step, field: Option<Field<'_>>, value: &Value) {
        self.path.push(step);
        self.value(field, value);
        self.path.pop();
    }

    fn volume(&mut self, text: &str, whole: String) {
        if self.known.volumes.contains(&whole) {
            return;
        }
        self.all.push(Asked {
            address: self.resource.address.clone(),
            spot: spot(self.resource, self.path.clone()),
            name: text.to_owned(),
            later: self.known.around(&whole),
            question: Question::Volume(whole),
            sort: None,
            kind: self.ask.registry.get(VOLUMES),
            declared: None,
            columns: vec![],
        });
    }

    fn text(&mut self, field: Field<'_>, text: &str) {
        if let Some(whole) = volume_of(text) {
            return self.volume(text, whole);
        }
        let refers = field.facts().find_map(|fact| if let Fact::Refers(kind) = fact { Some(*kind) } else { None });
        let Some(kind) = refers.and_then(|kind| self.ask.registry.get(kind)).filter(|_| !text.is_empty()) else { return };
        if self.known.managed.contains(&(kind.name, text.to_owned())) {
            return;
        }
        self.all.push(Asked {
            address: self.resource.address.clone(),
            spot: spot(self.resource, self.path.clone()),
            name: text.to_owned(),
            question: Question::Object(kind.name, text.to_owned()),
            sort: None,
            kind: Some(kind),
            declared: self.known.called.get(&(kind.name, text.to_owned())).map(|address| (*address).clone()),
            later: None,
            columns: vec![],
        });
    }
}

/// The kind of volumes.
const VOLUMES: &str = "volumes";

/// The whole name of the volume that a path leads into, in lower case: of a library, a script, a folder of logs, whatever holds
/// the path. None where the text is something else that begins so, or names no volume yet.
fn volume_of(text: &str) -> Option<String> {
    let path = text.strip_prefix("dbfs:").unwrap_or(text).strip_prefix("/Volumes/")?;
    let mut parts = path.split('/');
    let [catalog, schema, name] = [parts.next()?, parts.next()?, parts.next()?];
    let is_name =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "{}$*?<>,;.".contains(c));
    [catalog, schema, name].iter().all(|part| is_name(part)).then(|| format!("{catalog}.{schema}.{name}").to_lowercase())
}

/// Principals of access lists that the workspace does not list: it refuses the whole list for one of them. They were asked for
/// along with the lookups. Grants may name principals that only the account lists: of those there is a warning as ever.
pub fn unknown_principals(ask: &Ask<'_>) -> Vec<Finding> {
    let told = ask.desired.warnings.iter().filter(|warning| warning.code == "W0131");
    let lists = |address: &&Address| address.kind == "permissions" || address.facet.as_deref() == Some("permissions");
    let mut found = Vec::new();
    for (label, warning) in told.filter_map(|warning| Some((warning.labels.first()?, warning))) {
        for (address, resource) in ask.desired.resources.iter().filter(|(a, _)| lists(a) && ask.only.is_none_or(|only| only(a))) {
            let around = &resource.node.span;
            let inside = around.source == label.span.source && around.start <= label.span.start && label.span.end <= around.end;
            if inside {
                let help = warning.help.first().filter(|help| help.starts_with("did you mean")).map(|help| format!("; {help}"));
                found.push(Finding {
                    address: address.clone(),
                    path: Path::root(),
                    place: label.span.clone(),
                    weight: Weight::Missing,
                    reason: format!("{}{}", warning.message, help.unwrap_or_default()),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::volume_of;

    #[test]
    fn paths_that_lead_into_a_volume() {
        for (text, want) in [
            ("/Volumes/main/shop/raw", Some("main.shop.raw")),
            ("/Volumes/Main/Shop/Raw/", Some("main.shop.raw")),
            ("/Volumes/main/shop/raw/libs/a b.whl", Some("main.shop.raw")),
            ("dbfs:/Volumes/main/shop/raw/init.sh", Some("main.shop.raw")),
            ("/Volumes/main/shop", None),
            ("/Volumes/main//raw", None),
            ("/Volumes/main/shop/{{job.parameters.volume}}/x", None),
            ("/Volumes/ are folders of catalogs / schemas", None),
            ("s3://bucket/Volumes/main/shop/raw", None),
            ("/Workspace/Volumes/main/shop/raw", None),
        ] {
            assert_eq!(volume_of(text).as_deref(), want, "{text}");
        }
    }
}
