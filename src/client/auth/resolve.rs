//! From what is configured, wherever it is, to a host and credentials; and the account of where each value came from.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::attributes::{ATTRIBUTES, Attribute, attribute};
use super::methods::{Around, METHODS, Method};
use super::profile::{ProfileFile, file_path};
use super::trust::{self, By, Outranked};
use super::{AuthError, Credentials};
use crate::diagnostic::{Span, suggest};
use crate::model::Outside;
use crate::model::url::masked_host;

/// Attributes of the environment's file or of options, with their places.
pub type Explicit = BTreeMap<String, (String, Option<Span>)>;

/// A workspace and how to authenticate there.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// `https://adb-1.azuredatabricks.net`, without a slash at the end.
    pub host: String,
    /// Where tokens come from.
    pub credentials: Credentials,
    /// What `auth describe` shows.
    pub description: Description,
}

/// Each value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The workspace.
    pub host: String,
    /// `pat`, `oauth-m2m`, `github-oidc`.
    pub auth_type: String,
    /// The method that is tried where that one gives no token: nobody said which, and either may be what is meant.
    pub otherwise: Option<String>,
    /// The attributes that are set, in the table's order.
    pub attributes: Vec<Described>,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// Its value; a secret reads `(sensitive)`.
    pub shown: String,
    /// `environments/prod.yaml:4`, `DATABRICKS_HOST`, `~/.databrickscfg:7 [PROD]`.
    pub source: String,
    /// Whether it takes part: not the attributes of a sort that lost against a more explicit one.
    pub used: bool,
}

/// How explicitly a value is said; less is more explicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The environment's file, an option.
    Said,
    /// The profile that one of those names.
    SaidProfile,
    /// The process environment.
    Environment,
    /// The profile that the process environment or the file itself names.
    Profile,
}

/// A value and where it came from.
#[derive(Clone)]
pub struct Found {
    pub text: Zeroizing<String>,
    pub level: Level,
    pub by: By,
    pub source: String,
    /// What whoever runs us says, where a file of the project outranks it.
    pub over: Option<Outranked>,
}

pub type Values = BTreeMap<&'static str, Found>;

/// What a method is made from.
pub struct Given<'a> {
    /// The values that count.
    pub values: &'a Values,
    /// The workspace.
    pub host: &'a str,
    /// Variables, files, programs.
    pub outside: &'a Outside,
}

impl Given<'_> {
    /// A value; none where nobody says it.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|found| found.text.to_string())
    }

    /// A value that is known to be there.
    pub fn needed(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// A secret that is known to be there.
    pub fn secret(&self, name: &str) -> Zeroizing<String> {
        self.values.get(name).map(|found| found.text.clone()).unwrap_or_default()
    }

    /// Who says a value.
    pub fn source(&self, name: &str) -> String {
        self.values.get(name).map_or_else(|| "nowhere".to_owned(), |found| found.source.clone())
    }
}

/// Finds host and credentials. `explicit`: attributes of the environment's file; `profile`: `--profile`.
///
/// # Errors
/// [`AuthError`]: nothing, half of it, two sorts at once, an unreadable file.
pub fn resolve(outside: &Outside, explicit: &Explicit, profile: Option<&str>) -> Result<Resolved, AuthError> {
    let values = collect(outside, explicit, profile)?;
    let looked = || "looked at the environment's `workspace:`, the DATABRICKS_* variables and the profile file".to_owned();
    let host = values.get("host").ok_or_else(|| AuthError::NoHost {
        looked: values
            .get("azure_workspace_resource_id")
            .map_or_else(looked, |id| format!("`azure_workspace_resource_id` ({}) is sent along and says no host", id.source)),
    })?;
    let host = normal_host(&host.text, &host.source)?;
    let choice = choose(&values, &host, outside, looked)?;
    let given = Given { values: &choice.values, host: &host, outside };
    let methods: Vec<&Method> = std::iter::once(choice.method).chain(choice.otherwise).collect();
    trust::host(&given, &methods)?;
    let credentials = Credentials::of(methods.into_iter().map(|method| method.signing(&given)).collect::<Result<_, _>>()?);
    let description = describe(&values, &given, &choice);
    Ok(Resolved { host, credentials, description })
}

