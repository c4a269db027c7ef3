//! Paging: which request comes after a reply, and what items a reply holds. Pure.

use std::collections::HashSet;

use crate::catalogue::Paging;
use crate::kinds::Call;
use crate::model::{Map, Value};

/// SCIM: how many are asked for at once.
const SCIM_COUNT: i64 = 1000;

/// How many empty pages in a row are believed: some lists have a few before the next item.
const MOST_EMPTY: usize = 1000;

/// The pages of one list.
#[derive(Debug)]
pub struct Pages {
    call: Call,
    paging: Paging,
    seen: HashSet<String>,
    taken: usize,
    empty: usize,
    page: i64,
    ended: bool,
}

impl Pages {
    /// The pages of the list that begins with this call.
    #[must_use]
    pub fn new(mut call: Call, paging: Paging) -> Self {
        match &paging {
            Paging::Scim => {
                call.query.entry("startIndex".to_owned()).or_insert(Value::Int(1));
                call.query.entry("count".to_owned()).or_insert(Value::Int(SCIM_COUNT));
            }
            Paging::Page { .. } => {
                call.query.entry("page".to_owned()).or_insert(Value::Int(1));
            }
            Paging::Token { .. } | Paging::Body { .. } | Paging::Single { .. } => {}
        }
        Self { call, paging, seen: HashSet::new(), taken: 0, empty: 0, page: 1, ended: false }
    }

    /// The next call; none after the last page.
    #[must_use]
    pub fn next_call(&self) -> Option<&Call> {
        (!self.ended).then_some(&self.call)
    }

    /// Takes the items out of a reply and sees whether there is more.
    ///
    /// # Errors
    /// A sentence: the items are no list, or the server goes round in circles.
    pub fn take(&mut self, mut reply: Value) -> Result<Vec<Value>, String> {
        let items = self.items(&mut reply)?;
        self.taken += items.len();
        self.empty = if items.is_empty() { self.empty + 1 } else { 0 };
        if self.empty > MOST_EMPTY {
            return Err(format!("the server gave {MOST_EMPTY} empty pages in a row"));
        }
        self.ended = !self.go_on(&mut reply, items.len())?;
        Ok(items)
    }

    fn items(&self, reply: &mut Value) -> Result<Vec<Value>, String> {
        let key = match &self.paging {
            Paging::Token { items, .. } | Paging::Page { items } | Paging::Body { items, .. } | Paging::Single { items } => items.as_str(),
            Paging::Scim => "Resources",
        };
        if key.is_empty() {
            return match std::mem::replace(reply, Value::Null) {
                Value::List(list) => Ok(list),
                other => Err(format!("the answer is {}, not a list", other.sort())),
            };
        }
        if !matches!(reply, Value::Map(_)) {
            return Err(format!("the answer is {}, not an object with `{key}`", reply.sort()));
        }
        // Real replies omit an empty list.
        match reply.as_map_mut().and_then(|map| map.get_mut(key)).map(|items| std::mem::replace(items, Value::Null)) {
            None | Some(Value::Null) => Ok(vec![]),
            Some(Value::List(list)) => Ok(list),
            Some(other) => Err(format!("`{key}` of the answer is {}, not a list", other.sort())),
        }
    }

    fn go_on(&mut self, reply: &mut Value, count: usize) -> Result<bool, String> {
        match &self.paging {
            Paging::Single { .. } => Ok(false),
            Paging::Token { in_body, param, from, .. } => {
                let token = match reply.get(from) {
                    None | Some(Value::Null) => return Ok(false),
                    Some(token) => token.key_text(),
                };
                if token.is_empty() {
                    return Ok(false);
                }
                if !self.seen.insert(token.clone()) {
                    return Err("the server gave the same page token twice".to_owned());
                }
                let place = if *in_body { body_of(&mut self.call) } else { &mut self.call.query };
                place.insert(param.clone(), Value::Text(token));
                Ok(true)
            }
            Paging::Scim => {
                let total = reply.get("totalResults").and_then(Value::as_i64);
                let taken = i64::try_from(self.taken).unwrap_or(i64::MAX);
                self.call.query.insert("startIndex".to_owned(), Value::Int(taken.saturating_add(1)));
                Ok(count > 0 && total.is_none_or(|total| taken < total))
            }
            Paging::Page { .. } => {
                self.page += 1;
                self.call.query.insert("page".to_owned(), Value::Int(self.page));
                Ok(count > 0)
            }
            Paging::Body { from, .. } => match reply.as_map_mut().and_then(|map| map.shift_remove(from)) {
                Some(Value::Map(next)) if !next.is_empty() => {
                    let next = Value::Map(next);
                    if !self.seen.insert(crate::model::json::display(&next)) {
                        return Err("the server gave the same next page twice".to_owned());
                    }
                    self.call.body = Some(next);
                    Ok(true)
                }
                _ => Ok(false),
            },
        }
    }
}

fn body_of(call: &mut Call) -> &mut Map {
    if !matches!(call.body, Some(Value::Map(_))) {
        call.body = Some(Value::Map(Map::new()));
    }
    call.body.as_mut().and_then(Value::as_map_mut).expect("a map since the line before")
}

