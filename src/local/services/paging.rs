//! Lists in pages.

use crate::local::answer::Refusal;
use crate::local::exchange::Exchange;
use crate::model::{Map, Value};

/// One page: of objects, or of whatever leads to them, so that a long list is not copied for each of its pages.
pub struct Page<T = Value> {
    /// Its items.
    pub items: Vec<T>,
    /// The token of the next page; none: this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page with each item as it is shown.
    pub fn shown(self, show: impl FnMut(T) -> Value) -> Page {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

/// The page that a token asks for; none asks for the first.
///
/// # Errors
/// 400: a token that was never given out.
pub fn page<T>(items: Vec<T>, size: usize, token: Option<&str>) -> Result<Page<T>, Refusal> {
    let start = token.map_or(Some(0), |t| t.strip_prefix('p').and_then(|n| n.parse::<usize>().ok()));
    let Some(start) = start else { return Err(Refusal::invalid(format!("Invalid page token: {}", token.unwrap_or_default()))) };
    let more = items.len() > start.saturating_add(size);
    let items = items.into_iter().skip(start).take(size).collect();
    Ok(Page { items, next: more.then(|| format!("p{}", start + size)) })
}

/// A size asked for in the query, within bounds.
///
/// # Errors
/// 400 outside of them.
pub fn size(exchange: &Exchange<'_, '_>, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
    match exchange.number(name)? {
        None => Ok(default),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| Refusal::invalid(format!("Invalid {name}: {n}. It must be between 1 and {most}."))),
    }
}

/// A reply with the items under a key; an empty list and an absent token are left out, as the server does.
pub fn reply(key: &str, page: Page) -> Map {
    let mut map = Map::new();
    if !page.items.is_empty() {
        map.insert(key.to_owned(), Value::List(page.items));
    }
    if let Some(next) = page.next {
        map.insert("next_page_token".to_owned(), Value::Text(next));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::model::Value;

    #[test]
    fn pages() {
        let items = || (0..5_i64).map(Value::from).collect::<Vec<_>>();
        for (size, token, count, next) in [
            (2, None, 2, Some("p2")),
            (2, Some("p2"), 2, Some("p4")),
            (2, Some("p4"), 1, None),
            (5, None, 5, None),
            (2, Some("p9"), 0, None),
        ] {
            let got = page(items(), size, token).unwrap();
            assert_eq!((got.items.len(), got.next.as_deref()), (count, next), "{size} {token:?}");
        }
        assert!(page(items(), 2, Some("x")).is_err());
    }
}
