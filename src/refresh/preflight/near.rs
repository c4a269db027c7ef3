//! What was probably meant by a name that is missing: the nearest one there is, at the first part that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Answer, read_call};
use super::asked::{Asked, Question};
use crate::client::{ApiErrorKind, Client};
use crate::diagnostic::suggest;
use crate::kinds::{Call, Kind, Registry, Sort, from_reply, list_call};
use crate::model::Value;
use crate::refresh::object::{id_of, natural_of};

/// How many names a message tells.
const TOLD: usize = 5;

/// What a list gave.
#[derive(Clone)]
enum Listed {
    Names(Vec<Named>),
    /// What is listed is not there itself.
    Absent,
    Untold,
}

/// One that is there.
#[derive(Clone)]
struct Named {
    name: String,
    /// Which sort of table it is, of tables.
    of: Option<String>,
}

/// A hint for each name that is missing. Lists are asked for only where something is.
pub async fn hints(
    client: &Client,
    registry: &Registry,
    all: &[Asked],
    answers: &BTreeMap<Question, Answer>,
) -> BTreeMap<Question, String> {
    let missing: Vec<&Question> = answers.iter().filter(|(_, answer)| **answer == Answer::Missing).map(|(question, _)| question).collect();
    let mut lists = Lists { client, known: BTreeMap::new() };
    let mut found = BTreeMap::new();
    for question in missing {
        let hint = match question {
            Question::Table(name) => {
                lists.in_schema("catalog.tables.list", &[("omit_columns", "true")], name, &Wanted::of(question, all)).await
            }
            Question::Function(name) => lists.in_schema("catalog.functions.list", &[], name, &Wanted::of(question, all)).await,
            Question::Volume(name) => lists.in_schema("catalog.volumes.list", &[], name, &Wanted::of(question, all)).await,
            Question::Object(kind, id) => match registry.get(kind) {
                Some(kind) => of_kind(&mut lists, kind, id).await,
                None => None,
            },
        };
        found.extend(hint.map(|hint| (question.clone(), hint)));
    }
    found
}

/// Which of the names that are there may have been meant: where a metric view is wanted no table, and none that is named already.
struct Wanted<'a> {
    only_views: bool,
    /// What the same objects name besides, in lower case.
    named: BTreeSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(question: &Question, all: &'a [Asked]) -> Self {
        let asking: Vec<&Asked> = all.iter().filter(|asked| asked.question == *question).collect();
        let beside = all.iter().filter(|asked| asked.question != *question && asking.iter().any(|own| own.address == asked.address));
        let table = |asked: &'a Asked| if let Question::Table(name) = &asked.question { Some(name.as_str()) } else { None };
        Self { only_views: asking.iter().any(|asked| asked.sort == Some(Sort::MetricView)), named: beside.filter_map(table).collect() }
    }

    fn takes(&self, row: &Named, schema: &str) -> bool {
        let is_view = row.of.as_deref().is_none_or(|of| of == "METRIC_VIEW");
        !self.only_views || is_view && !self.named.contains(format!("{schema}.{}", row.name).to_lowercase().as_str())
    }
}

/// Lists, each asked for once.
struct Lists<'a> {
    client: &'a Client,
    known: BTreeMap<String, Listed>,
}

impl Lists<'_> {
    async fn names(&mut self, call: &Call, field: &str) -> Listed {
        let key = format!("{} {:?}", call.op, call.query);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let listed = match self.client.list(call).await {
            Ok(rows) => {
                let text = |row: &Value, field: &str| Some(row.get(field)?.as_str()?.to_owned());
                Listed::Names(rows.iter().filter_map(|row| Some(Named { name: text(row, field)?, of: text(row, "table_type") })).collect())
            }
            Err(error) if error.kind == ApiErrorKind::NotFound => Listed::Absent,
            Err(_) => Listed::Untold,
        };
        self.known.insert(key, listed.clone());
        listed
    }

    /// Of a name of three parts.
    async fn in_schema(&mut self, op: &'static str, more: &[(&str, &str)], whole: &str, wanted: &Wanted<'_>) -> Option<String> {
        let [catalog, schema, name] = whole.splitn(3, '.').collect::<Vec<_>>()[..] else { return None };
        let query: Vec<(&str, &str)> =
            [("catalog_name", catalog), ("schema_name", schema)].into_iter().chain(more.iter().copied()).collect();
        match self.names(&read_call(op, &[], &query), "name").await {
            Listed::Names(rows) => {
                let place = format!("{catalog}.{schema}");
                let takes = |row: &Named| wanted.takes(row, &place);
                let names: Vec<String> = rows.into_iter().filter(takes).map(|row| row.name).collect();
                let full = |near: &str| format!("did you mean `{catalog}.{schema}.{near}`?");
                let near = suggest::nearest(name, names.iter().map(String::as_str)).map(full);
                let of = if wanted.only_views { "of other metric views " } else { "" };
                return Some(near.unwrap_or_else(|| some(&names, &format!("{of}the schema `{place}` has"))));
            }
            Listed::Untold => return None,
            Listed::Absent => {}
        }
        match self.names(&read_call("catalog.schemas.list", &[], &[("catalog_name", catalog)]), "name").await {
            Listed::Names(rows) => {
                let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
                let meant =
                    suggest::nearest(schema, names.iter().map(String::as_str)).map(|near| format!("did you mean `{catalog}.{near}`?"));
                let meant = meant.unwrap_or_else(|| some(&names, &format!("the catalog `{catalog}` has")));
                return Some(format!("there is no schema `{catalog}.{schema}`: {meant}"));
            }
            Listed::Untold => return None,
            Listed::Absent => {}
        }
        let Listed::Names(rows) = self.names(&read_call("catalog.catalogs.list", &[], &[]), "name").await else { return None };
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        let meant = suggest::nearest(catalog, names.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        Some(format!("there is no catalog `{catalog}`: {}", meant.unwrap_or_else(|| some(&names, "the workspace has"))))
    }
}

/// A few of the names that there are.
pub fn some(names: &[String], whose: &str) -> String {
    let sorted: BTreeSet<&String> = names.iter().collect();
    let told: Vec<String> = sorted.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
    match sorted.len() {
        0 => format!("{whose} none that you may see"),
        n if n > TOLD => format!("{whose} {} and {} more", told.join(", "), n - TOLD),
        _ => format!("{whose} {}", told.join(", ")),
    }
}

/// Of an id: the object that is called so, else what there is.
async fn of_kind(lists: &mut Lists<'_>, kind: &'static Kind, id: &str) -> Option<String> {
    let rows = lists.client.list(&list_call(kind, None)?).await.ok()?;
    let object = |row: Value| {
        let body = from_reply(kind, row);
        Some((natural_of(kind, &body).join("."), id_of(kind, &body)?))
    };
    let known: Vec<(String, String)> = rows.into_iter().filter_map(object).collect();
    if let Some((name, own)) = known.iter().find(|(name, own)| name.eq_ignore_ascii_case(id) && name != own) {
        return Some(format!("`{name}` is the name of {own}: write that, or `${{lookup(\"{}\", \"{name}\").id}}`", kind.name));
    }
    if let Some(near) = suggest::nearest(id, known.iter().map(|(_, own)| own.as_str())) {
        return Some(format!("did you mean `{near}`?"));
    }
    let told: Vec<String> = known.iter().map(|(name, own)| if name == own { own.clone() } else { format!("{own} ({name})") }).collect();
    Some(some(&told, "there is"))
}
