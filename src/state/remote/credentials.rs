//! Each cloud's ways to credentials, tried against stand-ins of its endpoints on loopback.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::objects::{About, Condition, ObjectError};
use super::place::Place;
use crate::client::testing::StandIn;
use crate::model::{CommandOutput, Outside, System};

/// A cloud: answers from a table by the beginning of a request line; anything else is an object that is stored.
fn cloud(answers: &'static [(&'static str, &'static str)]) -> StandIn {
    StandIn::by(move |request| {
        let body = answers.iter().find(|(line, _)| request.starts_with(line)).map_or("", |(_, body)| body);
        Some((200, body.to_owned()))
    })
}

/// Programs that say what they are told to.
struct Programs(&'static str);

impl System for Programs {
    fn now(&self) -> jiff::Timestamp {
        "2026-11-21T08:00:00Z".parse().unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str], _: &Path) -> std::io::Result<CommandOutput> {
        if !["sh", "aws"].contains(&program) {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        assert!(arguments.iter().any(|a| ["print-keys", "export-credentials"].contains(a)), "{arguments:?}");
        Ok(CommandOutput { code: Some(0), stdout: self.0.as_bytes().to_vec(), stderr: vec![] })
    }
}

fn outside(folder: &Path, variables: &[(&str, &str)]) -> Outside {
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAPROGRAM","SecretAccessKey":"hunter2","SessionToken":"session2"}"#;
    let mut all: BTreeMap<String, String> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.insert("HOME".to_owned(), folder.display().to_string());
    Outside { system: Arc::new(Programs(keys)), variables: Arc::new(all), folder: folder.to_owned() }
}

/// Writes an object and gives which credentials are said to be used.
fn write(place: &str, outside: &Outside) -> Result<String, ObjectError> {
    let place: Place = place.parse().unwrap();
    let store = super::open(&place, "prod", outside)?.expect("a bucket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.put("x", b"1".to_vec(), Condition::Absent))?;
    Ok(store.credentials().expect("it says so"))
}

fn is_secret_free(text: &str) {
    for secret in ["hunter2", "session2", "SECRET-", "subject-token"] {
        assert!(!text.contains(secret), "{text}");
    }
}

const STS: &str = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session2</SessionToken>\
<SecretAccessKey>hunter2</SecretAccessKey><Expiration>2036-01-01T00:00:00Z</Expiration><AccessKeyId>ASIAWEB</AccessKeyId></Credentials>\
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
const ROLE: &str =
    r#"{"Code":"Success","AccessKeyId":"ASIAMACHINE","SecretAccessKey":"hunter2","Token":"session2","Expiration":"2036-01-01T00:00:00Z"}"#;

#[test]
fn every_way_of_aws() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    std::fs::write(
        folder.path().join(".aws/config"),
        "[profile keys]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = hunter2\n\
         [profile program]\ncredential_process = print-keys\n[profile sso]\nsso_session = acme\nregion = eu-west-1\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("token"), "subject-token").unwrap();
    let token = folder.path().join("token").display().to_string();
    let answers: &'static [(&str, &str)] = &[
        ("POST /sts", STS),
        ("PUT /latest/api/token", "imds"),
        ("GET /latest/meta-data/iam/security-credentials/ ", "runner"),
        ("GET /latest/meta-data/iam/security-credentials/runner", ROLE),
        ("GET /pod", ROLE),
    ];
    for (url, variables, key, told) in [
        ("s3://acme/bf", vec![("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "hunter2")], "AKIAENV", "AWS_ACCESS_KEY_ID"),
        (
            "s3://acme/bf",
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci")],
            "ASIAWEB",
            "role/ci",
        ),
        ("s3://acme/bf", vec![("AWS_PROFILE", "keys")], "AKIAPROFILE", "profile `keys`"),
        (
            "s3://acme/bf?profile=keys",
            vec![("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "x")],
            "AKIAPROFILE",
            "profile `keys`",
        ),
        ("s3://acme/bf", vec![("AWS_PROFILE", "program")], "AKIAPROGRAM", "credential_process of the profile `program`"),
        ("s3://acme/bf", vec![("AWS_PROFILE", "sso")], "AKIAPROGRAM", "export-credentials --profile sso"),
        (
            "s3://acme/bf",
            vec![("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.as_str()), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")],
            "ASIAMACHINE",
            "FULL_URI",
        ),
        ("s3://acme/bf", vec![], "ASIAMACHINE", "the machine's role"),
    ] {
        let cloud = cloud(answers);
        let (sts, pod) = (format!("{}/sts", cloud.host), format!("{}/pod", cloud.host));
        let mut variables: Vec<(&str, &str)> =
            variables.into_iter().map(|(k, v)| (k, if k == "AWS_CONTAINER_CREDENTIALS_FULL_URI" { pod.as_str() } else { v })).collect();
        variables.extend([
            ("AWS_ENDPOINT_URL", cloud.host.as_str()),
            ("AWS_ENDPOINT_URL_STS", &sts),
            ("AWS_METADATA_ENDPOINT", &cloud.host),
        ]);
        let said = write(url, &outside(folder.path(), &variables))
            .unwrap_or_else(|e| panic!("{variables:?}: {e}\n{}", cloud.asked().join("\n\n")));
        assert!(said.contains(told), "{said}");
        is_secret_free(&said);
        assert!(cloud.last().contains(&format!("Credential={key}/")), "{variables:?}: {}", cloud.last());
    }
    let error = write("s3://acme/bf", &outside(folder.path(), &[("AWS_PROFILE", "other")])).unwrap_err();
    assert_eq!(error.why, "~/.aws has no profile `other`");
}

/// A program that gives other keys each time, good for ten minutes of a clock that is moved by hand; after the third it fails.
struct Rotating {
    minutes: AtomicI64,
    asked: AtomicI64,
}

impl System for Rotating {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_800_000_000 + 60 * self.minutes.load(Ordering::SeqCst)).unwrap()
    }

    fn run(&self, _: &str, _: &[&str], _: &Path) -> std::io::Result<CommandOutput> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let keys = serde_json::json!({
            "Version": 1, "AccessKeyId": format!("AKIA{number}"), "SecretAccessKey": "hunter2",
            "Expiration": (self.now() + jiff::SignedDuration::from_mins(10)).to_string(),
        });
        let (code, stdout) = if number > 2 { (1, vec![]) } else { (0, keys.to_string().into_bytes()) };
        Ok(CommandOutput { code: Some(code), stdout, stderr: b"the session is over".to_vec() })
    }
}

#[test]
fn keys_of_a_program_are_asked_for_anew_before_they_run_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), "[default]\ncredential_process = print-keys\n").unwrap();
    let cloud = cloud(&[]);
    let system = Arc::new(Rotating { minutes: AtomicI64::new(0), asked: AtomicI64::new(0) });
    let variables = [("HOME", folder.path().to_str().unwrap()), ("AWS_ENDPOINT_URL", cloud.host.as_str())];
    let outside = Outside { system: Arc::clone(&system) as Arc<dyn System>, ..outside(folder.path(), &variables) };
    let place: Place = "s3://acme/bf".parse().unwrap();
    let store = super::open(&place, "prod", &outside).unwrap().expect("a bucket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // After so many minutes: the keys that are used, which are never waited for while the last ones hold, and how often the
    // program was asked by then.
    let steps =
        [(0, Some("AKIA1"), 1), (4, Some("AKIA1"), 1), (2, Some("AKIA1"), 2), (0, Some("AKIA2"), 2), (6, Some("AKIA2"), 3), (5, None, 4)];
    for (minutes, key, asked) in steps {
        system.minutes.fetch_add(minutes, Ordering::SeqCst);
        let put = runtime.block_on(store.put("x", b"1".to_vec(), Condition::Absent));
        let begun = std::time::Instant::now();
        while system.asked.load(Ordering::SeqCst) < asked && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // What it answered is taken in a moment later.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(system.asked.load(Ordering::SeqCst), asked, "{minutes}");
        let Some(key) = key else {
            let error = put.expect_err("the keys are over, and there are no others");
            assert!(error.why.contains("the session is over") && error.about == About::Credentials, "{error:?}");
            continue;
        };
        assert!(put.is_ok() && cloud.last().contains(&format!("Credential={key}/")), "{put:?} {}", cloud.last());
    }
}

#[test]
fn where_nobody_says_who_we_are_that_is_known_in_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // One that takes the connection and never answers, as some networks do.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let begun = std::time::Instant::now();
        let host = format!("http://{address}");
        let error = write("s3://acme/bf?region=eu-west-1", &outside(folder.path(), &[("AWS_METADATA_ENDPOINT", &host)])).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        assert!(error.why.contains("no credentials were found"), "{error:?}");
        let help = error.help.join("\n");
        for part in ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_PROFILE", "the machine's role"] {
            assert!(help.contains(part), "{help}");
        }
    }
}

