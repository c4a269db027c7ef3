//! The `User-Agent` of our requests, in the form that the official clients use.

use super::auth::Credentials;
use crate::model::Outside;

/// Environment variables that tell which CI runs us.
const CICD: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "github"),
    ("GITLAB_CI", "gitlab"),
    ("JENKINS_URL", "jenkins"),
    ("TF_BUILD", "azure-devops"),
    ("CIRCLECI", "circle"),
    ("TRAVIS", "travis"),
    ("BITBUCKET_BUILD_NUMBER", "bitbucket"),
    ("CODEBUILD_BUILD_ARN", "aws-code-build"),
    ("TFC_RUN_ID", "tf-cloud"),
];

/// `brickform/0.1.0 os/linux auth/pat cicd/github`.
pub fn user_agent(outside: &Outside, credentials: Option<&Credentials>) -> String {
    let mut agent = format!("brickform/{} os/{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    if let Some(credentials) = credentials {
        agent.push_str(" auth/");
        agent.push_str(credentials.auth_type());
    }
    if let Some((_, name)) = CICD.iter().find(|(variable, _)| outside.variable(variable).is_some()) {
        agent.push_str(" cicd/");
        agent.push_str(name);
    }
    agent
}
