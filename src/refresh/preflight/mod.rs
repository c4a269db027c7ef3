//! A look ahead: whether what the files name is there, before anything is sent. Objects of Unity Catalog with their columns,
//! volumes that paths lead into, objects that fields refer to by id, and whether the caller may use those.
//!
//! What is to be asked is pure data made from what is desired (`asked`); each question is sent once (`answers`); what this
//! project itself makes is not missing.

use std::collections::BTreeMap;

use super::{Address, Ask, Client, Snapshot};
use crate::client::Me;
use crate::diagnostic::{Span, suggest};
use crate::kinds::Sort;
use crate::model::{Path, Value};

mod answers;
mod asked;
mod near;

use answers::Answer;
use asked::{Asked, Question};

/// What a look ahead found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// By address and place.
    pub findings: Vec<Finding>,
    /// How many different names were asked for.
    pub asked: u64,
    /// How many requests that took.
    pub requests: u64,
}

/// One name that gives reason to speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose.
    pub address: Address,
    /// Where in its body.
    pub path: Path,
    /// Where in the files.
    pub place: Span,
    /// How bad.
    pub weight: Weight,
    /// What is the matter, with what was probably meant.
    pub reason: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is not there.
    Missing,
    /// It cannot be told, or is only odd.
    Untold,
}

/// Asks.
pub async fn look_ahead(client: &Client, ask: &Ask<'_>, live: Option<&Snapshot>, me: Option<&Me>) -> Preflight {
    let before = client.requests();
    let all = asked::asked(ask, live);
    let questions: Vec<Question> = all.iter().filter(|asked| asked.later.is_none()).map(|asked| asked.question.clone()).collect();
    let answers = answers::answers(client, ask.registry, questions, me).await;
    let hints = near::hints(client, ask.registry, &all, &answers).await;
    let mut findings: Vec<Finding> = all.iter().flat_map(|asked| of_one(asked, &answers, &hints)).collect();
    findings.extend(asked::unknown_principals(ask));
    Preflight { findings, asked: answers.len() as u64, requests: client.requests() - before }
}

fn of_one(asked: &Asked, answers: &BTreeMap<Question, Answer>, hints: &BTreeMap<Question, String>) -> Vec<Finding> {
    let finding = |weight: Weight, reason: String| asked.finding(&asked.spot, weight, reason);
    let what = match &asked.question {
        Question::Volume(whole) => format!("volume `{whole}` (`{}`)", asked.name),
        _ => format!("{} `{}`", asked.word(), asked.name),
    };
    if let Some(maker) = &asked.later {
        let reason = format!("whether there will be a {what} cannot be told: {maker} is made by this plan, and nothing in it makes that");
        return vec![finding(Weight::Untold, reason)];
    }
    match answers.get(&asked.question) {
        None => vec![],
        Some(Answer::Missing) => {
            let declared = asked
                .declared
                .as_ref()
                .map(|address| format!("; an id is needed here, and `{}` is the name of {address}: write `${{{address}.id}}`", asked.name));
            let hint = declared.or_else(|| hints.get(&asked.question).map(|hint| format!("; {hint}"))).unwrap_or_default();
            vec![finding(Weight::Missing, format!("the workspace has no {what}, or does not show it to you{hint}"))]
        }
        Some(Answer::Untold(why)) => vec![finding(Weight::Untold, format!("whether there is a {what} cannot be told: {why}"))],
        Some(Answer::There { body, right }) => {
            let odd = odd(asked, body).into_iter().chain(right.clone());
            let mut found: Vec<Finding> = odd.map(|reason| finding(Weight::Untold, reason)).collect();
            found.extend(columns(asked, body));
            found
        }
    }
}

/// What is there and is not what it is listed as.
fn odd(asked: &Asked, body: &Value) -> Option<String> {
    let of = body.get("table_type").and_then(Value::as_str)?;
    (asked.sort == Some(Sort::MetricView) && of != "METRIC_VIEW")
        .then(|| format!("`{}` is no metric view, the workspace calls it {of}: list it under `tables`", asked.name))
}

fn columns(asked: &Asked, body: &Value) -> Vec<Finding> {
    if asked.columns.is_empty() {
        return vec![];
    }
    let named = |column: &Value| column.get("name").and_then(Value::as_str).map(str::to_owned);
    let known: Vec<String> = body.get("columns").and_then(Value::as_list).unwrap_or_default().iter().filter_map(named).collect();
    if known.is_empty() {
        let reason = format!("whether `{}` has the columns that are named cannot be told: the workspace shows none", asked.name);
        return vec![asked.finding(&asked.spot, Weight::Untold, reason)];
    }
    let missing = asked.columns.iter().filter(|column| !known.iter().any(|k| k.eq_ignore_ascii_case(&column.name)));
    let told = missing.map(|asked::Column { spot, name, weight }| {
        let hint = match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => near::some(&known, "it has"),
        };
        asked.finding(spot, *weight, format!("`{}` has no column `{name}`; {hint}", asked.name))
    });
    told.collect()
}
