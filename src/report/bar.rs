//! What is in flight, and a bar with counts, rate and time left: lines for a terminal, of at most its width.

use super::outcome::{doing, seconds};
use super::style::{Label, Paint, columns, fit, spread};
use crate::plan::Action;

/// Lines of objects in flight.
const MOST: usize = 8;
/// From when on the time of one object is said, in milliseconds.
const SLOW: u64 = 10_000;
/// The bar without its frame, in columns.
const BAR: usize = 20;

/// An object in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// Whose.
    pub address: String,
    /// What happens to it.
    pub action: Action,
    /// The state that it waits in.
    pub state: Option<String>,
    /// Since when.
    pub millis: u64,
}

/// Where an apply is.
#[derive(Debug, Clone, Copy)]
pub struct Bar<'a> {
    /// Steps that ended.
    pub ended: usize,
    /// Those that failed.
    pub failed: usize,
    /// All steps.
    pub all: usize,
    /// Milliseconds since the start.
    pub millis: u64,
    /// In flight, by address.
    pub flying: &'a [Flight],
    /// Endpoints that the workspace slows down, with the rate a second where one is kept.
    pub throttled: &'a [(String, Option<f64>)],
}

/// The lines: the slowest objects first, then the bar.
#[must_use]
pub fn lines(bar: &Bar<'_>, width: usize, paint: Paint) -> Vec<String> {
    let room = width.saturating_sub(1);
    let mut flying: Vec<&Flight> = bar.flying.iter().collect();
    flying.sort_by(|a, b| b.millis.cmp(&a.millis).then_with(|| a.address.cmp(&b.address)));
    let mut out: Vec<String> = flying.iter().take(MOST).map(|one| flight(one, room, paint)).collect();
    if flying.len() > MOST {
        out.push(paint.label(Label::Dim, &format!("  and {} more in flight", flying.len() - MOST)));
    }
    out.push(whole(bar, room, paint));
    out
}

fn flight(one: &Flight, room: usize, paint: Paint) -> String {
    let mut right = one.state.clone().map(|s| s.to_lowercase()).unwrap_or_default();
    if one.millis >= SLOW {
        right = format!("{right}{}{}", if right.is_empty() { "" } else { "  " }, seconds(one.millis));
    }
    let right = fit(&right, room / 2);
    let left = fit(&format!("  {}", doing(&one.address, one.action, Paint { colour: false })), room.saturating_sub(columns(&right) + 2));
    let left = left.replacen(&doing("", one.action, Paint { colour: false }), &doing("", one.action, paint), 1);
    if right.is_empty() { left } else { spread(&left, &paint.label(Label::Dim, &right), room.min(100), 4) }
}

fn whole(bar: &Bar<'_>, room: usize, paint: Paint) -> String {
    let filled = (BAR * bar.ended.min(bar.all)).checked_div(bar.all).unwrap_or(BAR);
    let mut parts = vec![format!("[{}{}] {}/{}", "#".repeat(filled), "-".repeat(BAR - filled), bar.ended, bar.all)];
    parts.extend((bar.failed > 0).then(|| format!("{} failed", bar.failed)));
    let left = bar.all.saturating_sub(bar.ended) as u64;
    if bar.ended > 0 && bar.millis >= 1000 {
        let per_minute = bar.ended as u64 * 60_000 / bar.millis;
        parts.push(if per_minute >= 60 { format!("{}/s", per_minute / 60) } else { format!("{per_minute}/min") });
        parts.extend((left > 0).then(|| format!("{} left", rounded(left * bar.millis / bar.ended as u64))));
    } else if bar.millis >= 1000 {
        parts.push(rounded(bar.millis));
    }
    for (endpoint, rate) in bar.throttled.iter().take(2) {
        let rate = rate.map(|r| format!(" ({r:.0}/s)")).unwrap_or_default();
        parts.push(format!("throttled by {endpoint}{rate}"));
    }
    let text = fit(&parts.join(" · "), room);
    if bar.failed > 0 { paint.label(Label::Bad, &text) } else { text }
}

/// Whole seconds, or minutes.
fn rounded(millis: u64) -> String {
    let all = millis.div_ceil(1000);
    if all < 100 { format!("{all} s") } else { format!("{} min", all.div_ceil(60)) }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Flight, lines};
    use crate::plan::Action;
    use crate::report::style::{Paint, columns};

    fn flight(address: &str, state: Option<&str>, millis: u64) -> Flight {
        Flight { address: address.to_owned(), action: Action::Create, state: state.map(str::to_owned), millis }
    }

    #[test]
    fn counts_rate_and_time_left() {
        let flying = [flight("warehouses.bi", Some("STARTING"), 12_400), flight("jobs.a", None, 300)];
        let throttled = [("permissions".to_owned(), Some(30.0))];
        let bar = Bar { ended: 412, failed: 0, all: 640, millis: 10_800, flying: &flying, throttled: &throttled };
        assert_eq!(
            lines(&bar, 100, Paint { colour: false }),
            [
                "  + warehouses.bi                                                                  starting  12.4 s",
                "  + jobs.a",
                "[############--------] 412/640 · 38/s · 6 s left · throttled by permissions (30/s)",
            ]
        );
    }

    #[test]
    fn eight_objects_at_most_and_never_wider_than_the_window() {
        let name = "ключ-表-👩‍👩‍👧-".repeat(12);
        let flying: Vec<Flight> = (0..20).map(|i| flight(&format!("jobs.{name}{i}"), Some("PROVISIONING_FOR_LONG"), 20_000)).collect();
        for width in [60, 100, 200] {
            let bar = Bar { ended: 0, failed: 3, all: 20, millis: 400, flying: &flying, throttled: &[] };
            let lines = lines(&bar, width, Paint { colour: true });
            assert_eq!(lines.len(), 10, "eight, the rest counted, the bar");
            assert!(lines.iter().all(|l| columns(l) < width), "{lines:#?}");
        }
    }
}
