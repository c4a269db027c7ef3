//! Columns of tables that conditions of joins and the SQL of snippets name.

use std::collections::BTreeMap;

use super::check::{items, place};
use super::name::Name;
use super::{join, sql};
use crate::kinds::NamedColumn;
use crate::model::{Path, Step, Value};

/// All of them, of tables that the space lists.
pub(super) fn named(body: &Value) -> Vec<NamedColumn> {
    let listed = items(body, &["tables"]).iter().chain(items(body, &["metric_views"]));
    let tables: Vec<(&str, Name)> = listed
        .filter_map(|item| {
            let identifier = item.get("identifier")?.as_str()?;
            Some((identifier, Name::parse(identifier)?))
        })
        .collect();
    let whole = |text: &str| {
        let name = Name::parse(text)?;
        tables.iter().find(|(_, table)| table.is(&name.folded())).map(|(identifier, _)| *identifier)
    };
    // By what is before the column, in lower case. One that means two tables means none.
    let mut called: BTreeMap<Vec<String>, Option<&str>> = BTreeMap::new();
    for (identifier, table) in &tables {
        let parts = table.folded();
        for from in 0..parts.len() {
            called.entry(parts[from..].to_vec()).and_modify(|other| *other = None).or_insert(Some(*identifier));
        }
    }
    let mut found = Vec::new();
    let mut aliases: BTreeMap<Vec<String>, Option<&str>> = BTreeMap::new();
    let at = place(&["instructions", "joins"]);
    for (i, item) in items(body, &["instructions", "joins"]).iter().enumerate() {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let mut sides = BTreeMap::new();
        for side in ["left", "right"] {
            let Some(table) = text(side) else { continue };
            let alias = text(&format!("{side}_alias")).map_or_else(|| join::default_alias(table), str::to_owned);
            let alias = vec![alias.to_lowercase()];
            aliases.entry(alias.clone()).and_modify(|other| *other = other.filter(|o| whole(table) == Some(o))).or_insert(whole(table));
            sides.insert(alias, whole(table));
        }
        let equalities = text("condition").and_then(join::equalities).into_iter().flatten().flatten();
        let path = at.join(Step::Index(i)).join(Step::Field("condition".to_owned()));
        found.extend(equalities.filter_map(|parts| column(&path, &parts, &sides, true)));
    }
    called.extend(aliases);
    for list in ["filters", "expressions", "measures"] {
        let at = place(&["instructions", "snippets", list]);
        for (i, snippet) in items(body, &["instructions", "snippets", list]).iter().enumerate() {
            let columns = snippet.get("sql").and_then(Value::as_str).and_then(sql::columns).unwrap_or_default();
            let path = at.join(Step::Index(i)).join(Step::Field("sql".to_owned()));
            found.extend(columns.iter().filter_map(|parts| column(&path, parts, &called, false)));
        }
    }
    found
}

/// The column that dotted words name, by the longest name of a table that they begin with.
fn column(path: &Path, parts: &[String], called: &BTreeMap<Vec<String>, Option<&str>>, is_sure: bool) -> Option<NamedColumn> {
    let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
    let length = (1..lower.len()).rev().find(|length| called.contains_key(&lower[..*length]))?;
    let table = (*called.get(&lower[..length])?)?;
    Some(NamedColumn { path: path.clone(), table: table.to_owned(), column: parts[length].clone(), is_sure })
}

#[cfg(test)]
mod tests {
    use super::named;
    use crate::kinds::spaces::read::normal;
    use crate::model::json;

    #[test]
    fn columns_are_of_the_tables_that_texts_call_by_name() {
        let body = r#"{"tables": ["c.s.orders", "c.s.items", "d.s.items"], "metric_views": ["c.s.revenue"],
            "instructions": {
                "joins": [
                    {"left": "c.s.orders", "right": "c.s.items", "right_alias": "i", "relationship": "ONE_TO_MANY", "condition": "orders.id = i.order"},
                    {"left": "c.s.orders", "right": "x.y.z", "relationship": "ONE_TO_MANY", "condition": "orders.no = z.no"}],
                "snippets": {
                    "filters": [{"name": "f", "sql": "orders.total > 1 AND c.s.Orders.Day = `i`.`a b` AND items.x = 1"}],
                    "measures": [{"name": "m", "sql": "sum(revenue.net) + bare"}, {"name": "n", "sql": "(SELECT orders.q FROM t)"}]}}}"#;
        let body = normal(json::parse(body.as_bytes()).expect("JSON"));
        let found: Vec<String> =
            named(&body).iter().map(|one| format!("{} {} {} {}", one.path, one.table, one.column, one.is_sure)).collect();
        assert_eq!(
            found,
            [
                "instructions.joins[0].condition c.s.orders id true",
                "instructions.joins[0].condition c.s.items order true",
                "instructions.joins[1].condition c.s.orders no true",
                "instructions.snippets.filters[0].sql c.s.orders total false",
                "instructions.snippets.filters[0].sql c.s.orders Day false",
                "instructions.snippets.filters[0].sql c.s.items a b false",
                "instructions.snippets.measures[0].sql c.s.revenue net false",
            ]
        );
    }
}
