//! Joins: two tables, a condition and a relationship here; aliases in backticks there, and a marker among the SQL or an enum.

use super::form::Wire;
use super::name::Name;
use crate::diagnostic::suggest;
use crate::model::{Map, Value};

/// The marker that tells the relationship, as the second text of a join's `sql`.
const MARKER: (&str, &str) = ("--rt=FROM_RELATIONSHIP_TYPE_", "--");
/// What the agents API calls the relationships.
const TYPED: &str = "GENIE_AGENT_JOIN_RELATIONSHIP_TYPE_";
/// The relationships.
pub(super) const RELATIONSHIPS: [&str; 4] = ["MANY_TO_ONE", "ONE_TO_MANY", "ONE_TO_ONE", "MANY_TO_MANY"];

/// Reads every form of a join: ours, the API's, Genie-Forge's older names. What a side holds besides goes to the rest.
pub(super) fn lift(join: &mut Map, rest: &mut Map) {
    for side in ["left", "right"] {
        let older = join.shift_remove(&format!("{side}_table"));
        let alias = format!("{side}_alias");
        match join.shift_remove(side).or(older) {
            Some(Value::Map(mut source)) if source.contains_key("identifier") => {
                join.extend(source.shift_remove("alias").map(|a| (alias.clone(), a)));
                join.extend(source.shift_remove("identifier").map(|i| (side.to_owned(), i)));
                if !source.is_empty() {
                    rest.insert(side.to_owned(), Value::Map(source));
                }
            }
            other => join.extend(other.map(|value| (side.to_owned(), value))),
        }
        let plain = join.get(side).and_then(Value::as_str).map(default_alias);
        if plain.is_some() && join.get(&alias).and_then(Value::as_str) == plain.as_deref() {
            join.shift_remove(&alias);
        }
    }
    conditions(join);
    relationship(join);
    if !join.contains_key("comment")
        && let Some(said) = join.shift_remove("description")
    {
        join.insert("comment".to_owned(), said);
    }
}

/// The name that a join calls a table by where none is given: its own.
pub(super) fn default_alias(identifier: &str) -> String {
    match Name::parse(identifier) {
        Some(name) => name.last().to_owned(),
        None => identifier.rsplit('.').next().unwrap_or(identifier).trim_matches('`').to_owned(),
    }
}

fn conditions(join: &mut Map) {
    let mut found: Vec<Value> = Vec::new();
    for name in ["condition", "conditions", "on", "join_condition", "sql"] {
        match join.shift_remove(name) {
            Some(Value::List(parts)) if name == "sql" => found.extend(together(parts)),
            Some(Value::List(parts)) => found.extend(parts),
            Some(one) => found.push(one),
            None => {}
        }
    }
    let mut kept = Vec::new();
    for part in found {
        match marked(&part) {
            Some(relationship) => {
                join.entry("relationship".to_owned()).or_insert_with(|| Value::from(relationship));
            }
            None => kept.push(part),
        }
    }
    let sides: Vec<(String, String)> = ["left", "right"]
        .iter()
        .filter_map(|side| {
            let identifier = join.get(*side)?.as_str()?.to_owned();
            let alias =
                join.get(&format!("{side}_alias")).and_then(Value::as_str).map_or_else(|| default_alias(&identifier), str::to_owned);
            Some((identifier, alias))
        })
        .collect();
    let texts: Option<Vec<String>> = kept.iter().map(|part| Some(plain(part.as_str()?, &sides))).collect();
    match (texts, kept.len()) {
        (_, 0) => {}
        (Some(texts), _) => {
            join.insert("condition".to_owned(), Value::Text(texts.join(" AND ")));
        }
        (None, 1) => {
            join.insert("condition".to_owned(), kept.remove(0));
        }
        (None, _) => {
            join.insert("condition".to_owned(), Value::List(kept));
        }
    }
}

