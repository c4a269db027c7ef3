//! What every SCIM resource shares: filters, pages, which attributes are shown, and the shape of refusals.

use crate::local::answer::{Answer, Handled, Refusal, Shape};
use crate::local::exchange::Exchange;
use crate::model::{Map, Value};

/// The most items of a page, whatever is asked for.
const MOST: usize = 10_000;
/// Items of a page where no count is asked for.
const COUNT: usize = 100;

/// A refusal in SCIM's own shape.
pub fn refuse(status: u16, detail: impl Into<String>) -> Refusal {
    Refusal::new(status, "", detail).shaped(Shape::Scim)
}

/// A condition on one attribute.
#[derive(Debug, PartialEq)]
struct Condition {
    attribute: String,
    operator: Operator,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    Other,
    Contains,
    Begins,
    Present,
}

/// A filter: some of these must hold, each of them whole. The public documentation knows `eq`, `ne`, `co`, `sw` and simple
/// expressions joined by `and` and `or`.
#[derive(Debug, Default, PartialEq)]
pub struct Filter(Vec<Vec<Condition>>);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// 400: it is not understood.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let wrong = || refuse(400, format!("Invalid filter: {text}"));
        let mut words = words(text).ok_or_else(wrong)?.into_iter().peekable();
        let mut any = vec![vec![]];
        loop {
            let (Some(Word::Plain(attribute)), Some(Word::Plain(operator))) = (words.next(), words.next()) else { return Err(wrong()) };
            let operator = match operator.to_ascii_lowercase().as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::Other,
                "co" => Operator::Contains,
                "sw" => Operator::Begins,
                "pr" => Operator::Present,
                _ => return Err(wrong()),
            };
            let text = match operator {
                Operator::Present => String::new(),
                _ => words.next().ok_or_else(wrong)?.text(),
            };
            if let Some(all) = any.last_mut() {
                all.push(Condition { attribute, operator, text });
            }
            match words.next() {
                None => return Ok(Self(any)),
                Some(Word::Plain(word)) if word.eq_ignore_ascii_case("and") => {}
                Some(Word::Plain(word)) if word.eq_ignore_ascii_case("or") => any.push(vec![]),
                Some(_) => return Err(wrong()),
            }
        }
    }

    /// Whether a resource, or an item of a list, fits.
    pub fn fits(&self, value: &Value) -> bool {
        self.0.iter().any(|all| all.iter().all(|condition| condition.holds(value)))
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        let mut found = Vec::new();
        values(value, &self.attribute, &mut found);
        let want = self.text.to_lowercase();
        let has = |test: &dyn Fn(&str) -> bool| found.iter().any(|text| test(&text.to_lowercase()));
        match self.operator {
            Operator::Equal => has(&|text| text == want),
            Operator::Other => !has(&|text| text == want),
            Operator::Contains => has(&|text| text.contains(&want)),
            Operator::Begins => has(&|text| text.starts_with(&want)),
            Operator::Present => !found.is_empty(),
        }
    }
}

/// The texts under an attribute: names are blind to case, lists are gone through, an item's `value` is meant where no
/// part of it is named.
fn values(value: &Value, attribute: &str, found: &mut Vec<String>) {
    let (first, rest) = attribute.split_once('.').map_or((attribute, "value"), |(first, rest)| (first, rest));
    let Some((_, member)) = value.as_map().and_then(|m| m.iter().find(|(name, _)| name.eq_ignore_ascii_case(first))) else { return };
    match member {
        Value::List(items) => items.iter().for_each(|item| values(item, rest, found)),
        Value::Map(_) => values(member, rest, found),
        scalar => found.push(scalar.key_text()),
    }
}

enum Word {
    Plain(String),
    Quoted(String),
}

impl Word {
    fn text(self) -> String {
        let (Self::Plain(text) | Self::Quoted(text)) = self;
        text
    }
}

/// The words of a filter; none where a quote stays open. Clients quote with either sign.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (word, length) = quoted(rest, first)?;
            words.push(Word::Quoted(word));
            rest = rest[length..].trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(Word::Plain(rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    Some(words)
}

/// The text in quotes at the beginning, and how many bytes it takes with them.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut word = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => word.push(characters.next()?.1),
            _ if character == quote => return Some((word, at + 1)),
            _ => word.push(character),
        }
    }
    None
}

