//! Pipelines of the three providers, filled in from templates: the environments of the project, in the order of a release.
//!
//! What is done stands in one shell script that all share; what the providers do stands in their YAML.

use super::{File, Provider};

const COMMON: &str = include_str!("templates/common.sh");
const END: &str = include_str!("templates/end.sh");

/// Template and name of each file of YAML.
fn yaml(provider: Provider) -> &'static [(&'static str, &'static str)] {
    match provider {
        Provider::Github => &[
            (".github/workflows/brickform-pull-request.yml", include_str!("templates/github-pull-request.yml")),
            (".github/workflows/brickform-release.yml", include_str!("templates/github-release.yml")),
            (".github/workflows/brickform-environment.yml", include_str!("templates/github-environment.yml")),
            (".github/workflows/brickform-drift.yml", include_str!("templates/github-drift.yml")),
            (".github/workflows/brickform-rollback.yml", include_str!("templates/github-rollback.yml")),
        ],
        Provider::Gitlab => &[
            ("ci/brickform.gitlab-ci.yml", include_str!("templates/gitlab.yml")),
            (".gitlab-ci.yml", include_str!("templates/gitlab-root.yml")),
        ],
        Provider::Azure => &[("azure-pipelines.yml", include_str!("templates/azure.yml"))],
    }
}

fn script(provider: Provider) -> (&'static str, &'static str) {
    match provider {
        Provider::Github => ("github", include_str!("templates/github.sh")),
        Provider::Gitlab => ("gitlab", include_str!("templates/gitlab.sh")),
        Provider::Azure => ("azure", include_str!("templates/azure.sh")),
    }
}

/// The files for these environments.
pub fn files(provider: Provider, environments: &[String]) -> Vec<File> {
    let (word, own) = script(provider);
    let text = format!("{COMMON}{own}{END}").replace("@PROVIDER@", word);
    let mut files = vec![File { name: "ci/brickform.sh".to_owned(), text, program: true }];
    files.extend(yaml(provider).iter().map(|(name, template)| File {
        name: (*name).to_owned(),
        text: filled(template, environments),
        program: false,
    }));
    files
}

/// What is left to do.
pub fn next(provider: Provider) -> String {
    let first = match provider {
        Provider::Github => ".github/workflows/brickform-pull-request.yml and brickform-environment.yml",
        Provider::Gitlab => "ci/brickform.gitlab-ci.yml (where .gitlab-ci.yml was there already, include it there)",
        Provider::Azure => "azure-pipelines.yml",
    };
    format!(
        "the first lines of {first} say which identities and variables are needed; keep the state where every run reaches it \
         (`state: {{ backend: ... }}`); then commit"
    )
}

/// `# @each` to `# @end`: once an environment; inside, `# @after` to `# @end` for all but the first, `# @first` for the
/// first. A name between `@` is filled in.
fn filled(template: &str, environments: &[String]) -> String {
    let (mut out, mut part, mut depth) = (String::new(), None::<Vec<&str>>, 0);
    for line in template.lines() {
        match (line.trim(), part.as_mut()) {
            ("# @each", None) => (part, depth) = (Some(vec![]), 1),
            ("# @end", Some(lines)) if depth == 1 => {
                for at in 0..environments.len() {
                    one(lines, environments, at, &mut out);
                }
                part = None;
            }
            (mark, Some(lines)) => {
                depth = match mark {
                    "# @after" | "# @first" => 2,
                    "# @end" => 1,
                    _ => depth,
                };
                lines.push(line);
            }
            (_, None) => put(line, &[("@LIST@", &listed(environments)), ("@STAGES@", &listed(environments))], &mut out),
        }
    }
    out
}

/// The part of one environment.
fn one(lines: &[&str], environments: &[String], at: usize, out: &mut String) {
    let environment = &environments[at];
    let before = at.checked_sub(1).and_then(|i| environments.get(i)).map_or("", String::as_str);
    // Somebody looks before the last one; the others follow by themselves.
    let when = if at + 1 == environments.len() { "when: manual" } else { "when: on_success" };
    let marks = [
        ("@ENV@", environment.clone()),
        ("@JOB@", job(environment)),
        ("@BEFORE_JOB@", job(before)),
        ("@BEFORE@", before.to_owned()),
        ("@WHEN@", when.to_owned()),
    ];
    let marks: Vec<(&str, &str)> = marks.iter().map(|(mark, text)| (*mark, text.as_str())).collect();
    let mut wanted = true;
    for line in lines {
        match line.trim() {
            "# @after" => wanted = at > 0,
            "# @first" => wanted = at == 0,
            "# @end" => wanted = true,
            _ if wanted => put(line, &marks, out),
            _ => {}
        }
    }
}

fn put(line: &str, marks: &[(&str, &str)], out: &mut String) {
    let line = marks.iter().fold(line.to_owned(), |line, (mark, text)| line.replace(mark, text));
    out.push_str(&line);
    out.push('\n');
}

/// A name as jobs and stages may have it.
fn job(environment: &str) -> String {
    environment.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

/// Names as a list in YAML holds them; what YAML takes for something else in quotes.
fn listed(environments: &[String]) -> String {
    let plain = |name: &String| {
        let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
        let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !words.contains(&name.to_lowercase().as_str());
        if is_plain { name.clone() } else { format!("\"{name}\"") }
    };
    environments.iter().map(plain).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{filled, listed};

    #[test]
    fn parts_are_repeated_an_environment() {
        let template =
            "a: [@LIST@]\n# @each\n@JOB@:\n  # @after\n  needs: @BEFORE@\n  # @end\n  # @first\n  alone: @ENV@\n  # @end\n# @end\nz\n";
        let names = ["dev".to_owned(), "prod-eu".to_owned()];
        assert_eq!(filled(template, &names), "a: [dev, prod-eu]\ndev:\n  alone: dev\nprod_eu:\n  needs: dev\nz\n");
        assert_eq!(listed(&["no".to_owned(), "1a".to_owned()]), "\"no\", \"1a\"");
    }
}