/// What is configured, also where it is not enough or too much to authenticate; secrets are not shown. Whether each takes
/// part cannot be said then: all count as used.
///
/// # Errors
/// A file cannot be read, a profile or attribute is none.
pub fn configured(outside: &Outside, explicit: &Explicit, profile: Option<&str>) -> Result<Vec<Described>, AuthError> {
    let values = collect(outside, explicit, profile)?;
    Ok(described(&values, |_| true))
}

fn collect(outside: &Outside, explicit: &Explicit, profile: Option<&str>) -> Result<Values, AuthError> {
    let mut values = Values::new();
    for (name, (text, span)) in explicit {
        let at = span.as_ref().map_or("an option".to_owned(), Span::cite);
        let known = attribute(name).ok_or_else(|| unknown_attribute(name, &at))?;
        put(&mut values, known.name, text, Level::Said, By::Project, at);
    }
    if let Some(profile) = profile {
        // The command line outranks the environment's file.
        let text = Zeroizing::new(profile.to_owned());
        values.insert("profile", Found { text, level: Level::Said, by: By::Caller, source: "--profile".to_owned(), over: None });
    }
    let said_profile = values.get("profile").map(|found| (found.text.to_string(), found.source.clone()));
    let file = |values: &Values| -> Result<Option<ProfileFile>, AuthError> {
        trust::path(values, "config_file", outside)?;
        let named = values
            .get("config_file")
            .map(|found| found.text.to_string())
            .or_else(|| outside.variable("DATABRICKS_CONFIG_FILE").map(str::to_owned));
        file_path(named.as_deref(), outside).map_or(Ok(None), |path| ProfileFile::read(&path, outside))
    };
    if let Some((name, source)) = &said_profile {
        let file = file(&values)?;
        put_profile(&mut values, file.as_ref(), name, source, Level::SaidProfile)?;
    }
    for attribute in ATTRIBUTES {
        for variable in attribute.variables {
            if let Some(text) = outside.variable(variable) {
                put(&mut values, attribute.name, text, Level::Environment, By::Caller, (*variable).to_owned());
            }
        }
    }
    if said_profile.is_none() {
        let named = values.get("profile").map(|found| (found.text.to_string(), found.source.clone()));
        if let Some((name, source)) = named {
            let file = file(&values)?;
            put_profile(&mut values, file.as_ref(), &name, &source, Level::Profile)?;
        } else if !ATTRIBUTES.iter().any(|a| (a.name == "host" || a.group.is_some()) && values.contains_key(a.name)) {
            // Only where nothing at all is said does the file's own default count.
            if let Some(file) = file(&values)?
                && let Some((name, line)) = file.default_name()
            {
                let source = format!("{}:{line}", file.name);
                put_profile(&mut values, Some(&file), &name, &source, Level::Profile)?;
            }
        }
    }
    trust::values(&values, outside)?;
    Ok(values)
}

/// Sets a value unless a more explicit one is there. An empty one counts as unset.
fn put(values: &mut Values, name: &'static str, text: &str, level: Level, by: By, source: String) {
    if text.is_empty() {
        return;
    }
    match values.get_mut(name) {
        None => {
            values.insert(name, Found { text: Zeroizing::new(text.to_owned()), level, by, source, over: None });
        }
        Some(found) if found.by == By::Project && by == By::Caller && found.over.is_none() => {
            found.over = Some(Outranked { text: Zeroizing::new(text.to_owned()), source });
        }
        Some(_) => {}
    }
}

fn put_profile(values: &mut Values, file: Option<&ProfileFile>, name: &str, source: &str, level: Level) -> Result<(), AuthError> {
    let missing = |file: &str, profiles| AuthError::NoProfile {
        profile: name.to_owned(),
        source_of_name: source.to_owned(),
        file: file.to_owned(),
        profiles,
    };
    let Some(file) = file else {
        return Err(AuthError::NoProfileFile { profile: name.to_owned(), source_of_name: source.to_owned() });
    };
    let section = file.profile(name).ok_or_else(|| missing(&file.name, file.names()))?;
    // A profile is its file's: one that the project names the file of says nothing that the project's YAML may not say.
    let by = values.get("config_file").map_or(By::Caller, |found| found.by);
    for (key, (text, line)) in section {
        // A profile may hold keys of other tools.
        if let Some(known) = attribute(key).filter(|known| !matches!(known.name, "profile" | "config_file")) {
            put(values, known.name, text, level, by, format!("{}:{line} [{name}]", file.name));
        }
    }
    Ok(())
}

