//! A plan, a result or a check as `JUnit` XML: a case for each object, failures where something stands in the way.

use super::findings::{Finding, Level};
use super::step::symbol;
use crate::plan::{Action, Plan};

/// One case.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its group: the kind, or `checks`.
    pub group: String,
    /// Its name: the address.
    pub name: String,
    /// What is said where it passes.
    pub said: String,
    /// Why it fails.
    pub failures: Vec<Finding>,
    /// It was not tried.
    pub skipped: bool,
}

impl Case {
    /// The whole of an environment.
    #[must_use]
    pub fn whole(said: &str) -> Self {
        Self { group: "plan".to_owned(), name: "the plan as a whole".to_owned(), said: said.to_owned(), ..Self::default() }
    }
}

/// Cases of a plan: each address, and the plan as a whole. `strict`: warnings (drift) fail too.
#[must_use]
pub fn of_plan(plan: &Plan, findings: &[Finding], strict: bool) -> Vec<Case> {
    let bad = |address: Option<&str>| -> Vec<Finding> {
        let ours = findings.iter().filter(|f| f.address.as_deref() == address);
        ours.filter(|f| strict || f.level == Level::Error).cloned().collect()
    };
    let mut cases = vec![Case { failures: bad(None), ..Case::whole("") }];
    for step in &plan.steps {
        let address = step.address.to_string();
        let said = match step.action {
            Action::None => "no change".to_owned(),
            action => format!("{} {}", symbol(action).0, super::outcome::done_word(action)),
        };
        cases.push(Case { group: step.kind.clone(), failures: bad(Some(&address)), name: address, said, skipped: false });
    }
    cases
}

/// Cases of checks: one for each thing that was checked, one for each finding.
#[must_use]
pub fn of_checks(checked: &[String], findings: &[Finding]) -> Vec<Case> {
    let mut cases: Vec<Case> = checked
        .iter()
        .map(|name| Case { group: "checks".to_owned(), name: name.clone(), said: "valid".to_owned(), ..Case::default() })
        .collect();
    for finding in findings {
        let place = finding.span.as_ref().map(crate::diagnostic::Span::cite).unwrap_or_default();
        let failures = if finding.level == Level::Error { vec![finding.clone()] } else { vec![] };
        cases.push(Case {
            group: finding.rule.clone(),
            name: format!("{} {place}", finding.message),
            said: finding.message.clone(),
            failures,
            skipped: false,
        });
    }
    cases
}

/// The document of one suite. `prefix`: the project's folder from the top of the repository.
#[must_use]
pub fn junit(suite: &str, cases: &[Case], prefix: &str) -> String {
    document(&[(suite.to_owned(), cases)], prefix)
}

/// The document of several suites, an environment each.
#[must_use]
pub fn document(suites: &[(String, &[Case])], prefix: &str) -> String {
    let every = || suites.iter().flat_map(|(_, cases)| cases.iter());
    let (tests, failures) = (every().count(), every().filter(|c| !c.failures.is_empty()).count());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">\n"
    );
    for (name, cases) in suites {
        suite(name, cases, prefix, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(name: &str, cases: &[Case], prefix: &str, out: &mut String) {
    let failed = cases.iter().filter(|c| !c.failures.is_empty()).count();
    let skipped = cases.iter().filter(|c| c.skipped).count();
    out.push_str(&format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"0\">\n",
        escape(name),
        cases.len()
    ));
    for case in cases {
        let place = case.failures.iter().find_map(|f| f.span.as_ref());
        let file = place.map(|span| format!(" file=\"{}\"", escape(&format!("{prefix}{}", span.source.name)))).unwrap_or_default();
        out.push_str(&format!("    <testcase classname=\"{}\" name=\"{}\" time=\"0\"{file}", escape(&case.group), escape(&case.name)));
        if case.skipped {
            out.push_str(&format!(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escape(&case.said)));
            continue;
        }
        if case.failures.is_empty() && case.said.is_empty() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for failure in &case.failures {
            let mut text: Vec<String> = failure.span.iter().map(|span| format!("{prefix}{}", span.cite())).collect();
            text.push(failure.message.clone());
            text.extend(failure.help.iter().cloned());
            let (rule, message) = (escape(&failure.rule), escape(&failure.message));
            out.push_str(&format!("      <failure type=\"{rule}\" message=\"{message}\">{}</failure>\n", escape(&text.join("\n"))));
        }
        if case.failures.is_empty() {
            out.push_str(&format!("      <system-out>{}</system-out>\n", escape(&case.said)));
        }
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}

/// Text of XML 1.0: what it cannot hold is left out.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Case, escape, junit, of_plan};
    use crate::report::answers::Given;
    use crate::report::findings::{self, Places};
    use crate::report::samples;

    #[test]
    fn each_address_is_a_case_and_what_is_blocked_fails() {
        let plan = samples::everything();
        let found = findings::of_plan(&plan, &Places::default(), Given::Nothing);
        let cases = of_plan(&plan, &found, false);
        assert_eq!(cases.len(), plan.steps.len() + 1);
        let failed = |cases: &[Case]| cases.iter().filter(|c| !c.failures.is_empty()).map(|c| c.name.clone()).collect::<Vec<_>>();
        assert_eq!(failed(&cases), ["catalogs.landing"]);
        assert_eq!(failed(&of_plan(&plan, &found, true)), ["alerts.orders", "catalogs.landing", "jobs.nightly", "jobs.report"]);
        let text = junit("plan prod", &cases, "");
        assert!(text.contains("<testsuite name=\"plan prod\" tests=\"13\" failures=\"1\""), "{text}");
        assert!(text.contains("<failure type=\"guard/data_loss\" message=\"every schema and table in it is deleted\">"), "{text}");
        assert_eq!(text.matches("<testcase ").count(), text.matches("</testcase>").count() + text.matches("time=\"0\"/>").count());
    }

    #[test]
    fn nothing_breaks_out_of_the_text() {
        assert_eq!(escape("<a b=\"c\">&'\u{0}\u{1b}\n"), "&lt;a b=&quot;c&quot;&gt;&amp;&apos;&#10;");
    }
}
