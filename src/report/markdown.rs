//! A plan as a comment on a pull request: what is lost first and open, the rest folded by kind, how to repeat it at the end.
//!
//! What users wrote stands in code (spans, fences) or is escaped, so that no name can break the page or call somebody. The
//! whole never exceeds what a comment may hold; what is left out is counted.

use std::collections::BTreeMap;

use super::step::symbol;
use super::text::{self, Look, plural};
use crate::plan::between::{Sort, Sorts};
use crate::plan::{Action, Block, Plan, Step};

/// The most bytes of a comment (the limit is in characters; no text has more of them than bytes).
pub const LIMIT: usize = 65_535;
/// What is kept for the end: command, digest, commit, what was left out.
const END: usize = 3_000;
/// The longest description of one step.
const STEP: usize = 6_000;
/// The longest text of the user's in one line.
const WORDS: usize = 400;

/// What stands around the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The command that gives this plan again.
    pub command: &'a str,
    /// The digest of the plan.
    pub digest: &'a str,
    /// The commit that was planned.
    pub commit: Option<&'a str>,
    /// What an apply said at its end, as text.
    pub result: Option<&'a str>,
    /// The page of the pipeline's run.
    pub run: Option<&'a str>,
    /// Whose each change is, where a base was named.
    pub sorts: Option<&'a Sorts>,
    /// Only what changed behind its back was asked for.
    pub drift: bool,
}

/// What happens in one environment, or in several in which the same happens.
pub struct Section<'a> {
    /// Their names.
    pub title: String,
    /// What happens, in a line.
    pub said: String,
    /// The steps.
    pub plan: Option<&'a Plan>,
}

/// A comment that compares revisions: a folded section for each group of environments, what is lost first and open.
#[must_use]
pub fn sections(project: &str, title: &str, sections: &[Section<'_>], command: &str) -> String {
    let mut out = format!("{}## Brickform · {}\n\n", marker("diff", &[project]), escape(title));
    for section in sections {
        out.push_str(&format!("- **{}**: {}\n", escape(&section.title), escape(&section.said)));
    }
    out.push('\n');
    let mut room = LIMIT.saturating_sub(END + out.len());
    let mut left_out = 0;
    for section in sections {
        let Some(plan) = section.plan.filter(|plan| !plan.is_empty()) else { continue };
        put(&format!("### {}\n\n", escape(&section.title)), &mut room, &mut out);
        left_out += steps(plan, None, &mut room, &mut out);
    }
    out.push_str(&cut_off(left_out));
    out.push_str("Again:\n\n");
    out.push_str(&fence("sh", &cut(command, 1_000)));
    out
}

fn cut_off(left_out: usize) -> String {
    if left_out == 0 {
        return String::new();
    }
    let what = plural(left_out as u64, "step is", "steps are");
    format!("_{what} not shown in full: a comment holds no more. The command below shows them._\n\n")
}

/// The comment.
#[must_use]
pub fn plan(plan: &Plan, about: &About<'_>) -> String {
    let mut out = head(plan, about);
    if let Some(result) = about.result {
        out.push_str(&fence("", &cut(result, STEP)));
    }
    out.push_str(&blocked(plan));
    if let Some(sorts) = about.sorts {
        out.push_str(&whose(sorts));
    }
    out.push_str(&by_kinds(plan));
    let mut room = LIMIT.saturating_sub(END + out.len());
    let left_out = steps(plan, about.sorts, &mut room, &mut out);
    out.push_str(&cut_off(left_out));
    out.push_str(&end(plan, about));
    out
}

/// Whose the changes are, in a line.
fn whose(sorts: &Sorts) -> String {
    let words: Vec<String> = Sort::ALL.iter().map(|sort| format!("{} {}", sorts.count(*sort), sort.words())).collect();
    format!("Beside {} ({}): **{}**.\n\n", span(&sorts.base), span(sorts.commit.get(..12).unwrap_or(&sorts.commit)), words.join(" · "))
}

/// How many steps of each kind, where there are too many to see it at a glance.
fn by_kinds(plan: &Plan) -> String {
    const MANY: usize = 20;
    let mut kinds: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let done: Vec<&Step> = plan.steps.iter().filter(|s| s.action != Action::None).collect();
    if done.len() < MANY {
        return String::new();
    }
    for step in done {
        let kind = step.address.kind.as_str();
        *kinds.entry(kind).or_default().entry(super::outcome::done_word(step.action)).or_default() += 1;
    }
    let mut out = String::from("| kind | what happens |\n| --- | --- |\n");
    for (kind, actions) in kinds {
        let words: Vec<String> = actions.iter().map(|(word, n)| format!("{n} {word}")).collect();
        out.push_str(&format!("| {} | {} |\n", span_free(kind), words.join(", ")));
    }
    out.push('\n');
    out
}

/// Every step: what is lost open, the rest folded. Gives how many are not shown in full.
fn steps(plan: &Plan, sorts: Option<&Sorts>, room: &mut usize, out: &mut String) -> usize {
    let steps: Vec<&Step> = plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).collect();
    let sort = |step: &Step| sorts.and_then(|s| s.steps.get(&step.address)).map(|s| s.step);
    let (grave, rest): (Vec<&Step>, Vec<&Step>) = steps.into_iter().partition(|s| is_grave(s));
    let (drift, rest): (Vec<&Step>, Vec<&Step>) = rest.into_iter().partition(|s| text::behind_its_back(s) || sort(s) == Some(Sort::Drift));
    let (merged, own): (Vec<&Step>, Vec<&Step>) = rest.into_iter().partition(|s| sort(s) == Some(Sort::Merged));
    let page = Page { plan, sorts };
    let mut left_out = losses(&grave, &page, room, out);
    let mut kinds: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in own {
        kinds.entry(step.address.kind.as_str()).or_default().push(step);
    }
    for (kind, steps) in kinds {
        left_out += folded(&format!("{}: {}", span_free(kind), actions(&steps)), &steps, &page, room, out);
    }
    let title = format!("Not yours: {} merged, not applied", merged.len());
    left_out += folded(&title, &merged, &page, room, out);
    let title = format!("Not yours: {} changed in the workspace, put back by this plan", drift.len());
    left_out + folded(&title, &drift, &page, room, out)
}

