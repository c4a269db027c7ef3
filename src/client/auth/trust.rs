//! What a file of the project may decide where whoever runs us lends the credentials.
//!
//! A pull request may change every file, and a pipeline plans it before anybody has read it. So a file may choose a method and
//! a workspace, but neither what is read of the machine (files outside the project, variables) nor, against what whoever
//! runs us says, who is given their credentials.

use std::path::{Component, Path};

use zeroize::Zeroizing;

use super::methods::{Around, Method};
use super::resolve::{Given, Values, normal_host};
use super::{AuthError, attributes};
use crate::client::allowed::{self, AllowedHosts};
use crate::model::Outside;
use crate::model::url::masked_host;

/// Who says a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A file of the project: the environment's, or a profile of a `config_file` that it names.
    Project,
    /// Whoever runs us: variables, a profile of their own, an option.
    Caller,
}

/// What whoever runs us says, and a file of the project outranks.
#[derive(Clone)]
pub struct Outranked {
    pub text: Zeroizing<String>,
    pub source: String,
}

/// The variable whose token `env-oidc` takes where nobody names another.
const ID_TOKEN: &str = "DATABRICKS_OIDC_TOKEN";

/// Refuses what a file of the project may not name.
pub fn values(values: &Values, outside: &Outside) -> Result<(), AuthError> {
    path(values, "oidc_token_filepath", outside)?;
    // A key may be written instead of its file.
    let is_key = values.get("google_credentials").is_some_and(|found| serde_json::from_str::<serde_json::Value>(&found.text).is_ok());
    if !is_key {
        path(values, "google_credentials", outside)?;
    }
    let own = |name: &str| values.get(name).filter(|found| found.by == By::Project);
    if let Some(found) = own("oidc_token_env").filter(|found| found.text.as_str() != ID_TOKEN) {
        return Err(refused(
            "oidc_token_env",
            &found.source,
            &format!(
                "names the variable {}: a file of the project may name none, or any variable of the machine could be sent",
                *found.text
            ),
        ));
    }
    if let Some(found) = own("metadata_service_url") {
        let what = "says where credentials come from: a file of the project may name no such service";
        return Err(refused("metadata_service_url", &found.source, what));
    }
    if let Some(found) = own("token_audience").filter(|found| is_cloud(&found.text)) {
        let what = format!("is `{}`, for which a cloud lets the pipeline in: a file of the project may not ask for that", *found.text);
        return Err(refused("token_audience", &found.source, &what));
    }
    Ok(())
}

/// Refuses a path that a file of the project names and that is outside it, through a link, too.
pub fn path(values: &Values, name: &'static str, outside: &Outside) -> Result<(), AuthError> {
    let Some(found) = values.get(name).filter(|found| found.by == By::Project) else { return Ok(()) };
    let inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let stays = |path: &Path| match (outside.folder.canonicalize(), outside.folder.join(path).canonicalize()) {
        (Ok(base), Ok(real)) => real.starts_with(base),
        // Nothing is there that could be read.
        _ => true,
    };
    let given = Path::new(found.text.as_str());
    if !found.text.starts_with('~') && inside(given) && stays(given) {
        return Ok(());
    }
    // A secret (a key in a variable's place) is not repeated.
    let shown = if name == "google_credentials" { "a file".to_owned() } else { format!("`{}`", *found.text) };
    Err(refused(name, &found.source, &format!("names {shown} outside this folder: a file of the project may name only files in it")))
}

fn refused(name: &'static str, at: &str, what: &str) -> AuthError {
    let variable = attributes::attribute(name).and_then(|known| known.variables.first()).copied().unwrap_or_default();
    let profile = if name == "config_file" { "" } else { ", or say it in a profile of your own ~/.databrickscfg" };
    let help = format!("set {variable} in the environment instead{profile}");
    AuthError::Untrusted { what: format!("`{name}` ({at}) {what}"), help: vec![help] }
}