/// Joins a further page of one object (`jobs.get`) to the first: lists that stand in the reply itself or in its member
/// `wrap` go on, anything else is as the first page said. Lists further down come whole with every page.
pub fn join(first: &mut Value, further: Value, wrap: &str) {
    let (Some(first), Value::Map(further)) = (first.as_map_mut(), further) else { return };
    for (name, more) in further {
        match (first.get_mut(&name), more) {
            (None, more) => {
                first.insert(name, more);
            }
            (Some(Value::List(list)), Value::List(more)) => list.extend(more),
            (Some(known @ Value::Map(_)), more @ Value::Map(_)) if !wrap.is_empty() && name == wrap => join(known, more, ""),
            (Some(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Repeat;

    fn call() -> Call {
        Call { op: "a.b.list", path: Map::new(), query: Map::new(), body: None, why: "list", repeat: Repeat::Safe }
    }

    fn value(text: &str) -> Value {
        json_parse(text)
    }

    fn json_parse(text: &str) -> Value {
        crate::model::json::parse(text.as_bytes()).expect(text)
    }

    /// Feeds replies until the pages end; gives the items, and each call's query and body.
    fn run(paging: Paging, replies: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut pages = Pages::new(call(), paging);
        let (mut items, mut calls) = (vec![], vec![]);
        let mut replies = replies.iter();
        while let Some(call) = pages.next_call() {
            calls.push(format!("{:?}{}", Value::Map(call.query.clone()), call.body.as_ref().map_or(String::new(), |b| format!("{b:?}"))));
            let reply = replies.next().expect("asked for more pages than there are");
            items.extend(pages.take(value(reply)).expect("good").iter().map(|v| format!("{v:?}")));
        }
        assert_eq!(replies.next(), None, "stopped too early");
        (items, calls)
    }

    #[test]
    fn tokens() {
        let paging = Paging::Token { in_body: false, param: "page_token".into(), from: "next_page_token".into(), items: "jobs".into() };
        let (items, calls) =
            run(paging, &[r#"{"jobs":[1,2],"next_page_token":"t"}"#, r#"{"next_page_token":"u"}"#, r#"{"jobs":[3],"next_page_token":""}"#]);
        assert_eq!(items, ["1", "2", "3"]);
        assert_eq!(calls, ["{}", r#"{"page_token": "t"}"#, r#"{"page_token": "u"}"#]);
        let paging = Paging::Token { in_body: true, param: "page_token".into(), from: "next_page_token".into(), items: "x".into() };
        let (_, calls) = run(paging, &[r#"{"x":[1],"next_page_token":"t"}"#, "{}"]);
        assert_eq!(calls, ["{}", r#"{}{"page_token": "t"}"#]);
    }

    #[test]
    fn the_same_token_twice_is_an_error() {
        let paging = Paging::Token { in_body: false, param: "t".into(), from: "n".into(), items: "x".into() };
        let mut pages = Pages::new(call(), paging);
        assert!(pages.take(value(r#"{"n":"a"}"#)).is_ok());
        assert!(pages.take(value(r#"{"n":"b"}"#)).is_ok());
        assert!(pages.take(value(r#"{"n":"a"}"#)).is_err());
    }

    #[test]
    fn empty_pages_without_end_are_an_error() {
        let paging = Paging::Token { in_body: false, param: "t".into(), from: "n".into(), items: "x".into() };
        let mut pages = Pages::new(call(), paging);
        let first_error = (0..5000).find(|n| pages.take(value(&format!(r#"{{"n":"{n}"}}"#))).is_err());
        assert_eq!(first_error, Some(MOST_EMPTY));
    }

    #[test]
    fn scim() {
        let (items, calls) = run(Paging::Scim, &[r#"{"totalResults":3,"Resources":[1,2]}"#, r#"{"totalResults":3,"Resources":[3]}"#]);
        assert_eq!(items, ["1", "2", "3"]);
        assert_eq!(calls, [r#"{"startIndex": 1, "count": 1000}"#, r#"{"startIndex": 3, "count": 1000}"#]);
        assert_eq!(run(Paging::Scim, &[r#"{"Resources":[1]}"#, "{}"]).0, ["1"]);
    }

    #[test]
    fn numbered_single_and_body() {
        assert_eq!(
            run(Paging::Page { items: "results".into() }, &[r#"{"results":[1]}"#, r#"{"results":[]}"#]).1,
            [r#"{"page": 1}"#, r#"{"page": 2}"#]
        );
        assert_eq!(run(Paging::Single { items: "x".into() }, &[r#"{"x":[1],"next_page_token":"t"}"#]).0, ["1"]);
        assert_eq!(run(Paging::Single { items: String::new() }, &["[1,2]"]).0, ["1", "2"]);
        let paging = Paging::Body { from: "next_page".into(), items: "events".into() };
        let (items, calls) = run(paging, &[r#"{"events":[1],"next_page":{"offset":1}}"#, r#"{"events":[2]}"#]);
        assert_eq!((items, calls), (vec!["1".into(), "2".into()], vec!["{}".to_owned(), r#"{}{"offset": 1}"#.to_owned()]));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for reply in [r#"{"x":{"a":1}}"#, "[]", "null", "7"] {
            assert!(Pages::new(call(), Paging::Single { items: "x".into() }).take(value(reply)).is_err(), "{reply}");
        }
    }

    #[test]
    fn joins_pages_of_one_object() {
        let mut first =
            value(r#"{"job_id":1,"settings":{"name":"a","tasks":[1,2],"tags":{"x":"y"},"email":{"to":["a"]}},"next_page_token":"t"}"#);
        join(
            &mut first,
            value(r#"{"job_id":1,"settings":{"name":"a","tasks":[3],"job_clusters":[],"tags":{"x":"y"},"email":{"to":["a"]}}}"#),
            "settings",
        );
        assert_eq!(
            first,
            value(
                r#"{"job_id":1,"settings":{"name":"a","tasks":[1,2,3],"tags":{"x":"y"},"email":{"to":["a"]},"job_clusters":[]},"next_page_token":"t"}"#
            )
        );
    }
}