/// What each line of a page is written from.
struct Page<'a> {
    plan: &'a Plan,
    sorts: Option<&'a Sorts>,
}

impl Page<'_> {
    /// `` `~` `jobs.nightly` ``, and whose it is.
    fn bullet(&self, step: &Step) -> String {
        let sort = self.sorts.and_then(|s| s.steps.get(&step.address));
        format!("{}{}", bullet(step), sort.map(|s| format!(" _({})_", s.step.words())).unwrap_or_default())
    }
}

/// The line by which a pipeline finds the comment again. Names hold no `--`, which would end the comment; nothing else is let in.
#[must_use]
pub fn marker(what: &str, names: &[&str]) -> String {
    let clean = |name: &&str| {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '-' }).collect();
        let words: Vec<&str> = name.split('-').filter(|w| !w.is_empty()).collect();
        words.join("-")
    };
    format!("<!-- brickform:{what}:{} -->\n", names.iter().map(clean).collect::<Vec<_>>().join(":"))
}

fn head(plan: &Plan, about: &About<'_>) -> String {
    let mut out = marker(if about.drift { "drift" } else { "plan" }, &[&plan.project, &plan.environment]);
    let what = match (plan.is_empty(), about.drift) {
        (true, true) => "no drift".to_owned(),
        (true, false) => "no changes".to_owned(),
        (false, _) => counts(plan),
    };
    out.push_str(&format!("## Brickform · {}: {what}\n\n", escape(&plan.environment)));
    if plan.is_empty() {
        let all = plan.counts().total;
        out.push_str(&format!(
            "{} as the configuration says.\n\n",
            if all == 1 { "1 resource is".to_owned() } else { format!("{all} resources are") }
        ));
    }
    out
}

fn counts(plan: &Plan) -> String {
    let c = plan.counts();
    let all = [
        (c.add, "to add"),
        (c.change, "to change"),
        (c.replace, "to replace"),
        (c.delete, "to delete"),
        (c.adopt, "adopted"),
        (c.moved, "moved"),
        (c.forget, "forgotten"),
        (c.drifted, "drifted"),
    ];
    let words: Vec<String> = all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if words.is_empty() { "blocked".to_owned() } else { words.join(", ") }
}