/// `attributes` and `excludedAttributes`: what of a resource is shown. The id always is.
pub fn projected(exchange: &Exchange<'_, '_>, resource: Map) -> Map {
    let names =
        |parameter: &str| exchange.asked(parameter).map(|list| list.split(',').map(|n| n.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    let (only, without) = (names("attributes"), names("excludedAttributes").unwrap_or_default());
    let asked = |name: &str, list: &[String]| list.iter().any(|a| a.split('.').next() == Some(name));
    resource
        .into_iter()
        .filter(|(name, _)| {
            let lower = name.to_ascii_lowercase();
            name == "id" || (only.as_ref().is_none_or(|only| asked(&lower, only)) && !without.contains(&lower))
        })
        .collect()
}

/// A page of resources, each as it is shown: `startIndex` counts from 1.
///
/// # Errors
/// 400: the filter or a number is not understood.
pub fn list(exchange: &Exchange<'_, '_>, all: Vec<Map>) -> Handled {
    let filter = exchange.asked("filter").map(Filter::read).transpose()?;
    let mut all: Vec<Value> = all.into_iter().map(Value::Map).filter(|v| filter.as_ref().is_none_or(|f| f.fits(v))).collect();
    if let Some(by) = exchange.asked("sortBy") {
        let key = |value: &Value| {
            let mut found = Vec::new();
            values(value, by, &mut found);
            found.join(" ").to_lowercase()
        };
        all.sort_by_cached_key(key);
        if exchange.asked("sortOrder") == Some("descending") {
            all.reverse();
        }
    }
    let whole = |name: &str| -> Result<Option<usize>, Refusal> {
        let number = exchange.number(name).map_err(|_| refuse(400, format!("{name} must be a whole number.")))?;
        Ok(number.and_then(|n| usize::try_from(n).ok()))
    };
    let (start, count) = (whole("startIndex")?.unwrap_or(1).max(1), whole("count")?.unwrap_or(COUNT).min(MOST));
    let total = all.len();
    let page = all.into_iter().skip(start - 1).take(count).filter_map(|v| if let Value::Map(m) = v { Some(m) } else { None });
    let items: Vec<Value> = page.map(|resource| Value::Map(projected(exchange, resource))).collect();
    let number = |n: usize| Value::from(u64::try_from(n).unwrap_or(u64::MAX));
    let mut reply = Map::new();
    reply.insert("schemas".to_owned(), Value::List(vec!["urn:ietf:params:scim:api:messages:2.0:ListResponse".into()]));
    reply.insert("totalResults".to_owned(), number(total));
    reply.insert("startIndex".to_owned(), number(start));
    reply.insert("itemsPerPage".to_owned(), number(items.len()));
    if !items.is_empty() {
        reply.insert("Resources".to_owned(), Value::List(items));
    }
    Ok(Answer::ok(reply))
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use crate::model::json;

    #[test]
    fn filters() {
        let ana = json::parse(
            br#"{"userName":"ana@x","displayName":"Ana \"A\" Bell","active":true,"emails":[{"value":"a@x"}],"groups":[{"display":"g"}]}"#,
        )
        .unwrap();
        for (filter, fits) in [
            (r#"userName eq "ANA@x""#, true),
            ("username EQ 'ana@x'", true),
            ("userName eq ana@x", true),
            (r#"userName eq "bo@x""#, false),
            (r#"userName eq "bo@x" or userName eq "ana@x""#, true),
            (r#"userName sw "ana" and active eq true"#, true),
            (r#"userName sw "ana" and active eq false"#, false),
            (r#"displayName co "\"A\" b""#, true),
            (r#"displayName ne "Ana""#, true),
            (r#"emails.value eq "a@x""#, true),
            (r#"emails eq "a@x""#, true),
            (r#"groups.display eq "g""#, true),
            ("externalId pr", false),
            ("userName pr", true),
        ] {
            assert_eq!(Filter::read(filter).unwrap().fits(&ana), fits, "{filter}");
        }
        for wrong in ["", "userName", "userName eq", r#"userName eq "a"#, r#"userName is "a""#, r#"userName eq "a" userName eq "b""#] {
            assert_eq!(Filter::read(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
