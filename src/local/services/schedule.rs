//! Schedules of jobs: which Quartz expressions and time zones the service takes.
//!
//! Nothing here asks what time it is: an expression is read, not evaluated.

use std::ops::RangeInclusive;

use jiff::tz::TimeZoneDatabase;

use crate::local::answer::Refusal;
use crate::model::{Map, Value};

/// Short names that Java knows besides those of the time zone database.
const JAVA_NAMES: [&str; 28] = [
    "ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT", "ECT", "EST", "HST", "IET", "IST", "JST", "MIT",
    "MST", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST",
];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Refuses the first schedule in it that is none.
///
/// # Errors
/// 400: its expression or its time zone.
pub fn check(settings: &Map) -> Result<(), Refusal> {
    let text = |name: &str| settings.get(name).and_then(Value::as_str);
    if let Some(expression) = text("quartz_cron_expression") {
        if !is_quartz(expression) {
            // The words of a reply that was reported.
            return Err(Refusal::invalid(format!(
                "Invalid quartz_cron_expression: {expression}. Databricks uses Quartz cron syntax, which is different from the standard \
                 cron syntax. See http://www.quartz-scheduler.org/documentation/quartz-2.1.x/tutorials/crontrigger.html for more details."
            )));
        }
        if let Some(zone) = text("timezone_id").filter(|zone| !is_zone(zone)) {
            return Err(Refusal::invalid(format!("Invalid timezone_id: {zone}. It must be a Java timezone ID.")));
        }
    }
    settings.values().try_for_each(|value| match value {
        Value::Map(map) => check(map),
        Value::List(items) => items.iter().filter_map(Value::as_map).try_for_each(check),
        _ => Ok(()),
    })
}

/// A Java time zone: a name of the time zone database, a short name, or `GMT+2`, `GMT-03:30`.
fn is_zone(zone: &str) -> bool {
    // Java compares exactly; the database does not.
    let known = || TimeZoneDatabase::bundled().get(zone).is_ok_and(|found| found.iana_name() == Some(zone));
    JAVA_NAMES.contains(&zone) || zone.strip_prefix("GMT").is_some_and(is_offset) || known()
}

fn is_offset(text: &str) -> bool {
    let Some(text) = text.strip_prefix(['+', '-']) else { return text.is_empty() };
    let (hours, minutes) = match (text.split_once(':'), text.len()) {
        (Some((hours, minutes)), _) if minutes.len() == 2 => (hours, minutes),
        (None, 3 | 4) if text.is_ascii() => text.split_at(text.len() - 2),
        (None, _) => (text, "0"),
        (Some(_), _) => return false,
    };
    hours.len() <= 2 && number(hours).is_some_and(|h| h < 24) && number(minutes).is_some_and(|m| m < 60)
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Six or seven fields, of which the day of the month or the day of the week is `?`, and not both.
fn is_quartz(expression: &str) -> bool {
    let fields: Vec<String> = expression.split_whitespace().map(str::to_uppercase).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let (times, year) = match fields.as_slice() {
        [times @ .., year] if times.len() == 6 => (times, *year),
        times => (times, "*"),
    };
    let [second, minute, hour, day, month, weekday] = *times else { return false };
    is_list(second, 0..=59, &[])
        && is_list(minute, 0..=59, &[])
        && is_list(hour, 0..=23, &[])
        && is_list(month, 1..=12, &MONTHS)
        && is_list(year, 1970..=2099, &[])
        && match (day, weekday) {
            ("?", "?") => false,
            ("?", weekday) => weekday.split(',').all(is_weekday),
            (day, "?") => day.split(',').all(is_day),
            _ => false,
        }
}

fn is_list(field: &str, range: RangeInclusive<u32>, names: &[&str]) -> bool {
    field.split(',').all(|item| is_item(item, &range, names))
}

/// `*`, `5`, `1-5`, `MON-FRI`, each with `/2` or without.
fn is_item(item: &str, range: &RangeInclusive<u32>, names: &[&str]) -> bool {
    let (what, step) = item.split_once('/').map_or((item, None), |(what, step)| (what, Some(step)));
    let one = |text: &str| names.contains(&text) || number(text).is_some_and(|n| range.contains(&n));
    let is_what = match what.split_once('-') {
        Some((from, to)) => one(from) && one(to),
        None => what == "*" || what.is_empty() && step.is_some() || one(what),
    };
    is_what && step.is_none_or(|step| number(step).is_some_and(|n| n > 0 && n <= *range.end()))
}

/// Also `L`, `L-3`, `LW`, `15W`.
fn is_day(item: &str) -> bool {
    let days = 1..=31;
    let before_last = |text: &str| text.strip_prefix("L-").and_then(number).is_some_and(|n| n <= 30);
    let nearest = |text: &str| text.strip_suffix('W').and_then(number).is_some_and(|n| days.contains(&n));
    matches!(item, "L" | "LW") || before_last(item) || nearest(item) || is_item(item, &days, &[])
}

/// Also `L`, `6L`, `FRI#2`.
fn is_weekday(item: &str) -> bool {
    let one = |text: &str| DAYS.contains(&text) || number(text).is_some_and(|n| (1..=7).contains(&n));
    let last = |text: &str| text.strip_suffix('L').is_some_and(one);
    let nth = |text: &str| text.split_once('#').is_some_and(|(day, n)| one(day) && number(n).is_some_and(|n| (1..=5).contains(&n)));
    item == "L" || last(item) || nth(item) || is_item(item, &(1..=7), &DAYS)
}

#[cfg(test)]
mod tests {
    use super::{is_quartz, is_zone};

    #[test]
    fn quartz_expressions() {
        for good in [
            "0 0 * * * ?",
            "0 30 2 * * ?",
            "0 0 12 ? * WED",
            "0 0/5 14,18 * * ?",
            "0 15 10 ? * mon-FRI 2002-2005",
            "0 15 10 L-3 * ?",
            "0 15 10 LW * ?",
            "0 15 10 15W JAN,JUN ?",
            "0 15 10 ? * 6L",
            "0 15 10 ? * 6#3",
            "7-59/8 * * ? * *",
            "  0  0 * * * ? * ",
        ] {
            assert!(is_quartz(good), "{good}");
        }
        for bad in [
            "",
            "q",
            "0 * * * *",
            "0 30 2,7,11,15 * * *",
            "0 0 * ? * ?",
            "60 0 * * * ?",
            "0 0 24 * * ?",
            "0 0 0 32 * ?",
            "0 0 0 ? * 8",
            "0 0 0 ? * MAN",
            "0 0 0 ? 13 MON",
            "0 0/0 0 * * ?",
            "0 0 0 , * ?",
            "0 0 * * * ? * *",
            "0 0 * * * ? 1969",
            "-1 0 * * * ?",
            "0 0 0 ? * 6#6",
            "@daily",
            "é 0 * * * ?",
        ] {
            assert!(!is_quartz(bad), "{bad}");
        }
    }

    #[test]
    fn java_time_zones() {
        for good in
            ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "GMT", "GMT+2", "GMT-03:30", "GMT+0530", "CET", "PST", "Etc/GMT+5"]
        {
            assert!(is_zone(good), "{good}");
        }
        for bad in [
            "",
            "Mars/Phobos",
            "europe/berlin",
            "Berlin",
            "UTC+2",
            "GMT+24",
            "GMT+2:5",
            "GMT+é1",
            "GMT-",
            "../UTC",
            "W. Europe Standard Time",
        ] {
            assert!(!is_zone(bad), "{bad}");
        }
    }
}