fn blocked(plan: &Plan) -> String {
    let of = |step: &Step| step.blocks.clone();
    let all: Vec<Block> = plan.blocks.iter().cloned().chain(plan.steps.iter().flat_map(of)).collect();
    let mut out = String::new();
    if !all.is_empty() {
        out.push_str(&format!("### Blocked by {}: nothing can be applied\n\n", plural(all.len() as u64, "guard", "guards")));
        out.push_str(&listed(&all));
    }
    if !plan.lifted.is_empty() {
        let flags: Vec<String> = plan.lifted.iter().map(|flag| span(flag)).collect();
        out.push_str(&format!("**Guards lifted:** {}\n\n", flags.join(" ")));
    }
    if let Some(line) = text::pinning(plan) {
        out.push_str(&format!("{}\n\n", escape(&line)));
    }
    if !plan.warnings.is_empty() {
        out.push_str(&format!("### {}\n\n{}", plural(plan.warnings.len() as u64, "Warning", "Warnings"), listed(&plan.warnings)));
    }
    out
}

/// The first thirty, the others counted.
fn listed(blocks: &[Block]) -> String {
    const MOST: usize = 30;
    let mut out = String::new();
    for block in blocks.iter().take(MOST) {
        let flags: Vec<String> = block.remedy.iter().filter(|r| r.starts_with("--")).map(|r| span(r)).collect();
        let lift = if flags.is_empty() { String::new() } else { format!(" (allow with {})", flags.join(", ")) };
        out.push_str(&format!("- **{}**: {}{lift}\n", block.guard.replace('_', " "), escape(&block.reason)));
    }
    if blocks.len() > MOST {
        out.push_str(&format!("- and {} more\n", blocks.len() - MOST));
    }
    out.push('\n');
    out
}

/// Something goes away.
fn is_grave(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst) || step.loses.is_some()
}

fn losses(steps: &[&Step], page: &Page<'_>, room: &mut usize, out: &mut String) -> usize {
    if steps.is_empty() {
        return 0;
    }
    let mut left_out = 0;
    put(&format!("### Deleted or replaced ({})\n\n", steps.len()), room, out);
    for (i, step) in steps.iter().enumerate() {
        let mut line = page.bullet(step);
        if let Some(loses) = &step.loses {
            line.push_str(&format!(": **{} lost**", escape(loses)));
        }
        line.push('\n');
        // What is lost is never left out in silence.
        if line.len() + 400 > *room {
            let left = &steps[i..];
            put(&format!("- **and {} more that are deleted or replaced**: {}\n", left.len(), by_kind(left)), room, out);
            left_out = left.len();
            break;
        }
        put(&line, room, out);
    }
    put("\n", room, out);
    let details: Vec<&Step> = steps.iter().copied().filter(|s| !s.changes.is_empty()).collect();
    // The details of those that are counted only are left out with them.
    let details: Vec<&Step> = if left_out > 0 { vec![] } else { details };
    left_out + folded("What forces it", &details, page, room, out)
}

fn by_kind(steps: &[&Step]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        *kinds.entry(step.address.kind.as_str()).or_default() += 1;
    }
    kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ")
}

fn bullet(step: &Step) -> String {
    let at = match &step.moved_from {
        Some(from) => format!("{from} → {}", step.address),
        None => step.address.to_string(),
    };
    let known = step.name.is_empty() || step.name == step.address.key;
    let name = if known { String::new() } else { format!(" {}", span(&step.name)) };
    let link = step.link.as_deref().and_then(address);
    let link = link.map(|l| format!(" ([open]({l}))")).unwrap_or_default();
    format!("- {} {}{name}{link}", span(symbol(step.action).0), span(&at))
}

/// An address that a link can hold as it is.
fn address(link: &str) -> Option<&str> {
    let plain = !link.contains([' ', '(', ')', '<', '>', '"', '`', '\\', '\n']);
    (plain && (link.starts_with("https://") || link.starts_with("http://"))).then_some(link)
}

/// A folded section; gives how many of its steps are not shown in full.
fn folded(title: &str, steps: &[&Step], page: &Page<'_>, room: &mut usize, out: &mut String) -> usize {
    const CLOSE: &str = "</details>\n\n";
    let open = format!("<details><summary>{title}</summary>\n\n");
    if steps.is_empty() {
        return 0;
    }
    if open.len() + CLOSE.len() > *room {
        return steps.len();
    }
    *room -= CLOSE.len();
    put(&open, room, out);
    let mut left_out = 0;
    for step in steps {
        let whole = described(step, page);
        let brief = format!("{}\n\n", page.bullet(step));
        if whole.len() <= *room {
            put(&whole, room, out);
        } else {
            left_out += 1;
            if brief.len() <= *room {
                put(&brief, room, out);
            }
        }
    }
    out.push_str(CLOSE);
    left_out
}

fn put(text: &str, room: &mut usize, out: &mut String) {
    *room = room.saturating_sub(text.len());
    out.push_str(text);
}

