//! The steps of plans within the room that a comment has: what is lost first and open, the rest folded by kind.
//!
//! Where not everything fits, the folded groups share the room evenly, so that a large kind does not push out a small one; in
//! a group steps are shown in full as far as they fit, then by name, then counted. What is left out is always said.

use std::collections::BTreeMap;

use super::words::{cut, fence, link, plain, span};
use super::{LEFT_OUT, escape};
use crate::plan::between::{Sort, Sorts};
use crate::plan::{Action, DELETED, Plan, Step};
use crate::report::about::{actions, is_grave, thousands};
use crate::report::answers::{Given, shell_word};
use crate::report::step::symbol;
use crate::report::text::{self, Look};

/// The longest description of one step.
const STEP: usize = 6_000;
const CLOSE: &str = "</details>\n\n";
/// What the line about what is left out of a group may take.
const MORE: usize = 260;

/// How many steps are not shown in full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Shown by their name alone.
    pub named: usize,
    /// Counted only.
    pub counted: usize,
}

impl Left {
    pub fn add(&mut self, other: Self) {
        self.named += other.named;
        self.counted += other.counted;
    }

    /// What is said of it.
    pub fn words(self, limit: usize) -> String {
        let mut parts = vec![];
        if self.named > 0 {
            parts.push(format!("{} by name alone", thousands(self.named)));
        }
        if self.counted > 0 {
            parts.push(format!("{} only in the counts", thousands(self.counted)));
        }
        if parts.is_empty() {
            return String::new();
        }
        let changes = if self.named + self.counted == 1 { "One change is" } else { "Changes are" };
        format!(
            "**Cut short.** {changes} not shown in full ({}): a comment holds {} characters. {LEFT_OUT}\n\n",
            parts.join(", "),
            thousands(limit)
        )
    }
}

/// What each line of a page is written from.
pub struct Page<'a> {
    pub plan: &'a Plan,
    pub sorts: Option<&'a Sorts>,
    /// The environments that lines name, where there are several.
    pub of: Option<&'a str>,
    /// The command that a kind's steps are shown by, up to `--target`; none where that is not possible.
    pub again: Option<&'a str>,
    /// The command that gives the whole: what it says of project and state, the commands under drift say too.
    pub command: &'a str,
    /// Only what changed in the workspace is told, and nothing is put back.
    pub drift: bool,
}

impl Page<'_> {
    fn sort(&self, step: &Step) -> Option<Sort> {
        self.sorts.and_then(|s| s.steps.get(&step.address)).map(|s| s.step)
    }

    /// `` `~` `jobs.nightly` ``, and whose it is.
    fn bullet(&self, step: &Step) -> String {
        let at = match &step.moved_from {
            Some(from) => format!("{from} → {}", step.address),
            None => step.address.to_string(),
        };
        let known = step.name.is_empty() || step.name == step.address.key;
        let name = if known { String::new() } else { format!(" {}", span(&step.name)) };
        let open = step.link.as_deref().and_then(link).map(|l| format!(" ([open]({l}))")).unwrap_or_default();
        let of = self.of.map(|of| format!("{}: ", escape(of))).unwrap_or_default();
        let sorted = self.sorts.and_then(|s| s.steps.get(&step.address));
        let whose = sorted.map(|s| format!(" _({})_", s.words())).unwrap_or_default();
        format!("- {of}{} {}{name}{open}{}{whose}", span(symbol(step.action).0), span(&at), gone(step))
    }

    /// Its address alone.
    fn brief(&self, step: &Step) -> String {
        let whose = self.sort(step).filter(|s| *s != Sort::Yours).map(|s| format!(" _({})_", s.words())).unwrap_or_default();
        format!("- {} {}{}{whose}", span(symbol(step.action).0), span(&step.address.to_string()), gone(step))
    }

    /// A step: one line, then its fields in a fence, signs in front so that they are coloured.
    fn whole(&self, step: &Step) -> String {
        let look = Look {
            colour: false,
            width: 100,
            unmanaged: false,
            requests: false,
            drift: self.drift,
            saved: false,
            millis: None,
            sorts: None,
            given: Given::Command(self.command),
        };
        let mut body = String::new();
        text::one(step, &[], self.plan, &look, &mut body);
        // The link stands in the line already.
        let shown = |line: &&str| !line.trim().is_empty() && Some(line.trim()) != step.link.as_deref();
        let lines: Vec<String> = body.lines().skip(1).filter(shown).map(signed).collect();
        let fields = if lines.is_empty() { String::new() } else { fence("diff", &cut(&lines.join("\n"), STEP)) };
        format!("{}\n\n{fields}", self.bullet(step))
    }
}