fn unknown_attribute(name: &str, at: &str) -> AuthError {
    let suggestion = suggest::nearest(name, ATTRIBUTES.iter().map(|attribute| attribute.name)).map(str::to_owned);
    AuthError::NoAttribute { name: name.to_owned(), at: at.to_owned(), suggestion }
}

/// What was chosen.
struct Choice {
    method: &'static Method,
    /// What is tried where that one gives no token.
    otherwise: Option<&'static Method>,
    /// The values that count: those of a sort that lost against a more explicit one do not.
    values: Values,
}

/// The method that counts: the one that `auth_type` forces, else the first in the SDKs' order that has what it needs, of
/// the sort that is said most explicitly.
fn choose(values: &Values, host: &str, outside: &Outside, looked: impl Fn() -> String) -> Result<Choice, AuthError> {
    if let Some(method) = forced(values)? {
        let given = Given { values, host, outside };
        if let Some(missing) = method.needs.iter().find(|name| !values.contains_key(*name)) {
            return Err(incomplete(values, method, missing));
        }
        if let Some(lack) = method.lacks(&given, true) {
            return Err(AuthError::Absent { auth_type: method.name.to_owned(), lacks: lack.what, help: lack.help });
        }
        return Ok(Choice { method, otherwise: None, values: values.clone() });
    }
    let values = of_one_sort(values)?;
    let given = Given { values: &values, host, outside };
    let mut whole = METHODS.iter().filter(|m| m.needs.iter().all(|name| values.contains_key(name)) && m.lacks(&given, false).is_none());
    let Some(method) = whole.next() else { return Err(nothing_whole(&given, looked())) };
    // Nobody can see from here whether somebody is logged in with one program or with the other.
    let otherwise = whole.find(|other| method.around == Around::Az && other.around == Around::Databricks);
    Ok(Choice { method, otherwise, values })
}

/// The method that `auth_type` names, unless another is configured whole and more explicitly.
fn forced(values: &Values) -> Result<Option<&'static Method>, AuthError> {
    let Some(forced) = values.get("auth_type") else { return Ok(None) };
    let level_of = |method: &Method| {
        let whole = method.is_configured_by_attributes() && method.needs.iter().all(|name| values.contains_key(name));
        method.needs.iter().filter(|_| whole).filter_map(|name| values.get(name)).map(|found| found.level).min()
    };
    if METHODS.iter().filter_map(level_of).min().is_some_and(|best| best < forced.level) {
        return Ok(None);
    }
    let unsupported =
        || AuthError::Unsupported { auth_type: forced.text.to_string(), at: forced.source.clone(), supported: Method::supported() };
    Method::named(&forced.text).map(Some).ok_or_else(unsupported)
}

/// The values without those of sorts that are said less explicitly than another.
///
/// # Errors
/// Two sorts are said equally explicitly.
fn of_one_sort(values: &Values) -> Result<Values, AuthError> {
    let mut sorts: BTreeMap<&str, Level> = BTreeMap::new();
    for (group, found) in ATTRIBUTES.iter().filter_map(|a| Some((a.group?, values.get(a.name)?))) {
        let level = sorts.entry(group).or_insert(found.level);
        *level = (*level).min(found.level);
    }
    let best = sorts.values().min().copied();
    let at_best: Vec<&str> = sorts.iter().filter(|(_, level)| Some(**level) == best).map(|(group, _)| *group).collect();
    if at_best.len() > 1 {
        let each = at_best.iter().map(|group| format!("{group} by {}", sources(values, |a| a.group == Some(group))));
        return Err(AuthError::Several { sorts: each.collect() });
    }
    let counts = |name: &str| attribute(name).is_none_or(|a| a.group.is_none_or(|group| at_best.contains(&group)));
    Ok(values.iter().filter(|(name, _)| counts(name)).map(|(name, found)| (*name, found.clone())).collect())
}