/// A step: one line, then its fields in a fence, signs in front so that they are coloured.
fn described(step: &Step, page: &Page<'_>) -> String {
    let look = Look { colour: false, width: 100, unmanaged: false, requests: false, drift: false, saved: false, millis: None, sorts: None };
    let mut body = String::new();
    text::one(step, &[], page.plan, &look, &mut body);
    let lines: Vec<String> = body.lines().skip(1).filter(|l| !l.trim().is_empty()).map(signed).collect();
    let fields = if lines.is_empty() { String::new() } else { fence("diff", &cut(&lines.join("\n"), STEP)) };
    format!("{}\n\n{fields}", page.bullet(step))
}

fn signed(line: &str) -> String {
    let rest = line.strip_prefix("      ").unwrap_or(line);
    let bare = rest.trim_start();
    match bare.chars().next() {
        Some(sign @ ('+' | '-' | '!')) if bare[1..].starts_with(' ') => {
            format!("{sign} {}{}", &rest[..rest.len() - bare.len()], &bare[2..])
        }
        _ => match item(rest) {
            Some((name, sign, value)) => format!("{sign} {name}  {value}"),
            None => format!("  {rest}"),
        },
    }
}

/// A line that says what one item gains or loses (`users  + "SELECT"`): its name, the sign, the item.
fn item(line: &str) -> Option<(&str, char, &str)> {
    let at = [" + ", " - "].into_iter().filter_map(|sign| line.find(sign)).min()?;
    let (name, rest) = line.split_at(at);
    let plain = !name.contains('→') && name.matches('"').count() % 2 == 0 && name.ends_with(' ');
    Some((name, rest[1..].chars().next()?, &rest[3..])).filter(|_| plain && !name.trim().is_empty())
}

fn actions(steps: &[&Step]) -> String {
    let mut words: Vec<(&str, usize)> = vec![];
    for step in steps {
        let word = super::outcome::done_word(step.action);
        match words.iter_mut().find(|(w, _)| *w == word) {
            Some((_, n)) => *n += 1,
            None => words.push((word, 1)),
        }
    }
    words.iter().map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
}

fn end(plan: &Plan, about: &About<'_>) -> String {
    let mut out = String::new();
    if !about.command.is_empty() {
        out.push_str("Again:\n\n");
        out.push_str(&fence("sh", &cut(about.command, 1_000)));
    }
    let mut parts = vec![format!("workspace {}", span(&plan.workspace.host)), format!("state serial {}", plan.serial)];
    parts.extend((!about.digest.is_empty()).then(|| format!("plan {}", span(about.digest.get(..12).unwrap_or(about.digest)))));
    parts.extend(about.commit.map(|c| format!("commit {}", span(c.get(..12).unwrap_or(c)))));
    parts.extend(about.run.and_then(address).map(|link| format!("[pipeline]({link})")));
    out.push_str(&format!("<sub>{}</sub>\n", parts.join(" · ")));
    out
}

/// Text in a fence that is longer than any run of backticks in it.
fn fence(language: &str, text: &str) -> String {
    let mark = "`".repeat(longest_run(text).max(2) + 1);
    format!("{mark}{language}\n{}\n{mark}\n\n", text.trim_end_matches('\n'))
}

