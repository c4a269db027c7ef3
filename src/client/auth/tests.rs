//! Every method against stand-ins of what it asks, on loopback: which requests go out, with what, and what is made of the
//! answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{AuthError, Credentials, Elsewhere, Explicit, Resolved, resolve};
use crate::client::testing::{Answer, Scripted, StandIn, json};
use crate::client::{ApiErrorKind, Client, Options, Request, RequestBody};
use crate::model::{CommandOutput, Outside, System};

#[test]
fn are_never_printed() {
    for credentials in [Credentials::token("dapi-planted"), Credentials::machine("id", "planted")] {
        assert!(!format!("{credentials:?}").contains("planted"));
    }
}

/// Programs that answer by a table; what was run is kept. The clock stands at second 1000.
struct Programs {
    answers: &'static [(&'static str, i32, &'static str)],
    ran: Mutex<Vec<String>>,
}

impl System for Programs {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1000).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str], _: &Path) -> std::io::Result<CommandOutput> {
        let line = format!("{program} {}", arguments.join(" "));
        self.ran.lock().unwrap().push(line.clone());
        let found = self.answers.iter().find(|(start, ..)| line.starts_with(start));
        let (_, code, text) = found.ok_or(std::io::ErrorKind::NotFound)?;
        let (out, err) = if *code == 0 { (*text, "") } else { ("", *text) };
        Ok(CommandOutput { code: Some(*code), stdout: out.into(), stderr: err.into() })
    }
}

struct Bench {
    folder: tempfile::TempDir,
    cloud: StandIn,
    programs: Arc<Programs>,
}

impl Bench {
    fn new(cloud: StandIn, answers: &'static [(&'static str, i32, &'static str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("id.jwt"), format!("{}\n", id_token("file", 2000))).unwrap();
        for name in ["az", "databricks"] {
            let names = answers.iter().any(|(line, ..)| line.starts_with(name));
            names.then(|| std::fs::write(folder.path().join(name), "").unwrap());
        }
        let key = include_str!("../../../tests/data/auth/service-account.pem");
        let key = serde_json::json!({ "type": "service_account", "client_email": "sa@acme", "private_key": key, "private_key_id": "k1", "token_uri": format!("{}/google", cloud.host) });
        std::fs::write(folder.path().join("sa.json"), key.to_string()).unwrap();
        let user = serde_json::json!({ "type": "authorized_user", "client_id": "c", "client_secret": "SECRET-user", "refresh_token": "SECRET-refresh", "token_uri": format!("{}/google", cloud.host) });
        std::fs::write(folder.path().join("adc.json"), user.to_string()).unwrap();
        Self { folder, cloud, programs: Arc::new(Programs { answers, ran: Mutex::default() }) }
    }

    fn outside(&self, variables: &[(&str, &str)]) -> Outside {
        let here = self.folder.path().display().to_string();
        let filled = |value: &str| value.replace("{cloud}", &self.cloud.host).replace("{here}", &here);
        let mut all: BTreeMap<String, String> = variables.iter().map(|(name, value)| ((*name).to_owned(), filled(value))).collect();
        all.insert("HOME".to_owned(), here.clone());
        all.insert("PATH".to_owned(), here);
        Outside { variables: Arc::new(all), folder: self.folder.path().to_owned(), system: Arc::clone(&self.programs) as Arc<dyn System> }
    }

    fn resolved(&self, variables: &[(&str, &str)], host: &str) -> Result<Resolved, AuthError> {
        let said: Explicit = [("host".to_owned(), (host.to_owned(), None))].into();
        resolve(&self.outside(variables), &said, None)
    }

    fn client(&self, workspace: &Arc<Scripted>, variables: &[(&str, &str)], host: &str) -> Client {
        let outside = self.outside(variables);
        let credentials = self.resolved(variables, host).unwrap_or_else(|error| panic!("{variables:?}: {error}")).credentials;
        let elsewhere = Elsewhere::new(&outside).unwrap().within(Duration::from_millis(300));
        let options = Options { first_wait_millis: 1, retry_seconds: 1, ..Options::default() };
        Client::new(workspace.clone(), Some(credentials.asking(elsewhere)), &outside, options)
    }
}