const AZURE: &[(&str, &str)] = &[
    ("POST /tenant-1/oauth2/v2.0/token", r#"{"access_token":"SECRET-azure","expires_in":3600,"token_type":"Bearer"}"#),
    ("GET /github", r#"{"value":"subject-token"}"#),
    ("GET /msi", r#"{"access_token":"SECRET-azure","expires_on":"2082758400","token_type":"Bearer"}"#),
];

#[test]
fn every_way_of_azure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "subject-token").unwrap();
    let token = folder.path().join("token").display().to_string();
    let client = [("AZURE_TENANT_ID", "tenant-1"), ("AZURE_CLIENT_ID", "client-1")];
    let terraform = [("ARM_TENANT_ID", "tenant-1"), ("ARM_CLIENT_ID", "client-1")];
    let sas = "sv=2022-11-02&sig=SECRET-sas";
    for (first, more, asked, told) in [
        (client, vec![("AZURE_CLIENT_SECRET", "hunter2")], "client_secret=hunter2", "AZURE_CLIENT_SECRET"),
        (terraform, vec![("ARM_CLIENT_SECRET", "hunter2")], "client_secret=hunter2", "ARM_CLIENT_SECRET"),
        (client, vec![("AZURE_FEDERATED_TOKEN_FILE", token.as_str())], "client_assertion=subject-token", "AZURE_FEDERATED_TOKEN_FILE"),
        (
            client,
            vec![("ACTIONS_ID_TOKEN_REQUEST_URL", "/github?api=1"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "run")],
            "client_assertion=subject-token",
            "GitHub's identity",
        ),
        (terraform, vec![("IDENTITY_ENDPOINT", "/msi"), ("IDENTITY_HEADER", "h")], "GET /msi", "managed identity"),
        (client, vec![("AZURE_STORAGE_SAS_TOKEN", sas)], "sig=SECRET", "AZURE_STORAGE_SAS_TOKEN"),
        (client, vec![("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMg==")], "SharedKey acme:", "AZURE_STORAGE_ACCOUNT_KEY"),
    ] {
        let cloud = cloud(AZURE);
        let here = |value: &str| {
            if value.starts_with('/') && !value.contains("token") { format!("{}{value}", cloud.host) } else { value.to_owned() }
        };
        let more: Vec<(&str, String)> = more.iter().map(|(name, value)| (*name, here(value))).collect();
        let mut variables: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.extend(first);
        variables.extend([("AZURE_AUTHORITY_HOST", cloud.host.as_str()), ("AZURE_STORAGE_ENDPOINT", cloud.host.as_str())]);
        let said = write("az://state/bf?account=acme", &outside(folder.path(), &variables))
            .unwrap_or_else(|e| panic!("{told}: {e:?}\n{}", cloud.asked().join("\n\n")));
        assert!(said.contains(told), "{said}");
        is_secret_free(&said);
        assert!(cloud.asked().join("\n\n").contains(asked), "{told}: {}", cloud.asked().join("\n\n"));
        let last = cloud.last();
        assert!(last.contains("SECRET") || last.contains("SharedKey"), "the store was asked without a token: {last}");
    }
    let lacks = outside(folder.path(), &[("AZURE_CLIENT_SECRET", "hunter2")]);
    let error = write("az://state/bf?account=acme", &lacks).unwrap_err();
    assert!(error.why.contains("AZURE_CLIENT_SECRET is set, but"), "{error:?}");
    let error = write("az://state/bf", &outside(folder.path(), &[])).unwrap_err();
    assert_eq!(error.why, "the URL names no storage account");
}

#[test]
fn a_life_that_no_clock_holds_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(&[
        ("POST /tenant-1/oauth2/v2.0/token", r#"{"access_token":"SECRET-azure","expires_in":9000000000000000000}"#),
        ("GET /github", r#"{"value":"subject-token"}"#),
    ]);
    let github = format!("{}/github?api=1", cloud.host);
    let variables = [
        ("AZURE_TENANT_ID", "tenant-1"),
        ("AZURE_CLIENT_ID", "client-1"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &github),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "run"),
        ("AZURE_AUTHORITY_HOST", &cloud.host),
        ("AZURE_STORAGE_ENDPOINT", &cloud.host),
    ];
    write("az://state/bf?account=acme", &outside(folder.path(), &variables)).unwrap();
    assert!(cloud.last().contains("Bearer SECRET-azure"), "{}", cloud.asked().join("\n\n"));
}

#[test]
fn a_federated_identity_of_google_is_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(&[
        ("GET /github", r#"{"value":"subject-token"}"#),
        ("POST /sts", r#"{"access_token":"SECRET-sts","expires_in":3600}"#),
        ("POST /impersonate", r#"{"accessToken":"SECRET-google","expireTime":"2036-01-01T00:00:00Z"}"#),
    ]);
    let file = folder.path().join("wif.json");
    let account = serde_json::json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/g",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/sts", cloud.host),
        "service_account_impersonation_url": format!("{}/impersonate", cloud.host),
        "credential_source": {
            "url": format!("{}/github", cloud.host), "headers": { "Authorization": "Bearer run" },
            "format": { "type": "json", "subject_token_field_name": "value" },
        },
    });
    std::fs::write(&file, account.to_string()).unwrap();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap()), ("STORAGE_EMULATOR_HOST", cloud.host.as_str())];
    let said = write("gs://acme/bf", &outside(folder.path(), &variables)).unwrap();
    assert!(said.ends_with("a federated identity") && said.contains("wif.json"), "{said}");
    assert!(cloud.last().contains("Bearer SECRET-google"), "{}", cloud.asked().join("\n\n"));
    assert!(
        cloud.asked().join("\n\n").contains("subject_token=subject-token") && cloud.asked().join("\n\n").contains("Bearer SECRET-sts"),
        "{}",
        cloud.asked().join("\n\n")
    );
}

#[test]
fn credentials_of_google_that_cannot_be_used_are_told_without_a_word_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("hunter2", "holds no credentials of Google's"),
        (r#"{"type":"hunter3"}"#, "of the type `hunter3`"),
        (
            r#"{"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"environment_id":"aws1","k":"hunter2"}}"#,
            "neither a `file` nor a `url`",
        ),
        (r#"{"type":"external_account","credential_source":{"file":"hunter2"}}"#, "it lacks `audience`"),
    ] {
        let file = folder.path().join("c.json");
        std::fs::write(&file, text).unwrap();
        let error =
            write("gs://acme/bf", &outside(folder.path(), &[("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())])).unwrap_err();
        assert!(error.why.contains(part), "{error:?}");
        is_secret_free(&format!("{} {:?}", error.why, error.help));
    }
    let error = write("gs://acme/bf", &outside(folder.path(), &[("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json")])).unwrap_err();
    assert!(error.why.contains("cannot be read"), "{error:?}");
}