/// Why no method has what it needs: the one that has some of it, else nothing is there.
fn nothing_whole(given: &Given<'_>, looked: String) -> AuthError {
    let begun = |method: &&Method| method.needs.iter().any(|name| given.values.contains_key(name));
    let Some(method) = METHODS.iter().find(begun) else { return AuthError::NoCredentials { host: given.host.to_owned(), looked } };
    match method.needs.iter().find(|name| !given.values.contains_key(*name)) {
        Some(missing) => incomplete(given.values, method, missing),
        None => match method.lacks(given, false) {
            Some(lack) => AuthError::Absent { auth_type: method.name.to_owned(), lacks: lack.what, help: lack.help },
            None => AuthError::NoCredentials { host: given.host.to_owned(), looked },
        },
    }
}

fn incomplete(values: &Values, method: &Method, missing: &str) -> AuthError {
    let has = sources(values, |a| method.needs.contains(&a.name));
    let has = if has.is_empty() { "`auth_type`".to_owned() } else { has };
    AuthError::Incomplete { auth_type: method.name.to_owned(), missing: missing.to_owned(), has }
}

/// `` `client_id` (environments/prod.yaml:4), `client_secret` (DATABRICKS_CLIENT_SECRET)``
fn sources(values: &Values, of: impl Fn(&Attribute) -> bool) -> String {
    let each = ATTRIBUTES.iter().filter(|a| of(a)).filter_map(|a| Some(format!("`{}` ({})", a.name, values.get(a.name)?.source)));
    each.collect::<Vec<_>>().join(", ")
}

fn describe(values: &Values, given: &Given<'_>, choice: &Choice) -> Description {
    let methods: Vec<&Method> = std::iter::once(choice.method).chain(choice.otherwise).collect();
    let used = |name: &str| {
        let of_method = methods.iter().any(|method| method.needs.contains(&name) || method.uses.contains(&name));
        of_method || attribute(name).is_some_and(|a| a.group.is_none() && a.name != "token_audience" && a.name != "azure_environment")
    };
    let mut attributes = described(values, used);
    for (name, shown, source) in methods.iter().filter_map(|method| method.around(given)) {
        attributes.push(Described { name, shown, source, used: true });
    }
    let otherwise = choice.otherwise.map(|method| method.name.to_owned());
    Description { host: given.host.to_owned(), auth_type: choice.method.name.to_owned(), otherwise, attributes }
}

fn described(values: &Values, used: impl Fn(&str) -> bool) -> Vec<Described> {
    let each = ATTRIBUTES.iter().filter_map(|attribute| {
        let found = values.get(attribute.name)?;
        Some(Described {
            name: attribute.name,
            shown: if attribute.secret { "(sensitive)".to_owned() } else { masked_host(&found.text).into_owned() },
            source: found.source.clone(),
            used: used(attribute.name),
        })
    });
    each.collect()
}

