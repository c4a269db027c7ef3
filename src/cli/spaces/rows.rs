//! Rows of results in each form: a table, JSON, YAML, CSV, and nothing else on standard output.

use crate::cli::{Form, Run};
use crate::model::{Map, Value, json};
use crate::report::style::visible;
use crate::yaml;

/// What a column shows, with its heading.
pub(super) type Column = (&'static str, &'static str);

/// Writes rows. `empty` is said beside them where people read and there are none.
pub(super) fn show(run: &Run<'_>, form: Form, columns: &[Column], rows: &[Value], empty: &str) {
    match form {
        Form::Json => run.screen.result(&format!("{}\n", json::write_pretty(&Value::List(rows.to_vec())).unwrap_or_default())),
        Form::Yaml => run.screen.result(&yaml::emit_literal(&Value::List(rows.to_vec()))),
        Form::Csv => {
            run.screen.result(&format!("{}\n", columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")));
            for row in rows {
                let cells: Vec<String> = columns.iter().map(|(name, _)| quoted(&super::text(row, name))).collect();
                run.screen.result(&format!("{}\n", cells.join(",")));
            }
        }
        _ if rows.is_empty() => run.screen.note(empty),
        _ => table(run, columns, rows),
    }
}

/// These members of a row, in this order.
pub(super) fn only(row: &Value, names: &[&str]) -> Value {
    Value::Map(names.iter().filter_map(|name| Some(((*name).to_owned(), row.get(name)?.clone()))).collect::<Map>())
}

/// A cell of CSV (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// Somebody's text in a line of its own: what comes behind a line end would pass for another row or field.
pub(super) fn in_a_line(text: &str) -> String {
    visible(&text.replace('\n', " ")).into_owned()
}

fn table(run: &Run<'_>, columns: &[Column], rows: &[Value]) {
    let heading = columns.iter().map(|(_, heading)| (*heading).to_owned()).collect();
    let cell = |row: &Value, name: &str| in_a_line(&super::text(row, name));
    let cells: Vec<Vec<String>> =
        std::iter::once(heading).chain(rows.iter().map(|row| columns.iter().map(|(name, _)| cell(row, name)).collect())).collect();
    let wide: Vec<usize> = (0..columns.len()).map(|i| cells.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    for row in &cells {
        let line: Vec<String> = row.iter().zip(&wide).map(|(cell, wide)| format!("{cell:wide$}")).collect();
        run.screen.result(&format!("{}\n", line.join("  ").trim_end()));
    }
}