/// Text as code in a line.
fn span(text: &str) -> String {
    let text: String = cut(text, WORDS).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mark = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{mark}{pad}{text}{pad}{mark}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text that is read as text and nothing else.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in cut(text, WORDS).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention or a reference to an issue begins with these.
            '@' | '#' => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Kinds are words of ours; anything else is taken out.
fn span_free(kind: &str) -> String {
    kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… ({} more bytes)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::{About, LIMIT, escape, fence, plan, span};
    use crate::plan::Action;
    use crate::report::samples;

    const ABOUT: About<'_> = About {
        command: "brickform plan --env prod",
        digest: "0123456789abcdef",
        commit: Some("aaaabbbbccccdddd"),
        result: None,
        run: None,
        sorts: None,
        drift: false,
    };

    #[test]
    fn a_comment_with_everything() {
        insta::assert_snapshot!(plan(&samples::everything(), &ABOUT));
    }

    #[test]
    fn signs_stand_in_front_so_that_they_are_coloured() {
        for (line, want) in [
            ("      users                   + \"SELECT\"", "+ users                    \"SELECT\""),
            ("      group \"a\"  - \"CAN_VIEW\"  removed", "- group \"a\"   \"CAN_VIEW\"  removed"),
            ("        - { name: a }", "-   { name: a }"),
            ("      comment  \"a\" → \"b  - c\"", "  comment  \"a\" → \"b  - c\""),
            ("      comment  \"b  - c\"", "  comment  \"b  - c\""),
            ("      tasks  +1 -1 lines", "  tasks  +1 -1 lines"),
        ] {
            assert_eq!(super::signed(line), want, "{line}");
        }
    }

    #[test]
    fn it_is_there_when_nothing_changes() {
        let text = plan(&samples::plan(vec![samples::step("jobs.a", Action::None, "a")]), &ABOUT);
        assert!(text.starts_with("<!-- brickform:plan:platform:prod -->\n## Brickform · prod: no changes\n"), "{text}");
        assert!(text.contains("brickform plan --env prod") && text.contains("`0123456789ab`") && text.contains("`aaaabbbbcccc`"));
    }

    #[test]
    fn names_cannot_break_the_page() {
        for name in ["a`b", "```", "<script>alert(1)</script>", "@everyone", "a|b", "</details>", "x\ny", "-->", "[a](http://b)", "\\`"] {
            let mut one = samples::step("jobs.old", Action::Delete, name);
            one.loses = Some(name.to_owned());
            one.changes = vec![samples::change("name", "", &serde_json::to_string(name).unwrap(), crate::diff::Reason::Changed)];
            let mut of = samples::plan(vec![one]);
            of.warnings = vec![crate::plan::Block { guard: "policy", reason: name.to_owned(), remedy: vec![] }];
            let text = plan(&of, &ABOUT);
            let outside = without_code(&text);
            for bad in ["<script", "@everyone", "alert(1)</", "[a]("] {
                assert!(!outside.contains(bad), "{name}: {outside}");
            }
            assert_eq!(outside.matches("<details>").count(), outside.matches("</details>").count(), "{name}: {text}");
        }
    }

    /// What a reader of Markdown does not take as code.
    fn without_code(text: &str) -> String {
        let (mut out, mut fence) = (String::new(), String::new());
        for line in text.lines() {
            let run: String = line.chars().take_while(|c| *c == '`').collect();
            if fence.is_empty() && run.len() >= 3 && !line[run.len()..].contains('`') {
                fence = run;
            } else if !fence.is_empty() {
                if run.len() >= fence.len() && line[run.len()..].trim().is_empty() {
                    fence.clear();
                }
            } else {
                let mut rest = line;
                while let Some(at) = rest.find('`') {
                    out.push_str(&rest[..at]);
                    let mark: String = rest[at..].chars().take_while(|c| *c == '`').collect();
                    let after = &rest[at + mark.len()..];
                    let mut from = 0;
                    let close = loop {
                        let Some(found) = after[from..].find(&mark).map(|f| f + from) else { break None };
                        let run = after[found..].chars().take_while(|c| *c == '`').count();
                        if run == mark.len() {
                            break Some(found + run);
                        }
                        from = found + run;
                    };
                    rest = close.map_or("", |end| &after[end..]);
                }
                out.push_str(rest);
                out.push('\n');
            }
        }
        out
    }

    #[test]
    fn a_comment_never_holds_too_much_and_says_what_it_leaves_out() {
        let long = "x".repeat(900);
        let steps = |action: Action, count: usize| {
            (0..count)
                .map(|i| {
                    let mut one = samples::step(&format!("jobs.j{i:05}"), action, &format!("{long}{i}"));
                    one.changes = vec![samples::change("name", "\"a\"", &format!("\"{long}\""), crate::diff::Reason::Changed)];
                    one
                })
                .collect::<Vec<_>>()
        };
        for (action, count, want) in [
            (Action::Delete, 2000, "more that are deleted or replaced**"),
            (Action::Update, 2000, "steps are not shown in full"),
            (Action::Delete, 3, "j00002"),
        ] {
            let text = plan(&samples::plan(steps(action, count)), &ABOUT);
            assert!(text.len() <= LIMIT, "{} {action:?}", text.len());
            assert!(text.contains(want), "{action:?}");
            assert!(text.ends_with("</sub>\n"));
        }
    }

    #[test]
    fn code_is_closed_by_a_longer_mark() {
        assert_eq!(span("a`b"), "``a`b``");
        assert_eq!(span("`a"), "`` `a ``");
        assert_eq!(fence("", "x\n````\ny"), "`````\nx\n````\ny\n`````\n\n");
        assert_eq!(escape("<b>@x #1 a_b|c"), "&lt;b&gt;@\u{200b}x #\u{200b}1 a\\_b\\|c");
    }
}