/// The relationship that a marker tells.
fn marked(part: &Value) -> Option<&str> {
    part.as_str().and_then(|text| text.trim().strip_prefix(MARKER.0)?.strip_suffix(MARKER.1))
}

/// The texts of a join's SQL: fragments of one, unless each is a condition by itself.
fn together(parts: Vec<Value>) -> Vec<Value> {
    let (markers, texts): (Vec<Value>, Vec<Value>) = parts.into_iter().partition(|part| marked(part).is_some());
    let is_whole = |part: &Value| part.as_str().is_some_and(|text| equalities(text).is_some());
    let fragments = if texts.iter().all(is_whole) { None } else { texts.iter().map(Value::as_str).collect::<Option<String>>() };
    fragments.map_or(texts, |text| vec![Value::Text(text)]).into_iter().chain(markers).collect()
}

fn relationship(join: &mut Map) {
    for name in ["relationship_type", "join_type"] {
        let spelt = join.get(name).and_then(Value::as_str).map(spelt);
        if !join.contains_key("relationship")
            && let Some(known) = spelt.filter(|s| RELATIONSHIPS.contains(&s.as_str()))
        {
            join.insert("relationship".to_owned(), Value::Text(known));
            join.shift_remove(name);
        }
    }
    if let Some(Value::Text(text)) = join.get_mut("relationship") {
        *text = spelt(text);
    }
}

/// Whether this is one of the relationships, in whatever spelling.
pub(super) fn is_relationship(text: &str) -> bool {
    RELATIONSHIPS.contains(&spelt(text).as_str())
}

/// `many-to-one` is `MANY_TO_ONE`.
fn spelt(text: &str) -> String {
    let upper = text.trim().to_uppercase().replace(['-', ' ', ':'], "_");
    upper.strip_prefix(TYPED).unwrap_or(&upper).to_owned()
}

/// A condition as a person writes it: `orders.id = items.order_id`. What is no chain of equalities stays as it is.
fn plain(text: &str, sides: &[(String, String)]) -> String {
    match equalities(text) {
        Some(pairs) => write(&pairs.into_iter().map(|p| p.map(|side| short(side, sides))).collect::<Vec<_>>(), Quotes::WhereNeeded),
        None => text.trim().to_owned(),
    }
}

