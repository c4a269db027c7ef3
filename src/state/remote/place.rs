//! Where a state is kept, as one URL says it.
//!
//! ```text
//! .brickform/state/prod.json                       a file, relative to the project
//! s3://acme-state/brickform?region=eu-west-1       a bucket that speaks S3
//! az://state/brickform?account=acmestate           a container of Azure Blob Storage
//! abfss://state@acmestate.dfs.core.windows.net/bf  the same, as Databricks writes it
//! gs://acme-state/brickform                        a bucket of Google Cloud Storage
//! workspace:/Shared/brickform                      files of the workspace itself
//! volume:/main/ops/state/brickform                 files of a Unity Catalog volume
//! ```

use std::collections::BTreeMap;

use crate::model::url::masked;

/// Where a state is kept. The environment's name is added by whoever opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine.
    File(String),
    /// A bucket that speaks S3.
    S3(Bucket),
    /// A container of Azure Blob Storage; its account stands in the settings under `account`.
    Azure(Bucket),
    /// A bucket of Google Cloud Storage.
    Gcs(Bucket),
    /// A folder of the workspace, absolute: `/Shared/brickform`.
    Workspace(String),
    /// A folder of a volume, absolute: `/Volumes/main/ops/state/brickform`.
    Volume(String),
}

/// A bucket or container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The folder in it, without slashes at its ends; may be empty.
    pub prefix: String,
    /// What follows `?`: `region`, `endpoint`, `account`.
    pub settings: BTreeMap<String, String>,
}

impl Place {
    /// The service that the URL itself names (`?endpoint=`).
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::S3(bucket) | Self::Azure(bucket) | Self::Gcs(bucket) => bucket.settings.get("endpoint").map(String::as_str),
            _ => None,
        }
    }
}

/// The settings that a URL may carry, by its scheme.
const SETTINGS: [(&str, &[&str]); 3] =
    [("s3", &["region", "endpoint", "profile", "path_style"]), ("az", &["account", "endpoint"]), ("gs", &["endpoint"])];

/// Why text is no place: a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlaceError(pub String);

impl std::str::FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let fail = |why: String| Err(PlaceError(masked(&why).into_owned()));
        if let Some(path) = text.strip_prefix("workspace:") {
            return Ok(Self::Workspace(folder(text, path)?));
        }
        if let Some(path) = text.strip_prefix("volume:") {
            let path = folder(text, path)?;
            let inside = path.strip_prefix("/Volumes/").unwrap_or(&path[1..]);
            if inside.split('/').filter(|part| !part.is_empty()).count() < 3 {
                return fail(format!("`{text}` names no volume: `volume:/CATALOG/SCHEMA/VOLUME/FOLDER` does"));
            }
            return Ok(Self::Volume(format!("/Volumes/{inside}")));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.split_once(':') {
                // A drive of Windows has one letter.
                Some((word, _)) if word.len() > 1 && word.bytes().all(|b| b.is_ascii_alphanumeric()) => fail(unknown(word)),
                _ => Ok(Self::File(text.to_owned())),
            };
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        let prefix = prefix.trim_matches('/').to_owned();
        if name.is_empty() {
            return fail(format!("`{text}` names no bucket"));
        }
        if prefix.split('/').any(|part| part == "." || part == "..") {
            return fail(format!("`{text}`: a folder may not be `.` or `..`"));
        }
        let sort = if scheme == "abfss" { "az" } else { scheme };
        let Some((_, known)) = SETTINGS.iter().find(|(known, _)| *known == sort) else { return fail(unknown(scheme)) };
        let mut settings = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&key) {
                // The value is not repeated: it may be a credential that somebody tried to pass.
                return fail(format!("`{key}` is no setting of `{scheme}://`; those are {}", known.join(", ")));
            }
            settings.insert(key.to_owned(), value.to_owned());
        }
        let (name, host) = name.split_once('@').map_or((name, None), |(name, host)| (name, Some(host)));
        if let Some(host) = host {
            if scheme != "abfss" {
                return fail(format!("a `{scheme}://` URL carries no user or password"));
            }
            let account = host.split('.').next().unwrap_or_default();
            settings.insert("account".to_owned(), account.to_owned());
        } else if scheme == "abfss" {
            return fail(format!("`{text}` names no account: `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER` does"));
        }
        // They become parts of the name of a host: with a slash in them it would be another one.
        let is_label = |value: &String| value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if let Some((key, value)) = settings.iter().find(|(key, value)| matches!(key.as_str(), "region" | "account") && !is_label(value)) {
            return fail(format!("`{value}` is no name of `{key}`: those have letters, digits and `-`"));
        }
        let bucket = Bucket { name: name.to_owned(), prefix, settings };
        Ok(match sort {
            "s3" => Self::S3(bucket),
            "az" => Self::Azure(bucket),
            _ => Self::Gcs(bucket),
        })
    }
}

