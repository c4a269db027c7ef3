//! Filters with a meter: what an expression makes is counted, so that a short one cannot fill the memory.
//!
//! The evaluator counts its own steps, but a filter is one step however much it makes, and `'a' * 100000000` is one too.

use std::cell::Cell;

use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State, filters};

/// Bytes that one evaluation may make, intermediate values included: files of a workspace are at most ten megabytes.
pub const MOST_BYTES: usize = 16_000_000;

/// What an item of a list counts for besides its text.
const ITEM_BYTES: usize = 32;

/// Most parts that a list can be asked to be cut into, and most white space that can be asked for.
const MOST_ASKED: usize = 10_000;

thread_local! {
    /// What is left for the evaluation of this thread.
    static LEFT: Cell<usize> = const { Cell::new(MOST_BYTES) };
}

/// Begins an evaluation.
pub fn begin() {
    LEFT.set(MOST_BYTES);
}

/// Counts bytes that are about to be made, or were.
///
/// # Errors
/// It was too much.
pub fn charge(bytes: usize) -> Result<(), Error> {
    match LEFT.get().checked_sub(bytes) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => Err(Error::new(ErrorKind::InvalidOperation, format!("it makes more than {} MB", MOST_BYTES / 1_000_000))),
    }
}

/// What a value takes, without what its items take.
pub fn size(value: &Value) -> usize {
    match (value.as_str(), value.len()) {
        (Some(text), _) => text.len(),
        (None, Some(items)) => items.saturating_mul(ITEM_BYTES),
        (None, None) => ITEM_BYTES,
    }
}

/// The text that joining a list makes at most.
fn joined(list: &Value, between: usize) -> usize {
    let items = list.try_iter().into_iter().flatten();
    items.fold(0_usize, |all, item| all.saturating_add(size(&item)).saturating_add(between))
}

/// What a filter is going to make, as far as that is more than what it gets.
fn foreseen(name: &str, arguments: &[Value]) -> usize {
    let text = |i: usize| arguments.get(i).and_then(Value::as_str);
    match name {
        "join" => arguments.first().map_or(0, |list| joined(list, text(1).map_or(0, str::len))),
        "replace" => match (text(0), text(1), text(2)) {
            (Some(text), Some(from), Some(to)) => text.matches(from).count().saturating_mul(to.len()),
            _ => 0,
        },
        // Cut into so many parts, or filled up to so many.
        "batch" | "slice" | "tojson" => {
            let asked = arguments.iter().skip(1).filter_map(Value::as_usize).max().unwrap_or(0);
            if asked > MOST_ASKED { usize::MAX } else { 0 }
        }
        _ => 0,
    }
}

/// The filter of this name with the meter running.
fn metered(state: &mut State<'_, '_>, name: &str, plain: &str, arguments: &[Value]) -> Result<Value, Error> {
    // What goes in is bounded first: every filter but a few makes no more than some times that.
    if arguments.iter().any(|argument| size(argument) > MOST_BYTES) {
        charge(usize::MAX)?;
    }
    let foreseen = foreseen(name, arguments);
    if foreseen > MOST_BYTES {
        charge(foreseen)?;
    }
    let made = state.apply_filter(plain, arguments)?;
    charge(size(&made))?;
    Ok(made)
}

macro_rules! meters {
    ($environment:ident: $($name:literal $filter:ident)*) => {$(
        // No expression can spell a name with a space.
        $environment.add_filter(concat!("plain ", $name), filters::$filter);
        $environment.add_filter($name, |state: &mut State<'_, '_>, arguments: Rest<Value>| {
            metered(state, $name, concat!("plain ", $name), &arguments)
        });
    )*};
}

/// Puts a meter on all filters that make something.
pub fn install(environment: &mut Environment<'static>) {
    meters!(environment:
        "lower" lower "upper" upper "title" title "capitalize" capitalize "replace" replace "trim" trim "join" join "split" split
        "lines" lines "string" string "pprint" pprint "tojson" tojson "dictsort" dictsort "items" items "reverse" reverse "sort" sort
        "list" list "batch" batch "slice" slice "select" select "reject" reject "selectattr" selectattr "rejectattr" rejectattr "map" map
        "groupby" groupby "unique" unique "chain" chain "zip" zip "sum" sum "min" min "max" max
    );
}