/// An ID token of somebody.
fn id_token(subject: &str, until: i64) -> String {
    let claims = serde_json::json!({ "iss": "https://ci", "sub": subject, "aud": "databricks", "exp": until });
    format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A workspace that exchanges, names its tenant, and answers anybody who has a token.
fn workspace() -> Arc<Scripted> {
    Scripted::by(|request| match request.path.as_str() {
        "/oidc/.well-known/oauth-authorization-server" => json(200, r#"{"token_endpoint":"https://test.net/oidc/v1/token"}"#),
        "/.well-known/databricks-config" => {
            json(200, r#"{"workspace_id":"42","token_federation_default_oidc_audiences":["acme-audience"]}"#)
        }
        "/oidc/v1/token" => json(200, r#"{"access_token":"SECRET-workspace","token_type":"Bearer","expires_in":3600}"#),
        "/aad/auth" => Ok(crate::client::Response {
            status: 302,
            headers: vec![("location".to_owned(), "https://login.microsoftonline.com/tenant-9/oauth2/authorize?x=1".to_owned())],
            body: vec![],
        }),
        _ => json(200, r#"{"userName":"app"}"#),
    })
}

/// `POST /oidc/v1/token a=b&c=d`, and the headers that say who calls.
fn line(request: &Request) -> String {
    let mut line = request.to_string();
    if let RequestBody::Form(fields) = &request.body {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        line = format!("{line} {}", fields.join("&"));
    }
    let known = |name: &str| name == "authorization" || name.starts_with("x-databricks");
    for (name, value) in request.headers.iter().filter(|(name, _)| known(name)) {
        line = format!("{line} | {name}: {value}");
    }
    line
}

const GITHUB: [(&str, &str); 2] = [("ACTIONS_ID_TOKEN_REQUEST_URL", "{cloud}/github?v=2"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "run-token")];
const DEVOPS: [(&str, &str); 6] = [
    ("SYSTEM_ACCESSTOKEN", "job-token"),
    ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "{cloud}/acme/"),
    ("SYSTEM_TEAMPROJECTID", "p1"),
    ("SYSTEM_HOSTTYPE", "build"),
    ("SYSTEM_PLANID", "plan1"),
    ("SYSTEM_JOBID", "job1"),
];
const CLOUD: &[(&str, &str)] = &[
    ("GET /github", r#"{"value":"SECRET-github"}"#),
    (
        "POST /acme/p1/_apis/distributedtask/hubs/build/plans/plan1/jobs/job1/oidctoken?api-version=7.2-preview.1 ",
        r#"{"oidcToken":"SECRET-devops"}"#,
    ),
    ("POST /tenant-1/oauth2/token", r#"{"access_token":"SECRET-entra","expires_in":"3599","token_type":"Bearer"}"#),
    ("POST /tenant-9/oauth2/token", r#"{"access_token":"SECRET-entra9","expires_on":"4600","token_type":"Bearer"}"#),
    ("GET /metadata/identity/oauth2/token", r#"{"access_token":"SECRET-imds","expires_on":"4600","token_type":"Bearer"}"#),
    ("GET /msi", r#"{"access_token":"SECRET-msi","expires_on":"4600"}"#),
    ("GET /editor", r#"{"access_token":"SECRET-editor","token_type":"Bearer","expires_on":4600.5}"#),
    ("POST /google", r#"{"id_token":"SECRET-google-id","access_token":"SECRET-google","expires_in":3599}"#),
    ("POST /v1/projects/-/serviceAccounts/sa@acme:generateIdToken", r#"{"token":"SECRET-impersonated"}"#),
    ("POST /v1/projects/-/serviceAccounts/sa@acme:generateAccessToken", r#"{"accessToken":"SECRET-access"}"#),
];
/// A person's token of Entra: it has a user principal name.
const PERSON: &str = r#"{"accessToken":"e30.eyJ1cG4iOiJhQGIuYyJ9.c2ln","expires_on":4600,"tokenType":"Bearer"}"#;
const PRINCIPAL: &str = r#"{"accessToken":"e30.eyJhcHBpZCI6IngifQ.c2ln","expiresOn":"2036-01-01 00:00:00.000000","tokenType":"Bearer"}"#;

type Case =
    (&'static str, Vec<(&'static str, &'static str)>, &'static [(&'static str, i32, &'static str)], Vec<&'static str>, &'static str);

fn with(first: &[(&'static str, &'static str)], more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [first, more].concat()
}

/// Method; variables; programs; what the other services and programs are asked, each by its parts; the headers of the call.
fn cases() -> Vec<Case> {
    let client = ("DATABRICKS_CLIENT_ID", "client-1");
    let azure = [("ARM_CLIENT_ID", "app-1"), ("ARM_TENANT_ID", "tenant-1"), ("AZURE_AUTHORITY_HOST", "{cloud}")];
    let none: &'static [(&str, i32, &str)] = &[];
    let by = "| authorization: Bearer SECRET-workspace";
    vec![
        ("pat", vec![("DATABRICKS_TOKEN", "t")], none, vec![], "| authorization: Bearer t"),
        ("basic", vec![("DATABRICKS_USERNAME", "u"), ("DATABRICKS_PASSWORD", "p")], none, vec![], "| authorization: Basic dTpw"),
        (
            "metadata-service",
            vec![("DATABRICKS_METADATA_SERVICE_URL", "{cloud}/editor")],
            none,
            vec!["GET /editor && x-databricks-metadata-version: 1 && x-databricks-host: https://test.net"],
            "| authorization: Bearer SECRET-editor",
        ),
        (
            "oauth-m2m",
            vec![client, ("DATABRICKS_CLIENT_SECRET", "s")],
            none,
            vec!["POST /oidc/v1/token grant_type=client_credentials&scope=all-apis | authorization: Basic Y2xpZW50LTE6cw=="],
            by,
        ),
        (
            "env-oidc",
            vec![client, ("DATABRICKS_OIDC_TOKEN", "eyJhbGciOiJub25lIn0.e30.SECRET-gitlab")],
            none,
            vec![
                "POST /oidc/v1/token grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt&subject_token=eyJhbGciOiJub25lIn0.e30.SECRET-gitlab&client_id=client-1&scope=all-apis",
            ],
            by,
        ),
        (
            "env-oidc",
            vec![("DATABRICKS_OIDC_TOKEN_ENV", "MINE"), ("MINE", "eyJhbGciOiJub25lIn0.e30.SECRET-mine")],
            none,
            vec!["subject_token=eyJhbGciOiJub25lIn0.e30.SECRET-mine&scope=all-apis"],
            by,
        ),
        (
            "file-oidc",
            vec![("DATABRICKS_OIDC_TOKEN_FILE", "{here}/id.jwt")],
            none,
            vec!["subject_token=eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2NpIiwic3ViIjoiZmlsZSIs"],
            by,
        ),
        (
            "github-oidc",
            with(&GITHUB, &[client]),
            none,
            vec![
                "GET /github?v=2&audience=acme-audience && authorization: Bearer run-token",
                "subject_token=SECRET-github&client_id=client-1",
            ],
            by,
        ),
        (
            "github-oidc",
            with(&GITHUB, &[client, ("DATABRICKS_TOKEN_AUDIENCE", "my own")]),
            none,
            vec!["GET /github?v=2&audience=my+own", "subject_token=SECRET-github"],
            by,
        ),
        (
            "azure-devops-oidc",
            with(&DEVOPS, &[client]),
            none,
            vec![
                "POST /acme/p1/_apis && authorization: Bearer job-token && content-length: 0",
                "subject_token=SECRET-devops&client_id=client-1",
            ],
            by,
        ),
        (
            "azure-client-secret",
            with(&azure, &[("ARM_CLIENT_SECRET", "SECRET-app"), ("DATABRICKS_AZURE_RESOURCE_ID", "/subscriptions/s1/w")]),
            none,
            vec![
                "POST /tenant-1/oauth2/token && grant_type=client_credentials&client_id=app-1&resource=2ff814a6-3304-4ab8-85cb-cd0e6f879c1d&client_secret=SECRET-app",
                "POST /tenant-1/oauth2/token && resource=https%3A%2F%2Fmanagement.core.windows.net%2F",
            ],
            "| authorization: Bearer SECRET-entra | x-databricks-azure-sp-management-token: SECRET-entra | x-databricks-azure-workspace-resource-id: /subscriptions/s1/w",
        ),
        (
            "azure-client-secret",
            vec![
                ("ARM_CLIENT_ID", "app-1"),
                ("ARM_CLIENT_SECRET", "x"),
                ("AZURE_AUTHORITY_HOST", "{cloud}/"),
                ("ARM_ENVIRONMENT", "usgovernment"),
            ],
            none,
            vec!["POST /tenant-9/oauth2/token", "resource=https%3A%2F%2Fmanagement.core.usgovcloudapi.net%2F"],
            "| authorization: Bearer SECRET-entra9 | x-databricks-azure-sp-management-token: SECRET-entra9",
        ),
        (
            "github-oidc-azure",
            with(&GITHUB, &azure),
            none,
            vec![
                "GET /github?v=2&audience=api%3A%2F%2FAzureADTokenExchange && authorization: Bearer run-token",
                "POST /tenant-1/oauth2/token && client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=SECRET-github",
            ],
            "| authorization: Bearer SECRET-entra",
        ),
        (
            "azure-msi",
            vec![("ARM_USE_MSI", "true"), ("ARM_CLIENT_ID", "app-1"), ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "{cloud}")],
            none,
            vec![
                "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=2ff814a6-3304-4ab8-85cb-cd0e6f879c1d&client_id=app-1 && metadata: true",
                "resource=https%3A%2F%2Fmanagement.core.windows.net%2F",
            ],
            "| authorization: Bearer SECRET-imds | x-databricks-azure-sp-management-token: SECRET-imds",
        ),
        (
            "azure-msi",
            vec![("ARM_USE_MSI", "true"), ("IDENTITY_ENDPOINT", "{cloud}/msi"), ("IDENTITY_HEADER", "SECRET-header")],
            none,
            vec!["GET /msi?api-version=2019-08-01&resource=2ff814a6 && x-identity-header: SECRET-header", "GET /msi"],
            "| authorization: Bearer SECRET-msi | x-databricks-azure-sp-management-token: SECRET-msi",
        ),
        (
            "azure-cli",
            vec![("DATABRICKS_AUTH_TYPE", "azure-cli"), ("ARM_TENANT_ID", "tenant-1")],
            &[("az account get-access-token", 0, PERSON), ("az account show", 0, r#"{"user":{"type":"user"}}"#)],
            vec![
                "az account show",
                "az account get-access-token --resource 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --output json --tenant tenant-1",
            ],
            "| authorization: Bearer e30.eyJ1cG4iOiJhQGIuYyJ9.c2ln",
        ),
        (
            "azure-cli",
            vec![("DATABRICKS_AUTH_TYPE", "azure-cli"), ("DATABRICKS_AZURE_RESOURCE_ID", "/subscriptions/s1/resourceGroups/g")],
            &[
                ("az account get-access-token", 0, PRINCIPAL),
                ("az account show", 0, r#"{"user":{"type":"servicePrincipal","name":"systemAssignedIdentity"}}"#),
            ],
            vec![
                "az account show",
                "az account get-access-token --resource 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --output json --subscription s1",
                "az account show",
                "az account get-access-token --resource https://management.core.windows.net/",
            ],
            "| authorization: Bearer e30.eyJhcHBpZCI6IngifQ.c2ln | x-databricks-azure-sp-management-token: e30.eyJhcHBpZCI6IngifQ.c2ln | x-databricks-azure-workspace-resource-id: /subscriptions/s1/resourceGroups/g",
        ),
        (
            "databricks-cli",
            vec![],
            &[("databricks auth token", 0, r#"{"access_token":"SECRET-cli","token_type":"Bearer","expiry":"1970-01-01T01:00:00.5Z"}"#)],
            vec!["databricks auth token --host https://test.net"],
            "| authorization: Bearer SECRET-cli",
        ),
        (
            "google-credentials",
            vec![("GOOGLE_CREDENTIALS", "{here}/sa.json")],
            none,
            vec![
                "POST /google && grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJhbGciOiJSUzI1NiIs",
                "POST /google",
            ],
            "| authorization: Bearer SECRET-google-id | x-databricks-gcp-sa-access-token: SECRET-google",
        ),
        (
            "google-id",
            vec![
                ("DATABRICKS_GOOGLE_SERVICE_ACCOUNT", "sa@acme"),
                ("GOOGLE_APPLICATION_CREDENTIALS", "{here}/adc.json"),
                ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", "{cloud}/"),
            ],
            none,
            vec![
                "POST /google && grant_type=refresh_token",
                "POST /v1/projects/-/serviceAccounts/sa@acme:generateIdToken && Bearer SECRET-google && {\"audience\":\"https://test.net\",\"includeEmail\":true}",
                "POST /google",
                "POST /v1/projects/-/serviceAccounts/sa@acme:generateAccessToken",
            ],
            "| authorization: Bearer SECRET-impersonated | x-databricks-gcp-sa-access-token: SECRET-access",
        ),
    ]
}

#[tokio::test]
async fn every_method_asks_what_it_has_to_and_signs_with_what_it_got() {
    for (method, variables, programs, wanted, headers) in cases() {
        let bench = Bench::new(StandIn::of(CLOUD), programs);
        let resolved = bench.resolved(&variables, "https://test.net").unwrap_or_else(|error| panic!("{method}: {error}"));
        assert_eq!(resolved.description.auth_type, method, "{variables:?}");
        let told = format!("{:?}", resolved.description);
        assert!(!told.contains("SECRET-"), "{told}");
        let workspace = workspace();
        let client = bench.client(&workspace, &variables, "https://test.net");
        for _ in 0..2 {
            client.whoami().await.unwrap_or_else(|error| panic!("{method}: {error}\n{:?}", bench.cloud.asked()));
        }
        let seen: Vec<String> = workspace.seen.lock().unwrap().iter().map(line).collect();
        let calls: Vec<&String> = seen.iter().filter(|line| line.starts_with("GET /api/")).collect();
        assert_eq!(calls.len(), 2, "{method}: {seen:?}");
        for call in calls {
            assert!(
                call.ends_with(headers) && call.contains(&format!("{} {headers}", call.split(" |").next().unwrap())),
                "{method}: {call}"
            );
        }
        // Who is asked once is not asked again for the second call.
        let mut asked = bench.cloud.asked();
        asked.extend(bench.programs.ran.lock().unwrap().iter().cloned());
        asked.extend(seen.into_iter().filter(|line| line.starts_with("POST /oidc")));
        assert_eq!(asked.len(), wanted.len(), "{method}: {asked:#?}");
        for (asked, wanted) in asked.iter().zip(wanted) {
            assert!(wanted.split(" && ").all(|part| asked.contains(part)), "{method}: {wanted}\n{asked}");
        }
    }
}

type Answers = &'static [(&'static str, i32, &'static str)];
type Cloud = fn(&str) -> Option<(u16, String)>;
type Failing = (Vec<(&'static str, &'static str)>, Cloud, Answers, &'static [&'static str]);

#[tokio::test]
async fn what_goes_wrong_is_told_with_what_to_do_and_without_a_secret() {
    let client = ("DATABRICKS_CLIENT_ID", "client-1");
    let refused: Cloud =
        |_| Some((401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: SECRET-app is wrong\nTrace"}"#.to_owned()));
    let unknown: Cloud = |_| Some((401, r#"{"message":"Bad credentials"}"#.to_owned()));
    let silent: Cloud = |_| None;
    let odd: Cloud = |_| Some((200, r#"{"hello":1}"#.to_owned()));
    let page: Cloud = |_| Some((200, "<html>".to_owned()));
    let github = with(&GITHUB, &[client]);
    let azure =
        vec![("ARM_CLIENT_ID", "a"), ("ARM_TENANT_ID", "t"), ("ARM_CLIENT_SECRET", "SECRET-app"), ("AZURE_AUTHORITY_HOST", "{cloud}")];
    let none: Answers = &[];
    let table: Vec<Failing> = vec![
        (
            azure.clone(),
            refused,
            none,
            &["azure-client-secret (client a)", "Microsoft Entra refused (401): AADSTS7000215: (sensitive) is wrong", "the tenant t"],
        ),
        (azure.clone(), silent, none, &["Microsoft Entra (127.0.0.1) cannot be asked: no answer within 0.3 s"]),
        (azure.clone(), odd, none, &["Microsoft Entra answered without `access_token`"]),
        (azure, page, none, &["Microsoft Entra answered no JSON"]),
        (github.clone(), unknown, none, &["GitHub refused (401): Bad credentials"]),
        (github.clone(), odd, none, &["GitHub answered without `value`"]),
        (
            vec![("ACTIONS_ID_TOKEN_REQUEST_URL", "http://evil.net/x"), GITHUB[1], client],
            odd,
            none,
            &["GitHub is asked over HTTPS only", "http://evil.net/x"],
        ),
        (with(&DEVOPS, &[client]), silent, none, &["Azure DevOps (127.0.0.1) cannot be asked"]),
        (vec![("DATABRICKS_OIDC_TOKEN_FILEPATH", "{here}/none")], odd, none, &["file-oidc", "none cannot be read"]),
        (
            vec![],
            odd,
            &[("databricks auth token", 1, "Error: a new access token could not be retrieved: eyJhbGciOi.x.y, run databricks auth login")],
            &[
                "`databricks auth token` ended with 1: Error: a new access token could not be retrieved: (sensitive), run",
                "log in with `databricks auth login",
            ],
        ),
        (
            vec![("DATABRICKS_AUTH_TYPE", "azure-cli"), ("ARM_TENANT_ID", "t")],
            odd,
            &[("az account", 1, "ERROR: Please run 'az login' to setup account.")],
            &["`az account get-access-token` ended with 1", "az login"],
        ),
        (
            vec![("ARM_USE_MSI", "true"), ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "{cloud}")],
            silent,
            none,
            &["managed identity", "assign one"],
        ),
    ];
    for (variables, answer, programs, parts) in table {
        let bench = Bench::new(StandIn::by(answer), programs);
        let error = bench.client(&workspace(), &variables, "https://test.net").whoami().await.expect_err("no token");
        assert_eq!(error.kind, ApiErrorKind::Unauthenticated, "{error}");
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}\n{text}");
        assert!(!text.contains("SECRET-") && !text.contains("eyJ"), "{text}");
    }
}

#[tokio::test]
async fn a_service_in_trouble_is_asked_again() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let answer = move |_: &str| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => None,
        1 => Some((503, String::new())),
        _ => Some((200, r#"{"value":"SECRET-github"}"#.to_owned())),
    };
    let bench = Bench::new(StandIn::by(answer), &[]);
    let variables = with(&GITHUB, &[("DATABRICKS_CLIENT_ID", "client-1")]);
    bench.client(&workspace(), &variables, "https://test.net").whoami().await.unwrap();
    assert_eq!(bench.cloud.asked().len(), 3);
}

/// A workspace that refuses the exchange.
fn refusing() -> Arc<Scripted> {
    Scripted::by(|request| -> Answer {
        match request.path.as_str() {
            "/oidc/.well-known/oauth-authorization-server" => json(200, r#"{"token_endpoint":"https://test.net/oidc/v1/token"}"#),
            _ => json(400, r#"{"error":"invalid_grant","error_description":"no policy"}"#),
        }
    })
}

#[tokio::test]
async fn a_refused_exchange_says_what_the_id_token_has() {
    let bench = Bench::new(StandIn::of(&[]), &[]);
    for (token, parts) in [
        (
            id_token("repo:a", 2000),
            ["400 invalid_grant: no policy", "iss `https://ci`, sub `repo:a`, aud `databricks`", "federation policy"],
        ),
        (
            id_token("repo:a", 999),
            ["the ID token of DATABRICKS_OIDC_TOKEN ran out at 1970-01-01T00:16:39Z", "file-oidc", "run the job again"],
        ),
        ("opaque".to_owned(), ["is no JSON web token", "DATABRICKS_OIDC_TOKEN", "was not sent"]),
    ] {
        let client = bench.client(&refusing(), &[("DATABRICKS_OIDC_TOKEN", &token)], "https://test.net");
        let error = client.whoami().await.expect_err("refused").to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}\n{error}");
        assert!(!error.contains(&token) || token == "opaque", "{error}");
    }
}

#[tokio::test]
async fn where_nobody_says_which_program_both_are_tried_and_one_is_kept_to() {
    const LOGGED_OUT: &str = "ERROR: Please run 'az login'";
    const CLI: &str = r#"{"access_token":"SECRET-cli","expiry":"1970-01-01T01:00:00Z"}"#;
    let host = "https://adb-1.2.azuredatabricks.net";
    let bench = Bench::new(StandIn::of(&[]), &[("az account", 1, LOGGED_OUT), ("databricks auth token", 0, CLI)]);
    let description = bench.resolved(&[], host).unwrap().description;
    assert_eq!((description.auth_type.as_str(), description.otherwise.as_deref()), ("azure-cli", Some("databricks-cli")));
    let workspace = workspace();
    let client = bench.client(&workspace, &[], host);
    client.whoami().await.unwrap();
    let tried = bench.programs.ran.lock().unwrap().len();
    client.whoami().await.unwrap();
    assert_eq!(bench.programs.ran.lock().unwrap().len(), tried);
    assert!(workspace.seen.lock().unwrap().iter().map(line).any(|line| line.ends_with("Bearer SECRET-cli")));
    let bench = Bench::new(StandIn::of(&[]), &[("az account", 1, LOGGED_OUT), ("databricks auth", 1, "Error: cache: token not found")]);
    let error = bench.client(&workspace, &[], host).whoami().await.expect_err("neither").to_string();
    assert!(error.contains("az login") && error.contains("nor by databricks-cli: ") && error.contains("databricks auth login"), "{error}");
}

#[tokio::test]
async fn a_program_that_a_project_names_is_a_command_that_can_be_refused() {
    let bench = Bench::new(StandIn::of(&[]), &[("databricks auth token", 0, r#"{"access_token":"t"}"#)]);
    std::fs::write(bench.folder.path().join("mine"), "").unwrap();
    let outside = bench.outside(&[]).without_commands();
    let said = |path: &str| -> Explicit {
        let pairs = [("host", "https://test.net"), ("auth_type", "databricks-cli"), ("databricks_cli_path", path)];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.to_owned(), (v.to_owned(), None))).collect()
    };
    let call = async |path: &str| {
        let credentials = resolve(&outside, &said(path), None).unwrap().credentials;
        Client::new(workspace(), Some(credentials), &outside, Options::default()).whoami().await
    };
    assert!(call("").await.is_ok(), "who runs us chose it by the PATH");
    let error = call("./mine").await.expect_err("a file of the project chose it").to_string();
    assert!(error.contains("commands are refused (--no-commands)"), "{error}");
}

/// A workspace whose tokens hold `life` seconds; a number says which is the first that is no longer renewed.
fn forgetful(life: u64, until: u64) -> Arc<Scripted> {
    let fetched = std::sync::atomic::AtomicU64::new(0);
    Scripted::by(move |request| -> Answer {
        match request.path.as_str() {
            "/oidc/.well-known/oauth-authorization-server" => json(200, r#"{"token_endpoint":"https://test.net/oidc/v1/token"}"#),
            "/oidc/v1/token" => match fetched.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                n if n >= until => json(400, r#"{"error":"invalid_grant","error_description":"over"}"#),
                n => json(200, &format!(r#"{{"access_token":"t{n}","expires_in":{life}}}"#)),
            },
            _ => json(200, r#"{"userName":"app"}"#),
        }
    })
}

fn exchanges(workspace: &Scripted) -> usize {
    workspace.lines().iter().filter(|line| line.starts_with("POST /oidc")).count()
}

#[tokio::test(start_paused = true)]
async fn tokens_are_renewed_before_they_end_by_one_for_all_and_a_failure_stands_a_while() {
    let bench = Bench::new(StandIn::of(&[]), &[]);
    let variables = [("DATABRICKS_OIDC_TOKEN", "eyJhbGciOiJub25lIn0.e30.x")];
    let workspace = forgetful(100, 2);
    let client = bench.client(&workspace, &variables, "https://test.net");
    let both = async |seconds: u64| {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let (a, b) = tokio::join!(client.whoami(), client.whoami());
        (a.is_ok() && b.is_ok(), exchanges(&workspace))
    };
    assert_eq!(both(0).await, (true, 1));
    assert_eq!(both(79).await, (true, 1), "it holds");
    assert_eq!(both(2).await, (true, 2), "a fifth of its life before its end another is fetched, once");
    // Now nothing is given any more: the kept token serves to its end, and it is asked for now and then only.
    assert_eq!(both(81).await, (true, 3));
    assert_eq!(both(1).await, (true, 3));
    assert_eq!(both(9).await, (true, 4));
    let (good, asked) = both(15).await;
    assert!(!good && asked == 5, "two that fail at once ask once: {asked}");
    assert_eq!(both(1).await, (false, 5));
    assert_eq!(both(6).await, (false, 6));
}