/// Refuses to give a host credentials that are not for it.
pub fn host(given: &Given<'_>, methods: &[&Method]) -> Result<(), AuthError> {
    let Some(found) = given.values.get("host") else { return Ok(()) };
    if let Some(allowed) = AllowedHosts::of(given.outside) {
        // Whoever made the list has decided.
        return if allowed.has(given.host) { Ok(()) } else { Err(not_allowed(given.host, &found.source)) };
    }
    let Some(over) = found.over.as_ref().filter(|_| found.by == By::Project) else { return Ok(()) };
    let same = normal_host(&over.text, &over.source).is_ok_and(|host| host == given.host);
    if same || methods.iter().all(|method| is_projects_own(method, given.values)) {
        return Ok(());
    }
    Err(AuthError::Untrusted {
        what: format!(
            "the workspace is {} ({}), but {} says {}: credentials of one are not sent to the other",
            given.host,
            found.source,
            over.source,
            masked_host(&over.text)
        ),
        help: vec![
            format!("if {} is meant, let {} say the same, or leave the host out there", given.host, over.source),
            format!("or list every host that may be sent credentials in {}", allowed::VARIABLE),
        ],
    })
}

fn not_allowed(host: &str, at: &str) -> AuthError {
    AuthError::Untrusted {
        what: format!("{host} ({at}) is not in {}: it is sent no credentials", allowed::VARIABLE),
        help: vec![format!("if that workspace is meant, whoever runs this adds its host to {}", allowed::VARIABLE)],
    }
}

/// Whether all that a method proves itself with is said by files of the project.
fn is_projects_own(method: &Method, values: &Values) -> bool {
    let ours = |name: &&str| values.get(*name).is_some_and(|found| found.by == By::Project);
    // An account of Google's is only named: who one is comes from the machine.
    method.around == Around::Nothing && method.name != "google-id" && method.needs.iter().all(ours)
}

/// Whether a workspace may ask for an ID token with this audience: not with one for which a cloud lets the pipeline in, and of
/// addresses only with its own or one of Databricks'.
pub fn is_own_audience(audience: &str, host: &str) -> bool {
    if is_cloud(audience) {
        return false;
    }
    let name = |url: &str| reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
    let own = |named: &str| {
        let zones = ["databricks.com", "azuredatabricks.net", "databricks.azure.us", "databricks.azure.cn"];
        Some(named) == name(host).as_deref() || zones.iter().any(|zone| named.ends_with(&format!(".{zone}")))
    };
    if audience.contains("//") { name(audience).is_some_and(|named| own(&named)) } else { true }
}