fn unknown(scheme: &str) -> String {
    let known = ["s3", "az", "abfss", "gs", "workspace", "volume"];
    let near = crate::diagnostic::suggest::nearest(scheme, known);
    let meant = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!(
        "no state can be kept at `{scheme}:`{meant} Known are a file, `s3://`, `az://`, `abfss://`, `gs://`, `workspace:/` and `volume:/`"
    )
}

fn folder(text: &str, path: &str) -> Result<String, PlaceError> {
    let path = path.trim_end_matches('/');
    if !path.starts_with('/') || path.contains("//") || path.split('/').any(|part| part == "." || part == "..") {
        return Err(PlaceError(format!("`{text}`: the folder has to be absolute, without `.` and `..`")));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Place};

    fn bucket(name: &str, prefix: &str, settings: &[(&str, &str)]) -> Bucket {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Bucket { name: name.to_owned(), prefix: prefix.to_owned(), settings }
    }

    #[test]
    fn one_url_says_where() {
        for (text, expected) in [
            ("state/prod.json", Place::File("state/prod.json".to_owned())),
            ("C:\\state\\prod.json", Place::File("C:\\state\\prod.json".to_owned())),
            ("s3://acme", Place::S3(bucket("acme", "", &[]))),
            ("s3://acme/a/b/?region=eu-west-1", Place::S3(bucket("acme", "a/b", &[("region", "eu-west-1")]))),
            ("az://state/bf?account=acme", Place::Azure(bucket("state", "bf", &[("account", "acme")]))),
            ("abfss://state@acme.dfs.core.windows.net/bf", Place::Azure(bucket("state", "bf", &[("account", "acme")]))),
            ("gs://acme/bf", Place::Gcs(bucket("acme", "bf", &[]))),
            ("workspace:/Shared/bf/", Place::Workspace("/Shared/bf".to_owned())),
            ("volume:/main/ops/state", Place::Volume("/Volumes/main/ops/state".to_owned())),
            ("volume:/Volumes/main/ops/state/x", Place::Volume("/Volumes/main/ops/state/x".to_owned())),
        ] {
            assert_eq!(text.parse::<Place>().as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_told_and_no_credential_is_repeated() {
        for (text, part) in [
            ("s4://acme/x", "did you mean `s3`?"),
            ("http:x", "no state can be kept at `http:`"),
            ("s3:///x", "names no bucket"),
            ("az:///x?sv=1&sig=hunter2", "names no bucket"),
            ("az://c/../x?sv=1&sig=hunter2", "may not be `.` or `..`"),
            ("abfss://state/bf?sig=hunter2", "`sig` is no setting"),
            ("s3://acme/../x", "may not be `.` or `..`"),
            ("s3://key:hunter2@acme/x", "carries no user or password"),
            ("s3://acme/x?secret_access_key=hunter2", "`secret_access_key` is no setting"),
            ("abfss://state/bf", "names no account"),
            ("workspace:Shared", "has to be absolute"),
            ("volume:/main/ops", "names no volume"),
        ] {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
