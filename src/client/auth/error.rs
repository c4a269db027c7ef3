//! Why there are no credentials.

use crate::client::request::never_sent;
use crate::client::{ApiError, ApiErrorKind, Request};

/// Why there are no credentials. Says names and places, never a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A configuration file cannot be read or has a line that means nothing.
    #[error("{file}{}: {why}", line.map_or(String::new(), |line| format!(":{line}")))]
    File {
        /// The file.
        file: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        why: String,
    },
    /// No such profile.
    #[error("{file} has no profile `{profile}` (named by {source_of_name}){}", nearest(profile, profiles))]
    NoProfile {
        /// What was named.
        profile: String,
        /// By whom.
        source_of_name: String,
        /// The file.
        file: String,
        /// The profiles that there are.
        profiles: Vec<String>,
    },
    /// A profile is named, and there is no file of profiles.
    #[error("the profile `{profile}` (named by {source_of_name}) cannot be read: there is no file ~/.databrickscfg")]
    NoProfileFile {
        /// What was named.
        profile: String,
        /// By whom.
        source_of_name: String,
    },
    /// No such attribute.
    #[error("`{name}` ({at}) is no attribute of the authentication{}", suggestion.as_ref().map_or(String::new(), |s| format!("; did you mean `{s}`?")))]
    NoAttribute {
        /// What was written.
        name: String,
        /// Where.
        at: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// Nobody says which workspace.
    #[error("no workspace is configured: {looked}")]
    NoHost {
        /// Where was looked.
        looked: String,
    },
    /// The host is none.
    #[error("the host `{host}` ({at}) {why}")]
    Host {
        /// What was written.
        host: String,
        /// Where.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// Nothing to authenticate with.
    #[error("no credentials for {host}: {looked}")]
    NoCredentials {
        /// The workspace.
        host: String,
        /// Where was looked.
        looked: String,
    },
    /// Half of what a sort needs.
    #[error("{auth_type} needs `{missing}` beside {has}")]
    Incomplete {
        /// Which sort.
        auth_type: String,
        /// The attribute that is missing.
        missing: String,
        /// What is there, and from where.
        has: String,
    },
    /// Two sorts, and nobody says which.
    #[error("more than one authorization method configured: {}", sorts.join("; "))]
    Several {
        /// Each with the places of its attributes.
        sorts: Vec<String>,
    },
    /// A sort that this build does not know how to do.
    #[error("authentication by {auth_type} ({at}) is not supported; supported are {supported}")]
    Unsupported {
        /// Which.
        auth_type: String,
        /// Who asks for it.
        at: String,
        /// What is.
        supported: String,
    },
    /// What surrounds us lacks something that a method needs.
    #[error("{auth_type} cannot be used here: {lacks}")]
    Absent {
        /// Which method.
        auth_type: String,
        /// What is not there.
        lacks: String,
        /// What to do about it.
        help: String,
    },
    /// A value means nothing.
    #[error("`{name}` ({at}): {why}")]
    Value {
        /// The attribute.
        name: String,
        /// Who says it.
        at: String,
        /// What is wrong, without the value of a secret.
        why: String,
    },
    /// A file of the project decides what is for whoever runs us to decide.
    #[error("{what}")]
    Untrusted {
        /// What it decides, and where.
        what: String,
        /// What to do instead.
        help: Vec<String>,
    },
    /// No token could be had.
    #[error("no token by {auth_type}{} for {host}: {why}", client.as_ref().map_or(String::new(), |client| format!(" (client {client})")))]
    NoToken {
        /// The method.
        auth_type: &'static str,
        /// The workspace.
        host: String,
        /// The service principal, where one is named.
        client: Option<String>,
        /// What happened.
        why: String,
        /// What to do next.
        help: Vec<String>,
        /// What the API call said, where one failed.
        cause: Option<Box<ApiError>>,
    },
}

impl AuthError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Vec<String> {
        let lines: &[&str] = match self {
            Self::File { .. } | Self::Host { .. } | Self::NoAttribute { .. } | Self::Value { .. } => &[],
            Self::Absent { help, .. } => return vec![help.clone()],
            Self::Untrusted { help, .. } => return help.clone(),
            Self::NoToken { help, .. } if !help.is_empty() => return help.clone(),
            Self::NoProfile { .. } => &["name one that exists with `--profile` or `workspace: { profile: ... }`"],
            Self::NoProfileFile { .. } => &[
                "write it: a line `[PROFILE]`, then `host = https://...` and `token = ...`; DATABRICKS_CONFIG_FILE names another file",
                "or do without one: `workspace: { host: https://... }` in the environment's file, and DATABRICKS_TOKEN",
            ],
            Self::NoHost { .. } => &[
                "set `workspace: { host: https://... }` in the environment's file, or DATABRICKS_HOST, or `--profile`",
                "or use the embedded workspace: `workspace: local`",
            ],
            Self::NoCredentials { .. } => &[
                "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or name a profile with `--profile`",
                "or log in: `az login` (Azure), `databricks auth login --host HOST`; in a pipeline, use its own identity: `auth_type: github-oidc`, `env-oidc` (GitLab), `azure-devops-oidc`",
            ],
            Self::Incomplete { .. } => &["set it in the same place, or in the process environment"],
            Self::Several { .. } => &["remove one of them, or say which with `auth_type:` or DATABRICKS_AUTH_TYPE"],
            Self::Unsupported { auth_type, .. } if auth_type == "external-browser" => {
                &["log in with `databricks auth login --host HOST`, and use `auth_type: databricks-cli`"]
            }
            Self::Unsupported { .. } => &["use one of those"],
            Self::NoToken { .. } => &["check that the secret is current and that the service principal belongs to this workspace"],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    /// What is wrong with what to do about it, in one line.
    fn told(&self) -> String {
        match self {
            Self::NoToken { help, .. } if !help.is_empty() => format!("{self}; {}", help.join("; ")),
            _ => self.to_string(),
        }
    }

    /// The same as the error of the request that could not be authorised and was therefore never sent.
    #[must_use]
    pub fn of_request(&self, request: &Request) -> ApiError {
        let cause = if let Self::NoToken { cause: Some(cause), .. } = self { Some(cause) } else { None };
        let kind = match cause.map(|cause| cause.kind) {
            Some(kind @ (ApiErrorKind::Network | ApiErrorKind::Server | ApiErrorKind::Throttled)) => kind,
            _ => ApiErrorKind::Unauthenticated,
        };
        ApiError {
            kind,
            message: self.told(),
            request_id: cause.and_then(|cause| cause.request_id.clone()),
            tries: cause.map_or(0, |cause| cause.tries),
            ..never_sent(request.to_string(), "")
        }
    }
}

fn nearest(profile: &str, profiles: &[String]) -> String {
    if profiles.is_empty() {
        return "; it has no profiles".to_owned();
    }
    let meant = crate::diagnostic::suggest::nearest(profile, profiles.iter().map(String::as_str));
    let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("; it has {}{meant}", profiles.join(", "))
}