/// One side of an equality under its alias, where it was under the whole name of its table.
fn short(side: Vec<String>, sides: &[(String, String)]) -> Vec<String> {
    let Some((column, table)) = side.split_last().filter(|(_, table)| table.len() > 1) else { return side };
    match sides.iter().find(|(identifier, _)| Name::parse(identifier).is_some_and(|name| name.is(table))) {
        Some((_, alias)) => vec![alias.clone(), column.clone()],
        None => side,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    WhereNeeded,
    Always,
}

/// A word of SQL, in backticks where it needs them.
pub(super) fn word(text: &str) -> String {
    let simple =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if simple { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

fn write(pairs: &[[Vec<String>; 2]], quotes: Quotes) -> String {
    let word = |text: &String| if quotes == Quotes::WhereNeeded { word(text) } else { quoted(text) };
    let side = |side: &Vec<String>| side.iter().map(word).collect::<Vec<_>>().join(".");
    pairs.iter().map(|[left, right]| format!("{} = {}", side(left), side(right))).collect::<Vec<_>>().join(" AND ")
}

/// The equalities of a condition, each side as its dotted words; none where it is anything else.
pub(super) fn equalities(text: &str) -> Option<Vec<[Vec<String>; 2]>> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let mut pairs = Vec::new();
    loop {
        let left = dotted(&mut tokens)?;
        (tokens.next()? == Token::Equals).then_some(())?;
        pairs.push([left, dotted(&mut tokens)?]);
        match tokens.next() {
            None => return Some(pairs),
            Some(Token::Word(and, Quoted::No)) if and.eq_ignore_ascii_case("and") => {}
            Some(_) => return None,
        }
    }
}

fn dotted(tokens: &mut std::iter::Peekable<std::vec::IntoIter<Token>>) -> Option<Vec<String>> {
    let mut words = Vec::new();
    loop {
        let Token::Word(word, quoted) = tokens.next()? else { return None };
        // A number (`5`, `1.5`) is no column.
        if quoted == Quoted::No && word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        words.push(word);
        if tokens.next_if_eq(&Token::Dot).is_none() {
            // One word alone may be a literal or a function: `true`, `current_date`.
            return (words.len() > 1).then_some(words);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Quoted {
    Yes,
    No,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String, Quoted),
    Dot,
    Equals,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut chars = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '.' => tokens.push(Token::Dot),
            '=' => {
                chars.next_if_eq(&'='); // SQL of Databricks takes `==` too
                tokens.push(Token::Equals);
            }
            '`' => {
                let mut word = String::new();
                loop {
                    match chars.next()? {
                        '`' if chars.next_if_eq(&'`').is_some() => word.push('`'),
                        '`' => break,
                        c => word.push(c),
                    }
                }
                tokens.push(Token::Word(word, Quoted::Yes));
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                tokens.push(Token::Word(word, Quoted::No));
            }
            _ => return None,
        }
    }
    Some(tokens)
}

/// Writes a join as the API has it.
pub(super) fn lower(join: &mut Map, wire: Wire) {
    for side in ["left", "right"] {
        let alias = join.shift_remove(&format!("{side}_alias"));
        let Some(identifier) = join.get(side).cloned() else { continue };
        let alias = alias.unwrap_or_else(|| identifier.as_str().map_or(identifier.clone(), |text| Value::Text(default_alias(text))));
        join.insert(side.to_owned(), Value::map([("identifier", identifier), ("alias", alias)]));
    }
    let condition = join.shift_remove("condition").map(|condition| match condition.as_str().and_then(equalities) {
        Some(pairs) => Value::Text(write(&pairs, Quotes::Always)),
        None => condition,
    });
    let relationship = join.shift_remove("relationship");
    if wire == Wire::Typed {
        let typed = relationship.map(|r| match r.as_str() {
            Some(text) => Value::Text(format!("{TYPED}{text}")),
            None => r,
        });
        join.extend(condition.map(|sql| ("sql".to_owned(), sql)));
        join.extend(typed.map(|typed| ("relationship_type".to_owned(), typed)));
        return;
    }
    let marker = relationship.and_then(|r| Some(Value::Text(format!("{}{}{}", MARKER.0, r.as_str()?, MARKER.1))));
    let sql: Vec<Value> = condition.into_iter().chain(marker).collect();
    if !sql.is_empty() {
        join.insert("sql".to_owned(), Value::List(sql));
    }
}

/// The table of a space that is nearly called so, where none is called so.
pub(super) fn near<'a>(body: &'a Value, table: &str) -> Option<&'a str> {
    let all = ["tables", "metric_views"].into_iter().filter_map(|list| body.get(list)?.as_list()).flatten();
    let names: Vec<&str> = all.filter_map(|item| item.get("identifier")?.as_str()).collect();
    let folded = Name::parse(table)?.folded();
    let is_there = names.iter().any(|name| Name::parse(name).is_some_and(|name| name.is(&folded)));
    suggest::nearest(table, names.into_iter().filter(|_| !is_there))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json;

    fn lifted(text: &str) -> String {
        let Value::Map(mut map) = json::parse(text.as_bytes()).unwrap() else { panic!() };
        lift(&mut map, &mut Map::new());
        json::write(&Value::Map(map)).unwrap()
    }

    #[test]
    fn every_form_reads_as_one() {
        let want = r#"{"left":"c.s.orders","right":"c.s.items","relationship":"ONE_TO_MANY","condition":"orders.id = items.order_id"}"#;
        for form in [
            r#"{"left":"c.s.orders","right":"c.s.items","condition":"orders.id = items.order_id","relationship":"one-to-many"}"#,
            r#"{"left":{"identifier":"c.s.orders","alias":"orders"},"right":{"identifier":"c.s.items","alias":"items"},"sql":["`orders`.`id` = `items`.`order_id`","--rt=FROM_RELATIONSHIP_TYPE_ONE_TO_MANY--"]}"#,
            r#"{"left_table":"c.s.orders","right_table":"c.s.items","join_condition":"c.s.orders.id = c.s.items.order_id","join_type":"ONE_TO_MANY"}"#,
            r#"{"left":{"identifier":"c.s.orders"},"right":{"identifier":"c.s.items"},"sql":"orders.id=items.order_id","relationship_type":"GENIE_AGENT_JOIN_RELATIONSHIP_TYPE_ONE_TO_MANY"}"#,
        ] {
            let (got, want) = (json::parse(lifted(form).as_bytes()).unwrap(), json::parse(want.as_bytes()).unwrap());
            for name in ["left", "right", "relationship", "condition"] {
                assert_eq!(got.get(name), want.get(name), "{form}");
            }
            assert_eq!(got.as_map().unwrap().len(), 4, "{form}");
        }
    }

    #[test]
    fn fragments_of_a_condition_are_one_text() {
        for (fragments, want) in [
            (&["`o`.`a`\n", " = `d`.`b`"][..], "o.a = d.b"),
            (&["`o`.`a` = `d`.`b`\n", "AND `o`.`c` = `d`.`e`"][..], "o.a = d.b AND o.c = d.e"),
            (&["`o`.`a` = `d`.`b`", "`o`.`c` = `d`.`e`"][..], "o.a = d.b AND o.c = d.e"),
            (&["o.a >= d.b\n", "OR o.c", " IS NULL"][..], "o.a >= d.b\nOR o.c IS NULL"),
        ] {
            let sql = fragments.iter().copied().chain(["--rt=FROM_RELATIONSHIP_TYPE_ONE_TO_ONE--"]).map(Value::from).collect();
            let mut join: Map = [("sql".to_owned(), Value::List(sql))].into_iter().collect();
            lift(&mut join, &mut Map::new());
            assert_eq!(join.get("condition"), Some(&Value::from(want)));
            assert_eq!(join.get("relationship"), Some(&Value::from("ONE_TO_ONE")));
        }
    }

    #[test]
    fn conditions_lose_and_gain_backticks() {
        let case = |text: &str, here: &str, there: &str| {
            assert_eq!(plain(text, &[]), here, "{text}");
            let mut join: Map = [("condition".to_owned(), Value::from(here))].into_iter().collect();
            let mut typed = join.clone();
            lower(&mut join, Wire::Serialised);
            assert_eq!(join["sql"].as_list().unwrap()[0].as_str(), Some(there), "{text}");
            lower(&mut typed, Wire::Typed);
            assert_eq!(typed["sql"].as_str(), Some(there), "{text}");
        };
        case("`a`.`x` = `b`.`y`", "a.x = b.y", "`a`.`x` = `b`.`y`");
        case("a.x==b.y and a.`two words` = b.z", "a.x = b.y AND a.`two words` = b.z", "`a`.`x` = `b`.`y` AND `a`.`two words` = `b`.`z`");
        case("`a`.`tick``s` = b.y", "a.`tick``s` = b.y", "`a`.`tick``s` = `b`.`y`");
        case("a.x > b.y", "a.x > b.y", "a.x > b.y");
        case("lower(a.x) = b.y", "lower(a.x) = b.y", "lower(a.x) = b.y");
        for text in ["`a`.`x` = `b`.`y` AND `b`.`current` = true", "a.x = 5", "a.x = 1.5", "a.day = current_date", "1=1"] {
            case(text, text, text);
        }
        case("a.x.field = b.y", "a.x.field = b.y", "`a`.`x`.`field` = `b`.`y`");
    }
}
