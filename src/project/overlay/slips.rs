//! Slips of the pen in overlays: markers without their `$`, and names that are nearly those of what stands below. Each makes
//! something that nobody wanted, and leaves what was meant as it is.

use super::{DELETE, REPLACE, Shape, key_of, marked};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Kind, Schema};
use crate::model::Address;
use crate::project::findings::{Findings, span_text};
use crate::yaml::{Data, Entry, Node};

/// Fields that name people: theirs are alike by nature.
const PEOPLE: &[&str] = &["user_name", "group_name", "service_principal_name", "principal"];

/// A resource of an overlay in which what was meant as a marker is one: `delete: true`, where there is no such field.
pub(super) fn with_markers(kind: &'static Kind, address: &Address, mut node: Node, findings: &mut Findings) -> Node {
    let root = Schema::of(kind).root();
    let is_field = |name: &str| root.field(name).is_some();
    let mut told = Told { address, findings };
    if let Data::Map(entries) = &mut node.data {
        for entry in entries {
            told.one(entry, &is_field);
            told.below(&mut entry.value, &Shape::of(kind, &entry.key));
        }
    }
    node
}

struct Told<'a> {
    address: &'a Address,
    findings: &'a mut Findings,
}

impl Told<'_> {
    fn below(&mut self, node: &mut Node, shape: &Shape) {
        match &mut node.data {
            Data::Map(entries) => {
                for entry in entries {
                    if shape.is_closed() {
                        self.one(entry, &|name| !matches!(shape.member(name), Shape::Free));
                    }
                    self.below(&mut entry.value, &shape.member(&entry.key));
                }
            }
            Data::List(items) => {
                let of_item = shape.item();
                for item in items {
                    self.below(item, &of_item);
                }
            }
            Data::Scalar(_) => {}
        }
    }

    fn one(&mut self, entry: &mut Entry, is_field: &dyn Fn(&str) -> bool) {
        let Some(marker) = [DELETE, REPLACE].into_iter().find(|marker| marker.strip_prefix('$') == Some(&entry.key)) else { return };
        if entry.value.value().as_bool() != Some(true) || is_field(&entry.key) {
            return;
        }
        let found = Diagnostic::error("E0107", format!("unknown field `{}` in {}", entry.key, self.address))
            .at(&entry.key_span, "")
            .help(format!("did you mean `{marker}`?"));
        let is_plain = span_text(&entry.key_span) == entry.key;
        self.findings.add(if is_plain { found.patch(&entry.key_span, marker) } else { found });
        marker.clone_into(&mut entry.key);
    }
}

impl Shape {
    /// Whether all members are known.
    fn is_closed(&self) -> bool {
        match self {
            Self::Field(field) => field.is_struct(),
            Self::Facet(..) => true,
            Self::Free => false,
        }
    }
}

/// What an overlay alone declares is often a slip, where a resource of nearly this key is declared that the environment says
/// nothing of. Keys that count (`etl_2` beside `etl_1`) are other keys.
pub(super) fn resource(address: &Address, span: &Span, base: &[(&str, String)], touched: &[(&str, String)]) -> Option<Diagnostic> {
    let others = base.iter().filter(|other| other.0 == address.kind && !touched.contains(other)).map(|(_, key)| key.as_str());
    let near = suggest::nearest(&address.key, others.filter(|key| is_slip(&address.key, key)))?;
    Some(
        Diagnostic::warning(
            "W0134",
            format!("{address} is declared in this environment only, and {}.{near} is nearly called so", address.kind),
        )
        .at(span, "nothing of this name is declared below")
        .help(format!("did you mean `{near}`?"))
        .help(format!("if it is another one, say so: `$replace: true` below `{}`", address.key))
        .patch(span, near),
    )
}

fn uncounted(key: &str) -> String {
    key.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The same of an item that stands in the overlay only; one that says `$replace` is meant.
pub(super) fn item(item: &Node, base: &[Node], over: &[Node], fields: &[&str]) -> Option<Diagnostic> {
    // A name of its own says that it is one of its own.
    let is_named = item.entries().iter().any(|entry| entry.key.starts_with('$') && entry.key != REPLACE);
    if is_named || marked(item, REPLACE, &mut Findings::default()) {
        return None;
    }
    let (field, near) = near_key(item, base, over, fields)?;
    let place = item.get(field).unwrap_or(item);
    let text = place.text()?;
    let found = Diagnostic::warning("W0134", format!("`{text}` is in the overlay only, and `{near}` is nearly called so"))
        .at(&place.span, "nothing of this name is declared below")
        .help(format!("did you mean `{near}`?"))
        .help(match item.scalar() {
            Some(_) => format!("if it is another one, say so: `{{ {field}: {text}, $replace: true }}`"),
            None => "if it is another one, say so: `$replace: true` beside it".to_owned(),
        });
    Some(if span_text(&place.span) == text { found.patch(&place.span, near) } else { found })
}

/// The field of an item's key that nearly says what an item of the base does of which the overlay says nothing, and what it
/// says there; the others are alike.
pub(super) fn near_key<'f>(item: &Node, base: &[Node], over: &[Node], fields: &[&'f str]) -> Option<(&'f str, String)> {
    let own = key_of(item, fields)?;
    let said: Vec<_> = over.iter().filter_map(|other| key_of(other, fields)).collect();
    let others: Vec<_> = base.iter().filter_map(|other| key_of(other, fields)).filter(|key| !said.contains(key)).collect();
    fields.iter().enumerate().filter(|(_, field)| !PEOPLE.contains(field)).find_map(|(at, field)| {
        let word = own[at].as_deref().filter(|word| !word.contains("${"))?;
        let alike = others.iter().filter(|key| (0..fields.len()).all(|n| n == at || key[n] == own[n]));
        let candidates = alike.filter_map(|key| key[at].as_deref()).filter(|other| *other != word && is_slip(word, other));
        Some((*field, suggest::nearest(word, candidates)?.to_owned()))
    })
}

/// Whether one may be a slip for the other. Names that go by numbers or letters (`load_a` beside `load_b`) are others, and so are
/// those of which one word is another one.
fn is_slip(word: &str, other: &str) -> bool {
    let words =
        |text: &str| text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect::<Vec<_>>();
    let (own, theirs) = (words(word), words(other));
    if own.len() != theirs.len() {
        return strsim::damerau_levenshtein(word, other) == 1;
    }
    let differing: Vec<(&String, &String)> = own.iter().zip(&theirs).filter(|(a, b)| a != b).collect();
    match differing.as_slice() {
        [] => true,
        [(a, b)] => {
            a.chars().count() > 1 && b.chars().count() > 1 && uncounted(a) != uncounted(b) && suggest::nearest(a, [b.as_str()]).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn slips_and_other_names() {
        for (word, other, want) in [
            ("samples.nyctaxi.trip", "samples.nyctaxi.trips", true),
            ("samples.nyctaxi.trisp", "samples.nyctaxi.trips", true),
            ("main.s.order_items", "main.s.orderitems", true),
            ("Which bakery sels most?", "Which bakery sells most?", true),
            ("Which sells most", "Which sells most?", true),
            ("load_a", "load_b", false),
            ("load_2", "load_1", false),
            ("load_eu", "load_us", false),
            ("main.s.orders_eu", "main.s.orders", false),
            ("What was sold in 2024?", "What was sold in 2023?", false),
            ("What was sold in May?", "What was sold in June?", false),
        ] {
            assert_eq!(is_slip(word, other), want, "{word} {other}");
        }
    }
}