/// What a `+` alone would hide: the object was there, and somebody deleted it.
fn gone(step: &Step) -> String {
    if step.because.as_deref() == Some(DELETED) { format!(": {DELETED}") } else { String::new() }
}

/// The sign in front, so that it is coloured.
pub fn signed(line: &str) -> String {
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

/// Every step to which something happens: what is lost, what drifted, what is merged already, and the rest.
struct Parted<'a> {
    grave: Vec<&'a Step>,
    drift: Vec<&'a Step>,
    merged: Vec<&'a Step>,
    own: Vec<&'a Step>,
}

fn parted<'a>(page: &Page<'a>) -> Parted<'a> {
    let mut parted = Parted { grave: vec![], drift: vec![], merged: vec![], own: vec![] };
    for step in page.plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()) {
        let sort = page.sort(step);
        let into = if is_grave(step) {
            &mut parted.grave
        } else if text::behind_its_back(step) || sort == Some(Sort::Drift) {
            &mut parted.drift
        } else if sort == Some(Sort::Merged) {
            &mut parted.merged
        } else {
            &mut parted.own
        };
        into.push(step);
    }
    parted
}

/// A folded group.
pub struct Group<'a> {
    title: String,
    page: &'a Page<'a>,
    steps: Vec<&'a Step>,
    /// What `--target` takes to show the same.
    target: Option<String>,
}

/// The groups of a plan, in their order; what is lost stands in [`losses`].
pub fn groups<'a>(page: &'a Page<'a>) -> Vec<Group<'a>> {
    let Parted { grave, drift, merged, own } = parted(page);
    let details: Vec<&Step> = grave.into_iter().filter(|s| s.action != Action::Delete && !s.changes.is_empty()).collect();
    let mut groups = vec![Group { title: "What forces it, field by field".to_owned(), page, steps: details, target: None }];
    let mut kinds: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in own {
        kinds.entry(step.address.kind.as_str()).or_default().push(step);
    }
    for (kind, steps) in kinds {
        let title = format!("<b>{}</b>: {}", plain(kind), actions(&steps, page.plan));
        groups.push(Group { title, page, steps, target: Some(format!("{kind}.*")) });
    }
    let title = format!("<b>Not yours</b>: {} merged, not applied", thousands(merged.len()));
    groups.push(Group { title, page, steps: merged, target: None });
    let title = if page.drift {
        format!("<b>Drift</b>: {} changed in the workspace", thousands(drift.len()))
    } else {
        format!("<b>Not yours</b>: {} changed in the workspace, put back by this plan", thousands(drift.len()))
    };
    groups.push(Group { title, page, steps: drift, target: None });
    groups.retain(|group| !group.steps.is_empty());
    groups
}

/// A group with its steps written in both lengths.
struct Written<'a> {
    group: &'a Group<'a>,
    open: String,
    whole: Vec<String>,
    brief: Vec<String>,
}

impl Written<'_> {
    fn frame(&self) -> usize {
        self.open.len() + CLOSE.len()
    }

    fn wants(&self) -> usize {
        self.frame() + self.whole.iter().map(String::len).sum::<usize>()
    }

    fn put(&self, room: usize, out: &mut String) -> Left {
        if self.wants() <= room {
            out.push_str(&self.open);
            self.whole.iter().for_each(|text| out.push_str(text));
            out.push_str(CLOSE);
            return Left::default();
        }
        // One more line feed where a list ends.
        let frame = self.frame() + 1;
        let brief = self.brief.iter().map(String::len).sum::<usize>();
        let mut left = Left::default();
        if frame + brief <= room {
            // In full as far as there is room; the names of all.
            let mut spare = room - frame - brief;
            out.push_str(&self.open);
            let mut listed = false;
            for (whole, name) in self.whole.iter().zip(&self.brief) {
                let more = whole.len() - name.len() + 1;
                if more <= spare {
                    spare -= more;
                    out.push_str(if listed { "\n" } else { "" });
                    out.push_str(whole);
                    listed = false;
                } else {
                    out.push_str(name);
                    left.named += 1;
                    listed = true;
                }
            }
            out.push_str(if listed { "\n" } else { "" });
            out.push_str(CLOSE);
            return left;
        }
        if frame + MORE > room {
            return Left { named: 0, counted: self.brief.len() };
        }
        let mut spare = room - frame - MORE;
        out.push_str(&self.open);
        let mut shown = 0;
        for name in &self.brief {
            if name.len() > spare {
                break;
            }
            spare -= name.len();
            out.push_str(name);
            shown += 1;
        }
        left.named = shown;
        left.counted = self.brief.len() - shown;
        let again = self.group.page.again.zip(self.group.target.as_ref());
        let again = again.map(|(command, target)| format!("{command} --target {}", shell_word(target))).filter(|c| c.len() < MORE - 80);
        let again = again.map(|command| format!(": {}", span(&command))).unwrap_or_default();
        out.push_str(&format!("- **and {} more**{again}\n\n", thousands(left.counted)));
        out.push_str(CLOSE);
        left
    }
}