/// Scheme added where missing, path, query and `:443` dropped; `http` only for loopback.
pub(super) fn normal_host(given: &str, at: &str) -> Result<String, AuthError> {
    let fail = |why: &str| AuthError::Host { host: masked_host(given).into_owned(), at: at.to_owned(), why: why.to_owned() };
    let given_trimmed = given.trim();
    let with_scheme = if given_trimmed.contains("://") { given_trimmed.to_owned() } else { format!("https://{given_trimmed}") };
    let url = reqwest::Url::parse(&with_scheme).map_err(|why| fail(&format!("is no URL: {why}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AuthError::Host { host: "(sensitive)".to_owned(), at: at.to_owned(), why: "holds a user name or password".to_owned() });
    }
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(|| fail("names no machine"))?;
    match url.scheme() {
        "https" => {}
        "http" if crate::client::live::is_loopback(name) => {}
        "http" => return Err(fail("would send the token in clear: use https (http is for loopback only)")),
        _ => return Err(fail("has a scheme other than https")),
    }
    Ok(format!("{}://{name}{}", url.scheme(), url.port().map_or(String::new(), |port| format!(":{port}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing;

    fn explicit(entries: &[(&str, &str)]) -> Explicit {
        entries.iter().map(|(k, v)| ((*k).to_owned(), ((*v).to_owned(), None))).collect()
    }

    const FILE: &str = "\
[DEFAULT]
host = https://default.net
token = t-default
[PROD]
host = prod.net/
client_id = id-prod
client_secret = s-prod
[BOTH]
host = both.net
token = t
client_id = i
client_secret = s
[CLI]
host = cli.net
auth_type = databricks-cli
";

    /// Host, type and source of the deciding attribute; or the error.
    fn run(variables: &[(&str, &str)], said: &[(&str, &str)], profile: Option<&str>) -> Result<(String, String, String), AuthError> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".databrickscfg"), FILE).unwrap();
        let mut variables = variables.to_vec();
        let home_text = home.path().display().to_string();
        variables.push(("HOME", &home_text));
        let resolved = resolve(&testing::outside(&variables), &explicit(said), profile)?;
        let name = if resolved.description.auth_type == "pat" { "token" } else { "client_secret" };
        let source = resolved.description.attributes.iter().find(|a| a.name == name).map(|a| a.source.clone()).unwrap_or_default();
        assert!(!format!("{resolved:?}").contains("s-prod") && !format!("{resolved:?}").contains("t-default"));
        Ok((resolved.host, resolved.description.auth_type, source))
    }

    #[test]
    fn what_is_said_more_explicitly_wins() {
        let env_pat = [("DATABRICKS_HOST", "env.net"), ("DATABRICKS_TOKEN", "t-env")];
        for (variables, said, profile, want) in [
            (&[][..], &[][..], None, ("https://default.net", "pat", "~/.databrickscfg:3 [DEFAULT]")),
            (&env_pat, &[], None, ("https://env.net", "pat", "DATABRICKS_TOKEN")),
            (&env_pat, &[], Some("PROD"), ("https://prod.net", "oauth-m2m", "~/.databrickscfg:7 [PROD]")),
            (&env_pat, &[("profile", "PROD")], None, ("https://prod.net", "oauth-m2m", "~/.databrickscfg:7 [PROD]")),
            (&env_pat, &[("profile", "PROD")], Some("DEFAULT"), ("https://default.net", "pat", "~/.databrickscfg:3 [DEFAULT]")),
            (&env_pat, &[("host", "https://said.net/?o=1"), ("token", "t")], None, ("https://said.net", "pat", "an option")),
            (&[("DATABRICKS_CONFIG_PROFILE", "PROD")], &[], None, ("https://prod.net", "oauth-m2m", "~/.databrickscfg:7 [PROD]")),
            (
                &[("DATABRICKS_CONFIG_PROFILE", "PROD"), ("DATABRICKS_TOKEN", "t")],
                &[],
                None,
                ("https://prod.net", "pat", "DATABRICKS_TOKEN"),
            ),
            (
                &[("DATABRICKS_CLIENT_SECRET", "s")],
                &[("host", "x.net"), ("client_id", "i")],
                None,
                ("https://x.net", "oauth-m2m", "DATABRICKS_CLIENT_SECRET"),
            ),
            (&[], &[("auth_type", "pat")], Some("BOTH"), ("https://both.net", "pat", "~/.databrickscfg:10 [BOTH]")),
            (&[("DATABRICKS_TOKEN", "t")], &[("host", "http://127.0.0.1:80")], None, ("http://127.0.0.1", "pat", "DATABRICKS_TOKEN")),
            (
                &[("DATABRICKS_TOKEN", "t")],
                &[("host", "http://localhost:8123/")],
                None,
                ("http://localhost:8123", "pat", "DATABRICKS_TOKEN"),
            ),
        ] {
            let got = run(variables, said, profile).unwrap_or_else(|e| panic!("{variables:?} {said:?} {profile:?}: {e}"));
            assert_eq!((got.0.as_str(), got.1.as_str(), got.2.as_str()), want);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let host = ("DATABRICKS_HOST", "x.net");
        for (variables, said, profile, want) in [
            (
                &[][..],
                &[][..],
                Some("NOPE"),
                "~/.databrickscfg has no profile `NOPE` (named by --profile); it has BOTH, CLI, DEFAULT, PROD",
            ),
            (
                &[],
                &[],
                Some("BOTH"),
                "more than one authorization method configured: oauth-m2m by `client_id` (~/.databrickscfg:11 [BOTH]), `client_secret` (~/.databrickscfg:12 [BOTH]); pat by `token` (~/.databrickscfg:10 [BOTH])",
            ),
            (&[], &[], Some("CLI"), "databricks-cli cannot be used here: the program `databricks` is not there"),
            (
                &[host, ("DATABRICKS_AUTH_TYPE", "external-browser")],
                &[],
                None,
                "authentication by external-browser (DATABRICKS_AUTH_TYPE) is not supported; supported are pat, basic, metadata-service, oauth-m2m, env-oidc, file-oidc, github-oidc, azure-msi, azure-client-secret, github-oidc-azure, azure-cli, azure-devops-oidc, databricks-cli, google-credentials, google-id",
            ),
            (
                &[host, ("DATABRICKS_TOKEN", "t"), ("ARM_CLIENT_ID", "a")],
                &[],
                None,
                "more than one authorization method configured: azure by `azure_client_id` (ARM_CLIENT_ID); pat by `token` (DATABRICKS_TOKEN)",
            ),
            (
                &[host, ("DATABRICKS_AUTH_TYPE", "github-oidc"), ("DATABRICKS_CLIENT_ID", "i"), ("ACTIONS_ID_TOKEN_REQUEST_URL", "u")],
                &[],
                None,
                "github-oidc cannot be used here: ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set",
            ),
            (
                &[host, ("DATABRICKS_AUTH_TYPE", "env-oidc"), ("DATABRICKS_OIDC_TOKEN_ENV", "MINE")],
                &[],
                None,
                "env-oidc cannot be used here: MINE is not set",
            ),
            (
                &[host, ("ARM_CLIENT_ID", "a"), ("ARM_CLIENT_SECRET", "s"), ("ARM_ENVIRONMENT", "moon")],
                &[],
                None,
                "`azure_environment` (ARM_ENVIRONMENT): there is no cloud `moon`: public, usgovernment and china are",
            ),
            (
                &[host, ("DATABRICKS_CLIENT_ID", "i")],
                &[],
                None,
                "oauth-m2m needs `client_secret` beside `client_id` (DATABRICKS_CLIENT_ID)",
            ),
            (&[host], &[("auth_type", "pat")], None, "pat needs `token` beside `auth_type`"),
            (
                &[host],
                &[],
                None,
                "no credentials for https://x.net: looked at the environment's `workspace:`, the DATABRICKS_* variables and the profile file",
            ),
            (
                &[("DATABRICKS_AZURE_RESOURCE_ID", "/subscriptions/s/w")],
                &[],
                None,
                "no workspace is configured: `azure_workspace_resource_id` (DATABRICKS_AZURE_RESOURCE_ID) is sent along and says no host",
            ),
            (
                &[("DATABRICKS_TOKEN", "t")],
                &[],
                None,
                "no workspace is configured: looked at the environment's `workspace:`, the DATABRICKS_* variables and the profile file",
            ),
            (&[], &[("hots", "x")], None, "`hots` (an option) is no attribute of the authentication; did you mean `host`?"),
            (
                &[],
                &[("host", "http://x.net"), ("token", "t")],
                None,
                "the host `http://x.net` (an option) would send the token in clear: use https (http is for loopback only)",
            ),
            (&[], &[("host", "ftp://x"), ("token", "t")], None, "the host `ftp://x` (an option) has a scheme other than https"),
        ] {
            assert_eq!(run(variables, said, profile).map(|_| ()).expect_err(want).to_string(), want);
        }
    }

    #[test]
    fn secrets_are_not_described() {
        let outside = testing::outside(&[("DATABRICKS_HOST", "x.net"), ("DATABRICKS_TOKEN", "planted")]);
        let description = resolve(&outside, &Explicit::new(), None).unwrap().description;
        assert_eq!(
            description.attributes.iter().map(|a| (a.name, a.shown.as_str())).collect::<Vec<_>>(),
            [("host", "x.net"), ("token", "(sensitive)")]
        );
    }
}
