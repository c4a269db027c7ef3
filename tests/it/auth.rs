//! Authentication from end to end: the command line against the embedded workspace over HTTP, which exchanges ID tokens by
//! federation policies; the pipeline's own services are stand-ins on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use brickform::local::{FederationPolicy, LocalOptions};
use brickform::model::Outside;

use super::cli::{Project, Ran};
use super::walk::Served;

const CLIENT: &str = "7a0f3c9e-1111-2222-3333-444455556666";

/// A service on loopback that answers by the head of a request, in small letters. It lives as long as the process.
fn service(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = vec![];
            let mut byte = [0; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            let (status, body) = answer(&String::from_utf8_lossy(&head).to_lowercase());
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    host
}

/// A pipeline's own service: GitHub's and Azure DevOps' ID tokens.
fn pipeline(token: &'static str) -> String {
    service(move |head| {
        if head.contains("authorization: bearer of-this-run") {
            (200, format!(r#"{{"value":"{token}","oidcToken":"{token}"}}"#))
        } else {
            (401, r#"{"message":"who?"}"#.to_owned())
        }
    })
}

fn now() -> u64 {
    u64::try_from(Outside::real().expect("a folder").now().as_second()).expect("after 1970")
}

fn id_token(audience: &str, until: u64) -> String {
    let claims = serde_json::json!({ "iss": "https://ci.acme", "sub": "repo:acme/shop", "aud": audience, "exp": until });
    format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn policies(audience: &str) -> Vec<FederationPolicy> {
    let text = format!(
        r#"[{{"service_principal":"{CLIENT}","oidc_policy":{{"issuer":"https://ci.acme","audiences":["{audience}"],"subject":"repo:acme/shop"}}}}]"#
    );
    FederationPolicy::list(&text).expect("policies")
}

fn project(host: &str, warehouses: usize) -> Project {
    let each: Vec<String> = (0..warehouses).map(|n| format!("  w{n}: {{ name: w{n}, cluster_size: 2X-Small }}\n")).collect();
    Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("conf/warehouses.yaml", &format!("warehouses:\n{}", each.concat())),
        ("environments/prod.yaml", &format!("workspace: {{ host: {host} }}\n")),
    ])
}

fn apply(project: &Project, variables: &[(&str, &str)]) -> Ran {
    let mut all = vec![("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT)];
    all.extend(variables);
    project.with("apply --env prod --yes --parallelism 1", &all, None)
}

#[test]
fn an_apply_with_each_way_of_a_pipeline() {
    let token: &'static str = id_token("acme", now() + 600).leak();
    let service = pipeline(token);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{token}\n")).expect("it can be written");
    let path = file.path().display().to_string();
    let github = format!("{service}/token?x=1");
    for (method, variables) in [
        ("env-oidc", vec![("DATABRICKS_OIDC_TOKEN", token)]),
        ("file-oidc", vec![("DATABRICKS_AUTH_TYPE", "file-oidc"), ("DATABRICKS_OIDC_TOKEN_FILEPATH", path.as_str())]),
        ("github-oidc", vec![("ACTIONS_ID_TOKEN_REQUEST_URL", github.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-this-run")]),
        (
            "azure-devops-oidc",
            vec![
                ("DATABRICKS_AUTH_TYPE", "azure-devops-oidc"),
                ("SYSTEM_ACCESSTOKEN", "of-this-run"),
                ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", service.as_str()),
                ("SYSTEM_TEAMPROJECTID", "p"),
                ("SYSTEM_HOSTTYPE", "build"),
                ("SYSTEM_PLANID", "1"),
                ("SYSTEM_JOBID", "2"),
            ],
        ),
        ("oauth-m2m", vec![("DATABRICKS_CLIENT_SECRET", "hunter2")]),
    ] {
        let served = Served::with(LocalOptions { federation: policies("acme"), ..LocalOptions::default() });
        let project = project(&served.url, 1);
        let ran = apply(&project, &variables);
        assert_eq!(ran.code, 0, "{method}: {}{}", ran.out, ran.err);
        let mut all = vec![("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT)];
        all.extend(&variables);
        let told = project.with("auth describe --env prod", &all, None).ended(0).out;
        assert!(told.contains(&format!("by {method}\n")) && !told.contains(token) && !told.contains("of-this-run"), "{told}");
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(token) && !text.contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn a_token_that_runs_out_in_the_middle_is_fetched_anew() {
    let record = tempfile::NamedTempFile::new().expect("a file");
    let options =
        LocalOptions { token_seconds: Some(1), latency_ms: 200, record: Some(record.path().to_owned()), ..LocalOptions::default() };
    let served = Served::with(options);
    let token = id_token("any", now() + 600);
    let ran = apply(&project(&served.url, 8), &[("DATABRICKS_OIDC_TOKEN", &token)]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = std::fs::read_to_string(record.path()).expect("it was written");
    let exchanges = text.lines().filter(|line| line.contains("/oidc/v1/token")).count();
    assert!(exchanges > 1, "{exchanges}: the apply was too quick to show anything");
    assert!(!text.contains(&token), "a record holds no tokens");
    drop(served);
}

#[test]
fn one_that_cannot_be_fetched_anew_ends_with_4_and_the_next_run_does_the_rest() {
    let served = Served::with(LocalOptions { token_seconds: Some(1), latency_ms: 200, ..LocalOptions::default() });
    let project = project(&served.url, 24);
    let short = id_token("any", now() + 3);
    let ran = apply(&project, &[("DATABRICKS_OIDC_TOKEN", &short)]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    for part in
        ["the ID token of DATABRICKS_OIDC_TOKEN ran out at", "run the job again", "there is no token any more", "exit code 4", "Applied "]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("Applied 0 of") && !said.contains(&short), "{said}");
    let long = id_token("any", now() + 600);
    let again = apply(&project, &[("DATABRICKS_OIDC_TOKEN", &long)]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let variables = [("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT), ("DATABRICKS_OIDC_TOKEN", long.as_str())];
    let state = project.with("state list --env prod -o json", &variables, None).ended(0).out;
    assert_eq!(state.matches("\"warehouses.w").count(), 24, "{state}");
    let check = project.with("plan --env prod --detailed-exitcode", &variables, None);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
}

#[test]
fn a_policy_that_wants_another_audience_is_told_with_what_the_token_has() {
    let served = Served::with(LocalOptions { federation: policies("somebody else"), ..LocalOptions::default() });
    let project = project(&served.url, 1);
    let ran = apply(&project, &[("DATABRICKS_OIDC_TOKEN", &id_token("acme", now() + 600))]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    for part in ["invalid_grant", "iss `https://ci.acme`, sub `repo:acme/shop`, aud `acme`", "federation policy"] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
}

#[test]
fn what_the_caller_may_not_do_is_told_with_what_gives_it() {
    let served = Served::with(LocalOptions::default());
    let conf = "catalogs:\n  shop: { name: shop }\nschemas:\n  raw: { catalog_name: main, name: raw }\ngroups:\n  ops: { display_name: ops }\n\
                warehouses:\n  bi: { name: bi, cluster_size: 2X-Small }\njobs:\n  nightly: { name: nightly }\n";
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("conf/all.yaml", conf),
        ("environments/prod.yaml", &format!("workspace: {{ host: {} }}\n", served.url)),
    ]);
    let principal = [("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT), ("DATABRICKS_CLIENT_SECRET", "hunter2")];
    let owner = [("HOME", "/nonexistent"), ("DATABRICKS_TOKEN", "t")];
    let registered = format!("service_principals:\n  ci: {{ display_name: ci, application_id: {CLIENT} }}\n");
    let people = Project::new(&[
        ("conf/project.yaml", "name: people\n"),
        ("conf/people.yaml", &registered),
        ("environments/prod.yaml", &format!("workspace: {{ host: {} }}\n", served.url)),
    ]);
    people.with("apply --env prod --yes", &owner, None).ended(0);
    let ran = project.with("auth check --env prod", &principal, None).ended(1);
    for part in [
        CLIENT,
        "by oauth-m2m",
        "lacks    CREATE_CATALOG on the metastore",
        &format!("a metastore admin: GRANT CREATE CATALOG ON METASTORE TO `{CLIENT}`"),
        "lacks    USE_CATALOG and CREATE_SCHEMA on catalog main",
        "lacks    workspace admin",
        "for groups.ops",
        "lacks    entitlement allow-cluster-create",
        "missing for an apply; a plan can be made",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    let json = project.with("auth check --env prod -o json", &principal, None).ended(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((json["authenticated"].as_bool(), json["auth_type"].as_str()), (Some(true), Some("oauth-m2m")));
    assert!(json["lacks"].as_u64().is_some_and(|n| n >= 4), "{json}");
    // An administrator of the workspace has no rights in a catalog of somebody else's for that.
    let ran = project.with("auth check --env prod", &owner, None).ended(1);
    assert!(ran.out.contains("on catalog main") && ran.out.contains("1 right is missing"), "{}", ran.out);
    project.with("apply --env prod --yes", &owner, None).ended(0);
    let ran = project.with("auth check --env prod", &owner, None).ended(0);
    assert!(ran.out.contains("nothing that a plan or an apply needs is missing"), "{}", ran.out);
    // What others made is nobody's but theirs.
    let ran = project.with("auth check --env prod", &principal, None).ended(1);
    for part in ["MANAGE on catalog shop", "MANAGE on schema main.raw", "CAN_MANAGE on jobs/"] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    let refused = [("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT), ("DATABRICKS_CLIENT_SECRET", "wrong")];
    let ran = project.with("auth check --env prod -o json", &refused, None).ended(4);
    assert!(ran.out.contains("\"authenticated\": false") && ran.out.contains("invalid_client"), "{}", ran.out);
}

/// A store of a cloud that lets nobody in.
fn closed(status: u16, body: &'static str) -> String {
    service(move |_| (status, body.to_owned()))
}

#[test]
fn a_store_of_the_state_that_lets_nobody_in_ends_with_4() {
    let project = Project::new(&[("conf/project.yaml", "name: shop\n"), ("environments/local.yaml", "workspace: local\n")]);
    let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let home = project.folder.path().join("home");
    std::fs::create_dir_all(home.join(".aws")).expect("a folder");
    std::fs::write(home.join(".aws/config"), "[profile gone]\ncredential_process = echo 'it is over' >&2; exit 3\n").expect("a file");
    let home = home.display().to_string();
    for status in [401, 403] {
        let host = closed(status, denied);
        let keys = [("AWS_ENDPOINT_URL", host.as_str()), ("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let account = [("AZURE_STORAGE_ENDPOINT", host.as_str()), ("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMg==")];
        let google = [("STORAGE_EMULATOR_HOST", host.as_str())];
        let program = [("AWS_ENDPOINT_URL", host.as_str()), ("AWS_PROFILE", "gone")];
        for (state, variables, says) in [
            ("s3://acme/bf", &keys[..], "AWS_ACCESS_KEY_ID"),
            ("az://state/bf?account=acme", &account, "AZURE_STORAGE_ACCOUNT_KEY"),
            ("gs://acme/bf", &google, "credentials used"),
            ("s3://acme/bf", &program, "it is over"),
        ] {
            let mut all = vec![("HOME", home.as_str())];
            all.extend(variables);
            let ran = project.with(&format!("plan --env local --state {state}"), &all, None);
            assert_eq!(ran.code, 4, "{status} {state}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(says) && !ran.err.contains("hunter2") && !ran.err.contains("aHVudGVyMg"), "{}", ran.err);
        }
    }
}

#[test]
fn pipelines_that_are_written_set_what_their_method_reads() {
    let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/init/templates");
    let token = id_token("any", now() + 600);
    let ci = "https://ci.invalid/acme/";
    let github = vec![("ACTIONS_ID_TOKEN_REQUEST_URL", ci), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")];
    let gitlab = vec![("DATABRICKS_OIDC_TOKEN", token.as_str())];
    let azure = vec![
        ("SYSTEM_ACCESSTOKEN", "t"),
        ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", ci),
        ("SYSTEM_TEAMPROJECTID", "p"),
        ("SYSTEM_HOSTTYPE", "build"),
        ("SYSTEM_PLANID", "1"),
        ("SYSTEM_JOBID", "2"),
    ];
    let project = project("https://adb-1.1.azuredatabricks.net", 1);
    let mut seen = 0;
    for file in std::fs::read_dir(templates).expect("they are there") {
        let path = file.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("text");
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("DATABRICKS_AUTH_TYPE: ")) {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let (method, needs, variables) = match name.split(['-', '.']).next() {
                Some("github") => ("github-oidc", "id-token: write", &github),
                Some("gitlab") => ("env-oidc", "    DATABRICKS_OIDC_TOKEN:", &gitlab),
                _ => ("azure-devops-oidc", "SYSTEM_ACCESSTOKEN: $(System.AccessToken)", &azure),
            };
            let count = |part: &str| text.matches(part).count();
            assert_eq!(line, method, "{name}");
            assert!(
                count(needs) > 0 && (method != "azure-devops-oidc" || count(needs) >= count("DATABRICKS_AUTH_TYPE")),
                "{name} lacks {needs}"
            );
            // Beside what a state's bucket needs, which would be in conflict if nobody named the method.
            let mut all =
                vec![("HOME", "/nonexistent"), ("DATABRICKS_CLIENT_ID", CLIENT), ("DATABRICKS_AUTH_TYPE", line), ("ARM_CLIENT_ID", "a")];
            all.extend(variables);
            let told = project.with("auth describe --env prod -o json", &all, None).ended(0).out;
            assert!(told.contains(&format!("\"auth_type\": \"{method}\"")), "{name}: {told}");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen} places name a method");
}
