//! What the command line names: an address, and perhaps a field of it. Slips of the pen get the nearest name.

use super::Failure;
use super::planning::address;
use crate::diagnostic::suggest;
use crate::kinds::{Kind, Registry};
use crate::model::{Address, Path};

/// `jobs.nightly.tasks[task_key=load].run_if`: the address and the path below it.
///
/// # Errors
/// It is neither, or of no known kind.
pub fn place(text: &str, registry: &Registry) -> Result<(Address, Path), Failure> {
    let (whose, path) = split(text);
    let address = address(whose, registry)?;
    let path = path.parse::<Path>().map_err(|error| Failure::usage(error.to_string(), &[]))?;
    Ok((address, path))
}

/// Where the address ends: behind the key, the instance in `["..."]` and the part after `/`.
fn split(text: &str) -> (&str, &str) {
    let name_end =
        |from: usize| text[from..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).map_or(text.len(), |at| from + at);
    let mut end = name_end(0);
    if text[end..].starts_with('.') {
        end = name_end(end + 1);
    }
    while let Some(length) = bracketed(&text[end..]) {
        end += length;
    }
    if text[end..].starts_with('/') {
        end = name_end(end + 1);
    }
    (&text[..end], text[end..].strip_prefix('.').unwrap_or(&text[end..]))
}

/// The bytes of a leading `["..."]` or `['...']`.
fn bracketed(text: &str) -> Option<usize> {
    let quote = text.strip_prefix('[')?.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(2) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return text[at + 1..].starts_with(']').then_some(at + 2),
            _ => {}
        }
    }
    None
}

/// An address that nothing has, with the nearest one that something has.
pub fn unknown<'a>(address: &Address, wher: &str, known: impl IntoIterator<Item = &'a Address>) -> Failure {
    let all: Vec<&Address> = known.into_iter().collect();
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let wanted = address.to_string();
    let mut help = vec![];
    let instances: Vec<&str> = all
        .iter()
        .zip(&names)
        .filter(|(a, _)| address.instance.is_none() && a.instance.is_some() && a.facet == address.facet)
        .filter(|(a, _)| a.kind == address.kind && a.key == address.key)
        .map(|(_, n)| n.as_str())
        .collect();
    let elsewhere = || all.iter().find(|a| a.key == address.key && a.kind != address.kind && !a.is_facet());
    if !instances.is_empty() {
        help.push(format!("it has instances: {}", listed(&instances)));
    } else if let Some(near) = suggest::nearest(&wanted, names.iter().map(String::as_str)) {
        help.push(format!("did you mean `{near}`?"));
    } else if let Some(other) = elsewhere() {
        help.push(format!("there is `{other}`"));
    } else {
        let same: Vec<&str> =
            all.iter().zip(&names).filter(|(a, _)| a.kind == address.kind && !a.is_facet()).map(|(_, n)| n.as_str()).collect();
        help.push(match same.as_slice() {
            [] => {
                format!("there are no {} there", Registry::standard().get(&address.kind).map_or_else(|| address.kind.clone(), Kind::many))
            }
            some => format!("there is {}", listed(some)),
        });
    }
    Failure::Usage { message: format!("`{address}` is not in {wher}"), help }
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|n| format!("`{n}`")).collect();
    let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{place, split, unknown};
    use crate::kinds::Registry;
    use crate::model::Address;

    #[test]
    fn an_address_ends_where_its_fields_begin() {
        for (text, address, path) in [
            ("jobs.nightly", "jobs.nightly", ""),
            ("jobs.nightly.name", "jobs.nightly", "name"),
            ("jobs.nightly.tasks[task_key=load].run_if", "jobs.nightly", "tasks[task_key=load].run_if"),
            ("jobs.nightly/permissions", "jobs.nightly/permissions", ""),
            ("jobs.nightly/permissions.entries[0]", "jobs.nightly/permissions", "entries[0]"),
            (r#"jobs.ingest["e.u]/x"].name"#, r#"jobs.ingest["e.u]/x"]"#, "name"),
            (r#"jobs["my job"]["eu"]/permissions.mode"#, r#"jobs["my job"]["eu"]/permissions"#, "mode"),
            ("jobs.nightly[0]", "jobs.nightly", "[0]"),
        ] {
            assert_eq!(split(text), (address, path), "{text}");
        }
    }

    #[test]
    fn aliases_of_kinds_are_read() {
        let (address, path) = place("sql_warehouses.bi.name", &Registry::standard()).unwrap();
        assert_eq!((address.to_string().as_str(), path.to_string().as_str()), ("warehouses.bi", "name"));
    }

    #[test]
    fn slips_of_the_pen() {
        let all: Vec<Address> = ["jobs.nightly", "jobs.nightly/permissions", r#"jobs.ingest["eu"]"#, "warehouses.bi"]
            .iter()
            .map(|t| t.parse().unwrap())
            .collect();
        for (given, help) in [
            ("jobs.nihgtly", "did you mean `jobs.nightly`?"),
            ("jobs.ingest", r#"it has instances: `jobs.ingest["eu"]`"#),
            ("jobs.bi", "there is `warehouses.bi`"),
            ("catalogs.something", "there are no catalogs there"),
            ("warehouses.quite_another", "there is `warehouses.bi`"),
        ] {
            assert_eq!(unknown(&given.parse().unwrap(), "YAML", &all).help(), [help], "{given}");
        }
    }
}
