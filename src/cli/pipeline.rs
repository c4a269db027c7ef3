//! The pipeline that runs this process, as its environment variables tell.

use crate::model::Outside;
use crate::model::url::masked;

/// The page of the run, for whoever meets its lease or reads its history. None outside the pipelines that are known.
///
/// The names are those that GitHub Actions, GitLab CI, Azure Pipelines, Jenkins, `CircleCI`, Buildkite and Bitbucket document.
#[must_use]
pub fn link(outside: &Outside) -> Option<String> {
    page(outside).map(|page| masked(&page).into_owned())
}

fn page(outside: &Outside) -> Option<String> {
    let variable = |name: &str| outside.variable(name).map(str::to_owned);
    if let (Some(server), Some(repository), Some(run)) =
        (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY"), variable("GITHUB_RUN_ID"))
    {
        return Some(format!("{server}/{repository}/actions/runs/{run}"));
    }
    if let (Some(collection), Some(project), Some(build)) =
        (variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), variable("SYSTEM_TEAMPROJECT"), variable("BUILD_BUILDID"))
    {
        let project = project.replace(' ', "%20");
        return Some(format!("{}/{project}/_build/results?buildId={build}", collection.trim_end_matches('/')));
    }
    if let (Some(workspace), Some(slug), Some(number)) =
        (variable("BITBUCKET_WORKSPACE"), variable("BITBUCKET_REPO_SLUG"), variable("BITBUCKET_BUILD_NUMBER"))
    {
        return Some(format!("https://bitbucket.org/{workspace}/{slug}/pipelines/results/{number}"));
    }
    ["CI_JOB_URL", "CI_PIPELINE_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "BUILD_URL"].into_iter().find_map(variable)
}

#[cfg(test)]
mod tests {
    use super::link;
    use crate::client::testing::outside;

    #[test]
    fn each_pipeline_is_known_by_its_own_names() {
        for (variables, expected) in [
            (&[][..], None),
            (
                &[("GITHUB_SERVER_URL", "https://github.com"), ("GITHUB_REPOSITORY", "acme/data"), ("GITHUB_RUN_ID", "7")],
                Some("https://github.com/acme/data/actions/runs/7"),
            ),
            (
                &[("CI_JOB_URL", "https://gitlab.acme.com/j/1"), ("CI_PIPELINE_URL", "https://gitlab.acme.com/p/1")],
                Some("https://gitlab.acme.com/j/1"),
            ),
            (
                &[
                    ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://dev.azure.com/acme/"),
                    ("SYSTEM_TEAMPROJECT", "Data Platform"),
                    ("BUILD_BUILDID", "9"),
                ],
                Some("https://dev.azure.com/acme/Data%20Platform/_build/results?buildId=9"),
            ),
            (&[("BUILD_URL", "https://jenkins/job/1/")], Some("https://jenkins/job/1/")),
        ] {
            assert_eq!(link(&outside(variables)).as_deref(), expected);
        }
    }
}