/// Audiences by which the clouds know pipelines.
fn is_cloud(audience: &str) -> bool {
    let audience = audience.trim().to_ascii_lowercase();
    ["amazonaws.", "azuread", "googleapis.", "microsoftonline.", "management.azure.", "vault.azure.", "sigstore"]
        .iter()
        .any(|known| audience.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::auth::{Explicit, resolve};
    use crate::client::testing;

    fn run(folder: &Path, variables: &[(&str, &str)], said: &[(&str, &str)], profile: Option<&str>) -> Result<String, String> {
        let home = folder.join("home").display().to_string();
        let mut variables = variables.to_vec();
        variables.push(("HOME", &home));
        let said: Explicit = said.iter().map(|(k, v)| ((*k).to_owned(), ((*v).to_owned(), None))).collect();
        let outside = Outside { folder: folder.join("project"), ..testing::outside(&variables) };
        resolve(&outside, &said, profile).map(|resolved| resolved.host).map_err(|error| error.to_string())
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "project"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("home/.databrickscfg"), "[CI]\nhost = real.net\ntoken = t\n[NONE]\ntoken = t\n").unwrap();
        std::fs::write(folder.path().join("project/cfg"), "[E]\nhost = evil.net\ntoken = t\n[W]\nhost=evil.net\noidc_token_env = AWS\n")
            .unwrap();
        std::fs::write(folder.path().join("key"), "k").unwrap();
        folder
    }

    #[test]
    fn a_file_of_the_project_names_nothing_of_the_machine() {
        let folder = folder();
        let absolute = folder.path().join("key").display().to_string();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&absolute, folder.path().join("project/link")).unwrap();
        let evil = ("host", "evil.net");
        for said in [
            vec![evil, ("auth_type", "file-oidc"), ("oidc_token_filepath", &absolute)],
            vec![evil, ("auth_type", "file-oidc"), ("oidc_token_filepath", "../key")],
            vec![evil, ("auth_type", "file-oidc"), ("oidc_token_filepath", "~/.ssh/id")],
            #[cfg(unix)]
            vec![evil, ("auth_type", "file-oidc"), ("oidc_token_filepath", "link")],
            vec![evil, ("auth_type", "env-oidc"), ("oidc_token_env", "AWS")],
            vec![evil, ("google_credentials", &absolute)],
            vec![("profile", "E"), ("config_file", &absolute)],
            vec![("profile", "W"), ("config_file", "./cfg")],
            vec![evil, ("token", "t"), ("token_audience", "sts.amazonaws.com")],
            // An editor's service on this machine gives whoever asks the token of whoever sits there.
            vec![evil, ("metadata_service_url", "http://127.0.0.1:5/editor")],
            vec![evil, ("token", "t"), ("metadata_service_url", "https://evil.net")],
        ] {
            let refused = run(folder.path(), &[("AWS", "x")], &said, None).expect_err("it names something of the machine");
            assert!(refused.contains("a file of the project may"), "{said:?}: {refused}");
        }
        assert!(run(folder.path(), &[], &[("profile", "E"), ("config_file", "./cfg")], None).is_ok());
        // Whoever runs us may name what they like.
        let named = [("DATABRICKS_OIDC_TOKEN_FILEPATH", absolute.as_str()), ("DATABRICKS_AUTH_TYPE", "file-oidc")];
        assert!(run(folder.path(), &named, &[evil], None).is_ok());
        let service = [("DATABRICKS_METADATA_SERVICE_URL", "http://127.0.0.1:5/editor")];
        assert!(run(folder.path(), &service, &[evil], None).is_ok());
    }

    #[test]
    fn credentials_for_one_workspace_are_not_sent_to_another() {
        let folder = folder();
        let (host, token) = (("DATABRICKS_HOST", "https://Real.net/"), ("DATABRICKS_TOKEN", "t"));
        let list = |hosts| (allowed::VARIABLE, hosts);
        for (variables, said, profile, want) in [
            (vec![host, token], vec![("host", "evil.net")], None, Err("but DATABRICKS_HOST says https://Real.net/")),
            (vec![host, token], vec![("host", "real.net")], None, Ok("https://real.net")),
            (vec![host, token], vec![("host", "evil.net"), ("token", "own")], None, Ok("https://evil.net")),
            (vec![host, token, list("*.net")], vec![("host", "other.net")], None, Ok("https://other.net")),
            (vec![token], vec![("host", "other.net")], None, Ok("https://other.net")),
            (vec![token, list("real.net")], vec![("host", "evil.net")], None, Err("is not in BRICKFORM_ALLOWED_HOSTS")),
            (vec![], vec![("profile", "CI"), ("host", "evil.net")], None, Err("[CI] says real.net")),
            (vec![], vec![("host", "evil.net")], Some("CI"), Err("[CI] says real.net")),
            (vec![], vec![("profile", "CI")], None, Ok("https://real.net")),
            // `--profile` takes the place of the file's profile, and says the host where the file does not.
            (vec![], vec![("profile", "NONE")], Some("CI"), Ok("https://real.net")),
            (vec![], vec![("host", "real.net")], Some("CI"), Ok("https://real.net")),
            (vec![], vec![("host", "real.net")], Some("NONE"), Ok("https://real.net")),
            (vec![("DATABRICKS_CONFIG_PROFILE", "CI")], vec![("host", "evil.net")], None, Err("[CI] says real.net")),
        ] {
            let got = run(folder.path(), &variables, &said, profile);
            match want {
                Ok(want) => assert_eq!(got.as_deref(), Ok(want), "{variables:?} {said:?}"),
                Err(want) => assert!(got.as_ref().is_err_and(|why| why.contains(want)), "{variables:?} {said:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_workspace_asks_for_no_cloud_s_audience() {
        for (audience, want) in [
            ("5a1b7d3e-account", true),
            ("https://real.net/oidc/v1/token", true),
            ("https://accounts.cloud.databricks.com/oidc/accounts/1/v1/token", true),
            ("sts.amazonaws.com", false),
            ("api://AzureADTokenExchange", false),
            ("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/g", false),
            ("https://vault.corp", false),
            ("https://evildatabricks.com", false),
        ] {
            assert_eq!(is_own_audience(audience, "https://real.net"), want, "{audience}");
        }
    }
}