impl Group<'_> {
    /// How many steps it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    fn written(&self) -> Written<'_> {
        Written {
            group: self,
            open: format!("<details><summary>{}</summary>\n\n", self.title),
            whole: self.steps.iter().map(|step| self.page.whole(step)).collect(),
            brief: self.steps.iter().map(|step| format!("{}\n", self.page.brief(step))).collect(),
        }
    }
}

/// How much room groups take in full.
pub fn wanted(groups: &[Group<'_>]) -> usize {
    groups.iter().map(|group| group.written().wants()).sum()
}

/// Puts groups into the room that there is.
pub fn put(groups: &[Group<'_>], room: usize, out: &mut String) -> Left {
    let written: Vec<Written<'_>> = groups.iter().map(Group::written).collect();
    let wants: Vec<usize> = written.iter().map(Written::wants).collect();
    let mut left = Left::default();
    for (one, share) in written.iter().zip(shares(&wants, room)) {
        left.add(one.put(share, out));
    }
    left
}

/// How much each gets: all that it wants, or the same as the others that want more.
pub fn shares(wants: &[usize], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by_key(|i| wants[*i]);
    let mut given = vec![0; wants.len()];
    let mut left = room;
    for (nth, i) in order.into_iter().enumerate() {
        given[i] = wants[i].min(left / (wants.len() - nth));
        left -= given[i];
    }
    given
}

/// What is deleted, replaced or lost, open and before everything else; what does not fit is counted by kind.
pub fn losses(pages: &[Page<'_>], room: &mut usize, out: &mut String) -> Left {
    let mut lines: Vec<(String, &str)> = vec![];
    for page in pages {
        // What loses data comes first.
        let mut steps = parted(page).grave;
        steps.sort_by_key(|step| step.loses.is_none());
        for step in steps {
            let lost = step.loses.as_ref().map(|loses| format!(": **loses {}**", escape(loses))).unwrap_or_default();
            let goes = step.takes.iter().fold(String::new(), |told, note| told + "; " + &escape(note));
            lines.push((format!("{}{lost}{goes}\n", page.bullet(step)), step.address.kind.as_str()));
        }
    }
    let mut left = Left::default();
    if lines.is_empty() {
        return left;
    }
    let mut text = format!("### Deleted or replaced ({})\n\n", thousands(lines.len()));
    for (i, (line, _)) in lines.iter().enumerate() {
        // What is lost is never left out in silence.
        if text.len() + line.len() + 1_200 > *room {
            let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
            for (_, kind) in &lines[i..] {
                *kinds.entry(kind).or_default() += 1;
            }
            let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{} {}", thousands(*n), plain(kind))).collect();
            left.counted = lines.len() - i;
            text.push_str(&format!(
                "- **and {} more that are deleted or replaced**: {}\n",
                thousands(left.counted),
                cut(&kinds.join(", "), 1_000)
            ));
            break;
        }
        text.push_str(line);
    }
    text.push('\n');
    *room = room.saturating_sub(text.len());
    out.push_str(&text);
    left
}

#[cfg(test)]
mod tests {
    use super::{shares, signed};

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
            assert_eq!(signed(line), want, "{line}");
        }
    }

    #[test]
    fn a_large_group_leaves_room_for_small_ones() {
        for (wants, room, want) in [
            (&[][..], 10, vec![]),
            (&[5, 5][..], 100, vec![5, 5]),
            (&[1000, 5, 1000][..], 100, vec![47, 5, 48]),
            (&[1000, 1000][..], 100, vec![50, 50]),
            (&[10, 1000][..], 0, vec![0, 0]),
        ] {
            let mut given = shares(wants, room);
            assert!(given.iter().sum::<usize>() <= room, "{wants:?}");
            if wants.len() == 3 {
                // Which of two that want the same gets the odd one is not said.
                given.sort_unstable_by_key(|n| (*n > 5, *n));
                assert_eq!(given, vec![5, 47, 48]);
            } else {
                assert_eq!(given, want, "{wants:?}");
            }
        }
    }
}
